//! A record of the history as an instance.

use std::sync::Arc;

use serde_json::json;

use super::job_parameters::{method, patch_subject};
use super::log::entry_id;
use super::managed::ManagedSystem;
use crate::access::Caller;
use crate::cim::{CimError, Class, DateTime, Instance, Value};
use crate::jobs::{HistoryRecord, ImageRequest, JobRequest, JobState};
use crate::software::{ChangeKind, Nevra, Outcome};

/// A record as an instance, with who asked for the job if that is to be told.
pub(super) fn entry(
    system: &dyn ManagedSystem,
    class: &Arc<Class>,
    record: &HistoryRecord,
    owner: Option<&Caller>,
) -> Result<Instance, CimError> {
    let (job, terms) = (&record.job, system.terms());
    let name = owner.map(|owner| &*owner.name);
    let address = owner.and_then(|owner| owner.address).map(|address| address.to_string());
    let about = about(&job.request);
    let asked = match &about {
        Some(about) => format!("{} of {about}", method(&job.request)),
        None => method(&job.request).to_owned(),
    };
    let (result, severity) = match job.state {
        JobState::Completed => ("completed", 2u16),
        JobState::Cancelled => ("cancelled", 2),
        // 4 Minor
        _ => ("failed", 4),
    };
    let changes: Vec<Noted> = job.outcome.iter().flat_map(noted).collect();
    let mut message = format!(
        "{}{} asked for {asked} (job {}): {result}",
        name.unwrap_or("Somebody"),
        address.as_ref().map(|address| format!(" at {address}")).unwrap_or_default(),
        job.id
    );
    let what = job
        .error
        .as_ref()
        .map(|error| error.message.clone())
        .or_else(|| (!changes.is_empty()).then(|| changes.iter().map(Noted::words).collect::<Vec<_>>().join(", ")));
    if let Some(what) = what {
        message.push_str(&format!(": {what}"));
    }
    let data = json!({
        "job": job.id.0,
        "user": name,
        "role": owner.map(|owner| owner.role),
        "address": address,
        "method": method(&job.request),
        "software": about,
        "submitted": job.submitted_at,
        "ended": job.ended_at,
        "result": result,
        "error": job.error.as_ref().map(|error| &error.message),
        "changes": changes.iter().map(|change| json!({
            "kind": change.kind,
            "before": change.before,
            "after": change.after,
        })).collect::<Vec<_>>(),
    });
    let mut entry = Instance::new(class.clone());
    entry
        .set("InstanceID", entry_id(system, record.number))?
        .set("ElementName", format!("{} {}", terms.log_name, record.number))?
        .set("Caption", asked.as_str())?
        .set("LogInstanceID", terms.log_id)?
        .set("LogName", terms.log_name)?
        .set("RecordID", record.number.to_string())?
        .set("CreationTimeStamp", job.ended_at.map(DateTime::utc))?
        .set("OwningEntity", "Quartermaster")?
        .set("MessageID", format!("Quartermaster:{result}"))?
        .set("Message", message)?
        .set(
            "MessageArguments",
            Value::array([name.unwrap_or_default().to_owned(), address.unwrap_or_default(), asked, result.to_owned()]),
        )?
        .set("Locale", "en")?
        .set("PerceivedSeverity", severity)?
        .set("RecordFormat", "application/json")?
        .set("RecordData", data.to_string())?;
    Ok(entry)
}

/// The software that a job is about, as far as that is known from what was asked for.
fn about(request: &JobRequest) -> Option<String> {
    match request {
        JobRequest::Patch(operation) => patch_subject(operation),
        JobRequest::Image(ImageRequest::Update { uri, .. }) => Some(uri.clone()),
        JobRequest::Packages(request) => request.nevra().map(ToString::to_string),
    }
}

/// A change of one piece of software, by its names.
struct Noted {
    kind: ChangeKind,
    before: Option<String>,
    after: Option<String>,
}

/// What a job changed: packages, or VIBs.
fn noted(outcome: &Outcome) -> Vec<Noted> {
    let text = |nevra: &Option<Nevra>| nevra.as_ref().map(ToString::to_string);
    let packages = outcome.changes.iter();
    let packages =
        packages.map(|change| Noted { kind: change.kind, before: text(&change.before), after: text(&change.after) });
    let came = outcome.image.iter().flat_map(|image| &image.installed);
    let came = came.map(|vib| Noted { kind: ChangeKind::Installed, before: None, after: Some(vib.to_string()) });
    let went = outcome.image.iter().flat_map(|image| &image.removed);
    let went = went.map(|vib| Noted { kind: ChangeKind::Removed, before: Some(vib.to_string()), after: None });
    packages.chain(came).chain(went).collect()
}

impl Noted {
    fn words(&self) -> String {
        let (before, after) = (self.before.as_deref().unwrap_or_default(), self.after.as_deref().unwrap_or_default());
        match self.kind {
            ChangeKind::Installed => format!("installed {after}"),
            ChangeKind::Updated => format!("updated {before} to {after}"),
            ChangeKind::Downgraded => format!("downgraded {before} to {after}"),
            ChangeKind::Reinstalled => format!("put {after} in place again"),
            ChangeKind::Removed => format!("removed {before}"),
        }
    }
}
