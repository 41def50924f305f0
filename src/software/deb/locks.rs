//! Waits until nobody else holds the locks of dpkg and apt.
//!
//! The kernel's list of locks is only looked at: taking a lock to find out whether it is free would be in the way of others.
//! It does not know everything (locks of other containers, file systems that number their files otherwise), so the tools'
//! own word on a lock counts too, and is waited on in the same way.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::work::Work;
use crate::software::change::{check_cancelled, unusable};
use crate::software::tool::wait;
use crate::software::{ApplyError, CancelToken};

/// How often the locks are looked at.
const PACE: Duration = Duration::from_millis(200);

/// How long to wait before a tool that found a lock is run again.
const RETRY: Duration = Duration::from_millis(500);

/// A holder that cannot be told.
const SOMEBODY: &str = "another package tool";

/// Waits for locks, up to a deadline that all waits of an operation share.
#[derive(Debug)]
pub(super) struct Patience<'a> {
    locks: Vec<PathBuf>,
    deadline: Instant,
    cancel: &'a CancelToken,
}

impl<'a> Patience<'a> {
    /// Patience for these files, from now on.
    pub(super) fn new(locks: Vec<PathBuf>, limit: Duration, cancel: &'a CancelToken) -> Self {
        Self { locks, deadline: Instant::now() + limit, cancel }
    }

    /// Does what needs the locks, and does it again if it is busy, which it may be only while it has changed nothing.
    /// `not_done` begins the answer when patience ends.
    pub(super) fn when_free<T>(
        &self,
        work: &mut Work<'_>,
        not_done: &str,
        mut attempt: impl FnMut(&mut Work<'_>) -> Result<T, ApplyError>,
    ) -> Result<T, ApplyError> {
        loop {
            self.wait_for_locks(work, not_done)?;
            match attempt(work) {
                Err(ApplyError::Busy(_)) => {
                    let holder = work.take_holder().unwrap_or_else(|| SOMEBODY.to_owned());
                    self.wait_on(&holder, work, not_done, RETRY)?;
                }
                done => return done,
            }
        }
    }

    fn wait_for_locks(&self, work: &mut Work<'_>, not_done: &str) -> Result<(), ApplyError> {
        check_cancelled(self.cancel)?;
        let mut has_waited = false;
        while let Some(holder) = self.holder() {
            self.wait_on(&holder, work, not_done, PACE)?;
            has_waited = true;
        }
        if has_waited {
            work.resume();
        }
        Ok(())
    }

    fn wait_on(&self, holder: &str, work: &mut Work<'_>, not_done: &str, pace: Duration) -> Result<(), ApplyError> {
        if Instant::now() >= self.deadline {
            return Err(ApplyError::Busy(format!(
                "{not_done}: {holder} is at work on this host's packages; try again when it has finished"
            )));
        }
        work.wait_on(holder);
        check_cancelled(self.cancel)?;
        wait(&mut [], pace).map_err(|e| unusable("apt-get", &e))?;
        check_cancelled(self.cancel)
    }

    /// Who holds one of the locks.
    fn holder(&self) -> Option<String> {
        let files: Vec<(u64, u64)> =
            self.locks.iter().filter_map(|file| fs::metadata(file).ok()).map(|m| (m.dev(), m.ino())).collect();
        if files.is_empty() {
            return None;
        }
        let list = fs::read_to_string("/proc/locks").ok()?;
        let held =
            list.lines().filter_map(Held::parse).find(|held| files.iter().any(|&(dev, ino)| held.is_of(dev, ino)))?;
        Some(held.pid.map_or_else(|| SOMEBODY.to_owned(), title))
    }
}

/// A process as a person reads it: `apt-get (process 4711)`.
fn title(pid: u32) -> String {
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("{} (process {pid})", name.trim_end()),
        Err(_) => format!("process {pid}"),
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
    /// Reads a line; `None` for kinds of locks that do not concern those of package tools, and for processes that only
    /// wait for a lock.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace().skip(1);
        if !matches!(words.next()?, "POSIX" | "OFDLCK") {
            return None;
        }
        let (_mode, _access, pid) = (words.next()?, words.next()?, words.next()?);
        let mut file = words.next()?.split(':');
        let mut device = || u32::from_str_radix(file.next()?, 16).ok();
        let device = (device()?, device()?);
        Some(Self { pid: pid.parse().ok(), device, inode: file.next()?.parse().ok()? })
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
            "1: -> POSIX  ADVISORY  WRITE 5 fd:01:7 0 EOF",
            "1: POSIX  ADVISORY  WRITE 5 <none>:7",
            "1: POSIX ADVISORY WRITE 5 zz:01:7",
        ] {
            assert_eq!(Held::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_process_is_named() {
        let name = fs::read_to_string("/proc/self/comm").unwrap();
        let pid = std::process::id();
        assert_eq!(title(pid), format!("{} (process {pid})", name.trim_end()));
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "[0-9]{0,2}: (POSIX|OFDLCK)? ?.{0,30}") {
            let _ = Held::parse(&line);
        }
    }
}
