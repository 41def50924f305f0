//! Which bundle lies at a path: another one there, or the same one changed, is told from it.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};

use crate::hexadecimal;

/// Bundles as they were when somebody looked, by the paths that they were looked at by.
pub type SeenBundles = BTreeMap<PathBuf, BundleIdentity>;

/// How many files and folders a folder may have that is a bundle.
const MOST_ENTRIES: usize = 100_000;

/// What is another for every other file, and for every other state of a file, as far as its file system tells. A folder's
/// also tells of everything below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleIdentity {
    #[serde(flatten)]
    own: FileIdentity,
    /// The SHA-256 of the names and the identities of what lies in a folder, in lower-case hexadecimal.
    #[serde(default)]
    contents: Option<String>,
}

/// The same of one file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileIdentity {
    device: u64,
    inode: u64,
    octets: u64,
    /// When its content was changed last, in nanoseconds since 1970.
    modified: i64,
    /// When anything of it was changed last: whoever changes the content may set the time above, and not this one.
    changed: i64,
}

/// A folder cannot be told from others.
#[derive(Debug, thiserror::Error)]
pub enum BundleIdentityError {
    /// It has too many files.
    #[error("it has more than {MOST_ENTRIES} files, and no bundle has so many")]
    TooMany,
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl BundleIdentity {
    /// That of the file or folder that is open. Blocks.
    pub fn of(bundle: &File) -> Result<Self, BundleIdentityError> {
        let metadata = bundle.metadata()?;
        let contents = match metadata.is_dir() {
            true => Some(contents(&PathBuf::from(format!("/proc/self/fd/{}", bundle.as_raw_fd())))?),
            false => None,
        };
        Ok(Self { own: FileIdentity::of(&metadata), contents })
    }

    /// Whether both are the same file or folder, changed or not.
    pub fn is_same_place(&self, other: &Self) -> bool {
        (self.own.device, self.own.inode) == (other.own.device, other.own.inode)
    }
}

impl FileIdentity {
    fn of(metadata: &Metadata) -> Self {
        let time = |seconds: i64, nanoseconds: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            octets: metadata.size(),
            modified: time(metadata.mtime(), metadata.mtime_nsec()),
            changed: time(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A digest of all that lies in a folder. Links are not followed.
fn contents(folder: &Path) -> Result<String, BundleIdentityError> {
    let mut found: BTreeMap<PathBuf, FileIdentity> = BTreeMap::new();
    let mut left = vec![PathBuf::new()];
    while let Some(within) = left.pop() {
        for entry in fs::read_dir(folder.join(&within))? {
            let entry = entry?;
            let (path, metadata) = (within.join(entry.file_name()), entry.metadata()?);
            if metadata.is_dir() {
                left.push(path.clone());
            }
            found.insert(path, FileIdentity::of(&metadata));
            if found.len() > MOST_ENTRIES {
                return Err(BundleIdentityError::TooMany);
            }
        }
    }
    let mut digest = Sha256::new();
    for (path, FileIdentity { device, inode, octets, modified, changed }) in &found {
        digest.update(path.as_os_str().as_bytes());
        // No name has a zero octet, so no two folders are written alike.
        digest.update(&[0]);
        [*device, *inode, *octets].iter().for_each(|number| digest.update(&number.to_le_bytes()));
        [*modified, *changed].iter().for_each(|time| digest.update(&time.to_le_bytes()));
    }
    Ok(hexadecimal::written(&digest.finish()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn identity(path: &Path) -> BundleIdentity {
        BundleIdentity::of(&File::open(path).unwrap()).unwrap()
    }

    #[test]
    fn a_file_is_told_from_another_one_and_from_what_becomes_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bundle.zip");
        fs::write(&file, "one").unwrap();
        let before = identity(&file);
        assert_eq!(identity(&file), before, "reading changes nothing");
        let json = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<BundleIdentity>(&json).unwrap(), before, "{json}");

        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        fs::write(&file, "two").unwrap();
        File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
        let changed = identity(&file);
        assert_ne!(changed, before, "of the same length, and said to be of the same time");
        assert!(changed.is_same_place(&before));

        let other = dir.path().join("other.zip");
        fs::write(&other, "two").unwrap();
        fs::rename(&other, &file).unwrap();
        assert!(!identity(&file).is_same_place(&before));
    }

    #[test]
    fn a_folder_is_told_by_all_that_lies_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("vib20/esx-base")).unwrap();
        fs::write(at("index.xml"), "index").unwrap();
        fs::write(at("vib20/esx-base/base.vib"), "base").unwrap();
        let mut seen = vec![identity(dir.path())];
        assert_eq!(identity(dir.path()), seen[0]);
        fs::write(at("vib20/esx-base/base.vib"), "another").unwrap();
        seen.push(identity(dir.path()));
        fs::write(at("vib20/esx-base/more.vib"), "more").unwrap();
        seen.push(identity(dir.path()));
        fs::rename(at("vib20/esx-base/more.vib"), at("vib20/esx-base/less.vib")).unwrap();
        seen.push(identity(dir.path()));
        // A link that leads around in a circle is not followed.
        symlink("..", at("vib20/up")).unwrap();
        seen.push(identity(dir.path()));
        for (place, one) in seen.iter().enumerate() {
            assert!(seen.iter().skip(place + 1).all(|other| other != one), "{place}");
        }
    }
}
