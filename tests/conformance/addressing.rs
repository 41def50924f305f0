//! Clause 5: addressing (5.1 to 5.3).

use crate::answer::{Answer, Page, elements, is, text};
use crate::peer::{Endpoint, Peer, instances};
use crate::rule::rules;
use crate::service::{Own, VIEWER};
use crate::support::wsman::{ANONYMOUS, CIM, Message, without};

rules! {
    r5_1_1_1 "every message repeats the EPR of its resource, Pull and Release too": holds(a_pull_repeats_the_resource);
    r5_1_1_2 "an EPR that the service gave is taken back": holds(an_epr_from_the_service_leads_to_its_instance);
    r5_1_1_3 "an EPR stays good as long as its resource": holds(an_epr_can_be_used_again_and_again);
    r5_1_2_1_1 "a ResourceURI is any URI": holds(resource_uris_are_uris);
    r5_1_2_1_2 "a vendor's URI starts with its domain": holds(resource_uris_begin_with_a_domain);
    r5_1_2_1_3 "ResourceURI is needed by the operations of Transfer, Enumeration and Subscribe":
        holds(operations_without_resource_uri_are_refused);
    r5_1_2_1_4 "a custom action may have a ResourceURI": holds_here(a_method_is_called_with_a_resource_uri);
    r5_1_2_1_5 "replies carry no ResourceURI of their own": holds(replies_have_no_resource_uri);
    r5_1_2_1_6 "a missing or wrong ResourceURI is wsa:DestinationUnreachable":
        holds(a_resource_uri_that_names_nothing_is_unreachable);
    r5_1_2_1_7 "the ResourceURI does not say what to do": holds(one_resource_uri_serves_several_actions);
    r5_1_2_2_1 "a SelectorSet tells instances apart": holds(selectors_tell_instances_apart);
    r5_1_2_2_2 "selectors mean something within their ResourceURI only":
        holds_here(selectors_of_one_class_name_nothing_in_another);
    r5_1_2_2_3 "selectors are joined by AND, and wrong ones are wsman:InvalidSelectors":
        holds_here(selectors_must_all_be_there_and_right);
    r5_1_2_2_4 "no selector twice": holds(a_selector_that_is_given_twice_is_refused);
    r5_1_2_2_5 "a selector holds a simple value or an EPR": holds_here(a_selector_holds_text_or_a_reference);
    r5_1_2_2_6 "an EPR inside a selector may be refused for its address":
        holds_here(the_address_inside_a_selector_does_not_matter);
    r5_1_2_2_7 "names of selectors over 2,048 characters may be refused": holds_here(a_long_selector_name_is_a_limit);
    r5_1_2_2_8 "values over 4,096 and sets over 8,096 characters may be refused": holds_here(long_selectors_are_a_limit);
    r5_1_3_1 "a service without the default addressing model says so":
        not_applicable("the default addressing model is understood");
    r5_1_3_2 "a service may need further headers": holds(no_header_beyond_the_standard_is_needed);
    r5_2_1 "mustUnderstand changes nothing for headers that are known": holds(known_headers_may_be_mandatory);
    r5_2_2 "an unknown mandatory header is s:NotUnderstood": holds(unknown_mandatory_headers_are_named);
    r5_3_1 "wsa:To is in all messages, and /wsman is for users": holds_here(to_is_everywhere_and_strangers_stay_outside);
    r5_3_2 "/wsman-anon needs no authentication": holds_here(strangers_have_a_path_of_their_own);
    r5_3_3 "a resource that cannot be had gets the fault that says why": holds_here(what_cannot_be_had_is_told_apart);
}

fn a_pull_repeats_the_resource(peer: &mut Peer) {
    let context = peer.open("");
    let pull = peer.pull(&context, "");
    peer.send_text(&without(&pull.envelope(), "w:ResourceURI")).fault();
    assert_eq!(Page::of(&peer.send(&pull).succeeds()).items.len(), 1);
}

fn an_epr_from_the_service_leads_to_its_instance(peer: &mut Peer) {
    for endpoint in instances() {
        let (name, value) = endpoint.key();
        let got = peer.send(&peer.get_at(endpoint)).succeeds();
        let property = elements(&got).find(|e| e.name == *name).unwrap_or_else(|| panic!("no {name} in {got:?}"));
        assert_eq!(text(property), *value);
    }
}

