//! A console, the hypervisor host that it patches, and the depot on the web that both know of.

use std::path::PathBuf;

use xmltree::Element;

use crate::depot::Depot;
use crate::support::server::{ADMIN, Host, PATIENCE, Server};
use crate::support::sink::Sink;
use crate::support::vib::release::{esxi_5_5_u1, esxi_5_5_u1a};
use crate::support::vib::{Bundle, Signers, Vib};
use crate::support::wsman::{ANONYMOUS, CIM, Client, Message, child, descendants, property, text_of};
use crate::support::{eventually, installation};

const QM: &str = CIM;
/// Where the metadata is in the depot.
pub(crate) const METADATA: &str = "/esx/vmw/vmw-ESXi-5.5.0-metadata.zip";
/// The query of whoever wants to hear of assessments.
pub(crate) const ASSESSMENTS: &str = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA QM_PatchAssessment";

/// The patch of the host, its depot, and a console.
pub(crate) struct Walk {
    pub(crate) console: Console,
    pub(crate) server: Option<Server>,
    pub(crate) host: Host,
    pub(crate) depot: Depot,
    pub(crate) patch: Bundle,
    image: PathBuf,
    folder: tempfile::TempDir,
}

impl Walk {
    /// A host with ESXi 5.5 U1; the depot has what makes it U1a.
    pub(crate) fn new() -> Self {
        Self::with_settings(|_| String::new())
    }

    /// The same with these lines in the settings; they may name the depot.
    pub(crate) fn with_settings(settings: impl FnOnce(&Depot) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        let bundle = folder.path().join("esxi-5.5-u1.zip");
        Bundle::of(esxi_5_5_u1(100_000)).write(&bundle);
        let trust = folder.path().join("vmware.pem");
        std::fs::write(&trust, Signers::shared().vmware_root.pem()).unwrap();
        let trusting = format!("[image]\nvmware_trust_file = {:?}\n", trust.display().to_string());
        let host = Host::bare(&["--engine", "none", "--image", image.to_str().unwrap()]);
        let configuration = folder.path().join("create.toml");
        std::fs::write(&configuration, &trusting).unwrap();
        let (status, said) = create(&image, &bundle, &configuration);
        assert!(status.success(), "{said}");
        let depot = Depot::new();
        let own = format!("{trusting}{}\n[auth]\nbcrypt_cost = 4\n", settings(&depot));
        let host = host.with_settings(&own);
        host.add_user(ADMIN.0, ADMIN.1, "admin");
        let patch = esxi_5_5_u1a(400_000);
        let walk = Self { console: Console(Client::anonymous(1)), server: None, host, depot, patch, image, folder };
        walk.publish();
        walk.served()
    }

    fn served(mut self) -> Self {
        let server = self.host.serve();
        self.console = Console(server.admin());
        self.server = Some(server);
        self
    }

    /// Puts the patch into the depot.
    pub(crate) fn publish(&self) {
        self.publish_instead(&self.patch);
    }

    /// Puts a bundle into the depot, its metadata in the place of what was there. A VIB is signed anew each time that it is
    /// made, so the metadata must be of the very files.
    pub(crate) fn publish_instead(&self, bundle: &Bundle) {
        for (name, octets) in bundle.files() {
            if name == bundle.metadata_name {
                self.depot.put(METADATA, octets);
            } else if name.starts_with("vib20/") {
                self.depot.put(&format!("/esx/vmw/{name}"), octets);
            }
        }
    }

    /// A file of this test.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Ends the server as a crash does, and starts another one.
    pub(crate) fn restart_after(&mut self, meanwhile: impl FnOnce(&mut Self)) {
        self.server.take().unwrap().kill();
        meanwhile(self);
        let server = self.host.serve();
        self.console = Console(server.admin());
        self.server = Some(server);
    }

    /// Makes another image like the one that is managed, and manages that one from now on.
    pub(crate) fn restart_with_another_image(mut self) -> Self {
        self.server.take().unwrap().kill();
        let other = self.file("other-image");
        let (status, said) = create(&other, &self.file("esxi-5.5-u1.zip"), &self.file("create.toml"));
        assert!(status.success(), "{said}");
        self.host = self.host.with_arguments(&["--engine", "none", "--image", other.to_str().unwrap()]);
        self.image = other;
        self.served()
    }

