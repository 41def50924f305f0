//! Values, instances, paths and calls into XML and back.

use std::sync::{Arc, LazyLock};

use super::*;
use crate::cim::query::Path;
use crate::cim::{CimError, CimStatus, DateTime, Instance, ObjectPath, Schema, Value};
use crate::soap::names::{SOAP, WSA};
use crate::soap::{EndpointReference, Envelope, Fault, FaultDetail, FaultKind, MessageId};
use crate::wire::names::{CIM, WSMAN, WSMB, XSI, action};
use crate::wire::{SelectorSet, SelectorValue, UriForm};
use crate::xml::{Element, ElementExt, Limits, Namespaces, Writer, XML_NAMESPACE, read};

const MOF: &str = r#"
class CIM_Key { [Key] string Name; };
class LMI_All : CIM_Key {
    boolean B; string S; char16 C; uint8 U8; uint16 U16; uint32 U32; uint64 U64;
    sint8 I8; sint16 I16; sint32 I32; sint64 I64; real32 R32; real64 R64; datetime D;
    string Ss[]; uint16 Us[]; datetime Ds[];
    [Write, EmbeddedInstance("CIM_Key")] string E; [Write, EmbeddedObject] string Es[];
    [EmbeddedObject] string Shown;
    uint32 Call([In] string Text, [In, Required] uint16 Numbers[], [In] CIM_Key REF Target,
                [In(false), Out] CIM_Key REF Job, [In, Out] boolean Both);
};
[Association] class LMI_Link { [Key] CIM_Key REF Antecedent; [Key] CIM_Key REF Dependent; };
"#;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::from_mof([("test.mof", MOF)].into_iter()).unwrap());
static NAMESPACE: LazyLock<Arc<str>> = LazyLock::new(|| "root/cimv2".into());

fn mapping() -> Mapping<'static> {
    Mapping { schema: &SCHEMA, namespace: &NAMESPACE, precise_arrays: false }
}

const SCOPE: Namespaces = &[("s", SOAP), ("wsa", WSA), ("wsman", WSMAN), ("xsi", XSI), ("cim", CIM)];

fn written(write: impl FnOnce(&mut Writer)) -> String {
    let mut w = Writer::new(usize::MAX);
    w.start("x").namespaces(SCOPE);
    w.close_start();
    let before = w.len();
    write(&mut w);
    let text = String::from_utf8(w.finish()).unwrap();
    text[before..].to_owned()
}

fn element(inner: &str) -> Element {
    let declared: String = SCOPE.iter().map(|(p, uri)| format!(" xmlns:{p}='{uri}'")).collect();
    let root = read(&format!("<x{declared}>{inner}</x>"), &Limits::default()).unwrap();
    root.elements().next().unwrap().clone()
}

fn key(name: &str) -> ObjectPath {
    ObjectPath::new("root/cimv2", "CIM_Key", vec![("Name".into(), name.into())])
}

fn instance_of(class: &str) -> Instance {
    Instance::new(SCHEMA.class(class).unwrap().clone())
}

