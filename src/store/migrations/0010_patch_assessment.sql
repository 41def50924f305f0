-- The last patch assessment of each managed system: in short, and whole (compressed).
CREATE TABLE patch_assessment (
    system TEXT PRIMARY KEY,
    summary TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
