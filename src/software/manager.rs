//! What a package engine can do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::change::unreadable;
use super::patch::AssessmentFile;
use super::verification::{FileRecord, Finding};
use super::vib::{ImageError, ImageOutcome};
use super::{Bundles, Catalog, Dependency, Family, Inventory, Nevra, Package, Relations, Repository, RepositoryError};

/// A package engine on one managed root.
///
/// The server uses the reading half, the worker the changing half; neither needs the other's rights. The defaults are those
/// of an engine that has no repositories.
pub trait Manager: Send + Sync + std::fmt::Debug {
    /// The family of packages it handles.
    fn family(&self) -> Family;

    /// What it can do with the tools and the repositories that are there now. Looks for a few files.
    fn abilities(&self) -> Abilities;

    /// The current snapshot. Answers from memory and never blocks.
    fn inventory(&self) -> Arc<Inventory>;

    /// Reads the package database again if it changed on disk; tells whether the snapshot was replaced.
    /// Blocks: call it off the event loop.
    fn refresh(&self) -> Result<bool, ManagerError>;

    /// Waits until the package database may have changed, at most `limit`; tells whether it may have.
    /// Blocks: a thread of its own calls it.
    fn wait_for_change(&self, limit: std::time::Duration) -> bool;

    /// Reads what a package file says of itself, without running anything of it. Blocks.
    fn inspect(&self, file: &Path) -> Result<Package, InspectError>;

    /// What the enabled repositories offer, by the metadata that the host has. Read when it is first asked for and again
    /// when it changed. Blocks.
    fn catalog(&self) -> Result<Arc<Catalog>, ManagerError> {
        Ok(Arc::new(Catalog::empty(self.family())))
    }

    /// The same if it is in memory, as it was read last; `None` if it must be read first. Never blocks.
    fn loaded_catalog(&self) -> Option<Arc<Catalog>> {
        self.catalog().ok()
    }

    /// How many packages the enabled repositories offer, as far as that is known now. Never blocks.
    fn offered_count(&self) -> Option<usize> {
        self.loaded_catalog().map(|catalog| catalog.len())
    }

    /// What the installed packages need and provide, read again when it changed. Blocks.
    fn installed_relations(&self) -> Result<Arc<Relations>, ManagerError> {
        Ok(Arc::new(Relations::empty(self.family())))
    }

    /// What the packages that the enabled repositories offer need and provide, read again when it changed. Blocks.
    fn offered_relations(&self) -> Result<Arc<Relations>, ManagerError> {
        Ok(Arc::new(Relations::empty(self.family())))
    }

    /// What an installed package needs, or else an offered one; nothing of a package that is neither. Blocks.
    fn dependencies(&self, nevra: &Nevra) -> Result<Vec<Dependency>, ManagerError> {
        let of = |relations: &Relations| relations.find(nevra).map(|number| relations.dependencies(number));
        match of(&*self.installed_relations()?) {
            Some(dependencies) => Ok(dependencies),
            None => Ok(of(&*self.offered_relations()?).unwrap_or_default()),
        }
    }

    /// The groups, tasks, metapackages and advisories that the host knows, read again when they changed. Blocks.
    fn bundles(&self) -> Result<Arc<Bundles>, ManagerError> {
        Ok(Arc::new(Bundles::default()))
    }

    /// The same if they are in memory, as they were read last; `None` if they must be read first. Never blocks.
    fn loaded_bundles(&self) -> Option<Arc<Bundles>> {
        self.bundles().ok()
    }

    /// Gives up what was read and nobody asked for in this time: the catalog, relations and bundles.
    fn drop_unused(&self, idle: std::time::Duration) {
        let _ = idle;
    }

    /// Has what repositories offer compared with its files before it is used again: it may have changed just now. Blocks
    /// while it is being read.
    fn doubt(&self) {}

    /// The configured repositories, enabled or not, in the order of their ids. Blocks.
    fn repositories(&self) -> Result<Vec<Repository>, ManagerError> {
        Ok(Vec::new())
    }