#[test]
fn an_instance_is_written_as_decided() {
    let mut inner = instance_of("LMI_All");
    inner.set("Name", "in").unwrap().set("E", instance_of("CIM_Key")).unwrap();
    let mut instance = instance_of("LMI_All");
    instance.set("Name", "a & b").unwrap().set("E", inner).unwrap();
    instance.set("D", DateTime::seconds(90)).unwrap().set("R64", 1e300).unwrap().set("R32", f32::NEG_INFINITY).unwrap();
    instance.set("Us", Value::array([1u16, 2])).unwrap().set("B", true).unwrap().set("I8", -1i8).unwrap();
    let form = UriForm::Vendor;
    let style = Style { form: &form, exclude_nil: true, ..Style::default() };
    let lmi = "http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_All";
    let dmtf = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/";
    assert_eq!(
        written(|w| write_instance(w, &instance, &style)),
        format!(
            "<p:LMI_All xmlns:p=\"{lmi}\" xsi:type=\"p:LMI_All_Type\"><p:B>true</p:B><p:D><cim:Interval>PT1M30S\
             </cim:Interval></p:D><p:E xmlns:p1=\"{lmi}\" xsi:type=\"p1:LMI_All_Type\"><p1:E xmlns:p=\"{dmtf}CIM_Key\" \
             xsi:type=\"p:CIM_Key_Type\"></p1:E><p1:Name>in</p1:Name></p:E><p:I8>-1</p:I8><p:Name>a &amp; b</p:Name>\
             <p:R32>-INF</p:R32><p:R64>1E300</p:R64><p:Us>1</p:Us><p:Us>2</p:Us></p:LMI_All>"
        )
        .replace("></p1:E>", "/>")
    );
    let nil =
        written(|w| write_instance(w, &instance_of("CIM_Key"), &Style { form: &UriForm::Dmtf, ..Style::default() }));
    assert!(nil.ends_with("<p:Name xsi:nil=\"true\"/></p:CIM_Key>"), "{nil}");
    let wmi = UriForm::Wmi { namespace: "root/cimv2".into() };
    let text = written(|w| write_instance(w, &instance, &Style { form: &wmi, ..style }));
    assert_eq!(text.matches("\"http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/").count(), 3);
    let found: Vec<_> = ["us", "Nope", "Name"].iter().filter_map(|n| Path::to_property(n).find(&instance)).collect();
    let part = |bare_names| written(|w| write_fragment(w, instance.class(), &found, bare_names, &style));
    assert_eq!(part(true), "<wsman:XmlFragment><Us>1</Us><Us>2</Us><Name>a &amp; b</Name></wsman:XmlFragment>");
    assert_eq!(
        part(false),
        format!(
            "<wsman:XmlFragment xmlns:p=\"{lmi}\"><p:Us>1</p:Us><p:Us>2</p:Us><p:Name>a &amp; b</p:Name>\
             </wsman:XmlFragment>"
        )
    );
}

#[test]
fn a_path_is_written_and_read_as_an_endpoint_reference() {
    let link = ObjectPath::new(
        "root/interop",
        "LMI_Link",
        vec![("Dependent".into(), key("b").into()), ("Antecedent".into(), key("a<").into())],
    );
    let text = written(|w| write_wrapped_path(w, &link, &Style::default()));
    assert!(text.starts_with(
        "<wsa:EndpointReference><wsa:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous\
         </wsa:Address><wsa:ReferenceParameters><wsman:ResourceURI>\
         http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_Link</wsman:ResourceURI><wsman:SelectorSet>\
         <wsman:Selector Name=\"__cimnamespace\">root/interop</wsman:Selector><wsman:Selector Name=\"Antecedent\">\
         <wsa:EndpointReference><wsa:Address>"
    ));
    for form in [UriForm::Vendor, UriForm::Dmtf, UriForm::Wmi { namespace: "root/cimv2".into() }] {
        let style = Style { form: &form, ..Style::default() };
        let text = written(|w| write_wrapped_path(w, &link, &style));
        let endpoint = EndpointReference::read(&element(&text)).unwrap();
        assert_eq!(mapping().path(&endpoint).unwrap(), link);
        assert_eq!(endpoint.selectors().unwrap(), selectors_of(&link, &style));
    }
}

