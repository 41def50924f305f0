//! The way to the worker: connects, starts it when nobody listens, and hears when a journal has grown.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::net::Shutdown;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::wake::Wake;
use super::{Settings, WorkerProgram};
use crate::worker::protocol::{Hello, Refusal, Reply, Request, VERSION};
use crate::worker::{Lines, LinesError, program_file, socket_path, write_line};

/// How often a worker that was started is looked for, and how many times: ten seconds.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: usize = 500;
/// How many times a worker is started that ends at once: an earlier one may still be giving up the folder.
const LAUNCHES: usize = 3;
/// How long an answer may take. Staging copies a file, which may be large and slow to read.
const SHORT: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(900);
/// A limit of nothing would be none.
const SHORTEST: Duration = Duration::from_millis(1);
/// A log longer than this is put aside when the next worker starts.
const MAX_LOG: u64 = 1024 * 1024;

/// The worker was not reached, or did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("the worker cannot be started: {0}")]
    Launch(#[source] io::Error),
    #[error("the worker ended as soon as it was started; its log says why")]
    Ended,
    #[error("the worker does not answer")]
    Silent,
    #[error("the worker cannot be reached: {0}")]
    Connect(#[source] io::Error),
    #[error("a worker of another version or with other settings is still at work: try again when it has ended")]
    OtherOrders,
    #[error("the worker broke off")]
    BrokenOff(#[from] LinesError),
    #[error("the worker gave an answer that does not fit")]
    Unexpected,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl LinkError {
    /// Whether the worker did not answer in time.
    pub(super) fn is_late(&self) -> bool {
        let is_late = |error: &io::Error| matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        matches!(self, Self::BrokenOff(LinesError::Io(error)) if is_late(error))
    }
}

/// A connection that the worker greeted, and what it says.
type Connection = (UnixStream, Lines<UnixStream>);

/// The way to the worker of one state folder.
#[derive(Debug)]
pub(super) struct Link {
    state_dir: PathBuf,
    program: WorkerProgram,
    /// The file that this process's program was started from.
    own_file: String,
    wake: Arc<Wake>,
    /// Only one worker is started at a time.
    launching: Mutex<()>,
    watch: Mutex<Option<Watch>>,
    /// Why the worker was not reached the last time that it was wanted.
    failure: Mutex<Option<String>>,
}

/// A connection on which the worker tells that a journal has grown.
#[derive(Debug)]
struct Watch {
    stream: UnixStream,
    /// Ends with the connection.
    listener: thread::JoinHandle<()>,
}

impl Watch {
    fn is_alive(&self) -> bool {
        !self.listener.is_finished()
    }
}

impl Link {
    pub(super) fn new(settings: &Settings, wake: Arc<Wake>) -> Self {
        Self {
            state_dir: settings.state_dir.clone(),
            program: settings.worker.clone(),
            own_file: program_file(),
            wake,
            launching: Mutex::default(),
            watch: Mutex::default(),
            failure: Mutex::default(),
        }
    }

    /// Asks the worker, which is started if need be, and waits for its answer. A refusal is an error.
    pub(super) fn call(&self, request: &Request) -> Result<Reply, LinkError> {
        let is_long = matches!(request, Request::Stage { .. } | Request::StageUpload { .. });
        self.call_for(request, if is_long { LONG } else { SHORT })
    }

    /// The same for so long, after which the worker hears that nobody waits any more.
    pub(super) fn call_for(&self, request: &Request, limit: Duration) -> Result<Reply, LinkError> {
        let (stream, mut lines) = self.reach()?;
        time_limit(&stream, Some(limit.clamp(SHORTEST, LONG)))?;
        write_line(&mut &stream, request)?;
        match lines.read()?.ok_or(LinkError::Unexpected)? {
            Reply::Refused(refusal) => Err(refusal.into()),
            reply => Ok(reply),
        }
    }

    /// Makes sure that the wake rings whenever a journal grows, and when the worker goes away. The worker is started if
    /// need be.
    pub(super) fn watch(&self) -> Result<(), LinkError> {
        let mut watch = self.lock_watch();
        if !watch.as_ref().is_some_and(Watch::is_alive) {
            *watch = Some(self.start_watch(self.reach()?)?);
        }
        Ok(())
    }

    /// The same with the worker that runs; tells whether there is one.
    pub(super) fn watch_if_there(&self) -> Result<bool, LinkError> {
        let mut watch = self.lock_watch();
        if watch.as_ref().is_some_and(Watch::is_alive) {
            return Ok(true);
        }
        let Some(connection) = self.try_connect()? else { return Ok(false) };
        *watch = Some(self.start_watch(connection)?);
        Ok(true)
    }

    /// Lets the worker go: it ends when nobody needs it for some time.
    pub(super) fn unwatch(&self) {
        if let Some(watch) = self.lock_watch().take() {
            let _ = watch.stream.shutdown(Shutdown::Both);
        }
    }

    fn lock_watch(&self) -> MutexGuard<'_, Option<Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_watch(&self, (stream, mut lines): Connection) -> Result<Watch, LinkError> {
        time_limit(&stream, None)?;
        write_line(&mut &stream, &Request::Watch)?;
        let wake = Arc::clone(&self.wake);
        let listen = move || {
            while let Ok(Some(Reply::Watching | Reply::Grown { .. })) = lines.read() {
                wake.ring();
            }
            wake.ring();
        };
        let listener = thread::Builder::new().name("worker-watch".into()).spawn(listen).map_err(LinkError::Launch)?;
        Ok(Watch { stream, listener })
    }

    /// Why the worker was not reached the last time that it was wanted; `None` if it was.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is a connection on which the worker tells that a journal has grown.
    pub(super) fn is_watched(&self) -> bool {
        self.lock_watch().as_ref().is_some_and(Watch::is_alive)
    }

    fn reach(&self) -> Result<Connection, LinkError> {
        let connection = self.connect();
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) =
            connection.as_ref().err().map(LinkError::to_string);
        connection
    }

    fn connect(&self) -> Result<Connection, LinkError> {
        if let Some(connection) = self.try_connect()? {
            return Ok(connection);
        }
        let _one_at_a_time = self.launching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = self.try_connect()? {
            return Ok(connection);
        }
        for left in (0..LAUNCHES).rev() {
            // The last try is made without it: it may not work here.
            let launcher = if left > 0 { self.program.launcher.as_slice() } else { &[] };
            let ended = match self.launch(launcher) {
                Ok(ended) => ended,
                Err(error) if launcher.is_empty() => return Err(LinkError::Launch(error)),
                Err(error) => {
                    tracing::warn!(%error, ?launcher, "the worker cannot be started this way");
                    continue;
                }
            };
            if let Some(connection) = self.look_for_worker(&ended)? {
                return Ok(connection);
            }
        }
        Err(LinkError::Ended)
    }

    /// Waits for the worker that was just started; `None` if it ended.
    fn look_for_worker(&self, ended: &Receiver<()>) -> Result<Option<Connection>, LinkError> {
        for _ in 0..LOOKS {
            if let Some(connection) = self.try_connect()? {
                return Ok(Some(connection));
            }
            if ended.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                return self.try_connect();
            }
        }
        Err(LinkError::Silent)
    }

    /// A connection that the worker greeted; `None` if nobody listens, or one who is about to end. A worker of another
    /// program file, or one that was told something else, is asked to.
    fn try_connect(&self) -> Result<Option<Connection>, LinkError> {
        let stream = match UnixStream::connect(socket_path(&self.state_dir)) {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(error) => return Err(LinkError::Connect(error)),
        };
        time_limit(&stream, Some(SHORT))?;
        let mut lines = Lines::new(stream.try_clone().map_err(LinkError::Connect)?);
        match lines.read() {
            Ok(Some(Reply::Hello(hello))) if self.is_own(&hello) => Ok(Some((stream, lines))),
            Ok(Some(Reply::Hello(hello))) => retire(&hello, &stream, &mut lines).map(|()| None),
            Ok(Some(_)) => Err(LinkError::Unexpected),
            Ok(None) => Ok(None),
            Err(error) if is_reset(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn is_own(&self, hello: &Hello) -> bool {
        hello.protocol == VERSION && hello.program == self.own_file && hello.orders == self.program.orders
    }

    /// Starts a worker that outlives this process; the channel tells when it ended.
    fn launch(&self, launcher: &[OsString]) -> io::Result<Receiver<()>> {
        let log = self.state_dir.join("worker.log");
        if fs::metadata(&log).is_ok_and(|metadata| metadata.len() > MAX_LOG) {
            fs::rename(&log, self.state_dir.join("worker.log.old"))?;
        }
        let log = OpenOptions::new().create(true).append(true).mode(0o600).open(log)?;
        let program = self.program.program.clone().into_os_string();
        let mut words = launcher.iter().chain([&program]).chain(&self.program.arguments);
        let mut child = Command::new(words.next().unwrap_or(&program))
            .args(words)
            .envs(self.program.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let (tell, ended) = sync_channel(1);
        thread::Builder::new().name("worker-end".into()).spawn(move || {
            match child.wait() {
                Ok(status) => tracing::info!(%status, "the worker ended"),
                Err(error) => tracing::error!(%error, "the worker cannot be waited for"),
            }
            let _ = tell.send(());
        })?;
        Ok(ended)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.unwatch();
    }
}

/// Asks a worker that was started from another program file, or with other orders, to end; returns when it has.
fn retire(hello: &Hello, stream: &UnixStream, lines: &mut Lines<UnixStream>) -> Result<(), LinkError> {
    write_line(&mut &*stream, &Request::Retire)?;
    match lines.read() {
        Ok(Some(Reply::Retiring { busy: false })) => {
            tracing::info!(
                pid = hello.pid,
                protocol = hello.protocol,
                "a worker of another version or with other settings ends"
            );
            match lines.read::<Reply>() {
                Ok(None) => Ok(()),
                Err(error) if is_reset(&error) => Ok(()),
                _ => Err(LinkError::OtherOrders),
            }
        }
        Ok(None) => Ok(()),
        Err(error) if is_reset(&error) => Ok(()),
        // A job is at work there, or the worker is too old to know what it was asked.
        _ => Err(LinkError::OtherOrders),
    }
}

fn is_reset(error: &LinesError) -> bool {
    matches!(error, LinesError::Io(error) if error.kind() == io::ErrorKind::ConnectionReset)
}

fn time_limit(stream: &UnixStream, limit: Option<Duration>) -> Result<(), LinkError> {
    stream.set_read_timeout(limit).and_then(|()| stream.set_write_timeout(Some(SHORT))).map_err(LinkError::Connect)
}
