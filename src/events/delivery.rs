//! The delivery of one subscription's events: in order, one message at a time, each until it has arrived.
//!
//! Every subscription has a task of its own, so a sink that hangs or is gone holds up nobody else's events.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::active::{Active, State};
use super::ending::Ending;
use super::hub::Hub;
use super::message::{self, Verdict};
use super::parcel::{Item, Packing, Parcel, Room};
use super::waiting::{delta, later, reaches};
use super::{Event, Oversize};
use crate::client::Post;
use crate::soap::MessageId;

pub(super) struct Delivering {
    hub: Arc<Hub>,
    active: Arc<Active>,
    state: watch::Receiver<State>,
    stop: watch::Receiver<bool>,
    room: Room,
    /// What was read of the log and not dealt with yet.
    queue: VecDeque<Arc<Event>>,
    /// How far the log was read.
    read: i64,
    /// When the sink last took a message.
    spoke: DateTime<Utc>,
}

impl Delivering {
    pub(super) fn new(hub: Arc<Hub>, active: Arc<Active>) -> Self {
        let granted = active.granted();
        let carried = granted.notify_to.as_ref().map_or(0, |to| message::store_reference(to).len());
        let room = Room::new(&granted.delivery, hub.settings.get().max_message, carried);
        let (state, stop) = (active.watch(), hub.stop.subscribe());
        let (read, spoke) = (active.progress().cursor, hub.clock.now());
        Self { hub, active, state, stop, room, queue: VecDeque::new(), read, spoke }
    }

    /// Delivers until the subscription ends or the service stops.
    pub(super) async fn run(mut self) {
        while let Some(parcel) = self.next_parcel().await {
            if !self.deliver(&parcel).await {
                return;
            }
        }
    }

    /// The next message, as soon as there is one; `None` if the subscription is over.
    async fn next_parcel(&mut self) -> Option<Parcel> {
        if let Some(note) = self.note_of_loss() {
            return Some(note);
        }
        let mut packing = Packing::new(self.room, &self.active.progress());
        let mut begun: Option<DateTime<Utc>> = None;
        loop {
            match self.pack(&mut packing) {
                Ok(true) => return Some(packing.finish()),
                Ok(false) => {}
                Err(why) => {
                    self.hub.end(self.active.id, why).await;
                    return None;
                }
            }
            let heartbeat = self.heartbeat_interval().map(|interval| (later(self.spoke, interval), interval));
            let limit = if packing.is_empty() {
                self.pass(packing.through());
                heartbeat
            } else {
                let Some(longest) = self.active.granted().delivery.max_time else { return Some(packing.finish()) };
                let since = *begun.get_or_insert_with(|| self.hub.clock.now());
                let full = (later(since, longest), longest);
                // A batch that waits for more events is no reason to be silent for longer (R10.2.5-2).
                Some(heartbeat.map_or(full, |heartbeat| heartbeat.min(full)))
            };
            tokio::select! {
                events = self.hub.log.after(self.read) => self.take(events),
                () = reaches_if_any(&self.hub, limit) => return Some(packing.finish()),
                () = self.over() => return None,
            }
        }
    }