#[test]
fn selectors_must_be_the_keys_and_nothing_else() {
    let class = SCHEMA.class("CIM_Key").unwrap();
    let set = SelectorSet::default().with("__CIMNamespace", "root\\interop").with("nAME", "x");
    let path = mapping().selected(class, &set).unwrap();
    assert_eq!(path.to_string(), "root/interop:CIM_Key.Name=\"x\"");
    let refused = |class: &str, set: SelectorSet| {
        let fault = mapping().selected(SCHEMA.class(class).unwrap(), &set).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::InvalidSelectors);
        fault.detail().unwrap()
    };
    assert_eq!(refused("CIM_Key", SelectorSet::default()), FaultDetail::InsufficientSelectors);
    let set = SelectorSet::default().with("Name", "x").with("B", "true");
    assert_eq!(refused("LMI_All", set), FaultDetail::UnexpectedSelectors);
    let text = SelectorSet::default().with("Antecedent", "x").with("Dependent", "y");
    assert_eq!(refused("LMI_Link", text), FaultDetail::TypeMismatch);
    let mut unknown = SelectorSet::default().with("Dependent", "y");
    let nowhere = EndpointReference::to_resource("", &UriForm::Vendor.class_uri("CIM_None"), &SelectorSet::default());
    unknown.set("Antecedent", SelectorValue::Endpoint(Box::new(nowhere)));
    assert_eq!(refused("LMI_Link", unknown), FaultDetail::TypeMismatch);
    let mut set = SelectorSet::default();
    set.set("Name", SelectorValue::Endpoint(Box::new(EndpointReference::new("urn:x"))));
    assert_eq!(refused("CIM_Key", set), FaultDetail::TypeMismatch);
}

const PUT: &str =
    "<p:LMI_All xmlns:p='http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_All' xsi:type='p0:LMI_All_Type'>";

#[test]
fn what_clients_put_is_read() {
    let class = SCHEMA.class("LMI_All").unwrap();
    let text = format!(
        "{PUT}<cim:Location><wsa:Address>x</wsa:Address></cim:Location>\
         <p:Name xsi:type='cim:cimString'> x </p:Name><p:S xsi:nil='true'/><p:B>TRUE</p:B><p:C>65</p:C>\
         <p:D>2026-11-21T00:00:00Z</p:D><p:Ds><cim:CIM_DateTime>00000000000100.000000:000</cim:CIM_DateTime></p:Ds>\
         <p:Us xsi:nil='true'/><p:Ss>a</p:Ss><p:Ss xsi:nil='1'/>\
         <p:E><q:CIM_Key xmlns:q='urn:q'><q:Name>nested</q:Name></q:CIM_Key></p:E></p:LMI_All>"
    );
    let given = mapping().instance(&element(&text), class).unwrap();
    let names: Vec<_> = given.given().map(|(p, _)| &*p.name).collect();
    assert_eq!(names, ["B", "C", "D", "Ds", "E", "Name", "S", "Ss", "Us"]);
    let value = |name| given.instance.get(name).unwrap();
    assert_eq!(value("Name"), &Value::from(" x "));
    assert_eq!(value("C"), &Value::Char16(65));
    assert_eq!(value("Ds"), &Value::array([DateTime::seconds(60)]));
    assert_eq!(value("Us"), &Value::Null);
    assert_eq!(value("Ss"), &Value::Array([Value::from("a"), Value::Null].into()));
    assert_eq!(value("E").as_instance().unwrap().get("Name"), Some(&Value::from("nested")));

    let precise = Mapping { precise_arrays: true, ..mapping() };
    let nulls = format!("{PUT}<p:Us xsi:nil='true'/><p:Ss xsi:nil='true' p:IsNullArray='true'/></p:LMI_All>");
    let given = precise.instance(&element(&nulls), class).unwrap();
    assert_eq!(given.instance.get("Us"), Some(&Value::Array([Value::Null].into())));
    assert_eq!(given.instance.get("Ss"), Some(&Value::Null));
}

#[test]
fn a_value_in_an_element_called_nil_is_not_lost() {
    let class = SCHEMA.class("LMI_All").unwrap();
    let text = format!(
        "{PUT}<p:Name xsi:nil='true'>me</p:Name><p:Us xsi:nil='true'>7</p:Us><p:S xsi:nil='true'> </p:S></p:LMI_All>"
    );
    let given = mapping().instance(&element(&text), class).unwrap().instance;
    assert_eq!(given.get("Name"), Some(&Value::from("me")));
    assert_eq!(given.get("Us"), Some(&Value::array([7u16])));
    assert_eq!(given.get("S"), Some(&Value::Null));
}

