//! go-wsman, a client for Windows in Go: references among its arguments are wrapped, and its enumerations go on as long as
//! there is a context.

use std::fmt::Write as _;

use crate::names::{SOAP, WMI, WQL, WSA, WSEN, WSMAN, enumeration, lower_id};
use crate::peer::{Manners, Peer};
use crate::shared_host::SharedHost;
use crate::support::installation::install_message;
use crate::support::wsman::{ANONYMOUS, property};

const MANNERS: Manners = Manners::new(&[("Content-Type", "application/soap+xml;charset=UTF-8")]);

fn envelope(action: &str, resource: &str, keys: &[(String, String)], body: &str) -> String {
    let mut selectors = String::new();
    for (name, value) in keys {
        write!(selectors, "<w:Selector Name=\"{name}\">{value}</w:Selector>").unwrap();
    }
    format!(
        "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"{WSA}\" xmlns:n=\"{WSEN}\" xmlns:w=\"{WSMAN}\"><s:Header>\
         <a:Action s:mustUnderstand=\"true\">{action}</a:Action><a:To s:mustUnderstand=\"true\">https://127.0.0.1/wsman</a:To>\
         <w:ResourceURI s:mustUnderstand=\"true\">{resource}</w:ResourceURI><a:MessageID>{}</a:MessageID>\
         <a:ReplyTo><a:Address>{ANONYMOUS}</a:Address></a:ReplyTo><w:SelectorSet>{selectors}</w:SelectorSet></s:Header>\
         <s:Body>{body}</s:Body></s:Envelope>",
        lower_id()
    )
}

#[test]
fn a_reference_may_be_wrapped() {
    let host = SharedHost::get();
    let plain = install_message(&mut host.admin(), &format!("file://{}", host.new_package().display()));
    let body = plain.body.replace("<p:Target>", "<p:Target><a:EndpointReference>");
    let body = body.replace("</p:Target>", "</a:EndpointReference></p:Target>");
    assert_ne!(body, plain.body);
    let message = envelope(&plain.action, &plain.resource_uri, &plain.selectors, &body);
    let answer = Peer::new(&host, MANNERS).ask(&message);
    assert_eq!(property(answer.content(), "ReturnValue").as_deref(), Some("4096"), "{}", answer.text);
}

/// Not optimized, the reply holds the context that the first Pull takes.
#[test]
fn an_enumeration_begins_with_a_context() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let resource = format!("{WMI}/root/cimv2/*");
    let query = "select * from CIM_SoftwareIdentity where Name = 'beta'";
    let body = format!("<n:Enumerate><w:Filter Dialect=\"{WQL}\">{query}</w:Filter></n:Enumerate>");
    let mut context = peer.ask(&envelope(&enumeration("Enumerate"), &resource, &[], &body)).page_or_context();
    let mut names = Vec::new();
    while let Some(known) = context {
        let body = format!(
            "<n:Pull><n:EnumerationContext>{known}</n:EnumerationContext><n:MaxElements>10</n:MaxElements></n:Pull>"
        );
        let answer = peer.ask(&envelope(&enumeration("Pull"), &resource, &[], &body));
        let page = answer.page();
        names.extend(page.items.iter().map(|item| property(item, "Name").unwrap()));
        context = page.context;
    }
    assert_eq!(names, ["beta"]);
}
