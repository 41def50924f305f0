//! Where the package files are that repositories offer.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Seek};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::super::sources::{Entry, Sources, Uri};
use super::super::stanza::Stanza;
use super::{Lists, Refused, index};
use crate::software::verification::{BLOCK, checksum};
use crate::software::{ChecksumKind, ManagerError, Nevra};

const FIELDS: &[&str] = &["Package", "Version", "Architecture", "Filename", "Size", "SHA256"];

/// A package file that an archive has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::software::deb) struct OfferedFile {
    /// The archive.
    archive: Uri,
    /// Its path in the archive.
    name: String,
    /// Its size in octets.
    pub size: u64,
    /// Its SHA-256 sum, in hexadecimal.
    pub sha256: String,
}

impl OfferedFile {
    /// Whether it lies on this host.
    pub(in crate::software::deb) fn is_here(&self) -> bool {
        self.archive.folder().is_some()
    }

    /// Opens it where it lies on this host; `None` if it is not there. No name and no link leads out of the archive.
    pub(in crate::software::deb) fn open(&self, lists: &Lists) -> io::Result<Option<File>> {
        lists.in_archive(&self.archive, |archive| archive.open_file(&self.name))
    }

    /// Hands the file back if it is this one.
    pub(in crate::software::deb) fn check(&self, mut file: File) -> io::Result<File> {
        if file.metadata()?.len() != self.size {
            return Err(io::Error::other("it has another size than its list says"));
        }
        file.rewind()?;
        let sum = checksum(ChecksumKind::Sha256, &file, &mut vec![0; BLOCK], &mut |_| ControlFlow::Continue(()))?;
        file.rewind()?;
        match sum {
            Some(sum) if sum == self.sha256 => Ok(file),
            _ => Err(io::Error::other("it has another checksum than its list says")),
        }
    }
}

/// The files of a build in the archives of the enabled repositories; there are several if it was built several times.
/// Only the lists of archives that are `wanted` are read.
pub(in crate::software::deb) fn files_of(
    root: &Path,
    nevra: &Nevra,
    wanted: impl Fn(&Uri) -> bool,
) -> Result<Vec<OfferedFile>, ManagerError> {
    let sources = Sources::read(root)?;
    let lists = Lists::open(root)?;
    let mut archives: BTreeMap<PathBuf, Vec<Uri>> = BTreeMap::new();
    for Entry { source, .. } in sources.entries.iter().filter(|entry| entry.enabled) {
        if !source.uris.iter().any(&wanted) {
            continue;
        }
        for (archive, list) in lists.packages_of_archives(source).into_iter().filter(|(archive, _)| wanted(archive)) {
            archives.entry(list).or_default().push(archive);
        }
    }
    let mut files = Vec::new();
    for (list, archives) in archives {
        let Ok(()) = index::each(&list, FIELDS, |stanza| -> Result<(), Refused<Infallible>> {
            if let Some((name, size, sha256)) = file(stanza, nevra) {
                let of = |archive: &Uri| OfferedFile {
                    archive: archive.clone(),
                    name: name.clone(),
                    size,
                    sha256: sha256.clone(),
                };
                files.extend(archives.iter().map(of));
            }
            Ok(())
        });
    }
    let mut known = BTreeSet::new();
    files.retain(|file: &OfferedFile| known.insert((file.archive.to_string(), file.name.clone(), file.sha256.clone())));
    Ok(files)
}

/// The path, size and sum of the file of exactly this build, if the stanza is of it.
fn file(stanza: &Stanza, nevra: &Nevra) -> Option<(String, u64, String)> {
    let package = stanza.get("Package").filter(|name| **name == *nevra.name)?;
    let build = Nevra::from_debian(package, stanza.get("Version")?, stanza.get("Architecture")?)?;
    let (name, size, sha256) = (stanza.get("Filename")?, stanza.get("Size")?, stanza.get("SHA256")?);
    (build == *nevra).then(|| Some((name.to_owned(), size.parse().ok()?, sha256.to_ascii_lowercase())))?
}
