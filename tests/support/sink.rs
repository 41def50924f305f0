//! An event sink: an HTTP server that keeps what it is sent, in order.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use xmltree::Element;

use super::wsman::{child, property, text_of};

/// A sink on a port of loopback.
#[derive(Debug)]
pub struct Sink {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    events: Mutex<Vec<Event>>,
    came: Condvar,
    answers: Answers,
}

/// What a sink says to a delivery: the HTTP reply to what came to a path, and how many came there before.
pub type Answers = fn(path: &str, earlier: usize) -> String;

/// Everything is taken.
pub fn accepted(_: &str, _: usize) -> String {
    "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned()
}

/// One delivery.
#[derive(Clone, Debug)]
pub struct Event {
    /// The path it came to.
    pub path: String,
    /// When it came.
    pub at: SystemTime,
    /// The envelope.
    pub envelope: String,
}

impl Event {
    /// `wsa:MessageID`.
    pub fn message_id(&self) -> String {
        let envelope = Element::parse(self.envelope.as_bytes()).unwrap();
        text_of(child(child(&envelope, "Header").unwrap(), "MessageID").expect("an event without MessageID"))
    }

    /// The indication.
    pub fn indication(&self) -> Element {
        let envelope = Element::parse(self.envelope.as_bytes()).unwrap();
        let body = child(&envelope, "Body").unwrap();
        body.children.iter().find_map(|node| node.as_element()).unwrap().clone()
    }

    /// A property of the instance that the indication tells of.
    pub fn source(&self, name: &str) -> Option<String> {
        let indication = self.indication();
        property(child(&indication, "SourceInstance").unwrap(), name)
    }

    /// A property of the instance as it was before.
    pub fn previous(&self, name: &str) -> Option<String> {
        let indication = self.indication();
        property(child(&indication, "PreviousInstance").unwrap(), name)
    }
}

impl Sink {
    /// Starts a sink that takes everything.
    pub fn new() -> Self {
        Self::answering(accepted)
    }

    /// Starts a sink with answers of the test's own.
    pub fn answering(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { events: Mutex::default(), came: Condvar::new(), answers });
        let keep = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let keep = Arc::clone(&keep);
                thread::spawn(move || serve(stream, &keep));
            }
        });
        Self { port, shared }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What came up to now.
    pub fn events(&self) -> Vec<Event> {
        self.shared.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What came up to now, without what came again: events arrive at least once, with the same MessageID each time.
    pub fn distinct_events(&self) -> Vec<Event> {
        let mut known = HashSet::new();
        self.events().into_iter().filter(|event| known.insert((event.path.clone(), event.message_id()))).collect()
    }

    /// Waits until `found` finds in what came what it looks for.
    pub fn wait_for<T>(&self, what: &str, limit: Duration, found: impl Fn(&[Event]) -> Option<T>) -> T {
        let deadline = Instant::now() + limit;
        let mut events = self.shared.events.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(value) = found(&events) {
                return value;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the sink waited {limit:?} in vain for {what}; it got {events:#?}");
            events = self.shared.came.wait_timeout(events, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn serve(stream: TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some((path, body)) = read_request(&mut reader) {
        let event = Event { path, at: now(), envelope: String::from_utf8_lossy(&body).into_owned() };
        let mut events = shared.events.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = events.iter().filter(|other| other.path == event.path).count();
        let answer = (shared.answers)(&event.path, earlier);
        events.push(event);
        drop(events);
        shared.came.notify_all();
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the arrival of an event is compared with the time that it tells")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn read_request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&n| n > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|&n| n > 0)?;
        if header.trim().is_empty() {
            break;
        }
        let (name, value) = header.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, body))
}
