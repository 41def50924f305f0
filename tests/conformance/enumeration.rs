//! Clause 8: enumeration, its beginning (8.1 to 8.3, 8.6, 8.7).

use crate::answer::{Page, child, elements, is, properties, text};
use crate::peer::{Endpoint, Peer, escape, instances};
use crate::rule::rules;
use crate::service::{LARGE, Own, VIEWER};
use crate::subscription::{CQL, filter};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, Message};

rules! {
    r8_1_1 "enumeration may be by WS-Enumeration": holds(all_instances_come_page_by_page);
    r8_1_2 "enumeration shall be by WS-Enumeration": holds(all_instances_come_page_by_page);
    r8_1_3 "queries should be by WS-Enumeration": holds_here(a_query_is_an_enumeration);
    r8_1_4 "Renew and GetStatus of an enumeration are not supported": holds(enumerations_are_not_renewed);
    r8_1_5 "Enumerate, Pull and Release are supported": holds(the_three_operations_are_served);
    r8_1_6 "a sequence belongs to who began it": holds_here(nobody_else_pulls);
    r8_2_1_1 "EndTo may be refused": holds(end_to_is_refused);
    r8_2_1_2 "Expires is taken, or refused with a detail": holds(expires_is_taken);
    r8_2_1_3 "a filter holds text or one element": holds_here(mixed_filters_are_refused);
    r8_2_1_4 "a filter beyond the service is wsen:CannotProcessFilter with a text": holds_here(wrong_filters_are_explained);
    r8_2_1_5 "a filter that is needed and missing is wsman:UnsupportedFeature": holds_here(all_classes_need_a_filter);
    r8_2_1_6 "other operations may go on during an enumeration": holds(other_operations_go_on);
    r8_2_2_1 "no estimate unless it is asked for": holds(the_estimate_is_told_to_who_asks);
    r8_2_2_2 "the estimate is no more than that": holds(the_estimate_is_told_to_who_asks);
    r8_2_3_1 "a service may ignore OptimizeEnumeration": not_applicable("optimized enumeration is served");
    r8_2_3_2 "without OptimizeEnumeration the response holds no items": holds(only_optimized_enumerations_begin_with_items);
    r8_2_3_3 "an optimized response holds MaxElements items at most, or one":
        holds(an_optimized_response_holds_what_was_asked_for);
    r8_2_3_4 "an optimized response says that it is one": holds(an_optimized_response_holds_what_was_asked_for);
    r8_2_3_5 "an optimized enumeration goes on with Pull, or tells its end": holds(an_optimized_enumeration_goes_on);
    r8_3_1 "who takes wsen:Filter takes wsman:Filter": holds_here(both_filter_elements_are_taken);
    r8_3_2 "who takes wsman:Filter takes wsen:Filter": holds_here(both_filter_elements_are_taken);
    r8_3_3 "two filters are wsen:CannotProcessFilter": holds(two_filters_are_refused);
    r8_6_1 "parts of instances come in XmlFragment": holds_here(projections_are_fragments);
    r8_6_2 "an unknown dialect is wsen:FilterDialectRequestedUnavailable": holds(unknown_dialects_are_refused);
    r8_7_1 "EnumerateEPR gives references": holds(references_are_enumerated);
    r8_7_2 "EnumerateObjectAndEPR gives both": holds(instances_are_enumerated_with_references);
    r8_7_3 "an unknown EnumerationMode is wsman:UnsupportedFeature": holds(unknown_modes_are_refused);
}

/// All items of an enumeration, by pages of seven.
fn everything(peer: &mut Peer, options: &str) -> Vec<xmltree::Element> {
    let mut context = Some(peer.open(options));
    let mut items = Vec::new();
    while let Some(open) = context {
        let page = peer.page(&open, "<n:MaxElements>7</n:MaxElements>");
        assert_eq!(page.ends, page.context.is_none(), "a page says where to go on, or that it is the last");
        context = page.context;
        items.extend(page.items);
    }
    items
}

