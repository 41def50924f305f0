//! The worker's socket: who may connect, what is answered, and when the worker ends.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::craft::Craft;
use super::download::Downloads;
use super::images::Images;
use super::lines::{Lines, LinesError, write_line};
use super::packages::Packages;
use super::patching::Patching;
use super::process::program_file;
use super::protocol::{Hello, Refusal, Reply, Request, VERSION};
use super::spool::Spool;
use super::watchers::{Watchers, wait_for_end};
use super::work::Workbench;
use crate::clock::SharedClock;
use crate::software::vib::ImageManager;
use crate::software::{CancelToken, Manager};

/// How often it is looked whether the server still waits for an answer.
const LOOK: Duration = Duration::from_millis(100);

/// How many connections there may be at one time.
const MAX_CONNECTIONS: usize = 64;

/// What the worker is told when it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of the socket, the spool and the journals.
    pub state_dir: PathBuf,
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
}

impl Settings {
    /// The usual settings: all folders, files up to 4 GiB, two minutes, downloads by their own usual settings.
    pub fn new(state_dir: PathBuf) -> Self {
        Self {
            state_dir,
            readable_folders: None,
            max_package_octets: 4 * 1024 * 1024 * 1024,
            max_metadata_octets: 256 * 1024 * 1024,
            idle_limit: Duration::from_secs(120),
            downloads: Downloads::default(),
            orders: String::new(),
        }
    }
}

/// The worker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Another worker serves this state folder.
    #[error("another worker serves this state folder")]
    AlreadyRunning,
    /// Something of the state folder cannot be made or read.
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

/// Where the worker of this state folder listens.
pub fn socket_path(state_dir: &Path) -> PathBuf {
    state_dir.join("worker.sock")
}

/// Where the server puts package files that came in requests, for [`Request::StageUpload`].
pub fn uploads_folder(state_dir: &Path) -> PathBuf {
    state_dir.join("uploads")
}

/// Serves the packages of a host until nobody needed it for the idle limit. Blocks.
pub fn run(manager: Arc<dyn Manager>, settings: Settings, clock: SharedClock) -> Result<(), WorkerError> {
    let its_clock = Arc::clone(&clock);
    serve(&settings, clock, || {
        let spool = Spool::open(&settings, manager.family())?;
        Ok(Arc::new(Packages::new(manager, spool, settings.downloads.clone(), its_clock)))
    })
}

/// The same with an image.
pub fn run_image(manager: Arc<dyn ImageManager>, settings: Settings, clock: SharedClock) -> Result<(), WorkerError> {
    let its_clock = Arc::clone(&clock);
    serve(&settings, clock, || {
        let patching = Patching::open(&settings, its_clock)?;
        Ok(Arc::new(Images::new(manager, settings.readable_folders.as_deref(), patching)))
    })
}

/// The craft is opened by the only worker there is.
fn serve(
    settings: &Settings,
    clock: SharedClock,
    open: impl FnOnce() -> io::Result<Arc<dyn Craft>>,
) -> Result<(), WorkerError> {
    let state_dir = settings.state_dir.clone();
    private_folder(&state_dir)?;
    // Held until the end; the system gives it up if the process is killed.
    let only_worker = lock(&state_dir)?;
    let craft = open().map_err(|source| failed("open", &state_dir, source))?;
    let listener = listen(&state_dir)?;
    let watchers = Arc::new(Watchers::default());
    let bench = Workbench::new(craft, state_dir.clone(), Arc::clone(&watchers), clock);
    let orders = settings.orders.clone();
    let service = Arc::new(Service { bench, watchers, orders, activity: Mutex::default(), changed: Condvar::new() });
    // The same socket as a value that can be shut down, which ends the waiting for connections.
    let shutter = listener.try_clone().map(|listener| UnixStream::from(OwnedFd::from(listener)));
    let shutter = shutter.map_err(|source| failed("serve", &state_dir, source))?;
    let acceptor = thread::Builder::new()
        .name("accept".into())
        .spawn({
            let service = Arc::clone(&service);
            move || service.accept(&listener)
        })
        .map_err(|source| failed("serve", &state_dir, source))?;
    service.wait_until_idle(settings.idle_limit);
    let _ = shutter.shutdown(Shutdown::Both);
    let _ = acceptor.join();
    let _ = fs::remove_file(socket_path(&state_dir));
    // Said, not left to closing: a tool that is being started shares the lock for a moment.
    only_worker.unlock().map_err(|source| failed("unlock", &state_dir, source))
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> WorkerError {
    WorkerError::Io { what, path: path.to_owned(), source }
}

fn private_folder(path: &Path) -> Result<(), WorkerError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| failed("make", path, source))
}

