//! Annex B: conformance itself.

use crate::answer::{child, is};
use crate::peer::Peer;
use crate::rule::rules;

rules! {
    rb_1 "a conformant service complies with all rules":
        not_applicable("it speaks of this table as a whole: what deviates says so in its line");
    rb_2 "the namespace is http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd": holds(the_namespace_is_that_of_the_standard);
    rb_3 "nobody else uses the namespace": not_applicable("it forbids the namespace to who does not speak WS-Management");
}

fn the_namespace_is_that_of_the_standard(peer: &mut Peer) {
    let context = "<w:OptimizeEnumeration/><w:EnumerationMode>EnumerateEPR</w:EnumerationMode>";
    let response = peer.send(&peer.enumerate(context)).succeeds();
    let items = child(&response, "wsman:Items").expect("no wsman:Items");
    let reference = items.children.iter().find_map(|node| node.as_element()).unwrap();
    assert!(is(reference, "wsa:EndpointReference"));
    assert!(child(child(reference, "wsa:ReferenceParameters").unwrap(), "wsman:ResourceURI").is_some());
}
