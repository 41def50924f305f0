//! Where the files of a bundle or of metadata lie: in a ZIP or in a folder. What comes from there is bounded, and nothing
//! is found outside of it.

mod directory;
mod folder;
mod shared_file;
mod zip_file;

use std::io::{self, Read};

pub(super) use folder::Folder;
pub(super) use shared_file::SharedFile;
pub(super) use zip_file::Zip;

/// Why a file is not had.
#[derive(Debug, thiserror::Error)]
pub(super) enum ContainerProblem {
    /// There is none of this name. The words are those of Python's zipfile, which VMware's tools print.
    #[error("\"There is no item named '{0}' in the archive\"")]
    Missing(String),
    /// It is no ZIP; what is wrong.
    #[error("File is not a zip file ({0})")]
    NotZip(String),
    /// It is one that is not taken.
    #[error("{0}")]
    Refused(String),
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Reads all, up to a limit in octets.
fn read_limited(name: &str, reader: impl Read, expected: u64, limit: u64) -> Result<Vec<u8>, ContainerProblem> {
    let too_long = || ContainerProblem::Refused(format!("{name} is longer than the {limit} octets that are allowed"));
    if expected > limit {
        return Err(too_long());
    }
    // What the directory says is not yet true: a small file does not make us take much memory.
    let mut contents = Vec::with_capacity(usize::try_from(expected.min(1 << 20)).unwrap_or(0));
    reader.take(limit + 1).read_to_end(&mut contents)?;
    if contents.len() as u64 > limit { Err(too_long()) } else { Ok(contents) }
}

#[cfg(test)]
mod tests;
