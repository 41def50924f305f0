//! One host that is served, and a client on its way through it.

use std::path::Path;
use std::sync::Arc;

use xmltree::Element;

use crate::host::{Family, Root};
use crate::samples::{EXTRAS, STANDARD, Samples};
use crate::support::installation::{References, ended, job_of, references};
use crate::support::server::{ADMIN, Host, Server};
use crate::support::wsman::{
    ALL_CLASSES, ANONYMOUS, CIM, Client, Message, Reply, child, descendants, property, text_of,
};

/// The ResourceURI prefix of OpenLMI's classes.
const LMI: &str = "http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2";
const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
const ENUMERATION: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";
const ASSOCIATIONS: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter";

const IDENTITY_PREFIX: &str = "LMI:LMI_SoftwareIdentity:";
const COLLECTION: &str = "LMI:LMI_SystemSoftwareCollection";

/// Settings that make tests quicker: nobody guesses passwords here.
const SETTINGS: &str = "[auth]\nhash_mebibytes = 1\n";

/// A walk through one host.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) client: Client,
    references: References,
    server: Option<Server>,
    pub(crate) host: Host,
    pub(crate) samples: Arc<Samples>,
    pub(crate) root: Root,
    pub(crate) family: Family,
}

/// Where associations lead: what is empty restricts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Follow<'a> {
    /// The reference of the object to start from, as XML.
    pub(crate) object: &'a str,
    pub(crate) association: &'a str,
    pub(crate) role: &'a str,
    pub(crate) result_role: &'a str,
    pub(crate) result: &'a str,
}

impl Walk {
    /// A host with these builds installed by hand, that knows what its repositories offer.
    pub(crate) fn new(family: Family, installed: &[(&str, &str)]) -> Self {
        let mut walk = Self::without_metadata(family, installed);
        walk.refresh();
        walk
    }

    /// The same before it knows of any offer.
    pub(crate) fn without_metadata(family: Family, installed: &[(&str, &str)]) -> Self {
        let (samples, root) = (Samples::of(family), Root::new(family));
        root.publish("standard", &samples.files(&STANDARD));
        root.publish("extras", &samples.files(&EXTRAS));
        installed.iter().for_each(|(name, version)| root.install_by_hand(samples.file(name, version)));
        let path = root.path();
        let host = Host::bare(&["--root", path.to_str().unwrap(), "--engine", family.engine()]).with_settings(SETTINGS);
        // With the settings: the first hash is made for this user.
        host.add_user(ADMIN.0, ADMIN.1, "admin");
        let server = host.serve();
        let mut client = server.admin();
        let references = references(&mut client);
        Self { client, references, server: Some(server), host, samples, root, family }
    }

    /// Ends the server as a crash does, and starts another one.
    pub(crate) fn restart_after(&mut self, meanwhile: impl FnOnce(&mut Self)) {
        self.server.take().unwrap().kill();
        meanwhile(self);
        let server = self.host.serve();
        self.client = server.admin();
        self.server = Some(server);
    }

    /// Goes on as another user.
    pub(crate) fn client_as(&mut self, user: &str, password: &str) {
        self.client = self.server.as_ref().unwrap().client(user, password);
    }

    /// The identity of a build of the samples.
    pub(crate) fn nevra(&self, name: &str, version: &str) -> String {
        self.family.nevra(name, version)
    }

    /// The reference of the host, as XML.
    pub(crate) fn system(&self) -> String {
        self.references.system.clone()
    }

    /// The reference of the service, as XML.
    pub(crate) fn service(&self) -> String {
        let keys: Vec<(&str, &str)> = self.references.service.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        reference("LMI_SoftwareInstallationService", &keys)
    }

    /// A call of a method of the service.
    pub(crate) fn message(&self, method: &str, arguments: &[(&str, &str)]) -> Message {
        let mut message = Message::invoke(&uri("LMI_SoftwareInstallationService"), method, arguments);
        message.selectors.extend(self.references.service.clone());
        message
    }

