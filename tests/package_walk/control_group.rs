//! A control group for a system with a systemd of its own: below ours, and gone with the test.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::eventually;
use crate::support::server::PATIENCE;

/// The group, in a hierarchy that is mounted for it: where hosts have it at all is theirs to decide.
#[derive(Debug)]
pub(crate) struct ControlGroup {
    hierarchy: TempDir,
    path: PathBuf,
}

impl ControlGroup {
    /// Makes one; an error says why there can be none.
    pub(crate) fn new() -> Result<Self, String> {
        let hierarchy = TempDir::new().unwrap();
        let mounted = Command::new("mount").args(["-t", "cgroup2", "cgroup2"]).arg(hierarchy.path()).output().unwrap();
        if !mounted.status.success() {
            return Err(format!("no cgroup2 can be mounted: {}", String::from_utf8_lossy(&mounted.stderr)));
        }
        let ours = fs::read_to_string("/proc/self/cgroup").unwrap();
        let ours = ours.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default().to_owned();
        let name = format!("quartermaster-test-{}", hierarchy.path().file_name().unwrap().to_string_lossy());
        let made = Self { path: hierarchy.path().join(ours).join(name), hierarchy };
        fs::create_dir(&made.path).map_err(|error| format!("no control group can be made: {error}"))?;
        Ok(made)
    }

    /// The file that takes processes in.
    pub(crate) fn processes(&self) -> PathBuf {
        self.path.join("cgroup.procs")
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // Processes that were killed are gone a moment later.
        if self.path.exists() {
            eventually("the control group to be left", PATIENCE, || remove(&self.path).ok());
        }
        let unmounted = Command::new("umount").arg(self.hierarchy.path()).status();
        assert!(unmounted.unwrap().success() || std::thread::panicking());
    }
}

/// Removes a group with those below it.
fn remove(group: &Path) -> io::Result<()> {
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    fs::remove_dir(group)
}
