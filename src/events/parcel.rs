//! What goes into one message: one event, or as many as a batch may hold.

use std::sync::Arc;

use super::{Delivery, Event, Mode};
use crate::store::subscriptions::Progress;
use crate::wire::Told;

/// The most events of a batch whose subscriber says nothing.
const USUAL_ELEMENTS: usize = 20;
/// Room that the envelope around the events may need, besides what the subscriber has copied into it.
const ENVELOPE: usize = 2048;

/// One thing of a message.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// An event.
    Event(Arc<Event>),
    /// An event that is too large is dropped in this place.
    Dropped,
    /// Events were dropped before; they are counted already.
    Lost,
}

/// A message to be.
#[derive(Clone, Debug, Default)]
pub(super) struct Parcel {
    /// What it tells; nothing is a heartbeat.
    pub(super) items: Vec<Item>,
    /// The sequence numbers of its first and of its last item.
    pub(super) span: (i64, i64),
    /// Everything up to here has been dealt with once it has arrived.
    pub(super) through: i64,
}

impl Parcel {
    /// Tells that events up to `cursor` were dropped.
    pub(super) fn of_loss(cursor: i64) -> Self {
        Self { items: vec![Item::Lost], span: (cursor, cursor), through: cursor }
    }

    pub(super) fn is_heartbeat(&self) -> bool {
        self.items.is_empty()
    }

    /// What it tells, `dropped` events having been dropped before.
    pub(super) fn told(&self, dropped: u64) -> impl Iterator<Item = Told<'_>> {
        self.items.iter().scan(dropped, |dropped, item| {
            *dropped = dropped.saturating_add(u64::from(matches!(item, Item::Dropped)));
            Some(match item {
                Item::Event(event) => Told::Event(event.xml()),
                Item::Dropped | Item::Lost => Told::Dropped(*dropped),
            })
        })
    }

    /// Notes its arrival in how far its subscription got.
    pub(super) fn arrived(&self, progress: &mut Progress) {
        // What the log gave up while it was under way was counted as dropped, but was not.
        let given_up = |item: &&Item| matches!(item, Item::Event(event) if event.sequence <= progress.cursor);
        let given_up = self.items.iter().filter(given_up).count() as u64;
        let dropped = self.items.iter().filter(|item| matches!(item, Item::Dropped)).count() as u64;
        progress.dropped = progress.dropped.saturating_sub(given_up).saturating_add(dropped);
        if self.items.iter().any(|item| !matches!(item, Item::Event(_))) {
            progress.dropped_told = progress.dropped;
        }
        progress.cursor = progress.cursor.max(self.through);
        (progress.failures, progress.failing_since, progress.next_attempt) = (0, None, None);
    }
}

/// What one message may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    elements: usize,
    octets: usize,
}

impl Room {
    /// The room for a subscription; `largest` is the service's own limit and `carried` what the headers take.
    pub(super) fn new(delivery: &Delivery, largest: usize, carried: usize) -> Self {
        let elements = match delivery.mode {
            Mode::Events => delivery.max_elements.unwrap_or(USUAL_ELEMENTS).max(1),
            _ => 1,
        };
        let octets = delivery.envelope.map_or(largest, |envelope| envelope.octets.min(largest));
        let octets = delivery.encoding().utf8_budget(octets);
        Self { elements, octets: octets.saturating_sub(ENVELOPE.saturating_add(carried)) }
    }

    /// Whether an event fits into a message of its own.
    pub(super) fn fits_alone(self, event: &Event) -> bool {
        Told::Event(event.xml()).octets() <= self.octets
    }
}

/// A parcel being packed.
#[derive(Debug)]
pub(super) struct Packing {
    room: Room,
    octets: usize,
    parcel: Parcel,
}

impl Packing {
    pub(super) fn new(room: Room, through: i64) -> Self {
        Self { room, octets: 0, parcel: Parcel { through, ..Parcel::default() } }
    }

    /// Packs an item; `false` if there is no room left for it.
    pub(super) fn add(&mut self, sequence: i64, item: Item) -> bool {
        let octets = match &item {
            Item::Event(event) => Told::Event(event.xml()).octets(),
            Item::Dropped | Item::Lost => Told::Dropped(0).octets(),
        };
        let all = self.octets.saturating_add(octets);
        if self.is_full() || (all > self.room.octets && !self.parcel.items.is_empty()) {
            return false;
        }
        if self.parcel.items.is_empty() {
            self.parcel.span.0 = sequence;
        }
        self.octets = all;
        self.parcel.items.push(item);
        (self.parcel.span.1, self.parcel.through) = (sequence, sequence);
        true
    }

    /// Notes that everything up to here is dealt with, though nothing of it is told.
    pub(super) fn pass(&mut self, sequence: i64) {
        self.parcel.through = sequence;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parcel.items.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.parcel.items.len() >= self.room.elements
    }

    pub(super) fn through(&self) -> i64 {
        self.parcel.through
    }

    pub(super) fn finish(self) -> Parcel {
        self.parcel
    }
}