    /// What a method of the service answers.
    pub(crate) fn call(&mut self, method: &str, arguments: &[(&str, &str)]) -> Element {
        let message = self.message(method, arguments);
        self.client.ask(&message)
    }

    /// The return value of a method of the service.
    pub(crate) fn code(&mut self, method: &str, arguments: &[(&str, &str)]) -> String {
        of(&self.call(method, arguments), "ReturnValue")
    }

    /// Fetches what the repositories offer.
    pub(crate) fn refresh(&mut self) {
        let job = job_of(&self.call("RefreshRepositories", &[]));
        let job = self.ended(&job);
        assert_eq!(of(&job, "JobState"), "7", "{job:?}");
    }

    /// A job once it has ended.
    pub(crate) fn ended(&mut self, job: &str) -> Element {
        ended(&mut self.client, job)
    }

    /// What FindIdentity finds; its return value says whether that is anything.
    pub(crate) fn found(&mut self, arguments: &[(&str, &str)]) -> Vec<String> {
        let answer = self.call("FindIdentity", arguments);
        let found: Vec<String> =
            descendants(&answer, "Matches").into_iter().filter_map(|m| selected(m, "InstanceID")).collect();
        assert_eq!(of(&answer, "ReturnValue"), if found.is_empty() { "1" } else { "0" }, "{answer:?}");
        found.iter().map(|id| nevra_of(id)).collect()
    }

    /// The instance that these selectors name.
    pub(crate) fn get(&mut self, class: &str, keys: &[(&str, &str)]) -> Element {
        self.client.ask(&with_keys(Message::get(&uri(class)), keys))
    }

    /// The software identity of a build.
    pub(crate) fn identity(&mut self, nevra: &str) -> Element {
        self.get("LMI_SoftwareIdentity", &[("InstanceID", &identity_id(nevra))])
    }

    /// Puts these properties of an instance.
    pub(crate) fn put(&mut self, class: &str, keys: &[(&str, &str)], values: &[(&str, &str)]) -> Reply {
        self.transfer("Put", class, keys, values, "")
    }

    /// Creates an instance with these properties.
    pub(crate) fn create(&mut self, class: &str, values: &[(&str, &str)], headers: &str) -> Reply {
        self.transfer("Create", class, &[], values, headers)
    }

    /// Deletes an instance.
    pub(crate) fn delete(&mut self, class: &str, keys: &[(&str, &str)]) -> Reply {
        self.delete_with(class, keys, "")
    }

    /// The same with further headers.
    pub(crate) fn delete_with(&mut self, class: &str, keys: &[(&str, &str)], headers: &str) -> Reply {
        let message = Message::action(&format!("{TRANSFER}/Delete"), &uri(class), "").header(headers);
        self.client.post(&with_keys(message, keys).envelope())
    }

    fn transfer(
        &mut self,
        action: &str,
        class: &str,
        keys: &[(&str, &str)],
        values: &[(&str, &str)],
        headers: &str,
    ) -> Reply {
        let values: String = values.iter().map(|(name, value)| format!("<p:{name}>{value}</p:{name}>")).collect();
        let body = format!("<p:{class} xmlns:p=\"{}\">{values}</p:{class}>", uri(class));
        let message = Message::action(&format!("{TRANSFER}/{action}"), &uri(class), &body).header(headers);
        self.client.post(&with_keys(message, keys).envelope())
    }

