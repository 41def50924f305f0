//! What moves the jobs on: one step looks at everything once; a loop repeats it when there may be something to do.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::JobsError;
use super::id::JobId;
use super::job::{Job, JobError, JobFailure, JobState};
use super::link::LinkError;
use super::request::JobRequest;
use super::table::{Jobs, Trail};
use crate::access::{Caller, Role};
use crate::software::patch::PatchOperation;
use crate::worker::protocol::{Reply, Request};
use crate::worker::{Refusal, StagedId, is_running, journal, numbers};

/// The next look while the worker works: it rings when there is something to see.
const WATCHED: Duration = Duration::from_secs(1);
/// The next look while something is awaited that nobody rings for.
const UNWATCHED: Duration = Duration::from_millis(200);
/// The next look after something failed.
const BACK_OFF: Duration = Duration::from_secs(2);
/// How many journals of removed jobs may wait to be deleted.
const MOST_KEPT_JOURNALS: usize = 256;
/// The longest time without a look.
const IDLE: Duration = Duration::from_secs(60);

impl Jobs {
    /// Moves the jobs on until [`Jobs::stop`]. Blocks: it wants a thread of its own.
    pub fn run(&self) {
        while !self.wake.is_stopped() {
            match self.try_step() {
                Ok(pause) => self.wake.wait(pause),
                Err(error) => {
                    report(&error);
                    // Rings do not count now: a worker that dies at once must not be started at once again.
                    self.wake.pause(BACK_OFF);
                }
            }
        }
        self.link.unwatch();
    }

    /// Ends [`Jobs::run`]. The worker goes on with what it does.
    pub fn stop(&self) {
        self.wake.stop();
    }

    /// One look at everything: removes what is due, takes over what the worker did, gives it the next job. Tells when
    /// to look again at the latest. Blocks.
    pub fn step(&self) -> Duration {
        self.try_step().unwrap_or_else(|error| {
            report(&error);
            BACK_OFF
        })
    }

    fn try_step(&self) -> Result<Duration, JobsError> {
        self.remove_expired(self.clock.now())?;
        self.read_active_journal()?;
        self.forget_removed();
        let pause = match self.active() {
            Some((job, _)) if job.state == JobState::Running => self.look_after(&job)?,
            Some((job, _)) => self.dispatch(&job)?,
            None => match self.next() {
                Some(job) => self.dispatch(&job)?,
                None => {
                    self.link.unwatch();
                    self.until_removal()
                }
            },
        };
        Ok(if self.tidy_spool() { pause } else { pause.min(IDLE / 2) })
    }

    /// Takes over what the journal of the job at work has beyond what the job already tells.
    pub(super) fn read_active_journal(&self) -> Result<(), JobsError> {
        // Only what was dispatched has a journal.
        if let Some((job, _)) = self.active() {
            self.read_journal(job.id)?;
        }
        Ok(())
    }

    fn read_journal(&self, id: JobId) -> Result<(), JobsError> {
        let has_looked = self.look_if_ended(id)?;
        let mut trails = self.lock();
        let Some(job) = self.job(id) else { return Ok(()) };
        let trail = trails.get(&id).copied().unwrap_or_default();
        let tail = journal::read(&journal::path(&self.settings.worker_dir, id.0), trail.offset)?;
        if tail.offset == trail.offset {
            return Ok(());
        }
        if tail.has_end() && !has_looked {
            // The end was written since the look.
            drop(trails);
            return self.read_journal(id);
        }
        let now = self.clock.now();
        let mut states = vec![Job::clone(&job)];
        for record in &tail.records {
            let mut state = states.last().unwrap_or(&job).clone();
            state.apply(record, now);
            states.push(state);
        }
        let taken = self.take_assessment(&mut states)?;
        self.put_with(&mut trails, states, Trail { dispatched: true, offset: tail.offset }, taken)?;
        Ok(())
    }

    /// The job that the worker has, or may have. There is at most one.
    fn active(&self) -> Option<(Arc<Job>, Trail)> {
        let trails = self.lock();
        let unfinished = self.jobs().into_iter().filter(|job| !job.state.is_final());
        unfinished
            .filter_map(|job| trails.get(&job.id).map(|trail| (job, *trail)))
            .find(|(job, trail)| trail.dispatched || job.state == JobState::Running)
    }

