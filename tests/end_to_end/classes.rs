//! Classes themselves: GetClass and the enumeration of subclasses, as Windows' clients and others ask for them.

use std::collections::BTreeSet;

use xmltree::Element;

use crate::support::packages::DebRoot;
use crate::support::server::{Host, Server};
use crate::support::wsman::{Client, Message, child, descendants, text_of};

const CIM_XML: &str = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*";
const WS_CIM: &str = "http://schemas.dmtf.org/wbem/ws-cim/1/cim-schema/2/*";
const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
const ENUMERATION: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";

fn host() -> (DebRoot, Host, Server) {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    (root, host, server)
}

fn get(uri: &str, class: &str) -> Message {
    Message::get(uri).selector("__cimnamespace", "root/cimv2").selector("ClassName", class)
}

fn options(options: &[(&str, &str)]) -> String {
    let options = options.iter().map(|(name, value)| format!("<w:Option Name=\"{name}\">{value}</w:Option>"));
    format!("<w:OptionSet>{}</w:OptionSet>", options.collect::<String>())
}

fn attribute<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    element.attributes.iter().find(|(key, _)| **key == *name).map(|(_, value)| value.as_str())
}

/// The names of the classes among the items of a page.
fn names(page: &Element) -> Vec<String> {
    descendants(page, "CLASS").into_iter().map(|class| attribute(class, "NAME").unwrap().to_owned()).collect()
}

/// All classes that an enumeration gives, pulled 10 at a time.
fn enumerated(client: &mut Client, request: &Message) -> Vec<String> {
    let mut page = client.ask(request);
    let mut found = names(&page);
    while child(&page, "EndOfSequence").is_none() {
        let context = text_of(child(&page, "EnumerationContext").unwrap());
        let pull = format!(
            "<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>10</n:MaxElements></n:Pull>"
        );
        page = client.ask(&Message::action(&format!("{ENUMERATION}/Pull"), &request.resource_uri, &pull));
        let more = names(&page);
        assert!(more.len() <= 10, "{more:?}");
        found.extend(more);
    }
    found
}

/// The request of `New-CimInstance` and `Get-CimClass LMI_SoftwareIdentity`, with its lines as they were recorded.
#[test]
fn windows_gets_a_class() {
    let (_root, _host, server) = host();
    let asked = "<w:OptionSet xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n\
        <w:Option Name=\"IncludeInheritanceHierarchy\" Type=\"xs:boolean\">\n true\n </w:Option>\n\
        <w:Option Name=\"IncludeInheritedElements\" Type=\"xs:boolean\">\n true\n </w:Option>\n\
        <w:Option Name=\"IncludeQualifiers\" Type=\"xs:boolean\">\n true\n </w:Option>\n\
        <w:Option Name=\"__MI_CallbackRegistration\" Type=\"xs:int\">\n 11\n </w:Option>\n\
        <w:Option Name=\"msftwinrm:UsePreciseArrays\" Type=\"xs:boolean\">\n true\n </w:Option>\n</w:OptionSet>";
    let reply = server.admin().post(&get(CIM_XML, "\n lmi_softwareidentity\n ").header(asked).envelope());
    let class = reply.content();
    assert_eq!((class.name.as_str(), &class.namespace), ("CLASS", &None), "{}", reply.body);
    assert!(reply.body.contains(&format!("<wsa:Action>{TRANSFER}/GetResponse</wsa:Action>")), "{}", reply.body);
    assert_eq!(attribute(&class, "NAME"), Some("LMI_SoftwareIdentity"));
    assert_eq!(attribute(&class, "SUPERCLASS"), Some("CIM_SoftwareIdentity"));
    let ancestors = "CIM_SoftwareIdentity,CIM_LogicalElement,CIM_ManagedSystemElement,CIM_ManagedElement";
    assert_eq!(attribute(&class, "DERIVATION"), Some(ancestors));
    let key = "<PROPERTY NAME=\"InstanceID\" TYPE=\"string\" PROPAGATED=\"true\"><QUALIFIER NAME=\"Key\" \
               TYPE=\"boolean\" PROPAGATED=\"true\" OVERRIDABLE=\"false\"><VALUE>true</VALUE></QUALIFIER>";
    assert!(reply.body.contains(key), "{}", reply.body);
    assert!(reply.body.contains("<PROPERTY.ARRAY NAME=\"Classifications\" TYPE=\"uint16\""), "{}", reply.body);
    assert!(!reply.body.contains("CLASSORIGIN"), "{}", reply.body);
}

