//! Clause 11: Identify.

use crate::answer::{Answer, all, child, is, namespace, text};
use crate::peer::Peer;
use crate::rule::rules;
use crate::service::Own;

rules! {
    r11_1 "Identify is served where the resources are": holds(identify_is_served_where_the_resources_are);
    r11_2 "Identify needs no header, and unknown ones do not matter": holds(no_header_matters_to_identify);
    r11_3 "Identify needs no WS-Addressing": holds(no_header_matters_to_identify);
    r11_4 "Identify may be served without authentication": holds_here(strangers_may_identify);
    r11_5 "a stranger may be told nothing": holds_here(strangers_are_told_the_protocol_alone);
    r11_6 "who tells strangers no version tells it to users":
        not_applicable("strangers are told the protocol's version");
}

/// The whole request.
pub(crate) const REQUEST: &str = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\"><s:Header/><s:Body><i:Identify/></s:Body>\
    </s:Envelope>";

fn identify_is_served_where_the_resources_are(peer: &mut Peer) {
    let response = peer.send_text(REQUEST).succeeds();
    assert!(is(&response, "wsmid:IdentifyResponse"), "{response:?}");
    let versions: Vec<String> = all(&response, "wsmid:ProtocolVersion").into_iter().map(text).collect();
    assert!(versions.iter().any(|version| version == namespace("wsman")), "{versions:?}");
    peer.send(&peer.get()).succeeds();
}

fn no_header_matters_to_identify(peer: &mut Peer) {
    let headers = "<s:Header><x:Unicorn xmlns:x=\"urn:example:header\" s:mustUnderstand=\"false\"/>\
                   <a:Action xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\">urn:example:dance</a:Action></s:Header>";
    for request in [REQUEST.to_owned(), REQUEST.replace("<s:Header/>", ""), REQUEST.replace("<s:Header/>", headers)] {
        let response = peer.send_text(&request).succeeds();
        assert!(is(&response, "wsmid:IdentifyResponse"), "{request}: {response:?}");
    }
}

/// Identify from somebody without credentials, by both ways that lead there.
fn strangers_answers() -> [Answer; 2] {
    let mut stranger = Peer::of_user(None);
    let soap = ("Content-Type", "application/soap+xml;charset=UTF-8");
    let mut post = |path: &str, headers: &[(&str, &str)]| {
        Answer::new(stranger.client().post_to(path, headers, REQUEST.as_bytes()), REQUEST)
    };
    [post("/wsman-anon/identify", &[soap]), post("/wsman", &[soap, ("WSMANIDENTIFY", "unauthenticated")])]
}

fn strangers_may_identify(_: &mut Peer, _: &Own) {
    for answer in strangers_answers() {
        assert!(is(&answer.succeeds(), "wsmid:IdentifyResponse"), "{answer:?}");
    }
}

fn strangers_are_told_the_protocol_alone(peer: &mut Peer, _: &Own) {
    for answer in strangers_answers() {
        let response = answer.succeeds();
        assert_eq!(text(child(&response, "wsmid:ProtocolVersion").unwrap()), namespace("wsman"));
        assert!(child(&response, "wsmid:ProductVersion").is_none(), "{response:?}");
    }
    let response = peer.send_text(REQUEST).succeeds();
    assert_eq!(text(child(&response, "wsmid:ProductVersion").unwrap()), env!("CARGO_PKG_VERSION"));
}
