//! Envelopes and faults, both ways.

use proptest::prelude::*;

use super::names::{ANONYMOUS, WSA, WSMAN};
use super::*;
use crate::xml::{ElementExt, Limits, element};

const HEAD: &str = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' \
                    xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing' xmlns:x='urn:x'><s:Header>";
const TAIL: &str = "</s:Header><s:Body><x:b/></s:Body></s:Envelope>";

fn read(headers: &str) -> Result<Envelope, EnvelopeError> {
    Envelope::read(&format!("{HEAD}{headers}{TAIL}"), &Limits::default())
}

fn fault(result: Result<Envelope, EnvelopeError>) -> (Fault, Option<String>) {
    match result {
        Err(EnvelopeError::Fault { fault, message_id }) => (*fault, message_id),
        other => panic!("{other:?}"),
    }
}

const COMPLETE: &str = "<a:To> http://h/wsman </a:To><a:Action s:mustUnderstand='true'>urn:act\n</a:Action>\
     <a:MessageID>0</a:MessageID><a:ReplyTo><a:Address mustUnderstand='true'>\
     http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>\
     <a:ReferenceParameters><x:tok q='1'>t</x:tok></a:ReferenceParameters></a:ReplyTo>";

#[test]
fn a_complete_request_is_read_and_answered() {
    let request = read(&format!(
        "{COMPLETE}<x:one s:mustUnderstand='1'/><x:two mustUnderstand='true'/>\
         <x:three s:mustUnderstand='true' s:role='http://www.w3.org/2003/05/soap-envelope/role/none'/>"
    ))
    .unwrap();
    assert_eq!(request.addressing.check_request().map_err(|f| f.to_string()), Ok(()));
    assert_eq!(request.addressing.to.as_deref(), Some("http://h/wsman"));
    assert_eq!(request.action().unwrap(), "urn:act");
    let flags: Vec<_> = request.headers.iter().map(|h| (h.element.name.as_str(), h.must_understand)).collect();
    assert_eq!(flags, [("one", true), ("two", false)]);
    assert!(request.body("x:b").unwrap().is("urn:x", "b"));

    let outgoing =
        Outgoing { message_id: uuid::Uuid::nil().into(), ..Outgoing::reply("urn:done", &request.addressing) };
    let mut reply = Message::new(&[("s", names::SOAP), ("wsa", WSA)], &outgoing, 10_000);
    reply.header().element(&element("urn:x", "more"));
    reply.body().raw("<wsa:x/>");
    assert_eq!(
        String::from_utf8(reply.finish()).unwrap(),
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:wsa=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" xml:lang=\"en-US\"><s:Header>\
         <wsa:Action>urn:done</wsa:Action><wsa:MessageID>uuid:00000000-0000-0000-0000-000000000000</wsa:MessageID>\
         <wsa:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsa:To>\
         <wsa:RelatesTo>0</wsa:RelatesTo><n0:tok xmlns:n0=\"urn:x\" q=\"1\">t</n0:tok>\
         <n0:more xmlns:n0=\"urn:x\"/></s:Header><s:Body><wsa:x/></s:Body></s:Envelope>"
    );
}