fn lock(state_dir: &Path) -> Result<File, WorkerError> {
    let path = state_dir.join("worker.lock");
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(|source| failed("open", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(WorkerError::AlreadyRunning),
        Err(TryLockError::Error(source)) => Err(failed("lock", &path, source)),
    }
}

/// Listens on a socket that nobody else could ever connect to: it gets its rights in a private folder and is moved from
/// there over what an earlier worker left.
fn listen(state_dir: &Path) -> Result<UnixListener, WorkerError> {
    let folder = state_dir.join("new");
    private_folder(&folder)?;
    let unready = folder.join("sock");
    match fs::remove_file(&unready) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(failed("remove", &unready, source)),
        _ => {}
    }
    let listener = UnixListener::bind(&unready).map_err(|source| failed("listen on", &unready, source))?;
    let socket = socket_path(state_dir);
    fs::set_permissions(&unready, Permissions::from_mode(0o600))
        .and_then(|()| fs::rename(&unready, &socket))
        .map_err(|source| failed("listen on", &socket, source))?;
    let _ = fs::remove_dir(&folder);
    Ok(listener)
}

#[derive(Debug)]
struct Service {
    bench: Arc<Workbench>,
    watchers: Arc<Watchers>,
    orders: String,
    activity: Mutex<Activity>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Activity {
    connections: usize,
    /// Counts all connections there ever were: each starts the idle time anew.
    served: u64,
    /// Whether a server wants the worker to end, and no job is at work.
    retired: bool,
    stopping: bool,
}

impl Service {
    /// Returns when the worker retired, or when for `limit` there was neither a connection nor a job; from then on no
    /// connection is served.
    fn wait_until_idle(&self, limit: Duration) {
        let mut activity = self.lock();
        loop {
            let served = activity.served;
            let (guard, waited) = self
                .changed
                .wait_timeout_while(activity, limit, |activity| activity.served == served && !activity.retired)
                .unwrap_or_else(PoisonError::into_inner);
            activity = guard;
            let is_idle = || activity.connections == 0 && !self.bench.is_busy();
            if activity.retired || (waited.timed_out() && is_idle()) {
                activity.stopping = true;
                return;
            }
        }
    }

    fn accept(self: &Arc<Self>, listener: &UnixListener) {
        loop {
            let stream = listener.accept();
            if self.lock().stopping {
                return;
            }
            match stream {
                Ok((stream, _)) => self.admit(stream),
                Err(error) => {
                    // Out of files, most likely: give those who hold them a moment.
                    tracing::error!(%error, "a connection cannot be accepted");
                    let pause = self.changed.wait_timeout(self.lock(), Duration::from_millis(100));
                    drop(pause.unwrap_or_else(PoisonError::into_inner));
                }
            }
        }
    }

    fn admit(self: &Arc<Self>, stream: UnixStream) {
        let mut activity = self.lock();
        if activity.connections >= MAX_CONNECTIONS {
            tracing::warn!("too many connections: one was closed");
            return;
        }
        activity.connections += 1;
        activity.served += 1;
        drop(activity);
        self.changed.notify_all();
        let connection = Connection(Arc::clone(self));
        let served = thread::Builder::new().name("serve".into()).spawn(move || {
            if let Err(error) = connection.0.converse(&stream) {
                tracing::debug!(%error, "a conversation ended");
            }
        });
        if let Err(error) = served {
            tracing::error!(%error, "a connection cannot be served");
        }
    }

