//! The spool: copies of package files. What is checked and installed is the copy, which nobody but the worker changes.

mod incoming;

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use openssl::sha::Sha256;

use super::Settings;
use super::protocol::{Refusal, Staged, StagedId};
use super::readable::{Readable, open, why};
use crate::hexadecimal;
use crate::software::{CancelToken, Family, InspectError, Manager, Nevra};

pub(super) use incoming::Incoming;

/// How much of a file is read at once, in octets.
const PIECE: usize = 256 * 1024;
/// How many staged files there may be at one time.
const MAX_STAGED: usize = 1024;
/// What is younger is not swept: the job that needs it may be on its way.
const YOUNG: Duration = Duration::from_secs(60);

/// The spool of one folder.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    /// The ending of file names without which the engine's tools do not take a file for a package.
    ending: &'static str,
    readable: Readable,
    max_octets: u64,
    /// The files that are still coming or in use and that no job names. Whoever holds it may count files and make one.
    incoming: Mutex<Vec<StagedId>>,
    /// How many octets are promised to files that are coming. Held by whoever looks how much room there is and takes some of it.
    promised: Mutex<u64>,
}

impl Spool {
    /// Opens the spool, which is made if it is not there.
    pub(super) fn open(settings: &Settings, family: Family) -> io::Result<Self> {
        Self::with_ending(
            settings,
            match family {
                Family::Deb => "deb",
                Family::Rpm => "rpm",
            },
        )
    }

    /// The spool of a worker that knows files by what is in them.
    pub(super) fn with_ending(settings: &Settings, ending: &'static str) -> io::Result<Self> {
        let folder = settings.worker_dir.join("spool");
        DirBuilder::new().recursive(true).mode(0o750).create(&folder)?;
        let readable = Readable::new(settings.readable_folders.as_deref());
        let max_octets = settings.max_package_octets;
        Ok(Self { folder, ending, readable, max_octets, incoming: Mutex::default(), promised: Mutex::default() })
    }

    /// How many octets a file may have.
    pub(super) fn max_octets(&self) -> u64 {
        self.max_octets
    }

    /// Copies the file to the spool and asks the engine what it is, unless somebody gives it up.
    pub(super) fn stage(&self, path: &Path, manager: &dyn Manager, given_up: &CancelToken) -> Result<Staged, Refusal> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.take_over(self.open_readable(path)?, name, manager, given_up)
    }

    /// Opens a file that the settings allow to be read.
    pub(super) fn open_readable(&self, path: &Path) -> Result<File, Refusal> {
        let source = self.open_source(path)?;
        if self.readable.allows(&source).map_err(internal)? { Ok(source) } else { Err(Refusal::NotAllowed) }
    }

    /// The same with a file that the server opened, which came in a request and is in no folder that the settings are about.
    pub(super) fn stage_upload(
        &self,
        mut file: File,
        manager: &dyn Manager,
        given_up: &CancelToken,
    ) -> Result<Staged, Refusal> {
        self.check_source(&file)?;
        file.rewind().map_err(|error| Refusal::NotReadable { message: why(&error).to_owned() })?;
        self.take_over(file, String::new(), manager, given_up)
    }

    fn take_over(
        &self,
        source: File,
        file_name: String,
        manager: &dyn Manager,
        given_up: &CancelToken,
    ) -> Result<Staged, Refusal> {
        let mut copy = self.begin(None, MAX_STAGED)?;
        copy.announce(source.metadata().map_err(internal)?.len())?;
        let nobody = || Refusal::Internal { message: "nobody waits for the copy any more".to_owned() };
        let sha256 = copy.fill(source, given_up)?.ok_or_else(nobody)?;
        let nevra = inspect(manager, &copy.path()).map_err(not_a_package)?;
        let size = copy.size();
        Ok(Staged { id: copy.stay().map_err(no_room)?, file_name, nevra, size, sha256 })
    }

    /// The staged file, if it is still what it was when it was staged.
    pub(super) fn check(&self, staged: &Staged) -> Result<PathBuf, Refusal> {
        let path = self.file(staged.id);
        let file = open(&path).map_err(|_| Refusal::StagedChanged)?;
        let (size, sha256) = digest(file, self.max_octets).map_err(|refusal| match refusal {
            Refusal::NotReadable { .. } => Refusal::StagedChanged,
            other => other,
        })?;
        if size == staged.size && sha256 == staged.sha256 { Ok(path) } else { Err(Refusal::StagedChanged) }
    }

    /// Deletes a staged file; it is no error if it is not there.
    pub(super) fn discard(&self, id: StagedId) -> io::Result<()> {
        remove(&self.file(id))
    }

    /// Deletes what is not to keep and older than a server says, and not young.
    pub(super) fn sweep_for_server(&self, keep: &[StagedId], seconds: u64, now: DateTime<Utc>) -> Result<(), Refusal> {
        self.sweep(keep, Duration::from_secs(seconds).max(YOUNG), now).map_err(internal)
    }

    /// Deletes all files that are older than `age` and not to keep.
    pub(super) fn sweep(&self, keep: &[StagedId], age: Duration, now: DateTime<Utc>) -> io::Result<()> {
        let incoming = self.lock_incoming();
        let keep: Vec<PathBuf> = keep.iter().chain(incoming.iter()).map(|&id| self.file(id)).collect();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if !keep.contains(&path) && is_old(&path, age, now)? {
                remove(&path)?;
            }
        }
        Ok(())
    }

    fn lock_incoming(&self) -> MutexGuard<'_, Vec<StagedId>> {
        self.incoming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, id: StagedId) -> PathBuf {
        self.folder.join(format!("{id}.{}", self.ending))
    }

    fn open_source(&self, path: &Path) -> Result<File, Refusal> {
        let file = open(path).map_err(|error| Refusal::NotReadable { message: why(&error).to_owned() })?;
        self.check_source(&file)?;
        Ok(file)
    }

    fn check_source(&self, file: &File) -> Result<(), Refusal> {
        let metadata = file.metadata().map_err(internal)?;
        if !metadata.is_file() {
            return Err(Refusal::NotReadable { message: "it is no plain file".to_owned() });
        }
        if metadata.len() > self.max_octets {
            return Err(Refusal::TooLarge { limit: self.max_octets });
        }
        Ok(())
    }
}