#[test]
fn headers_that_are_missing_or_wrong_are_named() {
    use FaultKind::*;
    for (taken_out, kind, named) in [
        ("To", MessageInformationHeaderRequired, "To"),
        ("Action", MessageInformationHeaderRequired, "Action"),
        ("ReplyTo", MessageInformationHeaderRequired, "ReplyTo"),
        ("MessageID", InvalidMessageInformationHeader, "MessageID"),
    ] {
        let headers =
            COMPLETE.replace(&format!("a:{taken_out}>"), "x:other>").replace(&format!("a:{taken_out} "), "x:other ");
        let fault = read(&headers).unwrap().addressing.check_request().unwrap_err();
        assert_eq!((fault.kind(), fault.elements()[0].name.as_str()), (kind, named));
    }
    let (twice, id) = fault(read(&format!("<a:To>a</a:To><a:To>b</a:To>{COMPLETE}")));
    assert_eq!((twice.kind(), id.as_deref()), (InvalidMessageInformationHeader, Some("0")));
    let (long, _) = fault(read(&format!("<a:MessageID>{}</a:MessageID>", "x".repeat(2049))));
    assert_eq!(long.kind(), InvalidMessageInformationHeader);
    let (uri, _) = fault(read(&format!("<a:To>{}</a:To>", "x".repeat(2049))));
    assert_eq!(uri.detail(), Some(FaultDetail::UriLimitExceeded));
    let elsewhere = COMPLETE.replace(ANONYMOUS, "http://elsewhere/");
    let mode = read(&elsewhere).unwrap().addressing.check_request().unwrap_err();
    assert_eq!((mode.kind(), mode.detail()), (UnsupportedFeature, Some(FaultDetail::AddressingMode)));
}

#[test]
fn what_is_no_envelope_is_told_so() {
    let of = |text: &str| fault(Envelope::read(text, &Limits::default())).0.kind();
    assert_eq!(of("<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'/>"), FaultKind::VersionMismatch);
    assert_eq!(of("<html/>"), FaultKind::SchemaValidationError);
    assert_eq!(of("<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'/>"), FaultKind::SchemaValidationError);
    assert!(matches!(Envelope::read("<a", &Limits::default()), Err(EnvelopeError::Xml(_))));
    let identify = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body><i/></s:Body></s:Envelope>";
    assert_eq!(Envelope::read(identify, &Limits::default()).unwrap().addressing, Addressing::default());
}

#[test]
fn faults_are_written_as_the_standard_shows_them_and_read_back() {
    let request = read(COMPLETE).unwrap().addressing;
    for kind in FaultKind::all() {
        for detail in kind.details().iter().copied().map(Some).chain([None]) {
            let fault = match detail {
                Some(detail) => Fault::detailed(kind, detail, "Say <what>."),
                None => Fault::new(kind, "Say <what>."),
            };
            let text = String::from_utf8(fault.to_message(&request)).unwrap();
            let message = Envelope::read(&text, &Limits::default()).unwrap();
            assert_eq!(message.action().unwrap(), kind.action());
            assert_eq!(message.addressing.relates_to.as_deref(), Some("0"));
            assert_eq!(message.headers.len(), 1, "reference parameters of ReplyTo come back");
            let received = ReceivedFault::read(&message).unwrap();
            assert_eq!(received.kind, Some(kind));
            assert_eq!((received.subcode, received.reason.as_str()), (kind.name(), "Say <what>."));
            assert_eq!(received.details, detail.map(|d| d.name().to_owned()).into_iter().collect::<Vec<_>>());
            assert!(text.len() < 4096);
        }
    }
}

#[test]
fn a_fault_leaves_out_what_makes_it_too_large() {
    let large = element("urn:x", "large").with_text("x".repeat(8000));
    let reply_to = Some(EndpointReference::anonymous().with_parameter(large));
    let request = Addressing { reply_to, message_id: Some("7".into()), ..Addressing::default() };
    let text = String::from_utf8(Fault::new(FaultKind::TimedOut, "no").to_message(&request)).unwrap();
    assert!(text.len() <= 8192 && !text.contains("xxx"), "{text}");
    assert!(text.contains("<wsa:RelatesTo>7</wsa:RelatesTo>"));
}

#[test]
fn a_header_not_understood_is_named_in_a_header() {
    let text = String::from_utf8(
        Fault::must_understand(vec![("urn:\"x".into(), "strange".into())]).to_message(&Addressing::default()),
    )
    .unwrap();
    assert!(text.contains("<s:NotUnderstood xmlns:u=\"urn:&quot;x\" qname=\"u:strange\"/></s:Header>"), "{text}");
    assert!(text.contains("<s:Code><s:Value>s:MustUnderstand</s:Value></s:Code>"));
    assert!(!text.contains("RelatesTo"));
    let bare = Fault::must_understand(vec![(String::new(), "Bare".into())]).to_message(&Addressing::default());
    let text = String::from_utf8(bare).unwrap();
    assert!(text.contains("<s:NotUnderstood qname=\"Bare\"/>"), "{text}");
    assert!(Envelope::read(&text, &Limits::default()).is_ok());
}

