//! The spool: copies of package files. What is checked and installed is the copy, which nobody but the worker changes.

mod incoming;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use openssl::sha::Sha256;

use super::Settings;
use super::protocol::{Refusal, Staged, StagedId};
use super::readable::{Readable, open, why};
use crate::software::{Family, InspectError, Manager, leaves_reserve};

pub(super) use incoming::Incoming;

/// How many staged files there may be at one time.
const MAX_STAGED: usize = 1024;

/// The spool of one folder.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    /// The ending of file names without which the engine's tools do not take a file for a package.
    ending: &'static str,
    readable: Readable,
    max_octets: u64,
    /// The files that are still coming or in use and that no job names.
    incoming: Mutex<Vec<StagedId>>,
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
        Ok(Self { folder, ending, readable, max_octets, incoming: Mutex::default() })
    }

    /// How many octets a file may have.
    pub(super) fn max_octets(&self) -> u64 {
        self.max_octets
    }

    /// Copies the file to the spool and asks the engine what it is.
    pub(super) fn stage(&self, path: &Path, manager: &dyn Manager) -> Result<Staged, Refusal> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.take_over(self.open_readable(path)?, name, manager)
    }

    /// Opens a file that the settings allow to be read.
    pub(super) fn open_readable(&self, path: &Path) -> Result<File, Refusal> {
        let source = self.open_source(path)?;
        if self.readable.allows(&source).map_err(internal)? { Ok(source) } else { Err(Refusal::NotAllowed) }
    }

    /// The same with a file that the server opened, which came in a request and is in no folder that the settings are about.
    pub(super) fn stage_upload(&self, mut file: File, manager: &dyn Manager) -> Result<Staged, Refusal> {
        self.check_source(&file)?;
        file.rewind().map_err(|error| Refusal::NotReadable { message: why(&error).to_owned() })?;
        self.take_over(file, String::new(), manager)
    }

    fn take_over(&self, source: File, file_name: String, manager: &dyn Manager) -> Result<Staged, Refusal> {
        if fs::read_dir(&self.folder).map_err(internal)?.count() >= MAX_STAGED {
            return Err(Refusal::SpoolFull);
        }
        let size = source.metadata().map_err(internal)?.len();
        if !leaves_reserve(&self.folder, size).map_err(internal)? {
            return Err(Refusal::NoRoom);
        }
        let id = StagedId::new();
        let staged = self.copy(source, id).and_then(|(size, sha256)| {
            let package = manager.inspect(&self.file(id)).map_err(not_a_package)?;
            Ok(Staged { id, file_name, nevra: package.nevra, size, sha256 })
        });
        if staged.is_err() {
            let _ = self.discard(id);
        }
        staged
    }

    /// The staged file, if it is still what it was when it was staged.
    pub(super) fn check(&self, staged: &Staged) -> Result<PathBuf, Refusal> {
        let path = self.file(staged.id);
        let file = open(&path).map_err(|_| Refusal::StagedChanged)?;
        let (size, sha256) = digest(file, &mut io::sink(), self.max_octets).map_err(|refusal| match refusal {
            Refusal::NotReadable { .. } => Refusal::StagedChanged,
            other => other,
        })?;
        if size == staged.size && sha256 == staged.sha256 { Ok(path) } else { Err(Refusal::StagedChanged) }
    }

    /// Deletes a staged file; it is no error if it is not there.
    pub(super) fn discard(&self, id: StagedId) -> io::Result<()> {
        remove(&self.file(id))
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

    fn copy(&self, source: File, id: StagedId) -> Result<(u64, String), Refusal> {
        let mut copy =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.file(id)).map_err(internal)?;
        let (size, sha256) = digest(source, &mut copy, self.max_octets)?;
        copy.sync_all().map_err(internal)?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(internal)?;
        Ok((size, sha256))
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

/// Copies at most `limit` octets and tells how many there were and their SHA-256.
pub(super) fn digest(mut source: File, target: &mut dyn Write, limit: u64) -> Result<(u64, String), Refusal> {
    let mut buffer = vec![0; 128 * 1024];
    let mut hash = Sha256::new();
    let mut size = 0_u64;
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Refusal::NotReadable { message: why(&error).to_owned() }),
        };
        let octets = buffer.get(..count).unwrap_or_default();
        size += octets.len() as u64;
        if size > limit {
            return Err(Refusal::TooLarge { limit });
        }
        hash.update(octets);
        target.write_all(octets).map_err(internal)?;
    }
    Ok((size, hash.finish().iter().map(|octet| format!("{octet:02x}")).collect()))
}

fn not_a_package(error: InspectError) -> Refusal {
    match error {
        InspectError::Read(error) => internal(error),
        InspectError::NotAPackage(message) => Refusal::NotAPackage { message },
    }
}

fn internal(error: io::Error) -> Refusal {
    Refusal::Internal { message: error.kind().to_string() }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::clock::{Clock, SystemClock};

    #[test]
    fn what_goes_before_it_is_looked_at_or_deleted_is_passed_over() {
        let state = tempfile::tempdir().unwrap();
        let gone = state.path().join("gone.deb");
        assert!(!is_old(&gone, Duration::ZERO, SystemClock.now()).unwrap());
        remove(&gone).unwrap();
    }

    #[test]
    fn a_sweep_and_whoever_gives_files_up_do_not_disturb_each_other() {
        let state = tempfile::tempdir().unwrap();
        let spool = Spool::open(&Settings::new(state.path().to_owned()), Family::Deb).unwrap();
        thread::scope(|scope| {
            let giving_up = scope.spawn(|| {
                for _ in 0..20 {
                    let ids: Vec<StagedId> = (0..50).map(|_| StagedId::new()).collect();
                    for id in &ids {
                        fs::write(spool.file(*id), "left").unwrap();
                    }
                    for id in ids {
                        spool.discard(id).unwrap();
                    }
                }
            });
            while !giving_up.is_finished() {
                spool.sweep(&[], Duration::ZERO, SystemClock.now()).unwrap();
            }
        });
        assert_eq!(fs::read_dir(&spool.folder).unwrap().count(), 0);
    }
}
