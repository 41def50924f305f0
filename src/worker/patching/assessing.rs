//! The image compared with metadata.

use std::fs::File;

use chrono::{DateTime, Utc};

use super::super::depot::Kept;
use super::super::images::Images;
use crate::software::patch::{PatchAssessment, PatchHost, PatchPart, PatchStatus};
use crate::software::vib::{self, BulletinStatus, BulletinVib, Catalogue, HostFacts, ImageError, Metadata, scan};
use crate::software::{ApplyError, CancelToken};

/// What the image lacks of what the metadata has.
pub(super) fn assess(
    images: &Images,
    kept: &[Kept],
    at: DateTime<Utc>,
    cancel: &CancelToken,
) -> Result<PatchAssessment, ApplyError> {
    let metadata = kept.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(ApplyError::Image)?;
    let catalogue = catalogue(&metadata).map_err(ApplyError::Image)?;
    images.manager.refresh().map_err(ApplyError::Image)?;
    let snapshot = images.manager.snapshot();
    let level = snapshot.next().profile.acceptance_level;
    let found = scan(&snapshot, &catalogue, level, at, cancel)?;
    let mut bulletins: Vec<PatchStatus> = found.bulletins.iter().map(|status| bulletin(status, &catalogue)).collect();
    bulletins.sort_by(|a, b| a.id.cmp(&b.id));
    bulletins.dedup_by(|later, earlier| later.id == earlier.id);
    let metadata = kept.iter().map(|kept| kept.source.clone()).collect();
    let host = PatchHost { image: Some(images.manager.folder().display().to_string()), ..host(&found.host) };
    Ok(PatchAssessment { at, host, metadata, bulletins })
}

/// A metadata package of the depot; what is wrong with it is told with where it came from.
pub(super) fn read(kept: &Kept) -> Result<Metadata, ImageError> {
    let file = File::open(&kept.path).map_err(|error| {
        let class = vib::ImageErrorClass::FileIOError;
        ImageError::new(class, format!("The metadata cannot be read: {}. Scan the host again.", error.kind()))
    });
    file.and_then(Metadata::read).map_err(|error| match error.url {
        Some(_) => error,
        None => error.at(&kept.source.uri),
    })
}

/// All metadata packages as one.
pub(super) fn catalogue(metadata: &[Metadata]) -> Result<Catalogue<'_>, ImageError> {
    let mut catalogue = Catalogue::default();
    for package in metadata {
        catalogue.add_metadata(package)?;
    }
    Ok(catalogue)
}

fn host(facts: &HostFacts) -> PatchHost {
    PatchHost {
        product: facts.product_line.to_string(),
        version: facts.version.to_string(),
        build: facts.build,
        image: None,
        profile: Some(facts.image_profile.to_string()),
        acceptance_level: Some(facts.acceptance_level.name().to_owned()),
        maintenance_mode: Some(facts.maintenance_mode),
        reboot_pending: facts.reboot_pending,
    }
}

fn bulletin(status: &BulletinStatus, catalogue: &Catalogue<'_>) -> PatchStatus {
    let texts = |all: &[Box<str>]| all.iter().map(ToString::to_string).collect();
    PatchStatus {
        id: status.id.to_string(),
        vendor: status.vendor.to_string(),
        summary: status.summary.to_string(),
        description: status.description.to_string(),
        severity: status.severity.to_lowercase(),
        component: status.component.clone(),
        category: status.category.to_lowercase(),
        release_type: status.release_type.to_lowercase(),
        release_date: status.release_date,
        kb_url: status.kb_url.to_string(),
        cves: Vec::new(),
        state: status.state,
        applicable: status.applicable,
        reasons: status.reasons.clone(),
        installed: status.installed,
        install_states: status.install_states.clone(),
        missing_requirements: texts(&status.missing_requirements),
        conflicts_with: status.conflicts_with.iter().map(ToString::to_string).collect(),
        superseded_by: texts(&status.superseded_by),
        prerequisites: status.prerequisites.iter().map(|other| other.id.to_string()).collect(),
        needs_reboot: Some(status.restart_required),
        needs_maintenance_mode: status.maintenance_mode_required,
        parts: status.vibs.iter().map(|vib| part(vib, catalogue)).collect(),
    }
}

fn part(vib: &BulletinVib, catalogue: &Catalogue<'_>) -> PatchPart {
    let descriptor = catalogue.vib(&vib.id);
    let told = |of: fn(&vib::Descriptor) -> String| descriptor.map(|descriptor| of(descriptor)).unwrap_or_default();
    PatchPart {
        id: vib.id.to_string(),
        name: told(|descriptor| descriptor.name.to_string()),
        version: told(|descriptor| descriptor.version.to_string()),
        vendor: told(|descriptor| descriptor.vendor.to_string()),
        summary: told(|descriptor| descriptor.summary.to_string()),
        change: vib.change,
        on_host: vib.on_host.iter().map(ToString::to_string).collect(),
    }
}
