//! Where the parts of an image store lie.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// How the names of folders begin in which an image is put together.
const STAGING: &str = "staging-";

/// The folder of an image store.
#[derive(Clone, Debug)]
pub(super) struct Layout(PathBuf);

impl Layout {
    /// The store in this folder.
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// The bank of the image that runs, unless the other bank's is newer and needs no boot any more.
    pub(super) fn bootbank(&self) -> PathBuf {
        self.0.join("bootbank")
    }

    /// The bank of the image that comes next or was before.
    pub(super) fn altbootbank(&self) -> PathBuf {
        self.0.join("altbootbank")
    }

    /// What the host is.
    pub(super) fn host_file(&self) -> PathBuf {
        self.0.join("host.toml")
    }

    /// Whoever changes the store holds a lock on it.
    pub(super) fn lock_file(&self) -> PathBuf {
        self.0.join("image.lock")
    }

    /// Whether it is the host's own, which is booted by nobody but its firmware.
    pub(super) fn is_own_host(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// The file whose content is another after every boot.
    pub(super) fn boot_marker(&self) -> PathBuf {
        match self.is_own_host() {
            true => PathBuf::from("/proc/sys/kernel/random/boot_id"),
            false => self.0.join("boot-marker"),
        }
    }

    /// A folder to put an image together in, of which there is none yet.
    pub(super) fn new_staging(&self) -> PathBuf {
        self.0.join(format!("{STAGING}{}", uuid::Uuid::new_v4().simple()))
    }

    /// The folders that somebody who was stopped left behind.
    pub(super) fn leftovers(&self) -> io::Result<Vec<PathBuf>> {
        let mut leftovers = Vec::new();
        for entry in self.0.read_dir()? {
            let entry = entry?;
            let kind = entry.file_type()?;
            // A link took the name of what was staged if a bank was one.
            if is_staging(&entry.file_name()) && (kind.is_dir() || kind.is_symlink()) {
                leftovers.push(entry.path());
            }
        }
        Ok(leftovers)
    }
}

/// Whether a folder has a name that [`Layout::new_staging`] gives; a folder of somebody else is not removed.
fn is_staging(name: &OsStr) -> bool {
    let number = name.to_str().and_then(|name| name.strip_prefix(STAGING));
    number.is_some_and(|number| number.len() == 32 && number.bytes().all(|octet| octet.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_what_was_staged_here_is_left_over() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let staged = layout.new_staging();
        let others = ["staging-area", "staging-0", "bootbank"].map(|name| dir.path().join(name));
        others.iter().chain([&staged]).for_each(|folder| fs::create_dir(folder).unwrap());
        assert_eq!(layout.leftovers().unwrap(), [staged]);
    }
}
