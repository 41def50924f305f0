//! The delivery of one subscription's events: in order, one at a time, each until it has arrived.
//!
//! Every subscription has a task of its own, so a sink that hangs or is gone holds up nobody else's events.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Event;
use super::active::{Active, State};
use super::hub::Hub;
use super::message::{self, Verdict};
use crate::cim::Instance;
use crate::client::Post;
use crate::store::subscriptions::Progress;

/// Why a subscription ended without its owner's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its time is over.
    Expired,
    /// The sink answered `wsman:DeliveryRefused` (DSP0226 R10.8-1).
    Refused,
    /// The sink failed for too long.
    GivenUp,
    /// Records it waited for had to be removed.
    FellBehind,
}

/// What becomes of one event.
enum Outcome {
    Delivered,
    /// It can never be delivered.
    Skipped,
    /// The subscription ended, or the service stops.
    Over,
}

pub(super) struct Delivery {
    hub: Arc<Hub>,
    active: Arc<Active>,
    state: watch::Receiver<State>,
    stop: watch::Receiver<bool>,
    progress: Progress,
}

impl Delivery {
    pub(super) fn new(hub: Arc<Hub>, active: Arc<Active>, progress: Progress) -> Self {
        let (state, stop) = (active.watch(), hub.stop.subscribe());
        Self { hub, active, state, stop, progress }
    }

    /// Delivers until the subscription ends or the service stops.
    pub(super) async fn run(mut self) {
        loop {
            let events = tokio::select! {
                events = self.hub.log.after(self.progress.cursor) => events,
                () = self.over() => return,
            };
            for event in events {
                if !self.deal_with(&event).await {
                    return;
                }
            }
        }
    }

    /// `false` if the subscription is over.
    async fn deal_with(&mut self, event: &Event) -> bool {
        let wanted = event.indication.as_ref().filter(|indication| self.active.filter.matches(indication));
        let outcome = match wanted {
            Some(indication) => self.deliver(event.sequence, indication).await,
            None => Outcome::Skipped,
        };
        self.progress = Progress { cursor: event.sequence, ..Progress::default() };
        match outcome {
            Outcome::Delivered => self.hub.ledger.note(self.active.id, self.progress),
            Outcome::Skipped => self.hub.ledger.note_lazily(self.active.id, self.progress),
            Outcome::Over => return false,
        }
        true
    }

    async fn deliver(&mut self, sequence: i64, indication: &Instance) -> Outcome {
        loop {
            self.wait_for_next_attempt().await;
            if self.has_expired() {
                self.hub.end(self.active.id, Ending::Expired).await;
            }
            if self.is_over() {
                return Outcome::Over;
            }
            let body = message::event(&self.active, sequence, indication);
            if body.len() > self.hub.settings.max_message {
                tracing::error!(subscription = %self.active.id, sequence, "an event is too large to be sent and is skipped");
                return Outcome::Skipped;
            }
            let post =
                Post { url: self.active.url.clone(), content_type: message::ENCODING.content_type().to_owned(), body };
            let answer = tokio::select! {
                answer = self.hub.client.post(post) => answer,
                () = self.ended() => return Outcome::Over,
            };
            match message::verdict(answer) {
                Verdict::Delivered => return Outcome::Delivered,
                Verdict::Refused => {
                    self.hub.end(self.active.id, Ending::Refused).await;
                    return Outcome::Over;
                }
                Verdict::Failed(reason) => {
                    let is_over = self.fail();
                    tracing::warn!(reason, subscription = %self.active.id, failures = self.progress.failures, "an event was not delivered");
                    if is_over {
                        self.hub.end(self.active.id, Ending::GivenUp).await;
                        return Outcome::Over;
                    }
                }
            }
        }
    }

    /// Counts a failure; `true` if it was one too many.
    fn fail(&mut self) -> bool {
        let (now, settings) = (self.hub.clock.now(), &self.hub.settings);
        self.progress.failures = self.progress.failures.saturating_add(1);
        let since = *self.progress.failing_since.get_or_insert(now);
        let wait = delta(settings.retry_after(self.progress.failures));
        self.progress.next_attempt = now.checked_add_signed(wait);
        self.hub.ledger.note(self.active.id, self.progress);
        settings.give_up_attempts.is_some_and(|most| self.progress.failures >= most)
            || now.signed_duration_since(since) >= delta(settings.give_up_after)
    }

    /// Waits until the next attempt may be made or the subscription is over.
    async fn wait_for_next_attempt(&mut self) {
        let Some(next) = self.progress.next_attempt else { return };
        let mut tick = self.hub.tick.subscribe();
        // Should the host's clock be set back, no wait gets longer than the longest.
        let latest = Instant::now() + self.hub.settings.longest_retry;
        loop {
            let left = next.signed_duration_since(self.hub.clock.now()).to_std().unwrap_or_default();
            if left.is_zero() || Instant::now() >= latest || self.is_over() || self.has_expired() {
                return;
            }
            tokio::select! {
                () = sleep_until(latest.min(Instant::now() + left)) => {}
                _ = tick.changed() => {}
                () = self.over() => return,
            }
        }
    }

    /// Returns when the subscription has ended or the service stops.
    async fn over(&self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = self.ended() => {}
            _ = stop.wait_for(|&stop| stop) => {}
        }
    }

    /// Returns when the subscription has ended.
    async fn ended(&self) {
        // An error would mean that the subscription is gone altogether.
        let _ = self.state.clone().wait_for(|s| s.ended).await.map(|_| ());
    }

    fn is_over(&self) -> bool {
        *self.stop.borrow() || self.state.borrow().ended
    }

    fn has_expired(&self) -> bool {
        self.state.borrow().has_expired(self.hub.clock.now())
    }
}

fn delta(duration: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
