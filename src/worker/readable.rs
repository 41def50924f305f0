//! Files and folders that callers name: which may be read, and how they are opened.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// The folders that files may be read from.
#[derive(Debug)]
pub(super) struct Readable(Option<Vec<PathBuf>>);

impl Readable {
    /// These folders; `None` means all.
    pub(super) fn new(folders: Option<&[PathBuf]>) -> Self {
        // Folders are compared with what the system says of an open file, which has no links in it.
        let resolve = |folder: &PathBuf| fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
        Self(folders.map(|all| all.iter().map(resolve).collect()))
    }

    /// Whether the settings allow the file. Asked of the open file: its path may mean another one by now.
    pub(super) fn allows(&self, file: &File) -> io::Result<bool> {
        let Some(folders) = &self.0 else { return Ok(true) };
        let real = fs::read_link(again(file))?;
        Ok(folders.iter().any(|folder| real.starts_with(folder)))
    }

    /// The same, and what lies in a folder of the worker's own besides.
    pub(super) fn allows_also(&self, file: &File, own: &Path) -> io::Result<bool> {
        Ok(self.allows(file)? || Self::new(Some(&[own.to_owned()])).allows(file)?)
    }
}

/// The path by which what is open is opened once more, whatever lies where it was found.
pub(super) fn again(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// Opens a file or folder for reading: no link in the last part, and without waiting for whoever writes into a pipe.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if !path.is_absolute() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)
}

/// Why a file cannot be read, for the person who named it.
pub(super) fn why(error: &io::Error) -> &'static str {
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return "it is a symbolic link: name the file itself";
    }
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "there is no such file",
        io::ErrorKind::PermissionDenied => "the worker has no right to read it",
        _ => "it cannot be read",
    }
}
