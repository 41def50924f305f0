//! A job: what was asked for, how far it is, what came of it.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::id::JobId;
use super::request::JobRequest;
use crate::access::Caller;
use crate::software::vib::ImageErrorClass;
use crate::software::{ApplyError, Outcome, Phase};
use crate::worker::Refusal;
use crate::worker::journal::{Entry, Record};

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for its turn.
    Queued,
    /// The worker works on it.
    Running,
    /// It did what was asked.
    Completed,
    /// It did not, or not all of it; its error says why.
    Failed,
    /// It was stopped before anything was changed.
    Cancelled,
}

impl JobState {
    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// JobStatus of a job after which the host must be rebooted, in the words that clients of VMware's provider know.
const NEEDS_REBOOT: &str =
    "The update completed successfully, but the system needs to be rebooted for the changes to be effective.";

/// How much of a job of an image is done while its bundle is looked at.
const SCANNING_PERCENT: u8 = 10;

/// By what a job failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobFailure {
    /// Packages it depends on are missing or conflict.
    Dependencies,
    /// Exactly this package is installed already, or a newer one.
    NotNewer,
    /// No such package is installed, or none is offered by a repository.
    NotFound,
    /// What was fetched is no package of this system.
    NotAPackage,
    /// There is no room.
    NoSpace,
    /// A signature or a checksum of a package or of a repository is wrong or missing.
    Untrusted,
    /// A repository or another server cannot be reached, or does not have the file.
    Unreachable,
    /// Somebody else holds the package database's lock.
    Busy,
    /// The tool, or a script of a package, failed.
    Failed,
    /// The worker did not take the job: the staged package was gone or changed.
    Refused,
    /// Its owner may not change software, or not any more.
    NotAllowed,
    /// The worker process ended in the middle of it.
    WorkerDied,
    /// Of an image: by what esximage would call so.
    Image(ImageErrorClass),
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// By what.
    pub cause: JobFailure,
    /// For a person: what went wrong and what to do.
    pub message: String,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// What it is to do.
    pub request: JobRequest,
    /// Who asked for it.
    pub owner: Caller,
    /// Where it is in its life.
    pub state: JobState,
    /// What the worker is doing; `None` before it runs. The last phase stays in a final state.
    pub phase: Option<Phase>,
    /// How much is done: below 100 until the job is final, 100 in every final state.
    pub percent: u8,
    /// What the operator should read.
    pub notes: Vec<String>,
    /// Why it failed; only in [`JobState::Failed`].
    pub error: Option<JobError>,
    /// What the package database says was changed, in a final state; of a job that failed, what it changed before.
    pub outcome: Option<Outcome>,
    /// When it was asked for.
    pub submitted_at: DateTime<Utc>,
    /// When the worker began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it became final.
    pub ended_at: Option<DateTime<Utc>>,
    /// When its state changed last.
    pub changed_at: DateTime<Utc>,
    /// Its name.
    pub name: String,
    /// Lower runs first; jobs of the same priority run in the order of their numbers.
    pub priority: u32,
    /// Whether it is removed some time after it ended.
    pub delete_on_completion: bool,
    /// How long after its end it is removed, in seconds.
    pub time_before_removal_seconds: u64,
    /// When it will be removed; `None` while it is not final, and when it is to stay.
    pub removal_at: Option<DateTime<Utc>>,
}

impl Job {
    /// JobStatus: the words that clients know from other implementations, and the phase in between.
    pub fn status(&self) -> String {
        match (self.state, &self.phase, &self.error) {
            (JobState::Queued, ..) => "Enqueued".to_owned(),
            (JobState::Running, Some(phase), _) if self.is_update_of_image() => words(phase).into_owned(),
            (JobState::Running, Some(phase), _) => format!("Running: {}", self.words(phase)),
            (JobState::Running, None, _) => "Running: starting".to_owned(),
            (JobState::Completed, ..) if self.outcome.as_ref().is_some_and(|o| o.needs_reboot) => {
                NEEDS_REBOOT.to_owned()
            }
            (JobState::Completed, ..) if self.changes_image() => self.image_is_done().to_owned(),
            (JobState::Completed, ..) => "Completed successfully".to_owned(),
            (JobState::Failed, _, Some(error)) => format!("Failed: {}", error.message),
            (JobState::Failed, _, None) => "Failed".to_owned(),
            (JobState::Cancelled, ..) => "Terminated".to_owned(),
        }
    }

    /// Whether it is a job of the service that VMware's clients know.
    fn is_update_of_image(&self) -> bool {
        matches!(self.request, JobRequest::Image(_))
    }

