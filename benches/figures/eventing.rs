//! Eventing: subscriptions made, many of them served at once with some sinks dead, and the log.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use super::figure::{Figure, Limit};
use super::load::{Connection, elapsed_ms, post};
use super::process::memory;
use super::root;
use super::support::eventually;
use super::support::packages::DebRoot;
use super::support::server::{Host, PATIENCE, Server};
use super::support::wsman::{ALL_CLASSES, Message};

const SUBSCRIPTIONS: usize = 1000;
const HANGING: usize = 10;
/// How many packages appear for each figure: pushed one by one, and in batches.
const PUSHED: usize = 30;
const BATCHED: usize = 200;
/// How many changes fill the log, and how many of them are made at a time.
const LOGGED: usize = 100_000;
const AT_A_TIME: usize = 10_000;

pub(crate) fn figures() {
    let pushed = crowd(Mode::Push, PUSHED);
    Figure::new("1,000 Subscribe, one after the other", "s", Limit::AtMost(1.0)).report(pushed.subscribed);
    Figure::new("deliveries to 990 of 1,000 sinks, pushed singly", "1/s", Limit::AtLeast(3000.0)).report(pushed.rate);
    let batched = crowd(Mode::Events, BATCHED);
    Figure::new("deliveries to 990 of 1,000 sinks, in batches", "1/s", Limit::AtLeast(10_000.0)).report(batched.rate);
    let log = log();
    Figure::new("100,000 changes in the log, on disk", "MB", Limit::AtMost(100.0)).report(log.disk);
    Figure::new("100,000 changes in the log, more memory", "MB", Limit::AtMost(20.0)).report(log.memory);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Push,
    Events,
}

struct Crowd {
    /// How long the subscriptions took, in seconds.
    subscribed: f64,
    /// Events that arrived in a second.
    rate: f64,
}

/// Subscriptions of which one in a hundred has a sink that takes connections and never answers.
fn crowd(mode: Mode, events: usize) -> Crowd {
    let root = DebRoot::new();
    root::fill(&root, super::PACKAGES);
    let settings = "[events]\nsubscriptions = 2000\nsubscriptions_per_user = 2000\ndelivery_timeout_seconds = 600\n";
    let host = Host::new(&root.path(), "deb").with_settings(settings);
    let server = host.serve();
    let (sink, dead) = (Sink::taking(), Sink::hanging());
    let urls: Vec<String> = (0..SUBSCRIPTIONS).map(|i| if i < HANGING { dead.url(i) } else { sink.url(i) }).collect();
    let subscribed = subscribe(&server, mode, &urls);
    let expected = (SUBSCRIPTIONS - HANGING) * events;
    let begin = Instant::now();
    install(&root.path(), events);
    eventually("all events at the healthy sinks", PATIENCE * 10, || {
        (sink.events.load(Ordering::Acquire) >= expected).then_some(())
    });
    let last = sink.last.lock().unwrap().expect("an event came");
    let first = sink.first.lock().unwrap().expect("an event came");
    let took = last.duration_since(first).as_secs_f64();
    println!(
        "  {expected} deliveries in {took:.2} s, the first {:.0} ms after the change, {} messages; the server takes {:.1} MB",
        first.duration_since(begin).as_secs_f64() * 1000.0,
        sink.messages.load(Ordering::Acquire),
        memory(&server),
    );
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let rate = expected as f64 / took;
    Crowd { subscribed, rate }
}

/// Makes the subscriptions over one connection and gives the time in seconds.
fn subscribe(server: &Server, mode: Mode, urls: &[String]) -> f64 {
    let uri = match mode {
        Mode::Push => "http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push",
        Mode::Events => "http://schemas.dmtf.org/wbem/wsman/1/wsman/Events",
    };
    let authorization = server.admin().authorization().to_owned();
    let requests: Vec<Vec<u8>> = urls
        .iter()
        .map(|url| {
            let body = format!(
                "<e:Subscribe><e:Delivery Mode=\"{uri}\"><e:NotifyTo><a:Address>{url}</a:Address></e:NotifyTo></e:Delivery>\
                 <w:Filter Dialect=\"http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf\">SELECT * FROM CIM_InstCreation \
                 WHERE SourceInstance ISA CIM_InstalledSoftwareIdentity</w:Filter></e:Subscribe>"
            );
            let action = "http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe";
            post(&authorization, &Message::action(action, ALL_CLASSES, &body).envelope())
        })
        .collect();
    let mut connection = Connection::open(server.port);
    let start = Instant::now();
    for request in &requests {
        connection.exchange(request);
    }
    elapsed_ms(start) / 1000.0
}

/// Lets so many packages appear beside those that are there.
fn install(root: &Path, count: usize) {
    let status = root.join("var/lib/dpkg/status");
    let mut text = fs::read_to_string(&status).unwrap();
    for i in 0..count {
        text.push_str(&format!(
            "Package: appeared-{i}\nStatus: install ok installed\nPriority: optional\nSection: misc\n\
             Maintainer: Example <packages@example.org>\nArchitecture: all\nVersion: 1.0-{i}\nDescription: a package\n\n"
        ));
    }
    replace(&status, &text);
}

