//! How it stands with subscriptions and their events.

use super::{Events, Mode};
use crate::metrics::Counter;

/// What is counted from the start on.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Events that arrived at sinks.
    pub(super) delivered: Counter,
    /// Messages that did not.
    pub(super) failed: Counter,
    /// Events that were handed to subscribers who fetch them.
    pub(super) fetched: Counter,
}

/// How it stands with subscriptions and their events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFigures {
    /// Subscriptions whose events are sent.
    pub pushing: u64,
    /// Subscriptions whose events are fetched.
    pub fetching: u64,
    /// Subscriptions whose last message did not arrive.
    pub failing: u64,
    /// The number of the latest change record: so many were written since there is a store.
    pub written: u64,
    /// Change records that subscriptions have not dealt with, of all together.
    pub waiting: u64,
    /// The same of the one that has most.
    pub most_waiting: u64,
    /// Events that the subscriptions which are there lost.
    pub dropped: u64,
    /// Events that arrived at sinks since the start.
    pub delivered: u64,
    /// Messages that did not.
    pub failed: u64,
    /// Events that were handed to subscribers who fetch them since the start.
    pub fetched: u64,
}

impl Events {
    /// How it stands now. Answers from memory.
    pub fn figures(&self) -> EventFigures {
        let counts = &self.hub.counts;
        let latest = self.hub.log.latest();
        let mut figures = EventFigures {
            written: u64::try_from(latest).unwrap_or(0),
            delivered: counts.delivered.get(),
            failed: counts.failed.get(),
            fetched: counts.fetched.get(),
            ..EventFigures::default()
        };
        for active in self.hub.all() {
            let progress = active.progress();
            let waiting = u64::try_from(latest.saturating_sub(progress.cursor)).unwrap_or(0);
            match active.granted().delivery.mode {
                Mode::Pull => figures.fetching += 1,
                _ => figures.pushing += 1,
            }
            figures.failing += u64::from(progress.failures > 0);
            figures.waiting += waiting;
            figures.most_waiting = figures.most_waiting.max(waiting);
            figures.dropped += progress.dropped;
        }
        figures
    }
}
