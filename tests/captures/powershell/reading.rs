//! Get-CimInstance and Get-CimAssociatedInstance.

use xmltree::Element;

use super::{Message, peer};
use crate::names::{ASSOCIATION_FILTER, LMI, WMI, WQL, enumeration, transfer};
use crate::peer::{Peer, elements, namespace, properties, selectors};
use crate::shared_host::{ALPHA, SharedHost};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, CIM, child, property, text_of};

const NAMESPACE: (&str, &str) = ("__cimnamespace", "root/cimv2");

/// The body of every enumeration; a filter may follow.
fn enumerate(filter: &str) -> String {
    format!(
        "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements>\
         <w:EnumerationMode>EnumerateObjectAndEPR</w:EnumerationMode>{filter}</n:Enumerate>"
    )
}

/// All pairs of an instance and its reference, pulled to the end.
fn all_pairs(peer: &mut Peer, resource: &str, filter: &str) -> Vec<(Element, Element)> {
    let begin = Message {
        action: &enumeration("Enumerate"),
        resource,
        selectors: &[NAMESPACE],
        options: "",
        body: &enumerate(filter),
    };
    let pull = enumeration("Pull");
    let mut pairs = Vec::new();
    let mut answer = peer.ask(&begin.envelope());
    loop {
        let page = answer.page();
        pairs.extend(page.items.iter().map(|item| pair(item)));
        let Some(context) = page.context else { return pairs };
        let body = format!(
            "<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>32000</n:MaxElements></n:Pull>"
        );
        answer = peer.ask(&Message { action: &pull, body: &body, ..begin }.envelope());
    }
}

fn pair(item: &Element) -> (Element, Element) {
    assert_eq!(item.name, "Item");
    let parts: Vec<&Element> = elements(item).collect();
    assert_eq!(parts.len(), 2, "{item:?}");
    assert_eq!(parts[1].name, "EndpointReference");
    (parts[0].clone(), parts[1].clone())
}

/// Of the reference it makes the next Get, Put and Invoke, so that the class, all keys and the namespace must be in it.
#[test]
fn get_cim_instance_gets_each_instance_with_its_reference() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let pairs = all_pairs(&mut peer, &format!("{CIM}/CIM_SoftwareIdentity"), "");
    assert!(pairs.len() >= 152, "{}", pairs.len());
    let (instance, reference) =
        pairs.iter().find(|(instance, _)| property(instance, "InstanceID").as_deref() == Some(ALPHA)).unwrap();
    let uri = format!("{LMI}/LMI_SoftwareIdentity");
    assert_eq!((namespace(instance), instance.name.as_str()), (uri.as_str(), "LMI_SoftwareIdentity"));
    let parameters = child(reference, "ReferenceParameters").unwrap();
    assert_eq!(text_of(child(parameters, "ResourceURI").unwrap()), uri);
    let keys = [NAMESPACE, ("InstanceID", ALPHA)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(selectors(parameters), keys);

    let keys: Vec<(&str, &str)> = keys.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let get = Message { action: &transfer("Get"), resource: &uri, selectors: &keys, options: "", body: "" };
    let answer = peer.ask(&get.envelope());
    assert_eq!(answer.action(), transfer("GetResponse"));
    assert_eq!(properties(answer.content()), properties(instance));
}

/// It shows NULL for what is nil, and expects an element for every property; the order is the alphabet's.
#[test]
fn an_instance_has_all_its_properties_in_order() {
    let host = SharedHost::get();
    let get = Message {
        action: &transfer("Get"),
        resource: &format!("{CIM}/CIM_SoftwareIdentity"),
        selectors: &[("__cimnamespace", "root\\cimv2"), ("instanceid", ALPHA)],
        options: "",
        body: "",
    };
    let answer = peer(&host).ask(&get.envelope());
    let names: Vec<&str> = elements(answer.content()).map(|e| e.name.as_str()).collect();
    assert!(names.is_sorted() && names.contains(&"ReleaseDate"), "{names:?}");
    assert!(answer.text.contains("<p:ReleaseDate xsi:nil=\"true\"/>"), "{}", answer.text);
    assert_eq!(property(answer.content(), "IsEntity").as_deref(), Some("true"));
    assert!(property(answer.content(), "Description").unwrap().contains("\"every\" character"), "{}", answer.text);
}

/// With `-Query` and with `-Filter`, whatever resource it sends the query to.
#[test]
fn get_cim_instance_queries_in_wql() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let filter =
        format!("<w:Filter Dialect=\"{WQL}\">select * from CIM_SoftwareIdentity where Name = 'beta'</w:Filter>");
    for resource in [
        format!("{WMI}/root/cimv2/*"),
        ALL_CLASSES.to_owned(),
        format!("{CIM}/*"),
        format!("{CIM}/CIM_SoftwareIdentity"),
    ] {
        let pairs = all_pairs(&mut peer, &resource, &filter);
        assert_eq!(pairs.len(), 1, "{resource}");
        assert_eq!(property(&pairs[0].0, "Name").as_deref(), Some("beta"), "{resource}");
        let wmi = format!("{WMI}/root/cimv2/LMI_SoftwareIdentity");
        let expected = if resource.starts_with(WMI) { wmi } else { format!("{LMI}/LMI_SoftwareIdentity") };
        assert_eq!(namespace(&pairs[0].0), expected, "{resource}");
    }
}

/// The instances at the other end, with and without a class for them and for the association.
#[test]
fn get_cim_associated_instance_follows_associations() {
    let host = SharedHost::get();
    let mut peer = peer(&host);
    let uri = format!("{LMI}/LMI_SoftwareIdentity");
    for rest in [
        "",
        "<b:ResultClassName>CIM_ComputerSystem</b:ResultClassName>",
        "<b:AssociationClassName>CIM_InstalledSoftwareIdentity</b:AssociationClassName>",
    ] {
        let filter = format!(
            "<w:Filter Dialect=\"{ASSOCIATION_FILTER}\"><b:AssociatedInstances><b:Object>\
             <a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{uri}</w:ResourceURI>\
             <w:SelectorSet><w:Selector Name=\"__cimnamespace\">root/cimv2</w:Selector>\
             <w:Selector Name=\"InstanceID\">{ALPHA}</w:Selector></w:SelectorSet></a:ReferenceParameters></b:Object>\
             {rest}</b:AssociatedInstances></w:Filter>"
        );
        let pairs = all_pairs(&mut peer, ALL_CLASSES, &filter);
        let classes: Vec<&str> = pairs.iter().map(|(instance, _)| instance.name.as_str()).collect();
        assert!(classes.contains(&"PG_ComputerSystem"), "{rest}: {classes:?}");
    }
}
