-- The jobs; body is a JSON text that the store does not read. A number is never given twice.
CREATE TABLE job (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    body           TEXT NOT NULL,
    dispatched     INTEGER NOT NULL DEFAULT 0, -- 1: a worker may have been asked to run it
    journal_offset INTEGER NOT NULL DEFAULT 0  -- how many octets of its journal are in body
) STRICT;
