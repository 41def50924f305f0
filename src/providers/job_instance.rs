//! A job, and the error of one, as instances (DSP1103).

use chrono::{DateTime as Instant, Utc};

use super::managed::ManagedSystem;
use crate::cim::{CimError, CimStatus, DateTime, Instance, Interval, ObjectPath, Value};
use crate::jobs::{Job, JobError, JobFailure, JobState};
use crate::software::vib::ImageErrorClass;

/// A job as an instance, as it was or is at `now`.
pub(super) fn job_instance(system: &dyn ManagedSystem, job: &Job, now: Instant<Utc>) -> Result<Instance, CimError> {
    let (state, operational) = states(job.state);
    let elapsed =
        job.started_at.map(|start| DateTime::Interval(Interval::from_delta(job.ended_at.unwrap_or(now) - start)));
    let mut instance = Instance::new(system.class(system.job_class(&job.request))?);
    system.describe_job(job, &mut instance)?;
    instance
        .set("InstanceID", system.job_id(job))?
        .set("Name", job.name.as_str())?
        .set("ElementName", job.name.as_str())?
        .set("JobInParameters", system.given(&job.request)?)?
        .set("JobOutParameters", system.results(job)?)?
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
        // 2 UTC Time, 2 Communication OK, 2 Do Not Continue
        .set("LocalOrUtcTime", 2u16)?
        .set("CommunicationStatus", 2u16)?
        .set("RecoveryAction", 2u16)?
        .set("ErrorCode", job.error.as_ref().map(|e| system.error_code(e.cause)))?
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
pub(super) fn error_code(cause: JobFailure) -> u16 {
    match cause {
        JobFailure::Dependencies => 4105,
        JobFailure::NotNewer => 4099,
        JobFailure::NotFound | JobFailure::NotAPackage => 4106,
        JobFailure::NoSpace => 4103,
        JobFailure::Unreachable => 4107,
        JobFailure::Busy => 6,
        JobFailure::Image(class) => class.code(),
        JobFailure::Failed
        | JobFailure::Untrusted
        | JobFailure::Refused
        | JobFailure::NotAllowed
        | JobFailure::WorkerDied => 4,
    }
}

/// The error of a failed job (`CIM_Error`).
pub(super) fn error_instance(
    system: &dyn ManagedSystem,
    job: &ObjectPath,
    error: &JobError,
) -> Result<Instance, CimError> {
    let (status, cause) = match error.cause {
        JobFailure::NotNewer => (CimStatus::AlreadyExists, OTHER),
        JobFailure::NotFound => (CimStatus::NotFound, ELEMENT_MISSING),
        JobFailure::NotAPackage => (CimStatus::Failed, FILE_FORMAT_ERROR),
        JobFailure::Dependencies => (CimStatus::Failed, VERSION_MISMATCH),
        JobFailure::NoSpace => (CimStatus::Failed, STORAGE_CAPACITY),
        JobFailure::Untrusted => (CimStatus::Failed, AUTHENTICATION_FAILURE),
        JobFailure::Unreachable => (CimStatus::Failed, DOWNLOAD_FAILURE),
        JobFailure::Busy => (CimStatus::Failed, RESOURCE_UNAVAILABLE),
        JobFailure::Failed => (CimStatus::Failed, SOFTWARE_ERROR),
        JobFailure::Refused => (CimStatus::Failed, UNKNOWN),
        JobFailure::NotAllowed => (CimStatus::AccessDenied, UNAUTHORIZED_ACCESS),
        JobFailure::WorkerDied => (CimStatus::Failed, TERMINATED_ABNORMALLY),
        JobFailure::Image(class) => (CimStatus::Failed, image_cause(class)),
    };
    // esximage tells of a full disk so, whatever class the failure is of.
    let is_full = matches!(error.cause, JobFailure::Image(_)) && error.message.contains("[Errno 28]");
    let cause = if is_full { STORAGE_CAPACITY } else { cause };
    let advice = system.advice(if is_full { JobFailure::NoSpace } else { error.cause });
    let id = match error.cause {
        JobFailure::Image(class) => class.to_string(),
        other => format!("{other:?}"),
    };
    let mut instance = Instance::new(system.class("CIM_Error")?);
    instance
        .set("CIMStatusCode", status as u32)?
        // 4 Software Error
        .set("ErrorType", 4u16)?
        .set("ErrorSource", job.to_string())?
        // 2 CIMObjectPath
        .set("ErrorSourceFormat", 2u16)?
        .set("Message", error.message.as_str())?
        .set("MessageID", format!("Quartermaster:{id}"))?
        .set("OwningEntity", "Quartermaster")?
        // 5 Major
        .set("PerceivedSeverity", 5u16)?
        .set("ProbableCause", cause)?
        .set("RecommendedActions", Value::array([advice]))?;
    Ok(instance)
}

/// Values of `CIM_Error.ProbableCause`.
const UNKNOWN: u16 = 0;
const OTHER: u16 = 1;
const FILE_FORMAT_ERROR: u16 = 18;
const SOFTWARE_ERROR: u16 = 47;
const TERMINATED_ABNORMALLY: u16 = 48;
const STORAGE_CAPACITY: u16 = 50;
const RESOURCE_UNAVAILABLE: u16 = 57;
const VERSION_MISMATCH: u16 = 58;
const UNAUTHORIZED_ACCESS: u16 = 65;
const ELEMENT_MISSING: u16 = 73;
const DOWNLOAD_FAILURE: u16 = 109;
const AUTHENTICATION_FAILURE: u16 = 117;

/// The cause of a failure that esximage has a class for.
fn image_cause(class: ImageErrorClass) -> u16 {
    match class {
        ImageErrorClass::LockingError | ImageErrorClass::MaintenanceModeError => RESOURCE_UNAVAILABLE,
        ImageErrorClass::MetadataDownloadError
        | ImageErrorClass::VibDownloadError
        | ImageErrorClass::BundleDownloadError => DOWNLOAD_FAILURE,
        ImageErrorClass::MetadataFormatError
        | ImageErrorClass::VibFormatError
        | ImageErrorClass::BundleFormatError
        | ImageErrorClass::DatabaseFormatError => FILE_FORMAT_ERROR,
        ImageErrorClass::NoMatchError => ELEMENT_MISSING,
        ImageErrorClass::DependencyError | ImageErrorClass::HardwareError => VERSION_MISMATCH,
        ImageErrorClass::VibSigMissingError
        | ImageErrorClass::VibSigFormatError
        | ImageErrorClass::VibSigInvalidError
        | ImageErrorClass::VibSigDigestError
        | ImageErrorClass::AcceptanceConfigError => AUTHENTICATION_FAILURE,
        ImageErrorClass::VibIOError
        | ImageErrorClass::FileIOError
        | ImageErrorClass::BundleIOError
        | ImageErrorClass::DatabaseIOError
        | ImageErrorClass::InstallationError
        | ImageErrorClass::VibValidationError
        | ImageErrorClass::ProfileValidationError
        | ImageErrorClass::BulletinValidationError
        | ImageErrorClass::ValueError => SOFTWARE_ERROR,
    }
}

/// What a person can do about it, whatever software it is.
pub(super) fn advice(cause: JobFailure) -> &'static str {
    match cause {
        JobFailure::Dependencies => {
            "Install or remove the packages that the message names, or enable a repository that has them."
        }
        JobFailure::NotNewer => {
            "Nothing needs to be done; to replace what is installed all the same, add the install option 3 (Force)."
        }
        JobFailure::NotFound => {
            "Look with FindIdentity at what there is, and enable the repository that has the package."
        }
        JobFailure::NotAPackage => "Name the address of a package file that is of this system's kind.",
        JobFailure::NoSpace => "Make room on the file system and submit the job again.",
        JobFailure::Untrusted => {
            "Import the key of the repository's maker if it is to be trusted, or disable the repository."
        }
        JobFailure::Unreachable => {
            "See that the address is right and can be reached from the host, and submit the job again."
        }
        JobFailure::Busy => "Submit the job again when the other package tool has finished.",
        JobFailure::Failed => "Correct what the message tells of and submit the job again.",
        JobFailure::Refused => "Submit the job again.",
        JobFailure::NotAllowed => "Let somebody who has the role operator submit the job again.",
        JobFailure::WorkerDied => {
            "Look at the state of the packages on the host, put it right, and submit the job again."
        }
        JobFailure::Image(class) => class.advice(),
    }
}
