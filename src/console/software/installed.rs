//! What is installed on a host.

use super::Software;
use crate::console::{ConsoleError, Enumeration, Resource, Session};
use crate::soap::EndpointReference;
use crate::wire::enumeration::Mode;
use crate::wire::{AssociationFilter, Filter, SelectorValue};

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
        // Who has no identifiers of a known kind is asked for the instances.
        if !links.iter().all(|link| Software::is_known_by(&link.software)) {
            return self.of_links(&links).await;
        }
        let vibs = if links.iter().any(Link::is_of_image) { self.references(VIB).await? } else { Vec::new() };
        let references = links.into_iter().map(|link| link.software).chain(vibs);
        Ok(in_order(references.filter_map(Software::of_reference).collect()))
    }

    /// The same with all that is told of each.
    pub async fn installed_in_detail(&self) -> Result<Vec<Software>, ConsoleError> {
        match self.links().await {
            Ok(links) => self.of_links(&links).await,
            Err(ConsoleError::Fault(_)) => self.identities(IDENTITY).await,
            Err(other) => Err(other),
        }
    }

    async fn links(&self) -> Result<Vec<Link>, ConsoleError> {
        Ok(self.references(INSTALLED).await?.iter().filter_map(Link::of).collect())
    }

    async fn references(&self, class: &str) -> Result<Vec<EndpointReference>, ConsoleError> {
        let wanted = Enumeration { mode: Mode::Endpoints, ..Enumeration::default() };
        let found = self.enumerate(&Resource::known(class), &wanted).await?;
        Ok(found.items.into_iter().filter_map(|item| item.reference).collect())
    }

    async fn of_links(&self, links: &[Link]) -> Result<Vec<Software>, ConsoleError> {
        let mut systems: Vec<&EndpointReference> = Vec::new();
        for link in links {
            if !systems.contains(&&link.system) {
                systems.push(&link.system);
            }
        }
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
            let found = self.enumerate(&Resource::known(IDENTITY), &wanted).await?;
            software.extend(found.items.into_iter().filter_map(Software::of_item));
        }
        if links.iter().any(Link::is_of_image) {
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

/// A link as its keys tell it.
struct Link {
    software: EndpointReference,
    system: EndpointReference,
}

impl Link {
    fn of(reference: &EndpointReference) -> Option<Self> {
        let (mut software, mut system) = (None, None);
        for selector in reference.selectors().ok()? {
            match selector.value {
                SelectorValue::Endpoint(end) if selector.name.eq_ignore_ascii_case("InstalledSoftware") => {
                    software = Some(*end);
                }
                SelectorValue::Endpoint(end) if selector.name.eq_ignore_ascii_case("System") => system = Some(*end),
                _ => {}
            }
        }
        Some(Self { software: software?, system: system? })
    }

    /// Whether what is installed is a hypervisor, whose VIBs are to be asked for.
    fn is_of_image(&self) -> bool {
        let of_vmware = |uri: &str| uri.rsplit('/').next().is_some_and(|class| class.starts_with("VMware_"));
        self.software.resource_uri_text().is_some_and(of_vmware)
    }
}

fn in_order(mut software: Vec<Software>) -> Vec<Software> {
    software.sort_by(|a, b| (&a.name, &a.architecture, &a.version).cmp(&(&b.name, &b.architecture, &b.version)));
    software
}
