//! What the seeds' clients do: they name instances, follow associations, call the service and look at its job.

use std::path::Path;

use xmltree::Element;

use crate::support::eventually;
use crate::support::image::ImageFolder;
use crate::support::installation::job_of;
use crate::support::server::{Host, PATIENCE, Server};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, CIM, Client, Message, child, descendants, property, text_of};

const ASSOCIATIONS: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter";

/// The words of the seeds.
pub(crate) const SCANNING: &str = "Scanning URI for installable packages";
pub(crate) const UPDATING: &str = "Scan of URI Complete and installable packages found. Starting Update.";
pub(crate) const NEEDS_REBOOT: &str =
    "The update completed successfully, but the system needs to be rebooted for the changes to be effective.";

/// Nobody guesses passwords here.
const QUICK: &str = "[auth]\nhash_mebibytes = 1\n";

/// A client of a host with an image.
#[derive(Debug)]
pub(crate) struct Administrator {
    pub(crate) client: Client,
    _server: Server,
    _host: Host,
    /// The host, as a reference.
    pub(crate) system: String,
    /// The selectors of its installation service.
    service: Vec<(String, String)>,
}

impl Administrator {
    /// One that has found the host and its service as the seeds say.
    pub(crate) fn of(image: &ImageFolder) -> Self {
        let host = Host::of_image(&image.image()).with_settings(QUICK).with_settings(&image.settings());
        let server = host.serve();
        let mut client = server.admin();
        let system = scoping_instance(&mut client);
        let services = associator_names(&mut client, &system, "CIM_HostedService", "CIM_SoftwareInstallationService");
        assert_eq!(services.len(), 1, "{services:?}");
        Self { service: selectors(&services[0]), client, _server: server, _host: host, system }
    }

    /// `InstallFromURI` with these InstallOptions and values, none of which is an empty list.
    pub(crate) fn install(&mut self, uri: &str, options: &[(&str, &str)]) -> Element {
        let class = format!("{CIM}/CIM_SoftwareInstallationService");
        let arguments = [&[("URI", uri), ("Target", &*self.system)], options].concat();
        let mut message = Message::invoke(&class, "InstallFromURI", &arguments);
        message.selectors = self.service.clone();
        self.client.ask(&message)
    }

    /// What it returned that made no job.
    pub(crate) fn refused(&mut self, uri: &str, options: &[(&str, &str)]) -> String {
        let answer = self.install(uri, options);
        assert!(child(&answer, "Job").is_none_or(|job| job.children.is_empty()), "{answer:?}");
        property(&answer, "ReturnValue").unwrap()
    }

    /// Starts the installation of a bundle; gives the job's InstanceID.
    pub(crate) fn launch(&mut self, bundle: &Path) -> String {
        job_of(&self.install(&format!("file://{}", bundle.display()), &[]))
    }

    pub(crate) fn job(&mut self, id: &str) -> Element {
        self.client.ask(&Message::get(&format!("{CIM}/CIM_ConcreteJob")).selector("InstanceID", id))
    }

    /// Polls until PercentComplete is 100; gives every percentage and status that was seen, and the job.
    pub(crate) fn poll(&mut self, id: &str) -> (Vec<(String, String)>, Element) {
        let mut seen = Vec::new();
        let ended = eventually("PercentComplete to be 100", PATIENCE, || {
            let job = self.job(id);
            let look = (of(&job, "PercentComplete"), of(&job, "JobStatus"));
            let is_end = look.0 == "100";
            if seen.last() != Some(&look) {
                seen.push(look);
            }
            is_end.then_some(job)
        });
        (seen, ended)
    }

    /// The ids of the VIBs that have this ElementSoftwareStatus.
    pub(crate) fn vibs(&mut self, status: &str) -> Vec<String> {
        let system = self.system.clone();
        let links = self.links(&system, "CIM_ElementSoftwareIdentity");
        let with_status = links.iter().filter(|link| values(link, "ElementSoftwareStatus").join(", ") == status);
        with_status.map(vib_of).collect()
    }

    /// The links of an association from an object.
    pub(crate) fn links(&mut self, object: &str, association: &str) -> Vec<Element> {
        let kind = format!(
            "<b:AssociationInstances><b:Object>{object}</b:Object>\
             <b:ResultClassName>{association}</b:ResultClassName></b:AssociationInstances>"
        );
        items(&self.client.ask(&filtered(&kind, "")))
    }
}

