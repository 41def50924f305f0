//! One system as its patch providers see it.

use std::fmt::Debug;
use std::sync::Arc;

use super::super::image::ImageModel;
use super::super::managed::ManagedSystem;
use super::super::model::Model;
use crate::cim::ObjectPath;
use crate::jobs::{Assessed, Jobs};
use crate::software::Family;
use crate::software::patch::PatchPart;

/// TargetOSTypes: VMware ESXi.
const ESXI: u16 = 104;

/// One system as its patch providers see it.
#[derive(Debug)]
pub(in crate::providers) struct PatchSystem {
    pub(super) system: Arc<dyn ManagedSystem>,
    kind: Kind,
}

/// What differs between the kinds of systems.
#[derive(Debug)]
enum Kind {
    /// A host whose repositories have advisories.
    Host(Arc<Model>),
    /// An image, which is scanned with metadata that is named and has what is found installed.
    Image,
}

/// The patch side of a host with packages; `None` where repositories have no advisories.
pub(in crate::providers) fn of_host(model: &Arc<Model>) -> Option<Arc<PatchSystem>> {
    let has_advisories = model.manager.family() == Family::Rpm;
    has_advisories.then(|| Arc::new(PatchSystem { system: model.clone(), kind: Kind::Host(model.clone()) }))
}

/// The patch side of an image.
pub(in crate::providers) fn of_image(model: &Arc<ImageModel>) -> Arc<PatchSystem> {
    Arc::new(PatchSystem { system: model.clone(), kind: Kind::Image })
}

impl PatchSystem {
    /// The name of the system.
    pub(super) fn name(&self) -> &Arc<str> {
        &self.system.name().name
    }

    pub(super) fn jobs(&self) -> &Arc<Jobs> {
        self.system.jobs()
    }

    /// The last assessment. Answers from memory.
    pub(super) fn assessed(&self) -> Option<Arc<Assessed>> {
        self.jobs().assessment()
    }

    /// Whether it is an image; otherwise its repositories have the metadata.
    pub(super) fn is_image(&self) -> bool {
        matches!(self.kind, Kind::Image)
    }

    /// The software identity that stands for a part of a bulletin; `None` if it is shown as a `QM_BulletinVIB`, since VIBs
    /// that are not installed have no identity of the image.
    pub(super) fn part_path(&self, part: &PatchPart) -> Option<Arc<ObjectPath>> {
        match &self.kind {
            Kind::Host(model) => part.id.parse().ok().map(|nevra| model.identity_path(&nevra)),
            Kind::Image => None,
        }
    }

    /// TargetOSTypes of its software.
    pub(super) fn operating_system(&self) -> u16 {
        match &self.kind {
            Kind::Host(model) => model.operating_system(),
            Kind::Image => ESXI,
        }
    }
}
