-- Which managed system a job belongs to: 'host' is the packages of the host, 'image' the image beside it.
ALTER TABLE job ADD COLUMN system TEXT NOT NULL DEFAULT 'host';
ALTER TABLE history ADD COLUMN system TEXT NOT NULL DEFAULT 'host';
CREATE INDEX history_system ON history (system, number);
