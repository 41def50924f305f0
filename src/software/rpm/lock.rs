//! Who holds rpm's or dnf's lock.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{major, minor};

/// dnf 4's locks, below the root: each holds the number of its process.
const DNF_LOCKS: [&str; 3] =
    ["var/lib/dnf/rpmdb_lock.pid", "var/cache/dnf/metadata_lock.pid", "var/cache/dnf/download_lock.pid"];

/// rpm's lock, in the folder of its database: locked as a file, for as long as a transaction lasts.
const RPM_LOCK: &str = ".rpm.lock";

/// A process's number is no longer.
const LONGEST_NUMBER: usize = 20;

/// The process that holds rpm's lock on the database in `folder`. `None` also where it cannot be told: in another
/// container, and on file systems that tell a file's device in two ways.
pub(super) fn of_rpm(folder: &Path) -> Option<u32> {
    let file = fs::metadata(folder.join(RPM_LOCK)).ok()?;
    let place = format!("{:02x}:{:02x}:{}", major(file.dev()), minor(file.dev()), file.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| writer(line, &place))
}

/// A process that is alive and holds one of dnf's locks below `root`.
pub(super) fn of_dnf(root: &Path) -> Option<u32> {
    DNF_LOCKS.iter().find_map(|lock| {
        let text = fs::read_to_string(root.join(lock)).ok().filter(|text| text.len() <= LONGEST_NUMBER)?;
        text.trim().parse().ok().filter(|pid| is_alive(*pid))
    })
}

/// The process for a person: `dnf (process 4711)`.
pub(super) fn describe(pid: Option<u32>) -> String {
    let Some(pid) = pid else { return "another package tool".to_owned() };
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    match name.trim() {
        "" => format!("process {pid}"),
        name => format!("{name} (process {pid})"),
    }
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/stat")).exists()
}

/// The process of a line of `/proc/locks` that has written to this place, and does not merely wait to:
/// `1: POSIX  ADVISORY  WRITE 4711 fe:00:10019080 0 EOF`.
fn writer(line: &str, place: &str) -> Option<u32> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, _, _, "WRITE", pid, at, ..] = *words else { return None };
    (at == place).then(|| pid.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_lock_is_held_and_not_waited_for() {
        let held = "1: POSIX  ADVISORY  WRITE 4711 fe:00:10019080 0 EOF";
        assert_eq!(writer(held, "fe:00:10019080"), Some(4711));
        assert_eq!(writer(held, "fe:00:1"), None);
        assert_eq!(writer("1: -> POSIX  ADVISORY  WRITE 4712 fe:00:10019080 0 EOF", "fe:00:10019080"), None);
        assert_eq!(writer("2: POSIX  ADVISORY  READ 4711 fe:00:10019080 0 EOF", "fe:00:10019080"), None);
    }

    #[test]
    fn holders_are_told_by_name() {
        let me = std::process::id();
        assert!(describe(Some(me)).ends_with(&format!(" (process {me})")));
        assert_eq!(describe(Some(u32::MAX)), format!("process {}", u32::MAX));
        assert_eq!(describe(None), "another package tool");
    }

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

    proptest! {
        #[test]
        fn any_line_is_read(line in "[0-9a-z:> -]{0,60}|([0-9]: |POSIX |WRITE |[0-9]{1,12} |a:b:1 ){0,8}") {
            writer(&line, "a:b:1");
        }
    }
}
