//! What is delivered: subscriptions of every kind, to sinks of every kind, and what came to them while one job was done.

use xmltree::Element;

use crate::peer::Peer;
use crate::service::Own;
use crate::subscription::{ALL_OF_JOBS, Subscribe, Subscription};
use crate::support::server::PATIENCE;
use crate::support::sink::{Event, Reply, Sink, accepted, acknowledged};

/// Subscriptions, and the messages that came of them. Each has a path of its own at one sink.
#[derive(Debug)]
pub(crate) struct Deliveries {
    events: Vec<Event>,
    subscriptions: Vec<(&'static str, Subscription)>,
}

/// A kind of subscription.
#[derive(Clone, Debug)]
struct Kind {
    path: &'static str,
    subscribe: Subscribe,
    /// How many messages are waited for.
    messages: usize,
}

/// So many octets of reference parameters leave no room for an event in a message of 8,192.
const MANY: usize = 6_000;

impl Deliveries {
    pub(crate) fn make(own: &Own) -> Self {
        let mut peer = Peer::new();
        let sink = Sink::answering(answer);
        let kinds: Vec<Kind> = [pushed(&sink), limited(&sink), acknowledging(&sink), ending(&sink)].concat();
        let subscriptions: Vec<(&str, Subscription)> =
            kinds.iter().map(|kind| (kind.path, Subscription::of(&kind.subscribe.send(&mut peer)))).collect();
        let (_, ended) = subscriptions.iter().find(|(path, _)| *path == "/ended").unwrap();
        ended.send(&mut peer, "Unsubscribe", "").succeeds();
        own.start_job("z-occasion");
        let waited_for = kinds.iter().map(|kind| (kind.path, kind.messages)).chain(ENDS);
        let waited_for: Vec<(&str, usize)> = waited_for.collect();
        let events = sink.wait_for("the events of a job", PATIENCE, |events| {
            let came = |path: &str| events.iter().filter(|event| event.path == path).count();
            let dropped = events.iter().any(|event| event.path == "/tight" && event.envelope.contains("DroppedEvents"));
            (dropped && waited_for.iter().all(|(path, count)| came(path) >= *count)).then(|| events.to_vec())
        });
        Self { events, subscriptions }
    }

    /// What came to a path, in order.
    pub(crate) fn at(&self, path: &str) -> Vec<&Event> {
        assert!(path.ends_with("/end") || self.subscriptions.iter().any(|(known, _)| *known == path), "{path}");
        self.events.iter().filter(|event| event.path == path).collect()
    }

    /// The envelopes that came to a path, in order.
    pub(crate) fn envelopes(&self, path: &str) -> Vec<Element> {
        self.at(path).into_iter().map(Event::element).collect()
    }

