//! Files that only their owner may read.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use zeroize::Zeroizing;

/// Makes the folder, and those above it, if it is not there; what it makes is for its owner alone.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Whether nobody but its owner, who is this process or root, can change what is in the folder.
pub fn is_safe(folder: &Path) -> io::Result<bool> {
    let found = fs::metadata(folder)?;
    Ok(is_ours(&found) && found.mode() & 0o022 == 0)
}

/// Whether nobody but root and this process's user can change what is in the folder, nor put another in its place.
pub fn is_out_of_reach(folder: &Path) -> io::Result<bool> {
    settled(folder)?.map_or(Ok(false), |folder| is_safe(&folder))
}

/// Where the folder is, all links followed, if nobody but root and this process's user can put another in its place: all folders
/// that lead to it, and those that the links on the way lie in, are theirs, or such as /tmp, where nobody moves what is another's. What
/// of it is not there yet is left as it is written.
pub fn settled(folder: &Path) -> io::Result<Option<PathBuf>> {
    let folder = std::path::absolute(folder)?;
    let mut left: Vec<OsString> = steps(&folder);
    let (mut settled, mut links) = (PathBuf::from("/"), 0);
    while let Some(step) = left.pop() {
        let above = fs::metadata(&settled)?;
        let is_sticky = above.mode() & 0o1000 != 0;
        if !is_ours(&above) || (above.mode() & 0o022 != 0 && !is_sticky) {
            return Ok(None);
        }
        let next = settled.join(&step);
        match fs::symlink_metadata(&next) {
            _ if step == ".." => {
                settled.pop();
            }
            Ok(found) if found.is_symlink() => {
                links += 1;
                if !is_ours(&found) {
                    return Ok(None);
                }
                let target = fs::read_link(&next)?;
                if links > MOST_LINKS {
                    return Err(rustix::io::Errno::LOOP.into());
                }
                if target.is_absolute() {
                    settled = PathBuf::from("/");
                }
                left.extend(steps(&target));
            }
            Ok(_) => settled = next,
            Err(error) if error.kind() == io::ErrorKind::NotFound && left.iter().all(|step| step != "..") => {
                return Ok(Some(left.into_iter().rev().fold(next, |path, step| path.join(step))));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Some(settled))
}

/// So many links are followed, as the system does it.
const MOST_LINKS: u32 = 40;

/// The steps of a path, the last one first.
fn steps(path: &Path) -> Vec<OsString> {
    let named = path.components().filter(|step| matches!(step, Component::Normal(_) | Component::ParentDir));
    named.rev().map(|step| step.as_os_str().to_owned()).collect()
}

/// Whether nobody but its owner, who is this process or root, can write the file, and nobody but the owner's group can read it.
/// Tells, too, whether this process can.
pub fn is_for_its_group(file: &Path) -> io::Result<bool> {
    let found = File::open(file)?.metadata()?;
    Ok(is_ours(&found) && found.is_file() && found.mode() & 0o027 == 0)
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

/// The largest secret, in octets.
const MOST_SECRET_OCTETS: u64 = 4096;

/// A file with a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be read.
    #[error("cannot read {file}: {source}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it.
    #[error(
        "{file} must belong to root or to the user of this service, and others may have no right to it: `chmod 600 {file}`"
    )]
    Open {
        /// The file.
        file: PathBuf,
    },
    /// What it holds is no secret.
    #[error("{file} must hold one line of text with the secret, of at most {MOST_SECRET_OCTETS} octets")]
    NoSecret {
        /// The file.
        file: PathBuf,
    },
}

/// The secret that a person wrote into a file: its only line, without the line's end. Nobody but the file's owner, who is this
/// process or root, may have a right to it.
pub fn read_secret(file: &Path) -> Result<Zeroizing<String>, SecretFileError> {
    let unreadable = |source| SecretFileError::Unreadable { file: file.to_owned(), source };
    let opened = File::open(file).map_err(unreadable)?;
    let found = opened.metadata().map_err(unreadable)?;
    if !is_ours(&found) || found.mode() & 0o077 != 0 {
        return Err(SecretFileError::Open { file: file.to_owned() });
    }
    let no_secret = || SecretFileError::NoSecret { file: file.to_owned() };
    if !found.is_file() || found.len() > MOST_SECRET_OCTETS {
        return Err(no_secret());
    }
    let mut text = Zeroizing::new(String::with_capacity(MOST_SECRET_OCTETS as usize));
    opened.take(MOST_SECRET_OCTETS).read_to_string(&mut text).map_err(unreadable)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains(char::is_control) {
        return Err(no_secret());
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn is_ours(found: &Metadata) -> bool {
    found.uid() == 0 || found.uid() == rustix::process::geteuid().as_raw()
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

    #[test]
    fn a_folder_is_where_its_links_lead_and_what_leads_there_counts() {
        let folder = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(folder.path()).unwrap();
        let [others, own] = ["others", "own"].map(|name| real.join(name));
        fs::create_dir(&others).unwrap();
        fs::create_dir(&own).unwrap();
        for folder in [&others, &own] {
            std::os::unix::fs::symlink("../own", folder.join("link")).unwrap();
            std::os::unix::fs::symlink("round", folder.join("round")).unwrap();
        }
        fs::set_permissions(&others, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(settled(&own.join("link/")).unwrap(), Some(own.clone()));
        assert_eq!(settled(&own.join("link/a/b")).unwrap(), Some(own.join("a/b")));
        assert_eq!(settled(&own.join("../own/a")).unwrap(), Some(own.join("a")));
        assert_eq!(settled(&others).unwrap(), Some(others.clone()), "what is in it is another question");
        for within in ["link", "a/b", "link/a"] {
            assert_eq!(settled(&others.join(within)).unwrap(), None, "others can put something there: {within}");
        }
        assert!(settled(&own.join("round")).is_err() && settled(&own.join("missing/../b")).is_err());
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

    #[test]
    fn a_secret_is_one_line_that_nobody_else_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let read = |content: &str, mode: u32| {
            fs::write(&file, content).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            read_secret(&file).map(|secret| secret.as_str().to_owned()).map_err(|error| error.to_string())
        };
        for content in ["o pen: sesame", "o pen: sesame\n", "o pen: sesame\r\n"] {
            assert_eq!(read(content, 0o600).as_deref(), Ok("o pen: sesame"));
            assert_eq!(read(content, 0o400).as_deref(), Ok("o pen: sesame"));
        }
        for mode in [0o640, 0o604, 0o620] {
            assert!(read("a", mode).unwrap_err().contains("chmod 600"), "{mode:o}");
        }
        for content in ["", "\n", "a\nb\n", "a\u{7}", &"a".repeat(5000)] {
            assert!(read(content, 0o600).unwrap_err().contains("must hold one line"), "{content:?}");
        }
        assert!(matches!(read_secret(&folder.path().join("none")), Err(SecretFileError::Unreadable { .. })));
    }
}
