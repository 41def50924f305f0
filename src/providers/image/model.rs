//! What the providers of an image share: the image, its jobs, and the names of things.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::job_instance::advice;
use super::super::job_parameters::{about_patch, method};
use super::super::managed::{Common, ManagedSystem, Paths, SystemName, Terms};
use super::super::names::strip_prefix_ignoring_case;
use crate::cim::{CimError, Instance, ObjectPath, Schema, Value};
use crate::clock::SharedClock;
use crate::jobs::{ImageRequest, Job, JobFailure, JobRequest, JobState, Jobs};
use crate::software::vib::{Descriptor, ImageHost, ImageManager, ImageSnapshot, Standing, VibId};

pub(super) const IDENTITY: &str = "VMware_ComponentSoftwareIdentity";
pub(super) const IDENTITY_PREFIX: &str = "VMware:VMware_ComponentSoftwareIdentity:";
pub(super) const HYPERVISOR: &str = "VMware_HypervisorSoftwareIdentity";
pub(super) const SERVICE: &str = "VMware_SoftwareInstallationService";
const SERVICE_NAME: &str = "VMware:VMware_SoftwareInstallationService";
pub(super) const CAPABILITIES: &str = "VMware_SoftwareInstallationServiceCapabilities";
pub(super) const CAPABILITIES_ID: &str = "VMware:VMware_SoftwareInstallationServiceCapabilities";
const JOB: &str = "VMware_ConcreteJob";

/// esxupdate's exit code for what it does not expect.
const UNEXPECTED: u16 = 99;

/// What a host with an image calls things: as VMware's providers do.
pub(in super::super) static TERMS: Terms = Terms {
    system_description: "The hypervisor host whose image this service shows and changes.",
    organization: "VMware",
    service: SERVICE,
    service_name: SERVICE_NAME,
    jobs: &[JOB],
    owning_job: "VMware_OwningJobElement",
    method_result: "VMware_MethodResult",
    job_method_result: "VMware_AssociatedJobMethodResult",
    indications: ["VMware_ConcreteJobCreation", "VMware_ConcreteJobModification", "VMware_ConcreteJobDeletion"],
    log_id: "Quartermaster:ImageHistory",
    log_name: "Image History",
    profile_prefix: "Quartermaster:Image:",
};

/// A host with an image, as the providers see it.
#[derive(Debug)]
pub struct ImageModel {
    common: Common,
    image: Arc<dyn ImageManager>,
    is_unreadable: Arc<AtomicBool>,
}

impl ImageModel {
    /// The system whose image this is and whose changes `jobs` makes.
    pub fn new(
        schema: Arc<Schema>,
        image: Arc<dyn ImageManager>,
        jobs: Arc<Jobs>,
        clock: SharedClock,
        name: SystemName,
    ) -> Self {
        Self { common: Common { terms: &TERMS, schema, jobs, clock, name }, image, is_unreadable: Arc::default() }
    }

    /// The same with what whoever watches the image says: whether it could not be read when it was looked at last, and what is
    /// shown is from before.
    pub fn told_by(self, is_unreadable: Arc<AtomicBool>) -> Self {
        Self { is_unreadable, ..self }
    }

    /// The image as it is now.
    pub(super) fn snapshot(&self) -> Arc<ImageSnapshot> {
        self.image.snapshot()
    }

    pub(super) fn identity_path(&self, id: &VibId) -> Arc<ObjectPath> {
        self.path_by_id(IDENTITY, identity_id(id).into())
    }

    pub(super) fn hypervisor_path(&self, host: &ImageHost) -> Arc<ObjectPath> {
        self.path_by_id(HYPERVISOR, hypervisor_id(host).into())
    }

    pub(super) fn capabilities_path(&self) -> Arc<ObjectPath> {
        self.path_by_id(CAPABILITIES, CAPABILITIES_ID.into())
    }
}

/// The InstanceID of a VIB's identity.
pub(super) fn identity_id(id: &VibId) -> String {
    format!("{IDENTITY_PREFIX}{id}")
}

/// The InstanceID of the hypervisor in the version that runs.
pub(super) fn hypervisor_id(host: &ImageHost) -> String {
    let build = host.build.map(|build| format!(".{build}")).unwrap_or_default();
    format!("VMware:{HYPERVISOR}:{}{build}", host.version)
}

