//! What is installed on a host.

use super::Software;
use crate::console::{ConsoleError, Enumeration, Resource, Session};
use crate::soap::EndpointReference;
use crate::wire::enumeration::Mode;
use crate::wire::{AssociationFilter, Filter, PlainItem, SelectorValue};

/// The links from a system to what is installed on it (DSP1023 7.2.1).
const INSTALLED: &str = "CIM_InstalledSoftwareIdentity";
/// Everything that is software.
const IDENTITY: &str = "CIM_SoftwareIdentity";
/// What is asked for in detail.
const DETAILS: [&str; 9] = [
    "InstanceID",
    "Name",
    "ElementName",
    "VersionString",
    "Version",
    "Architecture",
    "Manufacturer",
    "Caption",
    "InstallDate",
];

/// The VIBs of VMware's images, which are not linked to their host so.
const VIB: &str = "VMware_ComponentSoftwareIdentity";

impl Session {
    /// What is installed, by name. Enumerations of references tell it, where identifiers are of a known kind.
    pub async fn installed(&self) -> Result<Vec<Software>, ConsoleError> {
        let links = match self.links().await {
            Ok(links) => links,
            // Who does not know the links shows what it has as identities alone.
            Err(ConsoleError::Fault(_)) => return self.identities(IDENTITY).await,
            Err(other) => return Err(other),
        };
        // Who has identifiers of another kind is asked for the instances.
        let Some(mut software) = links.software else { return self.of_systems(&links.systems, links.has_image).await };
        if links.has_image {
            self.each_reference(VIB, &mut |vib| software.extend(Software::of_reference(vib))).await?;
        }
        Ok(in_order(software))
    }

    /// The same with all that is told of each.
    pub async fn installed_in_detail(&self) -> Result<Vec<Software>, ConsoleError> {
        match self.links().await {
            Ok(links) => self.of_systems(&links.systems, links.has_image).await,
            Err(ConsoleError::Fault(_)) => self.identities(IDENTITY).await,
            Err(other) => Err(other),
        }
    }

    async fn links(&self) -> Result<Links, ConsoleError> {
        let mut links = Links { software: Some(Vec::new()), ..Links::default() };
        self.each_reference(INSTALLED, &mut |link| links.take(link)).await?;
        Ok(links)
    }

    async fn each_reference(&self, class: &str, take: &mut dyn FnMut(EndpointReference)) -> Result<(), ConsoleError> {
        let wanted = Enumeration { mode: Mode::Endpoints, ..Enumeration::default() };
        let mut reference = |item: PlainItem| item.reference.into_iter().for_each(&mut *take);
        self.enumerate_each(&Resource::known(class), &wanted, &mut reference).await.map(drop)
    }

    async fn of_systems(&self, systems: &[EndpointReference], has_image: bool) -> Result<Vec<Software>, ConsoleError> {
        let mut software = Vec::new();
        for system in systems {
            let filter = AssociationFilter {
                association_class: Some(INSTALLED.to_owned()),
                result_class: Some(IDENTITY.to_owned()),
                include_properties: DETAILS.map(str::to_owned).to_vec(),
                ..AssociationFilter::associated(system.clone())
            };
            let filter = Some(Filter::Association(Box::new(filter)));
            let wanted = Enumeration { filter, mode: Mode::ObjectsAndEndpoints, ..Enumeration::default() };
            let mut take = |item| software.extend(Software::of_item(item));
            self.enumerate_each(&Resource::known(IDENTITY), &wanted, &mut take).await?;
        }
        if has_image {
            software.extend(self.identities(VIB).await?);
        }
        Ok(in_order(software))
    }

    async fn identities(&self, class: &str) -> Result<Vec<Software>, ConsoleError> {
        let wanted = Enumeration { mode: Mode::ObjectsAndEndpoints, ..Enumeration::default() };
        let found = self.enumerate(&Resource::known(class), &wanted).await?;
        Ok(in_order(found.items.into_iter().filter_map(Software::of_item).collect()))
    }
}

/// What the links tell.
#[derive(Debug, Default)]
struct Links {
    /// What is installed; `None` once an identifier is of no known kind.
    software: Option<Vec<Software>>,
    /// The systems that it is installed on.
    systems: Vec<EndpointReference>,
    /// Whether something of it is a hypervisor, whose VIBs are to be asked for.
    has_image: bool,
}

impl Links {
    /// Takes a link in, as its keys tell it.
    fn take(&mut self, link: EndpointReference) {
        let (mut software, mut system) = (None, None);
        for selector in link.into_selectors().unwrap_or_default() {
            match selector.value {
                SelectorValue::Endpoint(end) if selector.name.eq_ignore_ascii_case("InstalledSoftware") => {
                    software = Some(*end);
                }
                SelectorValue::Endpoint(end) if selector.name.eq_ignore_ascii_case("System") => system = Some(*end),
                _ => {}
            }
        }
        let (Some(software), Some(system)) = (software, system) else { return };
        if !self.systems.contains(&system) {
            self.systems.push(system);
        }
        let of_vmware = |uri: &str| uri.rsplit('/').next().is_some_and(|class| class.starts_with("VMware_"));
        self.has_image |= software.resource_uri_text().is_some_and(of_vmware);
        match (&mut self.software, Software::of_reference(software)) {
            (Some(known), Some(software)) => known.push(software),
            _ => self.software = None,
        }
    }
}

fn in_order(mut software: Vec<Software>) -> Vec<Software> {
    software.sort_by(|a, b| (&a.name, &a.architecture, &a.version).cmp(&(&b.name, &b.architecture, &b.version)));
    software
}
