//! An assessment, its bulletins and their VIBs as instances.

use std::sync::Arc;

use chrono::{DateTime as Time, Utc};

use super::paths::Kind;
use super::system::PatchSystem;
use crate::cim::{Class, DateTime, Instance, PropertyError, Value};
use crate::software::patch::{
    InstallState, MetadataSource, PartChange, PatchPart, PatchReason, PatchState, PatchStatus, PatchSummary,
};

/// Classifications: 13 Software Bundle.
const SOFTWARE_BUNDLE: u16 = 13;
/// ExtendedResourceType: 9 VMware vSphere Installation Bundle, 10 VMware Software Bulletin, 2 Not Applicable.
const VIB_RESOURCE: u16 = 9;
const BULLETIN_RESOURCE: u16 = 10;
const NO_RESOURCE: u16 = 2;
/// The longest Caption (CIM_ManagedElement).
const LONGEST_CAPTION: usize = 64;

type Made = Result<Instance, PropertyError>;

impl PatchSystem {
    pub(super) fn bulletin(&self, class: &Arc<Class>, status: &PatchStatus) -> Made {
        let resource = if self.is_image() { BULLETIN_RESOURCE } else { NO_RESOURCE };
        let component = status.component.as_ref();
        let mut bulletin = Instance::new(class.clone());
        bulletin
            .set("InstanceID", self.id(Kind::Bulletin, &status.id))?
            .set("ElementName", title(status))?
            .set("Caption", caption(&status.id))?
            .set("Description", text(&status.description))?
            .set("Name", component.map(|component| &*component.name))?
            .set("VersionString", component.map(|component| &*component.version))?
            .set("Manufacturer", text(&status.vendor))?
            .set("ReleaseDate", status.release_date.map(DateTime::utc))?
            .set("Classifications", Value::array([SOFTWARE_BUNDLE]))?
            .set("ExtendedResourceType", resource)?
            .set("TargetOSTypes", Value::array([self.operating_system()]))?
            .set("IsEntity", true)?
            .set("Severity", text(&status.severity.to_lowercase()))?
            .set("Category", text(&status.category.to_lowercase()))?
            .set("ReleaseType", text(&status.release_type.to_lowercase()))?
            .set("KBURL", text(&status.kb_url))?
            .set("CVEs", texts(&status.cves))?;
        Ok(bulletin)
    }

    pub(super) fn status(&self, class: &Arc<Class>, status: &PatchStatus, at: Time<Utc>) -> Made {
        let parts = |of: fn(&PatchPart) -> Value| match status.parts.as_slice() {
            [] => Value::Null,
            parts => Value::Array(parts.iter().map(of).collect()),
        };
        let mut shown = Instance::new(class.clone());
        shown
            .set("InstanceID", self.id(Kind::Status, &status.id))?
            .set("ElementName", title(status))?
            .set("Caption", caption(&status.id))?
            .set("Description", format!("How {} stands to {}.", self.name(), status.id))?
            .set("BulletinID", status.id.as_str())?
            .set("AssessmentTime", DateTime::utc(at))?
            .set("State", state_number(status.state))?
            .set("Applicable", status.applicable)?
            .set("Reasons", numbers(status.reasons.iter().copied().map(reason_number)))?
            .set("Installed", status.installed)?
            .set("InstallState", numbers(status.install_states.iter().copied().map(install_state_number)))?
            .set("Missing", status.state == PatchState::Missing)?
            .set("SupersededBy", texts(&status.superseded_by))?
            .set("Prerequisites", texts(&status.prerequisites))?
            .set("MissingRequirements", texts(&status.missing_requirements))?
            .set("ConflictsWith", texts(&status.conflicts_with))?
            .set("Severity", text(&status.severity.to_lowercase()))?
            .set("Category", text(&status.category.to_lowercase()))?
            .set("ReleaseDate", status.release_date.map(DateTime::utc))?
            .set("KBURL", text(&status.kb_url))?
            .set("RestartRequired", status.needs_reboot)?
            .set("MaintenanceModeRequired", status.needs_maintenance_mode)?
            .set("VIBs", parts(|part| part.id.as_str().into()))?
            .set("VIBChanges", parts(|part| change_number(part.change).into()))?
            .set("VIBsOnHost", parts(|part| part.on_host.join(", ").into()))?;
        Ok(shown)
    }

    /// A VIB of a bulletin.
    pub(super) fn vib(&self, class: &Arc<Class>, part: &PatchPart) -> Made {
        let mut vib = Instance::new(class.clone());
        vib.set("InstanceID", self.id(Kind::Vib, &part.id))?
            .set("ElementName", if part.name.is_empty() { part.id.as_str() } else { part.name.as_str() })?
            .set("Caption", caption(&part.id))?
            .set("Description", text(&part.summary))?
            .set("VersionString", text(&part.version))?
            .set("Manufacturer", text(&part.vendor))?
            .set("ExtendedResourceType", VIB_RESOURCE)?
            .set("TargetOSTypes", Value::array([self.operating_system()]))?
            .set("IsEntity", true)?;
        Ok(vib)
    }

