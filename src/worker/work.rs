//! The work itself: checks each request anew and does one job at a time.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::journal::{Entry, Journal, Record};
use super::protocol::{Refusal, Reply, Request, StagedId, Work};
use super::recorder::{Recorder, shorten};
use super::spool::Spool;
use super::watchers::Watchers;
use crate::access::{Caller, Role};
use crate::clock::SharedClock;
use crate::software::{ApplyError, CancelToken, Manager, Operation};

/// How long the text of a failure may be, in octets.
const MAX_FAILURE: usize = 8 * 1024;

/// What the work is done with.
#[derive(Debug)]
pub(super) struct Workbench {
    manager: Arc<dyn Manager>,
    spool: Spool,
    state_dir: PathBuf,
    watchers: Arc<Watchers>,
    clock: SharedClock,
    current: Mutex<Option<Current>>,
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
        state_dir: PathBuf,
        watchers: Arc<Watchers>,
        clock: SharedClock,
    ) -> Arc<Self> {
        Arc::new(Self { manager, spool, state_dir, watchers, clock, current: Mutex::default() })
    }

    /// Whether a job is being worked on.
    pub(super) fn is_busy(&self) -> bool {
        self.lock().is_some()
    }

    /// Carries out a request, or says why not.
    pub(super) fn answer(self: &Arc<Self>, request: Request) -> Reply {
        let reply = match request {
            Request::Watch => Ok(Reply::Watching),
            Request::Stage { path } => self.spool.stage(&path, self.manager.as_ref()).map(Reply::Staged),
            Request::Run { job, operation, caller } => self.run(job, &operation, &caller),
            Request::Cancel { job } => self.cancel(job),
            Request::Discard { staged } => self.spool.discard(staged).map_err(internal).map(|()| Reply::Discarded),
            Request::Sweep { keep, older_than_seconds } => self.sweep(&keep, older_than_seconds),
        };
        reply.unwrap_or_else(Reply::Refused)
    }

    fn run(self: &Arc<Self>, job: u64, work: &Work, caller: &Caller) -> Result<Reply, Refusal> {
        let cancel = self.take_place(job)?;
        // Gives the place up again unless the work has begun.
        let started = self.start(job, work, caller, cancel);
        if started.is_err() {
            self.leave_place(job);
        }
        started.map(|()| Reply::Accepted)
    }

    fn start(self: &Arc<Self>, job: u64, work: &Work, caller: &Caller, cancel: CancelToken) -> Result<(), Refusal> {
        // First of all: what was accepted before is neither done nor refused for another reason.
        let mut journal = Journal::begin(&self.state_dir, job).map_err(internal)?.ok_or(Refusal::AlreadyAccepted)?;
        if caller.role < Role::Operator {
            return Err(Refusal::NotPermitted);
        }
        let (operation, staged) = match work {
            Work::InstallStaged { staged } => {
                let file = self.spool.check(staged)?;
                (Operation::InstallFile { file, nevra: staged.nevra.clone() }, staged.id)
            }
        };
        self.write(&mut journal, Entry::Accepted)?;
        let recorder =
            Recorder::start(job, journal, Arc::clone(&self.watchers), Arc::clone(&self.clock)).map_err(internal)?;
        self.watchers.grew(job);
        let bench = Arc::clone(self);
        let spawned = thread::Builder::new()
            .name("work".into())
            .spawn(move || bench.work(job, &operation, staged, recorder, &cancel));
        // The recorder is lost with the thread that was not made; its journal is given up without an end, which tells
        // the server all there is to tell.
        spawned.map(drop).map_err(internal)
    }

    fn work(&self, job: u64, operation: &Operation, staged: StagedId, mut recorder: Recorder, cancel: &CancelToken) {
        let end = if cancel.is_cancelled() {
            Err(ApplyError::Cancelled)
        } else {
            // A panic in an engine must not leave the job without its end.
            catch_unwind(AssertUnwindSafe(|| self.manager.apply(operation, &mut recorder, cancel))).unwrap_or_else(
                |_| {
                    Err(ApplyError::Failed(
                        "The worker hit a fault of its own. Look at the package with the system's tools: it may be \
                     installed in part."
                            .to_owned(),
                    ))
                },
            )
        };
        if let Err(error) = self.spool.discard(staged) {
            tracing::warn!(%error, "a staged file cannot be deleted");
        }
        recorder.finish(match end {
            Ok(outcome) => Entry::Finished { outcome },
            Err(error) => Entry::Failed { error: bounded(error) },
        });
        self.leave_place(job);
        // Now the next job may come.
        self.watchers.grew(job);
    }

    fn cancel(&self, job: u64) -> Result<Reply, Refusal> {
        let current = self.lock();
        if let Some(current) = current.as_ref().filter(|current| current.job == job) {
            current.cancel.cancel();
            return Ok(Reply::Cancelling);
        }
        // Under the lock, so that the job cannot begin meanwhile.
        match Journal::begin(&self.state_dir, job).map_err(internal)? {
            Some(mut journal) => {
                self.write(&mut journal, Entry::Failed { error: ApplyError::Cancelled })?;
                drop(current);
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
        let mut current = self.lock();
        match current.as_ref() {
            Some(current) if current.job == job => Err(Refusal::AlreadyAccepted),
            Some(_) => Err(Refusal::Busy),
            None => {
                let cancel = CancelToken::default();
                *current = Some(Current { job, cancel: cancel.clone() });
                Ok(cancel)
            }
        }
    }

    fn leave_place(&self, job: u64) {
        self.lock().take_if(|current| current.job == job);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        ApplyError::NoSpace(text) => ApplyError::NoSpace(shorten(text)),
        ApplyError::Busy(text) => ApplyError::Busy(shorten(text)),
        ApplyError::Failed(text) => ApplyError::Failed(shorten(text)),
    }
}
