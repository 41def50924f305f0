//! Patches: what a vendor published for a host, and how much of it the host has.
//!
//! A bulletin of VMware and an advisory of a dnf repository are told in the same words here, which are those of vSphere's
//! HostPatchManager.

mod advisories;
mod assessment;
mod index;
mod operation;

pub use advisories::assess_advisories;
pub use assessment::{MetadataSource, PatchAssessment, PatchCounts, PatchHost, PatchPart, PatchStatus, PatchSummary};
pub use index::PatchIndex;
pub use operation::{AssessmentFile, PatchOperation};

pub use super::patch_state::{InstallState, PartChange, PatchReason, PatchState};
