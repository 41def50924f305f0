//! Files of a managed root, found as a process inside of it would find them.
//!
//! A link leads where it would lead after `chroot(2)`: `/` is the managed root, and above it is nothing. So no path of
//! a package and no link leads out of the root, whoever placed it.

mod walk;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, FileType, Mode, OFlags, ResolveFlags, fadvise, fstat, open, openat2, readlinkat};
use rustix::io::Errno;

/// A managed root, opened.
#[derive(Debug)]
pub(super) struct Root(OwnedFd);

/// What a path stands for that ends in a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastLink {
    /// The link itself.
    Kept,
    /// What the link leads to.
    Followed,
}

impl Root {
    /// Opens the root's folder.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        Ok(Self(open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?))
    }

    /// Finds what a path names, without opening it, so that pipes and devices do not notice. `None` if it is not
    /// there.
    pub(super) fn find(&self, path: &str, last: LastLink) -> io::Result<Option<OwnedFd>> {
        match self.resolve(path, last) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a regular file for reading; `None` if it is not there.
    pub(super) fn open_file(&self, path: &str) -> io::Result<Option<File>> {
        self.find(path, LastLink::Followed)?.map(|found| open_regular(&found)).transpose()
    }

    /// Where on the host a path leads, without links; `None` if it is not there. For what takes no opened file, such as a
    /// tool: whoever can change the root meanwhile can change where it leads.
    pub(super) fn locate(&self, path: &str) -> io::Result<Option<PathBuf>> {
        let found = self.find(path, LastLink::Followed)?;
        found.map(|found| fs::read_link(format!("/proc/self/fd/{}", found.as_raw_fd()))).transpose()
    }

    /// Where a link leads, as it is written; `None` if the path is no link.
    pub(super) fn link_target(&self, path: &str) -> io::Result<Option<PathBuf>> {
        let Some(found) = self.find(path, LastLink::Kept)? else { return Ok(None) };
        match readlinkat(&found, "", Vec::new()) {
            Ok(target) => Ok(Some(OsString::from_vec(target.into_bytes()).into())),
            // What is no link has none.
            Err(Errno::INVAL | Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in a folder that are text, in their order; none if it is not there.
    pub(super) fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let Some(folder) = self.locate(folder)? else { return Ok(Vec::new()) };
        let mut names: Vec<String> =
            fs::read_dir(folder)?.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    /// The contents of a regular file of at most `most` octets; `None` if it is not there.
    pub(super) fn read(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.open_file(path)? else { return Ok(None) };
        let mut contents = Vec::new();
        file.take(most.saturating_add(1)).read_to_end(&mut contents)?;
        if contents.len() as u64 > most {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is too large"));
        }
        Ok(Some(contents))
    }

    fn resolve(&self, path: &str, last: LastLink) -> Result<OwnedFd, Errno> {
        let mut flags = OFlags::PATH | OFlags::CLOEXEC;
        if last == LastLink::Kept {
            flags |= OFlags::NOFOLLOW;
        }
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        match openat2(&self.0, path, flags, Mode::empty(), inside) {
            // Kernels before 5.6 and some sandboxes lack the call, and it gives up where folders are moved meanwhile.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => walk::find(&self.0, path, last),
            found => found,
        }
    }
}

/// Opens a found file for reading from its beginning to its end, without a trace in its time of access where that is
/// allowed. Only a regular file is opened: of others the opening alone may block or have effects.
pub(super) fn open_regular(found: &OwnedFd) -> io::Result<File> {
    if FileType::from_raw_mode(fstat(found)?.st_mode) != FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    // Exactly the file that was found, whatever its path names by now.
    let path = format!("/proc/self/fd/{}", found.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match open(&path, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => open(&path, flags, Mode::empty())?,
        opened => opened?,
    };
    // Only advice: a file system that does not take it reads all the same.
    let _ = fadvise(&file, 0, None, Advice::Sequential);
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_are_read_under_limits() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        fs::write(dir.path().join("etc/passwd"), "root").unwrap();
        symlink("/etc/passwd", dir.path().join("link")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        assert_eq!(root.read("/link", 4).unwrap().unwrap(), b"root");
        assert_eq!(root.read("/etc/passwd", 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(root.read("/etc", 3).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert!(root.read("/none", 3).unwrap().is_none());
        assert!(root.read("/nul\0", 3).is_err());
    }

    #[test]
    fn places_are_told_where_links_lead() {
        let dir = tempfile::tempdir().unwrap();
        let host = dir.path().canonicalize().unwrap();
        fs::create_dir_all(host.join("srv/lists")).unwrap();
        fs::write(host.join("srv/lists/b"), "").unwrap();
        fs::write(host.join("srv/lists/a"), "").unwrap();
        symlink("/srv/lists", host.join("lists")).unwrap();
        symlink("/etc", host.join("outside")).unwrap();
        let root = Root::open(&host).unwrap();
        assert_eq!(root.locate("/lists/a").unwrap(), Some(host.join("srv/lists/a")));
        assert_eq!(root.locate("/").unwrap(), Some(host));
        assert_eq!(root.locate("/outside").unwrap(), None);
        assert_eq!(root.link_target("/outside").unwrap(), Some("/etc".into()));
        assert_eq!(root.link_target("/lists/a").unwrap(), None);
        assert_eq!(root.names("/lists").unwrap(), ["a", "b"]);
        assert_eq!(root.names("/outside").unwrap(), [""; 0]);
        assert!(root.names("/lists/a").is_err());
    }
}
