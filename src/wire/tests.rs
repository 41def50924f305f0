//! Requests as clients send them, and the bodies of all messages both ways.

use super::enumeration::{Enumerate, Mode, Polymorphism, Pull, ReceivedPage, read_release, write_release};
use super::eventing::{ConnectionRetry, Delivery, DeliveryEnvelope, DeliveryMode, Subscribe, SubscribeResponse};
use super::identify::{Identity, is_identify};
use super::names::{self, action, dialect};
use super::transfer::Representation;
use super::*;
use crate::cim::Interval;
use crate::soap::{Envelope, Fault, FaultDetail, FaultKind, Message, Outgoing, ReceivedFault};
use crate::xml::{ElementExt, Limits, Writer, XMLNode, element};

/// The prefixes that clients bind on their envelopes.
const OPEN: &str = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' \
    xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing' \
    xmlns:n='http://schemas.xmlsoap.org/ws/2004/09/enumeration' \
    xmlns:e='http://schemas.xmlsoap.org/ws/2004/08/eventing' \
    xmlns:w='http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd' \
    xmlns:b='http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd' \
    xmlns:p='http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd' \
    xmlns:h='http://schemas.microsoft.com/wbem/wsman/1/windows/shell'>";

fn message(headers: &str, body: &str) -> Envelope {
    let text = format!("{OPEN}<s:Header>{headers}</s:Header><s:Body>{body}</s:Body></s:Envelope>");
    Envelope::read(&text, &Limits::default()).unwrap()
}

fn body(body: &str) -> Envelope {
    message("", body)
}

fn control(headers: &str) -> Result<ControlHeaders, Fault> {
    ControlHeaders::read(&message(headers, "").headers)
}

fn written(write: impl FnOnce(&mut Writer)) -> Envelope {
    let mut message = Message::new(names::REQUEST_PREFIXES, &Outgoing::new("urn:x"), usize::MAX);
    write(message.body());
    Envelope::read(&String::from_utf8(message.finish()).unwrap(), &Limits::default()).unwrap()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Fault>, kind: FaultKind, detail: Option<FaultDetail>) {
    let fault = result.unwrap_err();
    assert_eq!((fault.kind(), fault.detail()), (kind, detail), "{fault}");
}

/// As omicli, PowerShell and pypsrp send them, put together.
const WINDOWS: &str = "<a:To>HTTP://127.0.0.1:5985/wsman/</a:To>\
    <w:ResourceURI s:mustUnderstand='true'>http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*</w:ResourceURI>\
    <w:MaxEnvelopeSize s:mustUnderstand='true'>102400</w:MaxEnvelopeSize>\
    <w:OperationTimeout>PT60.000S</w:OperationTimeout><w:Locale xml:lang='en-US' s:mustUnderstand='false'/>\
    <p:DataLocale xml:lang='en-US' s:mustUnderstand='true'/><p:SessionId s:mustUnderstand='true'>uuid:1</p:SessionId>\
    <p:OperationID s:mustUnderstand='false'>uuid:2</p:OperationID><p:SequenceId s:mustUnderstand='false'>1</p:SequenceId>\
    <h:CompressionType s:mustUnderstand='true'>xpress</h:CompressionType><w:OptionSet s:mustUnderstand='true'>\
    <w:Option Name='wmiarray:__MI_OPERATIONOPTIONS_CHANNELVALUE' Type='xs:unsignedInt'>0</w:Option>\
    <w:Option Name='wmiarray:__MI_OPERATIONOPTIONS_CHANNELVALUE' Type='xs:unsignedInt'>1</w:Option>\
    <w:Option Name='msftwinrm:UsePreciseArrays' Type='xs:boolean'>true</w:Option>\
    <w:Option Name='ShowExtensions'/></w:OptionSet>\
    <w:SelectorSet><w:Selector Name='__cimnamespace'> root\\cimv2\n</w:Selector></w:SelectorSet>";

#[test]
fn the_headers_of_windows_clients_are_read() {
    let headers = control(WINDOWS).unwrap();
    let resource = headers.resource().unwrap();
    assert_eq!(resource, ResourceUri::AllClasses { form: UriForm::Wmi { namespace: "root/cimv2".into() } });
    assert_eq!(headers.namespace(&resource).unwrap().as_deref(), Some("root/cimv2"));
    assert_eq!(headers.max_envelope_size, Some(102_400));
    assert_eq!(headers.operation_timeout, Some(Interval::from_seconds(60)));
    let channels: Vec<_> = headers.options.values("__mi_operationoptions_channelvalue").collect();
    assert_eq!(channels, ["0", "1"]);
    assert!(headers.options.is_set("UsePreciseArrays") && headers.options.is_set("showextensions"));
    assert!(headers.options.check_known(&[]).is_ok());
}

