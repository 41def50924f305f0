//! Identify: Test-WSMan and others that ask who is there before they say who they are.

use crate::names::SOAP;
use crate::shared_host::SharedHost;
use crate::support::wsman::{Client, Reply, child, descendants, text_of};

const WSMID: &str = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd";

/// As Test-WSMan and GLPI's agent write it: no action, an empty header; wsmancli leaves the header out.
fn envelopes() -> [String; 3] {
    [
        format!(
            "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:wsmid=\"{WSMID}\"><s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>"
        ),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<s:Envelope xmlns:s=\"{SOAP}\" xmlns:wsmid=\"{WSMID}\"><s:Body>\
             <wsmid:Identify/></s:Body></s:Envelope>\n"
        ),
        format!(
            "<s:Envelope xmlns:s=\"{SOAP}\"><s:Header></s:Header><s:Body><i:Identify xmlns:i=\"{WSMID}\"></i:Identify></s:Body></s:Envelope>"
        ),
    ]
}

fn response(reply: &Reply) -> Vec<(String, String)> {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.body.starts_with("<s:Envelope "), "{}", reply.body);
    let content = reply.content();
    assert_eq!((content.name.as_str(), content.namespace.as_deref()), ("IdentifyResponse", Some(WSMID)));
    let version = child(&content, "ProtocolVersion").map(text_of);
    assert_eq!(version.as_deref(), Some("http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"));
    content.children.iter().filter_map(|n| n.as_element()).map(|e| (e.name.clone(), text_of(e))).collect()
}

const SOAP_TYPE: (&str, &str) = ("Content-Type", "application/soap+xml;charset=UTF-8");

/// A stranger learns the protocol, and neither the version nor how to log on.
#[test]
fn a_stranger_may_ask_in_two_ways() {
    let host = SharedHost::get();
    let mut stranger = Client::anonymous(host.port());
    for envelope in envelopes() {
        for (path, headers) in [
            ("/wsman", &[SOAP_TYPE, ("WSMANIDENTIFY", "unauthenticated")][..]),
            ("/wsman-anon/identify", &[SOAP_TYPE][..]),
        ] {
            let told = response(&stranger.post_to(path, headers, envelope.as_bytes()));
            assert!(!told.iter().any(|(name, _)| name.starts_with("Security")), "{told:?}");
        }
        assert_eq!(stranger.post_to("/wsman", &[SOAP_TYPE], envelope.as_bytes()).status, 401);
    }
}

#[test]
fn who_is_known_learns_how_to_log_on() {
    let host = SharedHost::get();
    for envelope in envelopes() {
        let reply = host.admin().post_to("/wsman", &[SOAP_TYPE], envelope.as_bytes());
        let told = response(&reply);
        assert!(told.iter().any(|(name, value)| name == "ProductVendor" && !value.is_empty()), "{told:?}");
        let content = reply.content();
        let profiles: Vec<String> = descendants(&content, "SecurityProfileName").into_iter().map(text_of).collect();
        assert!(profiles.iter().any(|profile| profile.ends_with("/secprofile/https/basic")), "{profiles:?}");
    }
}
