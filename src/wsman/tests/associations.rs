//! What an instance is linked with.

use super::packages::{Asked, Fixture, PACKAGES, fixture};
use super::*;
use crate::cim::Interval;
use crate::wire::enumeration::{Enumerate, Polymorphism, Pull, ReceivedPage};
use crate::wire::names::action;
use crate::wire::{AssociationFilter, AssociationKind, EndpointReference, Filter, SelectorSet};
use crate::xml::ElementExt;

/// The search for the packages of the system, made more of.
fn search(class: &str, change: impl FnOnce(&mut Enumerate, &mut AssociationFilter)) -> (Fixture, Reply) {
    let keys = SelectorSet::default().with("CreationClassName", "PG_ComputerSystem").with("Name", "host.example");
    let object = EndpointReference::to_resource("https://host/wsman", &format!("{CIM}CIM_ComputerSystem"), &keys);
    let mut filter = AssociationFilter {
        association_class: Some("CIM_InstalledSoftwareIdentity".to_owned()),
        ..AssociationFilter::associated(object)
    };
    let mut enumerate = Enumerate { optimize: true, max_elements: Some(1000), ..Enumerate::default() };
    change(&mut enumerate, &mut filter);
    enumerate.filter = Some(Filter::Association(Box::new(filter)));
    let fixture = fixture();
    let asked = Asked { action: action::ENUMERATE, class, octets: None, encoding: Encoding::Utf8 };
    let reply = fixture.send(asked, |w| enumerate.write(w));
    (fixture, reply)
}

fn items(reply: &Reply) -> Vec<Element> {
    ReceivedPage::read(envelope(reply, Encoding::Utf8)).unwrap().items
}

#[test]
fn the_uri_may_name_any_class_there_is() {
    for class in ["CIM_ComputerSystem", "CIM_SoftwareIdentity", "*"] {
        assert_eq!(items(&search(class, |_, _| {}).1).len(), PACKAGES, "{class}");
    }
    let fault = fault(&search("CIM_Unicorn", |_, _| {}).1);
    assert_eq!(
        (fault.kind, fault.details),
        (Some(FaultKind::DestinationUnreachable), vec!["InvalidResourceURI".into()])
    );
    assert!(fault.reason.contains("no class CIM_Unicorn"), "{}", fault.reason);
}

#[test]
fn an_unknown_class_of_the_result_is_named_and_no_namespace_with_it() {
    let (_, reply) = search("*", |_, filter| filter.result_class = Some("CIM_Unicorn".to_owned()));
    let fault = fault(&reply);
    assert_eq!(fault.kind, Some(FaultKind::EnumerationCannotProcessFilter));
    assert_eq!(fault.reason, "There is no class CIM_Unicorn.");
}

#[test]
fn what_is_linked_is_shown_as_what_it_is() {
    for mode in [Polymorphism::None, Polymorphism::ExcludeSubClassProperties] {
        let (_, reply) = search("CIM_SoftwareIdentity", |enumerate, _| enumerate.polymorphism = Some(mode));
        assert_eq!(fault(&reply).kind, Some(FaultKind::PolymorphismModeNotSupported));
    }
}

/// wsmancli and OpenPegasus' clients say of links what the standard has for their ends.
#[test]
fn links_are_told_by_their_class_and_by_their_other_end() {
    let found = |association: Option<&str>, result: Option<&str>, role: Option<&str>| {
        let (_, reply) = search("*", |_, filter| {
            filter.kind = AssociationKind::AssociationInstances;
            filter.association_class = association.map(str::to_owned);
            filter.result_class = result.map(str::to_owned);
            filter.result_role = role.map(str::to_owned);
        });
        items(&reply).len()
    };
    let installed = Some("CIM_InstalledSoftwareIdentity");
    assert_eq!((found(installed, None, None), found(None, installed, None)), (PACKAGES, PACKAGES));
    assert_eq!(found(Some("CIM_HostedService"), None, None), 1);
    assert_eq!(found(Some("CIM_HostedService"), installed, None), 0);
    assert_eq!(found(installed, None, Some("installedsoftware")), PACKAGES);
    assert_eq!(found(installed, None, Some("Dependent")), 0);
}

/// DSP0226 R8.4-6: what a walk passes over takes time too.
#[test]
fn a_walk_ends_in_time_whatever_it_passes_over() {
    let (fixture, reply) = search("*", |enumerate, filter| {
        enumerate.optimize = false;
        filter.result_class = Some("CIM_ComputerSystem".to_owned());
    });
    let mut next = ReceivedPage::read(envelope(&reply, Encoding::Utf8)).unwrap().context;
    let mut pages = 0;
    while let Some(context) = next {
        let pull = Pull { context, max_time: Some(Interval::from_seconds(0)), ..Pull::default() };
        let asked = Asked { action: action::PULL, class: "*", octets: None, encoding: Encoding::Utf8 };
        let page = ReceivedPage::read(envelope(&fixture.send(asked, |w| pull.write(w)), Encoding::Utf8)).unwrap();
        assert!(page.items.is_empty());
        (next, pages) = (page.context, pages + 1);
    }
    // 64 of the 150 links are looked at in no time.
    assert_eq!(pages, 3);
}

/// A property is shown once, however often it is asked for, and what no class has is not looked for.
#[test]
fn properties_that_are_asked_for_are_shown_once() {
    let names = ["Name", "NAME", "Colour", "VersionString", "name"];
    let names: Vec<String> = names.iter().cycle().take(3000).map(|name| (*name).to_owned()).collect();
    let found = items(&search("*", |_, filter| filter.include_properties = names).1);
    assert_eq!(found.len(), PACKAGES);
    for item in found {
        let shown: Vec<_> = item.elements().map(|property| property.name.as_str()).collect();
        assert_eq!(shown, ["Name", "VersionString"]);
    }
}
