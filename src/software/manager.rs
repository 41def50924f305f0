//! What a package engine can do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::{Family, Inventory, Nevra, Package};

/// A package engine on one managed root.
///
/// The server uses the reading half, the worker the changing half; neither needs the other's rights.
pub trait Manager: Send + Sync + std::fmt::Debug {
    /// The family of packages it handles.
    fn family(&self) -> Family;

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

    /// Does the operation with the engine's own tool. Blocks until it is done. Asks nothing: no terminal, no questions.
    /// A tool's exit code is not trusted: the outcome is what the database says before and after.
    fn apply(
        &self,
        operation: &Operation,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Outcome, ApplyError>;
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
    },
}

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Checking the package and what it needs.
    Checking,
    /// Fetching packages from repositories.
    Downloading,
    /// Putting files in place.
    Unpacking,
    /// Running the packages' own configuration.
    Configuring,
    /// Comparing the database with what was asked for.
    Verifying,
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
    /// There is no room.
    #[error("{0}")]
    NoSpace(String),
    /// Somebody else holds the package database's lock.
    #[error("{0}")]
    Busy(String),
    /// The tool, or a script of a package, failed.
    #[error("{0}")]
    Failed(String),
}