    fn changes_image(&self) -> bool {
        match &self.request {
            JobRequest::Image(_) => true,
            JobRequest::Patch(operation) => !operation.only_looks(),
            JobRequest::Packages(_) => false,
        }
    }

    /// What it does in a phase, for people.
    pub(super) fn words<'p>(&self, phase: &'p Phase) -> Cow<'p, str> {
        match (&self.request, phase) {
            (JobRequest::Patch(operation), Phase::Downloading) if operation.only_looks() => "fetching metadata".into(),
            (JobRequest::Patch(_), Phase::Downloading) => "fetching what is to be installed".into(),
            (JobRequest::Patch(_), Phase::Scanning) => "comparing the system with what was published for it".into(),
            (JobRequest::Patch(_), Phase::Updating) => "changing the image".into(),
            _ => words(phase),
        }
    }

    /// The last JobStatus of a job of an image after which no reboot is needed, in esximage's words.
    fn image_is_done(&self) -> &'static str {
        let done = self.outcome.as_ref().and_then(|outcome| outcome.image.as_ref());
        match done {
            Some(done) if done.installed.is_empty() && done.removed.is_empty() => "Host is not changed.",
            _ => "Operation finished successfully.",
        }
    }

    /// Takes over what the worker wrote to the journal at `record.at`; a final job takes nothing more.
    /// `now` is when the server reads it, from which the time before removal counts.
    pub(super) fn apply(&mut self, record: &Record, now: DateTime<Utc>) {
        if self.state.is_final() {
            return;
        }
        match &record.entry {
            Entry::Accepted => {
                self.state = JobState::Running;
                self.started_at = Some(record.at);
                self.changed_at = record.at;
                if self.is_update_of_image() {
                    // VMware's clients know no other words before these.
                    self.phase = Some(Phase::Scanning);
                    self.percent = SCANNING_PERCENT;
                }
            }
            Entry::ToolStarted { .. } => {}
            Entry::Phase { phase, percent } => {
                self.phase = Some(phase.clone());
                self.percent = self.percent.max((*percent).min(99));
            }
            Entry::Note { text } => self.notes.push(text.clone()),
            Entry::Changed { outcome } => self.outcome = Some(outcome.clone()),
            Entry::Finished { outcome } => {
                self.outcome = Some(outcome.clone());
                self.end(JobState::Completed, record.at, now);
            }
            Entry::Failed { error: ApplyError::Cancelled } => self.end(JobState::Cancelled, record.at, now),
            Entry::Failed { error } => self.fail(JobError::from(error), record.at, now),
        }
    }

    /// Makes it failed.
    pub(super) fn fail(&mut self, error: JobError, at: DateTime<Utc>, now: DateTime<Utc>) {
        self.error = Some(error);
        self.end(JobState::Failed, at, now);
    }

    /// Makes it final.
    pub(super) fn end(&mut self, state: JobState, at: DateTime<Utc>, now: DateTime<Utc>) {
        self.state = state;
        self.percent = 100;
        self.ended_at = Some(at);
        self.changed_at = at;
        self.schedule_removal(now);
    }

    /// Starts the time before removal anew, if the job is final.
    pub(super) fn schedule_removal(&mut self, now: DateTime<Utc>) {
        let wait = i64::try_from(self.time_before_removal_seconds).ok().and_then(TimeDelta::try_seconds);
        // A time that no calendar holds is never.
        let due = wait.and_then(|wait| now.checked_add_signed(wait));
        self.removal_at = due.filter(|_| self.state.is_final() && self.delete_on_completion);
    }
}

/// What a phase is called in JobStatus and in messages.
fn words(phase: &Phase) -> Cow<'static, str> {
    Cow::Borrowed(match phase {
        Phase::Waiting { holder } => return Cow::Owned(format!("waiting for {holder}")),
        Phase::Checking => "checking the package",
        Phase::Downloading => "downloading packages",
        Phase::Unpacking => "unpacking files",
        Phase::Configuring => "configuring packages",
        Phase::Removing => "removing packages",
        Phase::Verifying => "verifying the result",
        Phase::Scanning => "Scanning URI for installable packages",
        Phase::Updating => "Scan of URI Complete and installable packages found. Starting Update.",
    })
}

impl From<&ApplyError> for JobError {
    fn from(error: &ApplyError) -> Self {
        let cause = match error {
            ApplyError::Dependencies(_) => JobFailure::Dependencies,
            ApplyError::NotNewer(_) => JobFailure::NotNewer,
            ApplyError::NotFound(_) => JobFailure::NotFound,
            ApplyError::NotAPackage(_) => JobFailure::NotAPackage,
            ApplyError::NoSpace(_) => JobFailure::NoSpace,
            ApplyError::Untrusted(_) => JobFailure::Untrusted,
            ApplyError::Unreachable(_) => JobFailure::Unreachable,
            ApplyError::Busy(_) => JobFailure::Busy,
            ApplyError::Image(error) => JobFailure::Image(error.class),
            ApplyError::Cancelled | ApplyError::Failed(_) => JobFailure::Failed,
        };
        Self { cause, message: error.to_string() }
    }
}