#[test]
fn headers_survive_the_way_out_and_in() {
    let mut headers = control(WINDOWS).unwrap();
    headers.request_epr = true;
    headers.request_total = true;
    headers.identifier = Some("uuid:7".into());
    headers.fragment = Some(FragmentTransfer { dialect: None, expression: "Name/text()".into() });
    headers.issued_tokens = Some(element(names::WST, "IssuedTokens").with_child(element("urn:t", "t")));
    let endpoint = EndpointReference::to_resource("http://h/", "urn:r", &SelectorSet::default().with("k", "v"));
    headers.selectors.set("Ref", SelectorValue::Endpoint(Box::new(endpoint)));
    let mut out = Message::new(names::REQUEST_PREFIXES, &Outgoing::new("urn:x"), usize::MAX);
    headers.write(out.header());
    let text = String::from_utf8(out.finish()).unwrap();
    let back = ControlHeaders::read(&Envelope::read(&text, &Limits::default()).unwrap().headers).unwrap();
    assert_eq!(back, headers);
}

#[test]
fn wrong_headers_get_the_faults_of_the_standard() {
    use FaultDetail as D;
    use FaultKind as K;
    for (headers, kind, detail) in [
        ("<w:MaxEnvelopeSize>8191</w:MaxEnvelopeSize>", K::EncodingLimit, Some(D::MinimumEnvelopeLimit)),
        ("<w:MaxEnvelopeSize>big</w:MaxEnvelopeSize>", K::InvalidMessageInformationHeader, None),
        ("<w:OperationTimeout>-PT1S</w:OperationTimeout>", K::InvalidMessageInformationHeader, None),
        ("<w:OperationTimeout>2026-11-21T00:00:00Z</w:OperationTimeout>", K::InvalidMessageInformationHeader, None),
        ("<w:Locale xml:lang='de' s:mustUnderstand='true'/>", K::UnsupportedFeature, Some(D::Locale)),
        ("<p:DataLocale xml:lang='de' s:mustUnderstand='true'/>", K::UnsupportedFeature, Some(D::Locale)),
        ("<w:ResourceURI>a</w:ResourceURI><w:ResourceURI>b</w:ResourceURI>", K::InvalidMessageInformationHeader, None),
        ("<w:OptionSet><w:Option>x</w:Option></w:OptionSet>", K::InvalidOptions, Some(D::InvalidName)),
        (
            "<w:SelectorSet><w:Selector Name='a'>1</w:Selector><w:Selector Name='A'>2</w:Selector></w:SelectorSet>",
            K::InvalidSelectors,
            Some(D::DuplicateSelectors),
        ),
        ("<w:SelectorSet><w:Selector>1</w:Selector></w:SelectorSet>", K::SchemaValidationError, None),
        ("<w:SelectorSet><w:X/></w:SelectorSet>", K::SchemaValidationError, None),
        (
            "<w:SelectorSet><w:Selector Name='a'><w:X/></w:Selector></w:SelectorSet>",
            K::InvalidSelectors,
            Some(D::InvalidValue),
        ),
    ] {
        refused(control(headers), kind, detail);
    }
    let long = format!("<w:SelectorSet><w:Selector Name='a'>{}</w:Selector></w:SelectorSet>", "x".repeat(4097));
    refused(control(&long), K::EncodingLimit, Some(D::SelectorLimit));
    let option = format!("<w:OptionSet><w:Option Name='a'>{}</w:Option></w:OptionSet>", "x".repeat(4097));
    refused(control(&option), K::EncodingLimit, Some(D::OptionLimit));
    let comply = control("<w:OptionSet><w:Option Name='x' MustComply='true'/></w:OptionSet>").unwrap();
    refused(comply.options.check_known(&["y"]), K::InvalidOptions, Some(D::NotSupported));
    assert!(comply.options.check_known(&["X"]).is_ok());
    for (value, is_switch) in [("", true), ("true", true), ("FALSE", true), ("0", true), ("1", true), ("2", false)] {
        let option = format!("<w:OptionSet><w:Option Name='m:x' MustComply='true'>{value}</w:Option></w:OptionSet>");
        let options = control(&option).unwrap().options;
        assert_eq!(options.check_switches(&[]).is_ok(), is_switch, "{value}");
        assert!(options.check_switches(&["X"]).is_ok());
    }
    let advisory = control("<w:OptionSet><w:Option Name='x'>2</w:Option></w:OptionSet>").unwrap();
    assert!(advisory.options.check_switches(&[]).is_ok());
    let both = control(&WINDOWS.replace("root\\cimv2", "root/other")).unwrap();
    let resource = both.resource().unwrap();
    refused(both.namespace(&resource), K::InvalidSelectors, Some(D::InvalidValue));
    refused(control("").unwrap().resource(), K::DestinationUnreachable, Some(D::InvalidResourceURI));
    assert_eq!(control("<w:Locale xml:lang='de'/>").unwrap().locale.as_deref(), Some("de"));
}

