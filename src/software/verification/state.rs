//! How files of a managed root are now.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Stat, fstat, major, minor, readlinkat};

use super::{BLOCK, ChecksumKind, FileKind, FileRecord, checksum};
use crate::software::root::{LastLink, Root, open_regular};

/// How a file is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// What it is.
    pub kind: FileKind,
    /// Its size in octets.
    pub size: u64,
    /// Its permission bits, with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// The number of its owner.
    pub user: u32,
    /// The number of its group.
    pub group: u32,
    /// Where a link leads.
    pub link_target: Option<String>,
    /// The checksum of a regular file, of the kind that its record has; `None` if the record has none, or if the file
    /// cannot be read.
    pub checksum: Option<(ChecksumKind, String)>,
    /// When it was last modified, in seconds since 1970; negative before.
    pub modified: i64,
    /// Of a device: its major and minor number.
    pub device: Option<(u32, u32)>,
}

impl FileState {
    /// How the file of a record is under a managed root; `None` if it is not there. No link leads out of the root.
    /// Reads the whole of a file whose record has a checksum. Blocks, but never on pipes and devices.
    ///
    /// A file that may be looked at but not read has no checksum; one that may not be looked at is an error.
    pub fn read(root: &Path, record: &FileRecord) -> io::Result<Option<Self>> {
        let Some(found) = Found::of(&Root::open(root)?, record)? else { return Ok(None) };
        let sum = found.checksum(record, &mut vec![0; BLOCK], &mut |_| ControlFlow::Continue(()));
        let checksum = sum.unwrap_or_else(|error| {
            tracing::warn!(file = record.path, %error, "a file cannot be read and has no checksum");
            None
        });
        Ok(Some(Self { checksum, ..found.state }))
    }
}

/// A file that was found and not read yet.
#[derive(Debug)]
pub(super) struct Found {
    file: OwnedFd,
    /// How it is, without its checksum.
    pub state: FileState,
}

impl Found {
    /// The file of a record; `None` if it is not there.
    ///
    /// In place of a directory both package managers accept a link to one, if it is root's or the directory's owner's.
    pub(super) fn of(root: &Root, record: &FileRecord) -> io::Result<Option<Self>> {
        let Some(found) = Self::at(root, &record.path, LastLink::Kept)? else { return Ok(None) };
        let user = found.state.user;
        let may_stand_for = record.kind == Some(FileKind::Directory)
            && found.state.kind == FileKind::Link
            && (user == 0 || record.user == Some(user));
        if may_stand_for
            && let Ok(Some(target)) = Self::at(root, &record.path, LastLink::Followed)
            && target.state.kind == FileKind::Directory
        {
            return Ok(Some(target));
        }
        Ok(Some(found))
    }

    fn at(root: &Root, path: &str, last: LastLink) -> io::Result<Option<Self>> {
        let Some(file) = root.find(path, last)? else { return Ok(None) };
        let state = state(&file, &fstat(&file)?)?;
        Ok(Some(Self { file, state }))
    }

