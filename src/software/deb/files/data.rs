//! What a package file tells of the files that it installed.
//!
//! Caches and repositories are no part of dpkg's database: a package file is used only if it is of exactly the
//! installed build, has every path that dpkg knows, and every content that dpkg knows the sum of is the same in it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::time::Duration;

use tar::{Archive, Entry, EntryType, Header};

use super::{Installed, Sums};
use crate::software::accounts::Accounts;
use crate::software::deb::archive::inspect_opened;
use crate::software::tool::{Stream, command};
use crate::software::verification::{BLOCK, checksum};
use crate::software::{ChecksumKind, FileKind, FileRecord};

/// How long dpkg-deb may take to unpack all of a package.
const LONGEST_UNPACKING: Duration = Duration::from_secs(600);

/// How many files of a package are accepted.
const MOST_FILES: usize = 1_000_000;

/// How long a path or a link's target may be; the kernel takes no longer ones.
const LONGEST_PATH: u64 = 4096;

/// The files of a package file by their paths, without their contents' sums; an error says why it is not the one that
/// was installed, or cannot be read.
pub(super) fn read(file: File, installed: &Installed<'_>) -> io::Result<HashMap<String, FileRecord>> {
    let package = inspect_opened(file.try_clone()?).map_err(io::Error::other)?;
    if package.nevra != *installed.nevra {
        return Err(io::Error::other(format!("it is of {}", package.nevra)));
    }
    let mut dpkg_deb = command("dpkg-deb");
    dpkg_deb.args(["--fsys-tarfile", "--", "/proc/self/fd/0"]).stdin(file);
    let mut data = Stream::start(&mut dpkg_deb, LONGEST_UNPACKING)?;
    let files = Contents::new(&installed.sums, &installed.accounts).read(&mut data)?;
    let status = data.finish()?;
    if !status.success() {
        return Err(io::Error::other(format!("dpkg-deb ended with {status}")));
    }
    // A file that another package took over is in the package and not in dpkg's list any more, so only this way round.
    match installed.shipped_paths().find(|path| !files.contains_key(*path)) {
        Some(path) => Err(io::Error::other(format!("it lacks {path}, which dpkg installed"))),
        None => Ok(files),
    }
}

/// The files of a data archive, as they are read.
struct Contents<'a> {
    sums: &'a Sums,
    accounts: &'a Accounts,
    files: HashMap<String, FileRecord>,
    block: Vec<u8>,
}

/// GNU's way to give the next member a longer path or target than its header holds.
#[derive(Default)]
struct LongNames {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

impl<'a> Contents<'a> {
    fn new(sums: &'a Sums, accounts: &'a Accounts) -> Self {
        Self { sums, accounts, files: HashMap::new(), block: vec![0; BLOCK] }
    }

    /// Reads the archive to its end; a member that dpkg itself would not take is an error.
    fn read(mut self, data: &mut impl Read) -> io::Result<HashMap<String, FileRecord>> {
        let mut archive = Archive::new(data);
        let mut long = LongNames::default();
        // Raw, so that the lengths of long names are bounded here.
        for entry in archive.entries()?.raw(true) {
            let mut entry = entry?;
            match entry.header().entry_type() {
                EntryType::GNULongName => long.path = Some(long_name(&mut entry)?),
                EntryType::GNULongLink => long.target = Some(long_name(&mut entry)?),
                _ => self.add(&mut entry, std::mem::take(&mut long))?,
            }
            if self.files.len() > MOST_FILES {
                return Err(io::Error::other(format!("it has more than {MOST_FILES} files")));
            }
        }
        Ok(self.files)
    }

    fn add(&mut self, entry: &mut Entry<'_, impl Read>, long: LongNames) -> io::Result<()> {
        let header = entry.header().clone();
        let path = absolute(&long.path.unwrap_or_else(|| header.path_bytes().into_owned()))?;
        let target = long.target.or_else(|| header.link_name_bytes().map(|name| name.into_owned()));
        let record = match header.entry_type() {
            EntryType::Link => self.linked(&path, &target.unwrap_or_default())?,
            kind => self.member(path, kind, &header, target)?,
        };
        if record.kind == Some(FileKind::Regular) && header.entry_type() != EntryType::Link {
            self.check_sum(&record.path, entry)?;
        }
        self.files.insert(record.path.clone(), record);
        Ok(())
    }

    fn member(
        &self,
        path: String,
        kind: EntryType,
        header: &Header,
        target: Option<Vec<u8>>,
    ) -> io::Result<FileRecord> {
        let kind = match kind {
            EntryType::Regular | EntryType::Continuous => FileKind::Regular,
            EntryType::Directory => FileKind::Directory,
            EntryType::Symlink => FileKind::Link,
            EntryType::Fifo => FileKind::Pipe,
            EntryType::Char => FileKind::CharacterDevice,
            EntryType::Block => FileKind::BlockDevice,
            other => return Err(io::Error::other(format!("{path} is a member of the kind {:?}", other.as_byte()))),
        };
        let named = |name: Result<Option<&str>, _>| name.ok().flatten().unwrap_or_default().to_owned();
        // Members of other kinds may have nothing where these numbers would be.
        let device = if kind.is_device() { header.device_major()?.zip(header.device_minor()?) } else { None };
        Ok(FileRecord {
            kind: Some(kind),
            size: (kind == FileKind::Regular).then_some(header.entry_size()?),
            mode: Some(header.mode()? & 0o7777),
            // dpkg goes by the name, and by the number only where nobody has the name.
            user: self.accounts.user(&named(header.username())).or(header.uid()?.try_into().ok()),
            group: self.accounts.group(&named(header.groupname())).or(header.gid()?.try_into().ok()),
            link_target: target.filter(|_| kind == FileKind::Link).and_then(|target| String::from_utf8(target).ok()),
            modified: Some(header.mtime()?),
            device,
            ..FileRecord::at(path)
        })
    }

