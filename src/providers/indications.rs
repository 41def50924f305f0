//! Turns change records into indications (DSP1054; OpenLMI's indication classes for jobs).

use std::error::Error;
use std::sync::Arc;

use chrono::{DateTime as Instant, Utc};

use super::jobs::{INSTALLATION_JOB, job_instance};
use super::model::Model;
use crate::cim::{CimError, DateTime, Instance};
use crate::events::Describe;
use crate::jobs::Job;
use crate::store::changes::ChangeRecord;

/// Describes the changes of one system's jobs.
#[derive(Debug)]
pub struct Indications {
    model: Arc<Model>,
}

impl Indications {
    /// Describes with the classes and names of this system.
    pub fn new(model: Arc<Model>) -> Self {
        Self { model }
    }

    fn instance(&self, job: &Job, at: Instant<Utc>) -> Result<Instance, CimError> {
        Ok(job_instance(&self.model.class(INSTALLATION_JOB)?, job, at)?)
    }
}

impl Describe for Indications {
    fn describe(&self, record: &ChangeRecord) -> Result<Option<Instance>, Box<dyn Error + Send + Sync>> {
        if record.subject != crate::jobs::SUBJECT {
            return Ok(None);
        }
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
        let mut indication = Instance::new(self.model.class(class)?);
        indication
            .set("IndicationIdentifier", format!("Quartermaster:{}", record.sequence))?
            .set("IndicationTime", DateTime::utc(record.time))?
            // 2 Information
            .set("PerceivedSeverity", 2u16)?
            .set("SourceInstanceModelPath", self.model.job_path(job.id).to_string())?
            .set("SourceInstanceHost", self.model.system.name.clone())?
            .set("SourceInstance", self.instance(job, at)?)?;
        if let Some(previous) = previous {
            indication.set("PreviousInstance", self.instance(previous, at)?)?;
        }
        Ok(Some(indication))
    }
}
