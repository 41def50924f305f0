//! Job Control (DSP1103): jobs as instances, and what a client may do with them.

use std::sync::Arc;

use chrono::{DateTime as Instant, Utc};

use super::model::{Model, job_id, parse_job_id};
use crate::access::{Caller, Role};
use crate::broker::{Action, Change, Instances, Invocation, MethodReply, Modification, Provider};
use crate::cim::{CimError, CimStatus, Class, DateTime, Instance, Interval, Method, ObjectPath, PropertyError, Value};
use crate::jobs::{CancelError, Job, JobError, JobFailure, JobModification, JobRequest, JobState, JobsError};

pub(super) const INSTALLATION_JOB: &str = "LMI_SoftwareInstallationJob";

/// `RequestedState` and return values of `CIM_ConcreteJob.RequestStateChange`.
const TERMINATE: u64 = 4;
const COMPLETED: u32 = 0;
const NOT_SUPPORTED: u32 = 1;
const FAILED: u32 = 4;
const INVALID_PARAMETER: u32 = 5;
const TRANSITION_STARTED: u32 = 4096;
const INVALID_STATE_TRANSITION: u32 = 4097;
const TIMEOUT_NOT_SUPPORTED: u32 = 4098;

/// Serves the jobs of the system.
#[derive(Debug)]
pub(super) struct JobInstances {
    model: Arc<Model>,
}

impl JobInstances {
    pub(super) fn new(model: Arc<Model>) -> Self {
        Self { model }
    }

    fn job(&self, path: &ObjectPath) -> Result<Arc<Job>, CimError> {
        let id = path.key_str("InstanceID").unwrap_or_default();
        parse_job_id(id).and_then(|id| self.model.jobs.job(id)).ok_or_else(|| {
            CimError::not_found(format!(
                "There is no job {id:?}; finished jobs are removed after their TimeBeforeRemoval."
            ))
        })
    }

    fn request_state_change(&self, invocation: &Invocation<'_>, job: &Job) -> Result<MethodReply, CimError> {
        if sets_time_limit(invocation.arguments.get("TimeoutPeriod")) {
            return Ok(MethodReply::code(TIMEOUT_NOT_SUPPORTED));
        }
        match invocation.arguments.get("RequestedState").as_u64() {
            Some(TERMINATE) => {}
            Some(2 | 3 | 5 | 6) => return Ok(MethodReply::code(NOT_SUPPORTED)),
            _ => return Ok(MethodReply::code(INVALID_PARAMETER)),
        }
        check_owner(invocation.caller, job)?;
        let queued = job.state == JobState::Queued;
        Ok(MethodReply::code(match self.model.jobs.cancel(job.id) {
            Ok(()) if queued => COMPLETED,
            Ok(()) => TRANSITION_STARTED,
            Err(CancelError::AlreadyEnded) => INVALID_STATE_TRANSITION,
            Err(CancelError::NotFound) => return Err(CimError::not_found("The job was removed meanwhile.")),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, job = %job.id, "a job cannot be cancelled");
                FAILED
            }
        }))
    }

    /// What of a job a client may change: when and whether it goes, and its place in the queue.
    fn modification(changes: &[(Arc<str>, Value)]) -> Result<JobModification, CimError> {
        let mut modification = JobModification::default();
        for (name, value) in changes {
            match (&**name, value) {
                ("DeleteOnCompletion", Value::Boolean(delete)) => modification.delete_on_completion = Some(*delete),
                ("Priority", Value::Uint32(priority)) => modification.priority = Some(*priority),
                ("TimeBeforeRemoval", Value::Datetime(DateTime::Interval(time))) => {
                    modification.time_before_removal_seconds = Some(time.seconds());
                }
                ("TimeBeforeRemoval", Value::Datetime(DateTime::Timestamp(_))) => {
                    return Err(CimError::invalid_parameter("TimeBeforeRemoval is an interval, such as PT5M."));
                }
                ("DeleteOnCompletion" | "Priority" | "TimeBeforeRemoval", _) => {
                    return Err(CimError::invalid_parameter(format!("{name} must have a value.")));
                }
                _ => return Err(CimError::invalid_parameter(format!("{name} of a job cannot be changed."))),
            }
        }
        Ok(modification)
    }

    fn errors(&self, job: &Job) -> Result<Vec<Instance>, CimError> {
        let class = self.model.class("CIM_Error")?;
        let path = self.model.job_path(job.id);
        job.error.iter().map(|error| Ok(error_instance(&class, &path, error)?)).collect()
    }
}