impl From<&Refusal> for JobError {
    fn from(refusal: &Refusal) -> Self {
        let cause = match refusal {
            Refusal::NotPermitted => JobFailure::NotAllowed,
            _ => JobFailure::Refused,
        };
        Self { cause, message: refusal.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::tests::queued_job;
    use crate::software::patch::PatchOperation;

    fn record(entry: Entry) -> Record {
        Record { at: DateTime::UNIX_EPOCH + TimeDelta::seconds(7), entry }
    }

    fn after(entries: impl IntoIterator<Item = Entry>) -> Job {
        let mut job = queued_job(1);
        for entry in entries {
            job.apply(&record(entry), DateTime::UNIX_EPOCH + TimeDelta::seconds(100));
        }
        job
    }

    #[test]
    fn percent_never_falls_and_is_100_only_at_the_end() {
        let phase = |percent| Entry::Phase { phase: Phase::Unpacking, percent };
        assert_eq!(after([Entry::Accepted, phase(40), phase(30)]).percent, 40);
        assert_eq!(after([Entry::Accepted, phase(200)]).percent, 99);
        assert_eq!(after([Entry::Accepted, Entry::Finished { outcome: Outcome::default() }]).percent, 100);
        assert_eq!(after([Entry::Accepted, Entry::Failed { error: ApplyError::Cancelled }]).percent, 100);
        assert_eq!(after([Entry::Accepted, Entry::Failed { error: ApplyError::NoSpace("x".into()) }]).percent, 100);
    }

    #[test]
    fn status_words_are_the_ones_that_clients_know() {
        let phase = Entry::Phase { phase: Phase::Configuring, percent: 60 };
        assert_eq!(after([]).status(), "Enqueued");
        assert_eq!(after([Entry::Accepted]).status(), "Running: starting");
        assert_eq!(after([Entry::Accepted, phase]).status(), "Running: configuring packages");
        assert_eq!(after([Entry::Finished { outcome: Outcome::default() }]).status(), "Completed successfully");
        assert_eq!(after([Entry::Failed { error: ApplyError::Cancelled }]).status(), "Terminated");
        let failed = after([Entry::Failed { error: ApplyError::Dependencies("libfoo is missing".into()) }]);
        assert_eq!(failed.status(), "Failed: libfoo is missing");
        assert_eq!(failed.error.unwrap().cause, JobFailure::Dependencies);
    }

    #[test]
    fn a_job_of_the_patch_service_says_what_it_does_in_its_own_words() {
        let status = |operation, phase| {
            let mut job = Job { request: JobRequest::Patch(operation), ..queued_job(1) };
            for entry in [Entry::Accepted, Entry::Phase { phase, percent: 20 }] {
                job.apply(&record(entry), DateTime::UNIX_EPOCH);
            }
            job.status()
        };
        let scan = || PatchOperation::Scan { metadata: Vec::new() };
        let removal = || PatchOperation::Remove { vibs: vec!["a".to_owned()], metadata: Vec::new() };
        assert_eq!(status(scan(), Phase::Downloading), "Running: fetching metadata");
        assert_eq!(status(scan(), Phase::Scanning), "Running: comparing the system with what was published for it");
        assert_eq!(status(removal(), Phase::Updating), "Running: changing the image");
        assert_eq!(status(removal(), Phase::Waiting { holder: "x".into() }), "Running: waiting for x");
    }

    #[test]
    fn a_final_job_changes_no_more() {
        let done = after([Entry::Accepted, Entry::Finished { outcome: Outcome::default() }]);
        let mut later = done.clone();
        later.apply(&record(Entry::Failed { error: ApplyError::Cancelled }), DateTime::UNIX_EPOCH);
        later.apply(&record(Entry::Note { text: "late".into() }), DateTime::UNIX_EPOCH);
        assert_eq!(later, done);
    }

    #[test]
    fn removal_counts_from_when_the_server_saw_the_end() {
        let done = after([Entry::Accepted, Entry::Finished { outcome: Outcome::default() }]);
        assert_eq!(done.ended_at, Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(7)));
        assert_eq!(done.removal_at, Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(400)));
    }

    #[test]
    fn a_removal_beyond_the_calendar_is_never() {
        let mut job = queued_job(1);
        job.time_before_removal_seconds = u64::MAX;
        job.end(JobState::Completed, DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
        assert_eq!(job.removal_at, None);
    }
}
