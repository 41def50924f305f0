//! Get of one instance: alone, and from many connections at once.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::figure::{median, quantile};
use super::load::{Connection, elapsed_ms, post};
use super::support::server::Server;
use super::support::wsman::{CIM, Message};

const CONNECTIONS: usize = 64;
const THREADS: usize = 2;
const ALONE: usize = 10_000;
const EACH: usize = 1500;
const ROUNDS: usize = 3;

/// Requests for different packages, so that no connection lives on what another one asked for.
pub(crate) struct Get {
    port: u16,
    requests: Vec<Vec<u8>>,
}

impl Get {
    pub(crate) fn new(server: &Server) -> Self {
        let authorization = server.admin().authorization().to_owned();
        let requests = super::root::identities(CONNECTIONS)
            .map(|id| Message::get(&format!("{CIM}/CIM_SoftwareIdentity")).selector("InstanceID", id).envelope())
            .map(|envelope| post(&authorization, &envelope))
            .collect();
        Self { port: server.port, requests }
    }

    /// The median time of a request on one connection, in milliseconds.
    pub(crate) fn median(&mut self) -> f64 {
        let mut connection = Connection::open(self.port);
        let mut times = Vec::with_capacity(ALONE);
        for i in 0..ALONE + ALONE / 5 {
            let start = Instant::now();
            connection.exchange(&self.requests[i % CONNECTIONS]);
            if i >= ALONE / 5 {
                times.push(elapsed_ms(start));
            }
        }
        println!("  99 of 100 within {:.3} ms", quantile(&times, 0.99));
        median(times)
    }

    /// Requests per second with one request outstanding on each of 64 connections.
    pub(crate) fn throughput(&mut self) -> f64 {
        let rounds: Vec<f64> = (0..ROUNDS).map(|_| self.round()).collect();
        println!("  rounds: {rounds:.0?}");
        median(rounds)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    fn round(&self) -> f64 {
        let ready = Barrier::new(THREADS + 1);
        thread::scope(|scope| {
            let threads: Vec<_> = self
                .requests
                .chunks(CONNECTIONS / THREADS)
                .map(|requests| {
                    let ready = &ready;
                    scope.spawn(move || drive(self.port, requests, ready))
                })
                .collect();
            ready.wait();
            let start = Instant::now();
            for thread in threads {
                thread.join().unwrap();
            }
            (CONNECTIONS * EACH) as f64 / start.elapsed().as_secs_f64()
        })
    }
}

/// Keeps one request under way on each connection. Going round costs no system call but the reads and writes.
fn drive(port: u16, requests: &[Vec<u8>], ready: &Barrier) {
    let mut connections: Vec<_> = requests.iter().map(|request| (Connection::open(port), request)).collect();
    for (connection, request) in &mut connections {
        connection.exchange(request);
    }
    ready.wait();
    for (connection, request) in &mut connections {
        connection.send(request);
    }
    for round in 1..=EACH {
        for (connection, request) in &mut connections {
            connection.receive();
            if round < EACH {
                connection.send(request);
            }
        }
    }
}
