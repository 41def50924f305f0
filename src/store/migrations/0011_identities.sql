-- What else than a password proves who a user is: what certificates say, and names in a Kerberos realm. Each means one user.
CREATE TABLE user_identity (
    kind    TEXT NOT NULL,    -- 'thumbprint', 'subject', 'dns', 'email', 'upn' or 'principal'
    value   TEXT NOT NULL,
    user    TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
    created INTEGER NOT NULL, -- microseconds since 1970, UTC
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_identity_user ON user_identity (user);
