//! The worker process, put together: an engine or an image store that is changed, what package files are fetched with, and nothing of
//! the store.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use chrono::{DateTime, TimeDelta, Utc};

use super::image_settings::{ImageOrders, ImageSettingsError, OpenImageError, open_image};
use super::proxy::{ProxyOrders, ProxySettingError};
use super::settings;
use crate::access::private_file;
use crate::client::AddressRuleError;
use crate::clock::{SharedClock, SystemClock};
use crate::config::Engine;
use crate::software::{self, Manager, OpenError};
use crate::worker;

/// After this time a folder of an operation is nobody's any more.
const LEFT_BEHIND: TimeDelta = TimeDelta::days(1);

/// What the server tells its worker on the command line.
#[derive(Clone, Debug)]
pub struct WorkerOrders {
    /// The worker's folder.
    pub worker_dir: PathBuf,
    /// What it changes.
    pub changes: Changed,
    /// Where it listens.
    pub socket: worker::Socket,
    /// The user of the process that faces the network, if it is another.
    pub server_user: Option<u32>,
    /// The digest of all this, which the worker greets servers with.
    pub digest: String,
    /// The folders that packages may be read from; `None` is all.
    pub readable_folders: Option<Vec<PathBuf>>,
    /// The largest package file, in octets.
    pub max_package_octets: u64,
    /// The largest metadata package, in octets.
    pub max_metadata_octets: u64,
    /// How long the worker stays without work.
    pub idle_limit: Duration,
    /// Whether files may be fetched from loopback.
    pub allow_loopback: bool,
    /// Networks, addresses and hosts that files may be fetched from besides those that are allowed anyway.
    pub allow: Vec<String>,
    /// Certificates (PEM) trusted besides the system's.
    pub trust_file: Option<PathBuf>,
    /// The proxy that files are fetched through.
    pub proxy: Option<ProxyOrders>,
    /// How long a server may send nothing of a file.
    pub longest_silence: Duration,
    /// How long one file may take, with all tries.
    pub time_limit: Duration,
}

/// What a worker changes.
#[derive(Clone, Debug)]
pub enum Changed {
    /// The packages of a host.
    Packages {
        /// The root of the managed system.
        root: PathBuf,
        /// The package engine.
        engine: Engine,
    },
    /// An image.
    Image(ImageOrders),
}

/// The worker cannot work.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The package engine cannot be opened.
    #[error(transparent)]
    Engine(#[from] OpenError),
    /// There is no engine to work with.
    #[error("the engine \"none\" changes nothing, it needs no worker")]
    NoEngine,
    /// The image store cannot be opened.
    #[error(transparent)]
    Image(#[from] OpenImageError),
    /// A trust file cannot be used.
    #[error(transparent)]
    ImageSettings(#[from] ImageSettingsError),
    /// The worker's folder, or that for the files of operations, cannot be used.
    #[error("cannot use {folder}: {source}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What may be fetched from is not told right.
    #[error(transparent)]
    Allow(#[from] AddressRuleError),
    /// The proxy cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxySettingError),
    /// The worker cannot be reached by the server.
    #[error(transparent)]
    Worker(#[from] worker::WorkerError),
}

/// Works until there has been nothing to do for a while. Blocks.
pub fn run_worker(orders: WorkerOrders) -> Result<(), WorkerError> {
    let clock: SharedClock = Arc::new(SystemClock);
    // From here on nobody follows a link to it. Where one user runs everything its folder is its own affair.
    let worker_dir = match orders.server_user {
        Some(_) => settle(&orders.worker_dir)?,
        None => orders.worker_dir,
    };
    let settings = worker::Settings {
        worker_dir,
        readable_folders: orders.readable_folders,
        max_package_octets: orders.max_package_octets,
        max_metadata_octets: orders.max_metadata_octets,
        idle_limit: orders.idle_limit,
        downloads: worker::Downloads {
            rules: settings::address_rules(orders.allow_loopback, &orders.allow)?,
            trust_file: orders.trust_file,
            proxy: orders.proxy.map(ProxyOrders::read).transpose()?,
            longest_silence: orders.longest_silence,
            time_limit: orders.time_limit,
            ..worker::Downloads::default()
        },
        orders: orders.digest,
        socket: orders.socket,
        server_user: orders.server_user,
        ends_at_sigterm: true,
    };
    match orders.changes {
        Changed::Packages { root, engine } => {
            let manager = open_engine(&settings.worker_dir, engine, &root, &clock)?;
            Ok(worker::run(manager, settings, clock)?)
        }
        Changed::Image(orders) => {
            let store = open_image(&orders.dir, orders.settings(&clock)?)?;
            Ok(worker::run_image(Arc::new(store), settings, clock)?)
        }
    }
}

fn settle(folder: &Path) -> Result<PathBuf, WorkerError> {
    let unusable = |source| WorkerError::Folder { folder: folder.to_owned(), source };
    let settled = private_file::settled(folder).map_err(unusable)?;
    Ok(settled.ok_or_else(|| worker::WorkerError::Exposed { folder: folder.to_owned() })?)
}

fn open_engine(
    worker_dir: &Path,
    engine: Engine,
    root: &Path,
    clock: &SharedClock,
) -> Result<Arc<dyn Manager>, WorkerError> {
    let at_work = settings::at_work(worker_dir);
    if let Some(scratch) = &at_work.scratch {
        prepare(scratch, clock).map_err(|source| WorkerError::Folder { folder: scratch.clone(), source })?;
    }
    software::open_with(settings::engine(engine), root, at_work)?.ok_or(WorkerError::NoEngine)
}

/// Makes the folder for the files of operations and clears out what killed workers left there. A tool whose worker was
/// killed may still be using its files, but not a day later.
fn prepare(scratch: &Path, clock: &SharedClock) -> io::Result<()> {
    private_file::make_folder(scratch)?;
    for entry in fs::read_dir(scratch)? {
        let entry = entry?;
        let changed: DateTime<Utc> = entry.metadata()?.modified()?.into();
        if clock.now().signed_duration_since(changed) > LEFT_BEHIND && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
