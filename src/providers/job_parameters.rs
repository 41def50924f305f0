//! The call that made a job, as embedded objects: what it was given and what came of it.
//!
//! OpenLMI's clients read the return value from `JobOutParameters.__ReturnValue`.

use super::managed::ManagedSystem;
use super::model::Model;
use crate::cim::{CimError, Instance, PropertyError, Value};
use crate::jobs::{
    Asked, ImageRequest, InstallAction, InstallOptions, Job, JobFailure, JobRequest, JobState, PackageRequest,
};
use crate::software::patch::PatchOperation;

/// The method that was called; making or deleting a link is an operation of its own.
pub(super) fn method(request: &JobRequest) -> &'static str {
    match request {
        JobRequest::Packages(request) => package_method(request),
        JobRequest::Patch(operation) => operation.word(),
        JobRequest::Image(ImageRequest::Update { .. }) => "InstallFromURI",
    }
}

fn package_method(request: &PackageRequest) -> &'static str {
    match request {
        PackageRequest::InstallFromUri { .. } => "InstallFromURI",
        PackageRequest::InstallFromByteStream { .. } => "InstallFromByteStream",
        PackageRequest::ChangeIdentity { asked: Asked::ByLink, options, .. } => match options.action {
            InstallAction::Uninstall => "DeleteInstance",
            _ => "CreateInstance",
        },
        PackageRequest::ChangeIdentity { .. } => "InstallFromSoftwareIdentity",
        PackageRequest::Verify { .. } => "VerifyInstalledIdentity",
        PackageRequest::RefreshRepositories => "RefreshRepositories",
    }
}

/// What the method was called with; none of what was no method with parameters.
pub(super) fn parameters(model: &Model, request: &JobRequest, ending: &str) -> Result<Option<Instance>, CimError> {
    let Some(request) = request.of_packages() else { return Ok(None) };
    let Some(class) = class(request) else { return Ok(None) };
    let mut parameters = Instance::new(model.class(&format!("{class}{ending}"))?);
    fill(model, request, &mut parameters)?;
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

fn class(request: &PackageRequest) -> Option<&'static str> {
    match request {
        PackageRequest::InstallFromUri { .. } => Some("__MethodParameters_InstallFromURI"),
        PackageRequest::InstallFromByteStream { .. } => Some("__MethodParameters_InstallFromByteStream"),
        PackageRequest::ChangeIdentity { asked: Asked::ByLink, .. } | PackageRequest::RefreshRepositories => None,
        PackageRequest::ChangeIdentity { .. } => Some("__MethodParameters_InstallFromSoftwareIdentity"),
        PackageRequest::Verify { .. } => Some("__MethodParameters_VerifyInstalledIdentity"),
    }
}

fn fill(model: &Model, request: &PackageRequest, parameters: &mut Instance) -> Result<(), PropertyError> {
    match request {
        PackageRequest::InstallFromUri { uri, options, .. } => {
            parameters
                .set("URI", uri.as_str())?
                .set("Target", model.system_path())?
                .set("InstallOptions", numbers(options))?;
        }
        PackageRequest::InstallFromByteStream { options, .. } => {
            parameters.set("Target", model.system_path())?.set("InstallOptions", numbers(options))?;
        }
        PackageRequest::ChangeIdentity { nevra, options, asked } => {
            parameters.set("Source", model.identity_path(nevra))?.set("InstallOptions", numbers(options))?;
            match asked {
                Asked::OfCollection => parameters.set("Collection", model.collection_path())?,
                Asked::OfSystem | Asked::ByLink => parameters.set("Target", model.system_path())?,
            };
        }
        PackageRequest::Verify { nevra } => {
            parameters.set("Source", model.identity_path(nevra))?.set("Target", model.system_path())?;
        }
        PackageRequest::RefreshRepositories => {}
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
    let request = match &job.request {
        JobRequest::Packages(request) => request,
        JobRequest::Patch(operation) => {
            return [install, format!("Job {id} of the patch service: {}.", about_patch(operation))];
        }
        // No such request is in the queue of a host with packages.
        JobRequest::Image(_) => return [install, format!("Job {id} that changes an image.")],
    };
    match request {
        PackageRequest::InstallFromUri { uri, .. } => {
            [install, format!("Software package installation job {id} from uri: {uri:?}.")]
        }
        PackageRequest::InstallFromByteStream { staged, .. } => {
            let package = &staged.nevra;
            [install, format!("Software package installation job {id} from a byte stream: \"{package}\".")]
        }
        PackageRequest::ChangeIdentity { nevra, options, .. } => {
            let what = match options.action {
                InstallAction::Install => "installation",
                InstallAction::Update | InstallAction::UpdateTo => "update",
                InstallAction::Repair => "repair",
                InstallAction::Uninstall => "removal",
            };
            [install, format!("Software package {what} job {id} for \"{nevra}\".")]
        }
        PackageRequest::Verify { nevra } => [
            format!("Software verification job with id={id}"),
            format!("Software package verification job {id} for \"{nevra}\"."),
        ],
        PackageRequest::RefreshRepositories => {
            [install, format!("Job {id} that fetches the metadata of the host's repositories.")]
        }
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