    /// Enables or disables a repository in the file that configures it and leaves everything else there as it is; a
    /// repository that is so already is no error. Blocks.
    fn set_repository(&self, id: &str, enabled: bool) -> Result<(), RepositoryError> {
        let _ = enabled;
        Err(RepositoryError::NotFound(id.to_owned()))
    }

    /// What an operation would change, by the tool's own dry run. Changes nothing but the tool's caches. Blocks.
    fn plan(&self, operation: &Operation, cancel: &CancelToken) -> Result<Plan, ApplyError>;

    /// The files of an installed package, with what is known of how they were installed; none if exactly this build is
    /// not installed. Blocks.
    fn files(&self, nevra: &Nevra) -> Result<Vec<FileRecord>, ManagerError>;

    /// The paths of these files alone, for which much less is read. Blocks.
    fn paths(&self, nevra: &Nevra) -> Result<Vec<String>, ManagerError> {
        Ok(self.files(nevra)?.into_iter().map(|file| file.path).collect())
    }

    /// The same as [`Self::files`] for a verification, which may also fetch what tells how they were installed; that this cannot be had is
    /// noted and is no failure. Blocks.
    fn files_to_verify(
        &self,
        nevra: &Nevra,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Vec<FileRecord>, ApplyError> {
        let _ = (progress, cancel);
        self.files(nevra).map_err(|error| unreadable(&error))
    }

    /// The folder that all paths of packages lie in: the managed root.
    fn root(&self) -> &Path;

    /// Does the operation with the engine's own tool. Blocks until it is done. Asks nothing: no terminal, no questions.
    /// A tool's exit code is not trusted: the outcome is what the database says before and after.
    fn apply(
        &self,
        operation: &Operation,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Outcome, ApplyError>;
}

/// What an engine can do with the tools that are there. Verification needs none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Whether packages are installed from files, and removed.
    pub changes: bool,
    /// Whether packages are installed, updated and repaired from repositories.
    pub repositories: bool,
}

impl Operation {
    /// The build that it is about; `None` if it is about no one build.
    pub fn nevra(&self) -> Option<&Nevra> {
        match self {
            Self::InstallFile { nevra, .. }
            | Self::Install { nevra, .. }
            | Self::Update { nevra }
            | Self::Repair { nevra }
            | Self::Remove { nevra, .. }
            | Self::Verify { nevra } => Some(nevra),
            Self::RefreshRepositories => None,
        }
    }
}

/// A change that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Install the package in this file, or update to it. Its dependencies must be there or come from a repository.
    InstallFile {
        /// The file; the engine may rely on nobody changing it meanwhile.
        file: PathBuf,
        /// What [`Manager::inspect`] said of the file.
        nevra: Nevra,
        /// Whether the same build is put in place again and a newer one replaced by an older one.
        force: bool,
    },
    /// Install exactly this build from a repository, or update to it.
    Install {
        /// The build.
        nevra: Nevra,
        /// Whether the same build is put in place again and a newer one replaced by an older one.
        force: bool,
    },
    /// Update this installed package to the newest that the repositories offer.
    Update {
        /// The installed build.
        nevra: Nevra,
    },
    /// Put this installed build in place again.
    Repair {
        /// The installed build.
        nevra: Nevra,
    },
    /// Remove this installed package.
    Remove {
        /// The installed build.
        nevra: Nevra,
        /// Whether what depends on it is removed too; else it is an error that something does.
        force: bool,
    },
    /// Compare the files of this installed package with how they were installed.
    Verify {
        /// The installed build.
        nevra: Nevra,
    },
    /// Fetch the metadata of all enabled repositories anew.
    RefreshRepositories,
}

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waiting for somebody else who holds the package manager's lock; nothing was changed yet.
    Waiting {
        /// Who holds it, as far as that can be told, for a person: `apt-get (process 4711)`.
        holder: String,
    },
    /// Checking the package and what it needs.
    Checking,
    /// Fetching packages from repositories.
    Downloading,
    /// Putting files in place.
    Unpacking,
    /// Running the packages' own configuration.
    Configuring,
    /// Taking packages away.
    Removing,
    /// Comparing what is there with what should be.
    Verifying,
    /// Of an image: reading what an offline bundle or metadata has.
    Scanning,
    /// Of an image: staging what was found there.
    Updating,
}

