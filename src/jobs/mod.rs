//! Changes to software as jobs: a queue, a state machine, the worker's journals read back, removal timers.
//!
//! A job is a row and, in the same transaction, a change record for every change that can be seen. One job runs at a
//! time. Knows nothing of CIM.

mod assessments;
mod drive;
mod history;
mod id;
mod job;
mod link;
mod observed;
mod request;
mod staging;
mod table;
#[cfg(test)]
mod tests;
mod wake;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::access::Users;
use crate::store::StoreError;

pub use assessments::Assessed;
pub use history::HistoryRecord;
pub use id::JobId;
pub use job::{Job, JobError, JobFailure, JobState};
pub use observed::{Observed, PACKAGE_SUBJECT, VIB_SUBJECT};
pub use request::{Asked, ImageRequest, InstallAction, InstallOptions, JobRequest};
pub use table::{JobModification, Jobs};

pub use crate::worker::WorkerProgram;

/// A managed system that jobs change. Each has a queue of its own, with its own worker, history and change records; only the
/// numbers of jobs are unique over both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum System {
    /// The host's packages.
    #[default]
    Host,
    /// The image beside it.
    Image,
}

impl System {
    /// The word that the store has for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Image => "image",
        }
    }

    /// The subject of the change records of its jobs.
    pub fn subject(self) -> &'static str {
        match self {
            Self::Host => "job",
            Self::Image => "image_job",
        }
    }
}

/// The shortest time before removal that a client can set, in seconds; less is raised to it.
pub const MIN_TIME_BEFORE_REMOVAL_SECONDS: u64 = 10;

/// Who starts the worker when none listens.
#[derive(Clone, Debug)]
pub enum WorkerStart {
    /// This process.
    Here(WorkerProgram),
    /// Somebody who holds its socket and starts it when a connection comes: a keeper, or systemd.
    Elsewhere {
        /// What a worker greets with that was told what this process was told.
        orders: String,
    },
}

impl From<WorkerProgram> for WorkerStart {
    fn from(program: WorkerProgram) -> Self {
        Self::Here(program)
    }
}

impl WorkerStart {
    fn orders(&self) -> &str {
        match self {
            Self::Here(program) => &program.orders,
            Self::Elsewhere { orders } => orders,
        }
    }
}

/// Hears that a job is about to be told as ended.
pub trait BeforeEnd: Send + Sync + std::fmt::Debug {
    /// Brings up to date what others look at who hear of the end. Blocks.
    fn about_to_end(&self);
}

/// What the jobs room is told when it opens.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The system whose jobs these are.
    pub system: System,
    /// The folder of the worker's socket and the journals. It is the worker's: this room only reads there.
    pub worker_dir: PathBuf,
    /// How the worker is started.
    pub worker: WorkerStart,
    /// How long a job stays after it ended, unless its client says otherwise, in seconds.
    pub time_before_removal_seconds: u64,
    /// The priority of new jobs.
    pub priority: u32,
    /// How many jobs may wait and run.
    pub max_unfinished: usize,
    /// After this time a staged file that no job needs is deleted.
    pub staged_age: Duration,
    /// How many ended jobs the history keeps.
    pub history_records: u32,
    /// Who hears that a job is about to be told as ended.
    pub before_end: Option<Arc<dyn BeforeEnd>>,
    /// Those who are asked, when a job is about to begin, what its owner may do by now. Without them owners keep the role that
    /// they had when they asked for the job.
    pub users: Option<Arc<Users>>,
}

impl Settings {
    /// The usual settings for the host's jobs: 300 seconds, priority 10, 1,000 jobs, one hour, 10,000 records.
    pub fn new(worker_dir: PathBuf, worker: impl Into<WorkerStart>) -> Self {
        Self {
            system: System::Host,
            worker_dir,
            worker: worker.into(),
            time_before_removal_seconds: 300,
            priority: 10,
            max_unfinished: 1000,
            staged_age: Duration::from_secs(3600),
            history_records: 10_000,
            before_end: None,
            users: None,
        }
    }
}

/// A package file cannot be taken over for a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StageError {
    /// The file is not there, is no plain file, or cannot be read.
    #[error("the file cannot be read: {0}")]
    NotReadable(String),
    /// The file can be read but is no package of this host's engine.
    #[error("the file is no package of this system: {0}")]
    NotAPackage(String),
    /// The file is in no folder that the settings allow.
    #[error("the file is in no folder that packages may be read from")]
    NotAllowed,
    /// The file is larger than the settings allow.
    #[error("the file is larger than the {limit} octets that are allowed")]
    TooLarge {
        /// The largest size in octets.
        limit: u64,
    },
    /// Too many packages wait to be installed.
    #[error("{0}")]
    TooMany(String),
    /// A copy of the file would fill the disk.
    #[error("there is not enough room for a copy of the file")]
    NoRoom,
    /// A worker of another version, or with other settings, is still at work; the next one takes files.
    #[error(
        "a worker of another version or with other settings still has a job at work and takes no files: try again when \
         that job has ended"
    )]
    OtherOrders,
    /// The worker cannot be reached or started, or cannot take the file now.
    #[error("software cannot be changed now: {0}")]
    WorkerUnavailable(String),
}

/// What was asked of the jobs was not done.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journals cannot be read.
    #[error("the journals cannot be read")]
    Journal(#[from] std::io::Error),
    /// The worker does not take the next job.
    #[error("the worker does not take the next job: {0}")]
    Worker(String),
    /// There is no job with this number.
    #[error("there is no such job")]
    NotFound,
    /// The job has not ended yet; only jobs that have can be removed.
    #[error("the job has not ended: cancel it or wait for its end")]
    NotFinal,
    /// Too many jobs wait.
    #[error("too many jobs wait: try again when some have ended")]
    QueueFull,
}

/// There is no plan of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A job of it would fail.
    #[error("{}", .0.message)]
    NotPossible(JobError),
    /// It took too long and was given up.
    #[error("the plan was not made in time")]
    TimedOut,
    /// The worker cannot be reached or started, or failed.
    #[error("the plan cannot be made now: {0}")]
    WorkerUnavailable(String),
}

/// A repository was not enabled or disabled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetRepositoryError {
    /// There is none with this id.
    #[error("there is no such repository")]
    NotFound,
    /// Its configuration is overridden elsewhere.
    #[error("{0}")]
    Overridden(String),
    /// The worker cannot be reached or could not do it.
    #[error("the repository cannot be changed: {0}")]
    Failed(String),
}

/// A job was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no job with this number.
    #[error("there is no such job")]
    NotFound,
    /// The job has ended.
    #[error("the job has ended")]
    AlreadyEnded,
    /// The worker could not be asked.
    #[error("the job cannot be cancelled now: {0}")]
    WorkerUnavailable(String),
}