#[test]
fn a_reply_tells_what_headers_asked_for() {
    let path = crate::cim::ObjectPath::new("root/cimv2", "CIM_Key", vec![("Name".into(), "x".into())]);
    let mut message = Message::new(names::TRANSFER_PREFIXES, &Outgoing::new("urn:x"), usize::MAX);
    control::write_requested_epr(message.header(), &path, &Style::default());
    control::write_total_items(message.header(), Some(7));
    let read = Envelope::read(&String::from_utf8(message.finish()).unwrap(), &Limits::default()).unwrap();
    let requested = EndpointReference::read(read.header(names::WSMAN, "RequestedEPR").unwrap()).unwrap();
    assert_eq!(requested.selectors().unwrap().text("Name"), Some("x"));
    assert_eq!(read.header(names::WSMAN, "TotalItemsCountEstimate").unwrap().text(), "7");
}

#[test]
fn all_headers_that_are_not_understood_are_named() {
    let unknown =
        "<w:Nope s:mustUnderstand='true'/><x:y xmlns:x='urn:x' s:mustUnderstand='1'/><w:Noise mustUnderstand='true'/>";
    let fault = control(unknown).unwrap_err();
    let text = String::from_utf8(fault.to_message(&Default::default())).unwrap();
    assert_eq!(text.matches("<s:NotUnderstood").count(), 2);
    assert!(text.contains("xmlns:u=\"urn:x\" qname=\"u:y\""), "{text}");
}

#[test]
fn an_enumeration_survives_the_way_out_and_in() {
    let object = EndpointReference::to_resource("http://h/", "urn:r", &SelectorSet::default().with("k", "v"));
    let association = AssociationFilter {
        association_class: Some("CIM_HostedService".into()),
        role: Some("Antecedent".into()),
        result_class: Some("CIM_Service".into()),
        result_role: Some("Dependent".into()),
        include_properties: vec!["Name".into(), "ElementName".into()],
        ..AssociationFilter::associated(object.clone())
    };
    let links = AssociationFilter {
        kind: AssociationKind::AssociationInstances,
        association_class: None,
        result_role: None,
        ..association.clone()
    };
    for filter in [
        None,
        Some(Filter::cql("SELECT * FROM CIM_Job WHERE a < 'b & c'")),
        Some(Filter::Selectors(SelectorSet::default().with("Name", "x"))),
        Some(Filter::Association(Box::new(association))),
        Some(Filter::Association(Box::new(links))),
    ] {
        let sent = Enumerate {
            expires: Some(Expires::In(Interval::from_seconds(60))),
            filter,
            mode: Mode::ObjectsAndEndpoints,
            optimize: true,
            max_elements: Some(32_000),
            polymorphism: Some(Polymorphism::None),
        };
        assert_eq!(Enumerate::read(&written(|w| sent.write(w))).unwrap(), sent);
    }
    assert_eq!(Enumerate::read(&body("<n:Enumerate/>")).unwrap(), Enumerate::default());
    let pull = Pull {
        context: "c".into(),
        max_elements: Some(5),
        max_time: Some(Interval::from_seconds(1)),
        max_characters: Some(9),
    };
    assert_eq!(Pull::read(&written(|w| pull.write(w))).unwrap(), pull);
    let elsewhere = body(
        "<n:Pull><w:MaxElements>7</w:MaxElements><p:SessionId/><n:EnumerationContext>c</n:EnumerationContext></n:Pull>",
    );
    assert_eq!(Pull::read(&elsewhere).unwrap().max_elements, Some(7));
    assert_eq!(read_release(&written(|w| write_release(w, "c"))).unwrap(), "c");
}

