//! What joins jobs with the service that made them.

use std::sync::Arc;

use super::links::{Link, Links, Pairs, each, none};
use super::managed::ManagedSystem;
use crate::broker::Provider;
use crate::cim::{CimError, ObjectPath};

pub(super) fn links(system: &Arc<dyn ManagedSystem>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Owning(system.clone()))]
}

/// Every job is owned by the installation service.
#[derive(Debug)]
struct Owning(Arc<dyn ManagedSystem>);

impl Link for Owning {
    fn class(&self) -> &'static str {
        self.0.terms().owning_job
    }

    fn ends(&self) -> [&'static str; 2] {
        ["OwnedElement", "OwningElement"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (system, service) = (self.0.clone(), self.0.service_path());
        let jobs = self.0.jobs().jobs();
        Ok(each(jobs.into_iter().map(move |job| [system.job_path(&job), service.clone()])))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 0 {
            let job = self.0.named_job(source);
            return Ok(each(job.map(|job| [self.0.job_path(&job), self.0.service_path()])));
        }
        if source.same_keys(&self.0.service_path()) { self.all() } else { Ok(none()) }
    }
}
