//! What joins jobs with the service that made them.

use std::sync::Arc;

use super::links::{Link, Links, Pairs, each, none};
use super::managed::ManagedSystem;
use crate::broker::Provider;
use crate::cim::{CimError, ObjectPath};
use crate::jobs::{Job, JobRequest};

pub(super) fn links(system: &Arc<dyn ManagedSystem>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Owning(system.clone()))]
}

/// Jobs are owned by the service that made them, and by no other: these by the installation service.
#[derive(Debug)]
struct Owning(Arc<dyn ManagedSystem>);

/// Whether a job is the installation service's: those of the patch service are that one's.
fn is_own(job: &Job) -> bool {
    !matches!(job.request, JobRequest::Patch(_))
}

impl Link for Owning {
    fn class(&self) -> &'static str {
        self.0.terms().owning_job
    }

    fn ends(&self) -> [&'static str; 2] {
        ["OwnedElement", "OwningElement"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (system, service) = (self.0.clone(), self.0.service_path());
        let jobs = self.0.jobs().jobs().into_iter().filter(|job| is_own(job));
        Ok(each(jobs.map(move |job| [system.job_path(&job), service.clone()])))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 0 {
            let job = self.0.named_job(source).filter(|job| is_own(job));
            return Ok(each(job.map(|job| [self.0.job_path(&job), self.0.service_path()])));
        }
        if source.same_keys(&self.0.service_path()) { self.all() } else { Ok(none()) }
    }
}