    /// The checksum of the kind that its record has; `None` if the record has none, if this is no regular file, or if
    /// `heard`, which is told the size of each block, stops the reading. A file that grows meanwhile is read as far as
    /// it was when it was found.
    pub(super) fn checksum(
        &self,
        record: &FileRecord,
        block: &mut [u8],
        heard: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> io::Result<Option<(ChecksumKind, String)>> {
        let Some((kind, _)) = &record.checksum else { return Ok(None) };
        if self.state.kind != FileKind::Regular {
            return Ok(None);
        }
        let sum = checksum(*kind, open_regular(&self.file)?.take(self.state.size), block, heard)?;
        Ok(sum.map(|sum| (*kind, sum)))
    }
}

fn state(file: &OwnedFd, stat: &Stat) -> io::Result<FileState> {
    let kind = FileKind::of_mode(stat.st_mode);
    let link_target = match kind {
        FileKind::Link => Some(readlinkat(file, "", Vec::new())?.to_string_lossy().into_owned()),
        _ => None,
    };
    Ok(FileState {
        kind,
        size: stat.st_size.try_into().unwrap_or(0),
        mode: stat.st_mode & 0o7777,
        user: stat.st_uid,
        group: stat.st_gid,
        link_target,
        checksum: None,
        modified: stat.st_mtime,
        device: kind.is_device().then(|| (major(stat.st_rdev), minor(stat.st_rdev))),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};

    use super::*;

    fn record(path: &str, kind: FileKind) -> FileRecord {
        FileRecord { kind: Some(kind), ..FileRecord::at(path.to_owned()) }
    }

    fn with_checksum(path: &str) -> FileRecord {
        FileRecord { checksum: Some((ChecksumKind::Md5, String::new())), ..FileRecord::at(path.to_owned()) }
    }

    #[test]
    fn a_file_is_told_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "abc").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o4751)).unwrap();
        lchown(&file, Some(12), Some(34)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o4751)).unwrap();
        let state = FileState::read(root.path(), &with_checksum("/file")).unwrap().unwrap();
        assert_eq!((state.kind, state.size, state.mode), (FileKind::Regular, 3, 0o4751));
        assert_eq!((state.user, state.group), (12, 34));
        assert_eq!(state.checksum, Some((ChecksumKind::Md5, "900150983cd24fb0d6963f7d28e17f72".to_owned())));
        assert!(state.modified > 1_600_000_000);
        assert_eq!(FileState::read(root.path(), &with_checksum("/none")).unwrap(), None);
        assert_eq!(FileState::read(root.path(), &with_checksum("/file/below")).unwrap(), None);
        assert!(FileState::read(&root.path().join("none"), &with_checksum("/file")).is_err());
    }

    #[test]
    fn pipes_and_devices_are_looked_at_and_not_opened() {
        let root = tempfile::tempdir().unwrap();
        let pipe = root.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let state = FileState::read(root.path(), &with_checksum("/pipe")).unwrap().unwrap();
        assert_eq!((state.kind, state.checksum), (FileKind::Pipe, None));
        let state = FileState::read(Path::new("/"), &with_checksum("/dev/null")).unwrap().unwrap();
        assert_eq!((state.kind, state.device), (FileKind::CharacterDevice, Some((1, 3))));
    }

    #[test]
    fn a_link_may_stand_for_a_directory_if_its_owner_may_place_it() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("usr/lib")).unwrap();
        let link = root.path().join("lib");
        symlink("/usr/lib", &link).unwrap();
        let kind = |record: &FileRecord| FileState::read(root.path(), record).unwrap().unwrap().kind;
        assert_eq!(kind(&record("/lib", FileKind::Directory)), FileKind::Directory);
        assert_eq!(kind(&record("/lib", FileKind::Link)), FileKind::Link);
        lchown(&link, Some(77), Some(77)).unwrap();
        assert_eq!(kind(&record("/lib", FileKind::Directory)), FileKind::Link);
        let owned = FileRecord { user: Some(77), ..record("/lib", FileKind::Directory) };
        assert_eq!(kind(&owned), FileKind::Directory);
    }

    #[test]
    fn no_link_leads_out_of_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        fs::create_dir(dir.path().join("outside")).unwrap();
        fs::write(dir.path().join("outside/file"), "secret").unwrap();
        symlink(dir.path().join("outside"), root.join("absolute")).unwrap();
        symlink("../outside", root.join("relative")).unwrap();
        for path in ["/absolute/file", "/relative/file", "/../outside/file", "/absolute/../../outside/file"] {
            assert_eq!(FileState::read(&root, &with_checksum(path)).unwrap(), None, "{path}");
        }
        let state = FileState::read(&root, &with_checksum("/relative")).unwrap().unwrap();
        assert_eq!(state.link_target.as_deref(), Some("../outside"));
        assert_eq!(state.checksum, None);
    }
}