#[test]
fn who_asks_for_nothing_in_particular_gets_what_is_the_class_s_own() {
    let (_root, _host, server) = host();
    let mut client = server.admin();
    let plain = client.post(&get(CIM_XML, "CIM_ListenerDestinationCIMXML").envelope());
    let expected = "<s:Body><CLASS NAME=\"CIM_ListenerDestinationCIMXML\" SUPERCLASS=\"CIM_ListenerDestination\">\
                    <PROPERTY NAME=\"Destination\" TYPE=\"string\"/></CLASS></s:Body>";
    assert!(plain.body.contains(expected), "{}", plain.body);
    let asked = options(&[("wmi:IncludeClassOrigin", "true"), ("IncludeInheritedElements", "false")]);
    let origin = client.post(&get(CIM_XML, "CIM_ListenerDestinationCIMXML").header(&asked).envelope());
    let expected = "<PROPERTY NAME=\"Destination\" TYPE=\"string\" CLASSORIGIN=\"CIM_ListenerDestination\"/></CLASS>";
    assert!(origin.body.contains(expected), "{}", origin.body);
    let told = client.post(&get(CIM_XML, "CIM_ListenerDestinationCIMXML").header("<w:RequestEPR/>").envelope());
    let reference = "<wsman:Selector Name=\"ClassName\">CIM_ListenerDestinationCIMXML</wsman:Selector></wsman:SelectorSet>\
                     </wsa:ReferenceParameters></wsa:EndpointReference></wsman:RequestedEPR>";
    assert!(told.body.contains(reference), "{}", told.body);
}

#[test]
fn a_class_is_shown_as_the_schema_of_its_instances() {
    let (_root, _host, server) = host();
    let schema = server.admin().ask(&get(WS_CIM, "LMI_SoftwareJob"));
    assert_eq!(schema.namespace.as_deref(), Some("http://www.w3.org/2001/XMLSchema"));
    let target = "http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_SoftwareJob";
    assert_eq!(attribute(&schema, "targetNamespace"), Some(target));
    let elements = schema.children.iter().filter_map(|node| node.as_element()).filter(|e| e.name == "element");
    let names: BTreeSet<&str> = elements.filter_map(|element| attribute(element, "name")).collect();
    assert!(names.is_superset(&["LMI_SoftwareJob", "JobState", "RequestStateChange_INPUT"].into()), "{names:?}");
}