    /// Boots the host.
    pub(crate) fn boot(&self) {
        let (status, said) = image_command(&["boot", self.image.to_str().unwrap()]);
        assert!(status.success(), "{said}");
    }

    /// The VIBs of the image as the store's own command shows them.
    pub(crate) fn shown(&self) -> String {
        let (status, said) = image_command(&["show", self.image.to_str().unwrap()]);
        assert!(status.success(), "{said}");
        said
    }

    pub(crate) fn call(&mut self, method: &str, arguments: &[(&str, &str)]) -> Element {
        self.console.call(method, arguments)
    }

    /// The return value of a method.
    pub(crate) fn code(&mut self, method: &str, arguments: &[(&str, &str)]) -> String {
        self.console.code(method, arguments)
    }

    /// The InstanceID of the job that a method starts.
    pub(crate) fn start(&mut self, method: &str, arguments: &[(&str, &str)]) -> String {
        installation::job_of(&self.call(method, arguments))
    }

    /// A job once it has ended.
    pub(crate) fn ended(&mut self, job: &str) -> Element {
        installation::ended(&mut self.console.0, job)
    }

    /// Has a method do its work, which must succeed; gives the job's last words.
    pub(crate) fn done(&mut self, method: &str, arguments: &[(&str, &str)]) -> String {
        let job = self.start(method, arguments);
        let job = self.ended(&job);
        assert_eq!(of(&job, "JobState"), "7", "{method}: {job:?}");
        of(&job, "JobStatus")
    }

    /// Has a method do its work, which must fail; gives the job's error.
    pub(crate) fn failed(&mut self, method: &str, arguments: &[(&str, &str)]) -> String {
        let job = self.start(method, arguments);
        let job = self.ended(&job);
        assert_eq!(of(&job, "JobState"), "10", "{method}: {job:?}");
        of(&job, "ErrorDescription")
    }

    /// Asks for a job to be cancelled.
    pub(crate) fn cancel(&mut self, job: &str) {
        let class = format!("{CIM}/CIM_ConcreteJob");
        let message = Message::invoke(&class, "RequestStateChange", &[("RequestedState", "4")]);
        self.console.0.ask(&message.selector("InstanceID", job));
    }

    pub(crate) fn scan(&mut self) -> String {
        let url = self.depot.url(METADATA);
        self.done("Scan", &[("MetadataURIs", &url)])
    }

    /// The last assessment.
    pub(crate) fn assessment(&mut self) -> Option<Element> {
        self.enumerate("QM_PatchAssessment").pop()
    }

    /// How the host stands to a bulletin.
    pub(crate) fn status(&mut self, id: &str) -> Element {
        let all = self.enumerate("QM_BulletinStatus");
        all.into_iter().find(|status| of(status, "BulletinID") == id).unwrap_or_else(|| panic!("no {id}"))
    }

    pub(crate) fn enumerate(&mut self, class: &str) -> Vec<Element> {
        self.console.enumerate(class)
    }

    /// Hears of assessments from now on.
    pub(crate) fn subscribe(&mut self) -> Sink {
        let sink = Sink::new();
        let reply = self.console.0.ask(&Message::subscribe(&sink.url("/assessments"), ASSESSMENTS));
        assert_eq!(reply.name, "SubscribeResponse");
        sink
    }
}

/// Whoever patches hosts.
pub(crate) struct Console(pub(crate) Client);

impl Console {
    pub(crate) fn call(&mut self, method: &str, arguments: &[(&str, &str)]) -> Element {
        let references = patch_references(&mut self.0);
        let mut message = Message::invoke(&format!("{QM}/QM_HostPatchService"), method, arguments);
        if !arguments.iter().any(|(name, _)| *name == "Target") {
            let mut all = arguments.to_vec();
            all.push(("Target", &references.system));
            message = Message::invoke(&format!("{QM}/QM_HostPatchService"), method, &all);
        }
        message.selectors.extend(references.service);
        self.0.ask(&message)
    }

    /// The return value of a method.
    pub(crate) fn code(&mut self, method: &str, arguments: &[(&str, &str)]) -> String {
        of(&self.call(method, arguments), "ReturnValue")
    }

