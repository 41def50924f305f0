//! Files that only their owner may read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Makes the folder, and those above it, if it is not there; what it makes is for its owner alone.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Whether nobody but its owner, who is this process or root, can change what is in the folder.
pub fn is_safe(folder: &Path) -> io::Result<bool> {
    let found = fs::metadata(folder)?;
    let is_ours = found.uid() == 0 || found.uid() == rustix::process::geteuid().as_raw();
    Ok(is_ours && found.mode() & 0o022 == 0)
}

/// Whether nobody but root and this process's user can change what is in the folder, nor put another in its place: all folders
/// that lead to it are theirs too, or such as /tmp, where nobody moves what is another's.
pub fn is_out_of_reach(folder: &Path) -> io::Result<bool> {
    let folder = fs::canonicalize(folder)?;
    if !is_safe(&folder)? {
        return Ok(false);
    }
    for above in folder.ancestors().skip(1) {
        let found = fs::metadata(above)?;
        let is_sticky = found.mode() & 0o1000 != 0;
        let is_ours = found.uid() == 0 || found.uid() == rustix::process::geteuid().as_raw();
        if !is_ours || (found.mode() & 0o022 != 0 && !is_sticky) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes the file so that it is there whole or not at all, also after a power loss; its mode is 0600.
pub fn write(file: &Path, content: &[u8]) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".new");
    let new = folder.join(name);
    // A file that a crash left behind; `create_new` below follows no link that somebody else put there.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut handle = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    handle.write_all(content)?;
    handle.sync_all()?;
    fs::rename(&new, file)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_that_others_can_write_is_not_safe() {
        let folder = tempfile::tempdir().unwrap();
        assert!(is_safe(folder.path()).unwrap());
        for mode in [0o770, 0o703] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert!(!is_safe(folder.path()).unwrap(), "{mode:o}");
        }
    }

    #[test]
    fn what_lies_in_a_folder_that_others_can_write_is_within_their_reach() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        make_folder(&inner).unwrap();
        assert!(is_out_of_reach(&inner).unwrap());
        let above = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        above(0o777);
        assert!(!is_out_of_reach(&inner).unwrap());
        above(0o1777);
        assert!(is_out_of_reach(&inner).unwrap(), "as below /tmp");
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(!is_out_of_reach(&inner).unwrap());
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_and_folders_are_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        make_folder(&inner).unwrap();
        make_folder(&inner).unwrap();
        let file = inner.join("secret");
        fs::write(inner.join("secret.new"), "left behind").unwrap();
        write(&file, b"one").unwrap();
        write(&file, b"two").unwrap();
        assert_eq!((mode(&inner), mode(&file)), (0o700, 0o600));
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1);
    }
}