#[test]
fn what_cannot_be_put_is_named() {
    let class = SCHEMA.class("LMI_All").unwrap();
    let refused = |inner: &str| {
        let error = mapping().instance(&element(&format!("{PUT}{inner}</p:LMI_All>")), class).unwrap_err();
        error.to_string()
    };
    for (inner, message) in [
        ("<p:Nope/>", "class LMI_All has no property \"Nope\""),
        (
            "<z:U8 xmlns:z='urn:z'>1</z:U8>",
            "U8 is in the namespace \"urn:z\", which is no class's; use the one of its class, or none",
        ),
        ("<p:U8>256</p:U8>", "property U8: \"256\" is outside the range of uint8"),
        ("<p:U8/>", "property U8: \"\" is not a uint8"),
        ("<p:C>55296</p:C>", "property C: \"55296\" is not a char16"),
        ("<p:C>1</p:C><p:U8/>", "property U8: \"\" is not a uint8"),
        ("<p:C>11</p:C>", "property C: \"11\" is not a char16"),
        ("<p:S>a</p:S><p:S>b</p:S>", "property S: it is given more than once and is no array"),
        ("<p:S><p:b/></p:S>", "property S: it holds the element b where text is expected"),
        ("<p:E xsi:type='q:LMI_Link_Type'/>", "property E: it holds an instance of LMI_Link and not of CIM_Key"),
        ("<p:E xsi:type='q:No_Type'/>", "property E: it holds an instance of \"No\", which is no class here"),
        ("<p:Es/>", "property Es: it must say in xsi:type which class it is of"),
        ("<p:Es xsi:type='q:LMI_All_Type'><p:U8>x</p:U8></p:Es>", "property Es: property U8: \"x\" is not a uint8"),
        ("<p:D><cim:Date>2026-11-21</cim:Date></p:D>", "property D: it holds Date; give cim:Datetime or cim:Interval"),
    ] {
        assert_eq!(refused(inner), message);
    }
    let error = mapping().instance(&element("<p:CIM_Other xmlns:p='urn:x'/>"), class).unwrap_err();
    let fault = Fault::from(error);
    assert_eq!((fault.kind(), fault.detail()), (FaultKind::InvalidRepresentation, Some(FaultDetail::InvalidNamespace)));
    let superclass = "<p:CIM_Key xmlns:p='http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Key'/>";
    assert!(mapping().instance(&element(superclass), class).is_ok(), "a superclass's name will do");
}

#[test]
fn an_instance_inside_that_nobody_may_set_may_have_lost_its_class() {
    let class = SCHEMA.class("LMI_All").unwrap();
    let text = format!("{PUT}<p:U8>7</p:U8><p:Shown><p:U8>1</p:U8><p:S>s</p:S></p:Shown></p:LMI_All>");
    let given = mapping().instance(&element(&text), class).unwrap();
    assert_eq!(given.given().map(|(property, _)| &*property.name).collect::<Vec<_>>(), ["U8"]);
}

