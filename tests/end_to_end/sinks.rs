//! Sinks that behave badly hold up nobody else, and get everything as soon as they behave.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::support::certificate::Certificate;
use crate::support::eventually;
use crate::support::installation::{ended, start};
use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::{Host, PATIENCE};
use crate::support::sink::{Event, Reply, Sink, accepted, acknowledged, distinct};
use crate::support::wsman::{ALL_CLASSES, Client, Message, child, property, text_of};

const EVENTING: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing";
const PUSH: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push";
const PUSH_WITH_ACK: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck";

/// Each kind of bad sink has a path. The last one does not acknowledge what is to be acknowledged.
const BAD: [&str; 8] =
    ["/slow", "/hanging", "/closing", "/status-500", "/status-401", "/redirecting", "/endless", "/silent"];

/// Opened when the bad sinks are to behave.
#[derive(Debug, Default)]
struct Behave {
    now: Mutex<bool>,
    changed: Condvar,
}

impl Behave {
    fn is_time(&self) -> bool {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(now, |now| !*now).unwrap_or_else(PoisonError::into_inner));
    }

    fn answer(&self, event: &Event, earlier: usize) -> Reply {
        let well = if event.envelope.contains("AckRequested") { acknowledged } else { accepted };
        if self.is_time() {
            return well(event, earlier);
        }
        match event.path.as_str() {
            "/slow" => {
                self.wait();
                well(event, earlier)
            }
            "/hanging" => {
                self.wait();
                Reply::Close
            }
            "/closing" => Reply::Close,
            "/status-500" => Reply::status("500 Broken"),
            "/status-401" => Reply::status("401 Who Is It\r\nWWW-Authenticate: Basic realm=\"sink\""),
            "/redirecting" => Reply::status("307 Elsewhere\r\nLocation: http://127.0.0.1:9/"),
            "/endless" => Reply::Endless,
            "/silent" => accepted(event, earlier),
            other => panic!("nobody subscribed to {other}"),
        }
    }
}

#[test]
fn bad_sinks_hold_up_nobody_and_get_everything_once_they_behave() {
    let root = DebRoot::new();
    let dir = root.scratch();
    let folders = ["known", "stranger"].map(|name| dir.join(name));
    let [known, stranger] = folders.map(|folder| {
        std::fs::create_dir(&folder).unwrap();
        Certificate::new(&folder)
    });
    let settings = format!("[events]\ntrust_file = {:?}\n", known.authority);
    let host = Host::new(&root.path(), "deb").with_settings(&settings);
    let server = host.serve();
    let mut client = server.admin();

    let behave = Arc::new(Behave::default());
    let healthy = Sink::new();
    let bad = {
        let behave = Arc::clone(&behave);
        Sink::answering(move |event, earlier| behave.answer(event, earlier))
    };
    let untrusted = Sink::encrypted(&stranger, accepted);
    let mut subscriptions: Vec<String> = BAD
        .iter()
        .map(|path| subscribe(&mut client, &bad.url(path), if *path == "/silent" { PUSH_WITH_ACK } else { PUSH }))
        .collect();
    subscriptions.push(subscribe(&mut client, &untrusted.url("/"), PUSH));
    subscribe(&mut client, &healthy.url("/"), PUSH);

    // The first job while every bad sink is asked again and again for the same event, the second one behind it.
    let first = start(&mut client, &build_deb(&dir, "first", "1.0-1", &[]));
    heard_to_the_end(&healthy, &first);
    for path in BAD {
        bad.wait_for("an attempt", PATIENCE, |events| events.iter().any(|event| event.path == path).then_some(()));
    }
    let second = start(&mut client, &build_deb(&dir, "second", "1.0-1", &[]));
    heard_to_the_end(&healthy, &second);
    for job in [&first, &second] {
        ended(&mut client, job);
    }
    let expected = changes(&healthy.events());
    let mut sorted = expected.clone();
    sorted.sort_by_key(|change| number(change));
    assert_eq!(expected, sorted, "the healthy sink gets everything in order");
    for path in BAD {
        assert_eq!(changes(&at(&bad, path)), expected[..1], "{path}: one at a time, until it is taken");
    }
    assert!(untrusted.events().is_empty(), "nothing goes to a stranger");
    for id in &subscriptions {
        assert_eq!(manage(&mut client, id, "GetStatus"), 200, "a bad sink keeps its subscription");
    }

    behave.begin();
    untrusted.present(&known);
    for path in BAD {
        let heard = eventually("everything to come", PATIENCE, || {
            Some(changes(&at(&bad, path))).filter(|heard| heard.len() >= expected.len())
        });
        assert_eq!(heard, expected, "{path}");
    }
    let heard = eventually("everything to come", PATIENCE, || {
        Some(changes(&untrusted.events())).filter(|heard| heard.len() >= expected.len())
    });
    assert_eq!(heard, expected, "the sink with another certificate");
    for id in &subscriptions {
        assert_eq!(manage(&mut client, id, "Unsubscribe"), 200);
    }
}

/// Subscribes to everything about jobs, tried again ten times a second; gives the identifier.
fn subscribe(client: &mut Client, sink: &str, mode: &str) -> String {
    let body = format!(
        "<e:Subscribe><e:Delivery Mode=\"{mode}\"><e:NotifyTo><a:Address>{sink}</a:Address></e:NotifyTo>\
         <w:ConnectionRetry Total=\"1000000\">PT0.1S</w:ConnectionRetry></e:Delivery>\
         <w:Filter Dialect=\"http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf\">SELECT * FROM CIM_InstIndication WHERE \
         SourceInstance ISA CIM_ConcreteJob</w:Filter></e:Subscribe>"
    );
    let response = client.ask(&Message::action(&format!("{EVENTING}/Subscribe"), ALL_CLASSES, &body));
    let manager = child(&response, "SubscriptionManager").unwrap();
    text_of(child(child(manager, "ReferenceParameters").unwrap(), "Identifier").unwrap())
}

/// The HTTP status of an operation on a subscription.
fn manage(client: &mut Client, identifier: &str, operation: &str) -> u16 {
    let request = Message::action(&format!("{EVENTING}/{operation}"), ALL_CLASSES, &format!("<e:{operation}/>"));
    client.post(&request.header(&format!("<e:Identifier>{identifier}</e:Identifier>")).envelope()).status
}

/// Waits until a sink has heard of a job's end.
fn heard_to_the_end(sink: &Sink, job: &str) {
    sink.wait_for("the job's end", PATIENCE, |events| {
        let ends = |event: &Event| {
            event.source("InstanceID").as_deref() == Some(job) && event.source("JobState").as_deref() == Some("7")
        };
        events.iter().any(ends).then_some(())
    });
}

fn at(sink: &Sink, path: &str) -> Vec<Event> {
    sink.events().into_iter().filter(|event| event.path == path).collect()
}

/// The names of the changes that a sink heard of, in order, each once.
fn changes(events: &[Event]) -> Vec<String> {
    let name = |event: &Event| property(&event.indication(), "IndicationIdentifier").unwrap();
    distinct(events).iter().map(name).collect()
}

/// The place of a change in the log.
fn number(change: &str) -> u64 {
    change.rsplit(':').next().unwrap().parse().unwrap()
}