    /// The job whose turn it is.
    fn next(&self) -> Option<Arc<Job>> {
        let queued = self.jobs().into_iter().filter(|job| job.state == JobState::Queued);
        queued.min_by_key(|job| (job.priority, job.id))
    }

    /// Asks the worker to run a queued job, perhaps not for the first time: a worker runs no job twice.
    fn dispatch(&self, job: &Job) -> Result<Duration, JobsError> {
        let role = self.role_now(&job.owner)?;
        {
            let mut trails = self.lock();
            let Some(current) = self.job(job.id).filter(|job| job.state == JobState::Queued) else {
                return Ok(Duration::ZERO);
            };
            let trail = trails.get(&job.id).copied().unwrap_or_default();
            if !trail.dispatched {
                if let Some(error) = no_longer_allowed(role) {
                    drop(trails);
                    self.fail(job.id, error)?;
                    return Ok(Duration::ZERO);
                }
                // Durable before the worker hears of it: from now on only the worker can say that it did not begin.
                self.put(&mut trails, vec![Job::clone(&current)], Trail { dispatched: true, ..trail })?;
            }
        }
        // The worker judges the role of what it was asked before and did not take.
        let caller = Caller { role: role.unwrap_or(Role::Viewer), ..job.owner.clone() };
        let request = Request::Run { job: job.id.0, operation: job.request.work(), caller };
        match self.link.watch().and_then(|()| self.link.call(&request)) {
            Ok(Reply::Accepted) => Ok(Duration::ZERO),
            Ok(_) => Err(JobsError::Worker(LinkError::Unexpected.to_string())),
            // The watch rings when the worker is free, and when the journal tells more.
            Err(LinkError::Refused(Refusal::Busy | Refusal::Retiring | Refusal::AlreadyAccepted)) => Ok(UNWATCHED),
            // The worker may do it once its own trouble, such as a full disk, is over.
            Err(LinkError::Refused(refusal @ Refusal::Internal { .. })) => Err(JobsError::Worker(refusal.to_string())),
            // Any other refusal stays one: asked for ever, the job would hold up all others.
            Err(LinkError::Refused(refusal)) => {
                self.fail(job.id, JobError::from(&refusal))?;
                Ok(Duration::ZERO)
            }
            Err(error) => Err(JobsError::Worker(error.to_string())),
        }
    }

    /// The role that the owner of a job has by now; `None` if there is no such user any more. Who came over no network is no
    /// user of the service and keeps the role that the job was asked for with.
    fn role_now(&self, owner: &Caller) -> Result<Option<Role>, JobsError> {
        match &self.settings.users {
            Some(users) if owner.address.is_some() => Ok(users.role_of(&owner.name)?),
            _ => Ok(Some(owner.role)),
        }
    }

    /// Looks whether the worker still works on a running job.
    fn look_after(&self, job: &Job) -> Result<Duration, JobsError> {
        let path = journal::path(&self.settings.worker_dir, job.id.0);
        if journal::is_held(&path)? {
            return Ok(match self.link.watch_if_there() {
                Ok(true) => WATCHED,
                // A worker of an earlier program file or of other settings ends when its job has; its journal is read until then.
                Ok(false) | Err(LinkError::OtherOrders) => UNWATCHED,
                Err(error) => {
                    tracing::warn!(%error, "the worker works but does not tell");
                    WATCHED
                }
            });
        }
        // It may have ended in good order since its journal was read.
        self.read_journal(job.id)?;
        let Some(job) = self.job(job.id).filter(|job| !job.state.is_final()) else { return Ok(Duration::ZERO) };
        let tool = journal::read(&path, 0)?.last_tool();
        if tool.is_some_and(|(pid, start)| is_running(pid, start)) {
            // The package database is the tool's until it ends: no other job may begin.
            return Ok(UNWATCHED);
        }
        self.look_before_end();
        {
            let mut work = self.lock_spool_work();
            // What it was fetching lies in the spool, and nobody knows its name.
            work.sweep_at = self.sweep_later();
            // An image that it was putting together may be large, and the next job far away.
            work.is_left_behind = matches!(job.request, JobRequest::Image(_) | JobRequest::Patch(_));
        }
        // First, so that a server that dies in between does it all once more.
        self.assess_again(&job);
        self.fail(job.id, worker_died(&job, tool.is_some()))?;
        Ok(Duration::ZERO)
    }

