//! What a worker knows of the kind of software that it changes.

use std::fmt::Debug;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::protocol::{Refusal, Reply, Request, Work};
use crate::software::{ApplyError, CancelToken, Outcome, Progress};

/// The kind of software that a worker changes.
pub(super) trait Craft: Debug + Send + Sync {
    /// What is to be done, if it is something that a server may ask for. The folder is the job's own, and goes with it.
    fn task(self: Arc<Self>, work: Work, folder: &Path) -> Result<Box<dyn Task>, Refusal>;

    /// Answers a request that is no matter of jobs and whose caller may ask for it, with the file that came with it. What
    /// only looks ends early when the token says that nobody waits for it.
    fn answer(&self, request: Request, file: Option<File>, given_up: &CancelToken) -> Result<Reply, Refusal>;
}

/// What a job does once it was accepted.
pub(super) trait Task: Send {
    /// Does it.
    fn carry_out(&mut self, progress: &mut dyn Progress, cancel: &CancelToken) -> Result<Outcome, ApplyError>;

    /// What was changed although the job failed; `None` if nothing was.
    fn changed_all_the_same(&self) -> Option<Outcome> {
        None
    }

    /// What whoever asked for the job is to look at after a fault of the worker's own.
    fn after_a_fault(&self) -> &'static str;

    /// Gives up what was kept for the job.
    fn clean_up(&self) {}
}
