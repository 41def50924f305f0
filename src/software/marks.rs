//! Whether files on disk are still those that were read.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Marks of files; `None` for a file that is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(Vec<(PathBuf, Option<Mark>)>);

/// What is another for every other state of a file, as far as its file system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    inode: u64,
    seconds: i64,
    nanoseconds: i64,
    size: u64,
}

impl Marks {
    /// The marks that the files have now.
    pub(super) fn of(files: Vec<PathBuf>) -> Self {
        Self(files.into_iter().map(|file| (file.clone(), mark(&file))).collect())
    }
}

fn mark(file: &Path) -> Option<Mark> {
    let m = fs::metadata(file).ok()?;
    Some(Mark { inode: m.ino(), seconds: m.mtime(), nanoseconds: m.mtime_nsec(), size: m.size() })
}
