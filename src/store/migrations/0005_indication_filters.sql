-- Filters that clients made for subscriptions to use.
CREATE TABLE indication_filter (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL      -- the filter as JSON
) STRICT, WITHOUT ROWID;
