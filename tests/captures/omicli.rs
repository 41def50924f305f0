//! omicli over WS-Management: it declares a prefix `xsi` that is none, sends an empty OptionSet that must be understood,
//! and writes its address with a capital scheme and a slash at the end.

use std::fmt::Write as _;

use crate::names::{CQL, MS_SHELL, MS_WSMAN, SOAP, WMI, WQL, WSA, WSEN, WSMAN, enumeration, transfer, upper_id};
use crate::peer::{Manners, Peer, elements, namespace, properties, selectors};
use crate::shared_host::{ALPHA, SharedHost};
use crate::support::installation::install_message;
use crate::support::wsman::{ANONYMOUS, CIM, child, property};

const MANNERS: Manners = Manners {
    path: "/wsman/",
    headers: &[("Connection", "Keep-Alive"), ("Content-Type", "application/soap+xml;charset=UTF-8")],
    utf16: false,
};

fn envelope(action: &str, resource: &str, keys: &[(&str, &str)], body: &str) -> String {
    let mut selectors = String::new();
    for (name, value) in keys {
        write!(selectors, "<w:Selector Name=\"{name}\">{value}</w:Selector>").unwrap();
    }
    format!(
        "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"{WSA}\" xmlns:n=\"{WSEN}\" xmlns:w=\"{WSMAN}\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema\" xmlns:h=\"{MS_SHELL}\" xmlns:p=\"{MS_WSMAN}\" ><s:Header>\
         <a:To>HTTP://127.0.0.1:5985/wsman/</a:To><w:ResourceURI s:mustUnderstand=\"true\">{resource}</w:ResourceURI>\
         <a:ReplyTo><a:Address s:mustUnderstand=\"true\">{ANONYMOUS}</a:Address></a:ReplyTo><a:Action>{action}</a:Action>\
         <w:MaxEnvelopeSize s:mustUnderstand=\"true\">102400</w:MaxEnvelopeSize><a:MessageID>{}</a:MessageID>\
         <w:OperationTimeout>PT1M30S</w:OperationTimeout><w:Locale xml:lang=\"en-us\" s:mustUnderstand=\"false\"/>\
         <p:DataLocale xml:lang=\"en-us\" s:mustUnderstand=\"false\"/><w:OptionSet s:mustUnderstand=\"true\"></w:OptionSet>\
         <w:SelectorSet>{selectors}</w:SelectorSet></s:Header><s:Body>{body}</s:Body></s:Envelope>",
        upper_id()
    )
}

const CIMV2: (&str, &str) = ("__cimnamespace", "root/cimv2");

fn software() -> String {
    format!("{CIM}/CIM_SoftwareIdentity")
}

/// `omicli ei root/cimv2 CIM_SoftwareIdentity`, and `wql` and `cql`: the shape of the pages is what it crashes at.
#[test]
fn omicli_enumerates_and_queries() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let filter = |dialect: &str| {
        let query = "select * from CIM_SoftwareIdentity where Name = 'beta'";
        format!("<w:Filter Dialect=\"{dialect}\">{query}</w:Filter>")
    };
    let every = format!("{WMI}/root/cimv2/*");
    for (resource, filter, least) in
        [(software(), String::new(), 152), (every.clone(), filter(WQL), 1), (every, filter(CQL), 1)]
    {
        let body =
            format!("<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>{filter}</n:Enumerate>");
        let mut answer = peer.ask(&envelope(&enumeration("Enumerate"), &resource, &[CIMV2], &body));
        let mut count = 0;
        loop {
            let page = answer.page();
            count += page.items.len();
            let Some(context) = page.context else { break };
            let body = format!(
                "<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>1000</n:MaxElements></n:Pull>"
            );
            answer = peer.ask(&envelope(&enumeration("Pull"), &resource, &[CIMV2], &body));
        }
        assert!(count >= least && (least > 1 || count == 1), "{resource} {filter}: {count}");
    }
}

