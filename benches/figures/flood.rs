//! A good client beside those who only take: thousands of connections that do nothing, bodies that come slowly, passwords that
//! are wrong. They come from a process of their own.

#![expect(clippy::disallowed_methods, reason = "a load keeps a pace of its own")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::PACKAGES;
use super::figure::{Figure, Limit, quantile};
use super::load::{Connection, elapsed_ms, post};
use super::root;
use super::support::packages::DebRoot;
use super::support::server::{Host, Server};
use super::support::wsman::{CIM, Message, connect};

/// How many connections do nothing.
const IDLE: usize = 10_000;
/// One in so many of them makes its handshake first.
const SHAKEN: usize = 20;
/// How many bodies come slowly.
const SLOW: usize = 32;
/// How many clients try wrong passwords one after the other.
const GUESSING: usize = 4;
/// How long the good clients are looked at.
const LOOK: Duration = Duration::from_secs(10);
/// The word that makes this program the flood.
const FLOOD: &str = "flood-it";

/// Whether this process is the flood; then it is over when this returns.
pub(crate) fn flood_if_asked() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(at) = arguments.iter().position(|argument| argument == FLOOD) else { return false };
    flood(arguments[at + 1].parse().unwrap());
    true
}

/// Starts a server of its own and reports.
pub(crate) fn figures() {
    let root = DebRoot::new();
    root::fill(&root, PACKAGES);
    let host = Host::new(&root.path(), "deb");
    let (known, new) = get_beside_a_flood(&host.serve());
    Figure::new("Get beside a flood, 99 of 100 within", "ms", Limit::AtMost(50.0)).report(known);
    Figure::new("the same on new connections, 99 of 100 within", "ms", Limit::AtMost(50.0)).report(new);
}

/// Within which time 99 of 100 Gets are answered, on a connection that was there before and on new ones, in milliseconds.
fn get_beside_a_flood(server: &Server) -> (f64, f64) {
    let authorization = server.admin().authorization().to_owned();
    let class = format!("{CIM}/CIM_SoftwareIdentity");
    let id = root::identities(1).next().unwrap();
    let request = post(&authorization, &Message::get(&class).selector("InstanceID", id).envelope());
    let mut known = Connection::open(server.port);
    known.exchange(&request);
    let flood = Flood::start(server.port);
    let (mut on_known, mut on_new, mut again) = (Vec::new(), Vec::new(), 0);
    let begun = Instant::now();
    while begun.elapsed() < LOOK {
        let start = Instant::now();
        known.exchange(&request);
        on_known.push(elapsed_ms(start));
        let start = Instant::now();
        while ask_anew(server.port, &request).is_none() {
            again += 1;
        }
        on_new.push(elapsed_ms(start));
        thread::sleep(Duration::from_millis(10));
    }
    println!("  {}", flood.stop());
    println!("  {} new connections, {again} of them had to make room", on_new.len() + again);
    println!("  medians {:.1} ms, and {:.1} ms with a handshake", quantile(&on_known, 0.5), quantile(&on_new, 0.5));
    (quantile(&on_known, 0.99), quantile(&on_new, 0.99))
}

/// Asks on a new connection; nothing if that had to make room before it was answered.
fn ask_anew(port: u16, request: &[u8]) -> Option<()> {
    let mut stream = connect(port).ok()?;
    stream.write_all(request).ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    assert_eq!(&head, b"HTTP/1.1 200");
    Some(())
}

struct Flood {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Flood {
    /// Starts it and waits until all have come.
    fn start(port: u16) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([FLOOD, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut String::new()).unwrap();
        Self { child, said }
    }

    fn stop(mut self) -> String {
        drop(self.child.stdin.take());
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        self.child.wait().unwrap();
        line.trim().to_owned()
    }
}

/// Floods until the standard input ends.
fn flood(port: u16) {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    let (over, wrong) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..SLOW {
            scope.spawn(|| until(&over, || send_slowly(port, &over)));
        }
        for n in 0..GUESSING {
            let (over, wrong) = (&over, &wrong);
            scope.spawn(move || until(over, || guess(port, n, over, wrong)));
        }
        let mut idle: Vec<Idle> = (0..IDLE).filter_map(|n| Idle::open(port, n)).collect();
        println!("ready");
        let ended = scope.spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            over.store(true, Ordering::Relaxed);
        });
        // Those that were closed come again, a thousand a second.
        let mut again = 0;
        for n in (0..idle.len()).cycle() {
            if ended.is_finished() {
                break;
            }
            if idle[n].is_closed()
                && let Some(opened) = Idle::open(port, n)
            {
                idle[n] = opened;
                again += 1;
                thread::sleep(Duration::from_millis(1));
            }
            if n == 0 {
                thread::sleep(Duration::from_millis(1));
            }
        }
        println!(
            "{} connections did nothing, {again} came again, {} passwords were wrong",
            idle.len(),
            wrong.load(Ordering::Relaxed)
        );
    });
}

fn until(over: &AtomicBool, work: impl Fn() -> Option<()>) {
    while !over.load(Ordering::Relaxed) {
        if work().is_none() {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A connection that does nothing, before or after its handshake.
enum Idle {
    Silent(TcpStream),
    Shaken(openssl::ssl::SslStream<TcpStream>),
}

impl Idle {
    fn open(port: u16, n: usize) -> Option<Self> {
        if n.is_multiple_of(SHAKEN) {
            return connect(port).ok().map(Self::Shaken);
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok().map(Self::Silent)
    }

    fn is_closed(&self) -> bool {
        let stream = match self {
            Self::Silent(stream) => stream,
            Self::Shaken(stream) => stream.get_ref(),
        };
        stream.set_nonblocking(true).unwrap();
        // After a handshake the server sends tickets; what comes is not read, so they hide the end of few.
        matches!(stream.peek(&mut [0; 1]), Ok(0)) || matches!(stream.take_error(), Ok(Some(_)))
    }
}

/// A body of which an octet comes now and then.
fn send_slowly(port: u16, over: &AtomicBool) -> Option<()> {
    let mut stream = connect(port).ok()?;
    let head = "POST /wsman HTTP/1.1\r\nHost: a\r\nContent-Type: application/soap+xml\r\nContent-Length: 16000\r\n\r\n";
    stream.write_all(head.as_bytes()).ok()?;
    while !over.load(Ordering::Relaxed) {
        stream.write_all(b" ").ok()?;
        thread::sleep(Duration::from_millis(100));
    }
    Some(())
}

/// Wrong passwords, one after the other.
fn guess(port: u16, n: usize, over: &AtomicBool, wrong: &AtomicUsize) -> Option<()> {
    let mut stream = connect(port).ok()?;
    // "guess0:wrong" and so on.
    let credentials = ["Z3Vlc3MwOndyb25n", "Z3Vlc3MxOndyb25n", "Z3Vlc3MyOndyb25n", "Z3Vlc3MzOndyb25n"];
    let request = format!(
        "POST /wsman HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {}\r\nContent-Type: application/soap+xml\r\nContent-Length: 0\r\n\r\n",
        credentials[n % credentials.len()]
    );
    let mut buffer = [0; 4096];
    while !over.load(Ordering::Relaxed) {
        stream.write_all(request.as_bytes()).ok()?;
        if stream.read(&mut buffer).ok()? == 0 {
            return None;
        }
        wrong.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(1));
    }
    Some(())
}