/// The id of the VIB that a link names.
pub(crate) fn vib_of(link: &Element) -> String {
    let identity = selectors(descendants(link, "Antecedent")[0]);
    let id = identity.into_iter().find(|(name, _)| name == "InstanceID").unwrap().1;
    id.strip_prefix("VMware:VMware_ComponentSoftwareIdentity:").unwrap().to_owned()
}

/// Identifying the Base Server scoping instance: the profile of that name in root/interop, then the computer system that
/// conforms to it.
fn scoping_instance(client: &mut Client) -> String {
    let options = "<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>";
    let profiles = Message::enumerate(&format!("{CIM}/CIM_RegisteredProfile"), options);
    let profiles = items(&client.ask(&profiles.selector("__cimnamespace", "root/interop")));
    let base: Vec<_> = profiles.iter().filter(|profile| of(profile, "RegisteredName") == "Base Server").collect();
    assert_eq!(base.len(), 1, "{profiles:?}");
    let profile = reference(
        "CIM_RegisteredProfile",
        &[("InstanceID", &of(base[0], "InstanceID")), ("__cimnamespace", "root/interop")],
    );
    let systems = associator_names(client, &profile, "CIM_ElementConformsToProfile", "CIM_ComputerSystem");
    assert_eq!(systems.len(), 1, "{systems:?}");
    let uri = text_of(descendants(&systems[0], "ResourceURI")[0]);
    assert!(uri.ends_with("/OMC_UnitaryComputerSystem"), "{uri}");
    let keys = selectors(&systems[0]);
    let keys: Vec<(&str, &str)> = keys.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    reference_at(&uri, &keys)
}

/// The references of the instances at the other ends of an association.
fn associator_names(client: &mut Client, object: &str, association: &str, result: &str) -> Vec<Element> {
    let kind = format!(
        "<b:AssociatedInstances><b:Object>{object}</b:Object><b:AssociationClassName>{association}</b:AssociationClassName>\
         <b:ResultClassName>{result}</b:ResultClassName></b:AssociatedInstances>"
    );
    let names = client.ask(&filtered(&kind, "<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>"));
    items(&names)
}

fn filtered(kind: &str, mode: &str) -> Message {
    let filter = format!(
        "<w:Filter Dialect=\"{ASSOCIATIONS}\">{kind}</w:Filter>{mode}<w:OptimizeEnumeration/>\
         <w:MaxElements>1000</w:MaxElements>"
    );
    Message::enumerate(ALL_CLASSES, &filter)
}

fn items(page: &Element) -> Vec<Element> {
    assert!(child(page, "EndOfSequence").is_some(), "more than one page");
    let items = child(page, "Items").unwrap();
    items.children.iter().filter_map(|node| node.as_element()).cloned().collect()
}

/// The selectors of a reference.
fn selectors(reference: &Element) -> Vec<(String, String)> {
    let selectors = descendants(reference, "Selector").into_iter();
    selectors.map(|s| (s.attributes.values().next().unwrap().clone(), text_of(s))).collect()
}

/// The content of a reference to an instance of one of CIM's classes, as XML.
pub(crate) fn reference(class: &str, keys: &[(&str, &str)]) -> String {
    reference_at(&format!("{CIM}/{class}"), keys)
}

fn reference_at(uri: &str, keys: &[(&str, &str)]) -> String {
    let keys: String =
        keys.iter().map(|(name, value)| format!("<w:Selector Name=\"{name}\">{value}</w:Selector>")).collect();
    format!(
        "<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{uri}</w:ResourceURI>\
         <w:SelectorSet>{keys}</w:SelectorSet></a:ReferenceParameters>"
    )
}

/// A property that must have a value.
pub(crate) fn of(instance: &Element, name: &str) -> String {
    property(instance, name).unwrap_or_else(|| panic!("no {name}: {instance:?}"))
}

/// All values of a property.
pub(crate) fn values(instance: &Element, name: &str) -> Vec<String> {
    let elements = instance.children.iter().filter_map(|node| node.as_element()).filter(|e| e.name == name);
    elements.map(text_of).collect()
}
