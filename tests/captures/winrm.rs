//! winrm.cmd: the WMI form of the resource URI, and UTF-16 when it is asked for (`-encoding:utf-16`).

use std::fmt::Write as _;

use crate::names::{MS_WSMAN, SOAP, WMI, WQL, WSA, WSEN, WSMAN, WSMB, WXF, enumeration, transfer, upper_id};
use crate::peer::{Answer, Manners, Peer, attribute, elements, namespace, properties, selectors};
use crate::shared_host::{ALPHA, SharedHost};
use crate::support::wsman::{ANONYMOUS, child, property, text_of};

const UTF_8: Manners =
    Manners::new(&[("User-Agent", "Microsoft WinRM Client"), ("Content-Type", "application/soap+xml;charset=UTF-8")]);
const UTF_16: Manners = Manners {
    path: "/wsman",
    headers: &[("User-Agent", "Microsoft WinRM Client"), ("Content-Type", "application/soap+xml;charset=UTF-16")],
    utf16: true,
};

fn envelope(action: &str, resource: &str, keys: &[(&str, &str)], header: &str, body: &str) -> String {
    let mut selector_set = String::new();
    for (name, value) in keys {
        write!(selector_set, "<w:Selector Name=\"{name}\">{value}</w:Selector>").unwrap();
    }
    if !keys.is_empty() {
        selector_set = format!("<w:SelectorSet>{selector_set}</w:SelectorSet>");
    }
    format!(
        "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"{WSA}\" xmlns:n=\"{WSEN}\" xmlns:w=\"{WSMAN}\" xmlns:p=\"{MS_WSMAN}\" \
         xmlns:b=\"{WSMB}\"><s:Header><a:To>http://managed:5985/wsman</a:To>\
         <w:ResourceURI s:mustUnderstand=\"true\">{resource}</w:ResourceURI>\
         <a:ReplyTo><a:Address s:mustUnderstand=\"true\">{ANONYMOUS}</a:Address></a:ReplyTo>\
         <a:Action s:mustUnderstand=\"true\">{action}</a:Action>\
         <w:MaxEnvelopeSize s:mustUnderstand=\"true\">153600</w:MaxEnvelopeSize><a:MessageID>{}</a:MessageID>\
         <w:Locale xml:lang=\"de-DE\" s:mustUnderstand=\"false\"/>\
         <p:DataLocale xml:lang=\"de-DE\" s:mustUnderstand=\"false\"/>{header}{selector_set}\
         <w:OperationTimeout>PT60.000S</w:OperationTimeout></s:Header><s:Body>{body}</s:Body></s:Envelope>",
        upper_id()
    )
}

fn uri(class: &str) -> String {
    format!("{WMI}/root/cimv2/{class}")
}

/// Pages until the end, the first of them with Enumerate.
fn pages(peer: &mut Peer, resource: &str, rest: &str, mut look: impl FnMut(&Answer)) {
    let body = format!("<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>20</w:MaxElements>{rest}</n:Enumerate>");
    let mut answer = peer.ask(&envelope(&enumeration("Enumerate"), resource, &[], "", &body));
    loop {
        look(&answer);
        let page = answer.page();
        assert!(page.items.len() <= 20);
        let Some(context) = page.context else { return };
        let body = format!(
            "<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>20</n:MaxElements></n:Pull>"
        );
        answer = peer.ask(&envelope(&enumeration("Pull"), resource, &[], "", &body));
    }
}

/// `winrm enumerate wmicimv2/LMI_SoftwareIdentity`: who writes classes this way finds them written so in the reply.
#[test]
fn winrm_enumerates_in_utf_8_and_in_utf_16() {
    let host = SharedHost::get();
    for manners in [UTF_8, UTF_16] {
        let mut names = Vec::new();
        pages(&mut Peer::new(&host, manners), &uri("LMI_SoftwareIdentity"), "", |answer| {
            for item in answer.page().items {
                assert_eq!(namespace(item), uri("LMI_SoftwareIdentity"));
                assert_eq!(attribute(item, "type"), Some("p:LMI_SoftwareIdentity_Type"));
                names.push(property(item, "Name").unwrap());
            }
        });
        assert!(names.len() >= 152 && names.contains(&"alpha".to_owned()), "{names:?}");
    }
}

/// `-returntype:epr`: every reference is in the same form.
#[test]
fn winrm_enumerates_references() {
    let host = SharedHost::get();
    let rest = "<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>";
    pages(&mut Peer::new(&host, UTF_8), &uri("LMI_SoftwareIdentity"), rest, |answer| {
        for item in answer.page().items {
            let parameters = child(item, "ReferenceParameters").unwrap();
            assert_eq!(text_of(child(parameters, "ResourceURI").unwrap()), uri("LMI_SoftwareIdentity"));
            assert!(selectors(parameters).iter().any(|(name, _)| name == "InstanceID"));
        }
    });
}

