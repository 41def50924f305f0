//! Root's own process where no systemd parts the service in two: it reads nothing from the network, holds the sockets that
//! workers listen on, starts a worker as root when somebody connects, and runs the process that faces the network as another user.
//! When that process ends, it ends; workers go on.

use std::fs::{File, TryLockError};
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

use super::account::Account;
use super::network_process::NetworkProcess;
use super::{StartError, folders, worker_program};
use crate::config::{Config, Source};
use crate::jobs::System;
use crate::worker::{self, OnlyWorker, WorkerProgram};

/// How long no worker is started after one that could not do its work.
const BACK_OFF: Duration = Duration::from_secs(1);

/// The file that the keeper of a worker's folder has locked.
const LOCK: &str = "keeper.lock";

/// The parted service cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// It cannot begin.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The process that faces the network cannot be run.
    #[error("cannot run the process that faces the network as the user {user}: {source}")]
    Network {
        /// Its user.
        user: String,
        /// Why.
        source: io::Error,
    },
    /// The process that faces the network did not end well; it said why.
    #[error("the process that faces the network ended: {0}")]
    Ended(ExitStatus),
}

/// Serves with two users until the process that faces the network ends. `change_log` is told what is logged by later settings.
/// Blocks.
pub fn keep(
    config: Config,
    source: &Source,
    account: &Account,
    port: Option<TcpListener>,
    change_log: &dyn Fn(&str),
) -> Result<(), KeeperError> {
    let mut config = folders::prepare(config, account)?;
    let worker_dir = config.worker_dir().to_owned();
    let _only_keeper = only_keeper(&worker_dir)?;
    tracing::info!(
        user = account.name,
        state_dir = %config.state_dir.display(),
        worker_dir = %worker_dir.display(),
        "another user faces the network, and root changes software"
    );
    let mut places = Vec::new();
    for system in System::managed(&config) {
        let program = worker_program::kept(&config, system, account).map_err(StartError::from)?;
        let worker_dir = worker_program::folder(&config, system);
        let place = Arc::new(Place { system, worker_dir, program: Mutex::new(program) });
        places.push(Arc::clone(&place));
        let keep = move || {
            let Err(error) = place.keep();
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "no further worker is started; start the service again"
            );
            std::process::exit(1);
        };
        thread::Builder::new().name("keep".to_owned()).spawn(keep).map_err(StartError::Thread)?;
    }
    let failed = |source| KeeperError::Network { user: account.name.clone(), source };
    // On this thread: the other process ends when the thread that started it does.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let started = {
        let _inside = runtime.enter();
        NetworkProcess::start(&config, account, port).map_err(failed)?
    };
    // The other process has read them, and tells of what waits for the next start.
    let mut take = || match source.read_again(&config) {
        Ok(read) => {
            config = read.config;
            change_log(&config.log);
            places.iter().for_each(|place| place.take(&config, account));
        }
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "the settings were changed meanwhile"),
    };
    let status = runtime.block_on(started.run(&mut take)).map_err(failed)?;
    if status.success() { Ok(()) } else { Err(KeeperError::Ended(status)) }
}

/// The right to be the only keeper of a folder, as long as this is held: a second one would take the workers' socket away from the
/// first.
fn only_keeper(worker_dir: &Path) -> Result<File, StartError> {
    let failed = |source| super::state_error(worker_dir, source);
    let lock = File::options().append(true).create(true).mode(0o600).open(worker_dir.join(LOCK)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StartError::Kept { folder: worker_dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The place of one system's worker.
#[derive(Debug)]
struct Place {
    system: System,
    worker_dir: PathBuf,
    program: Mutex<WorkerProgram>,
}

impl Place {
    /// Further workers are told what these settings say.
    fn take(&self, config: &Config, account: &Account) {
        match worker_program::kept(config, self.system, account) {
            Ok(program) => *self.program.lock().unwrap_or_else(PoisonError::into_inner) = program,
            Err(error) => tracing::debug!(%error, "the worker's settings cannot be used"),
        }
    }

    /// Starts a worker whenever somebody connects and none is there, for ever.
    fn keep(&self) -> Result<std::convert::Infallible, worker::WorkerError> {
        // One that an earlier keeper started listens on that one's socket, which stays in its place until it ends.
        OnlyWorker::wait(&self.worker_dir)?.leave()?;
        let listener = Arc::new(worker::listen(&self.worker_dir, 0o660)?);
        let (_nobody_rings, pause) = sync_channel::<()>(1);
        let mut with_launcher = true;
        loop {
            await_connection(&listener);
            match self.run_worker(&listener, with_launcher) {
                Ok(status) if status.success() => tracing::info!("the worker ended"),
                ended => {
                    match ended {
                        Ok(status) => tracing::error!(%status, "the worker ended; its log says why"),
                        Err(error) => tracing::error!(%error, "the worker cannot be started"),
                    }
                    with_launcher = false;
                    // Whoever waits for it hears of it, and tries again.
                    turn_away(&listener);
                    let _ = pause.recv_timeout(BACK_OFF);
                }
            }
        }
    }

    /// Runs a worker to its end. It gets the socket as its standard input.
    fn run_worker(&self, listener: &UnixListener, with_launcher: bool) -> io::Result<ExitStatus> {
        let program = self.program.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let launcher = if with_launcher { program.launcher.as_slice() } else { &[] };
        let socket = OwnedFd::from(listener.try_clone()?);
        program.launch(launcher, &self.worker_dir, socket.into())?.wait()
    }
}

fn await_connection(listener: &UnixListener) {
    let mut fds = [PollFd::new(listener, PollFlags::IN)];
    // Interrupted by a signal, it is looked again.
    while !matches!(poll(&mut fds, None), Ok(1..)) {}
}

/// Closes all connections that wait.
fn turn_away(listener: &UnixListener) {
    if listener.set_nonblocking(true).is_ok() {
        while listener.accept().is_ok() {}
    }
}
