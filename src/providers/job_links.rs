//! What joins jobs with the service that made them.

use std::sync::Arc;

use super::links::{Link, Links, Pairs, each, none};
use super::model::Model;
use super::names::{job_id, parse_job_id};
use crate::broker::Provider;
use crate::cim::{CimError, ObjectPath};
use crate::jobs::Job;

pub(super) fn links(model: &Arc<Model>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Owning(model.clone()))]
}

/// The job that a path names, if there still is one.
pub(super) fn named_job(model: &Model, path: &ObjectPath) -> Option<Arc<Job>> {
    let id = path.key_str("InstanceID")?;
    parse_job_id(id).and_then(|number| model.jobs.job(number)).filter(|job| job_id(job).eq_ignore_ascii_case(id))
}

/// Every job is owned by the installation service.
#[derive(Debug)]
struct Owning(Arc<Model>);

impl Link for Owning {
    fn class(&self) -> &'static str {
        "LMI_OwningSoftwareJobElement"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["OwnedElement", "OwningElement"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (model, service) = (self.0.clone(), self.0.service_path());
        let jobs = self.0.jobs.jobs();
        Ok(each(jobs.into_iter().map(move |job| [model.job_path(&job), service.clone()])))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 0 {
            let job = named_job(&self.0, source);
            return Ok(each(job.map(|job| [self.0.job_path(&job), self.0.service_path()])));
        }
        if source.same_keys(&self.0.service_path()) { self.all() } else { Ok(none()) }
    }
}