/// Hears how an operation goes on.
pub trait Progress {
    /// The tool process was started; the pid and its start time (field 22 of `/proc/PID/stat`) tell it from a later process.
    fn started(&mut self, pid: u32, start_ticks: u64);
    /// A phase was entered or went on; `percent` is of the whole operation, below 100.
    fn phase(&mut self, phase: Phase, percent: u8);
    /// Something the operator should read in the job's notes (a configuration file was kept, a script complained).
    fn note(&mut self, text: &str);
}

/// Tells a running operation that it should stop if it still can.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Asks for the stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether the stop was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What happened to one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The package before; `None` if it was not installed.
    pub before: Option<Nevra>,
    /// The package after; `None` if it is no longer installed.
    pub after: Option<Nevra>,
}

/// What can happen to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there before.
    Installed,
    /// An older version was there before.
    Updated,
    /// A newer version was there before.
    Downgraded,
    /// The same version was put in place again.
    Reinstalled,
    /// It is no longer there.
    Removed,
}

/// What an operation did, as the package database tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Every package that is not as it was.
    pub changes: Vec<Change>,
    /// Whether the host says that it must be rebooted for the changes to be effective.
    #[serde(default)]
    pub needs_reboot: bool,
    /// Of a verification: the files that are not as they were installed.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Of a change of an image: what happened to its VIBs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageOutcome>,
    /// The assessment that it ended with, beside the job's journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<AssessmentFile>,
}

/// What an operation would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The packages that would not stay as they are.
    pub changes: Vec<PlannedChange>,
    /// How much would be fetched from repositories, in octets.
    pub download_octets: u64,
    /// How much more of the disk would be used afterwards, in octets; negative if less. `None` if the tool does not tell.
    pub disk_octets: Option<i64>,
    /// Whether the host would have to be rebooted for the changes to be effective; `None` if that shows only afterwards.
    #[serde(default)]
    pub needs_reboot: Option<bool>,
}

/// What would happen to one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// What, and with which builds.
    pub change: Change,
    /// The size of the package file that would be fetched, in octets; `None` if none would, or if it is not known.
    pub download_octets: Option<u64>,
}

/// The package database cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManagerError {
    /// A file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A tool could not be run, or failed.
    #[error("{tool} failed: {message}")]
    Tool {
        /// The tool's name.
        tool: &'static str,
        /// What it said.
        message: String,
    },
    /// The database is not written as its documentation says.
    #[error("{path}, line {line}: {message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

/// A file that is no package of this engine, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Read(#[from] std::io::Error),
    /// The file is readable but no package of this engine.
    #[error("the file is no package of this system: {0}")]
    NotAPackage(String),
}

/// An operation that did not succeed. The message is for the person who asked: what went wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "message")]
pub enum ApplyError {
    /// It was cancelled before anything was changed.
    #[error("the operation was cancelled before anything was changed")]
    Cancelled,
    /// Packages it depends on are missing or conflict.
    #[error("{0}")]
    Dependencies(String),
    /// Exactly this package is installed already, or a newer one.
    #[error("{0}")]
    NotNewer(String),
    /// No such package is installed, or none is offered by a repository.
    #[error("{0}")]
    NotFound(String),
    /// What was fetched is no package of this engine.
    #[error("{0}")]
    NotAPackage(String),
    /// There is no room.
    #[error("{0}")]
    NoSpace(String),
    /// A signature or a checksum of a package or of a repository is wrong or missing.
    #[error("{0}")]
    Untrusted(String),
    /// A server cannot be reached or does not have the file, or a repository does not have what its metadata says.
    #[error("{0}")]
    Unreachable(String),
    /// Somebody else holds the package database's lock.
    #[error("{0}")]
    Busy(String),
    /// The tool, or a script of a package, failed.
    #[error("{0}")]
    Failed(String),
    /// Of an image: what esximage would say.
    #[error("{0}")]
    Image(ImageError),
}
