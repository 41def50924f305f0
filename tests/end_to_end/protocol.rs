//! Replies that a rule of DSP0226 or DSP0227 asks for and that no step of the walk needs.

use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::{Host, Server};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, CIM, Message, descendants, text_of};

const ALPHA: &str = "LMI:LMI_SoftwareIdentity:alpha-0:1.0-1.all";

fn host() -> (DebRoot, Host, Server) {
    let root = DebRoot::new();
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1.0-1", &[]));
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    (root, host, server)
}

fn reference(class: &str, key: &str, value: &str) -> String {
    format!(
        "<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{CIM}/{class}</w:ResourceURI>\
         <w:SelectorSet><w:Selector Name=\"{key}\">{value}</w:Selector></w:SelectorSet></a:ReferenceParameters>"
    )
}

fn associated(object: &str, rest: &str, options: &str) -> Message {
    let dialect = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter";
    let filter = format!(
        "<w:Filter Dialect=\"{dialect}\"><b:AssociatedInstances><b:Object>{object}</b:Object>{rest}\
         </b:AssociatedInstances></w:Filter><w:OptimizeEnumeration/>{options}"
    );
    Message::enumerate(ALL_CLASSES, &filter)
}

#[test]
fn all_classes_is_no_class_to_get() {
    let (_root, _host, server) = host();
    let reply = server.admin().post(&Message::get(ALL_CLASSES).envelope());
    assert_eq!(reply.fault().0, "ActionNotSupported");
}

/// DSP0227 R8.2.1-4: the object of an association filter is exactly one instance.
#[test]
fn an_association_filter_about_nothing_cannot_be_processed() {
    let (_root, _host, server) = host();
    let mut client = server.admin();
    let alpha = reference("CIM_SoftwareIdentity", "InstanceID", ALPHA);
    for (object, rest) in [
        (reference("CIM_SoftwareIdentity", "InstanceID", "LMI:LMI_SoftwareIdentity:ghost-0:1-1.all"), ""),
        (reference("CIM_Unicorn", "InstanceID", "x"), ""),
        (reference("CIM_ComputerSystem", "Name", "x"), ""),
        (reference("CIM_SoftwareIdentity", "Colour", "red"), ""),
        (alpha.clone(), "<b:ResultClassName>CIM_Unicorn</b:ResultClassName>"),
        (alpha.clone(), "<b:AssociationClassName>CIM_Unicorn</b:AssociationClassName>"),
    ] {
        let reply = client.post(&associated(&object, rest, "").envelope());
        assert_eq!(reply.fault().0, "CannotProcessFilter", "{object} {rest}: {}", reply.body);
    }
    assert_eq!(client.post(&associated(&alpha, "", "").envelope()).status, 200);
}

/// DSP0226 R8.7-1: who asks for references gets references, whatever properties are picked.
#[test]
fn references_are_given_in_place_of_picked_properties() {
    let (_root, _host, server) = host();
    let mut client = server.admin();
    let mode = "<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>";
    let alpha = reference("CIM_SoftwareIdentity", "InstanceID", ALPHA);
    let picked = "<b:ResultClassName>CIM_ComputerSystem</b:ResultClassName>\
                  <b:IncludeResultProperty>Name</b:IncludeResultProperty>";
    let query = "<w:Filter Dialect=\"http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf\">\
                 SELECT Name FROM CIM_SoftwareIdentity</w:Filter><w:OptimizeEnumeration/>";
    let all = Message::enumerate(&format!("{CIM}/CIM_SoftwareIdentity"), &format!("{query}{mode}"));
    for request in [associated(&alpha, picked, mode), all] {
        let body = client.ask(&request);
        assert_eq!(descendants(&body, "EndpointReference").len(), 1, "{body:?}");
        assert!(descendants(&body, "XmlFragment").is_empty(), "{body:?}");
    }
}

/// DSP0226 R6.5-1.
#[test]
fn the_reference_of_what_was_got_is_told_to_who_asks() {
    let (_root, _host, server) = host();
    let mut client = server.admin();
    let get = Message::get(&format!("{CIM}/CIM_SoftwareIdentity")).selector("InstanceID", ALPHA);
    assert!(!client.post(&get.envelope()).body.contains("RequestedEPR"));
    let reply = client.post(&get.header("<w:RequestEPR/>").envelope());
    let (_, told) = reply.body.split_once("<wsman:RequestedEPR><wsa:EndpointReference>").expect(&reply.body);
    let (told, _) = told.split_once("</wsman:RequestedEPR>").unwrap();
    assert!(told.contains("LMI_SoftwareIdentity</wsman:ResourceURI>") && told.contains(ALPHA), "{told}");
}

/// DSP0227 R8.1-6: all classes have no class that their instances could be shown as.
#[test]
fn all_classes_are_shown_as_what_they_are() {
    let (_root, _host, server) = host();
    let mut client = server.admin();
    let alpha = reference("CIM_SoftwareIdentity", "InstanceID", ALPHA);
    let mut ask = |mode: &str| {
        let mode = format!("<b:PolymorphismMode>{mode}</b:PolymorphismMode>");
        client.post(&associated(&alpha, "", &mode).envelope())
    };
    assert_eq!(ask("IncludeSubClassProperties").status, 200);
    for refused in ["ExcludeSubClassProperties", "None"] {
        assert_eq!(ask(refused).fault().0, "PolymorphismModeNotSupported", "{refused}");
    }
}

/// DSP0226 R8.2.2-1: a total that is known is told with every page.
#[test]
fn the_estimate_is_told_with_every_page() {
    let (_root, _host, server) = host();
    let mut client = server.admin();
    let class = format!("{CIM}/CIM_RegisteredProfile");
    let ask = |message: Message| {
        message.selector("__cimnamespace", "root/interop").header("<w:RequestTotalItemsCountEstimate/>").envelope()
    };
    let first = client.post(&ask(Message::enumerate(&class, "")));
    assert!(first.body.contains("<wsman:TotalItemsCountEstimate>6<"), "{}", first.body);
    let context = text_of(descendants(&first.content(), "EnumerationContext")[0]);
    let enumeration = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";
    let pull = format!("<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext></n:Pull>");
    let page = client.post(&ask(Message::action(&format!("{enumeration}/Pull"), &class, &pull)));
    assert!(page.body.contains("<wsman:TotalItemsCountEstimate>6<"), "{}", page.body);
}