    /// The links between installed software and the host: both ends of one of them, as the properties of a new link and as
    /// the keys of one that is there.
    pub(crate) fn link_ends(&self, nevra: &str) -> [(&'static str, String); 2] {
        [("InstalledSoftware", identity_reference(nevra)), ("System", self.system())]
    }

    /// All instances of a class and its subclasses, so many at a time.
    pub(crate) fn enumerate(&mut self, class: &str, at_once: usize) -> Vec<Element> {
        self.pages(&uri(class), "", at_once)
    }

    /// All items of an enumeration, so many at a time.
    fn pages(&mut self, uri: &str, options: &str, at_once: usize) -> Vec<Element> {
        let options = format!("{options}<w:OptimizeEnumeration/><w:MaxElements>{at_once}</w:MaxElements>");
        let mut page = self.client.ask(&Message::enumerate(uri, &options));
        let mut all = items(&page);
        while child(&page, "EndOfSequence").is_none() {
            let context = text_of(child(&page, "EnumerationContext").unwrap());
            let pull = format!(
                "<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>{at_once}</n:MaxElements>\
                 </n:Pull>"
            );
            page = self.client.ask(&Message::action(&format!("{ENUMERATION}/Pull"), uri, &pull));
            let more = items(&page);
            assert!(more.len() <= at_once);
            all.extend(more);
        }
        all
    }

    /// The instances at the other ends of associations.
    pub(crate) fn associated(&mut self, follow: Follow<'_>) -> Vec<Element> {
        self.follow("AssociatedInstances", follow, "")
    }

    /// The associations themselves.
    pub(crate) fn links(&mut self, follow: Follow<'_>) -> Vec<Element> {
        self.follow("AssociationInstances", follow, "")
    }

    /// The references of the instances at the other ends.
    pub(crate) fn names(&mut self, follow: Follow<'_>) -> Vec<Element> {
        self.follow("AssociatedInstances", follow, "<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>")
    }

    fn follow(&mut self, kind: &str, follow: Follow<'_>, mode: &str) -> Vec<Element> {
        let Follow { object, association, role, result_role, result } = follow;
        let filter = format!(
            "<w:Filter Dialect=\"{ASSOCIATIONS}\"><b:{kind}><b:Object>{object}</b:Object>\
             <b:AssociationClassName>{association}</b:AssociationClassName><b:Role>{role}</b:Role>\
             <b:ResultClassName>{result}</b:ResultClassName><b:ResultRole>{result_role}</b:ResultRole></b:{kind}></w:Filter>\
             {mode}"
        );
        self.pages(ALL_CLASSES, &filter, 1000)
    }

    /// What is installed, as the names of software that is joined with the host.
    pub(crate) fn installed(&mut self) -> Vec<String> {
        let system = self.system();
        let names = self.names(of_host(&system));
        let mut nevras: Vec<String> =
            names.iter().map(|name| nevra_of(&selected(name, "InstanceID").unwrap())).collect();
        nevras.sort();
        nevras
    }

    /// A repository of the host, `standard` or `extras`.
    pub(crate) fn repository(&mut self, name: &str) -> Element {
        let folder = self.root.repository(name).display().to_string();
        let repositories = self.enumerate("LMI_SoftwareIdentityResource", 20);
        let found = repositories.into_iter().find(|repository| of(repository, "AccessInfo").contains(&folder));
        found.unwrap_or_else(|| panic!("no repository {name}"))
    }

    /// The keys of a repository.
    pub(crate) fn repository_keys(&mut self, name: &str) -> Vec<(&'static str, String)> {
        let repository = self.repository(name);
        let keys = ["CreationClassName", "Name", "SystemCreationClassName", "SystemName"];
        keys.iter().map(|key| (*key, of(&repository, key))).collect()
    }

    /// The reference of a repository, as XML.
    pub(crate) fn repository_reference(&mut self, name: &str) -> String {
        let keys = self.repository_keys(name);
        let keys: Vec<(&str, &str)> = keys.iter().map(|(name, value)| (*name, value.as_str())).collect();
        reference("LMI_SoftwareIdentityResource", &keys)
    }

    /// A file of the host as it is.
    pub(crate) fn content(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.file(path)).unwrap()
    }

    /// The URI of a package file.
    pub(crate) fn file_uri(file: &Path) -> String {
        format!("file://{}", file.display())
    }
}

