//! Software Update (DSP1025): the installation service and what it says it can do.

use std::sync::Arc;

use super::install_options::SUPPORTED;
use super::links::{FixedLink, Links};
use super::managed::ManagedSystem;
use super::model::Model;
use super::names::{CAPABILITIES, CAPABILITIES_ID, SERVICE, SERVICE_NAME};
use super::single::Single;
use super::{find, installation, planning, updates};
use crate::broker::{Action, Invocation, MethodReply, Provider};
use crate::cim::{CimError, CimStatus, Class, Instance, Method, ObjectPath, Value};
use crate::software::{Abilities, Family};

/// Serves the installation service and its capabilities.
#[derive(Debug)]
pub(super) struct Services {
    model: Arc<Model>,
}

impl Services {
    pub(super) fn new(model: Arc<Model>) -> Self {
        Self { model }
    }

    fn service(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        let mut service = Instance::new(class.clone());
        service
            .set("CreationClassName", SERVICE)?
            .set("Name", SERVICE_NAME)?
            .set("InstanceID", SERVICE_NAME)?
            .set("SystemCreationClassName", self.model.name().class.clone())?
            .set("SystemName", self.model.name().name.clone())?
            .set("ElementName", "Software Installation Service")?
            .set("Caption", "Software installation service for this system.")?
            .set("Description", format!("Software installation service using {}.", self.tools()))?
            .set("CommunicationStatus", 1u16)?
            .set("DetailedStatus", 0u16)?
            .set("EnabledDefault", 5u16)?
            .set("EnabledState", 5u16)?
            .set("HealthState", 5u16)?
            .set("OperatingStatus", 2u16)?
            .set("OperationalStatus", Value::array([2u16]))?
            .set("PrimaryStatus", 1u16)?
            .set("RequestedState", 12u16)?
            .set("Started", true)?
            .set("TransitioningToState", 12u16)?;
        Ok(service)
    }

    fn capabilities(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        let able = self.model.manager.abilities();
        // 3 Install From Software Identity, 4 Install from ByteStream, 5 Install from URI, 10000 Verify Software Identity
        let of_files = [self.model.takes_byte_streams.then_some(4), Some(5)];
        let changes = [Some(3u16)].into_iter().chain(of_files).flatten().filter(|_| able.changes);
        let actions = changes.chain([10000]);
        // 3 file, 5 http, 6 https
        let schemes = [3u16, 5, 6].into_iter().filter(|_| able.changes);
        let mut capabilities = Instance::new(class.clone());
        capabilities
            .set("InstanceID", CAPABILITIES_ID)?
            .set("ElementName", "Software Installation Service Capabilities")?
            .set("Caption", "Capabilities of LMI:LMI_SoftwareInstallationService")?
            .set("Description", self.extent(able))?
            // OpenLMI's clients install by the collection.
            .set("CanAddToCollection", true)?
            .set("SupportedAsynchronousActions", Value::array(actions))?
            // 2 None supported
            .set("SupportedSynchronousActions", Value::array([2u16]))?
            .set("SupportedInstallOptions", Value::array(SUPPORTED.into_iter().filter(|_| able.changes)))?
            .set("SupportedExtendedResourceTypes", Value::array([self.model.resource_type()]))?
            .set("SupportedTargetTypes", Value::array(self.model.target_types()))?
            .set("SupportedURISchemes", Value::array(schemes))?;
        Ok(capabilities)
    }

    /// The tools that the service uses.
    fn tools(&self) -> &'static str {
        match (self.model.manager.family(), self.model.manager.abilities().repositories) {
            (Family::Deb, true) => "dpkg and apt",
            (Family::Deb, false) => "dpkg",
            (Family::Rpm, true) => "rpm and dnf",
            (Family::Rpm, false) => "rpm",
        }
    }

    /// What of the service works on this host.
    fn extent(&self, able: Abilities) -> String {
        let tools = self.tools();
        match (able.changes, able.repositories) {
            (true, true) => format!("What can be installed with {tools}, and how."),
            (true, false) => format!(
                "What can be installed with {tools}, and how: packages from files only. Without dnf and a repository nothing is \
                 installed, updated or repaired by its software identity; it is removed by it."
            ),
            (false, _) => format!("With {tools} alone, without apt-get, packages are verified and nothing is changed."),
        }
    }

    /// Whether a method only works where packages can be changed.
    fn needs_changes(method: &str) -> bool {
        matches!(
            method,
            "CheckSoftwareIdentity"
                | "PlanChanges"
                | "InstallFromURI"
                | "InstallFromSoftwareIdentity"
                | "InstallFromByteStream"
                | "RefreshRepositories"
        )
    }
}

impl Single for Services {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![SERVICE.into(), CAPABILITIES.into()]
    }

    fn path(&self, class: &Class) -> Arc<ObjectPath> {
        if class.is_a(SERVICE) { self.model.service_path() } else { self.model.capabilities_path() }
    }

    fn instance(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        if class.is_a(SERVICE) { self.service(class) } else { self.capabilities(class) }
    }

    fn action_of(&self, method: &Method) -> Action {
        match &*method.name {
            "FindIdentity" | "FindUpdates" => Action::Read,
            "CheckSoftwareIdentity" | "PlanChanges" => Action::Plan,
            _ => Action::Change,
        }
    }

    /// Which tools are there is looked for on the disk.
    fn is_ready(&self) -> bool {
        false
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        let (model, caller, arguments) = (&self.model, invocation.caller, &invocation.arguments);
        match &*invocation.method.name {
            // What the capabilities do not name answers 1 Not Supported (DSP1025 8).
            name if Self::needs_changes(name) && !model.manager.abilities().changes => Ok(MethodReply::code(1)),
            "FindIdentity" => find::find(model, arguments),
            "FindUpdates" => updates::find(model),
            "CheckSoftwareIdentity" => planning::check(model, caller, arguments, invocation.deadline),
            "PlanChanges" => planning::changes(model, caller, arguments, invocation.deadline),
            "InstallFromURI" => installation::from_uri(model, caller, arguments),
            "InstallFromSoftwareIdentity" => installation::from_identity(model, caller, arguments),
            "VerifyInstalledIdentity" => installation::verify(model, caller, arguments),
            "RefreshRepositories" => installation::refresh(model, caller),
            "InstallFromByteStream" if model.takes_byte_streams => {
                installation::from_byte_stream(model, caller, arguments, invocation.upload)
            }
            "InstallFromByteStream" | "RequestStateChange" | "StartService" | "StopService" => Ok(MethodReply::code(1)),
            name => Err(CimError::new(
                CimStatus::MethodNotAvailable,
                format!("Method {name} is not served; LMI_SoftwareInstallationServiceCapabilities tells what is."),
            )),
        }
    }
}

/// What joins service, capabilities and system.
pub(super) fn links(model: &Arc<Model>) -> Vec<Arc<dyn Provider>> {
    vec![
        Links::provider(FixedLink {
            class: "LMI_HostedSoftwareInstallationService",
            ends: ["Dependent", "Antecedent"],
            pair: [model.service_path(), model.system_path()],
            properties: Vec::new(),
        }),
        Links::provider(FixedLink {
            class: "LMI_AssociatedSoftwareInstallationServiceCapabilities",
            ends: ["Capabilities", "ManagedElement"],
            pair: [model.capabilities_path(), model.service_path()],
            // 2 Default, 3 Current
            properties: vec![("Characteristics", Value::array([2u16, 3]))],
        }),
    ]
}
