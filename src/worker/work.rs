//! The work itself: checks each request anew and does one job at a time.

use std::fmt;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::craft::{Craft, Task, check_role};
use super::journal::{self, Entry, Journal, Record};
use super::protocol::{Refusal, Reply, Request, Work};
use super::recorder::{Recorder, shorten};
use super::watchers::Watchers;
use crate::access::Caller;
use crate::clock::SharedClock;
use crate::software::{ApplyError, CancelToken, leaves_reserve};

/// How long the text of a failure may be, in octets.
const MAX_FAILURE: usize = 8 * 1024;

/// What the work is done with.
#[derive(Debug)]
pub(super) struct Workbench {
    craft: Arc<dyn Craft>,
    worker_dir: PathBuf,
    watchers: Arc<Watchers>,
    clock: SharedClock,
    place: Mutex<Place>,
    /// Rings when the place is free again.
    freed: Condvar,
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
        craft: Arc<dyn Craft>,
        worker_dir: PathBuf,
        watchers: Arc<Watchers>,
        clock: SharedClock,
    ) -> Arc<Self> {
        Arc::new(Self { craft, worker_dir, watchers, clock, place: Mutex::default(), freed: Condvar::new() })
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
    pub(super) fn answer(self: &Arc<Self>, request: Request, file: Option<File>, given_up: &CancelToken) -> Reply {
        let reply = match request {
            Request::Watch => Ok(Reply::Watching),
            Request::Retire => Ok(Reply::Retiring { busy: self.close().is_busy }),
            Request::Run { job, operation, caller } => self.run(job, operation, &caller),
            Request::Cancel { job } => self.cancel(job),
            Request::Forget { jobs } => self.forget(&jobs),
            other => self.craft.answer(other, file, given_up),
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
        let mut journal = self.begin_journal(job)?.ok_or(Refusal::AlreadyAccepted)?;
        let folder = journal::folder(&self.worker_dir, job);
        let task = check_role(caller).and_then(|()| Arc::clone(&self.craft).task(work, &folder));
        let mut task = match task {
            Ok(task) => task,
            Err(refusal) => {
                drop(journal);
                // Nothing stays of what was refused: nobody fills the disk with it.
                journal::remove(&self.worker_dir, job).map_err(internal)?;
                return Err(refusal);
            }
        };
        self.write(&mut journal, Entry::Accepted)?;
        let recorder =
            Recorder::start(job, journal, Arc::clone(&self.watchers), Arc::clone(&self.clock)).map_err(internal)?;
        self.watchers.grew(job);
        let bench = Arc::clone(self);
        let spawned =
            thread::Builder::new().name("work".into()).spawn(move || bench.work(job, task.as_mut(), recorder, &cancel));
        // The recorder is lost with the thread that was not made; its journal is given up without an end, which tells
        // the server all there is to tell.
        spawned.map(drop).map_err(internal)
    }

    fn work(&self, job: u64, task: &mut dyn Task, mut recorder: Recorder, cancel: &CancelToken) {
        let end = if cancel.is_cancelled() {
            Err(ApplyError::Cancelled)
        } else {
            // A panic in an engine must not leave the job without its end.
            catch_unwind(AssertUnwindSafe(|| task.carry_out(&mut recorder, cancel))).unwrap_or_else(|_| {
                Err(ApplyError::Failed(format!("The worker hit a fault of its own. {}", task.after_a_fault())))
            })
        };
        task.clean_up();
        let end = match end {
            Ok(outcome) => Entry::Finished { outcome },
            Err(error) => {
                if !matches!(error, ApplyError::Busy(_) | ApplyError::Cancelled)
                    && let Some(outcome) = task.changed_all_the_same()
                {
                    recorder.changed(outcome);
                }
                Entry::Failed { error: bounded(error) }
            }
        };
        recorder.finish(end);
        self.leave_place(job);
        // Now the next job may come.
        self.watchers.grew(job);
    }

    fn cancel(&self, job: u64) -> Result<Reply, Refusal> {
        let place = self.lock();
        if let Some(current) = place.current.as_ref().filter(|current| current.job == job) {
            current.cancel.cancel();
            return Ok(Reply::Cancelling);
        }
        // Under the lock, so that the job cannot begin meanwhile.
        match self.begin_journal(job)? {
            Some(mut journal) => {
                self.write(&mut journal, Entry::Failed { error: ApplyError::Cancelled })?;
                drop(place);
                self.watchers.grew(job);
                Ok(Reply::Cancelling)
            }
            None => Ok(Reply::Ended),
        }
    }

    fn begin_journal(&self, job: u64) -> Result<Option<Journal>, Refusal> {
        // A server gone mad must not fill the disk with numbers of jobs.
        if !leaves_reserve(&self.worker_dir, 0).map_err(internal)? {
            return Err(internal("the disk is full"));
        }
        Journal::begin(&self.worker_dir, job).map_err(internal)
    }

    /// Deletes what is kept of jobs that are not at work.
    fn forget(&self, jobs: &[u64]) -> Result<Reply, Refusal> {
        for &job in jobs {
            // Under the lock, so that the job cannot begin meanwhile.
            let place = self.lock();
            if place.current.as_ref().is_none_or(|current| current.job != job) {
                journal::remove(&self.worker_dir, job).map_err(|error| internal(error.kind()))?;
            }
        }
        Ok(Reply::Forgotten)
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

pub(super) fn internal(error: impl fmt::Display) -> Refusal {
    Refusal::Internal { message: error.to_string() }
}

/// The same with texts of bounded length.
pub(super) fn bounded(error: ApplyError) -> ApplyError {
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