fn an_epr_can_be_used_again_and_again(peer: &mut Peer) {
    let first = peer.send(&peer.get()).succeeds();
    peer.open("");
    let mut other = Peer::new();
    assert_eq!(other.send(&other.get()).succeeds().name, first.name);
    assert_eq!(peer.send(&peer.get()).succeeds(), first);
}

fn resource_uris_are_uris(_: &mut Peer) {
    for endpoint in instances() {
        url::Url::parse(&endpoint.resource_uri).unwrap();
        url::Url::parse(&endpoint.address).unwrap();
    }
}

fn resource_uris_begin_with_a_domain(_: &mut Peer) {
    for endpoint in instances() {
        let uri = url::Url::parse(&endpoint.resource_uri).unwrap();
        assert!(uri.domain().is_some_and(|domain| domain.contains('.')), "{uri}");
    }
}

fn operations_without_resource_uri_are_refused(peer: &mut Peer) {
    let transfer = |name: &str| peer.request(&format!("http://schemas.xmlsoap.org/ws/2004/09/transfer/{name}"), "");
    let eventing = "http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe";
    let mut requests = vec![peer.get(), transfer("Put"), transfer("Create"), transfer("Delete"), peer.enumerate("")];
    requests.push(peer.request(eventing, "<e:Subscribe><e:Delivery/></e:Subscribe>"));
    let context = peer.open("");
    requests.extend([peer.pull(&context, ""), peer.release(&context)]);
    for request in requests {
        let fault = peer.send_text(&without(&request.envelope(), "w:ResourceURI")).fault();
        let known = ["wsa:DestinationUnreachable", "wsa:MessageInformationHeaderRequired", "wse:InvalidMessage"];
        assert!(known.contains(&fault.subcode.as_str()), "{}: {fault:?}", request.action);
    }
}

pub(crate) fn a_method_is_called_with_a_resource_uri(peer: &mut Peer, own: &Own) {
    let call = own.method(peer, "RequestStateChange", &[("RequestedState", "2")]);
    let answer = peer.send(&call);
    assert!(is_output(&answer, "RequestStateChange"), "{answer:?}");
    assert_eq!(answer.header_text("wsa:Action"), format!("{}Response", call.action));
}

fn is_output(answer: &Answer, method: &str) -> bool {
    answer.succeeds().name == format!("{method}_OUTPUT")
}

fn replies_have_no_resource_uri(peer: &mut Peer) {
    for request in [peer.get(), peer.enumerate("")] {
        let answer = peer.send(&request);
        answer.succeeds();
        assert_eq!(answer.header("wsman:ResourceURI"), None);
    }
}

fn a_resource_uri_that_names_nothing_is_unreachable(peer: &mut Peer) {
    let get = peer.get().envelope();
    let whole = format!("<w:ResourceURI>{}</w:ResourceURI>", instances()[0].resource_uri);
    for uri in ["", "<w:ResourceURI/>", "<w:ResourceURI>urn:example:unicorn</w:ResourceURI>"] {
        let answer = peer.send_text(&get.replace(&whole, uri));
        answer.refuses("wsa:DestinationUnreachable", "InvalidResourceURI");
    }
    let unknown = Message::get(&format!("{CIM}/CIM_Unicorn"));
    peer.send(&peer.to(unknown)).refuses("wsa:DestinationUnreachable", "InvalidResourceURI").names("CIM_Unicorn");
}

fn one_resource_uri_serves_several_actions(peer: &mut Peer) {
    let (get, enumerate) = (peer.get(), peer.enumerate(""));
    let enumerate = Message { resource_uri: get.resource_uri.clone(), ..enumerate };
    peer.send(&get).succeeds();
    assert!(is(&peer.send(&enumerate).succeeds(), "wsen:EnumerateResponse"));
}

fn selectors_tell_instances_apart(peer: &mut Peer) {
    assert_ne!(peer.send(&peer.get_instance(0)).succeeds(), peer.send(&peer.get_instance(1)).succeeds());
}

fn selectors_of_one_class_name_nothing_in_another(peer: &mut Peer, _: &Own) {
    let get = Message { resource_uri: format!("{CIM}/CIM_ConcreteJob"), ..peer.get() };
    peer.send(&get).refuses("wsa:DestinationUnreachable", "");
}

