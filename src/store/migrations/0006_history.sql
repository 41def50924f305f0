-- What jobs did, kept longer than the jobs; body is a JSON text that the store does not read.
CREATE TABLE history (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    body   TEXT NOT NULL
) STRICT;

-- The packages that were installed when the package database was last looked at.
CREATE TABLE installed_package (
    root TEXT NOT NULL, -- the managed root
    name TEXT NOT NULL, -- name-epoch:version-release.arch
    PRIMARY KEY (root, name)
) STRICT, WITHOUT ROWID;
