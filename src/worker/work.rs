//! The work itself: checks each request anew and does one job at a time.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::download::{AfterDownload, Downloads, SHARE, download};
use super::journal::{Entry, Journal, Record};
use super::protocol::{Refusal, Reply, Request, Staged, StagedId, Work};
use super::recorder::{Recorder, shorten};
use super::spool::Spool;
use super::watchers::Watchers;
use crate::access::{Caller, Role};
use crate::client::Url;
use crate::clock::SharedClock;
use crate::software::{
    ApplyError, CancelToken, InspectError, Inventory, Manager, Operation, Outcome, Phase, Plan, Progress,
    RepositoryError, outcome,
};

/// How long the text of a failure may be, in octets.
const MAX_FAILURE: usize = 8 * 1024;

/// What the work is done with.
#[derive(Debug)]
pub(super) struct Workbench {
    manager: Arc<dyn Manager>,
    spool: Spool,
    downloads: Downloads,
    state_dir: PathBuf,
    watchers: Arc<Watchers>,
    clock: SharedClock,
    place: Mutex<Place>,
    /// Rings when the place is free again.
    freed: Condvar,
    /// Held by whoever changes how repositories are configured.
    repositories: Mutex<()>,
}

/// The one place for a job.
#[derive(Debug, Default)]
struct Place {
    current: Option<Current>,
    /// Whether no further job gets it.
    is_closed: bool,
}

/// How it stood when the place was closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    /// Whether a job is being worked on.
    pub(super) is_busy: bool,
    /// Whether nobody had closed it before.
    pub(super) is_first: bool,
}

/// The job that is being worked on.
#[derive(Debug)]
struct Current {
    job: u64,
    cancel: CancelToken,
}

impl Workbench {
    pub(super) fn new(
        manager: Arc<dyn Manager>,
        spool: Spool,
        downloads: Downloads,
        state_dir: PathBuf,
        watchers: Arc<Watchers>,
        clock: SharedClock,
    ) -> Arc<Self> {
        Arc::new(Self {
            manager,
            spool,
            downloads,
            state_dir,
            watchers,
            clock,
            place: Mutex::default(),
            freed: Condvar::new(),
            repositories: Mutex::default(),
        })
    }

    /// Whether a job is being worked on.
    pub(super) fn is_busy(&self) -> bool {
        self.lock().current.is_some()
    }

    /// From now on no job is taken.
    pub(super) fn close(&self) -> Closing {
        let mut place = self.lock();
        let is_first = !std::mem::replace(&mut place.is_closed, true);
        Closing { is_busy: place.current.is_some(), is_first }
    }

