-- Who may ask, and what for. Names are matched exactly.
CREATE TABLE user (
    name    TEXT PRIMARY KEY,
    role    TEXT NOT NULL,
    hash    TEXT NOT NULL,    -- bcrypt; its random salt makes it new with every password that is set
    created INTEGER NOT NULL  -- microseconds since 1970, UTC
) STRICT, WITHOUT ROWID;
