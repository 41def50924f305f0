//! What the objects of the patch side are called.

use std::sync::Arc;

use super::super::names::strip_prefix_ignoring_case;
use super::system::PatchSystem;
use crate::cim::ObjectPath;
use crate::jobs::JobRequest;
use crate::software::patch::PatchOperation;

pub(super) const SERVICE: &str = "QM_HostPatchService";
pub(super) const SERVICE_NAME: &str = "Quartermaster:HostPatchService";
pub(super) const BULLETIN: &str = "QM_Bulletin";
pub(super) const STATUS: &str = "QM_BulletinStatus";
pub(super) const VIB: &str = "QM_BulletinVIB";
pub(super) const ASSESSMENT: &str = "QM_PatchAssessment";

/// A kind of object that an InstanceID names: `Quartermaster:<kind>:<system>:<own id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bulletin,
    Status,
    Vib,
    Assessment,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Bulletin, Self::Status, Self::Vib, Self::Assessment];

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Bulletin => BULLETIN,
            Self::Status => STATUS,
            Self::Vib => VIB,
            Self::Assessment => ASSESSMENT,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Bulletin => "Bulletin",
            Self::Status => "BulletinStatus",
            Self::Vib => "BulletinVIB",
            Self::Assessment => "PatchAssessment",
        }
    }
}

impl PatchSystem {
    fn prefix(&self, kind: Kind) -> String {
        format!("Quartermaster:{}:{}:", kind.word(), self.name())
    }

    pub(super) fn id(&self, kind: Kind, own: &str) -> String {
        self.prefix(kind) + own
    }

    /// The own id of the object of this kind that a path names.
    pub(super) fn own_id<'p>(&self, kind: Kind, path: &'p ObjectPath) -> Option<&'p str> {
        strip_prefix_ignoring_case(path.key_str("InstanceID")?, &self.prefix(kind))
    }

    pub(super) fn path(&self, kind: Kind, own: &str) -> Arc<ObjectPath> {
        self.system.path_by_id(kind.class(), self.id(kind, own).into())
    }

    /// The InstanceID of one of its jobs, which may be gone.
    pub(super) fn job_id(&self, number: u64) -> String {
        let request = JobRequest::Patch(PatchOperation::Assess { metadata: Vec::new() });
        format!("{}:{}:{number}", self.system.terms().organization, self.system.job_class(&request))
    }

    pub(super) fn service_path(&self) -> Arc<ObjectPath> {
        self.system.part_path(SERVICE, SERVICE_NAME.into())
    }
}
