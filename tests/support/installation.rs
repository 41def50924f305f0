//! Installing by URI, and looking at what came of it.

use std::path::Path;

use xmltree::Element;

use super::eventually;
use super::server::PATIENCE;
use super::wsman::{ANONYMOUS, CIM, Client, Message, child, descendants, property, text_of};

/// Starts the installation of a file; gives the job's InstanceID.
pub fn start(client: &mut Client, file: &Path) -> String {
    start_from(client, &format!("file://{}", file.display()))
}

/// Starts the installation of what is at a URI; gives the job's InstanceID.
pub fn start_from(client: &mut Client, uri: &str) -> String {
    let output = install(client, uri);
    job_of(&output)
}

/// The same by the service of this class, for the system of that class; where there are several.
pub fn start_by(client: &mut Client, [service, system]: [&str; 2], file: &Path) -> String {
    let [job] = start_several_by(client, [service, system], file);
    job
}

/// The same twice, with nothing in between.
pub fn start_twice_by(client: &mut Client, classes: [&str; 2], file: &Path) -> [String; 2] {
    start_several_by(client, classes, file)
}

fn start_several_by<const N: usize>(client: &mut Client, [service, system]: [&str; 2], file: &Path) -> [String; N] {
    let references = references_of(client, service, system);
    let request = message(&references, "InstallFromURI", "URI", &format!("file://{}", file.display()));
    [(); N].map(|()| {
        let reply = client.post(&request.envelope());
        assert_eq!(reply.status, 200, "{}", reply.body);
        job_of(&reply.content())
    })
}

/// The InstanceID of the job that a method answered with.
pub fn job_of(output: &Element) -> String {
    assert_eq!(property(output, "ReturnValue").as_deref(), Some("4096"), "{output:?}");
    let job = child(output, "Job").unwrap();
    text_of(
        descendants(job, "Selector").into_iter().find(|s| s.attributes.values().any(|v| v == "InstanceID")).unwrap(),
    )
}

/// InstallFromURI as it comes back.
pub fn install(client: &mut Client, uri: &str) -> Element {
    let request = install_message(client, uri);
    let reply = client.post(&request.envelope());
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.content()
}

/// Where to call the service, and for what.
#[derive(Debug)]
pub struct References {
    /// The service's selectors.
    pub service: Vec<(String, String)>,
    /// The system's reference, as XML.
    pub system: String,
}

/// Finds the service and the system.
pub fn references(client: &mut Client) -> References {
    references_of(client, "CIM_SoftwareInstallationService", "CIM_ComputerSystem")
}

fn references_of(client: &mut Client, service: &str, system: &str) -> References {
    let mut epr_of = |class: &str| {
        let options = "<w:OptimizeEnumeration/><w:EnumerationMode>EnumerateEPR</w:EnumerationMode>";
        let response = client.ask(&Message::enumerate(&format!("{CIM}/{class}"), options));
        descendants(&response, "EndpointReference").into_iter().next().unwrap().clone()
    };
    let pairs = |epr: &Element| -> Vec<(String, String)> {
        descendants(epr, "Selector")
            .into_iter()
            .map(|s| (s.attributes.values().next().unwrap().clone(), text_of(s)))
            .collect()
    };
    let service = pairs(&epr_of(service));
    let system = epr_of(system);
    let uri = text_of(descendants(&system, "ResourceURI")[0]);
    let selectors: String =
        pairs(&system).iter().map(|(n, v)| format!("<w:Selector Name=\"{n}\">{v}</w:Selector>")).collect();
    let system = format!(
        "<a:Address>{}</a:Address><a:ReferenceParameters><w:ResourceURI>{uri}</w:ResourceURI>\
         <w:SelectorSet>{selectors}</w:SelectorSet></a:ReferenceParameters>",
        ANONYMOUS
    );
    References { service, system }
}

/// The request for InstallFromURI.
pub fn install_message(client: &mut Client, uri: &str) -> Message {
    message(&references(client), "InstallFromURI", "URI", uri)
}

/// The request for InstallFromByteStream, with the text of the image.
pub fn byte_stream_message(client: &mut Client, image: &str) -> Message {
    message(&references(client), "InstallFromByteStream", "Image", image)
}

fn message(references: &References, method: &str, parameter: &str, value: &str) -> Message {
    let class = format!("{CIM}/CIM_SoftwareInstallationService");
    let mut message = Message::invoke(&class, method, &[(parameter, value), ("Target", references.system.as_str())]);
    message.selectors.extend(references.service.iter().cloned());
    message
}

/// Waits for the end of a job.
pub fn ended(client: &mut Client, job: &str) -> Element {
    eventually("the job to end", PATIENCE, || {
        let job = get_job(client, job);
        (property(&job, "PercentComplete").as_deref() == Some("100")).then_some(job)
    })
}

/// A job as it is.
pub fn get_job(client: &mut Client, job: &str) -> Element {
    client.ask(&Message::get(&format!("{CIM}/CIM_ConcreteJob")).selector("InstanceID", job))
}

/// The names of all software identities.
pub fn installed_names(client: &mut Client) -> Vec<String> {
    let options = "<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>";
    let response = client.ask(&Message::enumerate(&format!("{CIM}/CIM_SoftwareIdentity"), options));
    assert!(child(&response, "EndOfSequence").is_some(), "more than one page of packages");
    let items = child(&response, "Items").unwrap();
    items.children.iter().filter_map(|n| n.as_element()).filter_map(|i| property(i, "Name")).collect()
}

/// The jobs that there are.
pub fn jobs(client: &mut Client) -> Vec<String> {
    let options = "<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>";
    let response = client.ask(&Message::enumerate(&format!("{CIM}/CIM_ConcreteJob"), options));
    descendants(&response, "InstanceID").into_iter().map(text_of).collect()
}