#[test]
fn wrong_enumerations_get_the_faults_of_the_standard() {
    use FaultDetail as D;
    use FaultKind as K;
    let association = |inner: &str| format!("<w:Filter Dialect='{}'>{inner}</w:Filter>", dialect::ASSOCIATION);
    let selector = |inner: &str| format!("<w:Filter Dialect='{}'>{inner}</w:Filter>", dialect::SELECTOR);
    for (inner, kind, detail) in [
        ("<n:EndTo/>".to_owned(), K::UnsupportedFeature, Some(D::AddressingMode)),
        ("<n:Expires>soon</n:Expires>".into(), K::EnumerationInvalidExpirationTime, None),
        ("<w:EnumerationMode>X</w:EnumerationMode>".into(), K::UnsupportedFeature, Some(D::EnumerationMode)),
        ("<b:PolymorphismMode>X</b:PolymorphismMode>".into(), K::PolymorphismModeNotSupported, None),
        ("<w:MaxElements>0</w:MaxElements>".into(), K::SchemaValidationError, None),
        ("<w:Filter>a</w:Filter><n:Filter>b</n:Filter>".into(), K::EnumerationCannotProcessFilter, None),
        ("<w:Filter>a<b:x/></w:Filter>".into(), K::EnumerationCannotProcessFilter, None),
        (format!("<w:Filter Dialect='{}'/>", dialect::SELECTOR), K::EnumerationCannotProcessFilter, None),
        (selector("a<w:SelectorSet/>"), K::EnumerationCannotProcessFilter, None),
        (selector("<w:SelectorSet/>a"), K::EnumerationCannotProcessFilter, None),
        (selector("<w:SelectorSet/><w:SelectorSet/>"), K::EnumerationCannotProcessFilter, None),
        (association("a<b:AssociatedInstances/>"), K::EnumerationCannotProcessFilter, None),
        (association(""), K::EnumerationCannotProcessFilter, None),
        (association("<b:Wrong/>"), K::EnumerationCannotProcessFilter, None),
        (association("<b:AssociatedInstances/>"), K::SchemaValidationError, None),
        (
            association("<b:AssociatedInstances><b:Object/></b:AssociatedInstances>"),
            K::EnumerationCannotProcessFilter,
            None,
        ),
    ] {
        refused(Enumerate::read(&body(&format!("<n:Enumerate>{inner}</n:Enumerate>"))), kind, detail);
    }
    refused(Enumerate::read(&body("<n:Pull/>")), K::SchemaValidationError, None);
    refused(Pull::read(&body("<n:Pull/>")), K::SchemaValidationError, None);
    refused(Pull::read(&message("", "")), K::SchemaValidationError, None);
    let pull = "<n:Pull><n:EnumerationContext/><n:MaxTime>1</n:MaxTime></n:Pull>";
    refused(Pull::read(&body(pull)), K::SchemaValidationError, None);
    let fault = enumeration::dialect_fault("urn:x", &[dialect::CQL, dialect::WQL]);
    assert_eq!(fault.elements().len(), 2);
}

#[test]
fn an_association_filter_takes_children_in_any_order_and_empty_ones_as_none() {
    let filter = format!(
        "<n:Enumerate><n:Filter Dialect='{}'><b:AssociatedInstances><b:ResultClassName>C</b:ResultClassName><b:Role/>\
         <b:AssociationClassName> A </b:AssociationClassName><b:Object><a:EndpointReference><a:Address>x</a:Address>\
         <a:ReferenceParameters><w:ResourceURI>urn:r</w:ResourceURI></a:ReferenceParameters></a:EndpointReference>\
         </b:Object><b:ResultRole> </b:ResultRole></b:AssociatedInstances></n:Filter></n:Enumerate>",
        dialect::ASSOCIATION.to_ascii_uppercase()
    );
    let Some(Filter::Association(filter)) = Enumerate::read(&body(&filter)).unwrap().filter else { panic!() };
    assert_eq!((filter.association_class.as_deref(), filter.role), (Some("A"), None));
    assert_eq!((filter.result_class.as_deref(), filter.result_role), (Some("C"), None));
    assert_eq!(filter.object.resource_uri_text(), Some("urn:r"));
}

