//! The installation services of a host: one for its packages, one for its image.

use crate::console::{ConsoleError, Enumeration, Resource, Session};
use crate::soap::EndpointReference;
use crate::wire::PlainValue;
use crate::wire::enumeration::Mode;

/// The class of the services (DSP1025).
const SERVICE: &str = "CIM_SoftwareInstallationService";
/// InstallFromURI and its like began a job.
const STARTED: u32 = 4096;

/// What a service installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Managed {
    /// Packages of a host, by name or by file.
    Packages,
    /// An image of VIBs, by offline bundles.
    Image,
}

/// What is to be done with software (the options of DSP1025).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Install it.
    Install,
    /// Update it.
    Update,
    /// Remove it.
    Remove,
}

impl Operation {
    fn option(self) -> &'static str {
        match self {
            Self::Install => "4",
            Self::Update => "5",
            Self::Remove => "9",
        }
    }
}

/// A service and the system whose software it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The service.
    pub resource: Resource,
    /// The system.
    pub system: EndpointReference,
    /// What it installs.
    pub managed: Managed,
}

impl Service {
    /// The name of its system, as its keys have it.
    pub fn system_name(&self) -> &str {
        self.resource.selectors.text("SystemName").unwrap_or_default()
    }
}

impl Session {
    /// The installation services of the host.
    pub async fn services(&self) -> Result<Vec<Service>, ConsoleError> {
        self.services_of(SERVICE).await
    }

    /// The services of a class, each with its system.
    pub(super) async fn services_of(&self, class: &str) -> Result<Vec<Service>, ConsoleError> {
        let wanted = Enumeration { mode: Mode::Endpoints, ..Enumeration::default() };
        let found = self.enumerate(&Resource::known(class), &wanted).await?;
        let references = found.items.into_iter().filter_map(|item| item.reference);
        references.map(|reference| self.service(&reference)).collect()
    }

    /// The service that installs such things; the only one installs all.
    pub async fn service_for(&self, managed: Managed) -> Result<Service, ConsoleError> {
        let mut services = self.services().await?;
        if services.len() > 1 {
            services.retain(|service| service.managed == managed);
        }
        let none = || ConsoleError::Absent("the host has no service that installs software".to_owned());
        services.into_iter().next().ok_or_else(none)
    }

    /// The keys of a service name its system.
    fn service(&self, reference: &EndpointReference) -> Result<Service, ConsoleError> {
        let resource = Resource::of(reference).map_err(|fault| ConsoleError::unreadable(&fault))?;
        let key = |name: &str| resource.selectors.text(name).unwrap_or_default().to_owned();
        let (class, name) = (key("SystemCreationClassName"), key("SystemName"));
        let mut system = Resource::class(&class, None).map_err(|_| {
            ConsoleError::Reply(format!("the host's {} does not tell its system", resource.class_name()))
        })?;
        system.selectors = system.selectors.with("CreationClassName", class.clone()).with("Name", name);
        let is_of = |prefix: &str| [resource.class_name(), &class].iter().any(|name| name.starts_with(prefix));
        let managed = if is_of("VMware_") || is_of("OMC_") { Managed::Image } else { Managed::Packages };
        Ok(Service { system: system.reference(self.address()), resource, managed })
    }

    /// Begins to install from a URI that the host can reach; gives the job.
    pub async fn install_from_uri(&self, service: &Service, uri: &str) -> Result<EndpointReference, ConsoleError> {
        let mut input = vec![("URI".to_owned(), uri.into()), target(service)];
        // VMware's service has no options, and refuses lists of them that do not match.
        if service.managed == Managed::Packages {
            input.push(options(Operation::Install, false));
        }
        self.started(service, "InstallFromURI", input).await
    }

    /// Begins to install what these octets (in base64) are; gives the job.
    pub async fn install_octets(&self, service: &Service, base64: String) -> Result<EndpointReference, ConsoleError> {
        let input =
            vec![("Image".to_owned(), PlainValue::Text(base64)), target(service), options(Operation::Install, false)];
        self.started(service, "InstallFromByteStream", input).await
    }

    /// Begins to do something with one piece of software; gives the job.
    pub async fn change(
        &self,
        service: &Service,
        software: &EndpointReference,
        operation: Operation,
        force: bool,
    ) -> Result<EndpointReference, ConsoleError> {
        let input = vec![("Source".to_owned(), software.clone().into()), target(service), options(operation, force)];
        self.started(service, "InstallFromSoftwareIdentity", input).await
    }

    /// Begins to compare the files of a package with how they were installed; gives the job.
    pub async fn verify(
        &self,
        service: &Service,
        software: &EndpointReference,
    ) -> Result<EndpointReference, ConsoleError> {
        let input = vec![("Source".to_owned(), software.clone().into()), target(service)];
        self.started(service, "VerifyInstalledIdentity", input).await
    }

    /// Begins to fetch what the repositories offer now; gives the job.
    pub async fn refresh(&self, service: &Service) -> Result<EndpointReference, ConsoleError> {
        self.started(service, "RefreshRepositories", Vec::new()).await
    }

    /// Calls a method that begins a job.
    pub(super) async fn started(
        &self,
        service: &Service,
        method: &str,
        input: Vec<(String, PlainValue)>,
    ) -> Result<EndpointReference, ConsoleError> {
        let output = self.invoke(&service.resource, method, input).await?;
        match (output.0.reference("Job"), output.returned()) {
            (Some(job), Some(0 | STARTED)) => Ok(job.clone()),
            _ => Err(ConsoleError::returned(&service.resource, method, &output)),
        }
    }
}

pub(super) fn target(service: &Service) -> (String, PlainValue) {
    ("Target".to_owned(), service.system.clone().into())
}

/// The options in the order that OpenLMI's client has them.
pub(super) fn options(operation: Operation, force: bool) -> (String, PlainValue) {
    const FORCE: &str = "3";
    let option = PlainValue::from(operation.option());
    let options = if force { PlainValue::Array(vec![option, FORCE.into()]) } else { option };
    ("InstallOptions".to_owned(), options)
}
