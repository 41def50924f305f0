//! The methods that make jobs: what is judged at once and what becomes a job (DSP1025 8).

use super::install_options;
use super::managed::ManagedSystem;
use super::model::Model;
use crate::access::Caller;
use crate::broker::{Arguments, MethodReply, Upload};
use crate::cim::{CimError, CimStatus};
use crate::client::Place;
use crate::jobs::{Asked, InstallAction, InstallOptions, JobRequest, JobsError, PackageRequest, StageError};
use crate::software::Nevra;

/// DSP1025: the parameters do not fit; no job was made.
pub(super) const ERROR_OCCURRED: u32 = 2;
const JOB_STARTED: u32 = 4096;
const NOT_ENOUGH_DISK_SPACE: u32 = 4103;
const NOT_APPLICABLE_TO_TARGET: u32 = 4106;
const URI_NOT_ACCESSIBLE: u32 = 4107;

/// `InstallFromURI`: what is behind http and https is judged in the job; of a file of this host a copy is made at once,
/// which is what gets checked and installed.
pub(super) fn from_uri(model: &Model, caller: &Caller, arguments: &Arguments) -> Result<MethodReply, CimError> {
    let (uri, place, options) = match asked_of_uri(model, arguments) {
        Ok(asked) => asked,
        Err(why) => return Ok(does_not_fit("InstallFromURI", caller, why)),
    };
    let staged = match place {
        Place::Remote(_) => None,
        Place::Local(file) => match model.jobs().stage(&file, caller) {
            Ok(staged) => Some(staged),
            Err(error) => return refused(error),
        },
    };
    submit(model, caller, PackageRequest::InstallFromUri { uri, staged, options }.into())
}

/// `InstallFromByteStream`: the octets that came beside the call, or that are written one by one as its argument.
pub(super) fn from_byte_stream(
    model: &Model,
    caller: &Caller,
    arguments: &Arguments,
    upload: Option<&Upload>,
) -> Result<MethodReply, CimError> {
    let refuse = |why| Ok(does_not_fit("InstallFromByteStream", caller, why));
    let options = match asked_of_file(model, arguments) {
        Ok(options) => options,
        Err(why) => return refuse(why),
    };
    let staged = match upload.map(Upload::file) {
        Some(Ok(file)) => model.jobs().stage_upload(file, caller),
        Some(Err(_)) => return refuse("Image is damaged"),
        None => {
            let items = arguments.get("Image").as_array().unwrap_or_default();
            let octets: Vec<u8> = items.iter().filter_map(|item| u8::try_from(item.as_u64()?).ok()).collect();
            if octets.is_empty() {
                return refuse("Image is missing");
            }
            model.jobs().stage_octets(&octets, caller)
        }
    };
    match staged {
        Ok(staged) => submit(model, caller, PackageRequest::InstallFromByteStream { staged, options }.into()),
        Err(error) => refused(error),
    }
}

/// `InstallFromSoftwareIdentity`: what becomes of a package is told by the job, not by the return value.
pub(super) fn from_identity(model: &Model, caller: &Caller, arguments: &Arguments) -> Result<MethodReply, CimError> {
    match asked_of_identity(model, arguments) {
        Ok((nevra, options, asked)) => {
            submit(model, caller, PackageRequest::ChangeIdentity { nevra, options, asked }.into())
        }
        Err(why) => Ok(does_not_fit("InstallFromSoftwareIdentity", caller, why)),
    }
}

/// `VerifyInstalledIdentity`: the job's affected elements are the files that are not as they were installed.
pub(super) fn verify(model: &Model, caller: &Caller, arguments: &Arguments) -> Result<MethodReply, CimError> {
    if !arguments.get("Target").as_reference().is_some_and(|path| model.is_system(path)) {
        return Ok(does_not_fit("VerifyInstalledIdentity", caller, "Target is not this system"));
    }
    match source(model, arguments) {
        Ok(nevra) => submit(model, caller, PackageRequest::Verify { nevra }.into()),
        Err(why) => Ok(does_not_fit("VerifyInstalledIdentity", caller, why)),
    }
}

/// `RefreshRepositories`.
pub(super) fn refresh(model: &Model, caller: &Caller) -> Result<MethodReply, CimError> {
    submit(model, caller, PackageRequest::RefreshRepositories.into())
}

/// What InstallFromSoftwareIdentity and those that only look ahead are asked for; or what does not fit.
pub(super) fn asked_of_identity(
    model: &Model,
    arguments: &Arguments,
) -> Result<(Nevra, InstallOptions, Asked), &'static str> {
    let options = install_options::read(arguments)?;
    let nevra = source(model, arguments)?;
    let asked = receiver(model, arguments)?;
    Ok((nevra.clone(), InstallOptions { action: action(model, &nevra, options.action), ..options }, asked))
}

