-- What changed, in sequence; before and after are JSON texts that the store does not read.
CREATE TABLE change_record (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    time     INTEGER NOT NULL, -- microseconds since 1970, UTC
    subject  TEXT NOT NULL,    -- what kind of thing changed, for example 'job'
    before   TEXT,
    after    TEXT
) STRICT;