#[test]
fn classes_that_are_not_there_and_selectors_that_say_nothing_get_their_faults() {
    let (_root, _host, server) = host();
    let mut client = server.admin();
    for (request, subcode, detail) in [
        (get(CIM_XML, "InvalidClass"), "DestinationUnreachable", "InvalidResourceURI"),
        (get(WS_CIM, "InvalidClass"), "DestinationUnreachable", "InvalidResourceURI"),
        (get(CIM_XML, "CIM_Job").selector("Colour", "red"), "InvalidSelectors", "UnexpectedSelectors"),
        (Message::get(CIM_XML), "InvalidSelectors", "InsufficientSelectors"),
        (get(CIM_XML, ""), "InvalidSelectors", "InsufficientSelectors"),
        (
            get(CIM_XML, "CIM_Job").header("<w:FragmentTransfer>NAME</w:FragmentTransfer>"),
            "UnsupportedFeature",
            "Fragment",
        ),
        (
            Message::enumerate(CIM_XML, "").selector("ClassName", "Unicorn"),
            "DestinationUnreachable",
            "InvalidResourceURI",
        ),
        (Message::enumerate(CIM_XML, "").selector("Name", "x"), "InvalidSelectors", "UnexpectedSelectors"),
        (
            Message::enumerate(
                CIM_XML,
                "<w:Filter Dialect=\"http://schemas.microsoft.com/wbem/wsman/1/WQL\">x</w:Filter>",
            ),
            "FilteringNotSupported",
            "",
        ),
        (
            Message::enumerate(CIM_XML, "<b:PolymorphismMode>None</b:PolymorphismMode>"),
            "PolymorphismModeNotSupported",
            "",
        ),
        (
            Message::get(CIM_XML).selector("ClassName", "CIM_Job").selector("__cimnamespace", "root/nowhere"),
            "DestinationUnreachable",
            "CIM_ERR_INVALID_NAMESPACE",
        ),
    ] {
        let reply = client.post(&request.envelope());
        assert_eq!(reply.fault().0, subcode, "{request:?}: {}", reply.body);
        assert!(reply.body.contains(detail), "{detail} is not in {}", reply.body);
    }
    let body = "<p:CLASS xmlns:p=\"urn:p\"/>";
    for action in ["Put", "Create", "Delete"] {
        let request = Message::action(&format!("{TRANSFER}/{action}"), CIM_XML, body).selector("ClassName", "CIM_Job");
        let reply = client.post(&request.envelope());
        assert_eq!(reply.fault().0, "ActionNotSupported", "{}", reply.body);
        assert!(reply.body.contains("faultDetail/ActionMismatch"), "{}", reply.body);
    }
    let subscribe = Message { resource_uri: CIM_XML.to_owned(), ..Message::subscribe("https://127.0.0.1:9/", "x") };
    assert_eq!(client.post(&subscribe.envelope()).fault().0, "ActionNotSupported");
}

/// A class whose instances live in root/interop alone is none of root/cimv2.
#[test]
fn a_class_is_shown_where_its_instances_are() {
    let (_root, _host, server) = host();
    let mut client = server.admin();
    let profile = |namespace: &str| {
        Message::get(CIM_XML).selector("ClassName", "CIM_RegisteredProfile").selector("__cimnamespace", namespace)
    };
    assert_eq!(client.post(&profile("root/cimv2").envelope()).fault().0, "DestinationUnreachable");
    assert_eq!(client.ask(&profile("root\\interop")).name, "CLASS");
    let all = options(&[("IncludeSubClasses", "true")]);
    let mut listed = |namespace: &str| {
        let request = Message::enumerate(CIM_XML, "<w:OptimizeEnumeration/><w:MaxElements>25</w:MaxElements>");
        enumerated(&mut client, &request.selector("__cimnamespace", namespace).header(&all))
    };
    let (implementation, interop) = (listed("root/cimv2"), listed("root/interop"));
    assert!(!implementation.contains(&"CIM_RegisteredProfile".to_owned()), "{implementation:?}");
    assert!(interop.contains(&"CIM_RegisteredProfile".to_owned()), "{interop:?}");
    assert!(interop.len() > implementation.len());
}

