//! The way to the worker: connects, starts it when nobody listens, and hears when a journal has grown.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use super::wake::Wake;
use super::{Settings, WorkerStart};
use crate::worker::protocol::{Hello, Refusal, Reply, Request, VERSION};
use crate::worker::{Lines, LinesError, WorkerProgram, program_file, socket_path, write_line, write_line_with_file};

/// How often a worker that was started is looked for, and how many times: ten seconds.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: usize = 500;
/// How many times a worker is started that ends at once, or does not fit: an earlier one may still be giving up the folder.
const LAUNCHES: usize = 3;
/// How long an answer may take. Staging copies a file, which may be large and slow to read.
const SHORT: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(900);
/// A limit of nothing would be none.
const SHORTEST: Duration = Duration::from_millis(1);

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
    #[error(
        "nobody listens on the worker's socket: is quartermaster-worker.socket, or the process that started this one, running?"
    )]
    Nobody,
    #[error(
        "the worker is started with another program or with other settings than this service has: have the service read its \
         settings again (SIGHUP), or restart it"
    )]
    StartedOtherwise,
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

/// The way to the worker of one folder.
#[derive(Debug)]
pub(super) struct Link {
    worker_dir: PathBuf,
    start: RwLock<WorkerStart>,
    /// The file that this process's program was started from.
    own_file: String,
    wake: Arc<Wake>,
    /// Only one worker is started at a time.
    launching: Mutex<()>,
    watch: Mutex<Option<Watch>>,
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
            worker_dir: settings.worker_dir.clone(),
            start: RwLock::new(settings.worker.clone()),
            own_file: program_file(),
            wake,
            launching: Mutex::default(),
            watch: Mutex::default(),
        }
    }

    /// From now on workers are started so; one that was started otherwise ends when it has no job.
    pub(super) fn start_as(&self, start: WorkerStart) {
        *self.start.write().unwrap_or_else(PoisonError::into_inner) = start;
        self.unwatch();
    }

    /// Asks the worker, which is started if need be, and waits for its answer. A refusal is an error.
    pub(super) fn call(&self, request: &Request) -> Result<Reply, LinkError> {
        self.call_for(request, if matches!(request, Request::Stage { .. }) { LONG } else { SHORT })
    }

    /// The same for so long, after which the worker hears that nobody waits any more.
    pub(super) fn call_for(&self, request: &Request, limit: Duration) -> Result<Reply, LinkError> {
        self.exchange(limit, |stream| write_line(&mut &*stream, request))
    }

    /// The same with a file that the worker gets.
    pub(super) fn call_with_file(&self, request: &Request, file: &File) -> Result<Reply, LinkError> {
        self.exchange(LONG, |stream| write_line_with_file(stream, request, file))
    }

    fn exchange(
        &self,
        limit: Duration,
        ask: impl FnOnce(&UnixStream) -> Result<(), LinesError>,
    ) -> Result<Reply, LinkError> {
        let (stream, mut lines) = self.connect()?;
        time_limit(&stream, Some(limit.clamp(SHORTEST, LONG)))?;
        ask(&stream)?;
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
            *watch = Some(self.start_watch(self.connect()?)?);
        }
        Ok(())
    }

    /// The same with the worker that runs; tells whether there is one.
    pub(super) fn watch_if_there(&self) -> Result<bool, LinkError> {
        let mut watch = self.lock_watch();
        if watch.as_ref().is_some_and(Watch::is_alive) {
            return Ok(true);
        }
        let Attempt::Greeted(connection) = self.try_connect()? else { return Ok(false) };
        *watch = Some(self.start_watch(connection)?);
        Ok(true)
    }

    /// Lets the worker go: it ends when nobody needs it for some time.
    pub(super) fn unwatch(&self) {
        if let Some(watch) = self.lock_watch().take() {
            let _ = watch.stream.shutdown(Shutdown::Both);
        }
    }

    /// Whether a worker is there that tells of its journals.
    pub(super) fn is_watching(&self) -> bool {
        self.lock_watch().as_ref().is_some_and(Watch::is_alive)
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

    fn connect(&self) -> Result<Connection, LinkError> {
        if let Attempt::Greeted(connection) = self.try_connect()? {
            return Ok(connection);
        }
        let _one_at_a_time = self.launching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Attempt::Greeted(connection) = self.try_connect()? {
            return Ok(connection);
        }
        match self.start() {
            WorkerStart::Here(program) => self.launch_and_connect(&program),
            WorkerStart::Elsewhere { .. } => self.connect_again(),
        }
    }

    fn launch_and_connect(&self, program: &WorkerProgram) -> Result<Connection, LinkError> {
        for left in (0..LAUNCHES).rev() {
            // The last try is made without it: it may not work here.
            let launcher = if left > 0 { program.launcher.as_slice() } else { &[] };
            let ended = match self.launch(program, launcher) {
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
            if let Attempt::Greeted(connection) = self.try_connect()? {
                return Ok(Some(connection));
            }
            if ended.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                return Ok(self.try_connect()?.greeted());
            }
        }
        Err(LinkError::Silent)
    }

    /// Connects until somebody else has started a worker that fits: one that is about to end makes room for the next.
    fn connect_again(&self) -> Result<Connection, LinkError> {
        let (_nobody_rings, pause) = sync_channel::<()>(1);
        let (mut broken_off, mut of_others) = (0, 0);
        for _ in 0..LOOKS {
            match self.try_connect()? {
                Attempt::Greeted(connection) => return Ok(connection),
                Attempt::Nobody => {}
                Attempt::BrokenOff => broken_off += 1,
                Attempt::OfOthers => of_others += 1,
            }
            if broken_off >= LAUNCHES {
                return Err(LinkError::Ended);
            }
            if of_others >= LAUNCHES {
                return Err(LinkError::StartedOtherwise);
            }
            let _ = pause.recv_timeout(LOOK);
        }
        Err(LinkError::Nobody)
    }

    /// Asks for a greeting. A worker of another program file, or one that was told something else, is asked to end.
    fn try_connect(&self) -> Result<Attempt, LinkError> {
        let stream = match UnixStream::connect(socket_path(&self.worker_dir)) {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                return Ok(Attempt::Nobody);
            }
            Err(error) => return Err(LinkError::Connect(error)),
        };
        time_limit(&stream, Some(SHORT))?;
        let mut lines = Lines::new(stream.try_clone().map_err(LinkError::Connect)?);
        match lines.read() {
            Ok(Some(Reply::Hello(hello))) if self.is_own(&hello) => Ok(Attempt::Greeted((stream, lines))),
            Ok(Some(Reply::Hello(hello))) => retire(&hello, &stream, &mut lines).map(|()| Attempt::OfOthers),
            Ok(Some(_)) => Err(LinkError::Unexpected),
            Ok(None) => Ok(Attempt::BrokenOff),
            Err(error) if is_reset(&error) => Ok(Attempt::BrokenOff),
            Err(error) => Err(error.into()),
        }
    }

    fn is_own(&self, hello: &Hello) -> bool {
        hello.protocol == VERSION && hello.program == self.own_file && hello.orders == self.start().orders()
    }

    fn start(&self) -> WorkerStart {
        self.start.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts a worker that outlives this process; the channel tells when it ended.
    fn launch(&self, program: &WorkerProgram, launcher: &[OsString]) -> io::Result<Receiver<()>> {
        let mut child = program.launch(launcher, &self.worker_dir, Stdio::null())?;
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

/// What came of a connection.
#[derive(Debug)]
enum Attempt {
    /// A worker that fits greeted.
    Greeted(Connection),
    /// Nobody listens.
    Nobody,
    /// Whoever listened closed it: a worker that was about to end, or one that could not begin.
    BrokenOff,
    /// A worker of another program file or of other orders, which ended because it was asked to.
    OfOthers,
}

impl Attempt {
    fn greeted(self) -> Option<Connection> {
        match self {
            Self::Greeted(connection) => Some(connection),
            _ => None,
        }
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