fn all_instances_come_page_by_page(peer: &mut Peer) {
    let mut references: Vec<Endpoint> =
        everything(peer, "<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>").iter().map(Endpoint::read).collect();
    assert!(instances().iter().all(|instance| references.contains(instance)), "{references:?}");
    let count = references.len();
    references.sort_by(|a, b| a.selectors.cmp(&b.selectors));
    references.dedup();
    assert_eq!(references.len(), count, "an instance came twice");
}

fn a_query_is_an_enumeration(peer: &mut Peer, _: &Own) {
    let query = format!("SELECT * FROM CIM_SoftwareIdentity WHERE InstanceID = '{LARGE}'");
    let found = everything(peer, &filter("w:Filter", CQL, &query));
    assert_eq!(found.len(), 1);
}

const ENUMERATION: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";

fn enumerations_are_not_renewed(peer: &mut Peer) {
    let context = format!("<n:EnumerationContext>{}</n:EnumerationContext>", peer.open(""));
    for operation in ["Renew", "GetStatus"] {
        let body = format!("<n:{operation}>{context}</n:{operation}>");
        let request = peer.request(&format!("{ENUMERATION}/{operation}"), &body);
        peer.send(&request).refuses("wsa:ActionNotSupported", "").names(operation);
    }
}

fn the_three_operations_are_served(peer: &mut Peer) {
    let context = peer.open("");
    let pull = peer.pull(&context, "");
    assert!(is(&peer.send(&pull).succeeds(), "wsen:PullResponse"));
    let answer = peer.send(&peer.release(&context));
    assert_eq!(elements(&answer.succeeds()).count(), 0, "{answer:?}");
    assert_eq!(answer.header_text("wsa:Action"), format!("{ENUMERATION}/ReleaseResponse"));
}

fn nobody_else_pulls(peer: &mut Peer, _: &Own) {
    let context = peer.open("");
    let mut other = Peer::of_user(Some(VIEWER));
    other.send(&other.pull(&context, "")).refuses("wsen:InvalidEnumerationContext", "");
    other.send(&other.release(&context)).refuses("wsen:InvalidEnumerationContext", "");
    assert_eq!(peer.page(&context, "").items.len(), 1);
}

fn end_to_is_refused(peer: &mut Peer) {
    let end_to = format!("<n:EndTo><a:Address>{ANONYMOUS}</a:Address></n:EndTo>");
    let request = peer.enumerate(&end_to);
    peer.send(&request).refuses("wsman:UnsupportedFeature", "AddressingMode").names("EndTo");
}

fn expires_is_taken(peer: &mut Peer) {
    let expires = |response: &xmltree::Element| child(response, "wsen:Expires").map(text);
    let asked = peer.enumerate("<n:Expires>PT10M</n:Expires>");
    let answer = peer.send(&asked);
    if answer.status != 200 {
        answer.refuses("wsman:UnsupportedFeature", "ExpirationTime");
        return;
    }
    assert!(expires(&answer.succeeds()).is_some_and(|time| time.starts_with('P')), "{answer:?}");
    let until = peer.enumerate("<n:Expires>2100-01-01T00:00:00Z</n:Expires>");
    assert!(expires(&peer.send(&until).succeeds()).is_some_and(|time| time.starts_with("20")));
    assert_eq!(expires(&peer.send(&peer.enumerate("")).succeeds()), None);
    for past in ["PT0S", "2001-01-01T00:00:00Z", "soon"] {
        let request = peer.enumerate(&format!("<n:Expires>{past}</n:Expires>"));
        peer.send(&request).refuses("wsen:InvalidExpirationTime", "");
    }
}

pub(crate) const SELECTORS: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter";
const ASSOCIATIONS: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter";

/// A selector filter for one instance.
fn selecting(index: usize) -> String {
    let (name, value) = instances()[index].key();
    format!("<w:SelectorSet><w:Selector Name=\"{name}\">{value}</w:Selector></w:SelectorSet>")
}

