//! A job's journal: what the worker did, one JSON text a line, only ever appended to and on disk before it counts.
//!
//! The worker holds a lock on the file while it works, so whoever finds it unlocked and without an end knows that the
//! worker died. A line without its end was being written when that happened; readers leave it out.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::software::{ApplyError, Outcome, Phase};

/// How much of a journal is read at once; also the longest line, in octets.
const MAX_READ: u64 = 16 * 1024 * 1024;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub entry: Entry,
}

/// What the worker tells of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The worker took the job; from now on it is never run again.
    Accepted,
    /// A tool process was started.
    ToolStarted {
        /// Its process number.
        pid: u32,
        /// When it started, in clock ticks since the system did; tells it from a later process with this number.
        start_ticks: u64,
    },
    /// A phase was entered or went on.
    Phase {
        /// The phase.
        phase: Phase,
        /// How much of the whole job is done.
        percent: u8,
    },
    /// Something the operator should read.
    Note {
        /// The text.
        text: String,
    },
    /// It fails, and this was changed before it did; the end follows.
    Changed {
        /// What the package database says was changed.
        outcome: Outcome,
    },
    /// The end: it did what was asked.
    Finished {
        /// What the package database says was changed.
        outcome: Outcome,
    },
    /// The end: it did not.
    Failed {
        /// Why.
        error: ApplyError,
    },
}

impl Entry {
    /// Whether nothing comes after it.
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Finished { .. } | Self::Failed { .. })
    }
}

/// Where a job's journal lies.
pub fn path(worker_dir: &Path, job: u64) -> PathBuf {
    folder(worker_dir, job).join("journal")
}

/// The folder of all that is kept for one job.
pub fn folder(worker_dir: &Path, job: u64) -> PathBuf {
    worker_dir.join("jobs").join(job.to_string())
}

/// The numbers of all jobs of which anything is kept.
pub fn all(worker_dir: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(worker_dir.join("jobs")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut jobs = Vec::new();
    for entry in entries {
        jobs.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    Ok(jobs)
}

/// Deletes all that is kept for one job; it is no error if there is nothing.
pub fn remove(worker_dir: &Path, job: u64) -> io::Result<()> {
    match fs::remove_dir_all(folder(worker_dir, job)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Records read from a journal.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The whole lines after the offset that was asked for.
    pub records: Vec<Record>,
    /// The offset after the last of them.
    pub offset: u64,
}

impl Tail {
    /// Whether the last of the records is the end.
    pub fn has_end(&self) -> bool {
        self.records.last().is_some_and(|record| record.entry.is_end())
    }

    /// The last tool that was started: its process number, and when it started.
    pub fn last_tool(&self) -> Option<(u32, u64)> {
        self.records.iter().rev().find_map(|record| match record.entry {
            Entry::ToolStarted { pid, start_ticks } => Some((pid, start_ticks)),
            _ => None,
        })
    }
}

/// Reads the whole lines after `offset`. A journal that is not there has none.
pub fn read(path: &Path, offset: u64) -> io::Result<Tail> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Tail { records: Vec::new(), offset }),
        Err(error) => return Err(error),
    };
    file.seek(SeekFrom::Start(offset))?;
    let mut octets = Vec::new();
    file.take(MAX_READ).read_to_end(&mut octets)?;
    let mut tail = Tail { records: Vec::new(), offset };
    for line in octets.split_inclusive(|&octet| octet == b'\n').filter(|line| line.ends_with(b"\n")) {
        tail.offset += line.len() as u64;
        match serde_json::from_slice(line) {
            Ok(record) => tail.records.push(record),
            // A later version may write entries that this one does not know; the end is not among them.
            Err(error) => tracing::warn!(%error, "a journal line is not understood and left out"),
        }
    }
    Ok(tail)
}

/// Whether a worker holds the journal, that is, works on the job.
pub fn is_held(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// A journal that this process writes. Nobody else does until the value is dropped.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// The octets of the whole lines.
    length: u64,
}

