-- Who is told of which changes, where, and how far the telling got.
CREATE TABLE subscription (
    id            TEXT PRIMARY KEY,  -- a UUID
    owner         TEXT NOT NULL,     -- the user's name
    owner_role    TEXT NOT NULL,
    class         TEXT,              -- the indication class; NULL: all classes
    language      TEXT,              -- the filter's language; NULL: no filter
    filter        TEXT,
    notify_to     TEXT NOT NULL,     -- an endpoint reference as XML
    end_to        TEXT,              -- an endpoint reference as XML
    delivery      TEXT NOT NULL,     -- mode and its parameters as JSON
    created       INTEGER NOT NULL,  -- microseconds since 1970, UTC, as all times here
    expires       INTEGER,           -- NULL: never
    cursor        INTEGER NOT NULL,  -- the last change record that was dealt with
    failures      INTEGER NOT NULL,  -- failed attempts in a row since then
    failing_since INTEGER,           -- when the first of them failed
    next_attempt  INTEGER            -- not before
) STRICT, WITHOUT ROWID;

CREATE INDEX subscription_owner ON subscription (owner);
CREATE INDEX subscription_cursor ON subscription (cursor);

-- Which records are too old to be kept.
CREATE INDEX change_record_time ON change_record (time);
