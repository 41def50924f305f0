//! What a worker is told when it starts, and why it may not start.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::download::Downloads;
use super::listening::Socket;

/// What the worker is told when it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of the socket, the spool and the journals.
    pub worker_dir: PathBuf,
    /// The folders that packages may be read from; `None` means all.
    pub readable_folders: Option<Vec<PathBuf>>,
    /// The largest package file in octets.
    pub max_package_octets: u64,
    /// The largest metadata package in octets.
    pub max_metadata_octets: u64,
    /// After this time without a connection and a job the worker ends.
    pub idle_limit: Duration,
    /// How files are fetched.
    pub downloads: Downloads,
    /// The digest of what the server tells its workers, for the greeting.
    pub orders: String,
    /// Where it listens.
    pub socket: Socket,
    /// Whether SIGTERM has it take no further job and end when the one at work has ended.
    pub ends_at_sigterm: bool,
    /// The user of the process that faces the network, if it is another than the worker's own: it may connect too, and may not
    /// be able to change what is in the worker's folder.
    pub server_user: Option<u32>,
}

impl Settings {
    /// The usual settings: all folders, files up to 4 GiB, two minutes, downloads by their own usual settings.
    pub fn new(worker_dir: PathBuf) -> Self {
        Self {
            worker_dir,
            readable_folders: None,
            max_package_octets: 4 * 1024 * 1024 * 1024,
            max_metadata_octets: 256 * 1024 * 1024,
            idle_limit: Duration::from_secs(120),
            downloads: Downloads::default(),
            orders: String::new(),
            socket: Socket::Own,
            ends_at_sigterm: false,
            server_user: None,
        }
    }
}

/// The worker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Another worker serves this folder.
    #[error("another worker serves this folder")]
    AlreadyRunning,
    /// Others than the worker could change what is in its folder.
    #[error(
        "{folder}, or a folder above it, can be written by others than root: give the worker a folder of its own that nobody else \
         can change or move"
    )]
    Exposed {
        /// The folder.
        folder: PathBuf,
    },
    /// Something of the folder cannot be made or read.
    #[error("cannot {what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}