fn replace(status: &Path, text: &str) {
    let new = status.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(&new, status).unwrap();
}

struct Log {
    disk: f64,
    memory: f64,
}

/// What the log of many changes takes: packages that come and go.
fn log() -> Log {
    let root = DebRoot::new();
    root::fill(&root, super::PACKAGES);
    let host = Host::new(&root.path(), "deb").with_settings("[events]\nretention_events = 1000000\n");
    let server = host.serve();
    let sink = Sink::taking();
    subscribe(&server, Mode::Events, &[sink.url(0)]);
    let status = root.path().join("var/lib/dpkg/status");
    let without = fs::read_to_string(&status).unwrap();
    let store = host.state_dir().join("quartermaster.db");
    let before = memory(&server);
    let begun = records(&store);
    install(&root.path(), AT_A_TIME);
    let with = fs::read_to_string(&status).unwrap();
    let mut made = AT_A_TIME;
    wait_for(&store, begun + made);
    while made < LOGGED {
        let text = if (made / AT_A_TIME).is_multiple_of(2) { &with } else { &without };
        replace(&status, text);
        made += AT_A_TIME;
        wait_for(&store, begun + made);
    }
    let octets = |name: &str| fs::metadata(host.state_dir().join(name)).map_or(0, |data| data.len());
    #[expect(clippy::cast_precision_loss, reason = "a size")]
    let disk = (octets("quartermaster.db") + octets("quartermaster.db-wal")) as f64 / 1e6;
    Log { disk, memory: memory(&server) - before }
}

fn wait_for(store: &Path, count: usize) {
    eventually("the changes in the log", PATIENCE, || (records(store) >= count).then_some(()));
}

fn records(store: &Path) -> usize {
    let connection = rusqlite::Connection::open_with_flags(store, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let count: i64 = connection.query_row("SELECT COUNT(*) FROM change_record", [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

/// A sink that does no more than it must: it counts events and acknowledges messages.
struct Sink {
    port: u16,
    events: Arc<AtomicUsize>,
    messages: Arc<AtomicUsize>,
    first: Arc<Mutex<Option<Instant>>>,
    last: Arc<Mutex<Option<Instant>>>,
}

impl Sink {
    fn taking() -> Self {
        Self::start(true)
    }

    fn hanging() -> Self {
        Self::start(false)
    }

    fn start(answers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Self {
            port: listener.local_addr().unwrap().port(),
            events: Arc::default(),
            messages: Arc::default(),
            first: Arc::default(),
            last: Arc::default(),
        };
        let (events, messages) = (Arc::clone(&sink.events), Arc::clone(&sink.messages));
        let (first, last) = (Arc::clone(&sink.first), Arc::clone(&sink.last));
        thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                if !answers {
                    silent.push(stream);
                    continue;
                }
                let (events, messages) = (Arc::clone(&events), Arc::clone(&messages));
                let (first, last) = (Arc::clone(&first), Arc::clone(&last));
                let count = move |found: usize| {
                    let now = Instant::now();
                    first.lock().unwrap().get_or_insert(now);
                    *last.lock().unwrap() = Some(now);
                    messages.fetch_add(1, Ordering::AcqRel);
                    events.fetch_add(found, Ordering::AcqRel);
                };
                thread::Builder::new().stack_size(128 * 1024).spawn(move || serve(stream, count)).unwrap();
            }
        });
        sink
    }

    fn url(&self, number: usize) -> String {
        format!("http://127.0.0.1:{}/{number}", self.port)
    }
}

fn serve(mut stream: TcpStream, count: impl Fn(usize)) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut filled = 0;
    loop {
        let (head, length) = loop {
            let end = buffer[..filled].windows(4).position(|w| w == b"\r\n\r\n");
            if let Some(end) = end {
                let text = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
                let length = text.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap();
                break (end + 4, length.trim().parse::<usize>().unwrap());
            }
            match stream.read(&mut buffer[filled..]) {
                Ok(0) | Err(_) => return,
                Ok(n) => filled += n,
            }
        };
        if buffer.len() < head + length {
            buffer.resize(head + length, 0);
        }
        while filled < head + length {
            match stream.read(&mut buffer[filled..]) {
                Ok(0) | Err(_) => return,
                Ok(n) => filled += n,
            }
        }
        let body = String::from_utf8_lossy(&buffer[head..head + length]);
        let answer = answer(&body);
        // Not its model path and its host, which are called alike.
        count(body.matches("<p:SourceInstance ").count());
        filled = 0;
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(message: &str) -> String {
    if !message.contains("<wsman:AckRequested/>") {
        return "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned();
    }
    let id = message.split_once("<wsa:MessageID>").and_then(|(_, rest)| rest.split_once('<')).unwrap().0;
    let ack = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\"><s:Header>\
         <a:Action>http://schemas.dmtf.org/wbem/wsman/1/wsman/Ack</a:Action><a:RelatesTo>{id}</a:RelatesTo></s:Header>\
         <s:Body/></s:Envelope>"
    );
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{ack}",
        ack.len()
    )
}
