//! Who holds rpm's or dnf's lock.

use std::fs;
use std::path::Path;

use crate::software::holder;

pub(super) use crate::software::holder::title as describe;

/// dnf 4's locks, below the root: each holds the number of its process.
const DNF_LOCKS: [&str; 3] =
    ["var/lib/dnf/rpmdb_lock.pid", "var/cache/dnf/metadata_lock.pid", "var/cache/dnf/download_lock.pid"];

/// rpm's lock, in the folder of its database: locked as a file, for as long as a transaction lasts.
const RPM_LOCK: &str = ".rpm.lock";

/// A process's number is no longer.
const LONGEST_NUMBER: usize = 20;

/// The process that holds rpm's lock on the database in `folder`. `None` also where it cannot be told, such as in
/// another container.
pub(super) fn of_rpm(folder: &Path) -> Option<u32> {
    holder::of_files([folder.join(RPM_LOCK)])?
}

/// A process that is alive and holds one of dnf's locks below `root`.
pub(super) fn of_dnf(root: &Path) -> Option<u32> {
    DNF_LOCKS.iter().find_map(|lock| {
        let text = fs::read_to_string(root.join(lock)).ok().filter(|text| text.len() <= LONGEST_NUMBER)?;
        text.trim().parse().ok().filter(|pid| is_alive(*pid))
    })
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/stat")).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_of_a_dead_process_is_none() {
        let root = tempfile::tempdir().unwrap();
        let lock = root.path().join(DNF_LOCKS[0]);
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        for (text, holder) in [
            (std::process::id().to_string(), Some(std::process::id())),
            (u32::MAX.to_string(), None),
            ("no number".to_owned(), None),
            ("1".repeat(5000), None),
        ] {
            fs::write(&lock, text).unwrap();
            assert_eq!(of_dnf(root.path()), holder);
        }
    }
}
