//! Changes of files, one step after another: each could be the last before the power goes, and tests stop at every one.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::plain_file;
use crate::software::disk::free_octets;

/// The mode of a file that replaces none.
const USUAL_MODE: u32 = 0o644;

/// Asked before every step; tests refuse one to see what is left behind.
pub(super) trait Steps: Send + Sync + fmt::Debug {
    /// Whether the step may be done to this path; `octets` is how much it writes.
    fn next(&self, step: Step, path: &Path, octets: usize) -> io::Result<Allowed>;

    /// How many octets can still be written below a folder.
    fn free(&self, folder: &Path) -> io::Result<u64> {
        free_octets(folder)
    }
}

/// How much of a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// All of it.
    Whole,
    /// Of a writing step, these octets only, and then nothing more.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests cut a step"))]
    Part(usize),
    /// None of it, and nobody is told: what waits for the medium need not wait in a test.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests pass over a step"))]
    Pretended,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Makes a folder.
    Folder,
    /// Makes an empty file.
    Create,
    /// Writes to a file.
    Write,
    /// Has a file or a folder written to the medium.
    Sync,
    /// Gives a file a second name.
    Link,
    /// Gives a file or a folder another name.
    Rename,
    /// Has two folders take each other's names.
    Exchange,
    /// Removes a file or a folder.
    Remove,
}

/// All steps are done.
#[derive(Clone, Copy, Debug, Default)]
struct Unhindered;

impl Steps for Unhindered {
    fn next(&self, _: Step, _: &Path, _: usize) -> io::Result<Allowed> {
        Ok(Allowed::Whole)
    }
}

/// The file system, as an image store changes it.
#[derive(Clone, Debug)]
pub(super) struct Disk(Arc<dyn Steps>);

impl Default for Disk {
    fn default() -> Self {
        Self(Arc::new(Unhindered))
    }
}

impl Disk {
    /// One whose steps are asked for.
    #[cfg(test)]
    pub(super) fn with_steps(steps: Arc<dyn Steps>) -> Self {
        Self(steps)
    }

    /// Makes a folder that is not there yet.
    pub(super) fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.step(Step::Folder, folder)?;
        fs::DirBuilder::new().mode(0o755).create(folder)
    }

    /// Makes a file that is not there yet, to be written.
    pub(super) fn create_file(&self, file: &Path) -> io::Result<NewFile> {
        self.step(Step::Create, file)?;
        // Files of an image are never written again: banks share them.
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o444).open(file)?;
        Ok(NewFile { file: opened, path: file.to_owned(), disk: self.clone() })
    }

    /// Makes a file with this content and has it written to the medium.
    pub(super) fn write_file(&self, file: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = self.create_file(file)?;
        file.write_all(content)?;
        file.sync()
    }

    /// Puts this content in the place of a file's: whoever looks sees the old one or the new one, whole. The file keeps its
    /// mode.
    pub(super) fn replace_file(&self, file: &Path, content: &[u8]) -> io::Result<()> {
        self.replace(file, content, None)
    }

    /// The same, with the time at which the file was written: that of the file system may be some milliseconds behind.
    pub(super) fn replace_file_at(&self, file: &Path, content: &[u8], at: DateTime<Utc>) -> io::Result<()> {
        self.replace(file, content, Some(at))
    }

    fn replace(&self, file: &Path, content: &[u8], at: Option<DateTime<Utc>>) -> io::Result<()> {
        let new = replacement(file);
        self.sweep_replacement(file)?;
        let written = self.write_replacement(file, &new, content, at).and_then(|()| self.rename(&new, file));
        if written.is_err() {
            let _ = self.remove_file(&new);
        }
        written?;
        self.sync_renamed(parent(file));
        Ok(())
    }

    fn write_replacement(&self, file: &Path, new: &Path, content: &[u8], at: Option<DateTime<Utc>>) -> io::Result<()> {
        let mut written = self.create_file(new)?;
        let old = file.symlink_metadata().ok().filter(fs::Metadata::is_file);
        let mode = old.map_or(USUAL_MODE, |old| old.permissions().mode() & 0o777);
        // FAT has no modes.
        if let Err(error) = written.file.set_permissions(fs::Permissions::from_mode(mode)) {
            tracing::debug!("{} does not keep its mode: {error}", file.display());
        }
        written.write_all(content)?;
        if let Some(at) = at {
            written.file.set_modified(at.into())?;
        }
        written.sync()
    }

    /// Has a new name in a folder written to the medium. It counts already, whatever happens; only a power cut now might take
    /// it back, and whole.
    pub(super) fn sync_renamed(&self, folder: &Path) {
        if let Err(error) = self.sync_folder(folder) {
            tracing::warn!("a change of the image may not be on the medium yet: {error}");
        }
    }

    /// How many octets can still be written below a folder.
    pub(super) fn free(&self, folder: &Path) -> io::Result<u64> {
        self.0.free(folder)
    }

    /// Removes what somebody left behind who was stopped while a file was replaced.
    pub(super) fn sweep_replacement(&self, file: &Path) -> io::Result<()> {
        self.remove_file(&replacement(file))
    }

    /// Makes a second name for a file; a copy where the file system has none.
    pub(super) fn link_file(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Step::Link, to)?;
        if fs::hard_link(from, to).is_ok() {
            return Ok(());
        }
        self.copy_file(from, to)
    }

    /// Makes a copy of a file and has it written to the medium.
    pub(super) fn copy_file(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut content = plain_file::open(from)?;
        let mut copy = self.create_file(to)?;
        io::copy(&mut content, &mut copy)?;
        copy.sync()
    }

    /// Gives a file or a folder another name.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Step::Rename, to)?;
        fs::rename(from, to)
    }

    /// Has two folders take each other's names, both at once.
    pub(super) fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        self.step(Step::Exchange, other)?;
        Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }

    /// Has the names in a folder written to the medium.
    pub(super) fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        match self.0.next(Step::Sync, folder, 0)? {
            Allowed::Pretended => Ok(()),
            _ => File::open(folder)?.sync_all(),
        }
    }

    /// Removes a file if it is there.
    pub(super) fn remove_file(&self, file: &Path) -> io::Result<()> {
        if file.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
        self.step(Step::Remove, file)?;
        fs::remove_file(file)
    }

    /// Removes a folder with all that is in it; of a link to one the link alone.
    pub(super) fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        if folder.is_symlink() {
            return self.remove_file(folder);
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => self.remove_folder(&entry.path())?,
                false => self.remove_file(&entry.path())?,
            }
        }
        self.step(Step::Remove, folder)?;
        fs::remove_dir(folder)
    }

    fn step(&self, step: Step, path: &Path) -> io::Result<()> {
        self.0.next(step, path, 0).map(drop)
    }
}

/// A file that is being written for the first time.
#[derive(Debug)]
pub(super) struct NewFile {
    file: File,
    path: PathBuf,
    disk: Disk,
}

impl NewFile {
    /// Has its content written to the medium.
    pub(super) fn sync(&self) -> io::Result<()> {
        match self.disk.0.next(Step::Sync, &self.path, 0)? {
            Allowed::Pretended => Ok(()),
            _ => self.file.sync_data(),
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self.disk.0.next(Step::Write, &self.path, octets.len())? {
            Allowed::Whole | Allowed::Pretended => self.file.write(octets),
            Allowed::Part(part) => {
                self.file.write_all(octets.get(..part).unwrap_or(octets))?;
                Err(io::Error::other("stopped"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Where the file is written that takes the place of another.
fn replacement(file: &Path) -> PathBuf {
    file.with_extension("new")
}

/// The folder that a path lies in.
fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}