fn mixed_filters_are_refused(peer: &mut Peer, _: &Own) {
    let object = format!("<b:AssociatedInstances><b:Object>{}</b:Object></b:AssociatedInstances>", reference());
    for (dialect, content) in [
        (CQL, "SELECT * FROM CIM_SoftwareIdentity<w:SelectorSet/>".to_owned()),
        (SELECTORS, format!("text {}", selecting(0))),
        (SELECTORS, format!("{}{}", selecting(0), selecting(1))),
        (ASSOCIATIONS, format!("text {object}")),
        (ASSOCIATIONS, format!("{object}{object}")),
    ] {
        let request = peer.enumerate(&filter("w:Filter", dialect, &content));
        let answer = peer.send(&request);
        assert_ne!(answer.status, 200, "{dialect} {content}");
        answer.refuses("wsen:CannotProcessFilter", "");
    }
}

/// The first instance, as the content of a reference.
fn reference() -> String {
    let Endpoint { resource_uri, .. } = &instances()[0];
    let (name, value) = instances()[0].key();
    format!(
        "<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{resource_uri}</w:ResourceURI>\
         <w:SelectorSet><w:Selector Name=\"{name}\">{value}</w:Selector></w:SelectorSet></a:ReferenceParameters>"
    )
}

fn wrong_filters_are_explained(peer: &mut Peer, _: &Own) {
    for (query, word) in [
        ("SELECT everything", "FROM"),
        ("SELECT * FROM CIM_SoftwareIdentity WHERE Colour = 'red'", "Colour"),
        ("SELECT * FROM CIM_Unicorn", "CIM_Unicorn"),
    ] {
        let request = peer.enumerate(&filter("w:Filter", CQL, query));
        peer.send(&request).refuses("wsen:CannotProcessFilter", "").names(word);
    }
}

fn all_classes_need_a_filter(peer: &mut Peer, _: &Own) {
    let request = Message { resource_uri: ALL_CLASSES.to_owned(), ..peer.enumerate("") };
    peer.send(&request).refuses("wsman:UnsupportedFeature", "FilteringRequired").names("filter");
}

fn other_operations_go_on(peer: &mut Peer) {
    let (first, second) = (peer.open(""), peer.open(""));
    peer.send(&peer.get()).succeeds();
    assert_eq!(peer.page(&first, "").items, peer.page(&second, "").items);
}

fn the_estimate_is_told_to_who_asks(peer: &mut Peer) {
    let name = "wsman:TotalItemsCountEstimate";
    let context = peer.open("");
    for request in [peer.enumerate(""), peer.pull(&context, "")] {
        assert_eq!(peer.send(&request).header(name), None);
    }
    for request in [peer.enumerate(""), peer.pull(&context, "")] {
        let answer = peer.send(&request.header("<w:RequestTotalItemsCountEstimate/>"));
        answer.succeeds();
        if let Some(estimate) = answer.header(name) {
            let unknown = estimate.attributes.get("nil").is_some_and(|nil| nil == "true");
            assert!(unknown || text(&estimate).parse::<u64>().is_ok(), "{estimate:?}");
        }
    }
}

fn only_optimized_enumerations_begin_with_items(peer: &mut Peer) {
    let response = peer.send(&peer.enumerate("<w:MaxElements>3</w:MaxElements>")).succeeds();
    for name in ["wsman:Items", "wsen:Items", "wsman:EndOfSequence"] {
        assert_eq!(child(&response, name), None);
    }
    let page = Page::of(&response);
    let first = peer.page(&page.context.unwrap(), "");
    let got = peer.send(&peer.get_instance(0)).succeeds();
    assert_eq!(properties(&first.items[0]), properties(&got));
}

