//! The jobs: the table in memory, the rows, and a change record for every change that can be seen.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use chrono::{DateTime, Utc};
use rusqlite::Transaction;

use super::assessments::{self, Assessed, Lost, Taken};
use super::id::JobId;
use super::job::{Job, JobError, JobState};
use super::link::{Link, LinkError};
use super::request::JobRequest;
use super::wake::Wake;
use super::{
    CancelError, JobsError, MIN_TIME_BEFORE_REMOVAL_SECONDS, PlanError, SetRepositoryError, Settings, WorkerStart,
};
use crate::access::Caller;
use crate::clock::SharedClock;
use crate::software::{Outcome, Plan};
use crate::store::jobs::JobRow;
use crate::store::{Store, StoreError, changes, history, jobs as rows};
use crate::worker::protocol::{Reply, Request};
use crate::worker::{Refusal, StagedId, journal, numbers};

/// All jobs of one managed system.
#[derive(Debug)]
pub struct Jobs {
    pub(super) store: Arc<Store>,
    pub(super) clock: SharedClock,
    pub(super) settings: Settings,
    pub(super) link: Link,
    pub(super) wake: Arc<Wake>,
    /// What everybody reads; written only by those who hold `trails`.
    table: RwLock<BTreeMap<JobId, Arc<Job>>>,
    trails: Mutex<BTreeMap<JobId, Trail>>,
    /// What the system lacks, as it was found last. Written only by those who hold `trails`.
    assessment: RwLock<Option<Arc<Assessed>>>,
    /// Rings whenever a job is another; whoever waits holds `trails`.
    changed: Condvar,
    pub(super) spool_work: Mutex<SpoolWork>,
}

/// What a row holds beside the job.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trail {
    /// Whether a worker may have been asked to run it; from then on only the worker can cancel it.
    pub(super) dispatched: bool,
    /// Up to where its journal is in the job.
    pub(super) offset: u64,
}

/// What the worker is still to delete.
#[derive(Debug, Default)]
pub(super) struct SpoolWork {
    /// When to look for files that no job needs.
    pub(super) sweep_at: Option<DateTime<Utc>>,
    /// Whether a worker died that was putting something together: the next one removes that when it starts.
    pub(super) is_left_behind: bool,
    pub(super) discard: Vec<StagedId>,
    /// Jobs that were removed, and whose journals are not needed any more.
    pub(super) forget: Vec<u64>,
}

/// The right to change jobs.
pub(super) type Trails<'a> = MutexGuard<'a, BTreeMap<JobId, Trail>>;

/// What a client may change of a job; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobModification {
    /// A new place in the queue.
    pub priority: Option<u32>,
    /// Whether it is removed after its end.
    pub delete_on_completion: Option<bool>,
    /// How long after its end; at least [`MIN_TIME_BEFORE_REMOVAL_SECONDS`].
    pub time_before_removal_seconds: Option<u64>,
}

impl Jobs {
    /// Takes up the jobs of the store and what the worker did to them meanwhile. Blocks.
    pub fn open(store: Arc<Store>, clock: SharedClock, settings: Settings) -> Result<Self, JobsError> {
        // A store that was made anew, or is an earlier one, gives no number again of which the worker knows.
        let next = i64::try_from(numbers::next(&settings.worker_dir)?).unwrap_or(i64::MAX);
        store.write(|transaction| rows::number_from(transaction, next))?;
        let mut table = BTreeMap::new();
        let mut trails = BTreeMap::new();
        for row in store.read(|connection| rows::all(connection, settings.system.word()))? {
            let job: Job = serde_json::from_str(&row.body).map_err(|error| StoreError::damaged("job", error))?;
            let offset = u64::try_from(row.journal_offset).unwrap_or(0);
            trails.insert(job.id, Trail { dispatched: row.dispatched, offset });
            table.insert(job.id, Arc::new(job));
        }
        // What a removal could not finish.
        let mut forget = journal::all(&settings.worker_dir)?;
        forget.retain(|&id| !table.contains_key(&JobId(id)));
        let wake = Arc::new(Wake::default());
        let sweep_at = settings.worker_dir.join("spool").exists().then(|| clock.now());
        let jobs = Self {
            link: Link::new(&settings, Arc::clone(&wake)),
            spool_work: Mutex::new(SpoolWork { sweep_at, forget, ..SpoolWork::default() }),
            table: RwLock::new(table),
            assessment: RwLock::new(assessments::stored(&store, settings.system)?),
            trails: Mutex::new(trails),
            changed: Condvar::new(),
            store,
            clock,
            settings,
            wake,
        };
        jobs.read_active_journal()?;
        Ok(jobs)
    }