    fn converse(&self, stream: &UnixStream) -> Result<(), LinesError> {
        let mut output = stream;
        let (pid, program, orders) = (std::process::id(), program_file(), self.orders.clone());
        let hello = Hello { protocol: VERSION, pid, program, orders };
        write_line(&mut output, &Reply::Hello(hello))?;
        let mut lines = Lines::new(stream);
        loop {
            let reply = match lines.read() {
                Ok(None) => return Ok(()),
                Ok(Some(Request::Watch)) => return self.watchers.serve(stream),
                Ok(Some(Request::Retire)) => return self.retire(stream),
                Ok(Some(request @ Request::Plan { .. })) => self.answer_while_awaited(request, stream),
                Ok(Some(request)) => self.bench.answer(request, &CancelToken::default()),
                Err(LinesError::Malformed(_)) => Reply::Refused(Refusal::Malformed),
                Err(error) => return Err(error),
            };
            write_line(&mut output, &reply)?;
        }
    }

    /// Answers what takes long and is of no use when the server does not wait for it any more.
    fn answer_while_awaited(&self, request: Request, stream: &UnixStream) -> Reply {
        let given_up = &CancelToken::default();
        let (tell, told) = channel();
        thread::scope(|scope| {
            let work = move || {
                // It is heard, or the thread that would have is gone.
                let _ = tell.send(self.bench.answer(request, given_up));
            };
            if let Err(error) = thread::Builder::new().name("plan".into()).spawn_scoped(scope, work) {
                tracing::error!(%error, "a thread cannot be started");
                return Reply::Refused(Refusal::Internal { message: "the worker has no room".to_owned() });
            }
            loop {
                match told.recv_timeout(LOOK) {
                    Ok(reply) => return reply,
                    Err(RecvTimeoutError::Timeout) if is_closed(stream) => given_up.cancel(),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        return Reply::Refused(Refusal::Internal { message: "the worker hit a fault".to_owned() });
                    }
                }
            }
        })
    }

    /// Lets the worker end when no job is at work. The connection stays open until then, or until the server leaves.
    fn retire(&self, stream: &UnixStream) -> Result<(), LinesError> {
        let closing = self.bench.close();
        write_line(&mut &*stream, &Reply::Retiring { busy: closing.is_busy })?;
        if closing.is_busy && !closing.is_first {
            // The one who asked first waits for the job's end.
            return Ok(());
        }
        self.bench.wait_until_free();
        self.lock().retired = true;
        self.changed.notify_all();
        wait_for_end(stream);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the other side has closed the connection.
fn is_closed(stream: &UnixStream) -> bool {
    let mut fds = [PollFd::new(stream, PollFlags::RDHUP)];
    poll(&mut fds, Some(&Timespec::default())).is_ok() && fds.iter().any(|fd| !fd.revents().is_empty())
}

/// A connection that is being served; counts as one until it is dropped.
struct Connection(Arc<Service>);

impl Drop for Connection {
    fn drop(&mut self) {
        let mut activity = self.0.lock();
        activity.connections -= 1;
        activity.served += 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};

    use super::super::testing::ToldManager;
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_worker_never_ends_while_a_server_is_connected() {
        let state = tempfile::tempdir().unwrap();
        let (manager, _teller) = ToldManager::new();
        let spool = Spool::open(&Settings::new(state.path().to_owned()), manager.family()).unwrap();
        let watchers = Arc::new(Watchers::default());
        let clock = Arc::new(SystemClock);
        let packages = Packages::new(manager, spool, Downloads::default(), clock.clone());
        let bench = Workbench::new(Arc::new(packages), state.path().to_owned(), Arc::clone(&watchers), clock);
        let (activity, changed) = (Mutex::default(), Condvar::new());
        let service = Arc::new(Service { bench, watchers, orders: String::new(), activity, changed });
        let (server, stream) = UnixStream::pair().unwrap();
        service.admit(stream);
        let (tell, ended) = channel();
        thread::spawn({
            let service = Arc::clone(&service);
            move || {
                service.wait_until_idle(Duration::from_millis(1));
                tell.send(()).unwrap();
            }
        });
        assert_eq!(ended.recv_timeout(Duration::from_millis(50)), Err(RecvTimeoutError::Timeout));
        drop(server);
        ended.recv().unwrap();
    }
}