    /// Waits until no job is being worked on.
    pub(super) fn wait_until_free(&self) {
        let waited = self.freed.wait_while(self.lock(), |place| place.current.is_some());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Carries out a request, or says why not. What only looks ends early when the token says that nobody waits for it.
    pub(super) fn answer(self: &Arc<Self>, request: Request, given_up: &CancelToken) -> Reply {
        let reply = match request {
            Request::Watch => Ok(Reply::Watching),
            Request::Retire => Ok(Reply::Retiring { busy: self.close().is_busy }),
            Request::Stage { path } => self.spool.stage(&path, self.manager.as_ref()).map(Reply::Staged),
            Request::StageUpload { name } => self.spool.stage_upload(&name, self.manager.as_ref()).map(Reply::Staged),
            Request::Run { job, operation, caller } => self.run(job, operation, &caller),
            Request::Plan { work, caller } => self.plan(work, &caller, given_up).map(Reply::Planned),
            Request::SetRepository { id, enabled, caller } => self.set_repository(&id, enabled, &caller),
            Request::Cancel { job } => self.cancel(job),
            Request::Discard { staged } => self.spool.discard(staged).map_err(internal).map(|()| Reply::Discarded),
            Request::Sweep { keep, older_than_seconds } => self.sweep(&keep, older_than_seconds),
        };
        reply.unwrap_or_else(Reply::Refused)
    }

    fn run(self: &Arc<Self>, job: u64, work: Work, caller: &Caller) -> Result<Reply, Refusal> {
        let cancel = self.take_place(job)?;
        // Gives the place up again unless the work has begun.
        let started = self.start(job, work, caller, cancel);
        if started.is_err() {
            self.leave_place(job);
        }
        started.map(|()| Reply::Accepted)
    }

    fn start(self: &Arc<Self>, job: u64, work: Work, caller: &Caller, cancel: CancelToken) -> Result<(), Refusal> {
        // First of all: what was accepted before is neither done nor refused for another reason.
        let mut journal = Journal::begin(&self.state_dir, job).map_err(internal)?.ok_or(Refusal::AlreadyAccepted)?;
        check_role(caller)?;
        let task = self.task(work)?;
        self.write(&mut journal, Entry::Accepted)?;
        let recorder =
            Recorder::start(job, journal, Arc::clone(&self.watchers), Arc::clone(&self.clock)).map_err(internal)?;
        self.watchers.grew(job);
        let bench = Arc::clone(self);
        let spawned =
            thread::Builder::new().name("work".into()).spawn(move || bench.work(job, &task, recorder, &cancel));
        // The recorder is lost with the thread that was not made; its journal is given up without an end, which tells
        // the server all there is to tell.
        spawned.map(drop).map_err(internal)
    }

    /// What is to be done, if it is something that a server may ask for.
    fn task(&self, work: Work) -> Result<Task, Refusal> {
        match work {
            Work::InstallStaged { staged, force } => {
                let file = self.spool.check(&staged)?;
                Ok(Task::Staged {
                    operation: Operation::InstallFile { file, nevra: staged.nevra.clone(), force },
                    staged,
                })
            }
            // Files are installed out of the spool only.
            Work::Change(Operation::InstallFile { .. }) => Err(Refusal::Malformed),
            Work::Change(operation) => Ok(Task::Direct(operation)),
            Work::InstallRemote { url, force } => {
                let url = Url::parse(&url).map_err(|_| Refusal::Malformed)?;
                Ok(Task::Remote { url, force })
            }
        }
    }

    /// What is installed now.
    fn refreshed(&self) -> Arc<Inventory> {
        if let Err(error) = self.manager.refresh() {
            tracing::error!(error = &error as &dyn std::error::Error, "the package database cannot be read");
        }
        self.manager.inventory()
    }

    /// Tells what an operation that failed changed all the same.
    fn tell_changes(&self, task: &Task, before: &Inventory, recorder: &mut Recorder) {
        if matches!(task, Task::Direct(Operation::Verify { .. } | Operation::RefreshRepositories)) {
            return;
        }
        let outcome = outcome(before, &self.refreshed(), self.manager.family());
        if !outcome.changes.is_empty() {
            recorder.changed(outcome);
        }
    }

    fn work(&self, job: u64, task: &Task, mut recorder: Recorder, cancel: &CancelToken) {
        let before = self.refreshed();
        let end = if cancel.is_cancelled() {
            Err(ApplyError::Cancelled)
        } else {
            // A panic in an engine must not leave the job without its end.
            catch_unwind(AssertUnwindSafe(|| self.carry_out(task, &mut recorder, cancel))).unwrap_or_else(|_| {
                let text = "The worker hit a fault of its own. Look at the package with the system's tools: it may be \
                            installed in part.";
                Err(ApplyError::Failed(text.to_owned()))
            })
        };
        if let Task::Staged { staged, .. } = task
            && let Err(error) = self.spool.discard(staged.id)
        {
            tracing::warn!(%error, "a staged file cannot be deleted");
        }
        let end = match end {
            Ok(outcome) => Entry::Finished { outcome },
            Err(error) => {
                if !matches!(error, ApplyError::Busy(_) | ApplyError::Cancelled) {
                    self.tell_changes(task, &before, &mut recorder);
                }
                Entry::Failed { error: bounded(error) }
            }
        };
        recorder.finish(end);
        self.leave_place(job);
        // Now the next job may come.
        self.watchers.grew(job);
    }

    fn carry_out(&self, task: &Task, progress: &mut dyn Progress, cancel: &CancelToken) -> Result<Outcome, ApplyError> {
        match task {
            Task::Direct(operation) | Task::Staged { operation, .. } => self.manager.apply(operation, progress, cancel),
            Task::Remote { url, force } => self.install_remote(url, *force, progress, cancel),
        }
    }

    /// What was fetched is deleted when this returns.
    fn install_remote(
        &self,
        url: &Url,
        force: bool,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Outcome, ApplyError> {
        let file = download(&self.downloads, url, &self.spool, progress, cancel)?;
        progress.phase(Phase::Checking, SHARE);
        let package = self.manager.inspect(&file.path()).map_err(|error| match error {
            InspectError::NotAPackage(why) => {
                ApplyError::NotAPackage(format!("what is at {url} is no package of this system: {why}"))
            }
            InspectError::Read(error) => {
                ApplyError::Failed(format!("what was fetched cannot be read: {}", error.kind()))
            }
        })?;
        let operation = Operation::InstallFile { file: file.path(), nevra: package.nevra, force };
        self.manager.apply(&operation, &mut AfterDownload(progress), cancel)
    }

    fn plan(&self, work: Work, caller: &Caller, given_up: &CancelToken) -> Result<Plan, Refusal> {
        check_role(caller)?;
        // Nothing is fetched for a plan.
        let (Task::Direct(operation) | Task::Staged { operation, .. }) = self.task(work)? else {
            return Err(Refusal::Malformed);
        };
        let plan = || self.manager.plan(&operation, given_up);
        let planned =
            catch_unwind(AssertUnwindSafe(plan)).map_err(|_| internal("the engine hit a fault of its own"))?;
        planned.map_err(|error| Refusal::NotPossible { error: bounded(error) })
    }

    fn set_repository(&self, id: &str, enabled: bool, caller: &Caller) -> Result<Reply, Refusal> {
        check_role(caller)?;
        // Two repositories may stand in one file, which is read, changed and written as a whole.
        let _one_at_a_time = self.repositories.lock().unwrap_or_else(PoisonError::into_inner);
        match self.manager.set_repository(id, enabled) {
            Ok(()) => Ok(Reply::RepositorySet),
            Err(RepositoryError::NotFound(_)) => Err(Refusal::NoRepository),
            Err(RepositoryError::Overridden(message)) => Err(Refusal::Overridden { message }),
            Err(error @ RepositoryError::Configuration { .. }) => {
                tracing::error!(error = &error as &dyn std::error::Error, id, "a repository cannot be changed");
                Err(internal("the repository's configuration cannot be written"))
            }
        }
    }

    fn cancel(&self, job: u64) -> Result<Reply, Refusal> {
        let place = self.lock();
        if let Some(current) = place.current.as_ref().filter(|current| current.job == job) {
            current.cancel.cancel();
            return Ok(Reply::Cancelling);
        }
        // Under the lock, so that the job cannot begin meanwhile.
        match Journal::begin(&self.state_dir, job).map_err(internal)? {
            Some(mut journal) => {
                self.write(&mut journal, Entry::Failed { error: ApplyError::Cancelled })?;
                drop(place);
                self.watchers.grew(job);
                Ok(Reply::Cancelling)
            }
            None => Ok(Reply::Ended),
        }
    }

    fn sweep(&self, keep: &[StagedId], older_than_seconds: u64) -> Result<Reply, Refusal> {
        let age = Duration::from_secs(older_than_seconds);
        self.spool.sweep(keep, age, self.clock.now()).map_err(internal)?;
        Ok(Reply::Discarded)
    }

    fn write(&self, journal: &mut Journal, entry: Entry) -> Result<(), Refusal> {
        journal.append(&mut [Record { at: self.clock.now(), entry }].into()).map_err(internal)
    }

    fn take_place(&self, job: u64) -> Result<CancelToken, Refusal> {
        let mut place = self.lock();
        match &place.current {
            Some(current) if current.job == job => Err(Refusal::AlreadyAccepted),
            Some(_) => Err(Refusal::Busy),
            None if place.is_closed => Err(Refusal::Retiring),
            None => {
                let cancel = CancelToken::default();
                place.current = Some(Current { job, cancel: cancel.clone() });
                Ok(cancel)
            }
        }
    }

    fn leave_place(&self, job: u64) {
        self.lock().current.take_if(|current| current.job == job);
        self.freed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a job does once it was accepted.
#[derive(Debug)]
enum Task {
    /// An operation that needs no file.
    Direct(Operation),
    /// An operation on a file of the spool.
    Staged { operation: Operation, staged: Staged },
    /// The installation of a file that is to be fetched.
    Remote { url: Url, force: bool },
}

/// The server has checked it before; the worker trusts nobody.
fn check_role(caller: &Caller) -> Result<(), Refusal> {
    if caller.role < Role::Operator { Err(Refusal::NotPermitted) } else { Ok(()) }
}

fn internal(error: impl fmt::Display) -> Refusal {
    Refusal::Internal { message: error.to_string() }
}

fn bounded(error: ApplyError) -> ApplyError {
    let shorten = |text: String| shorten(&text, MAX_FAILURE);
    match error {
        ApplyError::Cancelled => ApplyError::Cancelled,
        ApplyError::Dependencies(text) => ApplyError::Dependencies(shorten(text)),
        ApplyError::NotNewer(text) => ApplyError::NotNewer(shorten(text)),
        ApplyError::NotFound(text) => ApplyError::NotFound(shorten(text)),
        ApplyError::NotAPackage(text) => ApplyError::NotAPackage(shorten(text)),
        ApplyError::Untrusted(text) => ApplyError::Untrusted(shorten(text)),
        ApplyError::Unreachable(text) => ApplyError::Unreachable(shorten(text)),
        ApplyError::NoSpace(text) => ApplyError::NoSpace(shorten(text)),
        ApplyError::Busy(text) => ApplyError::Busy(shorten(text)),
        ApplyError::Failed(text) => ApplyError::Failed(shorten(text)),
        ApplyError::Image(error) => ApplyError::Image(error.map_text(shorten)),
    }
}
