//! The call that made a job, as embedded objects: what it was given and what came of it.
//!
//! OpenLMI's clients read the return value from `JobOutParameters.__ReturnValue`.

use super::managed::ManagedSystem;
use super::model::Model;
use crate::cim::{CimError, Instance, PropertyError, Value};
use crate::jobs::{Asked, ImageRequest, InstallAction, InstallOptions, Job, JobFailure, JobRequest, JobState};
use crate::software::patch::PatchOperation;
use crate::software::vib::ImageOperation;

/// The method that was called; making or deleting a link is an operation of its own.
pub(super) fn method(request: &JobRequest) -> &'static str {
    match request {
        JobRequest::InstallFromUri { .. } => "InstallFromURI",
        JobRequest::InstallFromByteStream { .. } => "InstallFromByteStream",
        JobRequest::ChangeIdentity { asked: Asked::ByLink, options, .. } => match options.action {
            InstallAction::Uninstall => "DeleteInstance",
            _ => "CreateInstance",
        },
        JobRequest::ChangeIdentity { .. } => "InstallFromSoftwareIdentity",
        JobRequest::Verify { .. } => "VerifyInstalledIdentity",
        JobRequest::RefreshRepositories => "RefreshRepositories",
        JobRequest::Patch(operation) => operation.word(),
        JobRequest::Image(ImageRequest::Update { .. }) => "InstallFromURI",
        JobRequest::Image(ImageRequest::Change { operation }) => match operation {
            ImageOperation::Install { .. } => "InstallVIBs",
            ImageOperation::Remove { .. } => "RemoveVIBs",
            ImageOperation::RollBack => "RollBack",
        },
    }
}

/// What the method was called with; none of what was no method with parameters.
pub(super) fn given(model: &Model, request: &JobRequest) -> Result<Option<Instance>, CimError> {
    let Some(class) = class(request) else { return Ok(None) };
    let mut parameters = Instance::new(model.class(class)?);
    fill(model, request, &mut parameters)?;
    Ok(Some(parameters))
}

/// The same with the job and the return value, once the job has ended.
pub(super) fn results(model: &Model, job: &Job) -> Result<Option<Instance>, CimError> {
    let (Some(class), Some(value)) = (class(&job.request), return_value(job)) else { return Ok(None) };
    let mut parameters = Instance::new(model.class(&format!("{class}_Result"))?);
    fill(model, &job.request, &mut parameters)?;
    parameters.set("Job", model.job_path(job))?.set("__ReturnValue", value)?;
    Ok(Some(parameters))
}

/// What the method would have returned had it waited: 0 Completed, 2 Unspecified Error (cancelled), 4 Failed, 5 Invalid
/// Parameter; as OpenLMI has it.
pub(super) fn return_value(job: &Job) -> Option<u32> {
    match job.state {
        JobState::Queued | JobState::Running => None,
        JobState::Completed => Some(0),
        JobState::Cancelled => Some(2),
        JobState::Failed if job.error.as_ref().is_some_and(|e| e.cause == JobFailure::NotFound) => Some(5),
        JobState::Failed => Some(4),
    }
}

fn class(request: &JobRequest) -> Option<&'static str> {
    match request {
        JobRequest::InstallFromUri { .. } => Some("__MethodParameters_InstallFromURI"),
        JobRequest::InstallFromByteStream { .. } => Some("__MethodParameters_InstallFromByteStream"),
        JobRequest::ChangeIdentity { asked: Asked::ByLink, .. }
        | JobRequest::RefreshRepositories
        | JobRequest::Patch(_)
        | JobRequest::Image(_) => None,
        JobRequest::ChangeIdentity { .. } => Some("__MethodParameters_InstallFromSoftwareIdentity"),
        JobRequest::Verify { .. } => Some("__MethodParameters_VerifyInstalledIdentity"),
    }
}