    /// Packs what was read; `true` if the parcel has no room for more, an error if the subscription must end.
    fn pack(&mut self, packing: &mut Packing) -> Result<bool, Ending> {
        while let Some(event) = self.queue.front().cloned() {
            if packing.is_beyond(event.sequence) {
                return Ok(true);
            }
            if event.sequence > packing.through() {
                match self.item(&event)? {
                    None => packing.pass(event.sequence),
                    Some(item) => {
                        if !packing.add(event.sequence, item) {
                            return Ok(true);
                        }
                    }
                }
            }
            self.queue.pop_front();
            if packing.is_full() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is told of an event.
    fn item(&self, event: &Arc<Event>) -> Result<Option<Item>, Ending> {
        if event.indication.as_ref().is_none_or(|indication| !self.active.filter.matches(indication)) {
            return Ok(None);
        }
        if self.room.fits_alone(event) {
            return Ok(Some(Item::Event(Arc::clone(event))));
        }
        let policy = self.active.granted().delivery.envelope.map_or(Oversize::Notify, |envelope| envelope.policy);
        tracing::warn!(subscription = %self.active.id, sequence = event.sequence, ?policy, "an event is too large to be sent");
        match policy {
            Oversize::CancelSubscription => Err(Ending::TooLarge),
            Oversize::Skip => Ok(None),
            Oversize::Notify => Ok(Some(Item::Dropped(event.sequence))),
        }
    }

    fn take(&mut self, events: Vec<Arc<Event>>) {
        self.read = events.last().map_or(self.read, |last| last.sequence);
        self.queue.extend(events);
    }

    /// Has the log read again from here on.
    fn read_again(&mut self, after: i64) {
        self.queue.clear();
        self.read = after.max(self.active.progress().cursor);
    }

    /// What the log lost while the sink did not listen, if it was not told of it yet.
    fn note_of_loss(&mut self) -> Option<Parcel> {
        let progress = self.active.progress();
        self.read = self.read.max(progress.cursor);
        (progress.dropped > progress.dropped_told).then(|| Parcel::of_loss(&progress))
    }

    /// Nothing up to here is told; that needs no write of its own.
    fn pass(&self, through: i64) {
        self.active.advance(|progress| progress.cursor = progress.cursor.max(through));
        self.hub.ledger.note_lazily(&self.active);
    }

    /// Delivers one message; `false` if the subscription is over.
    async fn deliver(&mut self, parcel: &Parcel) -> bool {
        loop {
            self.wait_for_next_attempt().await;
            if self.has_expired() {
                self.hub.end(self.active.id, Ending::Expired).await;
            }
            if self.is_over() {
                return false;
            }
            if self.active.progress().dropped != parcel.dropped {
                // The log gave something up since it was packed: that is told first.
                self.read_again(self.active.progress().cursor);
                return true;
            }
            if !self.hub.rights.may_read(&self.active.granted().owner.name).await {
                self.hub.end(self.active.id, Ending::NotAllowed).await;
                return false;
            }
            self.note_attempt(parcel).await;
            let Some((id, post)) = self.post(parcel) else { return false };
            let credentials = self.active.target.credentials.clone();
            let client = self.hub.client.get();
            let answer = tokio::select! {
                answer = client.post_as(post, credentials) => answer,
                () = self.ended() => return false,
            };
            let expected = self.active.granted().delivery.mode.is_acknowledged().then_some(id);
            match message::verdict(answer, expected) {
                Verdict::Delivered => {
                    self.arrived(parcel);
                    return true;
                }
                Verdict::Refused => {
                    self.hub.end(self.active.id, Ending::Refused).await;
                    return false;
                }
                Verdict::Failed(reason) => {
                    self.hub.counts.failed.add_one();
                    self.active.note_failure(&reason);
                    let (is_over, failures) = self.fail();
                    tracing::warn!(reason, subscription = %self.active.id, failures, "a message was not delivered");
                    if is_over {
                        self.hub.end(self.active.id, Ending::GivenUp).await;
                        return false;
                    }
                    // Who waits for a sink that fails holds no more than it must.
                    self.read_again(parcel.through);
                    if parcel.is_heartbeat() {
                        // Should there be an event by then, it goes in its place.
                        return true;
                    }
                }
            }
        }
    }

    /// Has it written down how far a batch reaches before it is sent first, so that it is the same one after a crash.
    async fn note_attempt(&self, parcel: &Parcel) {
        if !parcel.is_batch() || self.active.progress().attempted == parcel.through {
            return;
        }
        self.active.advance(|progress| progress.attempted = parcel.through);
        self.hub.ledger.write_down(&self.active).await;
    }

    fn post(&self, parcel: &Parcel) -> Option<(MessageId, Post)> {
        let url = self.active.target.url.clone()?;
        let (id, body) = message::parcel(&self.active, parcel, self.hub.log.id());
        let content_type = self.active.granted().delivery.encoding().content_type().to_owned();
        Some((id, Post { url, content_type, body }))
    }

    fn arrived(&mut self, parcel: &Parcel) {
        self.spoke = self.hub.clock.now();
        let had_failed = self.active.progress().failures > 0;
        self.hub.counts.delivered.add(parcel.items.len() as u64);
        self.active.advance(|progress| parcel.arrived(progress));
        if parcel.is_heartbeat() && !had_failed {
            self.hub.ledger.note_lazily(&self.active);
        } else {
            self.hub.ledger.note(&self.active);
        }
    }

    /// Counts a failure; `true` if it was one too many.
    fn fail(&mut self) -> (bool, u32) {
        let (now, settings) = (self.hub.clock.now(), self.hub.settings.get());
        let retry = self.active.granted().delivery.retry;
        let progress = self.active.advance(|progress| {
            progress.failures = progress.failures.saturating_add(1);
            progress.failing_since.get_or_insert(now);
            let usual = settings.retry_after(progress.failures);
            // A subscriber may ask for longer waits, and not for a busy service.
            let wait = retry.map_or(usual, |retry| retry.interval.max(settings.first_retry));
            progress.next_attempt = Some(later(now, wait));
        });
        self.hub.ledger.note(&self.active);
        let failed = progress.failures;
        let too_often = retry.is_some_and(|retry| failed > retry.total)
            || settings.give_up_attempts.is_some_and(|most| failed >= most);
        let too_long = progress
            .failing_since
            .is_some_and(|since| now.signed_duration_since(since) >= delta(settings.give_up_after));
        (too_often || too_long, failed)
    }

    /// Waits until the next attempt may be made or the subscription is over.
    async fn wait_for_next_attempt(&self) {
        let Some(next) = self.active.progress().next_attempt else { return };
        let retry = self.active.granted().delivery.retry;
        let settings = self.hub.settings.get();
        let longest = retry.map_or(settings.longest_retry, |retry| retry.interval.max(settings.first_retry));
        tokio::select! {
            () = reaches(&self.hub, next, longest) => {}
            () = self.over() => {}
            () = self.expires() => {}
        }
    }

    /// A message goes out a little before its interval is over, so that it arrives within (R10.2.5-2).
    fn heartbeat_interval(&self) -> Option<Duration> {
        self.active.granted().delivery.heartbeat.map(|interval| interval.saturating_sub(interval / 10))
    }

    /// Returns when the subscription's time is over.
    async fn expires(&self) {
        let mut tick = self.hub.tick.subscribe();
        while !self.has_expired() {
            if tick.changed().await.is_err() {
                return;
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

/// Returns when the time has come, which for no time is never.
async fn reaches_if_any(hub: &Hub, time: Option<(DateTime<Utc>, Duration)>) {
    match time {
        Some((time, longest)) => reaches(hub, time, longest).await,
        None => std::future::pending().await,
    }
}
