//! The Windows Event Collector, and openwec which takes its place: events in batches, in UTF-16, with everything that a
//! subscription can have.

use crate::names::{EVENTS, MS_WSMAN, SOAP, WQL, WSA, WSE, WSMAN, XSI, eventing, upper_id};
use crate::peer::{Manners, Peer, elements, namespace};
use crate::shared_host::SharedHost;
use crate::support::server::PATIENCE;
use crate::support::sink::{Event, Reply, Sink, ack};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, child, descendants, property, text_of};

const MANNERS: Manners = Manners {
    path: "/wsman",
    headers: &[("User-Agent", "Microsoft WinRM Client"), ("Content-Type", "application/soap+xml;charset=UTF-16")],
    utf16: true,
};

const OPTIONS: &str = "<w:Option Name=\"SubscriptionName\">Software of the fleet</w:Option>\
    <w:Option Name=\"Compression\">SLDC</w:Option><w:Option Name=\"CDATA\" xsi:nil=\"true\"/>\
    <w:Option Name=\"ContentFormat\">RenderedText</w:Option><w:Option Name=\"IgnoreChannelError\" xsi:nil=\"true\"/>\
    <w:Option Name=\"ReadExistingEvents\">true</w:Option>";

fn envelope(action: &str, header: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"{WSA}\" xmlns:e=\"{WSE}\" xmlns:w=\"{WSMAN}\" xmlns:p=\"{MS_WSMAN}\">\
         <s:Header><a:To>http://managed:5985/wsman</a:To>\
         <w:ResourceURI s:mustUnderstand=\"true\">{ALL_CLASSES}</w:ResourceURI>\
         <a:ReplyTo><a:Address s:mustUnderstand=\"true\">{ANONYMOUS}</a:Address></a:ReplyTo>\
         <a:Action s:mustUnderstand=\"true\">{action}</a:Action>\
         <w:MaxEnvelopeSize s:mustUnderstand=\"true\">512000</w:MaxEnvelopeSize><a:MessageID>{}</a:MessageID>\
         <w:Locale xml:lang=\"en-US\" s:mustUnderstand=\"false\"/><p:DataLocale xml:lang=\"en-US\" s:mustUnderstand=\"false\"/>\
         {header}<w:OptionSet xmlns:xsi=\"{XSI}\">{OPTIONS}</w:OptionSet>\
         <w:OperationTimeout>PT60.000S</w:OperationTimeout></s:Header><s:Body>{body}</s:Body></s:Envelope>",
        upper_id()
    )
}

/// An endpoint of the collector: the subscription's name for it stands in what comes back as a header.
fn endpoint(url: &str) -> String {
    format!(
        "<a:Address>{url}</a:Address><a:ReferenceProperties><e:Identifier>9D5B6F9F-94D1-4C84-8D11-0B1B1A7E2D10</e:Identifier>\
         </a:ReferenceProperties>"
    )
}

fn subscribe(sink: &Sink, bookmark: &str) -> String {
    let (notify_to, end_to) = (endpoint(&sink.url("/events")), endpoint(&sink.url("/end")));
    let query = "SELECT * FROM CIM_InstIndication WHERE SourceInstance ISA \"CIM_ConcreteJob\"";
    let body = format!(
        "<e:Subscribe><e:EndTo>{end_to}</e:EndTo><e:Delivery Mode=\"{EVENTS}\"><w:Heartbeats>PT3600.000S</w:Heartbeats>\
         <e:NotifyTo>{notify_to}</e:NotifyTo><w:ConnectionRetry Total=\"5\">PT60.0S</w:ConnectionRetry>\
         <w:MaxElements>20</w:MaxElements><w:MaxTime>PT0.500S</w:MaxTime>\
         <w:MaxEnvelopeSize Policy=\"Notify\">153600</w:MaxEnvelopeSize>\
         <w:Locale xml:lang=\"en-US\" s:mustUnderstand=\"false\"/><p:DataLocale xml:lang=\"en-US\" s:mustUnderstand=\"false\"/>\
         <w:ContentEncoding>UTF-16</w:ContentEncoding></e:Delivery><e:Expires>PT604800.000S</e:Expires>\
         <w:Filter Dialect=\"{WQL}\">{query}</w:Filter><w:Bookmark>{bookmark}</w:Bookmark><w:SendBookmarks/></e:Subscribe>"
    );
    envelope(&eventing("Subscribe"), "", &body)
}

