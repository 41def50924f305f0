//! The files of the log: the one that is written, those that were rotated, and the lock of whoever writes.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Gid, Uid, fchown, flock};

/// Digits of the number in the name of a rotated file, so that names sort as numbers do.
const DIGITS: usize = 12;

/// Where the files are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    folder: PathBuf,
    name: OsString,
}

/// A file that was rotated: the lines up to this one are in it and those before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rotated {
    pub(super) through: u64,
    pub(super) path: PathBuf,
}

/// The right to write, which one process has at a time.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a File);

impl Files {
    pub(super) fn new(file: &Path) -> io::Result<Self> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { folder: folder.to_owned(), name: name.to_owned() })
    }

    /// Makes the folder, for its owner alone, if it is not there.
    pub(super) fn make_folder(&self) -> io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let above = self.folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        give_to_owner_of(above, &File::open(&self.folder)?)
    }

    pub(super) fn current(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// Those that were rotated, oldest first.
    pub(super) fn rotated(&self) -> io::Result<Vec<Rotated>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if let Some(through) = self.number_of(&entry.file_name()) {
                found.push(Rotated { through, path: entry.path() });
            }
        }
        found.sort();
        Ok(found)
    }

    /// Puts the file that is written among those that were rotated.
    pub(super) fn rotate(&self, through: u64) -> io::Result<()> {
        let mut name = self.name.clone();
        name.push(format!(".{through:0DIGITS$}"));
        fs::rename(self.current(), self.folder.join(name))?;
        self.sync()
    }

    /// Opens the file that is written, if it is there.
    pub(super) fn open(&self) -> io::Result<Option<File>> {
        match OpenOptions::new().read(true).append(true).open(self.current()) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the file that is written.
    pub(super) fn create(&self) -> io::Result<File> {
        let file = private(self.current(), OpenOptions::new().read(true).append(true).create_new(true))?;
        give_to_owner_of(&self.folder, &file)?;
        self.sync()?;
        Ok(file)
    }

    /// Opens the lock, which is made if need be.
    pub(super) fn open_lock(&self) -> io::Result<File> {
        let mut name = self.name.clone();
        name.push(".lock");
        let file = private(self.folder.join(name), OpenOptions::new().append(true).create(true))?;
        give_to_owner_of(&self.folder, &file)?;
        Ok(file)
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn number_of(&self, name: &std::ffi::OsStr) -> Option<u64> {
        let number = name.to_str()?.strip_prefix(self.name.to_str()?)?.strip_prefix('.')?;
        (number.len() >= DIGITS && number.bytes().all(|b| b.is_ascii_digit())).then(|| number.parse().ok())?
    }
}

impl<'a> Turn<'a> {
    /// Waits for whoever has it. Blocks.
    pub(super) fn take(lock: &'a File) -> io::Result<Self> {
        flock(lock, FlockOperation::LockExclusive)?;
        Ok(Self(lock))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // A process that is just being started may share the lock, so closing the file would not be enough.
        let _ = flock(self.0, FlockOperation::Unlock);
    }
}

fn private(path: PathBuf, options: &mut OpenOptions) -> io::Result<File> {
    options.mode(0o600).open(path)
}

/// What root makes in a folder of the service's user must be the service's to write.
fn give_to_owner_of(folder: &Path, file: &File) -> io::Result<()> {
    let (owner, own) = (fs::metadata(folder)?, file.metadata()?);
    if owner.uid() == own.uid() || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    fchown(file, Some(Uid::from_raw(owner.uid())), Some(Gid::from_raw(owner.gid())))?;
    Ok(())
}
