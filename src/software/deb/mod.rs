//! Debian packages: dpkg's database, changed with apt-get.

mod apt;
mod architectures;
mod archive;
mod bundles;
mod cache;
mod database;
mod files;
mod lists;
mod locks;
mod plan;
mod preparation;
mod refresh;
mod relations;
mod report;
mod request;
mod settings;
mod simulation;
mod sources;
mod stanza;
mod transaction;
mod work;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::lists::OfferedFiles;
use super::database::{Database, Format, Sign};
use super::marks::Marks;
use super::root::Root;
use super::shelf::Shelf;
use super::tool::is_there;
use super::verification::verify;
use super::{
    Abilities, ApplyError, Bundles, CancelToken, Catalog, EngineSettings, Family, FileRecord, InspectError, Inventory,
    Manager, ManagerError, Nevra, Operation, Outcome, Package, Plan, Progress, Relations, Repository, RepositoryError,
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

/// Opens a managed root, so that its links are followed inside of it.
fn open_root(root: &Path) -> Result<Root, ManagerError> {
    Root::open(root).map_err(|source| ManagerError::Read { path: root.to_owned(), source })
}

/// The engine of a Debian root.
#[derive(Debug)]
pub(super) struct Deb {
    root: PathBuf,
    settings: EngineSettings,
    database: Database<Dpkg>,
    catalog: Shelf<Catalog>,
    bundles: Shelf<Bundles>,
    installed_relations: Shelf<Relations>,
    offered_relations: Shelf<Relations>,
    files_here: Shelf<OfferedFiles>,
}

impl Deb {
    /// Reads the database under `root`, an absolute path.
    pub(super) fn open(root: PathBuf, settings: EngineSettings) -> Result<Self, ManagerError> {
        let database = Database::open(Dpkg { folder: root.join(FOLDER) })?;
        Ok(Self {
            root,
            settings,
            database,
            catalog: Shelf::default(),
            bundles: Shelf::default(),
            installed_relations: Shelf::default(),
            offered_relations: Shelf::default(),
            files_here: Shelf::default(),
        })
    }

    /// The package files in archives on this host, read again when the lists or the sources changed. Blocks.
    fn files_here(&self) -> Result<Arc<OfferedFiles>, ManagerError> {
        self.files_here.get(Marks::of(lists::files(&self.root)?), || lists::files_here(&self.root))
    }
}

impl Manager for Deb {
    fn family(&self) -> Family {
        Family::Deb
    }

    /// apt-get does everything that changes something.
    fn abilities(&self) -> Abilities {
        let is_there = is_there("apt-get");
        Abilities { changes: is_there, repositories: is_there }
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

    fn catalog(&self) -> Result<Arc<Catalog>, ManagerError> {
        self.catalog.get(Marks::of(lists::files(&self.root)?), || lists::read(&self.root))
    }

    fn loaded_catalog(&self) -> Option<Arc<Catalog>> {
        self.catalog.peek()
    }

    fn offered_count(&self) -> Option<usize> {
        self.catalog.latest().map(|catalog| catalog.len())
    }

    fn drop_unused(&self, idle: Duration) {
        self.catalog.drop_unused(idle);
        self.bundles.drop_unused(idle);
        self.installed_relations.drop_unused(idle);
        self.offered_relations.drop_unused(idle);
        self.files_here.drop_unused(idle);
    }

    fn doubt(&self) {
        self.catalog.doubt();
        self.bundles.doubt();
        self.installed_relations.doubt();
        self.offered_relations.doubt();
        self.files_here.doubt();
    }

    fn installed_relations(&self) -> Result<Arc<Relations>, ManagerError> {
        self.installed_relations.get(self.database.marks()?, || relations::installed(&self.root.join(FOLDER)))
    }

    fn offered_relations(&self) -> Result<Arc<Relations>, ManagerError> {
        self.offered_relations.get(Marks::of(lists::files(&self.root)?), || relations::offered(&self.root))
    }

    fn bundles(&self) -> Result<Arc<Bundles>, ManagerError> {
        self.bundles.get(Marks::of(bundles::files(&self.root)?), || bundles::read(&self.root))
    }

    fn loaded_bundles(&self) -> Option<Arc<Bundles>> {
        self.bundles.peek()
    }

    fn repositories(&self) -> Result<Vec<Repository>, ManagerError> {
        sources::read(&self.root)
    }

    fn set_repository(&self, id: &str, enabled: bool) -> Result<(), RepositoryError> {
        sources::set_enabled(&self.root, id, enabled)
    }

    fn plan(&self, operation: &Operation, cancel: &CancelToken) -> Result<Plan, ApplyError> {
        plan::plan(self, operation, cancel)
    }

    fn files(&self, nevra: &Nevra) -> Result<Vec<FileRecord>, ManagerError> {
        files::read(self, nevra)
    }

    fn paths(&self, nevra: &Nevra) -> Result<Vec<String>, ManagerError> {
        files::paths(self, nevra)
    }

    fn files_to_verify(
        &self,
        nevra: &Nevra,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Vec<FileRecord>, ApplyError> {
        files::read_or_fetch(self, nevra, progress, cancel)
    }

    fn root(&self) -> &Path {
        &self.root
    }

    fn apply(
        &self,
        operation: &Operation,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Outcome, ApplyError> {
        if let Operation::Verify { nevra } = operation {
            return verify(self, nevra, progress, cancel);
        }
        transaction::apply(self, operation, progress, cancel)
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