/// From the host to what is installed on it, as OpenLMI's client asks.
pub(crate) fn of_host(system: &str) -> Follow<'_> {
    Follow {
        object: system,
        association: "LMI_InstalledSoftwareIdentity",
        role: "System",
        result_role: "InstalledSoftware",
        result: "LMI_SoftwareIdentity",
    }
}

/// A class's ResourceURI.
pub(crate) fn uri(class: &str) -> String {
    let prefix = if class.starts_with("LMI_") { LMI } else { CIM };
    format!("{prefix}/{class}")
}

/// The content of a reference, as XML.
pub(crate) fn reference(class: &str, keys: &[(&str, &str)]) -> String {
    let keys: String =
        keys.iter().map(|(name, value)| format!("<w:Selector Name=\"{name}\">{value}</w:Selector>")).collect();
    format!(
        "<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{}</w:ResourceURI>\
         <w:SelectorSet>{keys}</w:SelectorSet></a:ReferenceParameters>",
        uri(class)
    )
}

/// The InstanceID of the identity of a build.
pub(crate) fn identity_id(nevra: &str) -> String {
    format!("{IDENTITY_PREFIX}{nevra}")
}

/// The build that the InstanceID of an identity names.
pub(crate) fn nevra_of(id: &str) -> String {
    id.strip_prefix(IDENTITY_PREFIX).unwrap_or_else(|| panic!("{id} is no identity")).to_owned()
}

/// The reference of the identity of a build, as XML.
pub(crate) fn identity_reference(nevra: &str) -> String {
    reference("LMI_SoftwareIdentity", &[("InstanceID", &identity_id(nevra))])
}

/// The reference of the host's software, as XML.
pub(crate) fn collection_reference() -> String {
    reference("LMI_SystemSoftwareCollection", &[("InstanceID", COLLECTION)])
}

/// The reference of a job, as XML.
pub(crate) fn job_reference(job: &str) -> String {
    reference("CIM_ConcreteJob", &[("InstanceID", job)])
}

/// A selector of a reference.
pub(crate) fn selected(reference: &Element, name: &str) -> Option<String> {
    let selectors = descendants(reference, "Selector").into_iter();
    selectors.filter(|s| s.attributes.values().any(|value| value == name)).map(text_of).next()
}

/// A property that must have a value.
pub(crate) fn of(instance: &Element, name: &str) -> String {
    property(instance, name).unwrap_or_else(|| panic!("no {name}: {instance:?}"))
}

/// All values of a property.
pub(crate) fn values(instance: &Element, name: &str) -> Vec<String> {
    let elements = instance.children.iter().filter_map(|node| node.as_element()).filter(|e| e.name == name);
    elements.filter(|e| !e.attributes.values().any(|value| value == "true")).map(text_of).collect()
}

/// An instance as its properties, whatever it came in.
pub(crate) fn properties(instance: &Element) -> Vec<(String, String)> {
    let elements = instance.children.iter().filter_map(|node| node.as_element());
    elements.map(|element| (element.name.clone(), text_of(element))).collect()
}

/// The same of each.
pub(crate) fn all_properties(instances: &[Element]) -> Vec<Vec<(String, String)>> {
    instances.iter().map(properties).collect()
}

/// The instances of a page.
fn items(page: &Element) -> Vec<Element> {
    let items = child(page, "Items").unwrap();
    items.children.iter().filter_map(|node| node.as_element()).cloned().collect()
}

/// References are selectors within an EndpointReference.
fn with_keys(message: Message, keys: &[(&str, &str)]) -> Message {
    keys.iter().fold(message, |message, (name, value)| {
        let is_reference = value.starts_with("<a:Address>");
        let value = if is_reference {
            format!("<a:EndpointReference>{value}</a:EndpointReference>")
        } else {
            (*value).to_owned()
        };
        message.selector(name, value)
    })
}
