//! What called a job into being and what it came to (DSP1103's method results), and what joins the two.

use std::sync::Arc;

use super::job_instance::{error_instance, job_instance};
use super::job_links::named_job;
use super::job_parameters::{self, return_value};
use super::links::{Link, Links, Pairs, each};
use super::model::Model;
use crate::broker::{Instances, Provider};
use crate::cim::{CimError, Class, Instance, ObjectPath, Value};
use crate::jobs::{Job, JobId, JobState};

const RESULT: &str = "LMI_SoftwareMethodResult";
const PREFIX: &str = "LMI:LMI_SoftwareMethodResult:";

/// Serves the result of each job, as long as there is the job.
#[derive(Debug)]
pub(super) struct JobResults(Arc<Model>);

impl JobResults {
    pub(super) fn new(model: Arc<Model>) -> Self {
        Self(model)
    }
}

impl Provider for JobResults {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![RESULT.into()]
    }

    fn get(&self, _: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let job = job_of(&self.0, path).ok_or_else(|| {
            CimError::not_found("There is no such result; a result is removed together with its job.")
        })?;
        result(&self.0, &job)
    }

    fn enumerate(&self, _: &Arc<Class>) -> Result<Instances, CimError> {
        let (model, jobs) = (self.0.clone(), self.0.jobs.jobs());
        Ok(Box::new(jobs.into_iter().map(move |job| result(&model, &job))))
    }

    fn estimate(&self, _: &Class) -> Option<u64> {
        u64::try_from(self.0.jobs.jobs().len()).ok()
    }
}

/// What joins results with jobs.
pub(super) fn links(model: &Arc<Model>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Associated(model.clone()))]
}

fn id(job: &Job) -> String {
    format!("{PREFIX}{}", job.id)
}

fn path(model: &Model, job: &Job) -> Arc<ObjectPath> {
    model.path_by_id(&RESULT.into(), id(job).into())
}

fn job_of(model: &Model, path: &ObjectPath) -> Option<Arc<Job>> {
    let id = path.key_str("InstanceID")?;
    let number = id.get(..PREFIX.len()).filter(|head| head.eq_ignore_ascii_case(PREFIX)).and(id.get(PREFIX.len()..))?;
    model.jobs.job(JobId(number.parse().ok()?))
}

fn result(model: &Model, job: &Job) -> Result<Instance, CimError> {
    let method = job_parameters::method(&job.request);
    let mut result = Instance::new(model.class(RESULT)?);
    result
        .set("InstanceID", id(job))?
        .set("ElementName", format!("MethodResult-{}", job.id))?
        .set("Caption", format!("Result of method {method}"))?
        .set("Description", format!("Result of method {method}, called by {} as job {}.", job.owner.name, job.id))?
        .set("PreCallIndication", call(model, job, true)?)?;
    if job.state.is_final() {
        result.set("PostCallIndication", call(model, job, false)?)?;
    }
    Ok(result)
}

/// The call, before it was made or after its end.
fn call(model: &Model, job: &Job, before: bool) -> Result<Instance, CimError> {
    let path = model.job_path(job);
    let mut call = Instance::new(model.class("CIM_InstMethodCall")?);
    let seen = if before { &asked(job) } else { job };
    call.set("SourceInstance", job_instance(model, seen, seen.ended_at.unwrap_or_else(|| model.clock.now()))?)?
        .set("SourceInstanceModelPath", path.to_string())?
        .set("SourceInstanceHost", model.system.name.clone())?
        .set("MethodName", job_parameters::method(&job.request))?
        // 9 uint32
        .set("ReturnValueType", 9u16)?
        .set("PreCall", before)?;
    if before {
        call.set("MethodParameters", job_parameters::given(model, &job.request)?)?;
        return Ok(call);
    }
    call.set("MethodParameters", job_parameters::results(model, job)?)?
        .set("ReturnValue", return_value(job).map(|value| value.to_string()))?;
    if let Some(error) = &job.error {
        call.set("Error", Value::array([error_instance(model, &path, error)?]))?;
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
struct Associated(Arc<Model>);

impl Link for Associated {
    fn class(&self) -> &'static str {
        "LMI_AssociatedSoftwareJobMethodResult"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Job", "JobParameters"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (model, jobs) = (self.0.clone(), self.0.jobs.jobs());
        Ok(each(jobs.into_iter().map(move |job| [model.job_path(&job), path(&model, &job)])))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        let job = if end == 0 { named_job(&self.0, source) } else { job_of(&self.0, source) };
        Ok(each(job.map(|job| [self.0.job_path(&job), path(&self.0, &job)])))
    }
}
