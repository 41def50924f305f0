//! Files that are there as a whole or not at all, whenever the power goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file; when this returns it is on disk, and what was there before is gone.
pub(super) fn write(path: &Path, octets: &[u8]) -> io::Result<()> {
    let unready = path.with_extension("new");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o640).open(&unready)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(&unready, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes durable what names a folder has.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
