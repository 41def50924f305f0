//! ZIP files.

use std::io::{Read, Seek};

use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;

use super::super::descriptor_xml::safe_path;
use super::{ContainerProblem, directory, read_limited};

/// A ZIP that is open.
#[derive(Clone, Debug)]
pub(in super::super) struct Zip<R>(ZipArchive<R>);

impl<R: Read + Seek> Zip<R> {
    /// Opens a ZIP: reads its directory and looks at all names.
    pub(in super::super) fn open(mut reader: R) -> Result<Self, ContainerProblem> {
        directory::check(&mut reader)?;
        let archive =
            ZipArchive::with_config(Config { archive_offset: ArchiveOffset::Known(0) }, reader).map_err(problem)?;
        if archive.has_duplicate_names() {
            return Err(ContainerProblem::Refused("It has two files of one name".to_owned()));
        }
        for index in 0..archive.len() {
            check_entry(&archive.by_index_data(index).map_err(problem)?)?;
        }
        Ok(Self(archive))
    }

    /// The names of its files, in the order of its directory.
    pub(in super::super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.file_names_raw().filter_map(|name| str::from_utf8(name).ok()).filter(|name| !name.ends_with('/'))
    }

    /// The contents of a file, of at most so many octets.
    pub(in super::super) fn read(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, ContainerProblem> {
        self.with(name, |length, reader| read_limited(name, reader, length, limit))?
    }

    /// Gives a file to who reads it, with its length as the directory tells it.
    pub(in super::super) fn with<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(u64, &mut dyn Read) -> T,
    ) -> Result<T, ContainerProblem> {
        let missing = || ContainerProblem::Missing(name.to_owned());
        let index = self.0.index_for_name_raw(name.as_bytes()).ok_or_else(missing)?;
        let mut entry = self.0.by_index(index).map_err(problem)?;
        let length = entry.size();
        Ok(read(length, &mut entry))
    }
}

fn check_entry(entry: &zip::read::ZipFileEntry<'_>) -> Result<(), ContainerProblem> {
    let refuse = |why: &str| {
        let name = String::from_utf8_lossy(entry.name_raw());
        ContainerProblem::Refused(format!("It has a file that is called {name:?}{why}"))
    };
    let name = str::from_utf8(entry.name_raw()).map_err(|_| refuse(", which is not written in UTF-8"))?;
    if name.contains('\\') || !safe_path(name.strip_suffix('/').unwrap_or(name)) {
        return Err(refuse(", which does not lie inside of it"));
    }
    // Nothing that deflate makes is shorter.
    if entry.size() / 1032 > entry.compressed_size() {
        return Err(refuse(" and cannot be as long as it says"));
    }
    Ok(())
}

fn problem(error: ZipError) -> ContainerProblem {
    match error {
        ZipError::Io(error) => ContainerProblem::Io(error),
        ZipError::UnsupportedArchive(why) => {
            ContainerProblem::Refused(format!("It is packed in a way that is not taken: {why}"))
        }
        error => ContainerProblem::NotZip(error.to_string()),
    }
}
