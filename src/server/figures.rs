//! What the transport counts: requests by what they ask for and how they were answered, how long that took, connections.

use std::time::Duration;

use super::connections::Connections;
use super::in_flight::InFlight;
use crate::metrics::{Counter, Exposition, Histogram, Kind};
use crate::wsman::Operation;

/// The statuses that are told apart; the others count as one.
const STATUSES: [u16; 14] = [200, 204, 302, 303, 400, 401, 403, 404, 405, 408, 413, 429, 500, 503];

/// What is counted of requests.
#[derive(Debug, Default)]
pub(super) struct RequestFigures {
    answered: [[Counter; STATUSES.len() + 1]; Operation::ALL.len()],
    seconds: Histogram,
}

impl RequestFigures {
    /// A request was answered.
    pub(super) fn answered(&self, operation: Operation, status: u16, time: Duration) {
        let class = STATUSES.iter().position(|&known| known == status).unwrap_or(STATUSES.len());
        let of_operation = Operation::ALL.iter().position(|&known| known == operation);
        if let Some(counter) = of_operation.and_then(|at| self.answered.get(at)).and_then(|of| of.get(class)) {
            counter.add_one();
        }
        self.seconds.observe(time);
    }

    pub(super) fn write(&self, exposition: &mut Exposition) {
        let help = "Answered requests, by what they asked for and their HTTP status.";
        exposition.family("quartermaster_requests", Kind::Counter, help);
        for (operation, statuses) in Operation::ALL.iter().zip(&self.answered) {
            for (at, counter) in statuses.iter().enumerate().filter(|(_, counter)| counter.get() > 0) {
                let status = STATUSES.get(at).map_or_else(|| "other".to_owned(), u16::to_string);
                exposition.sample(&[("operation", operation.word()), ("status", &status)], counter.get());
            }
        }
        let help = "From the head of a request to the head of its reply.";
        self.seconds.write(exposition.family("quartermaster_request_seconds", Kind::Histogram, help));
    }
}

/// Writes how many requests are being answered.
pub(super) fn write_in_flight(in_flight: &InFlight, exposition: &mut Exposition) {
    let help = "Requests that came whole and are being answered.";
    exposition.family("quartermaster_requests_in_flight", Kind::Gauge, help).sample(&[], in_flight.count());
    let help = "Requests that were sent away because too many others were being answered.";
    exposition.family("quartermaster_requests_refused", Kind::Counter, help).sample(&[], in_flight.refused());
}

/// Writes what became of connections.
pub(super) fn write_connections(connections: &Connections, exposition: &mut Exposition) {
    let ((open, known), counts) = (connections.open(), connections.counts());
    exposition
        .family("quartermaster_connections", Kind::Gauge, "Open connections, by whether it is known whose they are.")
        .sample(&[("peer", "known")], known)
        .sample(&[("peer", "stranger")], open.saturating_sub(known));
    let help = "Connections that were accepted.";
    exposition.family("quartermaster_connections_accepted", Kind::Counter, help).sample(&[], counts.accepted.get());
    exposition
        .family("quartermaster_connections_cut_off", Kind::Counter, "Connections that were cut off, by the reason.")
        .sample(&[("reason", "made_room")], counts.made_room.get())
        .sample(&[("reason", "no_room")], counts.refused.get())
        .sample(&[("reason", "overdue")], counts.overdue.get());
}