/// `winrm enumerate wmi/root/cimv2/* -filter:"select …"`: picked properties are in no namespace, in the alphabet's order.
#[test]
fn winrm_picks_properties_with_wql() {
    let host = SharedHost::get();
    let query = "select Version,Name from LMI_SoftwareIdentity where Name = \"alpha\"";
    let filter = format!("<w:Filter Dialect=\"{WQL}\">{query}</w:Filter>");
    let mut found = Vec::new();
    pages(&mut Peer::new(&host, UTF_16), &uri("*"), &filter, |answer| {
        for item in answer.page().items {
            assert_eq!((item.name.as_str(), namespace(item)), ("XmlFragment", WSMAN));
            assert!(elements(item).all(|e| namespace(e).is_empty()), "{}", answer.text);
            found.push(properties(item));
        }
    });
    let value = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    assert_eq!(found, [[value("Name", "alpha"), value("Version", "1.0")]]);
}

#[test]
fn winrm_gets_an_instance_and_a_fragment_of_it() {
    let host = SharedHost::get();
    for manners in [UTF_8, UTF_16] {
        let mut peer = Peer::new(&host, manners);
        let keys = [("InstanceID", ALPHA)];
        let get = |header: &str| envelope(&transfer("Get"), &uri("LMI_SoftwareIdentity"), &keys, header, "");
        let answer = peer.ask(&get(""));
        assert_eq!(namespace(answer.content()), uri("LMI_SoftwareIdentity"));
        // What stands in the request is repeated, and says what the fragment is of.
        let answer =
            peer.ask(&get("<w:FragmentTransfer s:mustUnderstand=\"true\">VersionString/text()</w:FragmentTransfer>"));
        assert_eq!(text_of(answer.further_header("FragmentTransfer").unwrap()), "VersionString/text()");
        assert_eq!(
            (answer.content().name.as_str(), text_of(answer.content())),
            ("XmlFragment", "0:1.0-1.all".to_owned())
        );
    }
}

/// `winrm set wmicimv2/LMI_SoftwareInstallationJob?InstanceID=… @{Priority="2"}`: only what is set, the keys beside it.
#[test]
fn winrm_sets_a_property() {
    let host = SharedHost::get();
    let job = host.ended_job();
    let class = uri("LMI_SoftwareInstallationJob");
    let body = format!(
        "<p:LMI_SoftwareInstallationJob xmlns:p=\"{class}\"><p:Priority>2</p:Priority></p:LMI_SoftwareInstallationJob>"
    );
    let put = envelope(&transfer("Put"), &class, &[("InstanceID", &job)], "", &body);
    let answer = Peer::new(&host, UTF_16).ask(&put);
    assert_eq!(answer.action(), transfer("PutResponse"));
    assert_eq!(property(answer.content(), "Priority").as_deref(), Some("2"));
    assert_eq!(namespace(answer.content()), class);
}

/// `winrm invoke GetError wmicimv2/LMI_SoftwareInstallationJob?InstanceID=…`: a method without arguments.
#[test]
fn winrm_invokes_a_method() {
    let host = SharedHost::get();
    let job = host.ended_job();
    let class = uri("LMI_SoftwareInstallationJob");
    let body = format!("<p:GetError_INPUT xmlns:p=\"{class}\"/>");
    let invoke = envelope(&format!("{class}/GetError"), &class, &[("InstanceID", &job)], "", &body);
    let answer = Peer::new(&host, UTF_8).ask(&invoke);
    assert_eq!(answer.action(), format!("{class}/GetErrorResponse"));
    assert_eq!((answer.content().name.as_str(), namespace(answer.content())), ("GetError_OUTPUT", class.as_str()));
    assert_eq!(property(answer.content(), "ReturnValue").as_deref(), Some("0"));
}

/// The namespace may be in the URI and in a selector; two that differ contradict each other.
#[test]
fn the_namespace_may_be_named_twice_if_it_is_the_same() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, UTF_8);
    let get = |namespace: &str| {
        let keys = [("__cimnamespace", namespace), ("InstanceID", ALPHA)];
        envelope(&format!("{WXF}/Get"), &uri("LMI_SoftwareIdentity"), &keys, "", "")
    };
    peer.ask(&get("ROOT\\cimv2"));
    assert_eq!(peer.refused(&get("root/interop")).short(), "wsman:InvalidSelectors [InvalidValue]");
}
