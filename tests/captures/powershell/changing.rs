//! Set-, New- and Remove-CimInstance, and Invoke-CimMethod.

use std::fmt::Write as _;

use xmltree::Element;

use super::{Message, peer};
use crate::names::{CIM_COMMON, LMI, XSI, transfer};
use crate::peer::{Peer, attribute, elements, properties, selectors};
use crate::shared_host::SharedHost;
use crate::support::installation::install_message;
use crate::support::wsman::{CIM, child, property, text_of};

const JOB: &str = "LMI_SoftwareInstallationJob";

fn job_uri() -> String {
    format!("{LMI}/{JOB}")
}

fn get_job(peer: &mut Peer, id: &str) -> Element {
    let message = Message {
        action: &transfer("Get"),
        resource: &job_uri(),
        selectors: &[("__cimnamespace", "root/cimv2"), ("InstanceID", id)],
        options: "",
        body: "",
    };
    peer.ask(&message.envelope()).content().clone()
}

/// Set-CimInstance: the whole instance as it was got, some of it changed. Which of it counts stands in an option.
fn set(peer: &mut Peer, id: &str, listed: &[&str], instance: &str) -> Element {
    let options = listed.iter().fold(String::new(), |options, name| {
        options
            + &format!(
                "<w:Option Name=\"wmiarray:__MIInstanceModifiedPropertiesList\" Type=\"xs:string\">{name}</w:Option>"
            )
    });
    let message = Message {
        action: &transfer("Put"),
        resource: &job_uri(),
        selectors: &[("__cimnamespace", "root/cimv2"), ("InstanceID", id)],
        options: &options,
        body: instance,
    };
    let answer = peer.ask(&message.envelope());
    assert_eq!(answer.action(), transfer("PutResponse"));
    assert_eq!(answer.content().name, JOB, "the reply shows the instance");
    answer.content().clone()
}

/// The instance as PowerShell writes it: types with a prefix that is declared nowhere, and nil for every NULL.
fn written(instance: &Element, changed: &[(&str, &str)]) -> String {
    let uri = job_uri();
    let mut body = format!("<p0:{JOB} xmlns:xsi=\"{XSI}\" xmlns:p0=\"{uri}\" xsi:type=\"p0:{JOB}_Type\">");
    for element in elements(instance) {
        let name = &element.name;
        if let Some((_, content)) = changed.iter().find(|(changed, _)| *changed == name) {
            write!(body, "<p0:{name} {content}</p0:{name}>").unwrap();
        } else if attribute(element, "nil") == Some("true") {
            let array = if attribute(element, "IsNullArray").is_some() { " p:IsNullArray=\"true\"" } else { "" };
            write!(body, "<p0:{name} xsi:nil=\"true\"{array} />").unwrap();
        } else if let Some(time) = elements(element).next() {
            let (kind, time) = (&time.name, text_of(time));
            write!(
                body,
                "<p0:{name} xsi:type=\"cim:cimDateTime\"><cim:{kind} xmlns:cim=\"{CIM_COMMON}\">{time}</cim:{kind}></p0:{name}>"
            )
            .unwrap();
        } else {
            let text = text_of(element).replace('&', "&amp;").replace('<', "&lt;");
            let kind = match text.as_str() {
                "true" | "false" => "cimBoolean",
                digits if digits.bytes().all(|b| b.is_ascii_digit()) => "cimUnsignedInt",
                _ => "cimString",
            };
            write!(body, "<p0:{name} xsi:type=\"cim:{kind}\">{text}</p0:{name}>").unwrap();
        }
    }
    body + &format!("</p0:{JOB}>")
}

#[test]
fn set_cim_instance_changes_what_it_lists_of_a_whole_instance() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let id = host.ended_job();
    let before = get_job(&mut peer, &id);
    assert!(properties(&before).iter().any(|(_, value)| value.is_none()), "a job has NULLs");
    let hour =
        format!("xsi:type=\"cim:cimDateTime\"><cim:Interval xmlns:cim=\"{CIM_COMMON}\">P0DT1H0M0S</cim:Interval>");
    let body = written(
        &before,
        &[
            ("TimeBeforeRemoval", &hour),
            ("Priority", "xsi:type=\"cim:cimUnsignedInt\">7"),
            ("Name", "xsi:type=\"cim:cimString\">mine"),
        ],
    );

    let shown = set(&mut peer, &id, &["TimeBeforeRemoval"], &body);
    assert_eq!(property(&shown, "TimeBeforeRemoval").as_deref(), Some("PT1H"));
    assert_eq!(property(&shown, "Priority"), property(&before, "Priority"), "it was not listed");

    let shown = set(
        &mut peer,
        &id,
        &["Priority", "DeleteOnCompletion"],
        &written(
            &shown,
            &[
                ("Priority", "xsi:type=\"cim:cimUnsignedInt\">9"),
                ("DeleteOnCompletion", "xsi:type=\"cim:cimBoolean\">false"),
            ],
        ),
    );
    assert_eq!(property(&shown, "Priority").as_deref(), Some("9"));
    assert_eq!(property(&shown, "DeleteOnCompletion").as_deref(), Some("false"));
    let unchanged = |instance: &Element| -> Vec<_> {
        let changed = ["TimeBeforeRemoval", "Priority", "DeleteOnCompletion", "ElapsedTime", "TimeOfLastStateChange"];
        properties(instance).into_iter().filter(|(name, _)| !changed.contains(&name.as_str())).collect()
    };
    assert_eq!(unchanged(&get_job(&mut peer, &id)), unchanged(&before));
}

