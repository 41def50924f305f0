//! Turns change records into indications (DSP1054; OpenLMI's indication classes for jobs).

use std::error::Error;

use serde::de::DeserializeOwned;

use super::image::{ImageModel, standing_link};
use super::job_instance::job_instance;
use super::managed::ManagedSystem;
use super::managed_systems::ManagedSystems;
use super::model::Model;
use super::names::INSTALLED;
use super::patch;
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{CimError, DateTime, Instance, ObjectPath};
use crate::events::Describe;
use crate::jobs::{Job, PACKAGE_SUBJECT, System, VIB_SUBJECT};
use crate::software::Nevra;
use crate::software::vib::Standing;
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
        match (record.subject.as_str(), host, image) {
            (PACKAGE_SUBJECT, Some(host), _) => of_package(host, record),
            (VIB_SUBJECT, _, Some(image)) => of_vib(image, record),
            (subject, Some(host), _) if subject == System::Host.subject() => of_job(&**host, record),
            (subject, _, Some(image)) if subject == System::Image.subject() => of_job(&**image, record),
            (subject, Some(host), _) if subject == System::Host.assessment_subject() => {
                patch::of_host(host).map_or(Ok(None), |system| patch::indication(&system, record))
            }
            (subject, _, Some(image)) if subject == System::Image.assessment_subject() => {
                patch::indication(&patch::of_image(image), record)
            }
            _ => Ok(None),
        }
    }
}

/// What a record tells of: the class of its indication, what it is about, and the same as it was before.
type Told<T> = Option<(&'static str, T, Option<T>)>;

/// By which of these classes something new, another than before, or gone is told.
fn told<T: DeserializeOwned>(record: &ChangeRecord, classes: [&'static str; 3]) -> serde_json::Result<Told<T>> {
    let read = |text: &Option<String>| text.as_deref().map(serde_json::from_str::<T>).transpose();
    let [creation, modification, deletion] = classes;
    Ok(match (read(&record.before)?, read(&record.after)?) {
        (None, Some(after)) => Some((creation, after, None)),
        (Some(before), Some(after)) => Some((modification, after, Some(before))),
        (Some(before), None) => Some((deletion, before, None)),
        (None, None) => None,
    })
}

/// A job was made, changed or removed.
fn of_job(system: &dyn ManagedSystem, record: &ChangeRecord) -> Described {
    let Some((class, job, previous)) = told::<Job>(record, system.terms().indications)? else { return Ok(None) };
    // The worker's time of the end is a little earlier than the record's; no instance is older than the next.
    let at = job.ended_at.filter(|_| record.after.is_some()).unwrap_or(record.time);
    let source = job_instance(system, &job, at)?;
    let mut indication = indication(system, class, record, &system.job_path(&job), source)?;
    if let Some(previous) = previous {
        indication.set("PreviousInstance", job_instance(system, &previous, at)?)?;
    }
    Ok(Some(indication))
}

/// A VIB came into an image, runs now or will run, or went. VMware has no indications for it, so they are CIM's own.
fn of_vib(model: &ImageModel, record: &ChangeRecord) -> Described {
    let classes = ["CIM_InstCreation", "CIM_InstModification", "CIM_InstDeletion"];
    let Some((class, standing, previous)) = told::<Standing>(record, classes)? else { return Ok(None) };
    let link = standing_link(model, &standing)?;
    let path = link.path(&IMPLEMENTATION_NAMESPACE.into());
    let mut indication = indication(model, class, record, &path, link)?;
    if let Some(previous) = previous {
        indication.set("PreviousInstance", standing_link(model, &previous)?)?;
    }
    Ok(Some(indication))
}

/// A package was installed or removed: the link between it and the system is new or gone.
fn of_package(model: &Model, record: &ChangeRecord) -> Described {
    let Some((class, name, None)) = told::<String>(record, model.terms().indications)? else { return Ok(None) };
    let nevra: Nevra = name.parse()?;
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
