//! Reading all packages, page by page.

use std::cell::RefCell;
use std::time::Instant;

use super::figure::median;
use super::load::{Connection, elapsed_ms, post};
use super::nginx::Nginx;
use super::support::server::Server;
use super::support::wsman::{CIM, Message};

const ROUNDS: usize = 31;

/// One way to read all packages.
pub(crate) struct Enumeration {
    connection: RefCell<Connection>,
    authorization: String,
    page: usize,
    first: Vec<u8>,
}

impl Enumeration {
    pub(crate) fn new(server: &Server, page: usize) -> Self {
        let authorization = server.admin().authorization().to_owned();
        let options = format!("<w:OptimizeEnumeration/><w:MaxElements>{page}</w:MaxElements>");
        let first = post(&authorization, &roomy(Message::enumerate(&class(), &options)));
        Self { connection: RefCell::new(Connection::open(server.port)), authorization, page, first }
    }

    /// Reads everything once; each page is handed to `keep`.
    fn read(&self, mut keep: impl FnMut(&[u8])) {
        let mut connection = self.connection.borrow_mut();
        let mut body = connection.exchange(&self.first);
        loop {
            keep(body);
            let Some(context) = next_context(body) else { return };
            let request = self.pull(&context);
            body = connection.exchange(&request);
        }
    }

    fn pull(&self, context: &str) -> Vec<u8> {
        let body = format!(
            "<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>{}</n:MaxElements></n:Pull>",
            self.page
        );
        let action = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull";
        post(&self.authorization, &roomy(Message::action(action, &class(), &body)))
    }

    /// The pages as they come.
    pub(crate) fn pages(&self) -> Vec<Vec<u8>> {
        let mut pages = Vec::new();
        self.read(|body| pages.push(body.to_vec()));
        let octets: usize = pages.iter().map(Vec::len).sum();
        println!("  {} pages of up to {} instances, {octets} octets", pages.len(), self.page);
        pages
    }

    /// The time of each page, in milliseconds.
    pub(crate) fn page_times(&self) -> Vec<f64> {
        let mut times = Vec::new();
        let mut start = Instant::now();
        self.read(|_| {
            times.push(elapsed_ms(start));
            start = Instant::now();
        });
        times
    }

    /// How many instances there are.
    pub(crate) fn count(&self) -> usize {
        const ID: &[u8] = b"LMI_SoftwareIdentity:";
        let mut count = 0;
        self.read(|body| count += body.windows(ID.len()).filter(|w| *w == ID).count());
        count
    }

    /// The time to read everything once, in milliseconds.
    fn time(&self) -> f64 {
        let start = Instant::now();
        self.read(|_| ());
        elapsed_ms(start)
    }

    /// The median time to read everything, in milliseconds.
    pub(crate) fn median(&self) -> f64 {
        self.pages();
        median((0..ROUNDS).map(|_| self.time()).collect())
    }
}

fn class() -> String {
    format!("{CIM}/CIM_SoftwareIdentity")
}

/// A page may be as large as its instances make it.
fn roomy(message: Message) -> String {
    message.header("<w:MaxEnvelopeSize>4000000</w:MaxEnvelopeSize>").envelope()
}

/// The context to go on with; `None` at the end. It stands before the items, the end behind them.
fn next_context(body: &[u8]) -> Option<String> {
    let tail = &body[body.len().saturating_sub(400)..];
    if find(tail, b"EndOfSequence").is_some() {
        return None;
    }
    let head = &body[..body.len().min(3000)];
    let start =
        find(head, b"EnumerationContext>").expect("neither an end nor a context") + b"EnumerationContext>".len();
    let end = start + head[start..].iter().position(|&b| b == b'<').expect("a context without end");
    Some(String::from_utf8_lossy(&head[start..end]).into_owned())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

/// How many times as long as nginx the server takes for the same pages; the two take turns.
pub(crate) fn compare(ours: &Enumeration, nginx: &Nginx) -> f64 {
    let (mut own_times, mut nginx_times) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS + 5 {
        let (own, theirs) = (ours.time(), nginx.time());
        // The first rounds warm both up.
        if round >= 5 {
            own_times.push(own);
            nginx_times.push(theirs);
        }
    }
    let (own, theirs) = (median(own_times), median(nginx_times));
    println!("  the server {own:.2} ms, nginx {theirs:.2} ms");
    own / theirs
}

/// The host has as many instances as it is to have.
pub(crate) fn check_count(server: &Server, expected: usize) {
    assert_eq!(Enumeration::new(server, 256).count(), expected, "instances on the measured host");
}