#[test]
fn a_header_that_ws_addressing_does_not_have_is_a_header_like_others() {
    let headers = format!("{COMPLETE}<a:Bogus s:mustUnderstand='true'>1</a:Bogus><a:Bogus/>");
    let read = read(&headers).unwrap();
    let named: Vec<_> = read.headers.iter().map(|h| (h.element.name.as_str(), h.must_understand)).collect();
    assert!(named.ends_with(&[("Bogus", true), ("Bogus", false)]), "{named:?}");
}

#[test]
fn windows_reads_its_own_codes_and_the_log_the_source() {
    let text = String::from_utf8(Fault::new(FaultKind::TimedOut, "").to_message(&Addressing::default())).unwrap();
    assert!(text.contains("Code=\"2150858793\"><f:Message>The operation has timed out.</f:Message>"), "{text}");
    let fault = Fault::internal("the disk is full");
    assert_eq!(std::error::Error::source(&fault).unwrap().to_string(), "the disk is full");
    let text = String::from_utf8(fault.to_message(&Addressing::default())).unwrap();
    assert!(!text.contains("disk"));
}

#[test]
fn endpoint_references_are_read_direct_and_wrapped() {
    let inner = EndpointReference::new("http://h/")
        .with_parameter(element(WSMAN, "ResourceURI").with_text("urn:r"))
        .to_element(WSA, "EndpointReference");
    let wrapped = element("urn:x", "Ref").with_child(inner.clone());
    let read = EndpointReference::read(&inner).unwrap();
    assert_eq!(EndpointReference::read(&wrapped).unwrap(), read);
    assert_eq!((read.address.as_str(), read.parameters.len()), ("http://h/", 1));
    let many = (0..600).fold(element(WSA, "ReferenceParameters"), |e, _| e.with_child(element("urn:x", "p")));
    let fault = EndpointReference::read(&element("urn:x", "Ref").with_child(many)).unwrap_err();
    assert_eq!(fault.detail(), Some(FaultDetail::ServiceEnvelopeLimit));
}

/// Text that XML can hold.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,20}", "[ -~ä€𝄞\t\r\n]{0,12}"]
}

fn holder(name: &str, text: &str) -> crate::xml::Element {
    element("urn:x", name).with_attribute("urn:y", "a", text).with_text(text)
}

proptest! {
    #[test]
    fn an_envelope_is_read_back_in_every_encoding(header in text(), body in text(), action in text(), id in text()) {
        let outgoing = Outgoing { relates_to: Some(&id), ..Outgoing::new(&action) };
        let mut message = Message::new(&[("s", names::SOAP), ("wsa", WSA)], &outgoing, usize::MAX);
        message.header().element(&holder("h", &header));
        message.body().element(&holder("b", &body));
        let message = message.finish();
        for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
            let octets = encoding.encode(message.clone());
            prop_assert_eq!(Encoding::detect(&octets, None), Ok(encoding));
            let read = Envelope::read(&encoding.decode(&octets).unwrap(), &Limits::default()).unwrap();
            prop_assert_eq!(&read.headers[0].element, &holder("h", &header));
            prop_assert_eq!(read.body.as_ref(), Some(&holder("b", &body)));
            let trimmed = |text: &str| Some(text.trim_matches([' ', '\t', '\r', '\n']).to_owned()).filter(|t| !t.is_empty());
            prop_assert_eq!(&read.addressing.action, &trimmed(&action));
            prop_assert_eq!(&read.addressing.relates_to, &trimmed(&id));
        }
    }
}
