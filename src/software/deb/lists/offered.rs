//! Where the package files are that repositories offer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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

/// How many files of one build are remembered; real archives have one or two.
const MOST_OF_A_BUILD: usize = 16;

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

/// Files of builds; there are several of a build that was built several times.
pub(in crate::software::deb) type OfferedFiles = HashMap<Nevra, Vec<OfferedFile>>;

/// The files in the archives of the enabled repositories that lie on this host.
pub(in crate::software::deb) fn files_here(root: &Path) -> Result<OfferedFiles, ManagerError> {
    let mut offered = OfferedFiles::new();
    each(
        root,
        |archive| archive.folder().is_some(),
        |stanza, archives| {
            let Some(build) = build(stanza) else { return };
            let Some(file) = Listed::of(stanza) else { return };
            let files = offered.entry(build).or_default();
            for file in archives.iter().map(|archive| file.in_archive(archive)) {
                if files.len() < MOST_OF_A_BUILD && !files.contains(&file) {
                    files.push(file);
                }
            }
        },
    )?;
    Ok(offered)
}

/// The files of a build in the archives of all enabled repositories.
pub(in crate::software::deb) fn files_of(root: &Path, nevra: &Nevra) -> Result<Vec<OfferedFile>, ManagerError> {
    let mut files = Vec::new();
    each(
        root,
        |_| true,
        |stanza, archives| {
            let is_named = stanza.get("Package").is_some_and(|name| *name == *nevra.name);
            if is_named && build(stanza).as_ref() == Some(nevra) {
                let file = Listed::of(stanza);
                files.extend(file.iter().flat_map(|file| archives.iter().map(|archive| file.in_archive(archive))));
            }
        },
    )?;
    let mut known = BTreeSet::new();
    files.retain(|file: &OfferedFile| known.insert((file.archive.to_string(), file.name.clone(), file.sha256.clone())));
    Ok(files)
}

/// Hands over what the lists of the enabled repositories say of packages in archives that are `wanted`, with these archives.
/// Other lists are not read.
fn each(root: &Path, wanted: impl Fn(&Uri) -> bool, mut take: impl FnMut(&Stanza, &[Uri])) -> Result<(), ManagerError> {
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
    for (list, archives) in archives {
        let Ok(()) = index::each(&list, FIELDS, |stanza| -> Result<(), Refused<Infallible>> {
            take(stanza, &archives);
            Ok(())
        });
    }
    Ok(())
}

fn build(stanza: &Stanza) -> Option<Nevra> {
    Nevra::from_debian(stanza.get("Package")?, stanza.get("Version")?, stanza.get("Architecture")?)
}

/// What a list says of a file, if it has a sum that can be relied on.
struct Listed<'a> {
    name: &'a str,
    size: u64,
    sha256: String,
}

impl<'a> Listed<'a> {
    fn of(stanza: &'a Stanza) -> Option<Self> {
        let (name, size, sha256) = (stanza.get("Filename")?, stanza.get("Size")?, stanza.get("SHA256")?);
        Some(Self { name, size: size.parse().ok()?, sha256: sha256.to_ascii_lowercase() })
    }

    fn in_archive(&self, archive: &Uri) -> OfferedFile {
        OfferedFile {
            archive: archive.clone(),
            name: self.name.to_owned(),
            size: self.size,
            sha256: self.sha256.clone(),
        }
    }
}
