//! The install methods: what is judged at once and what becomes a job (DSP1025 8).

use std::path::PathBuf;

use super::model::Model;
use crate::access::{self, Caller};
use crate::broker::{Arguments, MethodReply};
use crate::cim::{CimError, CimStatus, Value};
use crate::jobs::{JobRequest, JobsError, StageError};

/// InstallOptions that are served: 4 Install.
pub(super) const SUPPORTED_OPTIONS: [u16; 1] = [4];

/// DSP1025: the parameters do not fit; no job was made.
const ERROR_OCCURRED: u32 = 2;
const JOB_STARTED: u32 = 4096;
const NOT_ENOUGH_DISK_SPACE: u32 = 4103;
const NOT_APPLICABLE_TO_TARGET: u32 = 4106;
const URI_NOT_ACCESSIBLE: u32 = 4107;

/// `InstallFromURI`: a file of this host becomes a job; its copy is what gets checked and installed.
pub(super) fn install_from_uri(model: &Model, caller: &Caller, arguments: &Arguments) -> Result<MethodReply, CimError> {
    let (uri, file) = match asked(model, arguments) {
        Ok(asked) => asked,
        Err(why) => {
            tracing::info!(user = %caller.name, code = ERROR_OCCURRED, "InstallFromURI is refused: {why}");
            return Ok(MethodReply::code(ERROR_OCCURRED));
        }
    };
    access::audit(caller, &format_args!("asks to install {uri:?}"));
    let staged = match model.jobs.stage(&file) {
        Ok(staged) => staged,
        Err(error) => return refused(error),
    };
    let request = JobRequest::InstallFromUri { uri, staged };
    let job = model.jobs.submit(request, String::new(), caller).map_err(not_submitted)?;
    Ok(MethodReply::code(JOB_STARTED).with("Job", model.job_path(job.id)))
}

/// The URI and its file; or what does not fit, which the caller learns no more of than [`ERROR_OCCURRED`].
fn asked(model: &Model, arguments: &Arguments) -> Result<(String, PathBuf), &'static str> {
    if !arguments.get("Target").as_reference().is_some_and(|path| model.is_system(path)) {
        return Err("Target is not this system");
    }
    if !options_fit(arguments) {
        return Err("InstallOptions has an option that is not served, or InstallOptionsValues does not match it");
    }
    let file = arguments.get("URI").as_str().and_then(local_file);
    file.ok_or("URI is no file: URI of a file of this host")
}

/// The return value for a file that cannot become a job.
fn refused(error: StageError) -> Result<MethodReply, CimError> {
    let code = match error {
        StageError::NotReadable(_) | StageError::NotAllowed | StageError::TooLarge { .. } => URI_NOT_ACCESSIBLE,
        StageError::NotAPackage(_) => NOT_APPLICABLE_TO_TARGET,
        StageError::NoRoom => NOT_ENOUGH_DISK_SPACE,
        StageError::WorkerUnavailable(_) => {
            let text = "The worker that changes software cannot be reached; the operator's log says why.";
            return Err(CimError::internal(text, error));
        }
    };
    tracing::info!(error = &error as &dyn std::error::Error, code, "a package file is refused");
    Ok(MethodReply::code(code))
}

fn not_submitted(error: JobsError) -> CimError {
    match error {
        JobsError::QueueFull => CimError::new(CimStatus::ServerLimitsExceeded, error.to_string()),
        error => CimError::internal("The job could not be recorded; the operator's log says why.", error),
    }
}

/// Options are among those the capabilities name, and no option that is served takes a value: the values, if given at
/// all, are as many as the options and all NULL or empty.
fn options_fit(arguments: &Arguments) -> bool {
    let options = arguments.get("InstallOptions").as_array().unwrap_or_default();
    let values = arguments.get("InstallOptionsValues").as_array().unwrap_or_default();
    let served = |option: &Value| option.as_u64().is_some_and(|n| SUPPORTED_OPTIONS.iter().any(|&s| u64::from(s) == n));
    let empty = |value: &Value| value.is_null() || value.as_str().is_some_and(str::is_empty);
    options.iter().all(served) && (values.is_empty() || values.len() == options.len()) && values.iter().all(empty)
}

/// The file of a `file:` URI on this host; `None` for what is malformed, of another scheme or on another host.
fn local_file(text: &str) -> Option<(String, PathBuf)> {
    let uri = url::Url::parse(text).ok().filter(|uri| uri.scheme() == "file")?;
    if uri.query().is_some() || uri.fragment().is_some() {
        return None;
    }
    // The path is cut out of URIs like file://host/x too, so the host is judged first.
    let is_here = uri.host_str().is_none_or(|host| host.eq_ignore_ascii_case("localhost"));
    let file = is_here.then(|| uri.to_file_path().ok())??;
    Some((text.to_owned(), file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_this_host_are_local() {
        assert_eq!(local_file("file:///srv/a%20b.deb").unwrap().1, PathBuf::from("/srv/a b.deb"));
        assert_eq!(local_file("file://localhost/srv/x.rpm").unwrap().1, PathBuf::from("/srv/x.rpm"));
        for other in
            ["", "x.deb", "/srv/x.deb", "http://h/x.deb", "file://elsewhere/x.deb", "file:///x.deb?a", "file:///x#y"]
        {
            assert!(local_file(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn options_and_values_must_match() {
        let arguments = |options: &[u16], values: Option<Vec<Value>>| {
            let values = values.map_or(Value::Null, |v| Value::Array(v.into()));
            Arguments(vec![
                ("InstallOptions".into(), Value::array(options.iter().copied())),
                ("InstallOptionsValues".into(), values),
            ])
        };
        assert!(options_fit(&Arguments::default()));
        assert!(options_fit(&arguments(&[4], None)));
        assert!(options_fit(&arguments(&[4], Some(vec![Value::Null]))));
        assert!(options_fit(&arguments(&[4], Some(vec!["".into()]))));
        assert!(!options_fit(&arguments(&[4], Some(vec!["x".into()]))));
        assert!(!options_fit(&arguments(&[4], Some(vec![Value::Null, Value::Null]))));
        assert!(!options_fit(&arguments(&[], Some(vec![Value::Null]))));
        assert!(!options_fit(&arguments(&[9], None)));
    }
}
