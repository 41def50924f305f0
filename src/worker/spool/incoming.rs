//! A file that comes into the spool piece by piece.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::super::protocol::{Refusal, StagedId};
use super::{Spool, internal};
use crate::software::{ApplyError, CancelToken, leaves_reserve};

/// How much of a file is copied at once, in octets.
const PIECE: usize = 256 * 1024;

/// A file that grows. It is deleted when this is dropped, and no sweep takes it before.
#[derive(Debug)]
pub(in crate::worker) struct Incoming<'s> {
    spool: &'s Spool,
    id: StagedId,
    file: File,
    size: u64,
    limit: u64,
}

impl Spool {
    /// Makes an empty file that is to be filled, with so many octets at most; `None` is as many as a package file may have.
    pub(in crate::worker) fn receive(&self, limit: Option<u64>) -> Result<Incoming<'_>, Refusal> {
        let id = StagedId::new();
        let path = self.file(id);
        self.lock_incoming().push(id);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match made {
            Ok(file) => Ok(Incoming { spool: self, id, file, size: 0, limit: limit.unwrap_or(self.max_octets) }),
            Err(error) => {
                self.lock_incoming().retain(|&known| known != id);
                Err(internal(error))
            }
        }
    }
}

impl Spool {
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
        let mut source = self.open_readable(path).map_err(refused)?;
        let mut copy = self.receive(limit).map_err(refused)?;
        let mut piece = vec![0; PIECE];
        loop {
            if cancel.is_cancelled() {
                return Err(ApplyError::Cancelled);
            }
            match source.read(&mut piece) {
                Ok(0) => return Ok(copy),
                Ok(count) => copy.append(piece.get(..count).unwrap_or_default()).map_err(refused)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ApplyError::Unreachable(format!("it cannot be read: {}", error.kind()))),
            }
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

    /// Refuses a file that will be larger than is allowed, or than the disk bears.
    pub(in crate::worker) fn announce(&self, more: u64) -> Result<(), Refusal> {
        let limit = self.limit;
        if self.size.checked_add(more).is_none_or(|size| size > limit) {
            return Err(Refusal::TooLarge { limit });
        }
        let fits = leaves_reserve(&self.spool.folder, more).map_err(internal)?;
        if fits { Ok(()) } else { Err(Refusal::NoRoom) }
    }

    /// Adds octets at the end.
    pub(in crate::worker) fn append(&mut self, octets: &[u8]) -> Result<(), Refusal> {
        self.announce(octets.len() as u64)?;
        self.file.write_all(octets).map_err(internal)?;
        self.size += octets.len() as u64;
        Ok(())
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
        if let Err(error) = self.spool.discard(self.id) {
            tracing::warn!(%error, "a file of the spool cannot be deleted");
        }
        self.spool.lock_incoming().retain(|&id| id != self.id);
    }
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
