//! What things are called: the classes that several files speak of, and the keys of their instances.

use crate::jobs::{JobId, JobRequest, PackageRequest};
use crate::software::Nevra;

pub(super) const IDENTITY: &str = "LMI_SoftwareIdentity";
pub(super) const INSTALLED: &str = "LMI_InstalledSoftwareIdentity";
pub(super) const COLLECTION: &str = "LMI_SystemSoftwareCollection";
pub(super) const SERVICE: &str = "LMI_SoftwareInstallationService";
pub(super) const CAPABILITIES: &str = "LMI_SoftwareInstallationServiceCapabilities";
pub(super) const RESOURCE: &str = "LMI_SoftwareIdentityResource";
pub(super) const FILE_CHECK: &str = "LMI_SoftwareIdentityFileCheck";
pub(super) const INSTALLATION_JOB: &str = "LMI_SoftwareInstallationJob";
pub(super) const VERIFICATION_JOB: &str = "LMI_SoftwareVerificationJob";

pub(super) const IDENTITY_PREFIX: &str = "LMI:LMI_SoftwareIdentity:";
pub(super) const COLLECTION_ID: &str = "LMI:LMI_SystemSoftwareCollection";
pub(super) const SERVICE_NAME: &str = "LMI:LMI_SoftwareInstallationService";
pub(super) const CAPABILITIES_ID: &str = "LMI:LMI_SoftwareInstallationServiceCapabilities";

/// CheckID of a file as it is now; that of one that a verification found is the InstanceID of the job.
pub(super) const AD_HOC: &str = "LMI:LMI_SoftwareIdentityFileCheck";
/// SoftwareElementState of a file: Executable.
pub(super) const EXECUTABLE: u16 = 2;

/// Nearly every InstanceID of an identity fits in.
const LIKELY_LENGTH: usize = 96;

/// The InstanceID of a software identity.
pub(super) fn identity_id(nevra: &Nevra) -> String {
    let mut id = String::with_capacity(LIKELY_LENGTH);
    id.push_str(IDENTITY_PREFIX);
    nevra.push_to(&mut id);
    id
}

/// The class that a job for this request is shown as.
pub(super) fn job_class(request: &JobRequest) -> &'static str {
    match request {
        JobRequest::Packages(PackageRequest::Verify { .. }) => VERIFICATION_JOB,
        _ => INSTALLATION_JOB,
    }
}

/// The number of the job that an InstanceID may name; its class is for the caller to compare.
pub(super) fn parse_job_id(text: &str) -> Option<JobId> {
    text.rsplit_once(':')?.1.parse().ok().map(JobId)
}

/// What follows a prefix in whatever case.
pub(super) fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..))?
}