impl Journal {
    /// Takes the journal of a job that was never accepted; `None` if it was, or if somebody holds it.
    pub(super) fn begin(worker_dir: &Path, job: u64) -> io::Result<Option<Self>> {
        let folder = folder(worker_dir, job);
        fs::DirBuilder::new().recursive(true).mode(0o750).create(&folder)?;
        let path = path(worker_dir, job);
        let file = OpenOptions::new().create(true).append(true).mode(0o640).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let journal = Self { file, length: 0 };
        if read(&path, 0)?.offset > 0 {
            return Ok(None);
        }
        // What is there is the torn first line of a worker that died before it accepted.
        journal.file.set_len(0)?;
        for made in [folder.as_path(), &worker_dir.join("jobs"), worker_dir] {
            File::open(made)?.sync_all()?;
        }
        Ok(Some(journal))
    }

    /// Appends the pending records; they are on disk when it returns. After an error those that are not whole in the
    /// journal are still pending: call it again.
    pub(super) fn append(&mut self, pending: &mut VecDeque<Record>) -> io::Result<()> {
        while let Some(record) = pending.front() {
            let mut line = serde_json::to_vec(record)?;
            line.push(b'\n');
            if let Err(error) = self.file.write_all(&line) {
                // A half-written line must not stay: the next one would be glued to it.
                self.file.set_len(self.length)?;
                return Err(error);
            }
            self.length += line.len() as u64;
            pending.pop_front();
        }
        self.file.sync_data()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started shares the lock until its program is loaded.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "a journal cannot be unlocked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(text: &str) -> Record {
        Record { at: DateTime::UNIX_EPOCH, entry: Entry::Note { text: text.to_owned() } }
    }

    #[test]
    fn records_are_read_from_any_offset_and_a_torn_line_is_left_out() {
        let state = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(state.path(), 7).unwrap().unwrap();
        let file = path(state.path(), 7);
        journal.append(&mut VecDeque::from([note("a")])).unwrap();
        let first = read(&file, 0).unwrap();
        assert_eq!(first.records, [note("a")]);
        journal.append(&mut VecDeque::from([note("b"), note("c")])).unwrap();
        assert_eq!(read(&file, first.offset).unwrap().records, [note("b"), note("c")]);
        let end = read(&file, 0).unwrap().offset;
        drop(journal);
        OpenOptions::new().append(true).open(&file).unwrap().write_all(b"{\"at\":").unwrap();
        assert_eq!(read(&file, end).unwrap(), Tail { records: vec![], offset: end });
    }

    #[test]
    fn a_journal_is_begun_once() {
        let state = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(state.path(), 7).unwrap().unwrap();
        assert!(is_held(&path(state.path(), 7)).unwrap());
        assert!(Journal::begin(state.path(), 7).unwrap().is_none(), "held by the first");
        journal.append(&mut VecDeque::from([note("a")])).unwrap();
        drop(journal);
        assert!(!is_held(&path(state.path(), 7)).unwrap());
        assert!(Journal::begin(state.path(), 7).unwrap().is_none(), "accepted before");
    }

    #[test]
    fn a_torn_first_line_is_no_beginning() {
        let state = tempfile::tempdir().unwrap();
        drop(Journal::begin(state.path(), 7).unwrap());
        fs::write(path(state.path(), 7), b"{\"at\"").unwrap();
        let mut journal = Journal::begin(state.path(), 7).unwrap().unwrap();
        journal.append(&mut VecDeque::from([note("a")])).unwrap();
        assert_eq!(read(&path(state.path(), 7), 0).unwrap().records, [note("a")]);
    }

    #[test]
    fn a_line_of_a_later_version_is_passed_over() {
        let state = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(state.path(), 7).unwrap().unwrap();
        journal.file.write_all(b"{\"at\":\"2026-01-01T00:00:00Z\",\"entry\":{\"paused\":{}}}\n").unwrap();
        journal.append(&mut VecDeque::from([note("a")])).unwrap();
        assert_eq!(read(&path(state.path(), 7), 0).unwrap().records, [note("a")]);
    }

    #[test]
    fn what_is_not_there_is_empty_and_nobodys() {
        let state = tempfile::tempdir().unwrap();
        let nowhere = path(state.path(), 9);
        assert_eq!(read(&nowhere, 12).unwrap(), Tail { records: vec![], offset: 12 });
        assert!(!is_held(&nowhere).unwrap());
        remove(state.path(), 9).unwrap();
    }
}
