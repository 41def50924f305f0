-- What a subscription lost, and how much of that it was told.
ALTER TABLE subscription ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscription ADD COLUMN dropped_told INTEGER NOT NULL DEFAULT 0;
-- How far the batch reaches that was sent last, so that it is made again as it was.
ALTER TABLE subscription ADD COLUMN attempted INTEGER NOT NULL DEFAULT 0;
-- The endpoint by which it is renewed and ended, as its subscriber was told.
ALTER TABLE subscription ADD COLUMN manager TEXT NOT NULL DEFAULT '';
-- How to authenticate at the sink, sealed.
ALTER TABLE subscription ADD COLUMN security TEXT;

-- The name of this log of changes, which bookmarks carry.
CREATE TABLE change_log (id TEXT NOT NULL);
INSERT INTO change_log (id) VALUES (lower(hex(randomblob(16))));

-- How many octets the log has grown by up to and including this record, so that its size can be limited.
ALTER TABLE change_record ADD COLUMN grown INTEGER NOT NULL DEFAULT 0;
CREATE INDEX change_record_grown ON change_record (grown);