#[test]
fn links_are_filtered_by_what_clients_say_of_them() {
    let filter = format!(
        "<n:Enumerate><w:Filter Dialect='{}'><b:AssociationInstances><b:Object><a:ReferenceParameters>\
         <w:ResourceURI>urn:r</w:ResourceURI></a:ReferenceParameters></b:Object><b:AssociationClassName>A\
         </b:AssociationClassName><b:ResultRole>R</b:ResultRole></b:AssociationInstances></w:Filter></n:Enumerate>",
        dialect::ASSOCIATION
    );
    let Some(Filter::Association(filter)) = Enumerate::read(&body(&filter)).unwrap().filter else { panic!() };
    assert_eq!((filter.association_class.as_deref(), filter.result_role.as_deref()), (Some("A"), Some("R")));
    for wrong in ["<b:Role>A</b:Role><b:Role>B</b:Role>", "<b:Colour/>"] {
        let filter = format!(
            "<n:Enumerate><w:Filter Dialect='{}'><b:AssociatedInstances><b:Object><a:ReferenceParameters>\
             <w:ResourceURI>urn:r</w:ResourceURI></a:ReferenceParameters></b:Object>{wrong}</b:AssociatedInstances>\
             </w:Filter></n:Enumerate>",
            dialect::ASSOCIATION
        );
        let fault = Enumerate::read(&body(&filter)).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::EnumerationCannotProcessFilter, "{wrong}");
    }
    let none = Enumerate { filter: Some(Filter::Selectors(SelectorSet::default())), ..Enumerate::default() };
    assert_eq!(Enumerate::read(&written(|w| none.write(w))).unwrap(), none);
}

fn page(limit: usize, open: fn(&mut Writer) -> Page, items: usize, context: Option<&str>) -> (String, usize) {
    let mut message = Message::new(names::ENUMERATION_PREFIXES, &Outgoing::new("urn:x"), limit);
    let w = message.body();
    let mut page = open(w);
    for i in 0..items {
        let fits = page.item(w, |w| {
            w.start("wsman:Item").unsigned(i as u64).end("wsman:Item");
        });
        if !fits {
            break;
        }
    }
    let written = page.items();
    page.close(w, context, None);
    (String::from_utf8(message.finish()).unwrap(), written)
}

#[test]
fn pages_have_the_shape_that_every_client_reads() {
    let of = |open, items, context| {
        let text = page(usize::MAX, open, items, context).0;
        text.split_once("<s:Body>").unwrap().1.strip_suffix("</s:Body></s:Envelope>").unwrap().to_owned()
    };
    let first: fn(&mut Writer) -> Page = |w| Page::enumerate(w, true);
    assert_eq!(
        of(first, 1, None),
        "<wsen:EnumerateResponse><wsen:EnumerationContext/><wsman:Items><wsman:Item>0</wsman:Item></wsman:Items>\
         <wsman:EndOfSequence/></wsen:EnumerateResponse>"
    );
    assert_eq!(
        of(first, 0, Some("7")),
        "<wsen:EnumerateResponse><wsen:EnumerationContext>7</wsen:EnumerationContext><wsman:Items></wsman:Items>\
         </wsen:EnumerateResponse>"
    );
    assert_eq!(
        of(|w| Page::enumerate(w, false), 0, Some("7")),
        "<wsen:EnumerateResponse><wsen:EnumerationContext>7</wsen:EnumerationContext></wsen:EnumerateResponse>"
    );
    assert_eq!(
        of(Page::pull, 1, Some("8")),
        "<wsen:PullResponse><wsen:EnumerationContext>8</wsen:EnumerationContext><wsen:Items><wsman:Item>0</wsman:Item>\
         </wsen:Items></wsen:PullResponse>"
    );
    assert_eq!(
        of(Page::pull, 1, None),
        "<wsen:PullResponse><wsen:Items><wsman:Item>0</wsman:Item></wsen:Items><wsen:EndOfSequence/></wsen:PullResponse>"
    );
}

#[test]
fn a_page_never_exceeds_its_envelope() {
    for limit in (1700..2600).step_by(7) {
        let (text, items) = page(limit, Page::pull, 1000, Some("0123456789abcdef0123456789abcdef"));
        assert!(text.len() <= limit, "{} > {limit}", text.len());
        let received = ReceivedPage::read(Envelope::read(&text, &Limits::default()).unwrap()).unwrap();
        assert_eq!(received.items.len(), items);
        assert_eq!(received.context.as_deref(), Some("0123456789abcdef0123456789abcdef"));
    }
    let (text, items) = page(100, Page::pull, 1, None);
    assert_eq!(items, 0, "nothing fits");
    let received = ReceivedPage::read(Envelope::read(&text, &Limits::default()).unwrap()).unwrap();
    assert!(received.end_of_sequence && received.context.is_none());
}