    /// The subscription to a path.
    pub(crate) fn subscription(&self, path: &str) -> &Subscription {
        &self.subscriptions.iter().find(|(known, _)| *known == path).unwrap().1
    }
}

/// The sink: it does at some paths what its subscription is about.
fn answer(event: &Event, earlier: usize) -> Reply {
    let path = event.path.as_str();
    match (path, earlier) {
        ("/refused", _) => Reply::new("500 Refused", "application/soap+xml", REFUSAL.as_bytes()),
        ("/late", 0) | ("/failing", _) => Reply::status("503 Later"),
        ("/unacknowledged", 0) | ("/deaf", _) => accepted(event, earlier),
        _ if event.envelope.contains("AckRequested") => acknowledged(event, earlier),
        _ => accepted(event, earlier),
    }
}

const REFUSAL: &str = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
    xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><s:Header>\
    <a:Action>http://schemas.dmtf.org/wbem/wsman/1/wsman/fault</a:Action></s:Header><s:Body><s:Fault><s:Code>\
    <s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:DeliveryRefused</s:Value></s:Subcode></s:Code><s:Reason>\
    <s:Text xml:lang=\"en\">no more</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>";

fn kind(path: &'static str, messages: usize, subscribe: Subscribe) -> Kind {
    Kind { path, subscribe, messages }
}

/// One event per message.
fn pushed(sink: &Sink) -> Vec<Kind> {
    let to = |path: &str| Subscribe::to(&sink.url(path));
    let older = Subscribe { options: to("").options.replace("w:Filter", "e:Filter"), ..to("/older_filter") };
    let hints = "<w:Locale xml:lang=\"de\"/><w:ContentEncoding>UTF-16</w:ContentEncoding>";
    vec![
        kind("/plain", 1, to("/plain")),
        kind("/parameters", 1, marked(to("/parameters"), "one")),
        kind("/older_filter", 1, older),
        kind("/hints", 1, Subscribe { delivery: hints.to_owned(), ..to("/hints") }),
        kind("/late", 2, Subscribe { delivery: retry(100), ..to("/late") }),
        kind("/ended", 0, to("/ended").ending_at(&at(&sink.url("/ended/end"), ""))),
        kind("/refused", 1, to("/refused")),
        kind("/bookmarks", 3, to("/bookmarks").about(ALL_OF_JOBS).and("<w:SendBookmarks/>")),
    ]
}

/// To sinks for which events are too large.
fn limited(sink: &Sink) -> Vec<Kind> {
    let limited = |path: &str, policy: &str| {
        let delivery = format!("<w:MaxEnvelopeSize{policy}>8192</w:MaxEnvelopeSize>");
        marked(Subscribe { delivery, ..Subscribe::to(&sink.url(path)).about(ALL_OF_JOBS) }, &"x".repeat(MANY))
    };
    let cancelled = limited("/cancelled", " Policy=\"CancelSubscription\"");
    vec![
        kind("/dropped", 3, limited("/dropped", "").managed("PushWithAck").and("<w:SendBookmarks/>")),
        kind("/skipped", 0, limited("/skipped", " Policy=\"Skip\"")),
        kind("/cancelled", 0, cancelled.ending_at(&at(&sink.url("/cancelled/end"), ""))),
    ]
}

/// With acknowledgement.
fn acknowledging(sink: &Sink) -> Vec<Kind> {
    let to = |path: &str, mode: &str| Subscribe::to(&sink.url(path)).about(ALL_OF_JOBS).managed(mode);
    let batch = "<w:MaxElements>2</w:MaxElements><w:MaxTime>PT60S</w:MaxTime>";
    let silent = format!("{ALL_OF_JOBS} AND SourceInstance.InstanceID = 'nobody'");
    let heartbeats = "<w:Heartbeats>PT1S</w:Heartbeats>";
    let tight = format!("{heartbeats}<w:MaxTime>PT60S</w:MaxTime><w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>");
    vec![
        kind("/acknowledged", 3, marked(to("/acknowledged", "PushWithAck"), "two")),
        kind("/unacknowledged", 3, Subscribe { delivery: retry(100), ..to("/unacknowledged", "PushWithAck") }),
        kind("/batch", 1, Subscribe { delivery: batch.to_owned(), ..to("/batch", "Events") }),
        kind("/tight", 1, Subscribe { delivery: tight, ..to("/tight", "Events") }),
        kind(
            "/heartbeats",
            2,
            Subscribe { delivery: heartbeats.to_owned(), ..to("/heartbeats", "Events") }
                .about(&silent)
                .and("<w:SendBookmarks/>"),
        ),
    ]
}

/// That end, since their sinks fail.
fn ending(sink: &Sink) -> Vec<Kind> {
    let to = |path: &str| {
        let parameters =
            "<a:ReferenceParameters><x:Mark xmlns:x=\"urn:example:header\">end</x:Mark></a:ReferenceParameters>";
        let subscribe = Subscribe::to(&sink.url(path)).ending_at(&at(&sink.url(&format!("{path}/end")), parameters));
        Subscribe { delivery: retry(1), ..subscribe }
    };
    vec![kind("/failing", 2, to("/failing")), kind("/deaf", 2, to("/deaf").managed("PushWithAck"))]
}

/// Where ends are told, and how often.
const ENDS: [(&str, usize); 3] = [("/cancelled/end", 1), ("/failing/end", 1), ("/deaf/end", 1)];

/// The content of an endpoint reference.
fn at(address: &str, parameters: &str) -> String {
    format!("<a:Address>{address}</a:Address>{parameters}")
}

fn retry(total: u32) -> String {
    format!("<w:ConnectionRetry Total=\"{total}\">PT0.1S</w:ConnectionRetry>")
}

fn marked(subscribe: Subscribe, mark: &str) -> Subscribe {
    let parameters = format!(
        "<a:ReferenceParameters><x:Mark xmlns:x=\"urn:example:header\">{mark}</x:Mark></a:ReferenceParameters>"
    );
    Subscribe { notify_to: subscribe.notify_to.clone() + &parameters, ..subscribe }
}
