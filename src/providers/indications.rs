//! Turns change records into indications (DSP1054; OpenLMI's indication classes for jobs).

use std::error::Error;
use std::sync::Arc;

use super::job_instance::job_instance;
use super::model::Model;
use super::names::INSTALLED;
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{CimError, DateTime, Instance, ObjectPath};
use crate::events::Describe;
use crate::jobs::{Job, PACKAGE_SUBJECT, System};
use crate::software::Nevra;
use crate::store::changes::ChangeRecord;

/// Describes the changes of one system's jobs and packages.
#[derive(Debug)]
pub struct Indications {
    model: Arc<Model>,
}

impl Indications {
    /// Describes with the classes and names of this system.
    pub fn new(model: Arc<Model>) -> Self {
        Self { model }
    }
}

impl Describe for Indications {
    fn describe(&self, record: &ChangeRecord) -> Described {
        match record.subject.as_str() {
            PACKAGE_SUBJECT => self.of_package(record),
            subject if subject == System::Host.subject() => self.of_job(record),
            _ => Ok(None),
        }
    }
}

type Described = Result<Option<Instance>, Box<dyn Error + Send + Sync>>;

impl Indications {
    /// A job was made, changed or removed.
    fn of_job(&self, record: &ChangeRecord) -> Described {
        let read = |text: &Option<String>| text.as_deref().map(serde_json::from_str::<Job>).transpose();
        let (before, after) = (read(&record.before)?, read(&record.after)?);
        // The worker's time of the end is a little earlier than the record's; no instance is older than the next.
        let at = after.as_ref().and_then(|job| job.ended_at).unwrap_or(record.time);
        let (class, job, previous) = match (&before, &after) {
            (None, Some(after)) => ("LMI_SoftwareInstCreation", after, None),
            (Some(before), Some(after)) => ("LMI_SoftwareInstModification", after, Some(before)),
            (Some(before), None) => ("LMI_SoftwareInstDeletion", before, None),
            (None, None) => return Ok(None),
        };
        let source = job_instance(&self.model, job, at)?;
        let mut indication = self.indication(class, record, &self.model.job_path(job), source)?;
        if let Some(previous) = previous {
            indication.set("PreviousInstance", job_instance(&self.model, previous, at)?)?;
        }
        Ok(Some(indication))
    }

    /// A package was installed or removed: the link between it and the system is new or gone.
    fn of_package(&self, record: &ChangeRecord) -> Described {
        let (class, text) = match (&record.before, &record.after) {
            (None, Some(after)) => ("LMI_SoftwareInstCreation", after),
            (Some(before), None) => ("LMI_SoftwareInstDeletion", before),
            _ => return Ok(None),
        };
        let nevra: Nevra = serde_json::from_str::<String>(text)?.parse()?;
        let mut link = Instance::new(self.model.class(INSTALLED)?);
        link.set("InstalledSoftware", self.model.identity_path(&nevra))?.set("System", self.model.system_path())?;
        let path = link.path(&IMPLEMENTATION_NAMESPACE.into());
        Ok(Some(self.indication(class, record, &path, link)?))
    }

    fn indication(
        &self,
        class: &str,
        record: &ChangeRecord,
        path: &ObjectPath,
        source: Instance,
    ) -> Result<Instance, CimError> {
        let mut indication = Instance::new(self.model.class(class)?);
        indication
            .set("IndicationIdentifier", format!("Quartermaster:{}", record.sequence))?
            .set("IndicationTime", DateTime::utc(record.time))?
            // 2 Information
            .set("PerceivedSeverity", 2u16)?
            .set("SourceInstanceModelPath", path.to_string())?
            .set("SourceInstanceHost", self.model.system.name.clone())?
            .set("SourceInstance", source)?;
        Ok(indication)
    }
}