#[test]
fn a_subscription_survives_the_way_out_and_in() {
    let sent = Subscribe {
        end_to: Some(EndpointReference::new("http://sink/end")),
        delivery: Delivery {
            mode: DeliveryMode::Events,
            notify_to: Some(
                EndpointReference::new("http://sink/").with_parameter(element("urn:x", "tok").with_text("1")),
            ),
            heartbeats: Some(Interval::from_seconds(60)),
            connection_retry: Some(ConnectionRetry { interval: Interval::from_seconds(5), total: 3 }),
            max_elements: Some(20),
            max_time: Some(Interval::from_seconds(30)),
            max_envelope_size: Some(DeliveryEnvelope { octets: 153_600, policy: Some("Notify".into()) }),
            content_encoding: Some("UTF-16".into()),
            locale: Some("en-US".into()),
            auth_profile: Some("http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/basic".into()),
        },
        expires: Expires::parse("2026-11-21T09:30:00Z"),
        filter: Some(Filter::wql("SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA \"CIM_ConcreteJob\"")),
        bookmark: Some(vec![XMLNode::Element(element("urn:x", "at").with_text("7"))]),
        send_bookmarks: true,
    };
    assert_eq!(Subscribe::read(&written(|w| sent.write(w))).unwrap(), sent);
    let response = SubscribeResponse {
        manager: EndpointReference::to_subscription(
            "https://h/wsman",
            "http://schemas.dmtf.org/wbem/wscim/1/*",
            "uuid:7",
        ),
        expires: Some(Expires::In(Interval::from_seconds(300))),
        context: Some("c".into()),
    };
    let back = SubscribeResponse::read(&written(|w| response.write(w))).unwrap();
    assert_eq!(back, response);
    assert_eq!(back.manager.identifier(), Some("uuid:7"));
    let renew = written(|w| eventing::write_lifetime(w, "wse:Renew", response.expires));
    assert_eq!(eventing::read_renew(&renew).unwrap(), response.expires);
    assert!(eventing::read_unsubscribe(&body("<e:Unsubscribe/>")).is_ok());
    assert!(eventing::read_get_status(&body("<e:GetStatus/>")).is_ok());
}

#[test]
fn subscriptions_of_real_clients_are_read() {
    // wsmancli puts the heartbeats into wsman:Auth and the sink's data into ReferenceProperties.
    let push = "<e:Subscribe><e:Delivery Mode='http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push'>\
        <e:NotifyTo><a:Address>https://10.0.0.1:8443/ev</a:Address><a:ReferenceProperties><x:tok xmlns:x='urn:x'>1</x:tok>\
        </a:ReferenceProperties></e:NotifyTo><w:Auth Profile='urn:basic'><w:Heartbeats>PT60.000000S</w:Heartbeats>\
        </w:Auth></e:Delivery><e:Expires>PT3960732748.184S</e:Expires><e:Filter Dialect='urn:q'>q</e:Filter></e:Subscribe>";
    let read = Subscribe::read(&body(push)).unwrap();
    assert_eq!(read.delivery.heartbeats, Some(Interval::from_seconds(60)));
    assert_eq!(read.delivery.auth_profile.as_deref(), Some("urn:basic"));
    assert_eq!(read.delivery.notify_to.unwrap().carried().next().unwrap().text(), "1");
    assert!(matches!(read.expires, Some(Expires::In(i)) if i.seconds() == 3_960_732_748));
    let pull = "<e:Subscribe><e:Delivery Mode='http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull'/></e:Subscribe>";
    assert_eq!(Subscribe::read(&body(pull)).unwrap().delivery.mode, DeliveryMode::Pull);
    let unknown = "<e:Subscribe><e:Delivery Mode='urn:pigeon'/></e:Subscribe>";
    assert_eq!(Subscribe::read(&body(unknown)).unwrap().delivery.mode, DeliveryMode::Other("urn:pigeon".into()));
    let plain =
        "<e:Subscribe><e:Delivery><e:NotifyTo><a:Address>http://h</a:Address></e:NotifyTo></e:Delivery></e:Subscribe>";
    assert_eq!(Subscribe::read(&body(plain)).unwrap().delivery.mode, DeliveryMode::Push);
}

