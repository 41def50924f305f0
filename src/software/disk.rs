//! How much of the disk may be filled.

use std::io;
use std::path::Path;

/// What must stay free of the disk, in octets: the store and the journals lie on it too.
const RESERVE: u64 = 64 * 1024 * 1024;
/// How many files there must be room for besides, where the file system counts them.
const RESERVED_FILES: u64 = 1024;

/// Whether a file of so many octets can be written below the folder.
pub fn leaves_reserve(folder: &Path, octets: u64) -> io::Result<bool> {
    let disk = rustix::fs::statvfs(folder)?;
    // Some file systems make room for files as they come, and say that they have none at all.
    let has_names = disk.f_files == 0 || disk.f_favail >= RESERVED_FILES;
    Ok(has_names && fits(free_octets(folder)?, octets))
}

/// How many octets can still be written below the folder.
pub(super) fn free_octets(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether the reserve stays free when so many octets of those that are free are written.
pub(super) fn fits(free: u64, octets: u64) -> bool {
    free.checked_sub(octets).is_some_and(|left| left >= RESERVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_leaves_the_reserve_free() {
        assert!(fits(RESERVE + 10, 10));
        assert!(!fits(RESERVE + 9, 10));
        assert!(!fits(9, 10), "a file larger than the disk");
        assert!(!leaves_reserve(Path::new("/proc"), 1).unwrap(), "nothing can be written there");
    }
}
