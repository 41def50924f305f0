//! Changes a configuration file in one step, so that whoever reads it finds the old contents or the new.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};

use tempfile::NamedTempFile;

use super::root::Root;

/// Puts `contents` in the place of those of the file at this path in the root, which keeps its owner and mode. Where it is
/// a link, what it leads to inside of the root is changed.
pub(super) fn replace(root: &Root, file: &str, contents: &[u8]) -> io::Result<()> {
    let is_gone =
        || io::Error::new(io::ErrorKind::NotFound, "it is not there, or a link that leads nowhere in the managed root");
    let target = root.locate(file)?.ok_or_else(is_gone)?;
    let folder = target.parent().ok_or_else(is_gone)?;
    let metadata = fs::metadata(&target)?;
    // Its name begins with a dot, so that package tools do not take it for configuration.
    let mut new = NamedTempFile::new_in(folder)?;
    new.write_all(contents)?;
    fchown(new.as_file(), Some(metadata.uid()), Some(metadata.gid()))?;
    new.as_file().set_permissions(metadata.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&target).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::*;

    #[test]
    fn owner_mode_and_links_stay() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink("file", &link).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        fchown(File::open(&file).unwrap(), Some(12), Some(34)).unwrap();
        replace(&Root::open(dir.path()).unwrap(), "/link", b"new").unwrap();
        let metadata = fs::symlink_metadata(&file).unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.uid(), metadata.gid()), (0o640, 12, 34));
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("file"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_link_out_of_the_root_is_not_followed() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (file, link) = (outside.path().join("file"), inside.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        assert!(replace(&Root::open(inside.path()).unwrap(), "/link", b"new").is_err());
        assert_eq!(fs::read(&file).unwrap(), b"old");
    }
}
