//! A file that comes into the spool piece by piece.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};

use super::super::durable::sync_folder;
use super::super::protocol::{Refusal, StagedId};
use super::{Spool, internal, no_room, read_through};
use crate::software::{ApplyError, CancelToken, leaves_reserve};

/// A file that grows. It is deleted when this is dropped, and no sweep takes it before.
#[derive(Debug)]
pub(in crate::worker) struct Incoming<'s> {
    spool: &'s Spool,
    id: StagedId,
    file: File,
    size: u64,
    limit: u64,
    /// How many octets more there is room for that nobody else gets.
    promised: u64,
    /// Whether it is deleted.
    goes: bool,
}

impl Spool {
    /// Makes an empty file that is to be filled, with so many octets at most; `None` is as many as a package file may have.
    pub(in crate::worker) fn receive(&self, limit: Option<u64>) -> Result<Incoming<'_>, Refusal> {
        self.begin(limit, usize::MAX)
    }

    /// The same, unless there are so many files.
    pub(super) fn begin(&self, limit: Option<u64>, most: usize) -> Result<Incoming<'_>, Refusal> {
        let mut incoming = self.lock_incoming();
        if fs::read_dir(&self.folder).map_err(internal)?.count() >= most {
            return Err(Refusal::SpoolFull);
        }
        if !leaves_reserve(&self.folder, 0).map_err(internal)? {
            return Err(Refusal::NoRoom);
        }
        let id = StagedId::new();
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.file(id));
        let file = made.map_err(no_room)?;
        incoming.push(id);
        Ok(Incoming {
            spool: self,
            id,
            file,
            size: 0,
            limit: limit.unwrap_or(self.max_octets),
            promised: 0,
            goes: true,
        })
    }

    fn lock_promised(&self) -> MutexGuard<'_, u64> {
        self.promised.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies a file of this host that the settings allow to be read.
    pub(in crate::worker) fn take_in(
        &self,
        path: &Path,
        limit: Option<u64>,
        cancel: &CancelToken,
    ) -> Result<Incoming<'_>, ApplyError> {
        let refused = |refusal: Refusal| match refusal {
            Refusal::NoRoom => ApplyError::NoSpace(refusal.to_string()),
            refusal => ApplyError::Unreachable(refusal.to_string()),
        };
        let source = self.open_readable(path).map_err(refused)?;
        let mut copy = self.receive(limit).map_err(refused)?;
        match copy.fill(source, cancel).map_err(refused)? {
            Some(_) => Ok(copy),
            None => Err(ApplyError::Cancelled),
        }
    }
}

impl Incoming<'_> {
    /// Where it is. The tools get this path.
    pub(in crate::worker) fn path(&self) -> PathBuf {
        self.spool.file(self.id)
    }

    /// How many octets it has.
    pub(in crate::worker) fn size(&self) -> u64 {
        self.size
    }

    /// Refuses a file that will be larger than is allowed, or than the disk bears beside the others that are coming. Else the room
    /// for so many octets more is kept for it.
    pub(in crate::worker) fn announce(&mut self, more: u64) -> Result<(), Refusal> {
        self.check_size(more)?;
        let mut promised = self.spool.lock_promised();
        let to_others = promised.saturating_sub(self.promised);
        check_room(&self.spool.folder, to_others.saturating_add(more))?;
        *promised = to_others + more;
        self.promised = more;
        Ok(())
    }

    fn check_size(&self, more: u64) -> Result<(), Refusal> {
        let limit = self.limit;
        let is_within = self.size.checked_add(more).is_some_and(|size| size <= limit);
        if is_within { Ok(()) } else { Err(Refusal::TooLarge { limit }) }
    }

    /// Adds octets at the end.
    pub(in crate::worker) fn append(&mut self, octets: &[u8]) -> Result<(), Refusal> {
        let length = octets.len() as u64;
        self.check_size(length)?;
        // Until it is written: what one has seen free, another must not fill.
        let mut promised = self.spool.lock_promised();
        let kept = self.promised.min(length);
        check_room(&self.spool.folder, promised.saturating_add(length - kept))?;
        self.file.write_all(octets).map_err(no_room)?;
        *promised -= kept;
        self.promised -= kept;
        self.size += length;
        Ok(())
    }

    /// Adds what is left of an open file and tells the SHA-256 of that, or nothing if it was cancelled before.
    pub(super) fn fill(&mut self, source: File, cancel: &CancelToken) -> Result<Option<String>, Refusal> {
        let sha256 = read_through(source, |octets| {
            self.append(octets)?;
            Ok(!cancel.is_cancelled())
        })?;
        Ok(sha256)
    }

    /// Makes what is there durable and leaves it in the spool.
    pub(super) fn stay(mut self) -> io::Result<StagedId> {
        self.file.sync_all()?;
        sync_folder(&self.spool.folder)?;
        self.goes = false;
        Ok(self.id)
    }

    /// Makes what is there durable and gives it another name; from then on it is no file of the spool.
    pub(in crate::worker) fn keep_as(self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(self.path(), path)
    }

    /// Takes everything away again.
    pub(in crate::worker) fn restart(&mut self) -> Result<(), Refusal> {
        self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0))).map_err(internal)?;
        self.size = 0;
        Ok(())
    }
}

impl Drop for Incoming<'_> {
    fn drop(&mut self) {
        *self.spool.lock_promised() -= self.promised;
        if self.goes
            && let Err(error) = self.spool.discard(self.id)
        {
            tracing::warn!(%error, "a file of the spool cannot be deleted");
        }
        self.spool.lock_incoming().retain(|&id| id != self.id);
    }
}

fn check_room(folder: &Path, octets: u64) -> Result<(), Refusal> {
    if leaves_reserve(folder, octets).map_err(internal)? { Ok(()) } else { Err(Refusal::NoRoom) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use chrono::TimeDelta;

    use super::super::super::Settings;
    use super::*;
    use crate::clock::{Clock, SystemClock};
    use crate::software::Family;

    fn spool(state: &tempfile::TempDir, max_package_octets: u64) -> Spool {
        let settings = Settings { max_package_octets, ..Settings::new(state.path().to_owned()) };
        Spool::open(&settings, Family::Deb).unwrap()
    }

    #[test]
    fn a_file_grows_within_its_limit_and_goes_when_nobody_holds_it() {
        let state = tempfile::tempdir().unwrap();
        let spool = spool(&state, 8);
        let mut file = spool.receive(None).unwrap();
        assert_eq!(file.announce(9), Err(Refusal::TooLarge { limit: 8 }));
        assert_eq!(file.announce(u64::MAX), Err(Refusal::TooLarge { limit: 8 }));
        file.append(b"12345").unwrap();
        file.restart().unwrap();
        file.append(b"abcdefgh").unwrap();
        assert_eq!(file.append(b"i"), Err(Refusal::TooLarge { limit: 8 }));
        let path = file.path();
        assert_eq!((file.size(), fs::read(&path).unwrap().as_slice()), (8, &b"abcdefgh"[..]));
        assert_eq!(path.extension().unwrap(), "deb");
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn no_sweep_takes_a_file_that_is_coming() {
        let state = tempfile::tempdir().unwrap();
        let spool = spool(&state, 8);
        let file = spool.receive(None).unwrap();
        let left = spool.file(StagedId::new());
        fs::write(&left, "left").unwrap();
        let later = SystemClock.now() + TimeDelta::hours(1);
        spool.sweep(&[], Duration::from_secs(60), later).unwrap();
        assert!(file.path().exists() && !left.exists());
    }
}
