//! Changes a configuration file in one step, so that whoever reads it finds the old contents or the new.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use tempfile::NamedTempFile;

/// Puts `contents` in the place of those of the file under `root`, which keeps its owner and mode. Where it is a link,
/// what it leads to is changed; a link out of the root is refused.
pub(super) fn replace(root: &Path, file: &Path, contents: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(file)?;
    let folder = target.parent().filter(|_| fs::canonicalize(root).is_ok_and(|root| target.starts_with(root)));
    let folder = folder.ok_or_else(|| io::Error::other("it is a link that leads out of the managed root"))?;
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

    use super::*;

    #[test]
    fn owner_mode_and_links_stay() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink("file", &link).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        fchown(File::open(&file).unwrap(), Some(12), Some(34)).unwrap();
        replace(dir.path(), &link, b"new").unwrap();
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
        assert!(replace(inside.path(), &link, b"new").is_err());
        assert_eq!(fs::read(&file).unwrap(), b"old");
    }
}
