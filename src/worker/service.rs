//! The worker's socket: who may connect, what is answered, and when the worker ends.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::signal::unix::{SignalKind, signal};

use super::craft::Craft;
use super::images::Images;
use super::lines::{Lines, LinesError, write_line};
use super::listening::{OnlyWorker, failed, is_awaited, private_folder};
use super::packages::Packages;
use super::patching::Patching;
use super::peers::Peers;
use super::process::program_file;
use super::protocol::{Hello, Refusal, Reply, Request, VERSION};
use super::record;
use super::sent_file::Receiving;
use super::settings::{Settings, WorkerError};
use super::spool::Spool;
use super::watchers::{Watchers, wait_for_end};
use super::work::Workbench;
use crate::access::private_file::is_out_of_reach;
use crate::clock::SharedClock;
use crate::software::vib::ImageManager;
use crate::software::{CancelToken, Manager};

/// How often it is looked whether the server still waits for an answer.
const LOOK: Duration = Duration::from_millis(100);

/// How many connections there may be at one time.
const MAX_CONNECTIONS: usize = 64;

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
    let worker_dir = settings.worker_dir.clone();
    private_folder(&worker_dir)?;
    if settings.server_user.is_some()
        && !is_out_of_reach(&worker_dir).map_err(|source| failed("see", &worker_dir, source))?
    {
        return Err(WorkerError::Exposed { folder: worker_dir });
    }
    // Held until the end; the system gives it up if the process is killed.
    let only_worker = OnlyWorker::claim(&worker_dir)?;
    let craft = open().map_err(|source| failed("open", &worker_dir, source))?;
    let listener = settings.socket.open(&worker_dir)?;
    let watchers = Arc::new(Watchers::default());
    let record = record::open(&worker_dir, Arc::clone(&clock))?;
    let bench = Workbench::new(craft, worker_dir.clone(), Arc::clone(&watchers), record.clone(), clock);
    let (orders, peers) = (settings.orders.clone(), Peers::new(settings.server_user));
    let service =
        Arc::new(Service { bench, watchers, orders, peers, activity: Mutex::default(), changed: Condvar::new() });
    let (stop, stopped) = UnixStream::pair().map_err(|source| failed("serve", &worker_dir, source))?;
    let acceptor = thread::Builder::new()
        .name("accept".into())
        .spawn({
            let service = Arc::clone(&service);
            move || service.accept(&listener, &stopped)
        })
        .map_err(|source| failed("serve", &worker_dir, source))?;
    if settings.ends_at_sigterm {
        retire_at_sigterm(&service).map_err(|source| failed("serve", &worker_dir, source))?;
    }
    service.wait_until_idle(settings.idle_limit);
    drop(stop);
    let _ = acceptor.join();
    settings.socket.close(&worker_dir);
    record.flush();
    only_worker.leave()
}

/// Whoever stops the worker waits for the job at work, whose tool must not be cut short.
fn retire_at_sigterm(service: &Arc<Service>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let mut terminate = {
        let _inside = runtime.enter();
        signal(SignalKind::terminate())?
    };
    let service = Arc::clone(service);
    let retire = move || {
        if runtime.block_on(terminate.recv()).is_some() {
            tracing::info!("the worker was told to end; it does when it has no job");
            service.bench.close();
            service.end_when_free();
        }
    };
    thread::Builder::new().name("signals".into()).spawn(retire).map(drop)
}

#[derive(Debug)]
struct Service {
    bench: Arc<Workbench>,
    watchers: Arc<Watchers>,
    orders: String,
    peers: Peers,
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

    /// Takes connections until the other end of `stopped` is closed. What is not taken by then waits, on a socket that somebody
    /// else keeps, for the next worker.
    fn accept(self: &Arc<Self>, listener: &UnixListener, stopped: &UnixStream) {
        while is_awaited(listener, stopped).unwrap_or_else(|error| {
            tracing::error!(%error, "no further connection is taken");
            false
        }) {
            // Either the worker stops before, and leaves the connection alone, or it is counted.
            let activity = self.lock();
            if activity.stopping {
                return;
            }
            match listener.accept() {
                Ok((stream, _)) => self.admit(stream, activity),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    // Out of files, most likely: give those who hold them a moment.
                    tracing::error!(%error, "a connection cannot be accepted");
                    let pause = self.changed.wait_timeout(activity, Duration::from_millis(100));
                    drop(pause.unwrap_or_else(PoisonError::into_inner));
                }
            }
        }
    }

    fn admit(self: &Arc<Self>, stream: UnixStream, mut activity: MutexGuard<'_, Activity>) {
        match self.peers.admits(&stream) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::error!(%error, "it cannot be told who connects");
                return;
            }
        }
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
        let mut lines = Lines::new(Receiving::new(stream));
        loop {
            let request = lines.read();
            let takes_file = matches!(request, Ok(Some(Request::StageUpload { .. })));
            let file = if takes_file { lines.stream().take_file() } else { None };
            let reply = match request {
                Ok(None) => return Ok(()),
                Ok(Some(Request::Watch)) => return self.watchers.serve(stream),
                Ok(Some(Request::Retire)) => return self.retire(stream),
                Ok(Some(request @ Request::Plan { .. })) => self.answer_while_awaited(request, stream),
                Ok(Some(request)) => self.bench.answer(request, file, &CancelToken::default()),
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
                let _ = tell.send(self.bench.answer(request, None, given_up));
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
        self.end_when_free();
        wait_for_end(stream);
        Ok(())
    }

    fn end_when_free(&self) {
        self.bench.wait_until_free();
        self.lock().retired = true;
        self.changed.notify_all();
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

    use super::super::download::Downloads;
    use super::super::testing::ToldManager;
    use super::*;
    use crate::access::Audit;
    use crate::clock::SystemClock;

    #[test]
    fn a_worker_never_ends_while_a_server_is_connected() {
        let state = tempfile::tempdir().unwrap();
        let (manager, _teller) = ToldManager::new();
        let spool = Spool::open(&Settings::new(state.path().to_owned()), manager.family()).unwrap();
        let watchers = Arc::new(Watchers::default());
        let clock = Arc::new(SystemClock);
        let packages = Packages::new(manager, spool, Downloads::default(), clock.clone());
        let bench =
            Workbench::new(Arc::new(packages), state.path().to_owned(), Arc::clone(&watchers), Audit::default(), clock);
        let (activity, changed, peers) = (Mutex::default(), Condvar::new(), Peers::new(None));
        let service = Arc::new(Service { bench, watchers, orders: String::new(), peers, activity, changed });
        let (server, stream) = UnixStream::pair().unwrap();
        service.admit(stream, service.lock());
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