/// It acknowledges in UTF-16 what came in UTF-16.
fn acknowledge(event: &Event, _: usize) -> Reply {
    let units = std::iter::once(0xFEFF).chain(ack(event).encode_utf16().collect::<Vec<u16>>());
    let octets: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    Reply::new("200 OK", "application/soap+xml;charset=UTF-16", &octets)
}

/// The names of the changes that messages told of.
fn changes(messages: &[Event]) -> Vec<String> {
    let told = |message: &Event| -> Vec<String> {
        let content = message.indication();
        descendants(&content, "IndicationIdentifier").into_iter().map(text_of).collect()
    };
    messages.iter().flat_map(told).collect()
}

#[test]
fn a_collector_gets_what_there_is_and_goes_on_behind_its_bookmark() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let job = host.ended_job();
    let sink = Sink::answering(acknowledge);
    let earliest = "http://schemas.dmtf.org/wbem/wsman/1/wsman/bookmark/earliest";
    let answer = peer.ask(&subscribe(&sink, earliest));
    let manager = child(answer.content(), "SubscriptionManager").unwrap();
    let identifier = property(child(manager, "ReferenceParameters").unwrap(), "Identifier").unwrap();
    assert_eq!(property(answer.content(), "Expires").as_deref(), Some("P7D"), "{}", answer.text);
    let messages = sink.wait_for("what became of the job", PATIENCE, |events| {
        let told = events.iter().any(|event| event.envelope.contains(&job) && event.envelope.contains("JobState>7<"));
        told.then(|| events.to_vec())
    });
    for message in &messages {
        looks_right(message);
    }
    let unsubscribe =
        envelope(&eventing("Unsubscribe"), &format!("<e:Identifier>{identifier}</e:Identifier>"), "<e:Unsubscribe/>");
    assert!(peer.ask(&unsubscribe).is_empty());

    // It was away; what it had not dealt with comes, and nothing again.
    let next_job = host.ended_job();
    let again = Sink::answering(acknowledge);
    peer.ask(&subscribe(&again, &messages[0].header_text("Bookmark")));
    let first = changes(&messages[..1]);
    let behind = again.wait_for("what became of the next job", PATIENCE, |events| {
        let is_end = |event: &Event| event.envelope.contains(&next_job) && event.envelope.contains("JobState>7<");
        events.iter().any(is_end).then(|| events.to_vec())
    });
    let (told, later) = (changes(&messages), changes(&behind));
    assert!(later.iter().all(|change| !first.contains(change)), "{later:?}");
    assert_eq!(
        told[first.len()..],
        later[..told.len() - first.len()],
        "all that came behind the first message comes again"
    );
}

/// UTF-16 with a byte order mark, its own reference back, a bookmark, a request for an acknowledgement, and in the body
/// not more than it asked for.
fn looks_right(message: &Event) {
    assert_eq!(message.content_type, "application/soap+xml;charset=UTF-16");
    assert!(message.octets.starts_with(&[0xff, 0xfe]) && message.octets.len() <= 153_600);
    let header = message.element();
    let header = child(&header, "Header").unwrap();
    let identifier = child(header, "Identifier").unwrap();
    assert_eq!((namespace(identifier), text_of(identifier).len()), (WSE, 36));
    assert!(message.header("AckRequested").is_some() && !message.header_text("Bookmark").is_empty());
    assert_eq!(message.header_text("Action"), EVENTS);
    let content = message.indication();
    assert_eq!((content.name.as_str(), namespace(&content)), ("Events", WSMAN));
    let count = elements(&content).filter(|event| event.name == "Event").count();
    assert!((1..=20).contains(&count) && count == elements(&content).count(), "{count}");
}
