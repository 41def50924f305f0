//! RPM packages: rpm's database, changed with dnf where the root has repositories, else with rpm.

mod architecture;
mod check;
mod configuration;
mod files;
mod forecast;
mod glob;
mod install_only;
mod lock;
mod metadata;
mod name_lists;
mod plan;
mod query;
mod reboot;
mod relations;
mod release;
mod report;
mod repository_files;
mod request;
mod session;
mod table;
mod tools;
mod transaction;

use std::convert::Infallible;
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use configuration::{Configuration, Unreadable};

use super::database::{Database, Format, Sign};
use super::marks::Marks;
use super::shelf::Shelf;
use super::tool::is_there;
use super::verification::verify;
use super::{
    Abilities, ApplyError, Bundles, CancelToken, Catalog, EngineSettings, Family, FileRecord, InspectError, Inventory,
    Manager, ManagerError, Nevra, Operation, Outcome, Package, Plan, Progress, Relations, Repository, RepositoryError,
};

/// Where distributions keep the database, under the root: the newer place first.
const FOLDERS: [&str; 2] = ["usr/lib/sysimage/rpm", "var/lib/rpm"];

/// The files of rpm's back ends: sqlite (with its log), ndb, Berkeley DB.
const FILES: [&str; 4] = ["rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages.db", "Packages"];

/// rpm's lead, the first bytes of every package file.
const MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];

/// The folder of the rpm database, relative to the root; `None` if there is no database.
pub(super) fn database_folder(root: &Path) -> Option<&'static str> {
    FOLDERS.into_iter().find(|folder| FILES.iter().any(|file| root.join(folder).join(file).is_file()))
}

/// The engine of an RPM root.
#[derive(Debug)]
pub(super) struct Rpm {
    root: PathBuf,
    /// The database's folder as it is called inside the root.
    dbpath: String,
    settings: EngineSettings,
    database: Database<Rpmdb>,
    catalog: Shelf<Catalog>,
    bundles: Shelf<Bundles>,
    installed_relations: Shelf<Relations>,
    offered_relations: Shelf<Relations>,
    /// The release of its distribution, where that is known.
    release: Shelf<Option<String>>,
}

impl Rpm {
    /// Reads the database under `root`, an absolute path.
    pub(super) fn open(root: PathBuf, settings: EngineSettings) -> Result<Self, ManagerError> {
        let folder = database_folder(&root).unwrap_or("var/lib/rpm");
        let database = Database::open(Rpmdb { folder: root.join(folder) })?;
        let dbpath = format!("/{folder}");
        Ok(Self {
            root,
            dbpath,
            settings,
            database,
            catalog: Shelf::default(),
            bundles: Shelf::default(),
            installed_relations: Shelf::default(),
            offered_relations: Shelf::default(),
            release: Shelf::default(),
        })
    }

    /// How dnf is configured now.
    fn configuration(&self) -> Result<Configuration, Unreadable> {
        let folder = self.database_folder();
        let marks = Marks::of(release::files(&self.root, FILES.map(|file| folder.join(file))));
        let Ok(release) = self.release.get(marks, || Ok::<_, Infallible>(release::read(&self.root, &folder)));
        let read = if tools::is_dnf5() { Configuration::read_for_dnf5 } else { Configuration::read };
        read(&self.root, release.as_deref())
    }

    /// The database's folder on the host.
    fn database_folder(&self) -> PathBuf {
        self.root.join(self.dbpath.trim_start_matches('/'))
    }
}

impl Manager for Rpm {
    fn family(&self) -> Family {
        Family::Rpm
    }

    fn abilities(&self) -> Abilities {
        Abilities { changes: is_there("rpm"), repositories: tools::uses_dnf(&self.root) }
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
        inspect(file)
    }

    fn catalog(&self) -> Result<Arc<Catalog>, ManagerError> {
        let configuration = self.configuration()?;
        self.catalog.get(Marks::of(metadata::files(&configuration)), || metadata::read(&configuration))
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
    }

