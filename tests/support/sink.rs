//! An event sink: an HTTP server that keeps what it is sent, in order, and answers as a test wants it to.

use std::collections::HashSet;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod};
use xmltree::Element;

use super::certificate::Certificate;
use super::wsman::{child, property, text_of};

/// A sink on a port of loopback.
#[derive(Debug)]
pub struct Sink {
    port: u16,
    scheme: &'static str,
    shared: Arc<Shared>,
}

struct Shared {
    events: Mutex<Vec<Event>>,
    came: Condvar,
    answers: Box<Answers>,
    identity: Mutex<Option<SslAcceptor>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("events", &self.events).finish_non_exhaustive()
    }
}

/// What a sink does with a delivery, knowing how many came to its path before. It may take its time.
pub type Answers = dyn Fn(&Event, usize) -> Reply + Send + Sync;

/// What a sink does.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Sends this: a whole HTTP reply.
    Send(Vec<u8>),
    /// Closes the connection.
    Close,
    /// Begins a reply that has no end.
    Endless,
}

impl Reply {
    /// A reply of this status line and this body.
    pub fn new(status: &str, content_type: &str, body: &[u8]) -> Self {
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", body.len());
        Self::Send([head.as_bytes(), body].concat())
    }

    /// A reply without a body.
    pub fn status(status: &str) -> Self {
        Self::Send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes())
    }
}

/// The delivery is taken.
pub fn accepted(_: &Event, _: usize) -> Reply {
    Reply::status("202 Accepted")
}

/// The delivery is acknowledged, as DSP0226 10.7 has it.
pub fn acknowledged(event: &Event, _: usize) -> Reply {
    Reply::new("200 OK", "application/soap+xml;charset=UTF-8", ack(event).as_bytes())
}

/// The acknowledgement of a delivery.
pub fn ack(event: &Event) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\"><s:Header>\
         <a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>\
         <a:Action>http://schemas.dmtf.org/wbem/wsman/1/wsman/Ack</a:Action><a:MessageID>uuid:{}</a:MessageID>\
         <a:RelatesTo>{}</a:RelatesTo></s:Header><s:Body/></s:Envelope>",
        uuid::Uuid::new_v4(),
        event.message_id()
    )
}

/// One delivery.
#[derive(Clone, Debug)]
pub struct Event {
    /// The path it came to.
    pub path: String,
    /// When it came.
    pub at: SystemTime,
    /// The Content-Type.
    pub content_type: String,
    /// The Authorization header; empty if there is none.
    pub authorization: String,
    /// The body as it came.
    pub octets: Vec<u8>,
    /// The envelope.
    pub envelope: String,
}

impl Event {
    /// The envelope, read.
    pub fn element(&self) -> Element {
        Element::parse(self.envelope.as_bytes()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<Element> {
        child(child(&self.element(), "Header").unwrap(), name).cloned()
    }

    /// The text of a header that must be there.
    pub fn header_text(&self, name: &str) -> String {
        text_of(&self.header(name).unwrap_or_else(|| panic!("no {name}: {self:?}")))
    }

    /// `wsa:MessageID`.
    pub fn message_id(&self) -> String {
        self.header_text("MessageID")
    }

    /// What the body holds, if anything.
    pub fn content(&self) -> Option<Element> {
        let envelope = self.element();
        child(&envelope, "Body").unwrap().children.iter().find_map(|node| node.as_element()).cloned()
    }

    /// The indication.
    pub fn indication(&self) -> Element {
        self.content().unwrap_or_else(|| panic!("an empty body: {self:?}"))
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

impl Default for Sink {
    fn default() -> Self {
        Self::new()
    }
}

impl Sink {
    /// Starts a sink that takes everything.
    pub fn new() -> Self {
        Self::answering(accepted)
    }

    /// Starts a sink with answers of the test's own.
    pub fn answering(answers: impl Fn(&Event, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("http", None, Box::new(answers))
    }

    /// Starts a sink behind TLS that shows this certificate.
    pub fn encrypted(
        certificate: &Certificate,
        answers: impl Fn(&Event, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start("https", Some(acceptor(certificate)), Box::new(answers))
    }

    fn start(scheme: &'static str, identity: Option<SslAcceptor>, answers: Box<Answers>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let identity = Mutex::new(identity);
        let shared = Arc::new(Shared { events: Mutex::default(), came: Condvar::new(), answers, identity });
        let keep = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let keep = Arc::clone(&keep);
                thread::spawn(move || greet(stream, &keep));
            }
        });
        Self { port, scheme, shared }
    }

    /// Shows another certificate from now on.
    pub fn present(&self, certificate: &Certificate) {
        *self.shared.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(acceptor(certificate));
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme, self.port)
    }

    /// What came up to now.
    pub fn events(&self) -> Vec<Event> {
        self.shared.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What came up to now, without what came again: events arrive at least once, with the same MessageID each time.
    pub fn distinct_events(&self) -> Vec<Event> {
        distinct(&self.events())
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

/// Events without those that came again.
pub fn distinct(events: &[Event]) -> Vec<Event> {
    let mut known = HashSet::new();
    events.iter().filter(|event| known.insert((event.path.clone(), event.message_id()))).cloned().collect()
}

fn acceptor(certificate: &Certificate) -> SslAcceptor {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    builder.set_certificate_chain_file(&certificate.certificate).unwrap();
    builder.set_private_key_file(&certificate.key, SslFiletype::PEM).unwrap();
    builder.build()
}

fn greet(stream: TcpStream, shared: &Shared) {
    let identity = shared.identity.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match identity {
        None => serve(stream, shared),
        // Who does not trust the certificate goes away.
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream) {
                serve(stream, shared);
            }
        }
    }
}

fn serve(stream: impl Read + Write, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Some(event) = read_request(&mut reader) {
        let mut events = shared.events.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = events.iter().filter(|other| other.path == event.path).count();
        events.push(event.clone());
        drop(events);
        shared.came.notify_all();
        let writer = reader.get_mut();
        let sent = match (shared.answers)(&event, earlier) {
            Reply::Send(octets) => writer.write_all(&octets),
            Reply::Close => return,
            Reply::Endless => write_for_ever(writer),
        };
        if sent.and_then(|()| writer.flush()).is_err() {
            return;
        }
    }
}

/// Until the other side has enough of it.
fn write_for_ever(writer: &mut impl Write) -> std::io::Result<()> {
    writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    let chunk = [b"1000\r\n".as_slice(), &[b'.'; 0x1000], b"\r\n"].concat();
    loop {
        writer.write_all(&chunk)?;
    }
}

#[expect(clippy::disallowed_methods, reason = "the arrival of an event is compared with the time that it tells")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn read_request(reader: &mut impl BufRead) -> Option<Event> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&n| n > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut content_type, mut authorization) = (0, String::new(), String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|&n| n > 0)?;
        if header.trim().is_empty() {
            break;
        }
        let (name, value) = header.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "content-type" => value.trim().clone_into(&mut content_type),
            "authorization" => value.trim().clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut octets = vec![0; length];
    reader.read_exact(&mut octets).ok()?;
    Some(Event { path, at: now(), content_type, authorization, envelope: text(&octets), octets })
}

/// UTF-8, or UTF-16 where a byte order mark says so.
fn text(octets: &[u8]) -> String {
    match octets {
        [0xff, 0xfe, rest @ ..] => {
            let units: Vec<u16> = rest.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        _ => String::from_utf8_lossy(octets).into_owned(),
    }
}
