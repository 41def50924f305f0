//! Software Update (DSP1025) of a host with an image, as VMware's provider has it: InstallFromURI of offline bundles, and
//! nothing else.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::install_options;
use super::super::installation::{does_not_fit, refused, submit, uri};
use super::super::links::{FixedLink, Links};
use super::super::managed::ManagedSystem;
use super::model::{CAPABILITIES, CAPABILITIES_ID, ImageModel, SERVICE};
use crate::access::{self, Caller};
use crate::broker::{Arguments, Instances, Invocation, MethodReply, Provider};
use crate::cim::{CimError, CimStatus, Class, Instance, ObjectPath, Value};
use crate::client::Place;
use crate::jobs::{ImageRequest, JobRequest};
use crate::software::vib::ImageOperation;

/// InstallOptions that need a value: Password and ScheduleInstallAt.
const NEED_VALUE: [u64; 2] = [8, 13];
/// InstallOptions that must have none: Defer target/system reset, Force installation, Install, Update, Repair, Reboot.
const FORBID_VALUE: [u64; 6] = [2, 3, 4, 5, 6, 7];

/// Serves the installation service and its capabilities.
#[derive(Debug)]
pub(super) struct Services(Arc<ImageModel>);

impl Services {
    pub(super) fn new(model: Arc<ImageModel>) -> Self {
        Self(model)
    }

    fn path(&self, class: &Class) -> Arc<ObjectPath> {
        if class.is_a(SERVICE) { self.0.service_path() } else { self.0.capabilities_path() }
    }

    fn instance(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        if class.is_a(SERVICE) { self.service(class) } else { self.capabilities(class) }
    }

    fn service(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        let system = self.0.name();
        let mut service = Instance::new(class.clone());
        service
            .set("CreationClassName", SERVICE)?
            .set("Name", self.0.terms().service_name)?
            .set("SystemCreationClassName", system.class.clone())?
            .set("SystemName", system.name.clone())?
            .set("ElementName", "Software Installation Service")?
            .set("Caption", "Software installation service for this host.")?
            .set("Description", "Installs offline bundles of VIBs into the image of this host.")?
            // 5 Not Applicable, 12 Not Applicable
            .set("EnabledDefault", 5u16)?
            .set("EnabledState", 5u16)?
            .set("RequestedState", 12u16)?
            .set("TransitioningToState", 12u16)?
            // 5 OK, 2 OK
            .set("HealthState", 5u16)?
            .set("OperationalStatus", Value::array([2u16]))?
            .set("Started", true)?;
        Ok(service)
    }

    fn capabilities(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        let host = &self.0.snapshot().host;
        let mut capabilities = Instance::new(class.clone());
        capabilities
            .set("InstanceID", CAPABILITIES_ID)?
            .set("ElementName", "Software Installation Service Capabilities")?
            .set("Caption", "Capabilities of the software installation service")?
            .set("Description", "Offline bundles that lie on this host, as ZIP files or folders, can be installed.")?
            .set("CanAddToCollection", false)?
            // 5 Install from URI, 2 None supported
            .set("SupportedAsynchronousActions", Value::array([5u16]))?
            .set("SupportedSynchronousActions", Value::array([2u16]))?
            // 9 VMware vSphere Installation Bundle, 10 VMware Software Bulletin
            .set("SupportedExtendedResourceTypes", Value::array([9u16, 10]))?
            .set("SupportedInstallOptions", Value::array(Vec::<u16>::new()))?
            .set("SupportedTargetTypes", Value::array([&*host.product_line]))?
            // 3 file
            .set("SupportedURISchemes", Value::array([3u16]))?;
        Ok(capabilities)
    }

