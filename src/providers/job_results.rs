//! What called a job into being and what it came to (DSP1103's method results), and what joins the two.

use std::sync::Arc;

use super::job_instance::{error_instance, job_instance};
use super::job_parameters::{self, return_value};
use super::links::{Link, Links, Pairs, each};
use super::managed::ManagedSystem;
use super::names::strip_prefix_ignoring_case;
use crate::broker::{Instances, Provider};
use crate::cim::{CimError, Class, Instance, ObjectPath, Value};
use crate::jobs::{Job, JobId, JobState};

/// Serves the result of each job, as long as there is the job.
#[derive(Debug)]
pub(super) struct JobResults(Arc<dyn ManagedSystem>);

impl JobResults {
    pub(super) fn new(system: Arc<dyn ManagedSystem>) -> Self {
        Self(system)
    }
}

impl Provider for JobResults {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![self.0.terms().method_result.into()]
    }

    fn get(&self, _: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let job = job_of(&*self.0, path).ok_or_else(|| {
            CimError::not_found("There is no such result; a result is removed together with its job.")
        })?;
        result(&*self.0, &job)
    }

    fn enumerate(&self, _: &Arc<Class>) -> Result<Instances, CimError> {
        let (system, jobs) = (self.0.clone(), self.0.jobs().jobs());
        Ok(Box::new(jobs.into_iter().map(move |job| result(&*system, &job))))
    }

    fn estimate(&self, _: &Class) -> Option<u64> {
        u64::try_from(self.0.jobs().jobs().len()).ok()
    }
}

/// What joins results with jobs.
pub(super) fn links(system: &Arc<dyn ManagedSystem>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Associated(system.clone()))]
}

/// What the InstanceIDs begin with.
fn prefix(system: &dyn ManagedSystem) -> String {
    format!("{}:{}:", system.terms().organization, system.terms().method_result)
}

fn id(system: &dyn ManagedSystem, job: &Job) -> String {
    format!("{}{}", prefix(system), job.id)
}

fn path(system: &dyn ManagedSystem, job: &Job) -> Arc<ObjectPath> {
    system.path_by_id(system.terms().method_result, id(system, job).into())
}

fn job_of(system: &dyn ManagedSystem, path: &ObjectPath) -> Option<Arc<Job>> {
    let number = strip_prefix_ignoring_case(path.key_str("InstanceID")?, &prefix(system))?;
    system.jobs().job(JobId(number.parse().ok()?))
}

fn result(system: &dyn ManagedSystem, job: &Job) -> Result<Instance, CimError> {
    let method = job_parameters::method(&job.request);
    let mut result = Instance::new(system.class(system.terms().method_result)?);
    result
        .set("InstanceID", id(system, job))?
        .set("ElementName", format!("MethodResult-{}", job.id))?
        .set("Caption", format!("Result of method {method}"))?
        .set("Description", format!("Result of method {method}, called by {} as job {}.", job.owner.name, job.id))?
        .set("PreCallIndication", call(system, job, true)?)?;
    if job.state.is_final() {
        result.set("PostCallIndication", call(system, job, false)?)?;
    }
    Ok(result)
}

/// The call, before it was made or after its end.
fn call(system: &dyn ManagedSystem, job: &Job, before: bool) -> Result<Instance, CimError> {
    let path = system.job_path(job);
    let mut call = Instance::new(system.class("CIM_InstMethodCall")?);
    let seen = if before { &asked(job) } else { job };
    call.set("SourceInstance", job_instance(system, seen, seen.ended_at.unwrap_or_else(|| system.clock().now()))?)?
        .set("SourceInstanceModelPath", path.to_string())?
        .set("SourceInstanceHost", system.name().name.clone())?
        .set("MethodName", job_parameters::method(&job.request))?
        // 9 uint32
        .set("ReturnValueType", 9u16)?
        .set("PreCall", before)?;
    if before {
        call.set("MethodParameters", system.given(&job.request)?)?;
        return Ok(call);
    }
    call.set("MethodParameters", system.results(job)?)?
        .set("ReturnValue", return_value(job).map(|value| value.to_string()))?;
    if let Some(error) = &job.error {
        call.set("Error", Value::array([error_instance(system, &path, error)?]))?;
    }
    Ok(call)
}

/// The job as it was when it was asked for.
fn asked(job: &Job) -> Job {
    Job {
        state: JobState::Queued,
        phase: None,
        percent: 0,
        notes: Vec::new(),
        error: None,
        outcome: None,
        started_at: None,
        ended_at: None,
        changed_at: job.submitted_at,
        removal_at: None,
        ..job.clone()
    }
}

/// Each job has one result.
#[derive(Debug)]
struct Associated(Arc<dyn ManagedSystem>);

impl Link for Associated {
    fn class(&self) -> &'static str {
        self.0.terms().job_method_result
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Job", "JobParameters"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (system, jobs) = (self.0.clone(), self.0.jobs().jobs());
        Ok(each(jobs.into_iter().map(move |job| [system.job_path(&job), path(&*system, &job)])))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        let job = if end == 0 { self.0.named_job(source) } else { job_of(&*self.0, source) };
        Ok(each(job.map(|job| [self.0.job_path(&job), path(&*self.0, &job)])))
    }
}
