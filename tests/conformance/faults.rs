//! Clause 14: faults in general. Which faults there are and what leads to them: [`crate::provoked`].

use crate::answer::{Fault, child, is, text};
use crate::peer::Peer;
use crate::rule::rules;
use crate::support::wsman::Message;

rules! {
    r14_1_1 "faults are those of SOAP 1.2": holds(faults_have_the_form_of_the_standard);
    r14_2_1 "a fault has headers, code, subcode, reason and detail": holds(faults_have_the_form_of_the_standard);
    r14_2_2 "the Action of a fault is that of its standard": holds(every_family_of_faults_has_its_action);
    r14_6_1 "operations of the standard have the faults of the standard": holds(every_family_of_faults_has_its_action);
}

fn faults_have_the_form_of_the_standard(peer: &mut Peer) {
    let answer = peer.send(&peer.request("urn:example:dance", ""));
    answer.refuses("wsa:ActionNotSupported", "");
    let envelope = answer.envelope();
    let fault = child(child(&envelope, "s:Body").unwrap(), "s:Fault").unwrap();
    let names: Vec<&str> = fault.children.iter().filter_map(|n| n.as_element()).map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["Code", "Reason", "Detail"]);
    let code = child(fault, "s:Code").unwrap();
    assert!(child(code, "s:Value").is_some() && child(child(code, "s:Subcode").unwrap(), "s:Value").is_some());
    let reason = child(child(fault, "s:Reason").unwrap(), "s:Text").unwrap();
    assert!(is(reason, "s:Text") && reason.attributes.contains_key("lang"));
    for header in ["wsa:Action", "wsa:MessageID", "wsa:RelatesTo", "wsa:To"] {
        answer.header_text(header);
    }
}

fn every_family_of_faults_has_its_action(peer: &mut Peer) {
    let fault = |peer: &mut Peer, request: &Message| -> Fault { peer.send(request).fault() };
    let addressing = fault(peer, &peer.request("urn:example:dance", ""));
    let enumeration = fault(peer, &peer.pull("none", ""));
    let tight = peer.get().header("<w:MaxEnvelopeSize>1</w:MaxEnvelopeSize>");
    let management = fault(peer, &tight);
    for (fault, subcode, action) in [
        (addressing, "wsa:ActionNotSupported", "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault"),
        (enumeration, "wsen:InvalidEnumerationContext", "http://schemas.xmlsoap.org/ws/2004/09/enumeration/fault"),
        (management, "wsman:EncodingLimit", "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"),
    ] {
        assert_eq!((fault.subcode.as_str(), fault.action.as_str()), (subcode, action));
        let detail = fault.elements.iter().find(|element| is(element, "wsman:FaultDetail"));
        assert!(
            detail.is_none_or(
                |detail| text(detail).starts_with("http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/")
            )
        );
    }
}
