//! The worker's socket: made in its own folder, or held by somebody who started the worker because of it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{socket_acceptconn, socket_domain};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::WorkerError;
use super::lines::{Lines, write_line};
use super::protocol::{Reply, Request};

/// The file that the worker of a folder has locked.
const LOCK: &str = "worker.lock";

/// Where the worker of this folder listens.
pub fn socket_path(worker_dir: &Path) -> PathBuf {
    worker_dir.join("worker.sock")
}

/// The socket that the worker listens on.
#[derive(Clone, Debug, Default)]
pub enum Socket {
    /// The worker makes it in its folder, and nobody but its own user can connect.
    #[default]
    Own,
    /// Somebody else made it and keeps it: connections that come while there is no worker wait for the next one.
    Given(Arc<UnixListener>),
}

impl Socket {
    /// The socket that this process got as its standard input, which is nothing from then on.
    pub fn from_standard_input() -> io::Result<Self> {
        let given = io::stdin().as_fd().try_clone_to_owned()?;
        let not_one = |_| io::Error::new(io::ErrorKind::InvalidInput, "the standard input is no socket that listens");
        let is_one = socket_domain(&given).map_err(not_one)? == AddressFamily::UNIX
            && socket_acceptconn(&given).map_err(not_one)?;
        if !is_one {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the standard input is no socket that listens"));
        }
        // No tool shall get it.
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        Ok(Self::Given(Arc::new(UnixListener::from(given))))
    }

    pub(super) fn open(&self, worker_dir: &Path) -> Result<Arc<UnixListener>, WorkerError> {
        let listener = match self {
            Self::Own => Arc::new(listen(worker_dir, 0o600)?),
            Self::Given(listener) => Arc::clone(listener),
        };
        listener.set_nonblocking(true).map_err(|source| failed("serve", worker_dir, source))?;
        Ok(listener)
    }

    /// Takes an own socket away.
    pub(super) fn close(&self, worker_dir: &Path) {
        if matches!(self, Self::Own) {
            let _ = fs::remove_file(socket_path(worker_dir));
        }
    }
}

/// Listens on a socket that nobody could ever connect to but whom `mode` allows: it gets its rights in a private folder and is
/// moved from there over what an earlier worker left.
pub fn listen(worker_dir: &Path, mode: u32) -> Result<UnixListener, WorkerError> {
    let folder = worker_dir.join("new");
    private_folder(&folder)?;
    let unready = folder.join("sock");
    match fs::remove_file(&unready) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(failed("remove", &unready, source)),
        _ => {}
    }
    let listener = UnixListener::bind(&unready).map_err(|source| failed("listen on", &unready, source))?;
    let socket = socket_path(worker_dir);
    if is_listened_on(&socket) {
        let _ = fs::remove_file(&unready);
        let source =
            io::Error::new(io::ErrorKind::AddrInUse, "somebody else listens there, such as a service by systemd");
        return Err(failed("listen on", &socket, source));
    }
    fs::set_permissions(&unready, Permissions::from_mode(mode))
        .and_then(|()| fs::rename(&unready, &socket))
        .map_err(|source| failed("listen on", &socket, source))?;
    let _ = fs::remove_dir(&folder);
    Ok(listener)
}

/// Whether somebody takes connections there.
fn is_listened_on(socket: &Path) -> bool {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let connected = SocketAddrUnix::new(socket)
        .and_then(|address| connect(&socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?, &address));
    // More wait there than it has room for.
    matches!(connected, Ok(()) | Err(Errno::AGAIN))
}

/// Has the worker of this folder, if there is one, end as soon as it has no job, and waits for it. Blocks.
pub fn let_end(worker_dir: &Path) -> Result<(), WorkerError> {
    if !worker_dir.join(LOCK).exists() {
        return Ok(());
    }
    // Whoever does not listen, or does not understand, ends by itself when it has been idle for some time.
    if let Ok(stream) = UnixStream::connect(socket_path(worker_dir)) {
        let mut lines = Lines::new(&stream);
        let _ = lines.read::<Reply>();
        let _ = write_line(&mut &stream, &Request::Retire);
        // It listens to whoever stays until it has ended.
        while let Ok(Some(_)) = lines.read::<Reply>() {}
    }
    OnlyWorker::wait(worker_dir)?.leave()
}

/// Waits until somebody wants to connect; `false` if the other end of `stopped` was closed before.
pub(super) fn is_awaited(listener: &UnixListener, stopped: impl AsFd) -> io::Result<bool> {
    let mut fds = [PollFd::new(listener, PollFlags::IN), PollFd::new(&stopped, PollFlags::IN)];
    loop {
        match poll(&mut fds, None) {
            Err(error) if error == Errno::INTR => {}
            polled => {
                polled?;
                return Ok(fds.last().is_some_and(|stopped| stopped.revents().is_empty()));
            }
        }
    }
}

/// The right to be the only worker of a folder, until the value is dropped or the process killed.
#[derive(Debug)]
pub struct OnlyWorker(File);

impl OnlyWorker {
    /// Takes it, unless another worker has it.
    pub(super) fn claim(worker_dir: &Path) -> Result<Self, WorkerError> {
        let (file, path) = Self::file(worker_dir)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(WorkerError::AlreadyRunning),
            Err(TryLockError::Error(source)) => Err(failed("lock", &path, source)),
        }
    }

    /// Takes it as soon as no worker has it. Blocks.
    pub fn wait(worker_dir: &Path) -> Result<Self, WorkerError> {
        let (file, path) = Self::file(worker_dir)?;
        file.lock().map_err(|source| failed("lock", &path, source))?;
        Ok(Self(file))
    }

    /// Gives it up: said, not left to closing, since a tool that is being started shares the lock for a moment.
    pub fn leave(self) -> Result<(), WorkerError> {
        self.0.unlock().map_err(|source| failed("unlock", Path::new(LOCK), source))
    }

    fn file(worker_dir: &Path) -> Result<(File, PathBuf), WorkerError> {
        let path = worker_dir.join(LOCK);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        Ok((file.map_err(|source| failed("open", &path, source))?, path))
    }
}

pub(super) fn private_folder(path: &Path) -> Result<(), WorkerError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| failed("make", path, source))
}

pub(super) fn failed(what: &'static str, path: &Path, source: io::Error) -> WorkerError {
    WorkerError::Io { what, path: path.to_owned(), source }
}
