//! Who holds a lock, as the kernel tells and for a person.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Who keeps others from writing one of these files; `Some(None)` if it is somebody who cannot be told. `None` also where
/// the kernel does not tell: of locks in other containers.
pub(super) fn of_files(files: impl IntoIterator<Item = impl AsRef<Path>>) -> Option<Option<u32>> {
    let files: Vec<(u64, u64)> =
        files.into_iter().filter_map(|file| fs::metadata(file).ok()).map(|m| (m.dev(), m.ino())).collect();
    if files.is_empty() {
        return None;
    }
    let list = fs::read_to_string("/proc/locks").ok()?;
    let mut held = list.lines().filter_map(Held::parse);
    held.find(|held| files.iter().any(|&(device, inode)| held.is_of(device, inode))).map(|held| held.pid)
}

/// A holder as a person reads it: `apt-get (process 4711)`.
pub(super) fn title(pid: Option<u32>) -> String {
    let Some(pid) = pid else { return "another package tool".to_owned() };
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    match name.trim() {
        "" => format!("process {pid}"),
        name => format!("{name} (process {pid})"),
    }
}

/// A line of `/proc/locks` (`proc(5)`) that keeps others from writing:
///
/// ```text
/// 1: POSIX  ADVISORY  WRITE 30537 fd:01:131074 0 EOF
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    /// `None` for locks that belong to an open file and not to a process.
    pid: Option<u32>,
    device: (u32, u32),
    inode: u64,
}

impl Held {
    /// Reads a line; `None` for kinds of locks that do not concern those of package tools, for locks that let others read
    /// only, and for processes that only wait for a lock.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace().skip(1);
        if !matches!(words.next()?, "POSIX" | "OFDLCK") {
            return None;
        }
        let (_mode, access, pid) = (words.next()?, words.next()?, words.next()?);
        let mut file = words.next()?.split(':');
        let mut device = || u32::from_str_radix(file.next()?, 16).ok();
        let device = (device()?, device()?);
        let held = Self { pid: pid.parse().ok(), device, inode: file.next()?.parse().ok()? };
        (access == "WRITE").then_some(held)
    }

    /// Whether the lock is on this file. Some file systems show another device here than in a file's metadata; there it is
    /// this file if the holder has it open.
    fn is_of(&self, device: u64, inode: u64) -> bool {
        if self.inode != inode {
            return false;
        }
        let is_open = |pid: u32| {
            let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            files.filter_map(|file| fs::metadata(file.path()).ok()).any(|m| (m.dev(), m.ino()) == (device, inode))
        };
        (rustix::fs::major(device), rustix::fs::minor(device)) == self.device || self.pid.is_some_and(is_open)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_kernels_list() {
        assert_eq!(
            Held::parse("1: POSIX  ADVISORY  WRITE 30537 fd:01:131074 0 EOF"),
            Some(Held { pid: Some(30537), device: (0xfd, 1), inode: 131_074 })
        );
        assert_eq!(
            Held::parse("12: OFDLCK ADVISORY  WRITE -1 00:1f:9 0 EOF"),
            Some(Held { pid: None, device: (0, 0x1f), inode: 9 })
        );
        for other in [
            "",
            "1: FLOCK  ADVISORY  WRITE 5 fd:01:7 0 EOF",
            "1: POSIX  ADVISORY  READ 5 fd:01:7 0 EOF",
            "1: -> POSIX  ADVISORY  WRITE 5 fd:01:7 0 EOF",
            "1: POSIX  ADVISORY  WRITE 5 <none>:7",
            "1: POSIX ADVISORY WRITE 5 zz:01:7",
        ] {
            assert_eq!(Held::parse(other), None, "{other}");
        }
    }

    #[test]
    fn holders_are_told_by_name() {
        let name = fs::read_to_string("/proc/self/comm").unwrap();
        let pid = std::process::id();
        assert_eq!(title(Some(pid)), format!("{} (process {pid})", name.trim_end()));
        assert_eq!(title(Some(u32::MAX)), format!("process {}", u32::MAX));
        assert_eq!(title(None), "another package tool");
        assert_eq!(of_files(["/nonexistent"]), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "[0-9]{0,2}: (POSIX|OFDLCK)? ?.{0,30}") {
            let _ = Held::parse(&line);
        }
    }
}
