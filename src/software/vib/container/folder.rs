//! Folders that hold what a ZIP would.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Dir, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use super::super::descriptor_xml::safe_path;
use super::{ContainerProblem, read_limited};

/// A folder that is open. Links in it are not followed.
#[derive(Debug)]
pub(in super::super) struct Folder(File);

impl Folder {
    /// The folder that is open as this file.
    pub(in super::super) fn new(folder: File) -> Self {
        Self(folder)
    }

    /// The ZIP that lies in it, if it is the only one and there is no `index.xml`, which would make the folder a bundle itself.
    pub(in super::super) fn only_zip(&self) -> Result<Option<(String, File)>, ContainerProblem> {
        if !matches!(self.find("index.xml"), Err(Errno::NOENT)) {
            return Ok(None);
        }
        match <[String; 1]>::try_from(self.zips()?) {
            Ok([name]) => self.open(&name).map(|zip| Some((name, zip))),
            Err(_) => Ok(None),
        }
    }

    /// The names of the ZIPs that lie in it.
    pub(in super::super) fn zips(&self) -> Result<Vec<String>, ContainerProblem> {
        let mut zips = Vec::new();
        for entry in Dir::read_from(&self.0).map_err(std::io::Error::from)? {
            let name = entry.map_err(std::io::Error::from)?.file_name().to_string_lossy().into_owned();
            if name.to_ascii_lowercase().ends_with(".zip") {
                zips.push(name);
            }
        }
        zips.sort_unstable();
        Ok(zips)
    }

    /// A file below it.
    pub(in super::super) fn open(&self, name: &str) -> Result<File, ContainerProblem> {
        let outside = || ContainerProblem::Refused(format!("The name {name:?} does not lie inside of it"));
        if !safe_path(name) {
            return Err(outside());
        }
        match self.find(name) {
            Ok(file) => Ok(file),
            Err(Errno::NOENT | Errno::NOTDIR) => Err(ContainerProblem::Missing(name.to_owned())),
            Err(Errno::LOOP) => Err(ContainerProblem::Refused(format!(
                "{name} is or lies behind a symbolic link, and links are not followed"
            ))),
            Err(error) => Err(ContainerProblem::Io(error.into())),
        }
    }

    /// The contents of a file, of at most so many octets.
    pub(in super::super) fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, ContainerProblem> {
        let file = self.open(name)?;
        let length = file.metadata()?.len();
        read_limited(name, file, length, limit)
    }

    fn find(&self, name: &str) -> Result<File, Errno> {
        // Opening a FIFO for reading would wait for its writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let (folders, file) = name.rsplit_once('/').map_or(("", name), |(folders, file)| (folders, file));
        let mut at: Option<OwnedFd> = None;
        for part in folders.split('/').filter(|part| !part.is_empty()) {
            let folder = at.as_ref().map_or(self.0.as_fd(), AsFd::as_fd);
            at = Some(openat(folder, part, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?);
            refuse_link(at.as_ref())?;
        }
        let file = openat(at.as_ref().map_or(self.0.as_fd(), AsFd::as_fd), file, flags, Mode::empty())?;
        match FileType::from_raw_mode(fstat(&file)?.st_mode) {
            FileType::RegularFile => Ok(file.into()),
            FileType::Directory => Err(Errno::ISDIR),
            _ => Err(Errno::INVAL),
        }
    }
}

/// A link that is opened without following it is a link, and no failure yet.
fn refuse_link(found: Option<&OwnedFd>) -> Result<(), Errno> {
    let is_link = |found: &OwnedFd| Ok(FileType::from_raw_mode(fstat(found)?.st_mode) == FileType::Symlink);
    if found.map_or(Ok(false), is_link)? { Err(Errno::LOOP) } else { Ok(()) }
}
