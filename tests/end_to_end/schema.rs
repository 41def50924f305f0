//! What the service sends is what the exported XML Schemas say: replies and events, validated by lxml.

use std::fs;
use std::path::{Path, PathBuf};

use quartermaster::wire::UriForm;

use crate::support::eventually;
use crate::support::installation::{install_message, start};
use crate::support::packages::{DebRoot, build_deb};
use crate::support::python;
use crate::support::server::{Host, PATIENCE, Server, binary};
use crate::support::sink::Sink;
use crate::support::wsman::{CIM, Client, Message, descendants, property};

const ALPHA: &str = "LMI:LMI_SoftwareIdentity:alpha-0:1.0-1.all";
const CLASSES: &str = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*";

/// A folder of messages beside the schemas that they are to be valid by.
struct Messages<'a> {
    folder: &'a Path,
    files: Vec<PathBuf>,
}

impl<'a> Messages<'a> {
    fn new(folder: &'a Path) -> Self {
        let output = binary().args(["schema", "export", "--xsd"]).arg(folder.join("schema")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        Self { folder, files: Vec::new() }
    }

    fn keep(&mut self, name: &str, message: &str) {
        let file = self.folder.join(format!("{}-{name}.xml", self.files.len()));
        fs::write(&file, message).unwrap();
        self.files.push(file);
    }

    /// Whether all are valid, the names of the elements that are, and what is wrong with the others.
    fn validate(&self) -> (bool, Vec<String>, String) {
        let schema = self.folder.join("schema/schema.xsd");
        let output = python::run("validate.py", [&schema].into_iter().chain(&self.files));
        let names = String::from_utf8(output.stdout).unwrap();
        let names = names.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect();
        (output.status.success(), names, String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A host with packages, a job that succeeded, one that failed, and the events of both.
fn worked(root: &DebRoot, messages: &mut Messages<'_>) -> (Host, Server) {
    let dir = root.scratch();
    root.install_by_hand(&build_deb(&dir, "alpha", "1.0-1", &[]));
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let (mut client, sink) = (server.admin(), Sink::new());
    for class in ["CIM_InstCreation", "CIM_InstModification"] {
        let query = format!("SELECT * FROM {class} WHERE SourceInstance ISA CIM_ConcreteJob");
        client.ask(&Message::subscribe(&sink.url("/"), &query));
    }
    for package in [
        build_deb(&dir, "good", "1.0-1", &[]),
        build_deb(&dir, "broken", "1.0-1", &[("Depends", "nowhere-to-be-found")]),
    ] {
        let job = start(&mut client, &package);
        let get = Message::get(&format!("{CIM}/CIM_ConcreteJob")).selector("InstanceID", job);
        eventually("the job to end", PATIENCE, || {
            let state: u16 = property(&client.ask(&get), "JobState").unwrap().parse().unwrap();
            (state >= 7).then_some(())
        });
    }
    let events = sink.wait_for("the end of both jobs", PATIENCE, |events| {
        let ended = |state| events.iter().any(|event| event.source("JobState").as_deref() == Some(state));
        (ended("7") && ended("10")).then(|| events.to_vec())
    });
    events.iter().for_each(|event| messages.keep("event", &event.envelope));
    (host, server)
}

/// Every class that a namespace shows, and the answer to its enumeration.
fn keep_all_instances(client: &mut Client, namespace: &str, messages: &mut Messages<'_>) {
    let all = "<w:OptionSet><w:Option Name=\"IncludeSubClasses\">true</w:Option></w:OptionSet>";
    let whole = "<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>";
    let request = Message::enumerate(CLASSES, whole).selector("__cimnamespace", namespace).header(all);
    let page = client.ask(&request);
    assert_eq!(descendants(&page, "EndOfSequence").len(), 1, "more than one page of classes");
    for class in descendants(&page, "CLASS") {
        let (_, name) = class.attributes.iter().find(|(key, _)| **key == *"NAME").unwrap();
        for mode in ["None", "ExcludeSubClassProperties"] {
            let options = format!("{whole}<b:PolymorphismMode>{mode}</b:PolymorphismMode>");
            let request = Message::enumerate(&uri_of(name), &options).selector("__cimnamespace", namespace);
            let reply = client.post(&request.envelope());
            // An indication has no instances to enumerate.
            assert!(reply.status == 200 || reply.fault().0 == "ActionNotSupported", "{name}: {}", reply.body);
            messages.keep(name, &reply.body);
        }
    }
}

/// A class's own URI: the schemas are about these. Who names a class otherwise gets its instances under that name.
fn uri_of(class: &str) -> String {
    UriForm::Vendor.class_uri(class)
}

/// One instance in the forms that clients may ask for, and the calls of methods.
fn keep_replies(client: &mut Client, root: &DebRoot, messages: &mut Messages<'_>) {
    let get = Message::get(&format!("{CIM}/CIM_SoftwareIdentity")).selector("InstanceID", ALPHA);
    let option = |name: &str| format!("<w:OptionSet><w:Option Name=\"{name}\">true</w:Option></w:OptionSet>");
    for option in ["ExcludeNilProperties", "ShowExtensions", "UsePreciseArrays"].map(option) {
        messages.keep("get", &client.post(&get.clone().header(&option).envelope()).body);
    }
    let file = build_deb(&root.scratch(), "late", "1.0-1", &[]);
    for uri in [format!("file://{}", file.display()), "file:///nowhere.deb".to_owned(), "gopher://x/y".to_owned()] {
        let request = install_message(client, &uri);
        messages.keep("install", &client.post(&request.envelope()).body);
    }
    let options = "<w:OptimizeEnumeration/><w:MaxElements>100</w:MaxElements>";
    let jobs = client.ask(&Message::enumerate(&uri_of("LMI_SoftwareInstallationJob"), options));
    for job in descendants(&jobs, "LMI_SoftwareInstallationJob") {
        for (method, arguments) in
            [("GetError", &[][..]), ("GetErrors", &[]), ("RequestStateChange", &[("RequestedState", "4")])]
        {
            let request = Message::invoke(&format!("{CIM}/CIM_ConcreteJob"), method, arguments);
            let request = request.selector("InstanceID", property(job, "InstanceID").unwrap());
            let reply = client.post(&request.envelope());
            assert_eq!(reply.status, 200, "{method}: {}", reply.body);
            messages.keep(method, &reply.body);
        }
    }
}

#[test]
fn every_reply_and_every_event_is_valid_by_the_exported_schemas() {
    let root = DebRoot::new();
    let folder = tempfile::tempdir().unwrap();
    let mut messages = Messages::new(folder.path());
    let (_host, server) = worked(&root, &mut messages);
    let mut client = server.admin();
    keep_replies(&mut client, &root, &mut messages);
    for namespace in ["root/cimv2", "root/interop"] {
        keep_all_instances(&mut client, namespace, &mut messages);
    }
    let (valid, names, errors) = messages.validate();
    assert!(valid, "{errors}");
    for expected in [
        "CIM_ManagedElement",
        "CIM_RegisteredProfile",
        "GetErrors_OUTPUT",
        "InstallFromURI_OUTPUT",
        "LMI_AffectedSoftwareJobElement",
        "LMI_InstalledSoftwareIdentity",
        "LMI_SoftwareIdentity",
        "LMI_SoftwareInstCreation",
        "LMI_SoftwareInstModification",
        "LMI_SoftwareInstallationJob",
        "PG_ComputerSystem",
        "RequestStateChange_OUTPUT",
    ] {
        assert!(names.iter().any(|name| name == expected), "{expected} is not among {names:?}");
    }

    // Instances inside others are looked at, too: events hold them.
    let event = messages.files.iter().find(|file| file.display().to_string().ends_with("event.xml")).unwrap();
    let event = fs::read_to_string(event).unwrap();
    let mut wrong = Messages::new(folder.path());
    wrong.keep("wrong", &event.replace(":PercentComplete>", ":PercentCompleted>"));
    let (valid, _, errors) = wrong.validate();
    assert!(!valid && errors.contains("PercentCompleted"), "{errors}\n{event}");
}

/// The validation finds what is wrong: otherwise it would be worth nothing.
#[test]
fn what_is_wrong_is_not_valid_by_the_exported_schemas() {
    let root = DebRoot::new();
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1.0-1", &[]));
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let get = Message::get(&format!("{CIM}/CIM_SoftwareIdentity")).selector("InstanceID", ALPHA);
    let right = server.admin().post(&get.envelope()).body;
    let folder = tempfile::tempdir().unwrap();
    let validate = |message: &str| {
        let mut messages = Messages::new(folder.path());
        messages.keep("message", message);
        messages.validate()
    };
    assert_eq!(validate(&right), (true, vec!["LMI_SoftwareIdentity".to_owned()], String::new()));
    let id = format!("<p:InstanceID>{ALPHA}</p:InstanceID>");
    for (from, to, said) in [
        (id.as_str(), String::new(), "InstanceID"),
        (&id, format!("{id}<p:Colour>red</p:Colour>"), "Colour"),
        (&id, "<p:InstanceID xsi:nil=\"true\"/>".to_owned(), "InstanceID"),
        ("<p:IsEntity>true</p:IsEntity>", "<p:IsEntity>perhaps</p:IsEntity>".to_owned(), "perhaps"),
    ] {
        let wrong = right.replacen(from, &to, 1);
        assert_ne!(wrong, right, "{from} is not in {right}");
        let (valid, names, errors) = validate(&wrong);
        assert!(!valid && names.is_empty() && errors.contains(said), "{to}: {names:?} {errors}");
    }
}
