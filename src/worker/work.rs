//! The work itself: checks each request anew and does one job at a time.

use std::fmt;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::craft::{Craft, Task};
use super::journal::{self, Entry, Journal, Record};
use super::process::is_running;
use super::protocol::{Refusal, Reply, Request, Work};
use super::recorder::{Recorder, shorten};
use super::watchers::Watchers;
use super::{numbers, record};
use crate::access::{Audit, Caller, Change, Made, Role};
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
    /// Who asked for what.
    record: Audit,
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
    owner: Arc<str>,
    cancel: CancelToken,
}

/// What a job is to do, and who asked for it.
#[derive(Debug)]
struct Asked {
    owner: Caller,
    what: Change,
}

impl Workbench {
    pub(super) fn new(
        craft: Arc<dyn Craft>,
        worker_dir: PathBuf,
        watchers: Arc<Watchers>,
        record: Audit,
        clock: SharedClock,
    ) -> Arc<Self> {
        Arc::new(Self { craft, worker_dir, watchers, record, clock, place: Mutex::default(), freed: Condvar::new() })
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
            other => self.answer_to_caller(other, file, given_up),
        };
        reply.unwrap_or_else(Reply::Refused)
    }

    /// Answers a caller who may ask, and has the record tell of one who may not, and of what is changed.
    fn answer_to_caller(&self, request: Request, file: Option<File>, given_up: &CancelToken) -> Result<Reply, Refusal> {
        let caller = request.caller().cloned().ok_or(Refusal::Malformed)?;
        let (told, is_change) = (record::told(&request), record::is_change(&request));
        check_role(&caller).inspect_err(|refusal| self.record.refused(&caller, &told, refusal))?;
        let answer = || match request {
            Request::Cancel { job, .. } => self.cancel(job, &caller),
            Request::Forget { jobs, lowest, .. } => self.forget(&jobs, lowest),
            other => self.craft.answer(other, file, given_up),
        };
        if is_change { self.record.change(&caller, &told, answer, |_| Made::default()) } else { answer() }
    }

    fn run(self: &Arc<Self>, job: u64, work: Work, caller: &Caller) -> Result<Reply, Refusal> {
        let cancel = self.take_place(job, caller)?;
        // Gives the place up again unless the work has begun.
        let started = self.start(job, work, caller, cancel);
        if started.is_err() {
            self.leave_place(job);
        }
        started.map(|()| Reply::Accepted)
    }

    fn start(self: &Arc<Self>, job: u64, work: Work, caller: &Caller, cancel: CancelToken) -> Result<(), Refusal> {
        let asked = Asked { owner: caller.clone(), what: record::work_told(&work) };
        // First of all: what was accepted before is neither done nor refused for another reason.
        let begun = self.begin_journal(job);
        let begun = begun.inspect_err(|refusal| self.record.refused(&asked.owner, &asked.what, refusal))?;
        let mut journal = begun.ok_or(Refusal::AlreadyAccepted)?;
        let mut task = match self.admit(job, work, &asked) {
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
        let spawned = thread::Builder::new()
            .name("work".into())
            .spawn(move || bench.work(job, &asked, task.as_mut(), recorder, &cancel));
        // The recorder is lost with the thread that was not made; its journal is given up without an end, which tells
        // the server all there is to tell.
        spawned.map(drop).map_err(internal)
    }

    /// Makes a task of what is asked for, and has the record tell of it, or of why not.
    fn admit(&self, job: u64, work: Work, asked: &Asked) -> Result<Box<dyn Task>, Refusal> {
        let folder = journal::folder(&self.worker_dir, job);
        let task = check_role(&asked.owner).and_then(|()| Arc::clone(&self.craft).task(work, &folder));
        let task = task.inspect_err(|refusal| self.record.refused(&asked.owner, &asked.what, refusal))?;
        self.record.job_asked(&asked.owner, job, &asked.what)?;
        Ok(task)
    }

    fn work(&self, job: u64, asked: &Asked, task: &mut dyn Task, mut recorder: Recorder, cancel: &CancelToken) {
        let end = if cancel.is_cancelled() {
            Err(ApplyError::Cancelled)
        } else {
            // A panic in an engine must not leave the job without its end.
            catch_unwind(AssertUnwindSafe(|| task.carry_out(&mut recorder, cancel))).unwrap_or_else(|_| {
                Err(ApplyError::Failed(format!("The worker hit a fault of its own. {}", task.after_a_fault())))
            })
        };
        task.clean_up();
        let result = end.as_ref().map_or_else(ToString::to_string, |_| "completed".to_owned());
        self.record.job_ended(&asked.owner, job, &asked.what, result);
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

    fn cancel(&self, job: u64, caller: &Caller) -> Result<Reply, Refusal> {
        let place = self.lock();
        if let Some(current) = place.current.as_ref().filter(|current| current.job == job) {
            if caller.role < Role::Admin && caller.name != current.owner {
                return Err(Refusal::NotOwner);
            }
            current.cancel.cancel();
            return Ok(Reply::Cancelling);
        }
        // Under the lock, so that the job cannot begin meanwhile.
        let begun = match self.begin_journal(job) {
            Err(Refusal::NumberIsOver) => Ok(None),
            begun => begun,
        };
        match begun? {
            Some(mut journal) => {
                self.write(&mut journal, Entry::Failed { error: ApplyError::Cancelled })?;
                drop(place);
                self.watchers.grew(job);
                Ok(Reply::Cancelling)
            }
            None => Ok(Reply::Ended),
        }
    }

    /// The journal of a job that was never accepted; `None` if it was.
    fn begin_journal(&self, job: u64) -> Result<Option<Journal>, Refusal> {
        if job > numbers::HIGHEST {
            return Err(Refusal::Malformed);
        }
        if job < numbers::lowest(&self.worker_dir).map_err(internal)? {
            let journal = journal::read(&journal::path(&self.worker_dir, job), 0).map_err(internal)?;
            return if journal.offset > 0 { Ok(None) } else { Err(Refusal::NumberIsOver) };
        }
        if !numbers::is_in_reach(&self.worker_dir, job).map_err(internal)? {
            return Err(Refusal::NumberTooHigh);
        }
        // A server gone mad must not fill the disk with numbers of jobs.
        if !leaves_reserve(&self.worker_dir, 0).map_err(internal)? {
            return Err(internal("the disk is full"));
        }
        Journal::begin(&self.worker_dir, job).map_err(internal)
    }

    /// Deletes what is kept of jobs that are over, and sees to it that none of them is run again.
    fn forget(&self, jobs: &[u64], lowest: u64) -> Result<Reply, Refusal> {
        if lowest > numbers::HIGHEST {
            return Err(Refusal::Malformed);
        }
        let failed = |error: io::Error| internal(error.kind());
        {
            let _no_job_begins = self.lock();
            // Numbers that are given up never come back: nobody gets rid of all of them at once.
            if !numbers::is_in_reach(&self.worker_dir, lowest).map_err(failed)? {
                return Err(Refusal::NumberTooHigh);
            }
            numbers::raise(&self.worker_dir, lowest).map_err(failed)?;
        }
        for &job in jobs.iter().filter(|&&job| job < lowest) {
            // Under the lock, so that the job cannot begin meanwhile.
            let place = self.lock();
            let is_at_work = place.current.as_ref().is_some_and(|current| current.job == job);
            if !is_at_work && !self.has_tool(job).map_err(failed)? {
                journal::remove(&self.worker_dir, job).map_err(failed)?;
            }
        }
        Ok(Reply::Forgotten)
    }

    /// Whether a tool still works that a worker started which died before the job's end. Nobody would know of it without the journal.
    fn has_tool(&self, job: u64) -> io::Result<bool> {
        let journal = journal::read(&journal::path(&self.worker_dir, job), 0)?;
        let tool = journal.last_tool().filter(|_| !journal.has_end());
        Ok(tool.is_some_and(|(pid, start_ticks)| is_running(pid, start_ticks)))
    }

    fn write(&self, journal: &mut Journal, entry: Entry) -> Result<(), Refusal> {
        journal.append(&mut [Record { at: self.clock.now(), entry }].into()).map_err(internal)
    }

    fn take_place(&self, job: u64, caller: &Caller) -> Result<CancelToken, Refusal> {
        let mut place = self.lock();
        match &place.current {
            Some(current) if current.job == job => Err(Refusal::AlreadyAccepted),
            Some(_) => Err(Refusal::Busy),
            None if place.is_closed => Err(Refusal::Retiring),
            None => {
                let cancel = CancelToken::default();
                place.current = Some(Current { job, owner: Arc::clone(&caller.name), cancel: cancel.clone() });
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

/// The server has checked it before; the worker trusts nobody.
fn check_role(caller: &Caller) -> Result<(), Refusal> {
    if caller.role < Role::Operator { Err(Refusal::NotPermitted) } else { Ok(()) }
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