#[test]
fn classes_are_enumerated_below_a_class_or_from_the_top() {
    let (_root, _host, server) = host();
    let mut client = server.admin();
    let mut below = |class: &str, asked: &[(&str, &str)]| {
        let request = Message::enumerate(CIM_XML, "").selector("ClassName", class).header(&options(asked));
        enumerated(&mut client, &request)
    };
    let direct = ["LMI_ConcreteJob", "VMware_ConcreteJob"];
    assert_eq!(below("cim_concretejob", &[]), direct);
    let jobs = [
        "LMI_ConcreteJob",
        "LMI_SoftwareInstallationJob",
        "LMI_SoftwareJob",
        "LMI_SoftwareVerificationJob",
        "VMware_ConcreteJob",
    ];
    assert_eq!(below("CIM_ConcreteJob", &[("IncludeSubClasses", "true")]), jobs);
    assert_eq!(below("CIM_ConcreteJob", &[("__MI_CallbackRegistration", "11")]), jobs);
    let not_deep = [("__MI_CallbackRegistration", "11"), ("IncludeSubClasses", "false")];
    assert_eq!(below("CIM_ConcreteJob", &not_deep), direct);
    assert_eq!(below("LMI_SoftwareInstallationJob", &[]), [""; 0]);

    let top = below("", &[]);
    assert!(top.contains(&"CIM_ManagedElement".to_owned()) && !top.contains(&"CIM_Job".to_owned()), "{top:?}");
    let all = below("", &[("IncludeSubClasses", "true")]);
    let distinct: BTreeSet<&String> = all.iter().collect();
    assert!(distinct.len() == all.len() && all.len() > 100 && top.iter().all(|class| distinct.contains(class)));
}

#[test]
fn items_are_classes_or_references_or_both() {
    let (_root, _host, server) = host();
    let mut client = server.admin();
    let mut page = |body: &str, asked: &[(&str, &str)]| {
        let body = format!("<w:OptimizeEnumeration/><w:MaxElements>5</w:MaxElements>{body}");
        let request = Message::enumerate(CIM_XML, &body).selector("ClassName", "LMI_ConcreteJob");
        let page = client.ask(&request.header(&options(asked)));
        let items = child(&page, "Items").unwrap().children.iter().filter_map(|node| node.as_element());
        let shapes: Vec<String> = items.map(|item| item.name.clone()).collect();
        (shapes, names(&page), descendants(&page, "Selector").into_iter().map(text_of).collect::<Vec<_>>())
    };
    let (class, reference) = (vec!["LMI_SoftwareJob".to_owned()], ["root/cimv2", "LMI_SoftwareJob"]);
    let mode = |mode: &str| format!("<w:EnumerationMode>{mode}</w:EnumerationMode>");
    assert_eq!(page("", &[]), (vec!["CLASS".to_owned()], class.clone(), vec![]));
    for (body, asked) in [(mode("EnumerateEPR"), None), (String::new(), Some(("ExcludeClassSpecification", "true")))] {
        let (shapes, classes, selectors) = page(&body, asked.as_slice());
        assert_eq!((shapes.as_slice(), classes.len()), (["EndpointReference".to_owned()].as_slice(), 0));
        assert_eq!(selectors, reference);
    }
    for (body, asked) in [(mode("EnumerateObjectAndEPR"), None), (String::new(), Some(("IncludePath", "true")))] {
        let (shapes, classes, selectors) = page(&body, asked.as_slice());
        assert_eq!((shapes.as_slice(), &classes), (["Item".to_owned()].as_slice(), &class));
        assert_eq!(selectors, reference);
    }
}

/// A page of classes keeps to its envelope and tells how many classes there are.
#[test]
fn pages_of_classes_keep_to_their_envelope() {
    let (_root, _host, server) = host();
    let mut client = server.admin();
    let everything =
        options(&[("IncludeQualifiers", "true"), ("IncludeInheritedElements", "true"), ("IncludeSubClasses", "true")]);
    let headers =
        format!("{everything}<w:MaxEnvelopeSize>100000</w:MaxEnvelopeSize><w:RequestTotalItemsCountEstimate/>");
    let body = "<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>";
    let request = Message::enumerate(CIM_XML, body).selector("ClassName", "CIM_ManagedElement").header(&headers);
    let first = client.post(&request.envelope());
    assert!(first.body.len() <= 100_000, "{}", first.body.len());
    let (_, total) = first.body.split_once("<wsman:TotalItemsCountEstimate>").expect(&first.body);
    let total: usize = total.split('<').next().unwrap().parse().unwrap();
    let found = enumerated(&mut client, &request);
    assert!(names(&first.content()).len() < total, "everything came at once");
    assert_eq!(found.len(), total);
}