fn fill(model: &Model, request: &JobRequest, parameters: &mut Instance) -> Result<(), PropertyError> {
    match request {
        JobRequest::InstallFromUri { uri, options, .. } => {
            parameters
                .set("URI", uri.as_str())?
                .set("Target", model.system_path())?
                .set("InstallOptions", numbers(options))?;
        }
        JobRequest::InstallFromByteStream { options, .. } => {
            parameters.set("Target", model.system_path())?.set("InstallOptions", numbers(options))?;
        }
        JobRequest::ChangeIdentity { nevra, options, asked } => {
            parameters.set("Source", model.identity_path(nevra))?.set("InstallOptions", numbers(options))?;
            match asked {
                Asked::OfCollection => parameters.set("Collection", model.collection_path())?,
                Asked::OfSystem | Asked::ByLink => parameters.set("Target", model.system_path())?,
            };
        }
        JobRequest::Verify { nevra } => {
            parameters.set("Source", model.identity_path(nevra))?.set("Target", model.system_path())?;
        }
        JobRequest::RefreshRepositories | JobRequest::Patch(_) | JobRequest::Image(_) => {}
    }
    Ok(())
}

/// InstallOptions as they were given; NULL if none were.
fn numbers(options: &InstallOptions) -> Value {
    options.given.as_ref().map_or(Value::Null, |given| Value::array(given.iter().copied()))
}

/// Caption and Description, in OpenLMI's words.
pub(super) fn descriptions(job: &Job) -> [String; 2] {
    let id = job.id;
    let install = format!("Software installation job with id={id}");
    match &job.request {
        JobRequest::InstallFromUri { uri, .. } => {
            [install, format!("Software package installation job {id} from uri: {uri:?}.")]
        }
        JobRequest::InstallFromByteStream { staged, .. } => {
            let package = &staged.nevra;
            [install, format!("Software package installation job {id} from a byte stream: \"{package}\".")]
        }
        JobRequest::ChangeIdentity { nevra, options, .. } => {
            let what = match options.action {
                InstallAction::Install => "installation",
                InstallAction::Update | InstallAction::UpdateTo => "update",
                InstallAction::Repair => "repair",
                InstallAction::Uninstall => "removal",
            };
            [install, format!("Software package {what} job {id} for \"{nevra}\".")]
        }
        JobRequest::Verify { nevra } => [
            format!("Software verification job with id={id}"),
            format!("Software package verification job {id} for \"{nevra}\"."),
        ],
        JobRequest::RefreshRepositories => {
            [install, format!("Job {id} that fetches the metadata of the host's repositories.")]
        }
        // No such request is in the queue of a host with packages.
        JobRequest::Patch(operation) => {
            [install, format!("Job {id} of the patch service: {}.", about_patch(operation))]
        }
        JobRequest::Image(_) => [install, format!("Job {id} that changes an image.")],
    }
}

/// What the patch service was asked for, for people.
pub(super) fn about_patch(operation: &PatchOperation) -> String {
    let subject = patch_subject(operation);
    let subject = subject.as_deref().unwrap_or_default();
    match operation {
        PatchOperation::Scan { metadata } if metadata.is_empty() => {
            "Scan by the advisories of the repositories".to_owned()
        }
        PatchOperation::Scan { .. } => format!("Scan by {subject}"),
        PatchOperation::Assess { .. } => "Assessment by the metadata of the last scan".to_owned(),
        PatchOperation::Deploy { .. } => format!("Deployment of {subject}"),
        PatchOperation::Remove { .. } => format!("Removal of {subject}"),
        PatchOperation::RollBack { .. } => "Return to the image before the last change".to_owned(),
    }
}

/// What the patch service was asked to do it with: metadata, bulletins or VIBs.
pub(super) fn patch_subject(operation: &PatchOperation) -> Option<String> {
    let names = match operation {
        PatchOperation::Scan { metadata } => metadata,
        PatchOperation::Deploy { bulletins, .. } => bulletins,
        PatchOperation::Remove { vibs, .. } => vibs,
        PatchOperation::Assess { .. } | PatchOperation::RollBack { .. } => return None,
    };
    (!names.is_empty()).then(|| some(names))
}

/// The first of several names, and how many more there are.
fn some(names: &[String]) -> String {
    const TOLD: usize = 5;
    let told = names.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(TOLD) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}