/// An association: its keys are two references.
fn link(peer: &mut Peer) -> Endpoint {
    let options = "<w:OptimizeEnumeration/><w:EnumerationMode>EnumerateEPR</w:EnumerationMode>";
    let class = format!("{CIM}/CIM_InstalledSoftwareIdentity");
    let request = Message { resource_uri: class, ..peer.enumerate(options) };
    Endpoint::read(&Page::of(&peer.send(&request).succeeds()).items[0])
}

fn selectors_must_all_be_there_and_right(peer: &mut Peer, _: &Own) {
    let refused = |peer: &mut Peer, request: &Message, detail, word: &str| {
        peer.send(request).refuses("wsman:InvalidSelectors", detail).names(word);
    };
    let (name, _) = instances()[0].key();
    let none = Message { selectors: Vec::new(), ..peer.get() };
    refused(peer, &none, "InsufficientSelectors", name);
    let unknown = peer.get().selector("Colour", "red");
    refused(peer, &unknown, "UnexpectedSelectors", "Colour");

    let link = link(peer);
    let get = peer.get_at(&link);
    assert_eq!(peer.send(&get).succeeds().name, "LMI_InstalledSoftwareIdentity");
    let text_for_a_reference = |name: &str| {
        let mut get = get.clone();
        get.selectors.iter_mut().find(|(n, _)| n == name).unwrap().1 = "me".to_owned();
        get
    };
    refused(peer, &text_for_a_reference("System"), "TypeMismatch", "System");
    let mut other_end = get.clone();
    let installed = other_end.selectors.iter_mut().find(|(n, _)| n == "InstalledSoftware").unwrap();
    installed.1 = installed.1.replace("filler-", "ghost-");
    peer.send(&other_end).refuses("wsa:DestinationUnreachable", "");
    let uri = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/CIM_SoftwareIdentity".to_owned();
    let elsewhere = Message { resource_uri: uri, selectors: Vec::new(), ..peer.get() };
    let elsewhere = elsewhere.selector("__cimnamespace", "root/interop");
    refused(peer, &elsewhere, "InvalidValue", "__cimnamespace");
}

fn a_selector_that_is_given_twice_is_refused(peer: &mut Peer) {
    let (name, value) = instances()[0].key();
    let get = peer.get().selector(name, value);
    peer.send(&get).refuses("wsman:InvalidSelectors", "DuplicateSelectors").names(name);
}

fn a_selector_holds_text_or_a_reference(peer: &mut Peer, _: &Own) {
    let link = link(peer);
    assert!(link.selector("System").starts_with("<a:EndpointReference>"), "{link:?}");
    assert_eq!(peer.send(&peer.get_at(&link)).succeeds().name, "LMI_InstalledSoftwareIdentity");
    let mut other = peer.get_at(&link);
    other.selectors.iter_mut().find(|(n, _)| n == "System").unwrap().1 = "<w:Colour>red</w:Colour>".to_owned();
    peer.send(&other).refuses("wsman:InvalidSelectors", "InvalidValue").names("Colour");
}

fn the_address_inside_a_selector_does_not_matter(peer: &mut Peer, _: &Own) {
    let link = link(peer);
    let mut get = peer.get_at(&link);
    for (_, value) in &mut get.selectors {
        *value = value.replace(ANONYMOUS, "https://elsewhere.example.org/wsman");
    }
    assert_eq!(peer.send(&get).succeeds().name, "LMI_InstalledSoftwareIdentity");
}

fn a_long_selector_name_is_a_limit(peer: &mut Peer, _: &Own) {
    let get = peer.get().selector(&"n".repeat(2049), "x");
    peer.send(&get).refuses("wsman:EncodingLimit", "SelectorLimit").names("2048");
    let get = peer.get().selector(&"n".repeat(2048), "x");
    peer.send(&get).refuses("wsman:InvalidSelectors", "UnexpectedSelectors");
}

