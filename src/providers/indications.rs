//! Turns change records into indications (DSP1054; OpenLMI's indication classes for jobs).

use std::error::Error;

use super::job_instance::job_instance;
use super::managed::ManagedSystem;
use super::managed_systems::ManagedSystems;
use super::model::Model;
use super::names::INSTALLED;
use super::patch;
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{CimError, DateTime, Instance, ObjectPath};
use crate::events::Describe;
use crate::jobs::{Job, PACKAGE_SUBJECT, System};
use crate::software::Nevra;
use crate::store::changes::ChangeRecord;

/// Describes the changes of the systems' jobs, packages and images.
#[derive(Debug)]
pub struct Indications(ManagedSystems);

impl Indications {
    /// Describes with the classes and names of these systems.
    pub fn new(systems: ManagedSystems) -> Self {
        Self(systems)
    }
}

type Described = Result<Option<Instance>, Box<dyn Error + Send + Sync>>;

impl Describe for Indications {
    fn describe(&self, record: &ChangeRecord) -> Described {
        let ManagedSystems { host, image, .. } = &self.0;
        match record.subject.as_str() {
            PACKAGE_SUBJECT => host.as_ref().map_or(Ok(None), |host| of_package(host, record)),
            subject if subject == System::Host.subject() => {
                host.as_ref().map_or(Ok(None), |host| of_job(&**host, record))
            }
            subject if subject == System::Image.subject() => {
                image.as_ref().map_or(Ok(None), |image| of_job(&**image, record))
            }
            subject if subject == System::Host.assessment_subject() => {
                host.as_ref().and_then(patch::of_host).map_or(Ok(None), |system| patch::indication(&system, record))
            }
            subject if subject == System::Image.assessment_subject() => {
                image.as_ref().map_or(Ok(None), |image| patch::indication(&patch::of_image(image), record))
            }
            _ => Ok(None),
        }
    }
}

/// A job was made, changed or removed.
fn of_job(system: &dyn ManagedSystem, record: &ChangeRecord) -> Described {
    let read = |text: &Option<String>| text.as_deref().map(serde_json::from_str::<Job>).transpose();
    let (before, after) = (read(&record.before)?, read(&record.after)?);
    // The worker's time of the end is a little earlier than the record's; no instance is older than the next.
    let at = after.as_ref().and_then(|job| job.ended_at).unwrap_or(record.time);
    let [creation, modification, deletion] = system.terms().indications;
    let (class, job, previous) = match (&before, &after) {
        (None, Some(after)) => (creation, after, None),
        (Some(before), Some(after)) => (modification, after, Some(before)),
        (Some(before), None) => (deletion, before, None),
        (None, None) => return Ok(None),
    };
    let source = job_instance(system, job, at)?;
    let mut indication = indication(system, class, record, &system.job_path(job), source)?;
    if let Some(previous) = previous {
        indication.set("PreviousInstance", job_instance(system, previous, at)?)?;
    }
    Ok(Some(indication))
}

/// A package was installed or removed: the link between it and the system is new or gone.
fn of_package(model: &Model, record: &ChangeRecord) -> Described {
    let [creation, _, deletion] = model.terms().indications;
    let (class, text) = match (&record.before, &record.after) {
        (None, Some(after)) => (creation, after),
        (Some(before), None) => (deletion, before),
        _ => return Ok(None),
    };
    let nevra: Nevra = serde_json::from_str::<String>(text)?.parse()?;
    let mut link = Instance::new(model.class(INSTALLED)?);
    link.set("InstalledSoftware", model.identity_path(&nevra))?.set("System", model.system_path())?;
    let path = link.path(&IMPLEMENTATION_NAMESPACE.into());
    Ok(Some(indication(model, class, record, &path, link)?))
}

fn indication(
    system: &dyn ManagedSystem,
    class: &str,
    record: &ChangeRecord,
    path: &ObjectPath,
    source: Instance,
) -> Result<Instance, CimError> {
    let mut indication = Instance::new(system.class(class)?);
    indication
        .set("IndicationIdentifier", format!("Quartermaster:{}", record.sequence))?
        .set("IndicationTime", DateTime::utc(record.time))?
        // 2 Information
        .set("PerceivedSeverity", 2u16)?
        .set("SourceInstanceModelPath", path.to_string())?
        .set("SourceInstanceHost", system.name().name.clone())?
        .set("SourceInstance", source)?;
    Ok(indication)
}
