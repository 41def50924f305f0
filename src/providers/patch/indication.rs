//! The indication that a system was assessed.

use std::error::Error;

use super::paths::Kind;
use super::system::PatchSystem;
use crate::cim::{DateTime, Instance};
use crate::software::patch::PatchSummary;
use crate::store::changes::ChangeRecord;

/// The `QM_PatchInstCreation` that a change record of an assessment means.
pub(in crate::providers) fn indication(
    system: &PatchSystem,
    record: &ChangeRecord,
) -> Result<Option<Instance>, Box<dyn Error + Send + Sync>> {
    let Some(summary) = record.after.as_deref() else { return Ok(None) };
    let summary: PatchSummary = serde_json::from_str(summary)?;
    let source = system.assessment(&system.system.class("QM_PatchAssessment")?, &summary)?;
    let path = system.path(Kind::Assessment, &summary.job.to_string());
    let mut indication = Instance::new(system.system.class("QM_PatchInstCreation")?);
    indication
        .set("IndicationIdentifier", format!("Quartermaster:{}", record.sequence))?
        .set("IndicationTime", DateTime::utc(record.time))?
        // 2 Information
        .set("PerceivedSeverity", 2u16)?
        .set("SourceInstanceModelPath", path.to_string())?
        .set("SourceInstanceHost", system.name().clone())?
        .set("SourceInstance", source)?;
    Ok(Some(indication))
}
