-- What proves by digests that users know their passwords; as good as the passwords, so it is sealed.
CREATE TABLE user_digest (
    user   TEXT PRIMARY KEY REFERENCES user (name) ON DELETE CASCADE,
    sealed TEXT NOT NULL
) STRICT, WITHOUT ROWID;
