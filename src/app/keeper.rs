//! Root's own process where no systemd parts the service in two: it reads nothing from the network, holds the sockets that
//! workers listen on, starts a worker as root when somebody connects, and runs the process that faces the network as another user.
//! When that process ends, it ends; workers go on.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::account::{self, Account};
use super::{StartError, folders, worker_program};
use crate::config::{Config, Source};
use crate::jobs::System;
use crate::worker::{self, OnlyWorker, WorkerProgram};

/// How long no worker is started after one that could not do its work.
const BACK_OFF: Duration = Duration::from_secs(1);

/// What the process that faces the network is told of its keeper.
pub(super) const KEEPER_OPTION: &str = "--keeper";

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

/// Serves with two users until the process that faces the network ends. Blocks.
pub fn keep(config: Config, source: &Source, account: &Account) -> Result<(), KeeperError> {
    let worker_dir = folders::worker_dir(&config).map_err(|source| super::state_error(&config.state_dir, source))?;
    let mut config = Config { worker_dir: Some(worker_dir.clone()), ..config };
    folders::prepare(&config, account, &worker_dir)?;
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
    let mut read_again = || match source.read_again(&config) {
        // The other process tells of what is wrong, and of what waits for the next start.
        Ok(read) => {
            config = read.config;
            places.iter().for_each(|place| place.take(&config, account));
        }
        Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "the settings cannot be read again"),
    };
    let status = runtime.block_on(run_network_process(&worker_dir, account, &mut read_again)).map_err(failed)?;
    if status.success() { Ok(()) } else { Err(KeeperError::Ended(status)) }
}

/// Makes this process, which a keeper started, end when the keeper does, and gives up what rights it could still gain.
pub fn be_kept(keeper: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM))?;
    if getppid().is_none_or(|parent| parent.as_raw_nonzero().get().unsigned_abs() != keeper) {
        return Err(io::Error::other("the process that started this one is gone"));
    }
    account::renounce()
}

/// Passes signals on until the process ends; `read_again` goes before what says that the settings are others.
async fn run_network_process(
    worker_dir: &Path,
    account: &Account,
    read_again: &mut dyn FnMut(),
) -> io::Result<ExitStatus> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut child = network_process(worker_dir, account)?;
    loop {
        let told = tokio::select! {
            status = child.wait() => return status,
            _ = terminate.recv() => Signal::TERM,
            _ = interrupt.recv() => Signal::INT,
            _ = hang_up.recv() => {
                read_again();
                Signal::HUP
            }
        };
        tell(&child, told);
    }
}

/// The same program with the same arguments.
fn network_process(worker_dir: &Path, account: &Account) -> io::Result<Child> {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let is_told = arguments.iter().any(|argument| argument.to_string_lossy().starts_with("--worker-dir"));
    if !is_told {
        arguments.extend(["--worker-dir".into(), worker_dir.into()]);
    }
    arguments.extend([KEEPER_OPTION.into(), std::process::id().to_string().into()]);
    // Its other groups go with root's user.
    Command::new("/proc/self/exe").args(arguments).uid(account.uid).gid(account.gid).stdin(Stdio::null()).spawn()
}

fn tell(child: &Child, told: Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(Err(error)) = pid.map(|pid| kill_process(pid, told)) {
        tracing::warn!(%error, "a signal cannot be passed on");
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