    /// From now on workers are started so. One that was told otherwise ends as soon as it has no job; the next job goes to one that
    /// was told this.
    pub fn start_worker_as(&self, start: WorkerStart) {
        self.link.start_as(start);
        self.wake.ring();
    }

    /// Gives the staged file up that a job was to need.
    pub(super) fn discard(&self, request: &JobRequest) {
        let Some(staged) = request.staged() else { return };
        self.lock_spool_work().discard.push(staged.id);
        self.wake.ring();
    }

    /// What a request would change, by the package tool's own dry run, which is given up when it takes longer. Changes
    /// nothing. Blocks.
    pub fn plan(&self, request: &JobRequest, caller: &Caller, until: Instant) -> Result<Plan, PlanError> {
        let left = until.saturating_duration_since(Instant::now());
        match self.link.call_for(&Request::Plan { work: request.work(), caller: caller.clone() }, left) {
            Ok(Reply::Planned(plan)) => Ok(plan),
            Err(error) if error.is_late() => Err(PlanError::TimedOut),
            Err(LinkError::Refused(Refusal::NotPossible { error })) => {
                Err(PlanError::NotPossible(JobError::from(&error)))
            }
            other => Err(PlanError::WorkerUnavailable(other.err().unwrap_or(LinkError::Unexpected).to_string())),
        }
    }

    /// Enables or disables a repository of the host. Blocks.
    pub fn set_repository(&self, id: &str, enabled: bool, caller: &Caller) -> Result<(), SetRepositoryError> {
        let request = Request::SetRepository { id: id.to_owned(), enabled, caller: caller.clone() };
        match self.link.call(&request) {
            Ok(Reply::RepositorySet) => Ok(()),
            Err(LinkError::Refused(Refusal::NoRepository)) => Err(SetRepositoryError::NotFound),
            Err(LinkError::Refused(Refusal::Overridden { message })) => Err(SetRepositoryError::Overridden(message)),
            other => Err(SetRepositoryError::Failed(other.err().unwrap_or(LinkError::Unexpected).to_string())),
        }
    }

    /// Puts a job in the queue. It is durable when this returns. If it fails, the staged file is given up.
    pub fn submit(&self, request: JobRequest, owner: &Caller) -> Result<Arc<Job>, JobsError> {
        let submitted = self.insert(&request, owner);
        if submitted.is_err() {
            self.discard(&request);
        }
        self.wake.ring();
        submitted
    }

    /// The job with this number. Answers from memory.
    pub fn job(&self, id: JobId) -> Option<Arc<Job>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All jobs, by number. Answers from memory.
    pub fn jobs(&self) -> Vec<Arc<Job>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Why the worker was not reached the last time that it was wanted; `None` if it was, or was not wanted yet.
    pub fn worker_failure(&self) -> Option<String> {
        self.link.failure()
    }

    /// Whether a worker is connected: one is while jobs run.
    pub fn has_worker(&self) -> bool {
        self.link.is_watched()
    }