    fn doubt(&self) {
        self.catalog.doubt();
        self.bundles.doubt();
        self.installed_relations.doubt();
        self.offered_relations.doubt();
    }

    fn installed_relations(&self) -> Result<Arc<Relations>, ManagerError> {
        self.installed_relations.get(self.database.marks()?, || relations::installed(&self.database_folder()))
    }

    fn offered_relations(&self) -> Result<Arc<Relations>, ManagerError> {
        let configuration = self.configuration()?;
        let marks = Marks::of(metadata::files(&configuration));
        self.offered_relations.get(marks, || metadata::relations(&configuration))
    }

    fn bundles(&self) -> Result<Arc<Bundles>, ManagerError> {
        let configuration = self.configuration()?;
        let marks = Marks::of(metadata::files(&configuration));
        self.bundles.get(marks, || Ok(metadata::bundles(&configuration)))
    }

    fn loaded_bundles(&self) -> Option<Arc<Bundles>> {
        self.bundles.peek()
    }

    fn repositories(&self) -> Result<Vec<Repository>, ManagerError> {
        Ok(repository_files::read(&self.configuration()?))
    }

    fn set_repository(&self, id: &str, enabled: bool) -> Result<(), RepositoryError> {
        repository_files::set_enabled(&self.configuration()?, id, enabled)
    }

    fn plan(&self, operation: &Operation, cancel: &CancelToken) -> Result<Plan, ApplyError> {
        plan::plan(self, operation, cancel)
    }

    fn files(&self, nevra: &Nevra) -> Result<Vec<FileRecord>, ManagerError> {
        files::read(self, nevra)
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

fn inspect(file: &Path) -> Result<Package, InspectError> {
    let not = |why: &str| InspectError::NotAPackage(why.to_owned());
    // Asked before opening: opening a pipe would wait for its writer.
    if !fs::metadata(file)?.is_file() {
        return Err(not("it is no regular file"));
    }
    let mut opened = fs::File::open(file)?;
    let mut magic = Vec::new();
    opened.by_ref().take(8).read_to_end(&mut magic)?;
    opened.rewind()?;
    if magic.starts_with(b"!<arch>\n") {
        return Err(not("it is a Debian package or another archive, and this system has RPM packages"));
    }
    if !magic.starts_with(&MAGIC) {
        return Err(not("it is no RPM package"));
    }
    let told = query::in_file(opened)?.map_err(InspectError::NotAPackage)?;
    if told.is_source { Err(not("it is a source package, which is built and not installed")) } else { Ok(told.package) }
}

/// How rpm's database lies on disk.
#[derive(Debug)]
struct Rpmdb {
    folder: PathBuf,
}

impl Format for Rpmdb {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn files(&self) -> Result<Vec<PathBuf>, ManagerError> {
        Ok(FILES.iter().map(|file| self.folder.join(file)).collect())
    }

    fn read(&self) -> Result<Inventory, ManagerError> {
        query::installed(&self.folder)
    }

    /// A query alone writes sqlite's shared memory and closes its log, so these mean nothing; it leaves size and time
    /// of the database and its log as they were.
    fn sign(&self, file: &OsStr) -> Sign {
        match file.to_str() {
            Some(".rpm.lock") => Sign::Finished,
            Some(name) if FILES.contains(&name) => Sign::Changing,
            _ => Sign::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.rpm");
        for (content, why) in [
            (
                b"!<arch>\ndebian".as_slice(),
                "it is a Debian package or another archive, and this system has RPM packages",
            ),
            (b"hello", "it is no RPM package"),
            (b"", "it is no RPM package"),
            (b"\xed\xab\xee\xdb\x03\x00", "its header cannot be read"),
        ] {
            fs::write(&file, content).unwrap();
            let Err(InspectError::NotAPackage(said)) = inspect(&file) else { panic!("it was accepted") };
            assert_eq!(said, why);
        }
        assert!(matches!(inspect(&dir.path().join("no")), Err(InspectError::Read(_))));
        assert!(matches!(inspect(dir.path()), Err(InspectError::NotAPackage(_))));
    }
}