    /// Has a host looked at whose patching was cut short: nobody else would tell how it stands.
    fn assess_again(&self, job: &Job) {
        let JobRequest::Patch(operation) = &job.request else { return };
        let metadata = operation.scanned_with();
        if operation.only_looks() || metadata.is_empty() {
            return;
        }
        let request = JobRequest::Patch(PatchOperation::Assess { metadata: metadata.to_vec() });
        if self.jobs().iter().any(|other| other.id > job.id && !other.state.is_final() && other.request == request) {
            return;
        }
        if let Err(error) = self.submit(request, &job.owner) {
            tracing::error!(error = &error as &dyn std::error::Error, "the host is not assessed again");
        }
    }

    /// Has the system looked at, if a change waited for a boot when it was looked at last: no change waits by now. `false`
    /// while a job is under way, which may look by itself or fail to: ask again once it has ended.
    #[must_use]
    pub fn assess_after_boot(&self) -> bool {
        let Some(assessed) = self.assessment().filter(|assessed| assessed.summary.host.reboot_pending) else {
            return true;
        };
        if self.jobs().iter().any(|job| !job.state.is_final()) {
            return false;
        }
        let request = JobRequest::Patch(PatchOperation::Assess { metadata: assessed.assessment.metadata.clone() });
        if let Err(error) = self.submit(request, &Caller::service()) {
            tracing::error!(error = &error as &dyn std::error::Error, "the host is not assessed after its boot");
        }
        true
    }

    /// Looks at what a job did if its journal has its end, and tells whether it did. Not under the lock: others would wait.
    fn look_if_ended(&self, id: JobId) -> Result<bool, JobsError> {
        let offset = self.lock().get(&id).copied().unwrap_or_default().offset;
        let has_end = journal::read(&journal::path(&self.settings.worker_dir, id.0), offset)?.has_end();
        if has_end {
            self.look_before_end();
        }
        Ok(has_end)
    }

    fn look_before_end(&self) {
        if let Some(before_end) = &self.settings.before_end {
            before_end.about_to_end();
        }
    }

    /// Ends all jobs that no worker has begun: what they were asked for is not there any more. The message tells their
    /// readers why. How many it were.
    pub fn give_up_waiting(&self, message: &str) -> Result<usize, JobsError> {
        let waiting: Vec<_> = self.jobs().into_iter().filter(|job| job.state == JobState::Queued).collect();
        for job in &waiting {
            self.fail(job.id, JobError { cause: JobFailure::Refused, message: message.to_owned() })?;
        }
        Ok(waiting.len())
    }

    fn fail(&self, id: JobId, error: JobError) -> Result<(), JobsError> {
        let mut trails = self.lock();
        let Some(job) = self.job(id).filter(|job| !job.state.is_final()) else { return Ok(()) };
        let trail = trails.get(&id).copied().unwrap_or_default();
        let mut failed = Job::clone(&job);
        let now = self.clock.now();
        failed.fail(error, now, now);
        self.put(&mut trails, vec![failed], trail)?;
        drop(trails);
        self.discard(&job.request);
        Ok(())
    }

    /// Lets the worker delete the journals of jobs that were removed. None is started for a few of them: the next job brings one.
    fn forget_removed(&self) {
        let oldest = self.jobs().iter().filter(|job| !job.state.is_final()).map(|job| job.id.0).min();
        // A number below the lowest is never run again, so none of a job that still waits may be.
        let is_over = |job: &u64| oldest.is_none_or(|oldest| *job < oldest);
        let jobs: Vec<u64> = self.lock_spool_work().forget.iter().copied().filter(is_over).collect();
        let Some(highest) = jobs.iter().max() else { return };
        let lowest = highest.saturating_add(1).min(numbers::HIGHEST);
        let is_time = jobs.len() >= MOST_KEPT_JOURNALS || self.link.is_watched();
        let request = Request::Forget { jobs: jobs.clone(), lowest, caller: Caller::service() };
        if is_time && self.link.call(&request).is_ok() {
            self.lock_spool_work().forget.retain(|job| !jobs.contains(job));
        }
    }