/// The VIB that an identity's path names, and how it stands.
pub(super) fn named(snapshot: &ImageSnapshot, path: &ObjectPath) -> Option<(Arc<Descriptor>, Standing)> {
    snapshot.find(strip_prefix_ignoring_case(path.key_str("InstanceID")?, IDENTITY_PREFIX)?)
}

/// What a request is about, for people.
fn about(request: &JobRequest) -> String {
    match request {
        JobRequest::Image(ImageRequest::Update { uri, .. }) => format!("Update of the image from uri: {uri:?}"),
        JobRequest::Patch(operation) => about_patch(operation),
        // No other request is in the queue of an image.
        other => method(other).to_owned(),
    }
}

impl ManagedSystem for ImageModel {
    fn common(&self) -> &Common {
        &self.common
    }

    fn job_class(&self, _: &JobRequest) -> &'static str {
        JOB
    }

    fn describe_job(&self, job: &Job, instance: &mut Instance) -> Result<(), CimError> {
        // 5 OK, 20 Major failure
        let health = if job.state == JobState::Failed { 20u16 } else { 5 };
        instance
            .set("Caption", format!("Image update job with id={}", job.id))?
            .set("Description", format!("{} (job {}).", about(&job.request), job.id))?
            .set("HealthState", health)?;
        Ok(())
    }

    fn describe_system(&self, instance: &mut Instance) -> Result<(), CimError> {
        let snapshot = self.snapshot();
        let mut words = Vec::new();
        if snapshot.host.maintenance_mode {
            words.push("The host is in maintenance mode.");
        }
        if snapshot.pending.is_some() {
            words.push("The system needs to be rebooted for the changes of its image to be effective.");
        }
        let is_unreadable = self.is_unreadable.load(Ordering::Relaxed);
        if is_unreadable {
            words.push("The image cannot be read; the operator's log says why. What is shown of it is from before.");
            // 20 Major failure
            instance.set("HealthState", 20u16)?;
        }
        // 6 Error, 11 In Service, 2 OK
        let status = if is_unreadable {
            6u16
        } else if snapshot.host.maintenance_mode {
            11
        } else {
            2
        };
        instance.set("OperationalStatus", Value::array([status]))?;
        if !words.is_empty() {
            instance.set("StatusDescriptions", Value::array([words.join(" ")]))?;
        }
        Ok(())
    }

    /// esxupdate's numbers, so that none means two things.
    fn error_code(&self, cause: JobFailure) -> u16 {
        match cause {
            JobFailure::Image(class) => class.code(),
            _ => UNEXPECTED,
        }
    }

    fn advice(&self, cause: JobFailure) -> &'static str {
        match cause {
            JobFailure::WorkerDied => {
                "Look at the VIBs of the image, and submit the job again if they are not those that you want."
            }
            other => advice(other),
        }
    }

    fn parameters(&self, request: &JobRequest, ending: &str) -> Result<Option<Instance>, CimError> {
        let JobRequest::Image(ImageRequest::Update { uri, given, .. }) = request else { return Ok(None) };
        let options = given.as_ref().map_or(Value::Null, |given| Value::array(given.iter().copied()));
        let mut parameters = Instance::new(self.class(&format!("__MethodParameters_InstallFromURI{ending}"))?);
        parameters.set("URI", uri.as_str())?.set("Target", self.system_path())?.set("InstallOptions", options)?;
        Ok(Some(parameters))
    }

    fn software(self: Arc<Self>) -> Paths {
        let snapshot = self.snapshot();
        let hypervisor = self.hypervisor_path(&snapshot.host);
        let vibs: Vec<_> = snapshot.standing().map(|(_, standing)| self.identity_path(&standing.id)).collect();
        Box::new(std::iter::once(hypervisor).chain(vibs).map(Ok))
    }

    fn is_software_ready(&self) -> bool {
        true
    }

    fn software_named(&self, path: &ObjectPath) -> Result<Option<Arc<ObjectPath>>, CimError> {
        let snapshot = self.snapshot();
        let hypervisor = self.hypervisor_path(&snapshot.host);
        if path.same_keys(&hypervisor) {
            return Ok(Some(hypervisor));
        }
        Ok(named(&snapshot, path).map(|(_, standing)| self.identity_path(&standing.id)))
    }
}
