//! The managed systems, and the services that change them.

use super::ask::Objects;
use super::failure::Failure;
use super::reading::Reading;
use crate::broker::{IMPLEMENTATION_NAMESPACE, MethodReply};
use crate::cim::{CimStatus, Instance, Method, Value, ValueMapEntry};

/// The class of systems whose software is an image.
const IMAGE_SYSTEM: &str = "OMC_UnitaryComputerSystem";
const INSTALLATION_SERVICE: &str = "CIM_SoftwareInstallationService";
const PATCH_SERVICE: &str = "QM_HostPatchService";
/// The return value of methods that began a job.
const JOB_STARTED: u64 = 4096;

/// A managed system.
#[derive(Debug)]
pub(super) struct System {
    pub(super) instance: Instance,
    pub(super) name: String,
    /// Whether it is a hypervisor host with an image, and not a host with packages.
    pub(super) is_image: bool,
}

impl System {
    /// All that there are: the host, the image's, or both.
    pub(super) fn all(objects: &Objects) -> Result<Vec<Self>, Failure> {
        let systems = objects.all(IMPLEMENTATION_NAMESPACE, "CIM_ComputerSystem")?;
        Ok(systems.into_iter().map(Self::of).collect())
    }

    /// The one with packages, or the one with an image.
    pub(super) fn one(objects: &Objects, is_image: bool) -> Result<Self, Failure> {
        let found = Self::all(objects)?.into_iter().find(|system| system.is_image == is_image);
        found.ok_or_else(|| Failure::not_found("This service has no such system."))
    }

    fn of(instance: Instance) -> Self {
        Self { name: instance.text("Name"), is_image: instance.class().is_a(IMAGE_SYSTEM), instance }
    }

    /// What it is called where several stand beside each other.
    pub(super) fn kind(&self) -> &'static str {
        if self.is_image { "Image" } else { "Packages" }
    }

    /// What it is called in addresses and forms.
    pub(super) fn key(&self) -> &'static str {
        if self.is_image { "image" } else { "packages" }
    }

    /// A reference to it.
    pub(super) fn reference(&self, objects: &Objects) -> Value {
        objects.path_of(&self.instance).into()
    }

    /// The service that installs software on it.
    pub(super) fn installation(&self, objects: &Objects) -> Result<Instance, Failure> {
        self.service(objects, INSTALLATION_SERVICE)?.ok_or_else(|| Failure::not_found("Nothing can be installed here."))
    }

    /// The service that tells what it lacks; Debian's hosts have none.
    pub(super) fn patches(&self, objects: &Objects) -> Result<Option<Instance>, Failure> {
        self.service(objects, PATCH_SERVICE)
    }

    fn service(&self, objects: &Objects, class: &str) -> Result<Option<Instance>, Failure> {
        let services = objects.all(IMPLEMENTATION_NAMESPACE, class)?;
        let own = |service: &Instance| {
            service.text("SystemName") == self.name
                && service.text("SystemCreationClassName") == **self.instance.class().name()
        };
        Ok(services.into_iter().find(own))
    }
}

/// The address of the page of the job that a method began; or why it began none.
pub(super) fn begun(service: &Instance, method: &str, reply: &MethodReply) -> Result<String, Failure> {
    let job = reply.output("Job").and_then(Value::as_reference);
    match job.and_then(|job| job.key_str("InstanceID")) {
        Some(id) if reply.return_value.as_u64() == Some(JOB_STARTED) => Ok(super::address("/job", &[("id", id)])),
        _ => Err(Failure::invalid(format!("No job was begun: {}.", answer(service, method, reply)))),
    }
}

/// What a method returned: in its own words where it has some, else in those of the schema.
pub(super) fn answer(service: &Instance, method: &str, reply: &MethodReply) -> String {
    let word = service.class().method(method).and_then(|method| word(method, &reply.return_value));
    let code = reply.return_value.as_integer().unwrap_or(CimStatus::Failed as i128);
    match word {
        _ if reply.why.is_some() => reply.why.as_deref().unwrap_or_default().trim_end_matches('.').to_owned(),
        Some(word) => format!("{} ({code})", word.to_lowercase()),
        None => format!("the service returned {code}"),
    }
}

fn word<'a>(method: &'a Method, value: &Value) -> Option<&'a str> {
    let map = method.qualifiers.value_map(value.scalar_type()?)?;
    let place = map.iter().position(|entry: &ValueMapEntry<'_>| entry.holds(value))?;
    method.qualifiers.get("Values")?.as_array()?.get(place)?.as_str()
}
