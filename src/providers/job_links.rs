//! What joins jobs with the service that made them and with what they change.

use std::sync::Arc;

use super::links::{Link, Links, Pair, Pairs, none};
use super::model::{Model, parse_job_id};
use crate::broker::Provider;
use crate::cim::{Instance, ObjectPath, PropertyError, Value};
use crate::jobs::Job;

pub(super) fn links(model: &Arc<Model>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Owning(model.clone())), Links::provider(Affected(model.clone()))]
}

/// The job that a path names, if there still is one.
pub(super) fn named_job(model: &Model, path: &ObjectPath) -> Option<Arc<Job>> {
    parse_job_id(path.key_str("InstanceID")?).and_then(|id| model.jobs.job(id))
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

    fn all(&self) -> Pairs {
        let (model, service) = (self.0.clone(), self.0.service_path());
        let jobs = self.0.jobs.jobs();
        Box::new(jobs.into_iter().map(move |job| [model.job_path(job.id), service.clone()]))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Pairs {
        if end == 0 {
            let job = named_job(&self.0, source);
            let pair = job.map(|job| [self.0.job_path(job.id), self.0.service_path()]);
            return Box::new(pair.into_iter());
        }
        if source.same_keys(&self.0.service_path()) { self.all() } else { none() }
    }
}

/// A job affects the system, and the identities that it installed or replaced: for `InstallFromURI` this is how a
/// client learns what was installed.
#[derive(Debug)]
struct Affected(Arc<Model>);

impl Affected {
    fn pairs(model: &Model, job: &Job) -> Vec<Pair> {
        let job_path = model.job_path(job.id);
        let changed = job.outcome.iter().flat_map(|outcome| &outcome.changes);
        // What is no longer installed has no instance to lead to.
        let identities = changed.filter_map(|change| change.after.as_ref()).map(|nevra| model.identity_path(nevra));
        std::iter::once(model.system_path()).chain(identities).map(|affected| [job_path.clone(), affected]).collect()
    }
}

impl Link for Affected {
    fn class(&self) -> &'static str {
        "LMI_AffectedSoftwareJobElement"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["AffectingElement", "AffectedElement"]
    }

    fn all(&self) -> Pairs {
        let model = self.0.clone();
        Box::new(self.0.jobs.jobs().into_iter().flat_map(move |job| Self::pairs(&model, &job)))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Pairs {
        if end == 0 {
            return match named_job(&self.0, source) {
                Some(job) => Box::new(Self::pairs(&self.0, &job).into_iter()),
                None => none(),
            };
        }
        let source = source.clone();
        Box::new(self.all().filter(move |[_, affected]| affected.same_keys(&source)))
    }

    fn describe(&self, link: &mut Instance) -> Result<(), PropertyError> {
        let is_system = link.get("AffectedElement").and_then(Value::as_reference).is_some_and(|p| self.0.is_system(p));
        let description = if is_system { "Modifying software collection." } else { "Installing" };
        link.set("ElementEffects", Value::array([1u16]))?
            .set("OtherElementEffectsDescriptions", Value::array([description]))?;
        Ok(())
    }
}