/// An enumeration of nothing holds an empty Items.
#[test]
fn omicli_enumerates_nothing() {
    let host = SharedHost::get();
    let query = "select * from CIM_SoftwareIdentity where Name = 'nothing'";
    let body = format!(
        "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>\
         <w:Filter Dialect=\"{WQL}\">{query}</w:Filter></n:Enumerate>"
    );
    let resource = format!("{WMI}/root/cimv2/*");
    let answer = Peer::new(&host, MANNERS).ask(&envelope(&enumeration("Enumerate"), &resource, &[CIMV2], &body));
    let page = answer.page();
    assert!(page.items.is_empty() && page.context.is_none());
}

/// `omicli id` asks for a class of OMI's own in a namespace of its own; neither is here.
#[test]
fn omicli_is_told_that_this_is_not_omi() {
    let host = SharedHost::get();
    let body = "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements></n:Enumerate>";
    let resource = format!("{CIM}/OMI_Identify");
    let message = envelope(&enumeration("Enumerate"), &resource, &[("__cimnamespace", "root/omi")], body);
    assert_eq!(Peer::new(&host, MANNERS).refused(&message).subcode, "wsa:DestinationUnreachable");
}

/// `omicli gi`, and `mi`, `ci`, `di`: instances without types, keys among the properties.
#[test]
fn omicli_gets_modifies_creates_and_deletes() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let got = peer.ask(&envelope(&transfer("Get"), &software(), &[CIMV2, ("InstanceID", ALPHA)], ""));
    assert_eq!(property(got.content(), "Name").as_deref(), Some("alpha"));

    let job = host.ended_job();
    let uri = format!("{CIM}/LMI_SoftwareInstallationJob");
    let body = format!(
        "<p:LMI_SoftwareInstallationJob xmlns:p=\"{uri}\"><p:InstanceID>{job}</p:InstanceID><p:Priority>5</p:Priority>\
         <p:DeleteOnCompletion>FALSE</p:DeleteOnCompletion></p:LMI_SoftwareInstallationJob>"
    );
    let put = peer.ask(&envelope(&transfer("Put"), &uri, &[CIMV2, ("InstanceID", &job)], &body));
    assert_eq!(namespace(put.content()), uri);
    assert_eq!(property(put.content(), "Priority").as_deref(), Some("5"));
    assert_eq!(property(put.content(), "DeleteOnCompletion").as_deref(), Some("false"));

    let uri = format!("{CIM}/CIM_IndicationFilter");
    let name = host.new_name("omicli:filter");
    let body = format!(
        "<p:CIM_IndicationFilter xmlns:p=\"{uri}\"><p:Name>{name}</p:Name><p:QueryLanguage>DMTF:CQL</p:QueryLanguage>\
         <p:Query>SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob</p:Query>\
         </p:CIM_IndicationFilter>"
    );
    let interop = [("__cimnamespace", "root/interop")];
    let created = peer.ask(&envelope(&transfer("Create"), &uri, &interop, &body));
    assert_eq!(created.content().name, "ResourceCreated");
    let keys = selectors(child(created.content(), "ReferenceParameters").unwrap());
    let keys: Vec<(&str, &str)> = keys.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert!(peer.ask(&envelope(&transfer("Delete"), &uri, &keys, "")).is_empty());
}

/// `omicli iv … InstallFromURI { … }`: it reads a reference that comes out directly in the parameter, and no other.
#[test]
fn omicli_invokes() {
    let host = SharedHost::get();
    let plain = install_message(&mut host.admin(), &format!("file://{}", host.new_package().display()));
    let keys: Vec<(&str, &str)> = plain.selectors.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = Peer::new(&host, MANNERS).ask(&envelope(&plain.action, &plain.resource_uri, &keys, &plain.body));
    assert!(answer.action().starts_with(&plain.action), "{}", answer.text);
    let names: Vec<&str> = elements(answer.content()).map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["Job", "ReturnValue"]);
    let job: Vec<&str> = elements(child(answer.content(), "Job").unwrap()).map(|e| e.name.as_str()).collect();
    assert_eq!(job, ["Address", "ReferenceParameters"]);
    assert_eq!(properties(answer.content())[1].1.as_deref(), Some("4096"));
}
