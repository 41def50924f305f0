//! The numbers of jobs. Each is run once, also after what was kept of its job was deleted: then it lies below the lowest number
//! that a job may still have.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{durable, journal};

/// The highest number that a job can have: the store counts no further.
pub const HIGHEST: u64 = i64::MAX as u64;

/// How far a number may lie above the next one that is known here. Workers of one host share the numbers, and none falls that
/// far behind; whoever wants to use all of them up must ask some 90,000,000,000 times, each of which is written to the disk.
pub const MOST_AHEAD: u64 = 100_000_000;

/// The lowest number that a job may still have.
pub fn lowest(worker_dir: &Path) -> io::Result<u64> {
    let path = path(worker_dir);
    let no_number = || io::Error::new(ErrorKind::InvalidData, format!("{} holds no number", path.display()));
    match fs::read_to_string(&path) {
        Ok(text) => text.trim_end().parse().map_err(|_| no_number()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// The lowest number that no job here has or had.
pub fn next(worker_dir: &Path) -> io::Result<u64> {
    let kept = journal::all(worker_dir)?.into_iter().filter(|&job| job < HIGHEST).max();
    Ok(lowest(worker_dir)?.max(kept.map_or(0, |job| job + 1)))
}

/// Whether a number is not so far above all that are known here that only a server gone mad can have it.
pub(super) fn is_in_reach(worker_dir: &Path, number: u64) -> io::Result<bool> {
    Ok(number <= next(worker_dir)?.saturating_add(MOST_AHEAD))
}

/// From now on no job has a number below this one. It is durable when this returns.
pub(super) fn raise(worker_dir: &Path, number: u64) -> io::Result<()> {
    if number <= lowest(worker_dir)? {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o750).create(worker_dir.join("jobs"))?;
    durable::write(&path(worker_dir), format!("{number}\n").as_bytes())
}

fn path(worker_dir: &Path) -> PathBuf {
    worker_dir.join("jobs").join("lowest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_number_only_grows() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!((lowest(state.path()).unwrap(), next(state.path()).unwrap()), (0, 0));
        raise(state.path(), 7).unwrap();
        raise(state.path(), 5).unwrap();
        assert_eq!(lowest(state.path()).unwrap(), 7);
        for job in [3, 8, u64::MAX] {
            fs::create_dir(journal::folder(state.path(), job)).unwrap();
        }
        assert_eq!(next(state.path()).unwrap(), 9);
        fs::write(path(state.path()), "x").unwrap();
        assert_eq!(raise(state.path(), 9).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