/// A whole instance without the list, every NULL as nil: what can be changed is, the rest is passed over.
#[test]
fn set_cim_instance_with_nothing_listed_changes_what_differs() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let id = host.ended_job();
    let before = get_job(&mut peer, &id);
    let shown = set(&mut peer, &id, &[], &written(&before, &[("Priority", "xsi:type=\"cim:cimUnsignedInt\">3")]));
    assert_eq!(property(&shown, "Priority").as_deref(), Some("3"));
    assert_eq!(property(&shown, "JobStatus"), property(&before, "JobStatus"));
}

/// A new filter; its reference names it to Get-CimInstance, and to Remove-CimInstance, which takes it away.
#[test]
fn new_cim_instance_tells_the_name_that_remove_cim_instance_needs() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let uri = format!("{CIM}/CIM_IndicationFilter");
    let name = host.new_name("powershell:filter");
    let body = format!(
        "<p:CIM_IndicationFilter xmlns:xsi=\"{XSI}\" xmlns:p=\"{uri}\" xsi:type=\"p:CIM_IndicationFilter_Type\">\
         <p:Name xsi:type=\"cim:cimString\">{name}</p:Name>\
         <p:Query xsi:type=\"cim:cimString\">SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob</p:Query>\
         <p:QueryLanguage xsi:type=\"cim:cimString\">DMTF:CQL</p:QueryLanguage></p:CIM_IndicationFilter>"
    );
    let interop = ("__cimnamespace", "root/interop");
    let create =
        Message { action: &transfer("Create"), resource: &uri, selectors: &[interop], options: "", body: &body };
    let answer = peer.ask(&create.envelope());
    assert_eq!(answer.action(), transfer("CreateResponse"));
    let created = answer.content();
    assert_eq!(created.name, "ResourceCreated");
    let parts: Vec<&str> = elements(created).map(|e| e.name.as_str()).collect();
    assert_eq!(parts, ["Address", "ReferenceParameters"]);
    let parameters = child(created, "ReferenceParameters").unwrap();
    assert_eq!(text_of(child(parameters, "ResourceURI").unwrap()), uri);
    let keys = selectors(parameters);
    assert!(keys.contains(&("Name".to_owned(), name.clone())), "{keys:?}");
    assert!(keys.contains(&("__cimnamespace".to_owned(), "root/interop".to_owned())), "{keys:?}");

    let keys: Vec<(&str, &str)> = keys.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let of = |action: &str| Message { action, resource: &uri, selectors: &keys, options: "", body: "" }.envelope();
    let got = peer.ask(&of(&transfer("Get")));
    assert_eq!(property(got.content(), "QueryLanguage").as_deref(), Some("DMTF:CQL"));
    let removed = peer.ask(&of(&transfer("Delete")));
    assert_eq!(removed.action(), transfer("DeleteResponse"));
    assert!(removed.is_empty(), "{}", removed.text);
    assert_eq!(peer.refused(&of(&transfer("Get"))).subcode, "wsa:DestinationUnreachable");
}

#[test]
fn remove_cim_instance_removes_a_job_that_has_ended() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let id = host.ended_job();
    let keys = [("__cimnamespace", "root/cimv2"), ("InstanceID", id.as_str())];
    let delete = Message { action: &transfer("Delete"), resource: &job_uri(), selectors: &keys, options: "", body: "" };
    assert!(peer.ask(&delete.envelope()).is_empty());
    assert_eq!(peer.refused(&delete.envelope()).subcode, "wsa:DestinationUnreachable");
}

/// The class of the type attribute is nobody's, and the action of the reply is the request's with `Response`.
#[test]
fn invoke_cim_method_returns_what_the_method_returned() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let id = host.ended_job();
    let uri = job_uri();
    let body = format!(
        "<p:RequestStateChange_INPUT xmlns:p=\"{uri}\" xmlns:xsi=\"{XSI}\" xsi:type=\"p:RequestStateChange_INPUT_Type\">\
         <p:RequestedState xsi:type=\"cim:cimUnsignedShort\">4</p:RequestedState></p:RequestStateChange_INPUT>"
    );
    let action = format!("{uri}/RequestStateChange");
    let message = Message {
        action: &action,
        resource: &uri,
        selectors: &[("__cimnamespace", "root/cimv2"), ("InstanceID", &id)],
        options: "",
        body: &body,
    };
    let answer = peer.ask(&message.envelope());
    assert_eq!(answer.action(), format!("{action}Response"));
    assert_eq!(answer.content().name, "RequestStateChange_OUTPUT");
    assert_eq!(properties(answer.content()), [("ReturnValue".to_owned(), Some("4097".to_owned()))]);
}

/// References in both directions: the system goes as one, the job comes as one, directly in the parameter.
#[test]
fn invoke_cim_method_sends_and_receives_references() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let plain = install_message(&mut host.admin(), &format!("file://{}", host.new_package().display()));
    let keys: Vec<(&str, &str)> = plain.selectors.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = plain.body.replacen(
        "_INPUT ",
        &format!("_INPUT xmlns:xsi=\"{XSI}\" xsi:type=\"p:InstallFromURI_INPUT_Type\" "),
        1,
    );
    let message =
        Message { action: &plain.action, resource: &plain.resource_uri, selectors: &keys, options: "", body: &body };
    let answer = peer.ask(&message.envelope());
    assert_eq!(property(answer.content(), "ReturnValue").as_deref(), Some("4096"), "{}", answer.text);
    let job = child(answer.content(), "Job").unwrap();
    let parts: Vec<&str> = elements(job).map(|e| e.name.as_str()).collect();
    assert_eq!(parts, ["Address", "ReferenceParameters"]);
    assert!(selectors(job).iter().any(|(name, _)| name == "InstanceID"));
}
