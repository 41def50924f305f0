//! How soon a sink hears of a job's change.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;

use super::figure::{median, quantile};
use super::support::installation::start;
use super::support::packages::{DebRoot, build_deb};
use super::support::server::{PATIENCE, Server};
use super::support::sink::{Event, Sink};
use super::support::wsman::{Message, property};

const INSTALLATIONS: usize = 20;

/// The median time between a change and its arrival at the sink, in milliseconds.
pub(crate) fn delay(root: &DebRoot, server: &Server) -> f64 {
    let sink = Sink::new();
    let mut client = server.admin();
    for class in ["CIM_InstCreation", "CIM_InstModification"] {
        let query = format!("SELECT * from {class} WHERE SourceInstance ISA CIM_ConcreteJob");
        client.ask(&Message::subscribe(&sink.url("/"), &query));
    }
    for i in 0..INSTALLATIONS {
        let package = build_deb(&root.scratch(), &format!("small-{i}"), "1.0-1", &[]);
        let job = start(&mut client, &package);
        sink.wait_for("the end of a job", PATIENCE, |events| {
            let ended = |e: &Event| {
                e.source("InstanceID").as_deref() == Some(&job) && e.source("PercentComplete").as_deref() == Some("100")
            };
            events.iter().any(ended).then_some(())
        });
    }
    let delays: Vec<f64> = sink.events().iter().map(delay_of).collect();
    println!("  {} changes of {INSTALLATIONS} jobs, 9 of 10 within {:.2} ms", delays.len(), quantile(&delays, 0.9));
    median(delays)
}

/// From the time of the change, which the indication tells, to its arrival.
fn delay_of(event: &Event) -> f64 {
    let time = property(&event.indication(), "IndicationTime").expect("an indication without its time");
    let changed = DateTime::parse_from_rfc3339(&time).unwrap_or_else(|e| panic!("{time}: {e}"));
    let changed = changed.timestamp_micros();
    let arrived = i64::try_from(micros(event.at)).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a difference of times is small")]
    let delay = (arrived - changed) as f64 / 1000.0;
    delay
}

fn micros(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).unwrap().as_micros()
}
