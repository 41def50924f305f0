//! Annex E: the selector filter.

use crate::answer::{Page, all, properties};
use crate::enumeration::SELECTORS;
use crate::peer::Peer;
use crate::rule::rules;
use crate::service::{FILLERS, LARGE, Own};
use crate::subscription::filter;
use crate::support::wsman::{CIM, Message};

rules! {
    re_1 "selectors are named after the properties; others are refused, with a list": holds_here(properties_can_be_selected);
    re_2 "an item has all the values, and any value elsewhere": holds_here(selectors_are_all_observed);
    re_3 "of elements with one local name one is compared":
        not_applicable("no instance has two properties of one name");
    re_4 "an array matches if one of its elements does": holds_here(one_element_of_an_array_is_enough);
    re_5 "wrong selectors are CannotProcessFilter with a detail": holds_here(wrong_selectors_are_told_apart);
}

/// Enumerate with these selectors as the filter.
fn selecting(peer: &Peer, class: &str, selectors: &[(&str, &str)]) -> Message {
    let set: String = selectors.iter().map(|(n, v)| format!("<w:Selector Name=\"{n}\">{v}</w:Selector>")).collect();
    let filter = filter("w:Filter", SELECTORS, &format!("<w:SelectorSet>{set}</w:SelectorSet>"));
    let options = format!("{filter}<w:OptimizeEnumeration/><w:MaxElements>100</w:MaxElements>");
    Message { resource_uri: format!("{CIM}/{class}"), ..peer.enumerate(&options) }
}

/// The values of a property of what is selected.
fn selected(peer: &mut Peer, class: &str, selectors: &[(&str, &str)], property: &str) -> Vec<String> {
    let request = selecting(peer, class, selectors);
    let page = Page::of(&peer.send(&request).succeeds());
    assert!(page.ends);
    page.items.iter().flat_map(properties).filter(|(name, _)| name == property).map(|(_, value)| value).collect()
}

fn properties_can_be_selected(peer: &mut Peer, _: &Own) {
    let mut found = |selector| selected(peer, "CIM_SoftwareIdentity", &[selector], "Name");
    assert_eq!(found(("InstanceID", LARGE)), ["large"]);
    assert_eq!(found(("Name", "filler-0007")), ["filler-0007"]);
    assert_eq!(found(("name", "filler-0007")), ["filler-0007"], "names have no case");
    let unknown = selecting(peer, "CIM_SoftwareIdentity", &[("Colour", "red")]);
    let fault = peer.send(&unknown).refuses("wsen:CannotProcessFilter", "");
    fault.names("Colour");
    let listed = fault.elements.iter().filter(|element| element.name == "SupportedSelectorName");
    let listed: Vec<String> = listed.map(crate::answer::text).collect();
    assert!(listed.contains(&"InstanceID".to_owned()) && listed.contains(&"VersionString".to_owned()), "{fault:?}");
}

fn selectors_are_all_observed(peer: &mut Peer, _: &Own) {
    let mut found = |selectors: &[_]| selected(peer, "CIM_SoftwareIdentity", selectors, "Name");
    assert_eq!(found(&[("Architecture", "amd64")]).len(), FILLERS);
    assert_eq!(found(&[("Architecture", "amd64"), ("Name", "filler-0003")]), ["filler-0003"]);
    assert_eq!(found(&[("Architecture", "amd64"), ("Name", "large")]), Vec::<String>::new());
}

fn one_element_of_an_array_is_enough(peer: &mut Peer, _: &Own) {
    let class = "CIM_SoftwareInstallationServiceCapabilities";
    let array = "SupportedTargetTypes";
    let targets = selected(peer, class, &[], array);
    assert!(targets.len() > 1, "{targets:?}");
    for target in &targets {
        assert_eq!(selected(peer, class, &[(array, target)], array), targets);
    }
    assert_eq!(selected(peer, class, &[(array, "unicorn")], array), Vec::<String>::new());
}

fn wrong_selectors_are_told_apart(peer: &mut Peer, _: &Own) {
    let twice = selecting(peer, "CIM_SoftwareIdentity", &[("Name", "a"), ("Name", "b")]);
    peer.send(&twice).refuses("wsen:CannotProcessFilter", "DuplicateSelectors").names("Name");
    let mistyped = selecting(peer, "CIM_SoftwareIdentity", &[("IsEntity", "perhaps")]);
    peer.send(&mistyped).refuses("wsen:CannotProcessFilter", "TypeMismatch").names("IsEntity");
    let unknown = selecting(peer, "CIM_SoftwareIdentity", &[("Colour", "red")]);
    peer.send(&unknown).refuses("wsen:CannotProcessFilter", "UnexpectedSelectors");
    let none = peer.enumerate(&filter("w:Filter", SELECTORS, ""));
    assert!(all(&peer.send(&none).envelope(), "s:Body").len() == 1);
    peer.send(&none).refuses("wsen:CannotProcessFilter", "");
}