#[test]
fn a_method_call_goes_there_and_back() {
    let class = SCHEMA.class("LMI_All").unwrap();
    let method = class.method("call").unwrap();
    let inputs: Vec<(Arc<str>, Value)> = vec![
        ("Text".into(), "t".into()),
        ("Numbers".into(), Value::array([1u16, 2])),
        ("Target".into(), key("k").into()),
        ("Both".into(), true.into()),
    ];
    let text = written(|w| write_input(w, "LMI_All", method, &inputs, &Style::default()));
    assert!(text.starts_with("<p:Call_INPUT xmlns:p=\"http://schemas.openlmi.org/"), "{text}");
    assert_eq!(mapping().input(Some(&element(&text)), method).unwrap(), inputs);
    let wrapped = text
        .replace("<p:Target>", "<p:Target><wsa:EndpointReference>")
        .replace("</p:Target>", "</wsa:EndpointReference></p:Target>");
    assert_eq!(mapping().input(Some(&element(&wrapped)), method).unwrap(), inputs);

    let outputs: Vec<(Arc<str>, Value)> = vec![("Job".into(), key("job").into()), ("Both".into(), Value::Null)];
    let text = written(|w| write_output(w, "LMI_All", method, &outputs, &Value::Uint32(4096), &Style::default()));
    assert!(text.ends_with("<p:Both xsi:nil=\"true\"/><p:ReturnValue>4096</p:ReturnValue></p:Call_OUTPUT>"), "{text}");
    let message = Envelope { body: Some(element(&text)), ..Envelope::default() };
    assert_eq!(read_output(&mapping(), &message, method).unwrap(), (Value::Uint32(4096), outputs));
}

#[test]
fn one_empty_element_of_numbers_is_a_list_without_items() {
    let method = SCHEMA.class("LMI_All").unwrap().method("Call").unwrap();
    let body = element("<p:Call_INPUT xmlns:p='urn:x'><p:Numbers/></p:Call_INPUT>");
    let given = mapping().input(Some(&body), method).unwrap();
    let numbers = given.iter().find(|(name, _)| &**name == "Numbers").map(|(_, value)| value.clone());
    assert_eq!(numbers, Some(Value::Array(Vec::new().into())));
    let body = element("<p:Call_INPUT xmlns:p='urn:x'><p:Numbers/><p:Numbers>1</p:Numbers></p:Call_INPUT>");
    assert!(mapping().input(Some(&body), method).is_err(), "an item that is no number");
}

#[test]
fn wrong_parameters_are_named() {
    let method = SCHEMA.class("LMI_All").unwrap().method("Call").unwrap();
    let refused = |inner: &str| {
        let body = element(&format!("<p:Call_INPUT xmlns:p='urn:x'>{inner}</p:Call_INPUT>"));
        let fault = mapping().input(Some(&body), method).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::InvalidParameter);
        (fault.detail().unwrap(), fault.reason().to_owned())
    };
    use FaultDetail::{InvalidName, TypeMismatch};
    let numbers = "<p:Numbers>1</p:Numbers>";
    for (inner, detail, reason) in [
        (String::new(), InvalidName, "parameter Numbers of method Call: it is missing"),
        ("<p:Nope/>".into(), InvalidName, "method Call has no input parameter \"Nope\""),
        ("<p:Job/>".into(), InvalidName, "method Call has no input parameter \"Job\""),
        (
            format!("{numbers}<p:Text>a</p:Text><p:Text>b</p:Text>"),
            InvalidName,
            "parameter Text of method Call: it is given more than once and is no array",
        ),
        (
            "<p:Numbers>-1</p:Numbers>".into(),
            TypeMismatch,
            "parameter Numbers of method Call: \"-1\" is outside the range of uint16",
        ),
        (
            format!("{numbers}<p:Target>x</p:Target>"),
            TypeMismatch,
            "parameter Target of method Call: the reference names no instance: it holds no wsman:ResourceURI",
        ),
    ] {
        assert_eq!(refused(&inner), (detail, reason.to_owned()));
    }
    let other = mapping().input(Some(&element("<p:Else_INPUT xmlns:p='urn:x'/>")), method).unwrap_err();
    assert_eq!(other.kind(), FaultKind::SchemaValidationError);
    let none = mapping().input(None, method).unwrap_err();
    assert_eq!(none.detail(), Some(InvalidName));
}