fn an_optimized_response_holds_what_was_asked_for(peer: &mut Peer) {
    for (most, count) in [("", 1), ("<w:MaxElements>1</w:MaxElements>", 1), ("<w:MaxElements>3</w:MaxElements>", 3)] {
        let response = peer.send(&peer.enumerate(&format!("<w:OptimizeEnumeration/>{most}"))).succeeds();
        assert!(child(&response, "wsman:Items").is_some() || child(&response, "wsman:EndOfSequence").is_some());
        let items = Page::of(&response).items.len();
        assert!((1..=count).contains(&items), "{items} items where {count} may be");
    }
}

fn an_optimized_enumeration_goes_on(peer: &mut Peer) {
    let optimized = "<w:OptimizeEnumeration/><w:MaxElements>2</w:MaxElements>";
    let first = Page::of(&peer.send(&peer.enumerate(optimized)).succeeds());
    let next = peer.page(&first.context.unwrap(), "");
    let got = peer.send(&peer.get_instance(first.items.len())).succeeds();
    assert_eq!(properties(&next.items[0]), properties(&got), "Pull goes on behind the first items");

    let whole = "<w:OptimizeEnumeration/><w:MaxElements>100000</w:MaxElements>\
                 <w:EnumerationMode>EnumerateEPR</w:EnumerationMode>";
    let response = peer.send(&peer.enumerate(whole)).succeeds();
    let page = Page::of(&response);
    if page.ends {
        assert_eq!(page.context, None);
        assert!(child(&response, "wsen:EnumerationContext").is_some_and(|context| context.children.is_empty()));
    } else {
        assert!(page.context.is_some());
    }
}

fn both_filter_elements_are_taken(peer: &mut Peer, _: &Own) {
    for element in ["w:Filter", "n:Filter"] {
        assert_eq!(everything(peer, &filter(element, SELECTORS, &selecting(1))).len(), 1, "{element}");
    }
}

fn two_filters_are_refused(peer: &mut Peer) {
    let one = |element| filter(element, SELECTORS, &selecting(0));
    let request = peer.enumerate(&[one("n:Filter"), one("w:Filter")].concat());
    peer.send(&request).refuses("wsen:CannotProcessFilter", "");
}

fn projections_are_fragments(peer: &mut Peer, _: &Own) {
    let query = "SELECT InstanceID, Name FROM CIM_SoftwareIdentity";
    for item in everything(peer, &filter("w:Filter", CQL, query)) {
        assert!(is(&item, "wsman:XmlFragment"), "{item:?}");
        let mut names: Vec<&str> = elements(&item).map(|property| property.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["InstanceID", "Name"]);
    }
}

fn unknown_dialects_are_refused(peer: &mut Peer) {
    let request = peer.enumerate(&filter("w:Filter", "urn:example:poetry", "roses"));
    let fault = peer.send(&request).refuses("wsen:FilterDialectRequestedUnavailable", "");
    text(fault.names("urn:example:poetry").element("wsen:SupportedDialect"));
}

fn references_are_enumerated(peer: &mut Peer) {
    for item in everything(peer, "<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>") {
        assert!(is(&item, "wsa:EndpointReference"), "{item:?}");
    }
}

fn instances_are_enumerated_with_references(peer: &mut Peer) {
    for item in everything(peer, "<w:EnumerationMode>EnumerateObjectAndEPR</w:EnumerationMode>") {
        assert!(is(&item, "wsman:Item"), "{item:?}");
        let parts: Vec<_> = elements(&item).collect();
        assert!(parts.len() == 2 && is(parts[1], "wsa:EndpointReference"), "{item:?}");
        let reference = Endpoint::read(parts[1]);
        let (name, value) = reference.key();
        let key = elements(parts[0]).find(|property| property.name == *name).unwrap();
        assert_eq!(escape(&text(key)), *value);
    }
}

fn unknown_modes_are_refused(peer: &mut Peer) {
    let request = peer.enumerate("<w:EnumerationMode>EnumerateDreams</w:EnumerationMode>");
    peer.send(&request).refuses("wsman:UnsupportedFeature", "EnumerationMode").names("EnumerateDreams");
}
