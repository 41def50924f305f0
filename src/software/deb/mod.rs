//! Debian packages: dpkg's database, changed with apt-get.

mod apt;
mod archive;
mod database;
mod install;
mod report;
mod stanza;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::database::{Database, Format, Sign};
use super::{
    ApplyError, CancelToken, EngineSettings, Family, InspectError, Inventory, Manager, ManagerError, Operation,
    Outcome, Package, Progress,
};

/// dpkg's folder under a root.
const FOLDER: &str = "var/lib/dpkg";

/// Whether there is a dpkg database under the root, be it empty.
pub(super) fn has_database(root: &Path) -> bool {
    root.join(FOLDER).join("status").is_file()
}

/// Whether the dpkg database under the root knows of packages.
pub(super) fn has_packages(root: &Path) -> bool {
    fs::metadata(root.join(FOLDER).join("status")).is_ok_and(|m| m.is_file() && m.len() > 0)
}

/// The engine of a Debian root.
#[derive(Debug)]
pub(super) struct Deb {
    root: PathBuf,
    settings: EngineSettings,
    database: Database<Dpkg>,
}

impl Deb {
    /// Reads the database under `root`, an absolute path.
    pub(super) fn open(root: PathBuf, settings: EngineSettings) -> Result<Self, ManagerError> {
        let database = Database::open(Dpkg { folder: root.join(FOLDER) })?;
        Ok(Self { root, settings, database })
    }
}

impl Manager for Deb {
    fn family(&self) -> Family {
        Family::Deb
    }

    fn inventory(&self) -> Arc<Inventory> {
        self.database.inventory()
    }

    fn refresh(&self) -> Result<bool, ManagerError> {
        self.database.refresh()
    }

    fn wait_for_change(&self, limit: Duration) -> bool {
        self.database.wait_for_change(limit)
    }

    fn inspect(&self, file: &Path) -> Result<Package, InspectError> {
        archive::inspect(file)
    }

    fn apply(
        &self,
        operation: &Operation,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Outcome, ApplyError> {
        install::apply(self, operation, progress, cancel)
    }
}

/// How dpkg's database lies on disk.
#[derive(Debug)]
struct Dpkg {
    folder: PathBuf,
}

impl Format for Dpkg {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn files(&self) -> Result<Vec<PathBuf>, ManagerError> {
        let mut files = database::journal(&self.folder)?;
        files.push(self.folder.join("status"));
        Ok(files)
    }

    fn read(&self) -> Result<Inventory, ManagerError> {
        database::read(&self.folder)
    }

    /// `status` is replaced by renaming; the frontend's lock is let go when all of a run is done. The lock alone is
    /// no sign of a change, but ends the wait for quiet after one.
    fn sign(&self, file: &OsStr) -> Sign {
        match file.as_encoded_bytes() {
            b"status" => Sign::Changing,
            b"lock-frontend" => Sign::Finished,
            _ => Sign::None,
        }
    }
}