#[test]
fn a_cim_error_is_told_in_the_detail_and_its_source_to_the_log() {
    let fault = cim_fault(CimError::not_found("there is no job 7"));
    assert_eq!(fault.kind(), FaultKind::DestinationUnreachable);
    let shown = &fault.elements()[0];
    assert_eq!(shown.attribute(WSMB, "IsCIM_Error"), Some("true"));
    let namespace = UriForm::Vendor.class_uri("CIM_Error");
    assert_eq!(shown.child(&namespace, "CIMStatusCode").unwrap().text(), "6");
    // The schema of the class requires it.
    assert_eq!(shown.child(&namespace, "MessageID").unwrap().text(), "CIM_ERR_NOT_FOUND");
    assert_eq!(shown.child(&namespace, "Message").unwrap().text(), "there is no job 7");
    let internal = cim_fault(CimError::internal("the store failed", "disk I/O error"));
    let text = String::from_utf8(internal.to_message(&Default::default())).unwrap();
    assert!(text.contains("the store failed") && !text.contains("disk"));
    assert!(std::error::Error::source(&internal).is_some());
    assert_eq!(cim_fault(CimError::new(CimStatus::InvalidQuery, "")).kind(), FaultKind::EnumerationCannotProcessFilter);
}

#[test]
fn an_event_carries_what_its_sink_asked_for() {
    let sink = EndpointReference {
        address: "http://sink/ev".into(),
        parameters: vec![crate::xml::element("urn:x", "tok").with_text("1")],
        properties: vec![crate::xml::element("urn:y", "old")],
    };
    let mut event = instance_of("LMI_All");
    event.set("Name", "e").unwrap();
    let headers = DeliveryHeaders {
        sink: &sink,
        id: MessageId::random(),
        wants_ack: true,
        bookmark: Some("b-7"),
        locale: Some("de-DE"),
    };
    let xml = indication_xml(&event);
    let read = |octets| Envelope::read(&String::from_utf8(octets).unwrap(), &Limits::default()).unwrap();
    let message = read(write_event(&headers, Told::Event(&xml)));
    assert_eq!(message.action().unwrap(), "http://schemas.dmtf.org/wbem/wsman/1/wsman/Event");
    assert_eq!(message.header(WSMAN, "Bookmark").unwrap().text(), "b-7");
    assert_eq!(message.header(WSMAN, "Locale").unwrap().attribute(XML_NAMESPACE, "lang"), Some("de-DE"));
    assert_eq!(message.addressing.to.as_deref(), Some("http://sink/ev"));
    assert!(message.addressing.reply_to.as_ref().unwrap().is_anonymous());
    assert_eq!(message.header("urn:x", "tok").unwrap().text(), "1");
    assert!(message.header("urn:y", "old").is_some() && message.header(WSMAN, "AckRequested").is_some());
    assert!(message.body.unwrap().is(&UriForm::Vendor.class_uri("LMI_All"), "LMI_All"));

    let batch = read(write_events(&headers, [Told::Event(&xml), Told::Dropped(3), Told::Event(&xml)]));
    assert_eq!(batch.action().unwrap(), "http://schemas.dmtf.org/wbem/wsman/1/wsman/Events");
    let events: Vec<_> = batch.body.as_ref().unwrap().children_named(WSMAN, "Event").collect();
    let actions: Vec<_> = events.iter().map(|e| e.attribute("", "Action").unwrap()).collect();
    let (event, dropped) = (action::EVENT, action::DROPPED_EVENTS);
    assert_eq!(actions, [event, dropped, event]);
    let told = events[1].child(WSMAN, "DroppedEvents").unwrap();
    assert_eq!((told.text(), told.attribute("", "Action")), ("3", Some(event)));

    let alone = read(write_event(&headers, Told::Dropped(1)));
    assert_eq!(alone.action().unwrap(), dropped);
    let sign = read(write_heartbeat(&headers));
    assert_eq!(sign.action().unwrap(), "http://schemas.dmtf.org/wbem/wsman/1/wsman/Heartbeat");
    assert!(sign.body.is_none() && sign.header(WSMAN, "AckRequested").is_some());
}
