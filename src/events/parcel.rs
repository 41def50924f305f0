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
    /// The event of this sequence number is too large and dropped in this place.
    Dropped(i64),
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
    /// How many events had been dropped when it was packed.
    pub(super) dropped: u64,
}

impl Parcel {
    /// Tells what was dropped so far.
    pub(super) fn of_loss(progress: &Progress) -> Self {
        let cursor = progress.cursor;
        Self { items: vec![Item::Lost], span: (cursor, cursor), through: cursor, dropped: progress.dropped }
    }

    pub(super) fn is_heartbeat(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether more than one thing is told, so that its end depends on when it was packed.
    pub(super) fn is_batch(&self) -> bool {
        self.items.len() > 1
    }

    /// What it tells.
    pub(super) fn told(&self) -> impl Iterator<Item = Told<'_>> {
        self.items.iter().scan(self.dropped, |dropped, item| {
            *dropped = dropped.saturating_add(u64::from(matches!(item, Item::Dropped(_))));
            Some(match item {
                Item::Event(event) => Told::Event(event.xml()),
                Item::Dropped(_) | Item::Lost => Told::Dropped(*dropped),
            })
        })
    }

    /// Of how many dropped events it tells in all; `None` if it tells of none.
    pub(super) fn tells_dropped(&self) -> Option<u64> {
        let totals = self.told().filter_map(|told| if let Told::Dropped(total) = told { Some(total) } else { None });
        totals.last()
    }

    /// Notes its arrival in how far its subscription got.
    pub(super) fn arrived(&self, progress: &mut Progress) {
        for item in &self.items {
            match item {
                // What the log gave up while it was under way was counted as dropped, but was not.
                Item::Event(event) if event.sequence <= progress.cursor => {
                    progress.dropped = progress.dropped.saturating_sub(1);
                }
                Item::Dropped(sequence) if *sequence > progress.cursor => {
                    progress.dropped = progress.dropped.saturating_add(1);
                }
                _ => {}
            }
        }
        if let Some(told) = self.tells_dropped() {
            progress.dropped_told = progress.dropped_told.max(told);
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
    /// Where the batch ended that may have arrived before the service was restarted.
    ends: Option<i64>,
}

impl Packing {
    pub(super) fn new(room: Room, progress: &Progress) -> Self {
        let parcel = Parcel { through: progress.cursor, dropped: progress.dropped, ..Parcel::default() };
        let ends = Some(progress.attempted).filter(|attempted| *attempted > progress.cursor);
        Self { room, octets: 0, parcel, ends }
    }

    /// Packs an item; `false` if there is no room left for it.
    pub(super) fn add(&mut self, sequence: i64, item: Item) -> bool {
        let octets = match &item {
            Item::Event(event) => Told::Event(event.xml()).octets(),
            Item::Dropped(_) | Item::Lost => Told::Dropped(0).octets(),
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

    /// Whether an event is beyond the batch that is made again: with it, it would be another one.
    pub(super) fn is_beyond(&self, sequence: i64) -> bool {
        self.ends.is_some_and(|end| sequence > end) && !self.is_empty()
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