#[test]
fn wrong_subscriptions_get_the_faults_of_the_standard() {
    use FaultDetail as D;
    use FaultKind as K;
    let delivery = |inner: &str| {
        format!("<e:Delivery><e:NotifyTo><a:Address>http://h</a:Address></e:NotifyTo>{inner}</e:Delivery>")
    };
    for (inner, kind, detail) in [
        (String::new(), K::InvalidMessage, None),
        ("<e:Delivery/>".into(), K::InvalidMessage, None),
        (delivery("") + "<e:Expires>x</e:Expires>", K::EventingInvalidExpirationTime, None),
        (delivery("") + "<w:Filter>a</w:Filter><e:Filter>b</e:Filter>", K::InvalidMessage, None),
        (delivery("") + "<w:Filter>a<b:x/></w:Filter>", K::EventSourceUnableToProcess, None),
        (
            delivery("<w:ConnectionRetry Total='0'>PT5S</w:ConnectionRetry>"),
            K::UnsupportedFeature,
            Some(D::DeliveryRetries),
        ),
        (delivery("<w:ConnectionRetry>PT5S</w:ConnectionRetry>"), K::UnsupportedFeature, Some(D::DeliveryRetries)),
        (
            delivery("<w:MaxEnvelopeSize Policy='x'>9000</w:MaxEnvelopeSize>"),
            K::UnsupportedFeature,
            Some(D::MaxEnvelopePolicy),
        ),
        (delivery("<w:Heartbeats>x</w:Heartbeats>"), K::SchemaValidationError, None),
    ] {
        refused(Subscribe::read(&body(&format!("<e:Subscribe>{inner}</e:Subscribe>"))), kind, detail);
    }
    refused(eventing::read_renew(&body("<e:Unsubscribe/>")), K::InvalidMessage, None);
    let mode = DeliveryMode::Other("urn:m".into()).unavailable(&[DeliveryMode::Push]);
    assert_eq!(mode.elements()[0].text(), DeliveryMode::Push.uri());
}

#[test]
fn representations_are_whole_or_wrapped_as_the_header_says() {
    let whole = body("<x/>");
    let wrapped = body("<w:XmlFragment>1</w:XmlFragment>");
    assert!(matches!(Representation::read(&whole, false), Ok(Representation::Whole(_))));
    assert!(matches!(Representation::read(&wrapped, true), Ok(Representation::Fragment(_))));
    let kind = FaultKind::InvalidRepresentation;
    refused(Representation::read(&whole, true), kind, Some(FaultDetail::InvalidFragment));
    refused(Representation::read(&wrapped, false), kind, Some(FaultDetail::InvalidFragment));
    refused(Representation::read(&body(""), false), kind, Some(FaultDetail::MissingValues));
}

#[test]
fn identify_tells_strangers_the_protocol_only() {
    let request = Envelope::read(&String::from_utf8(identify::request()).unwrap(), &Limits::default()).unwrap();
    assert!(is_identify(&request) && !is_identify(&body("<x/>")));
    for identity in [Identity::anonymous(), Identity::full("Vendor", "1.0", vec!["urn:basic".to_owned()])] {
        let text = String::from_utf8(identity.to_message()).unwrap();
        assert_eq!(text.contains("SecurityProfiles"), !identity.security_profiles.is_empty());
        let reply = Envelope::read(&text, &Limits::default()).unwrap();
        assert_eq!(Identity::read(&reply).unwrap(), identity);
        assert_eq!(ReceivedFault::read(&reply), None);
        // As OMI writes it.
        let other = text.replace("wsmid:IdentifyResponse", "s:IdentifyResponse");
        assert_eq!(Identity::read(&Envelope::read(&other, &Limits::default()).unwrap()).unwrap(), identity);
    }
}

#[test]
fn actions_are_known_in_the_spelling_of_others_too() {
    assert!(action::is("http://schemas.xmlsoap.org/wbmem/wsman/1/wsman/Ack", action::ACK));
    assert!(action::is(action::ACK, action::ACK));
    assert!(!action::is("http://schemas.xmlsoap.org/wbmem/wsman/1/wsman/Ack", action::EVENT));
    let uri = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Job/RequestStateChange";
    assert_eq!(action::method(uri), uri.rsplit_once('/'));
    assert_eq!(action::method("urn:x"), None);
}
