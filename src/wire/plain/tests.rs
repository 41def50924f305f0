use proptest::prelude::*;

use super::*;
use crate::wire::SelectorSet;
use crate::wire::names::REQUEST_PREFIXES;
use crate::xml::{ElementExt, Limits, Writer, read};

const URI: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Thing";

fn written(instance: &PlainInstance) -> String {
    let mut w = Writer::new(usize::MAX);
    w.start("s:Envelope").namespaces(REQUEST_PREFIXES);
    instance.write(&mut w);
    w.end("s:Envelope");
    String::from_utf8(w.finish()).unwrap()
}

fn read_back(text: &str) -> PlainInstance {
    PlainInstance::read(read(text, &Limits::default()).unwrap().elements().next().unwrap()).unwrap()
}

fn reference() -> EndpointReference {
    EndpointReference::to_resource("https://host/wsman", URI, &SelectorSet::default().with("Name", "a/b"))
}

fn thing() -> PlainInstance {
    PlainInstance { class: "CIM_Thing".to_owned(), resource_uri: URI.to_owned(), properties: Vec::new() }
}

fn value() -> impl Strategy<Value = PlainValue> {
    let leaf = prop_oneof![
        Just(PlainValue::Null),
        "[ a-zäß<&\"0-9]{0,12}".prop_map(PlainValue::Text),
        Just(PlainValue::Datetime("20261129070000.000000+000".to_owned())),
        Just(PlainValue::Datetime("PT90S".to_owned())),
        Just(PlainValue::from(reference())),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let held = proptest::collection::vec(inner, 1..3).prop_map(|values| {
            let named = values.into_iter().enumerate().map(|(i, value)| (format!("P{i}"), value)).collect();
            PlainValue::Instance(Box::new(PlainInstance { properties: named, ..thing() }))
        });
        held.boxed()
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(values in proptest::collection::vec(value(), 0..5), array in proptest::collection::vec(value(), 2..4)) {
        let mut instance = thing();
        for (i, value) in values.into_iter().enumerate() {
            instance.set(&format!("Property{i}"), value);
        }
        instance.set("Items", PlainValue::Array(array));
        prop_assert_eq!(read_back(&written(&instance)), instance);
    }
}

#[test]
fn references_are_read_in_both_of_their_forms() {
    let direct = written(&thing().with("Target", reference()));
    let wrapped = direct
        .replace("<p:Target>", "<p:Target><wsa:EndpointReference>")
        .replace("</p:Target>", "</wsa:EndpointReference></p:Target>");
    for text in [direct, wrapped] {
        assert_eq!(read_back(&text).reference("target"), Some(&reference()), "{text}");
    }
}

#[test]
fn an_instance_inside_is_read_in_each_of_its_forms() {
    let typed = "<P x:type='q:CIM_In_Type'><q:A>1</q:A></P>";
    let held = "<P><q:CIM_In x:type='q:CIM_In_Type'><q:A>1</q:A></q:CIM_In></P>";
    let nameless = "<P><q:A>1</q:A></P>";
    for (inside, class) in [(typed, "CIM_In"), (held, "CIM_In"), (nameless, "")] {
        let text = format!(
            "<e xmlns:q='urn:q' xmlns:x='http://www.w3.org/2001/XMLSchema-instance'><C xmlns='urn:c'>{inside}</C></e>"
        );
        let read = read_back(&text);
        let found = read.get("P").unwrap().instances().next().unwrap();
        assert_eq!((found.class.as_str(), found.text("A")), (class, Some("1")), "{text}");
    }
}

#[test]
fn items_are_read_in_every_mode() {
    let instance = written(&thing().with("Name", "a"));
    let body = instance.split_once("<p:").unwrap().1.rsplit_once("</s:Envelope>").unwrap().0;
    let mut w = Writer::new(usize::MAX);
    w.start("wsa:EndpointReference");
    reference().write(&mut w);
    w.end("wsa:EndpointReference");
    let endpoint = String::from_utf8(w.finish()).unwrap();
    let item = |inside: &str| {
        let mut w = Writer::new(usize::MAX);
        w.start("s:Envelope").namespaces(REQUEST_PREFIXES).raw(inside).end("s:Envelope");
        let root = read(std::str::from_utf8(&w.finish()).unwrap(), &Limits::default()).unwrap();
        PlainItem::read(root.elements().next().unwrap().clone()).unwrap()
    };
    let object = format!("<p:{body}");
    let both = item(&format!("<wsman:Item>{object}{endpoint}</wsman:Item>"));
    assert_eq!(both.reference, Some(reference()));
    assert_eq!(both.instance.as_ref().and_then(|i| i.text("Name")), Some("a"));
    assert_eq!(item(&object), PlainItem { reference: None, ..both.clone() });
    assert_eq!(item(&endpoint), PlainItem { instance: None, ..both });
    let part = item("<wsman:XmlFragment><Name>a</Name></wsman:XmlFragment>").instance.unwrap();
    assert_eq!((part.class.as_str(), part.text("name")), ("", Some("a")));
}