fn long_selectors_are_a_limit(peer: &mut Peer, _: &Own) {
    let get = |peer: &Peer, selectors: &[(&str, usize)]| {
        let empty = Message { selectors: Vec::new(), ..peer.get() };
        selectors.iter().fold(empty, |get, (name, length)| get.selector(name, "v".repeat(*length)))
    };
    let value = get(peer, &[("InstanceID", 4097)]);
    peer.send(&value).refuses("wsman:EncodingLimit", "SelectorLimit").names("4096");
    let set = get(peer, &[("a", 4000), ("b", 4000), ("c", 100)]);
    peer.send(&set).refuses("wsman:EncodingLimit", "SelectorLimit").names("8096");
    let fits = get(peer, &[("InstanceID", 4096)]);
    peer.send(&fits).refuses("wsa:DestinationUnreachable", "");
}

fn no_header_beyond_the_standard_is_needed(peer: &mut Peer) {
    // To, ResourceURI, ReplyTo, Action, MessageID and the selectors are all that this request has.
    peer.send(&peer.get()).succeeds();
}

fn known_headers_may_be_mandatory(peer: &mut Peer) {
    let mandatory = |envelope: String| {
        ["a:To", "a:ReplyTo", "a:Action", "a:MessageID", "w:ResourceURI", "w:SelectorSet"].iter().fold(
            envelope,
            |envelope, header| {
                envelope.replacen(&format!("<{header}>"), &format!("<{header} s:mustUnderstand=\"true\">"), 1)
            },
        )
    };
    let plain = peer.send(&peer.get()).succeeds();
    let get = mandatory(peer.get().envelope());
    assert_eq!(get.matches("mustUnderstand").count(), 6);
    assert_eq!(peer.send_text(&get).succeeds(), plain);
}

fn unknown_mandatory_headers_are_named(peer: &mut Peer) {
    let header = |must| format!("<x:Unicorn xmlns:x=\"urn:example:header\" s:mustUnderstand=\"{must}\"/>");
    peer.send(&peer.get().header(&header("false"))).succeeds();
    let answer = peer.send(&peer.get().header(&header("true")));
    let fault = answer.refuses("s:MustUnderstand", "");
    assert_eq!(fault.code, "s:MustUnderstand");
    let named = answer.header("s:NotUnderstood").expect("no s:NotUnderstood");
    let (prefix, local) = named.attributes["qname"].split_once(':').unwrap();
    assert_eq!(local, "Unicorn");
    assert_eq!(named.namespaces.as_ref().unwrap().get(prefix), Some("urn:example:header"));
}

fn to_is_everywhere_and_strangers_stay_outside(peer: &mut Peer, _: &Own) {
    for request in [peer.get(), peer.enumerate(""), peer.pull("none", "")] {
        let answer = peer.send(&request);
        assert!(!answer.header_text("wsa:To").is_empty());
    }
    let get = without(&peer.get().envelope(), "a:To");
    let fault = peer.send_text(&get).refuses("wsa:MessageInformationHeaderRequired", "");
    fault.element("wsa:To");
    let mut stranger = Peer::of_user(None);
    let answer = stranger.send(&peer.get());
    assert_eq!(answer.status, 401);
    assert!(answer.head.to_ascii_lowercase().contains("\r\nwww-authenticate: basic "), "{}", answer.head);
}

fn strangers_have_a_path_of_their_own(peer: &mut Peer, _: &Own) {
    let mut stranger = Peer::of_user(None);
    let soap = [("Content-Type", "application/soap+xml;charset=UTF-8")];
    let mut post =
        |body: &str| Answer::new(stranger.client().post_to("/wsman-anon/identify", &soap, body.as_bytes()), body);
    assert!(is(&post(crate::identify::REQUEST).succeeds(), "wsmid:IdentifyResponse"));
    post(&peer.get().envelope()).refuses("wsman:AccessDenied", "");
}

fn what_cannot_be_had_is_told_apart(peer: &mut Peer, own: &Own) {
    let get = peer.get();
    let missing =
        Message { selectors: vec![("InstanceID".into(), "LMI:LMI_SoftwareIdentity:ghost-0:1-1.all".into())], ..get };
    peer.send(&missing).refuses("wsa:DestinationUnreachable", "").names("ghost");
    let call = own.method(peer, "InstallFromURI", &[("URI", "file:///nowhere.deb")]);
    Peer::of_user(Some(VIEWER)).send(&call).refuses("wsman:AccessDenied", "").names(VIEWER.0);
}