    /// A further name of a file that came before.
    fn linked(&self, path: &str, target: &[u8]) -> io::Result<FileRecord> {
        let first = absolute(target).ok().and_then(|target| self.files.get(&target));
        let first = first.ok_or_else(|| io::Error::other(format!("{path} is a further name of what is not there")))?;
        Ok(FileRecord { path: path.to_owned(), ..first.clone() })
    }

    fn check_sum(&mut self, path: &str, contents: impl Read) -> io::Result<()> {
        let Some(known) = self.sums.get(path) else { return Ok(()) };
        let sum = checksum(ChecksumKind::Md5, contents, &mut self.block, &mut |_| ControlFlow::Continue(()))?;
        if sum.as_ref() == Some(known) {
            return Ok(());
        }
        Err(io::Error::other(format!("{path} is another file in it than dpkg installed")))
    }
}

fn long_name(entry: &mut Entry<'_, impl Read>) -> io::Result<Vec<u8>> {
    let mut name = Vec::new();
    entry.take(LONGEST_PATH + 1).read_to_end(&mut name)?;
    if name.len() as u64 > LONGEST_PATH {
        return Err(io::Error::other("a path in it is too long"));
    }
    if name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

/// A member's path as dpkg's list has it: `./usr/` is `/usr`.
fn absolute(path: &[u8]) -> io::Result<String> {
    let path = std::str::from_utf8(path).map_err(|_| io::Error::other("a path in it is no text"))?;
    let path = path.strip_prefix('.').filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path);
    Ok(format!("/{}", path.trim_matches('/')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_made_absolute() {
        for (path, made) in [("./usr/", "/usr"), ("./", "/"), ("usr/a", "/usr/a"), ("/a", "/a"), ("./.a", "/.a")] {
            assert_eq!(absolute(path.as_bytes()).unwrap(), made);
        }
        assert_eq!(absolute(b".hidden").unwrap(), "/.hidden");
        assert!(absolute(b"\xff").is_err());
    }

    fn read(data: &[u8], sums: &Sums) -> io::Result<HashMap<String, FileRecord>> {
        Contents::new(sums, &Accounts::default()).read(&mut &*data)
    }

    fn header(kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o4755);
        header.set_mtime(1_700_000_000);
        header.set_uid(12);
        header.set_gid(34);
        header.set_username("nobody").unwrap();
        header.set_groupname("root").unwrap();
        header
    }

    #[test]
    fn members_become_records() {
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_data(&mut header(EntryType::Directory, 0), "./usr/", io::empty()).unwrap();
        let long = format!("./usr/{}/file", "x".repeat(200));
        tar.append_data(&mut header(EntryType::Regular, 3), &long, b"abc".as_slice()).unwrap();
        tar.append_link(&mut header(EntryType::Link, 0), "./usr/hard", &long).unwrap();
        tar.append_link(&mut header(EntryType::Symlink, 0), "./usr/soft", "/else").unwrap();
        let bytes = tar.into_inner().unwrap();
        let path = format!("/usr/{}/file", "x".repeat(200));
        let md5 = "900150983cd24fb0d6963f7d28e17f72".to_owned();
        let files = read(&bytes, &Sums::from([(path.clone(), md5)])).unwrap();
        assert_eq!(files.len(), 4);
        let file = &files[&path];
        assert_eq!((file.kind, file.size, file.mode), (Some(FileKind::Regular), Some(3), Some(0o4755)));
        assert_eq!((file.user, file.group, file.modified), (Some(12), Some(0), Some(1_700_000_000)));
        assert_eq!(files["/usr/hard"], FileRecord { path: "/usr/hard".to_owned(), ..file.clone() });
        assert_eq!(files["/usr/soft"].link_target.as_deref(), Some("/else"));
        assert_eq!(files["/usr"].kind, Some(FileKind::Directory));
        let error = read(&bytes, &Sums::from([(path, "00".to_owned())])).unwrap_err();
        assert!(error.to_string().ends_with("is another file in it than dpkg installed"));
        let contents = bytes.windows(4).position(|b| b == b"abc\0").unwrap();
        assert!(read(&bytes[..=contents], &Sums::new()).is_err(), "it is cut off");
    }

    #[test]
    fn members_that_dpkg_does_not_take_are_refused() {
        let mut tar = tar::Builder::new(Vec::new());
        let mut long = header(EntryType::GNULongName, 1 << 20);
        tar.append_data(&mut long, "././@LongLink", io::repeat(b'a').take(1 << 20)).unwrap();
        assert_eq!(read(&tar.into_inner().unwrap(), &Sums::new()).unwrap_err().to_string(), "a path in it is too long");
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_data(&mut header(EntryType::XHeader, 0), "./pax", io::empty()).unwrap();
        assert!(read(&tar.into_inner().unwrap(), &Sums::new()).is_err());
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_link(&mut header(EntryType::Link, 0), "./hard", "./nowhere").unwrap();
        assert!(read(&tar.into_inner().unwrap(), &Sums::new()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = read(&bytes, &Sums::new());
        }
    }
}