impl Provider for JobInstances {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![INSTALLATION_JOB.into()]
    }

    fn action_of(&self, _: &Class, method: &Method) -> Action {
        if matches!(&*method.name, "GetError" | "GetErrors") { Action::Read } else { Action::Change }
    }

    fn allows(&self, _: &Class, change: Change) -> bool {
        matches!(change, Change::Modify | Change::Delete)
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        Ok(job_instance(class, &*self.job(path)?, self.model.clock.now())?)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let (class, now) = (class.clone(), self.model.clock.now());
        let jobs = self.model.jobs.jobs();
        Ok(Box::new(jobs.into_iter().map(move |job| job_instance(&class, &job, now).map_err(CimError::from))))
    }

    fn estimate(&self, _: &Class) -> Option<u64> {
        u64::try_from(self.model.jobs.jobs().len()).ok()
    }

    fn modify(&self, modification: &Modification<'_>) -> Result<(), CimError> {
        let job = self.job(modification.path)?;
        check_owner(modification.caller, &job)?;
        let changes = Self::modification(&modification.changes)?;
        self.model.jobs.modify(job.id, changes).map(drop).map_err(not_changed)
    }

    /// Removes a job that has ended, without waiting for its TimeBeforeRemoval.
    fn delete(&self, caller: &Caller, _: &Arc<Class>, path: &ObjectPath) -> Result<(), CimError> {
        let job = self.job(path)?;
        check_owner(caller, &job)?;
        self.model.jobs.remove(job.id).map_err(not_changed)
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        let job = self.job(invocation.path)?;
        match &*invocation.method.name {
            "RequestStateChange" => self.request_state_change(invocation, &job),
            "GetError" => {
                let error = self.errors(&job)?.into_iter().next();
                Ok(MethodReply::code(COMPLETED).with("Error", error))
            }
            "GetErrors" => Ok(MethodReply::code(COMPLETED).with("Errors", Value::array(self.errors(&job)?))),
            name => Err(CimError::new(
                CimStatus::MethodNotAvailable,
                format!("Method {name} is not served; cancel a job with RequestStateChange(4)."),
            )),
        }
    }
}

fn not_changed(error: JobsError) -> CimError {
    match error {
        JobsError::NotFound => CimError::not_found("The job was removed meanwhile."),
        JobsError::NotFinal => CimError::in_use("The job has not ended; cancel it or wait for its end."),
        error => CimError::internal("The job could not be changed; the operator's log says why.", error),
    }
}

/// A TimeoutPeriod that is NULL or an interval of 0 asks for nothing (`CIM_ConcreteJob.RequestStateChange`).
fn sets_time_limit(period: &Value) -> bool {
    !matches!(period, Value::Null) && *period != Value::from(DateTime::seconds(0))
}

/// Decision 13d: an operator handles its own jobs, an admin everybody's.
fn check_owner(caller: &Caller, job: &Job) -> Result<(), CimError> {
    if caller.role == Role::Admin || caller.name == job.owner.name {
        return Ok(());
    }
    Err(CimError::access_denied(format!(
        "The job belongs to {}; only its owner or an administrator may change it.",
        job.owner.name
    )))
}