/// Whether the file was written this long ago; one that was deleted meanwhile was not.
fn is_old(path: &Path, age: Duration, now: DateTime<Utc>) -> io::Result<bool> {
    let written = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        metadata => DateTime::<Utc>::from(metadata?.modified()?),
    };
    Ok((now - written).to_std().is_ok_and(|passed| passed >= age))
}

/// Deletes a file, unless somebody else just did.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// How many octets a file has, at most `limit`, and their SHA-256.
pub(super) fn digest(source: File, limit: u64) -> Result<(u64, String), Refusal> {
    let mut size = 0_u64;
    let sha256 = read_through(source, |octets| {
        size += octets.len() as u64;
        if size > limit { Err(Refusal::TooLarge { limit }) } else { Ok(true) }
    });
    Ok((size, sha256?.unwrap_or_default()))
}

/// Reads a file piece by piece, as long as whoever gets them wants more, and tells the SHA-256 of the whole.
fn read_through(
    mut source: File,
    mut each: impl FnMut(&[u8]) -> Result<bool, Refusal>,
) -> Result<Option<String>, Refusal> {
    let mut piece = vec![0; PIECE];
    let mut hash = Sha256::new();
    loop {
        let count = match source.read(&mut piece) {
            Ok(0) => return Ok(Some(hexadecimal::written(&hash.finish()))),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Refusal::NotReadable { message: why(&error).to_owned() }),
        };
        let octets = piece.get(..count).unwrap_or_default();
        hash.update(octets);
        if !each(octets)? {
            return Ok(None);
        }
    }
}

/// The package that a file holds, by a name and a version that no tool takes for anything else.
pub(super) fn inspect(manager: &dyn Manager, file: &Path) -> Result<Nevra, InspectError> {
    let nevra = manager.inspect(file)?.nevra;
    if nevra.is_plain() { Ok(nevra) } else { Err(InspectError::NotAPackage("its name or version is none".to_owned())) }
}

fn not_a_package(error: InspectError) -> Refusal {
    match error {
        InspectError::Read(error) => internal(error),
        InspectError::NotAPackage(message) => Refusal::NotAPackage { message },
    }
}

/// What could not be written.
fn no_room(error: io::Error) -> Refusal {
    if error.kind() == io::ErrorKind::StorageFull { Refusal::NoRoom } else { internal(error) }
}

fn internal(error: io::Error) -> Refusal {
    Refusal::Internal { message: error.kind().to_string() }
}

#[cfg(test)]
mod tests;
