//! Which bundle lies at a path: another one there, or the same one changed, is told from it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use openssl::sha::Sha256;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, openat, statat};
use serde::{Deserialize, Serialize};

use crate::hexadecimal;

/// Bundles as they were when somebody looked, by the paths that they were looked at by.
pub type SeenBundles = BTreeMap<PathBuf, BundleIdentity>;

/// How many files and folders a folder may have that is a bundle.
const MOST_ENTRIES: usize = 100_000;
/// How deep they may lie in it.
const DEEPEST: usize = 32;

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
    /// Its folders lie too deep in each other.
    #[error("it has folders more than {DEEPEST} deep in each other, and no bundle has")]
    TooDeep,
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl BundleIdentity {
    /// That of the file or folder that is open. Blocks.
    pub fn of(bundle: &File) -> Result<Self, BundleIdentityError> {
        let metadata = bundle.metadata()?;
        let contents = if metadata.is_dir() { Some(contents(bundle)?) } else { None };
        Ok(Self { own: FileIdentity::of(&metadata), contents })
    }

    /// Whether both are the same file or folder, changed or not.
    pub fn is_same_place(&self, other: &Self) -> bool {
        (self.own.device, self.own.inode) == (other.own.device, other.own.inode)
    }
}

impl FileIdentity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            octets: metadata.size(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn of_entry(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            octets: u64::try_from(stat.st_size).unwrap_or_default(),
            modified: nanoseconds(stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or_default()),
            changed: nanoseconds(stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or_default()),
        }
    }
}

fn nanoseconds(seconds: i64, more: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(more)
}

/// All that lies in a folder. Each folder is opened by its name in the one above, which is open, and no link is followed:
/// whoever moves or exchanges them meanwhile cannot lead this elsewhere.
fn found(folder: &File) -> Result<BTreeMap<PathBuf, FileIdentity>, BundleIdentityError> {
    let mut found: BTreeMap<PathBuf, FileIdentity> = BTreeMap::new();
    let mut open = vec![Open::new(folder, PathBuf::new())?];
    while let Some(last) = open.last_mut() {
        let Some(entry) = last.entries.read() else {
            open.pop();
            continue;
        };
        let entry = entry.map_err(io::Error::from)?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let stat = statat(&last.folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from)?;
        let path = last.path.join(OsStr::from_bytes(name.to_bytes()));
        let below = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Some(openat(&last.folder, name, FOLDER, Mode::empty()).map_err(io::Error::from)?),
            _ => None,
        };
        found.insert(path.clone(), FileIdentity::of_entry(&stat));
        if found.len() > MOST_ENTRIES {
            return Err(BundleIdentityError::TooMany);
        }
        if let Some(below) = below {
            if open.len() >= DEEPEST {
                return Err(BundleIdentityError::TooDeep);
            }
            open.push(Open::new(below, path)?);
        }
    }
    Ok(found)
}

/// A digest of all that lies in a folder.
fn contents(folder: &File) -> Result<String, BundleIdentityError> {
    let mut digest = Sha256::new();
    for (path, FileIdentity { device, inode, octets, modified, changed }) in &found(folder)? {
        digest.update(path.as_os_str().as_bytes());
        // No name has a zero octet, so no two folders are written alike.
        digest.update(&[0]);
        [*device, *inode, *octets].iter().for_each(|number| digest.update(&number.to_le_bytes()));
        [*modified, *changed].iter().for_each(|time| digest.update(&time.to_le_bytes()));
    }
    Ok(hexadecimal::written(&digest.finish()))
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A folder whose entries are being looked at.
struct Open {
    folder: OwnedFd,
    entries: Dir,
    /// Where it lies in the bundle.
    path: PathBuf,
}

impl Open {
    fn new(folder: impl AsFd, path: PathBuf) -> io::Result<Self> {
        let folder = openat(folder, ".", FOLDER, Mode::empty())?;
        let entries = Dir::read_from(&folder)?;
        Ok(Self { folder, entries, path })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

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
    #[test]
    fn folders_that_lie_too_deep_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("d/".repeat(DEEPEST))).unwrap();
        let refused = BundleIdentity::of(&File::open(dir.path()).unwrap()).unwrap_err();
        assert!(matches!(refused, BundleIdentityError::TooDeep), "{refused}");
        assert!(BundleIdentity::of(&File::open(dir.path().join("d")).unwrap()).is_ok());
    }

    #[test]
    fn whoever_exchanges_folders_for_links_leads_nobody_out_of_the_bundle() {
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let outer = outside.path().join("outside");
        fs::create_dir(&outer).unwrap();
        (0..MOST_ENTRIES / 50).for_each(|n| drop(File::create(outer.join(n.to_string())).unwrap()));
        let folder = dir.path().join("folder");
        fs::create_dir(&folder).unwrap();
        let bundle = File::open(dir.path()).unwrap();
        let is_over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    fs::rename(&folder, dir.path().join("aside")).unwrap();
                    symlink(&outer, &folder).unwrap();
                    fs::remove_file(&folder).unwrap();
                    fs::rename(dir.path().join("aside"), &folder).unwrap();
                }
            });
            for _ in 0..300 {
                let found = found(&bundle).unwrap_or_default();
                assert!(found.len() <= 2, "{} entries", found.len());
            }
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
