//! Pull mode: the subscriber fetches its events (DSP0226 10.2.9.5).
//!
//! A context says how far its holder got, and asking with it acknowledges that. A reply that is lost on its way is asked
//! for again with the same context, and a context outlives the server.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::active::Active;
use super::ending::Ending;
use super::{Event, Events, ManageError, Mode, Place, PullError};
use crate::access::Caller;
use crate::store::subscriptions::Progress;

/// Where a subscriber goes on who fetches its events: `wsen:EnumerationContext`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PullContext {
    /// The subscription.
    pub subscription: Uuid,
    /// The sequence number up to which everything was fetched.
    pub sequence: i64,
    /// Of how many dropped events its holder was told.
    pub dropped: u64,
}

impl fmt::Display for PullContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.subscription.hyphenated(), self.sequence, self.dropped)
    }
}

impl FromStr for PullContext {
    type Err = PullError;

    fn from_str(text: &str) -> Result<Self, PullError> {
        let mut parts = text.trim().splitn(3, '/');
        let mut next = || parts.next().ok_or(PullError::NotFound);
        let subscription = next()?.parse().map_err(|_| PullError::NotFound)?;
        let sequence = next()?.parse().map_err(|_| PullError::NotFound)?;
        let dropped = next()?.parse().map_err(|_| PullError::NotFound)?;
        Ok(Self { subscription, sequence, dropped })
    }
}

/// What there is to fetch.
#[derive(Debug)]
pub struct Pulled {
    /// The context that was asked with.
    pub context: PullContext,
    /// How many events were dropped in all, if the subscriber was not told of all of them: that comes first.
    pub lost: Option<u64>,
    /// The events, oldest first.
    pub events: Vec<Arc<Event>>,
    /// Nothing up to here is left besides the events.
    through: i64,
    log: Uuid,
    bookmarks: bool,
}

impl Pulled {
    /// Where to go on after so many of the events, and with so many dropped ones told in all.
    pub fn context_after(&self, taken: usize, dropped: u64) -> PullContext {
        let sequence = match (taken, self.events.get(taken)) {
            (_, None) => self.through,
            (0, Some(_)) => self.context.sequence,
            (taken, Some(_)) => self.events.get(taken - 1).map_or(self.context.sequence, |event| event.sequence),
        };
        PullContext { sequence, dropped, ..self.context }
    }

    /// The bookmark of that place, if the subscriber wants bookmarks.
    pub fn bookmark(&self, context: PullContext) -> Option<Place> {
        self.bookmarks.then_some(Place { log: self.log, sequence: context.sequence })
    }
}

impl Events {
    /// The context with which the first events are fetched.
    pub fn first_context(&self, subscription: Uuid) -> Option<PullContext> {
        let active = self.hub.find(subscription)?;
        let progress = active.progress();
        (active.granted().delivery.mode == Mode::Pull).then_some(PullContext {
            subscription,
            sequence: progress.cursor,
            dropped: progress.dropped_told,
        })
    }

    /// Up to `most` events, as soon as there are any; none if there are none until then, or until the next heartbeat is
    /// due. What the context says was fetched is acknowledged.
    pub async fn pull(
        &self,
        context: PullContext,
        caller: &Caller,
        most: usize,
        until: Instant,
    ) -> Result<Pulled, PullError> {
        let active = self.fetched_by(context, caller)?;
        if !self.hub.rights.may_read(&active.granted().owner.name).await {
            self.hub.end(active.id, Ending::NotAllowed).await;
            return Err(PullError::NotFound);
        }
        let progress = self.acknowledge(&active, context)?;
        let heartbeat = active.granted().delivery.heartbeat.and_then(|interval| Instant::now().checked_add(interval));
        let mut pulled = Pulled {
            context,
            lost: (progress.dropped > context.dropped).then_some(progress.dropped),
            events: Vec::new(),
            through: context.sequence,
            log: self.hub.log.id(),
            bookmarks: active.granted().delivery.bookmarks,
        };
        pulled.fill(self, &active, most.max(1), heartbeat.map_or(until, |beat| beat.min(until))).await;
        pulled.tell_loss_first(&active);
        self.hub.counts.fetched.add(pulled.events.len() as u64);
        Ok(pulled)
    }

    fn fetched_by(&self, context: PullContext, caller: &Caller) -> Result<Arc<Active>, PullError> {
        let active = self.owned(context.subscription, caller).map_err(|error| match error {
            ManageError::NotYours => PullError::NotYours,
            _ => PullError::NotFound,
        })?;
        if active.granted().delivery.mode == Mode::Pull { Ok(active) } else { Err(PullError::NotFound) }
    }

    /// Notes what the context says; how far the subscription got is given back.
    fn acknowledge(&self, active: &Arc<Active>, context: PullContext) -> Result<Progress, PullError> {
        if context.sequence > self.hub.log.latest() {
            return Err(PullError::NotFound);
        }
        let mut known = false;
        let before = active.progress();
        let progress = active.advance(|progress| {
            // Behind what the log gave up, an older context is none of the subscriber's making.
            known = context.sequence >= progress.cursor || progress.dropped > context.dropped;
            if known && context.sequence >= progress.cursor {
                progress.cursor = context.sequence;
                progress.dropped = progress.dropped.max(context.dropped);
                progress.dropped_told = progress.dropped_told.max(context.dropped);
            }
        });
        if !known {
            return Err(PullError::Stale);
        }
        if progress != before {
            self.hub.ledger.note(active);
        }
        Ok(progress)
    }
}

impl Pulled {
    /// What the log gave up meanwhile is told before anything behind it.
    fn tell_loss_first(&mut self, active: &Active) {
        let progress = active.progress();
        if progress.dropped > self.lost.unwrap_or(self.context.dropped) {
            self.lost = Some(progress.dropped);
            self.events.clear();
            self.context.sequence = progress.cursor;
            self.through = progress.cursor;
        }
    }

    async fn fill(&mut self, events: &Events, active: &Active, most: usize, until: Instant) {
        let mut state = active.watch();
        let mut answer = events.hub.answer.subscribe();
        self.context.sequence = self.context.sequence.max(active.progress().cursor);
        self.through = self.context.sequence;
        while self.events.is_empty() {
            let log = &events.hub.log;
            // What was lost is told at once, with what is there.
            let is_late = self.lost.is_some();
            let found = tokio::select! {
                found = log.present_after(self.through), if is_late => found,
                found = timeout_at(until, log.after(self.through)), if !is_late => found.unwrap_or_default(),
                _ = state.wait_for(|state| state.ended) => return,
                _ = answer.wait_for(|&answer| answer) => return,
            };
            if found.is_empty() {
                return;
            }
            for event in found {
                if event.indication.as_ref().is_some_and(|indication| active.filter.matches(indication)) {
                    if self.events.len() >= most {
                        return;
                    }
                    self.events.push(Arc::clone(&event));
                }
                self.through = event.sequence;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_context_is_read_as_it_was_written(subscription: u128, sequence: i64, dropped: u64) {
            let context = PullContext { subscription: Uuid::from_u128(subscription), sequence, dropped };
            prop_assert_eq!(context.to_string().parse::<PullContext>().unwrap(), context);
        }

        #[test]
        fn what_is_no_context_is_told(text in "[0-9a-f/-]{0,60}") {
            prop_assume!(text.matches('/').count() != 2);
            prop_assert!(text.parse::<PullContext>().is_err());
        }
    }
}
