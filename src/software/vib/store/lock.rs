//! One change of an image store at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};
use rustix::fs::{FlockOperation, flock};

use super::failure::cannot;
use super::plain_file;
use crate::software::holder;
use crate::software::vib::{ImageError, ImageErrorClass};

/// The longest text of the lock's file that is read, in octets.
const LONGEST: u64 = 32;

/// How often a lock that somebody holds is tried again.
const PACE: Duration = Duration::from_millis(20);

/// The lock of an image store; it is free again when this is dropped, or when the process ends in whatever way.
///
/// Both the file and the folder that it lies in are locked: the file can be removed while somebody holds it, and the next one
/// would lock another file of its name.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    folder: File,
}

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
        let parent = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let mut options = OpenOptions::new();
        let mut file =
            plain_file::open_with(file, options.read(true).write(true).create(true).truncate(false).mode(0o644))?;
        let folder = File::open(parent)?;
        if !is_taken(&file)? {
            return Ok(None);
        }
        if !is_taken(&folder)? {
            flock(&file, FlockOperation::Unlock)?;
            return Ok(None);
        }
        // For people and for whoever finds the lock held; a full disk is no reason against the lock.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Some(Self { file, folder }))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Also tells whoever watches the folder that the change has ended.
        let _ = self.file.rewind().and_then(|()| self.file.set_len(0));
        // Closing is not enough: a process that is being started shares the lock until its program is loaded.
        for locked in [&self.folder, &self.file] {
            let _ = flock(locked, FlockOperation::Unlock);
        }
    }
}

/// Locks something unless somebody else has it locked.
fn is_taken(file: &File) -> io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The failure that tells who holds the lock.
fn held(file: &Path) -> ImageError {
    let text = plain_file::read(file, LONGEST).unwrap_or_default();
    let holder = String::from_utf8_lossy(&text)
        .trim()
        .parse()
        .map_or("another process".to_owned(), |pid| holder::title(Some(pid)));
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

    #[test]
    fn a_lock_is_held_though_its_file_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("image.lock");
        let lock = Lock::take(&file, Duration::ZERO).unwrap();
        std::fs::remove_file(&file).unwrap();
        let error = Lock::take(&file, Duration::ZERO).unwrap_err();
        assert_eq!(error.class, ImageErrorClass::LockingError);
        drop(lock);
        Lock::take(&file, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_link_in_the_place_of_the_file_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (file, other) = (dir.path().join("image.lock"), dir.path().join("other"));
        std::fs::write(&other, "precious").unwrap();
        std::os::unix::fs::symlink(&other, &file).unwrap();
        let error = Lock::take(&file, Duration::ZERO).unwrap_err();
        assert!(error.text.starts_with("Cannot take the image's lock: [Errno 40] "), "{error}");
        assert_eq!(std::fs::read(&other).unwrap(), b"precious");
    }
}
