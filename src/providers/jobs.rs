//! Job Control (DSP1103): jobs as instances, and what a client may do with them.

use std::sync::Arc;

use super::job_instance::{error_instance, job_instance};
use super::managed::ManagedSystem;
use crate::access::{Caller, Role};
use crate::broker::{Action, Change, Deletion, Instances, Invocation, MethodReply, Modification, Provider};
use crate::cim::{CimError, CimStatus, Class, DateTime, Instance, Method, ObjectPath, Value};
use crate::jobs::{CancelError, Job, JobModification, JobState, JobsError};

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
    system: Arc<dyn ManagedSystem>,
}

impl JobInstances {
    pub(super) fn new(system: Arc<dyn ManagedSystem>) -> Self {
        Self { system }
    }

    fn job(&self, path: &ObjectPath) -> Result<Arc<Job>, CimError> {
        self.system.named_job(path).ok_or_else(|| {
            CimError::not_found(format!(
                "There is no job {:?}; finished jobs are removed after their TimeBeforeRemoval.",
                path.key_str("InstanceID").unwrap_or_default()
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
        Ok(MethodReply::code(match self.system.jobs().cancel(job.id, invocation.caller) {
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
        let path = self.system.job_path(job);
        job.error.iter().map(|error| error_instance(&*self.system, &path, error)).collect()
    }
}

impl Provider for JobInstances {
    fn classes(&self) -> Vec<Arc<str>> {
        self.system.terms().jobs.iter().map(|&class| class.into()).collect()
    }

    fn action_of(&self, _: &Class, method: &Method) -> Action {
        if matches!(&*method.name, "GetError" | "GetErrors") { Action::Read } else { Action::Change }
    }

    fn allows(&self, _: &Class, change: Change) -> bool {
        matches!(change, Change::Modify | Change::Delete)
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let job = self.job(path)?;
        if !class.is_a(self.system.job_class(&job.request)) {
            return Err(CimError::not_found(format!("Job {} is a {}.", job.id, self.system.job_class(&job.request))));
        }
        job_instance(&*self.system, &job, self.system.clock().now())
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let (system, now) = (self.system.clone(), self.system.clock().now());
        let mut jobs = system.jobs().jobs();
        jobs.retain(|job| class.is_a(self.system.job_class(&job.request)));
        Ok(Box::new(jobs.into_iter().map(move |job| job_instance(&*system, &job, now))))
    }

    fn estimate(&self, class: &Class) -> Option<u64> {
        u64::try_from(
            self.system.jobs().jobs().iter().filter(|job| class.is_a(self.system.job_class(&job.request))).count(),
        )
        .ok()
    }

    fn modify(&self, modification: &Modification<'_>) -> Result<(), CimError> {
        let job = self.job(modification.path)?;
        check_owner(modification.caller, &job)?;
        let changes = Self::modification(&modification.changes)?;
        self.system.jobs().modify(job.id, changes).map(drop).map_err(not_changed)
    }

    /// Removes a job that has ended, without waiting for its TimeBeforeRemoval.
    fn delete(&self, deletion: &Deletion<'_>) -> Result<(), CimError> {
        let job = self.job(deletion.path)?;
        check_owner(deletion.caller, &job)?;
        self.system.jobs().remove(job.id).map_err(not_changed)
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
pub(super) fn sets_time_limit(period: &Value) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_limit_is_null_or_zero() {
        assert!(!sets_time_limit(&Value::Null));
        assert!(!sets_time_limit(&Value::from(DateTime::seconds(0))));
        assert!(sets_time_limit(&Value::from(DateTime::seconds(1))));
    }
}