/// A job as an instance, as it was or is at `now`.
pub(super) fn job_instance(class: &Arc<Class>, job: &Job, now: Instant<Utc>) -> Result<Instance, PropertyError> {
    let JobRequest::InstallFromUri { uri, .. } = &job.request;
    let (state, operational) = states(job.state);
    let elapsed =
        job.started_at.map(|start| DateTime::Interval(Interval::from_delta(job.ended_at.unwrap_or(now) - start)));
    let mut instance = Instance::new(class.clone());
    instance
        .set("InstanceID", job_id(job.id))?
        .set("Name", job.name.as_str())?
        .set("ElementName", job.name.as_str())?
        .set("Caption", format!("Software installation job with id={}", job.id))?
        .set("Description", format!("Software package installation job {} from uri: {uri:?}.", job.id))?
        .set("MethodName", "InstallFromURI")?
        .set("Owner", job.owner.name.clone())?
        .set("JobState", state)?
        .set("OperationalStatus", Value::array(operational.iter().copied()))?
        .set("StatusDescriptions", status_descriptions(job))?
        .set("JobStatus", job.status())?
        .set("PercentComplete", u16::from(job.percent))?
        .set("TimeSubmitted", DateTime::utc(job.submitted_at))?
        .set("StartTime", job.started_at.map(DateTime::utc))?
        .set("ElapsedTime", elapsed)?
        .set("TimeOfLastStateChange", DateTime::utc(job.changed_at))?
        .set("TimeBeforeRemoval", DateTime::seconds(job.time_before_removal_seconds))?
        .set("DeleteOnCompletion", job.delete_on_completion)?
        .set("Priority", job.priority)?
        // 2 UTC Time, 2 Communication OK
        .set("LocalOrUtcTime", 2u16)?
        .set("CommunicationStatus", 2u16)?
        .set("ErrorCode", job.error.as_ref().map(|e| error_code(e.cause)))?
        .set("ErrorDescription", job.error.as_ref().map(|e| e.message.as_str()))?;
    Ok(instance)
}

/// JobState and OperationalStatus, in pairs as OpenLMI's clients know them.
fn states(state: JobState) -> (u16, &'static [u16]) {
    match state {
        JobState::Queued => (2, &[15]),
        JobState::Running => (4, &[2]),
        JobState::Completed => (7, &[17, 2]),
        JobState::Failed => (10, &[17, 6]),
        JobState::Cancelled => (8, &[10]),
    }
}

/// What the operator should read, index by index with OperationalStatus; NULL where there is nothing to read.
fn status_descriptions(job: &Job) -> Value {
    if job.notes.is_empty() {
        return Value::Null;
    }
    let notes = job.notes.join("; ");
    match job.state {
        JobState::Completed | JobState::Failed => Value::array(["Completed".to_owned(), notes]),
        JobState::Queued | JobState::Running | JobState::Cancelled => Value::array([notes]),
    }
}

/// The codes that DSP1025's methods return for the same cause.
fn error_code(cause: JobFailure) -> u16 {
    match cause {
        JobFailure::Dependencies => 4105,
        JobFailure::NotNewer => 4099,
        JobFailure::NoSpace => 4103,
        JobFailure::Busy => 6,
        JobFailure::Failed | JobFailure::Refused | JobFailure::WorkerDied => 4,
    }
}

fn error_instance(class: &Arc<Class>, job: &ObjectPath, error: &JobError) -> Result<Instance, PropertyError> {
    let status = if error.cause == JobFailure::NotNewer { CimStatus::AlreadyExists } else { CimStatus::Failed };
    let mut instance = Instance::new(class.clone());
    instance
        .set("CIMStatusCode", status as u32)?
        // 4 Software Error
        .set("ErrorType", 4u16)?
        .set("ErrorSource", job.to_string())?
        // 2 CIMObjectPath
        .set("ErrorSourceFormat", 2u16)?
        .set("Message", error.message.as_str())?
        .set("MessageID", format!("Quartermaster:{:?}", error.cause))?
        .set("OwningEntity", "Quartermaster")?
        // 5 Major
        .set("PerceivedSeverity", 5u16)?
        .set("ProbableCause", 0u16)?;
    Ok(instance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cim::Schema;

    #[test]
    fn no_time_limit_is_null_or_zero() {
        assert!(!sets_time_limit(&Value::Null));
        assert!(!sets_time_limit(&Value::from(DateTime::seconds(0))));
        assert!(sets_time_limit(&Value::from(DateTime::seconds(1))));
    }

    #[test]
    fn a_failed_job_is_a_major_software_error() {
        let schema = Schema::builtin().unwrap();
        let class = schema.class("CIM_Error").unwrap();
        let job = ObjectPath::new("root/cimv2", INSTALLATION_JOB, vec![("InstanceID".into(), "x:1".into())]);
        let error = JobError { cause: JobFailure::Failed, message: "it failed".to_owned() };
        let instance = error_instance(class, &job, &error).unwrap();
        assert_eq!(instance.get("PerceivedSeverity"), Some(&Value::Uint16(5)));
        assert_eq!(instance.get("ErrorType"), Some(&Value::Uint16(4)));
    }
}