    /// What the system lacks, as it was found last; `None` if nobody looked yet. Answers from memory.
    pub fn assessment(&self) -> Option<Arc<Assessed>> {
        self.assessment.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives the assessment up: it is of another system than the one that is managed now.
    pub fn forget_assessment(&self) -> Result<(), JobsError> {
        self.store.write(|transaction| assessments::remove(transaction, self.settings.system))?;
        *self.assessment.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Waits for the end of a job and gives it as it is then, or as it is at the time given. Blocks.
    pub fn wait_for_end(&self, id: JobId, until: Instant) -> Result<Arc<Job>, JobsError> {
        let mut trails = self.lock();
        loop {
            let job = self.job(id).ok_or(JobsError::NotFound)?;
            let left = until.saturating_duration_since(Instant::now());
            if job.state.is_final() || left.is_zero() {
                return Ok(job);
            }
            trails = self.changed.wait_timeout(trails, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Cancels a job: at once if it is queued; if it runs, the worker is asked, which stops only while nothing was
    /// changed. Blocks.
    pub fn cancel(&self, id: JobId, caller: &Caller) -> Result<(), CancelError> {
        let mut trails = self.lock();
        let job = self.job(id).ok_or(CancelError::NotFound)?;
        let trail = trails.get(&id).copied().unwrap_or_default();
        if job.state.is_final() {
            return Err(CancelError::AlreadyEnded);
        }
        if !trail.dispatched {
            let mut cancelled = Job::clone(&job);
            let now = self.clock.now();
            cancelled.end(JobState::Cancelled, now, now);
            self.put(&mut trails, vec![cancelled], trail)?;
            drop(trails);
            self.discard(&job.request);
            return Ok(());
        }
        drop(trails);
        let reply = self.link.call(&Request::Cancel { job: id.0, caller: caller.clone() });
        self.wake.ring();
        match reply {
            Ok(Reply::Cancelling) => Ok(()),
            Ok(Reply::Ended) => Err(CancelError::AlreadyEnded),
            Ok(_) => Err(CancelError::WorkerUnavailable(LinkError::Unexpected.to_string())),
            Err(error) => Err(CancelError::WorkerUnavailable(error.to_string())),
        }
    }

    /// Changes what a client may change of a job. A job that ended gets its time before removal anew.
    pub fn modify(&self, id: JobId, modification: JobModification) -> Result<Arc<Job>, JobsError> {
        let mut trails = self.lock();
        let mut job = Job::clone(&*self.job(id).ok_or(JobsError::NotFound)?);
        let trail = trails.get(&id).copied().unwrap_or_default();
        job.priority = modification.priority.unwrap_or(job.priority);
        if let Some(delete) = modification.delete_on_completion {
            job.delete_on_completion = delete;
            job.schedule_removal(self.clock.now());
        }
        if let Some(seconds) = modification.time_before_removal_seconds {
            job.time_before_removal_seconds = seconds.max(MIN_TIME_BEFORE_REMOVAL_SECONDS);
            job.schedule_removal(self.clock.now());
        }
        let job = self.put(&mut trails, vec![job], trail)?;
        drop(trails);
        self.wake.ring();
        Ok(job)
    }

    /// Removes a job that has ended, with all that is kept for it.
    pub fn remove(&self, id: JobId) -> Result<(), JobsError> {
        let mut trails = self.lock();
        let job = self.job(id).ok_or(JobsError::NotFound)?;
        if !job.state.is_final() {
            return Err(JobsError::NotFinal);
        }
        let before = to_json(&job)?;
        self.store.write(|transaction| {
            rows::remove(transaction, number(id))?;
            changes::append(transaction, self.clock.now(), self.settings.system.subject(), Some(&before), None)
        })?;
        self.lock_spool_work().forget.push(id.0);
        self.table.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        trails.remove(&id);
        Ok(())
    }

    /// Removes the jobs whose time has come and tells how many. [`Jobs::run`] does it by itself.
    pub fn remove_expired(&self, now: DateTime<Utc>) -> Result<usize, JobsError> {
        let due = self.jobs().into_iter().filter(|job| job.removal_at.is_some_and(|at| at <= now));
        let mut removed = 0;
        for job in due {
            match self.remove(job.id) {
                Ok(()) => removed += 1,
                Err(JobsError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    }

    fn insert(&self, request: &JobRequest, owner: &Caller) -> Result<Arc<Job>, JobsError> {
        let mut trails = self.lock();
        if self.jobs().iter().filter(|job| !job.state.is_final()).count() >= self.settings.max_unfinished {
            return Err(JobsError::QueueFull);
        }
        let now = self.clock.now();
        let mut job = Job {
            id: JobId(0),
            owner: owner.clone(),
            state: JobState::Queued,
            phase: None,
            percent: 0,
            notes: Vec::new(),
            error: None,
            outcome: None,
            submitted_at: now,
            started_at: None,
            ended_at: None,
            changed_at: now,
            name: String::new(),
            priority: self.settings.priority,
            delete_on_completion: true,
            time_before_removal_seconds: self.settings.time_before_removal_seconds,
            removal_at: None,
            request: request.clone(),
        };
        let job = self.store.write(move |transaction| {
            job.id = JobId(u64::try_from(rows::insert(transaction, self.settings.system.word())?).unwrap_or(0));
            job.name = job.request.job_name(job.id);
            let body = to_json(&job)?;
            changes::append(transaction, now, self.settings.system.subject(), None, Some(&body))?;
            rows::update(transaction, &JobRow { id: number(job.id), body, dispatched: false, journal_offset: 0 })?;
            Ok::<_, StoreError>(Arc::new(job))
        })?;
        self.settings.audit.job(owner, job.id.0, &job.name, job.request.about(), None);
        trails.insert(job.id, Trail::default());
        self.table.write().unwrap_or_else(PoisonError::into_inner).insert(job.id, Arc::clone(&job));
        Ok(job)
    }

    /// Writes the successive states of one job, the last of which stays, in one transaction.
    pub(super) fn put(&self, trails: &mut Trails<'_>, states: Vec<Job>, trail: Trail) -> Result<Arc<Job>, StoreError> {
        self.put_with(trails, states, trail, None)
    }

    /// The same together with the assessment that the job ends with.
    pub(super) fn put_with(
        &self,
        trails: &mut Trails<'_>,
        states: Vec<Job>,
        trail: Trail,
        taken: Option<Taken>,
    ) -> Result<Arc<Job>, StoreError> {
        let missing = || StoreError::damaged("job", "a change names no job");
        let id = states.last().map(|job| job.id).ok_or_else(missing)?;
        let mut current = self.job(id).ok_or_else(missing)?;
        // Before it is stored: after a crash in between it is told once more, and not left out.
        if let Some(last) = states.last().filter(|last| last.state.is_final() && !current.state.is_final()) {
            self.settings.audit.job(&last.owner, id.0, &last.name, last.request.about(), Some(last.status()));
        }
        self.store.write(|transaction| {
            if let Some(taken) = &taken {
                assessments::write(transaction, self.settings.system, taken, self.clock.now())?;
            }
            for state in states {
                if state != *current {
                    self.append_change(transaction, &current, &state)?;
                    if state.state.is_final() && !current.state.is_final() {
                        let (system, most) = (self.settings.system.word(), self.settings.history_records);
                        history::append(transaction, system, &to_json(&remembered(&state))?, most)?;
                    }
                    current = Arc::new(state);
                }
            }
            let journal_offset = i64::try_from(trail.offset).unwrap_or(i64::MAX);
            let body = to_json(&current)?;
            rows::update(transaction, &JobRow { id: number(id), body, dispatched: trail.dispatched, journal_offset })
        })?;
        trails.insert(id, trail);
        if let Some(taken) = taken {
            *self.assessment.write().unwrap_or_else(PoisonError::into_inner) = Some(taken.assessed);
        }
        self.table.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&current));
        self.changed.notify_all();
        Ok(current)
    }

    /// The assessment that a job ends with, to be stored together with its end. One that is lost is told in the job.
    pub(super) fn take_assessment(&self, states: &mut [Job]) -> Result<Option<Taken>, JobsError> {
        let Some(last) = states.last_mut().filter(|job| job.state.is_final()) else { return Ok(None) };
        match assessments::taken(&self.settings.worker_dir, self.settings.image.as_deref(), last) {
            Ok(taken) => Ok(taken),
            Err(Lost::Unreadable(error)) => Err(JobsError::Journal(error)),
            Err(Lost::ForGood(why)) => {
                tracing::error!(job = last.id.0, "an assessment is lost: {why}");
                last.notes.push(format!("The assessment is lost: {why}. Assess the host again."));
                Ok(None)
            }
        }
    }

    fn append_change(&self, transaction: &Transaction<'_>, before: &Job, after: &Job) -> Result<i64, StoreError> {
        let (before, after) = (to_json(before)?, to_json(after)?);
        changes::append(transaction, self.clock.now(), self.settings.system.subject(), Some(&before), Some(&after))
    }

    /// Whoever holds this may change jobs. Not to be held while the worker is asked.
    pub(super) fn lock(&self) -> Trails<'_> {
        self.trails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock_spool_work(&self) -> MutexGuard<'_, SpoolWork> {
        self.spool_work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the history keeps of a job: not each file that a verification found.
fn remembered(job: &Job) -> Job {
    let outcome = job.outcome.clone().map(|outcome| Outcome { findings: Vec::new(), ..outcome });
    Job { outcome, ..job.clone() }
}

fn number(id: JobId) -> i64 {
    // Numbers come from the store, which counts in i64.
    i64::try_from(id.0).unwrap_or(i64::MAX)
}

fn to_json(job: &Job) -> Result<String, StoreError> {
    serde_json::to_string(job).map_err(|error| StoreError::damaged("job", error))
}
