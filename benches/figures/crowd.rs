//! Many enumerations at once, and a large one beside small requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use super::enumeration::Enumeration;
use super::figure::quantile;
use super::load::{Connection, elapsed_ms, post};
use super::process::memory;
use super::root;
use super::support::packages::DebRoot;
use super::support::server::{Host, Server};
use super::support::wsman::{CIM, Message};

/// How many enumerations are open at once.
const CONTEXTS: usize = 1000;
/// How many instances the large enumeration has.
const MANY: usize = 100_000;
/// How many instances it pulls at a time.
const PAGE: usize = 1000;

/// What 1,000 open enumerations take, in megabytes.
pub(crate) fn contexts(server: &Server) -> f64 {
    let authorization = server.admin().authorization().to_owned();
    let options = "<w:OptimizeEnumeration/><w:MaxElements>1</w:MaxElements>";
    let envelope = Message::enumerate(&format!("{CIM}/CIM_SoftwareIdentity"), options).envelope();
    let request = post(&authorization, &envelope);
    let mut connection = Connection::open(server.port);
    connection.exchange(&request);
    let before = memory(server);
    for _ in 1..CONTEXTS {
        connection.exchange(&request);
    }
    memory(server) - before
}

/// Within which time 99 of 100 Gets are answered while another client pulls 100,000 instances, in milliseconds.
pub(crate) fn get_beside_a_large_enumeration() -> f64 {
    let root = DebRoot::new();
    root::fill(&root, MANY);
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let authorization = server.admin().authorization().to_owned();
    let class = format!("{CIM}/CIM_SoftwareIdentity");
    let requests: Vec<_> = root::identities(64)
        .map(|id| post(&authorization, &Message::get(&class).selector("InstanceID", id).envelope()))
        .collect();
    let large = Enumeration::new(&server, PAGE);
    let pulling = AtomicBool::new(true);
    let times = thread::scope(|scope| {
        let pulling = &pulling;
        scope.spawn(move || {
            let start = Instant::now();
            let read = large.count();
            println!("  {read} instances pulled in {:.0} ms", elapsed_ms(start));
            assert_eq!(read, MANY);
            pulling.store(false, Ordering::Release);
        });
        let mut connection = Connection::open(server.port);
        let mut times = Vec::new();
        while pulling.load(Ordering::Acquire) {
            let start = Instant::now();
            connection.exchange(&requests[times.len() % requests.len()]);
            times.push(elapsed_ms(start));
        }
        times
    });
    println!("  {} Gets meanwhile, the median {:.3} ms", times.len(), quantile(&times, 0.5));
    quantile(&times, 0.99)
}