    pub(crate) fn enumerate(&mut self, class: &str) -> Vec<Element> {
        let options = "<w:OptimizeEnumeration/><w:MaxElements>10000</w:MaxElements>";
        let mut page = self.0.ask(&Message::enumerate(&format!("{QM}/{class}"), options));
        let mut all = items(&page);
        while child(&page, "EndOfSequence").is_none() {
            let context = text_of(child(&page, "EnumerationContext").unwrap());
            let pull = format!(
                "<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext>\
                 <n:MaxElements>10000</n:MaxElements></n:Pull>"
            );
            let action = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull";
            page = self.0.ask(&Message::action(action, &format!("{QM}/{class}"), &pull));
            all.extend(items(&page));
        }
        all
    }
}

/// Where a VIB is in the depot.
pub(crate) fn vib_path(vib: &Vib) -> String {
    format!("/esx/vmw/{}", vib.relative_path())
}

/// Waits for the assessments that a sink heard of: which method, and what is missing.
pub(crate) fn heard(sink: &Sink, count: usize) -> Vec<(String, u32)> {
    sink.wait_for("assessments", PATIENCE, |events| {
        let told = crate::support::sink::distinct(events);
        let told: Vec<(String, u32)> = told
            .iter()
            .map(|event| (event.source("Operation").unwrap(), event.source("MissingCount").unwrap().parse().unwrap()))
            .collect();
        (told.len() >= count).then_some(told)
    })
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

fn items(page: &Element) -> Vec<Element> {
    let items = child(page, "Items").unwrap();
    items.children.iter().filter_map(|node| node.as_element()).cloned().collect()
}

struct References {
    service: Vec<(String, String)>,
    system: String,
}

/// The service, and the system that it is about.
fn patch_references(client: &mut Client) -> References {
    let options = "<w:OptimizeEnumeration/><w:EnumerationMode>EnumerateEPR</w:EnumerationMode>";
    let response = client.ask(&Message::enumerate(&format!("{QM}/QM_HostPatchService"), options));
    let epr = descendants(&response, "EndpointReference").into_iter().next().unwrap().clone();
    let service: Vec<(String, String)> = descendants(&epr, "Selector")
        .into_iter()
        .map(|selector| (selector.attributes.values().next().unwrap().clone(), text_of(selector)))
        .collect();
    let key = |name: &str| service.iter().find(|(key, _)| key == name).unwrap().1.clone();
    let system = reference(
        "CIM_ComputerSystem",
        &[("CreationClassName", &key("SystemCreationClassName")), ("Name", &key("SystemName"))],
    );
    References { service, system }
}

/// The content of a reference, as XML.
pub(crate) fn reference(class: &str, keys: &[(&str, &str)]) -> String {
    let keys: String =
        keys.iter().map(|(name, value)| format!("<w:Selector Name=\"{name}\">{value}</w:Selector>")).collect();
    format!(
        "<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{CIM}/{class}</w:ResourceURI>\
         <w:SelectorSet>{keys}</w:SelectorSet></a:ReferenceParameters>"
    )
}

/// The instances that associations join an object with.
pub(crate) fn associated(client: &mut Client, object: &str, association: &str, result: &str) -> Vec<Element> {
    let filter = format!(
        "<w:Filter Dialect=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter\">\
         <b:AssociatedInstances><b:Object>{object}</b:Object>\
         <b:AssociationClassName>{association}</b:AssociationClassName>\
         <b:ResultClassName>{result}</b:ResultClassName></b:AssociatedInstances></w:Filter>\
         <w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>"
    );
    let page = client.ask(&Message::enumerate(crate::support::wsman::ALL_CLASSES, &filter));
    items(&page)
}

fn image_command(arguments: &[&str]) -> (std::process::ExitStatus, String) {
    let output = crate::support::server::binary().arg("image").args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status, String::from_utf8_lossy(&said).into_owned())
}

fn create(
    image: &std::path::Path,
    bundle: &std::path::Path,
    settings: &std::path::Path,
) -> (std::process::ExitStatus, String) {
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    image_command(&["create", &path(image), "--bundle", &path(bundle), "--config", &path(settings)])
}

/// Asks until the host was assessed by this method.
pub(crate) fn assessed_by(walk: &mut Walk, method: &str) -> Element {
    eventually("an assessment", PATIENCE, || {
        walk.assessment().filter(|assessment| of(assessment, "Operation") == method)
    })
}