    /// An assessment in short.
    pub(super) fn assessment(&self, class: &Arc<Class>, summary: &PatchSummary) -> Made {
        let (host, metadata) = (&summary.host, &summary.metadata);
        let [missing, reboot_pending, installed, superseded, not_applicable] = summary.counts.by_state;
        let [critical, important, moderate, low, other] = summary.counts.missing_by_severity;
        let of_metadata = |of: &dyn Fn(&MetadataSource) -> Value| match metadata.as_slice() {
            [] => Value::Null,
            all => Value::Array(all.iter().map(of).collect()),
        };
        let mut shown = Instance::new(class.clone());
        shown
            .set("InstanceID", self.id(Kind::Assessment, &summary.job.to_string()))?
            .set("ElementName", format!("Patch assessment of {}", self.name()))?
            .set("Caption", "Patch assessment")?
            .set("Description", format!("{missing} bulletins are missing, {critical} of them critical."))?
            .set("SystemName", self.name().clone())?
            .set("AssessmentTime", DateTime::utc(summary.at))?
            .set("Operation", summary.operation.as_str())?
            .set("JobID", self.job_id(summary.job))?
            .set("Product", text(&host.product))?
            .set("ProductVersion", text(&host.version))?
            .set("Build", host.build)?
            .set("ImageProfile", host.profile.as_deref())?
            .set("AcceptanceLevel", host.acceptance_level.as_deref())?
            .set("MaintenanceMode", host.maintenance_mode)?
            .set("RebootPending", host.reboot_pending)?
            .set("MissingCount", missing)?
            .set("RebootPendingCount", reboot_pending)?
            .set("InstalledCount", installed)?
            .set("SupersededCount", superseded)?
            .set("NotApplicableCount", not_applicable)?
            .set("MissingCriticalCount", critical)?
            .set("MissingImportantCount", important)?
            .set("MissingModerateCount", moderate)?
            .set("MissingLowCount", low)?
            .set("MissingOtherCount", other)?
            .set("MissingBulletins", texts(&summary.missing))?
            .set("RebootPendingBulletins", texts(&summary.reboot_pending))?
            .set("InstalledBulletins", texts(&summary.installed))?
            .set("MetadataURIs", of_metadata(&|source| source.uri.as_str().into()))?
            .set("MetadataDigests", of_metadata(&|source| source.sha256.as_str().into()))?
            .set("MetadataTimes", of_metadata(&|source| DateTime::utc(source.checked_at).into()))?;
        Ok(shown)
    }
}

fn title(status: &PatchStatus) -> &str {
    if status.summary.is_empty() { &status.id } else { &status.summary }
}

fn caption(text: &str) -> String {
    text.chars().take(LONGEST_CAPTION).collect()
}

/// NULL for what is not told.
fn text(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn texts(all: &[String]) -> Value {
    if all.is_empty() { Value::Null } else { Value::array(all.iter().map(String::as_str)) }
}

fn numbers(all: impl Iterator<Item = u16>) -> Value {
    let all: Vec<u16> = all.collect();
    if all.is_empty() { Value::Null } else { Value::array(all) }
}

fn state_number(state: PatchState) -> u16 {
    match state {
        PatchState::Missing => 2,
        PatchState::RebootPending => 3,
        PatchState::Installed => 4,
        PatchState::Superseded => 5,
        PatchState::NotApplicable => 6,
    }
}

fn reason_number(reason: PatchReason) -> u16 {
    match reason {
        PatchReason::Obsoleted => 2,
        PatchReason::MissingPatch => 3,
        PatchReason::MissingLib => 4,
        PatchReason::HasDependentPatch => 5,
        PatchReason::ConflictPatch => 6,
        PatchReason::ConflictLib => 7,
        PatchReason::Platform => 8,
        PatchReason::Hardware => 9,
        PatchReason::AcceptanceLevel => 10,
        PatchReason::NoContent => 11,
        PatchReason::MetadataIncomplete => 12,
        PatchReason::NotInstalled => 13,
    }
}

fn install_state_number(state: InstallState) -> u16 {
    match state {
        InstallState::HostRestarted => 2,
        InstallState::ImageActive => 3,
    }
}

fn change_number(change: PartChange) -> u16 {
    match change {
        PartChange::New => 2,
        PartChange::Update => 3,
        PartChange::Installed => 4,
        PartChange::Obsoleted => 5,
        PartChange::NotApplicable => 6,
        PartChange::Unknown => 7,
    }
}