    /// What is behind the URI is judged in the job, all but whether a bundle can be read there.
    fn install_from_uri(&self, caller: &Caller, arguments: &Arguments) -> Result<MethodReply, CimError> {
        let (uri, bundle) = match self.asked(arguments) {
            Ok(asked) => asked,
            Err(why) => return Ok(does_not_fit("InstallFromURI", caller, why)),
        };
        access::audit(caller, &format_args!("asks to update the image from {uri:?}"));
        if let Err(error) = self.0.jobs().check_bundle(&bundle, caller) {
            return refused(error);
        }
        let operation = ImageOperation::Install { bundles: vec![bundle], bulletins: None };
        let request = ImageRequest::Update { uri, operation, given: given(arguments) };
        submit(&*self.0, caller, JobRequest::Image(request))
    }

    fn asked(&self, arguments: &Arguments) -> Result<(String, PathBuf), &'static str> {
        if !arguments.get("Target").as_reference().is_some_and(|path| self.0.is_system(path)) {
            return Err("Target is not this host");
        }
        check_options(arguments)?;
        let text = uri(arguments)?;
        match Place::of(text) {
            // A folder's URI may end with slashes, its path in messages does not.
            Some(Place::Local(file)) => Ok((text.to_owned(), file.components().collect())),
            Some(Place::Remote(_)) => {
                Err("URI has a scheme that is not in the capabilities; an online depot must be made a bundle first")
            }
            None => Err("URI is malformed, of another scheme, or of no file of this host"),
        }
    }
}

/// Options are ignored (VMware's provider does so), but they and their values must fit together (DSP1025 8.5).
fn check_options(arguments: &Arguments) -> Result<(), &'static str> {
    for (option, value) in install_options::pairs(arguments)? {
        let Some(option) = option else { continue };
        if NEED_VALUE.contains(&option) && value.is_none() {
            return Err("an option of InstallOptions lacks its value");
        }
        if FORBID_VALUE.contains(&option) && value.is_some() {
            return Err("an option of InstallOptions has a value and takes none");
        }
    }
    Ok(())
}

/// The options as they were given; `None` if none were.
fn given(arguments: &Arguments) -> Option<Vec<u16>> {
    let options = arguments.get("InstallOptions").as_array()?;
    let numbers = options.iter().filter_map(|option| u16::try_from(option.as_u64()?).ok());
    Some(numbers.collect()).filter(|given: &Vec<u16>| !given.is_empty())
}

impl Provider for Services {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![SERVICE.into(), CAPABILITIES.into()]
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        if path.same_keys(&self.path(class)) {
            return self.instance(class);
        }
        let class = class.name();
        Err(CimError::not_found(format!("No {class} has these keys; enumerate the class to see the one there is.")))
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        Ok(Box::new(std::iter::once(self.instance(class))))
    }

    fn estimate(&self, _: &Class) -> Option<u64> {
        Some(1)
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        match &*invocation.method.name {
            "InstallFromURI" => self.install_from_uri(invocation.caller, &invocation.arguments),
            // 1 Not Supported: VIBs cannot be installed by their identities, since the service affects none of them.
            "CheckSoftwareIdentity"
            | "InstallFromSoftwareIdentity"
            | "InstallFromByteStream"
            | "RequestStateChange"
            | "StartService"
            | "StopService" => Ok(MethodReply::code(1)),
            name => Err(CimError::new(
                CimStatus::MethodNotAvailable,
                format!("Method {name} is not served; {CAPABILITIES} tells what is."),
            )),
        }
    }
}

/// What joins service, capabilities and system.
pub(super) fn links(model: &Arc<ImageModel>) -> Vec<Arc<dyn Provider>> {
    vec![
        Links::provider(FixedLink {
            class: "VMware_HostedInstallationService",
            ends: ["Dependent", "Antecedent"],
            pair: [model.service_path(), model.system_path()],
            properties: Vec::new(),
        }),
        Links::provider(FixedLink {
            class: "VMware_ElementSoftwareInstallationCapabilities",
            ends: ["Capabilities", "ManagedElement"],
            pair: [model.capabilities_path(), model.service_path()],
            // 2 Default, 3 Current
            properties: vec![("Characteristics", Value::array([2u16, 3]))],
        }),
    ]
}