/// Puts a job in the queue.
pub(super) fn submit(
    system: &dyn ManagedSystem,
    caller: &Caller,
    request: JobRequest,
) -> Result<MethodReply, CimError> {
    let job = system.jobs().submit(request, caller).map_err(not_submitted)?;
    Ok(MethodReply::code(JOB_STARTED).with("Job", system.job_path(&job)))
}

pub(super) fn not_submitted(error: JobsError) -> CimError {
    match error {
        JobsError::QueueFull => CimError::new(CimStatus::ServerLimitsExceeded, error.to_string()),
        error => CimError::internal("The job could not be recorded; the operator's log says why.", error),
    }
}

/// Over WS-Management the caller learns no more than the return value; the log and the page say what was wrong.
pub(super) fn does_not_fit(method: &str, caller: &Caller, why: &str) -> MethodReply {
    tracing::info!(user = %caller.name, code = ERROR_OCCURRED, "{method} is refused: {why}");
    MethodReply::refusal(ERROR_OCCURRED, why)
}

/// The URI, where it leads and what to do.
fn asked_of_uri(model: &Model, arguments: &Arguments) -> Result<(String, Place, InstallOptions), &'static str> {
    let options = asked_of_file(model, arguments)?;
    let uri = uri(arguments)?;
    let place =
        Place::of(uri).ok_or("URI is neither of a file of this host nor one of http or https without a password")?;
    Ok((uri.to_owned(), place, options))
}

/// The longest URI, in octets: no path and no server takes a longer one, and each is kept with its job and in the history.
const LONGEST_URI: usize = 4096;

/// The URI of a call.
pub(super) fn uri(arguments: &Arguments) -> Result<&str, &'static str> {
    let uri = arguments.get("URI").as_str().ok_or("URI is missing")?;
    if uri.len() > LONGEST_URI { Err("URI is longer than 4096 octets") } else { Ok(uri) }
}

/// What to do with a package file.
fn asked_of_file(model: &Model, arguments: &Arguments) -> Result<InstallOptions, &'static str> {
    if !arguments.get("Target").as_reference().is_some_and(|path| model.is_system(path)) {
        return Err("Target is not this system");
    }
    let options = install_options::read(arguments)?;
    match options.action {
        InstallAction::Uninstall => Err("what is installed from a file is not removed"),
        InstallAction::Repair => Ok(InstallOptions { action: InstallAction::Install, force: true, ..options }),
        InstallAction::Install | InstallAction::Update | InstallAction::UpdateTo => Ok(options),
    }
}

/// The package that Source names; it need not be known unless its name leaves several readings.
fn source(model: &Model, arguments: &Arguments) -> Result<Nevra, &'static str> {
    let source = arguments.get("Source").as_reference().ok_or("Source is missing")?;
    model.nevra(source).map_err(|_| "Source names no software identity, or could mean several")
}

/// What is changed: the system as Target, or its software as Collection, but not both (DSP1025 8.3).
fn receiver(model: &Model, arguments: &Arguments) -> Result<Asked, &'static str> {
    let (target, collection) = (arguments.get("Target").as_reference(), arguments.get("Collection").as_reference());
    match (target, collection) {
        (Some(target), None) if model.is_system(target) => Ok(Asked::OfSystem),
        (None, Some(collection)) if model.is_collection(collection) => Ok(Asked::OfCollection),
        (Some(_), None) => Err("Target is not this system"),
        (None, Some(_)) => Err("Collection is not this system's"),
        _ => Err("one of Target and Collection must be given, and not both"),
    }
}

/// An update to a build that is not the installed one.
fn action(model: &Model, nevra: &Nevra, action: InstallAction) -> InstallAction {
    let inventory = model.manager.inventory();
    let is_other = inventory.find(nevra).is_none() && !inventory.named(&nevra.name).is_empty();
    if action == InstallAction::Update && is_other { InstallAction::UpdateTo } else { action }
}

/// The return value for a file that cannot become a job.
pub(super) fn refused(error: StageError) -> Result<MethodReply, CimError> {
    let code = match error {
        StageError::NotReadable(_) | StageError::NotAllowed | StageError::TooLarge { .. } => URI_NOT_ACCESSIBLE,
        StageError::NotAPackage(_) => NOT_APPLICABLE_TO_TARGET,
        StageError::NoRoom => NOT_ENOUGH_DISK_SPACE,
        StageError::OtherOrders => return Err(CimError::in_use(format!("The file is not taken now: {error}."))),
        StageError::TooMany(why) => return Err(CimError::new(CimStatus::ServerLimitsExceeded, why)),
        StageError::WorkerUnavailable(_) => {
            let text = "The worker that changes software cannot be reached; the operator's log says why.";
            return Err(CimError::internal(text, error));
        }
    };
    tracing::info!(error = &error as &dyn std::error::Error, code, "a package file is refused");
    Ok(MethodReply::refusal(code, error.to_string()))
}