    /// Lets the worker delete what no job needs; tells whether nothing is left to do.
    fn tidy_spool(&self) -> bool {
        let (sweep_at, is_left_behind, discard) = {
            let work = self.lock_spool_work();
            (work.sweep_at, work.is_left_behind, work.discard.clone())
        };
        let is_due = sweep_at.is_some_and(|at| at <= self.clock.now());
        if is_due && let Ok(next) = self.sweep() {
            self.lock_spool_work().sweep_at = next;
        }
        if is_left_behind && self.link.call(&self.sweeping()).is_ok() {
            self.lock_spool_work().is_left_behind = false;
        }
        for staged in discard {
            if self.link.call(&Request::Discard { staged, caller: Caller::service() }).is_ok() {
                self.lock_spool_work().discard.retain(|&id| id != staged);
            }
        }
        let work = self.lock_spool_work();
        work.sweep_at.is_none_or(|at| at > self.clock.now()) && work.discard.is_empty() && !work.is_left_behind
    }

    /// Has old files deleted that no job needs, and tells when to do so again: when those that are too young now are old.
    fn sweep(&self) -> Result<Option<DateTime<Utc>>, LinkError> {
        let spool = self.settings.worker_dir.join("spool");
        let files = || std::fs::read_dir(&spool).map_or(usize::MAX, Iterator::count);
        if files() == 0 {
            return Ok(None);
        }
        let kept = self.staged().len();
        self.link.call(&self.sweeping())?;
        Ok(if files() > kept { self.sweep_later() } else { None })
    }

    /// The request to delete old files that no job needs.
    fn sweeping(&self) -> Request {
        let older_than_seconds = self.settings.staged_age.as_secs();
        Request::Sweep { keep: self.staged(), older_than_seconds, caller: Caller::service() }
    }

    /// The files that jobs need.
    fn staged(&self) -> Vec<StagedId> {
        let jobs = self.jobs();
        let unfinished = jobs.iter().filter(|job| !job.state.is_final());
        unfinished.filter_map(|job| Some(job.request.staged()?.id)).collect()
    }

    /// When all that is in the spool now will be old enough to be swept.
    pub(super) fn sweep_later(&self) -> Option<DateTime<Utc>> {
        let age = TimeDelta::from_std(self.settings.staged_age).ok()?;
        self.clock.now().checked_add_signed(age)
    }

    fn until_removal(&self) -> Duration {
        let next = self.jobs().iter().filter_map(|job| job.removal_at).min();
        next.map_or(IDLE, |at| (at - self.clock.now()).to_std().unwrap_or_default().min(IDLE))
    }
}

/// Why a job that waited may not begin: what its owner was allowed to when it was asked for may be over. The owner's name is
/// not for everybody who reads it.
fn no_longer_allowed(role: Option<Role>) -> Option<JobError> {
    let message = match role {
        Some(role) if role >= Role::Operator => return None,
        Some(role) => format!(
            "Whoever asked for the job has the role {role} by now, and it needs the role {}. Nothing was changed.",
            Role::Operator
        ),
        None => "The user who asked for the job was removed while it waited. Nothing was changed.".to_owned(),
    };
    Some(JobError { cause: JobFailure::NotAllowed, message })
}

fn report(error: &JobsError) {
    tracing::error!(error = error as &dyn std::error::Error, "the jobs cannot be moved on");
}

fn worker_died(job: &Job, tool_was_started: bool) -> JobError {
    let when = job.phase.as_ref().map_or("before its first phase".into(), |phase| job.words(phase));
    let what = match &job.request {
        JobRequest::Patch(operation) if operation.only_looks() => {
            "The job only looked, and the software is as it was. Submit it again."
        }
        JobRequest::Image(_) | JobRequest::Patch(_) => {
            "The image is whole: it is the one from before the job, or, if the worker had just finished, the new one. \
             Look at its VIBs and submit the job again if they are not the ones you want."
        }
        JobRequest::Packages(_) if tool_was_started => {
            "A package tool had been started and runs no more; whether it finished is not known, and the package database \
             may be unfinished. Look at the package's state, for example with `dpkg --audit` or `rpm -Va`, put it right, and \
             submit the job again."
        }
        JobRequest::Packages(_) => {
            "No package tool had been started as far as is known. Look at the package's state, for example with \
             `dpkg --audit` or `rpm -Va`, put it right, and submit the job again."
        }
    };
    let message = format!("The worker process ended in the middle of the job ({when}). {what}");
    JobError { cause: JobFailure::WorkerDied, message }
}
