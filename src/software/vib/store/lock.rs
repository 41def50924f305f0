//! One change of an image store at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};
use rustix::fs::{FlockOperation, flock};

use super::failure::cannot;
use crate::software::holder;
use crate::software::vib::{ImageError, ImageErrorClass};

/// How often a lock that somebody holds is tried again.
const PACE: Duration = Duration::from_millis(20);

/// The lock of an image store; it is free again when this is dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Takes the lock, waiting for it at most `limit`.
    pub(super) fn take(file: &Path, limit: Duration) -> Result<Self, ImageError> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(lock) = Self::try_take(file).map_err(|error| cannot("take the image's lock", &error))? {
                return Ok(lock);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(held(file));
            }
            pause(left.min(PACE)).map_err(|error| cannot("wait for the image's lock", &error))?;
        }
    }

    /// Takes the lock if nobody holds it.
    pub(super) fn try_take(file: &Path) -> io::Result<Option<Self>> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o644).open(file)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // For people and for whoever finds the lock held; a full disk is no reason against the lock.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Some(Self(file)))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Also tells whoever watches the folder that the change has ended.
        let _ = self.0.rewind().and_then(|()| self.0.set_len(0));
        // Closing is not enough: a process that is being started shares the lock until its program is loaded.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

/// The failure that tells who holds the lock.
fn held(file: &Path) -> ImageError {
    let mut text = String::new();
    let _ = File::open(file).and_then(|file| file.take(32).read_to_string(&mut text));
    let holder = text.trim().parse().map_or("another process".to_owned(), |pid| holder::title(Some(pid)));
    let class = ImageErrorClass::LockingError;
    ImageError::new(class, format!("The image is being changed by {holder}. {}", class.advice()))
}

fn pause(limit: Duration) -> io::Result<()> {
    let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
    match poll(&mut [], Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_names_its_holder() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("image.lock");
        let lock = Lock::take(&file, Duration::ZERO).unwrap();
        let error = Lock::take(&file, Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.class, ImageErrorClass::LockingError);
        assert!(error.text.contains(&format!("(process {})", std::process::id())), "{error}");
        assert!(error.text.ends_with(ImageErrorClass::LockingError.advice()));
        drop(lock);
        assert_eq!(std::fs::read(&file).unwrap(), b"");
        Lock::take(&file, Duration::ZERO).unwrap();
    }
}
