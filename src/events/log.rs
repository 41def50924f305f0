//! The one log of events, shared by all subscriptions.
//!
//! The store's change records are the log. The latest of them are kept here, described once for everybody; a
//! subscription that is further behind reads the store itself.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::Describe;
use crate::cim::Instance;
use crate::store::changes::{self, ChangeRecord};
use crate::store::{Store, StoreError};
use crate::wire::indication_xml;

/// Something that happened.
#[derive(Debug)]
pub struct Event {
    /// The sequence number of its change record.
    pub sequence: i64,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// The indication that tells it; `None` if nobody is told.
    pub indication: Option<Instance>,
    /// The indication as it is sent, written once for everybody.
    xml: OnceLock<String>,
}

impl Event {
    /// The indication as it is sent; empty if nobody is told.
    pub fn xml(&self) -> &str {
        self.xml.get_or_init(|| self.indication.as_ref().map(indication_xml).unwrap_or_default())
    }

    fn new(record: &ChangeRecord, indication: Option<Instance>) -> Self {
        Self { sequence: record.sequence, time: record.time, indication, xml: OnceLock::new() }
    }

    /// Nothing is left between a cursor and the latest events: an event that tells nobody moves the cursor on.
    fn gap(sequence: i64) -> Self {
        Self { sequence, time: DateTime::UNIX_EPOCH, indication: None, xml: OnceLock::new() }
    }
}

/// How many described events are kept, and how many are read at once.
const KEPT: usize = 256;
const BATCH: u32 = 128;
const RETRY: Duration = Duration::from_secs(1);
/// How many who lag behind read the store at one time.
const LAGGARDS: usize = 2;

pub(super) struct Log {
    id: Uuid,
    store: Arc<Store>,
    describe: Arc<dyn Describe>,
    recent: Mutex<Recent>,
    /// Who lags behind reads the store a few at a time, so that nobody else waits for it.
    laggards: Semaphore,
    head: watch::Sender<i64>,
}

/// The latest events: all that are after `base`, up to and including `head`.
#[derive(Debug)]
struct Recent {
    base: i64,
    events: VecDeque<Arc<Event>>,
}

impl Log {
    pub(super) fn open(store: Arc<Store>, describe: Arc<dyn Describe>) -> Result<Self, StoreError> {
        let (id, head) = store.read(|c| Ok::<_, StoreError>((changes::log_id(c)?, changes::latest(c)?)))?;
        let recent = Mutex::new(Recent { base: head, events: VecDeque::with_capacity(KEPT) });
        Ok(Self { id, store, describe, recent, laggards: Semaphore::new(LAGGARDS), head: watch::Sender::new(head) })
    }

    /// Its name, which bookmarks carry.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// The sequence number of the latest event there is.
    pub(super) fn latest(&self) -> i64 {
        *self.store.watch_changes().borrow()
    }

    /// The events after one sequence number up to and including another. Blocks.
    pub(super) fn between(&self, after: i64, through: i64) -> Result<Vec<Event>, StoreError> {
        let (mut events, mut cursor) = (Vec::new(), after);
        while cursor < through {
            let records = self.store.read(|c| changes::after(c, cursor, BATCH))?;
            let Some(last) = records.last() else { break };
            cursor = last.sequence;
            events.extend(records.iter().filter(|record| record.sequence <= through).map(|record| self.event(record)));
        }
        Ok(events)
    }

    /// Follows the store for ever. `wanted` tells whether anybody listens; while nobody does, nothing is described.
    pub(super) async fn follow(self: Arc<Self>, wanted: impl Fn() -> bool) {
        let mut changes = self.store.watch_changes();
        loop {
            let latest = *changes.borrow_and_update();
            if let Err(error) = self.catch_up(latest, wanted()).await {
                tracing::error!(%error, "the log of events cannot be read");
                tokio::time::sleep(RETRY).await;
                continue;
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    async fn catch_up(self: &Arc<Self>, latest: i64, wanted: bool) -> Result<(), StoreError> {
        if !wanted {
            self.skip_to(latest);
            return Ok(());
        }
        loop {
            let head = *self.head.borrow();
            let events = self.read(head).await?;
            let Some(last) = events.last() else { return Ok(()) };
            let reached = last.sequence;
            self.keep(events);
            self.head.send_replace(reached);
        }
    }

    /// Events after `cursor`, oldest first; waits until there are some. They end where the next call should go on.
    pub(super) async fn after(self: &Arc<Self>, cursor: i64) -> Vec<Arc<Event>> {
        let mut head = self.head.subscribe();
        loop {
            head.borrow_and_update();
            match self.recent_after(cursor) {
                Ok(events) if !events.is_empty() => return events,
                Ok(_) => {
                    if head.changed().await.is_err() {
                        return Vec::new();
                    }
                }
                Err(base) => match self.read_behind(cursor).await {
                    Ok(events) if !events.is_empty() => return events,
                    Ok(_) => return vec![Arc::new(Event::gap(base))],
                    Err(error) => {
                        tracing::error!(%error, "the log of events cannot be read");
                        tokio::time::sleep(RETRY).await;
                    }
                },
            }
        }
    }

    /// Events after `cursor`, oldest first, that are there already, be it in the store alone.
    pub(super) async fn present_after(self: &Arc<Self>, cursor: i64) -> Vec<Arc<Event>> {
        match self.recent_after(cursor) {
            Ok(events) if !events.is_empty() => events,
            _ => self.read_behind(cursor).await.unwrap_or_else(|error| {
                tracing::error!(%error, "the log of events cannot be read");
                Vec::new()
            }),
        }
    }

    /// The error is where the latest events begin, if that is after the cursor.
    fn recent_after(&self, cursor: i64) -> Result<Vec<Arc<Event>>, i64> {
        let recent = self.recent();
        if cursor < recent.base {
            return Err(recent.base);
        }
        let start = recent.events.partition_point(|e| e.sequence <= cursor);
        Ok(recent.events.range(start..).take(BATCH as usize).cloned().collect())
    }

    fn keep(&self, events: Vec<Arc<Event>>) {
        let mut recent = self.recent();
        for event in events {
            if recent.events.len() == KEPT
                && let Some(oldest) = recent.events.pop_front()
            {
                recent.base = oldest.sequence;
            }
            recent.events.push_back(event);
        }
    }

    fn skip_to(&self, latest: i64) {
        let mut recent = self.recent();
        recent.events.clear();
        recent.base = latest;
        drop(recent);
        self.head.send_replace(latest);
    }

    async fn read_behind(self: &Arc<Self>, cursor: i64) -> Result<Vec<Arc<Event>>, StoreError> {
        // It is never closed.
        let _turn = self.laggards.acquire().await;
        self.read(cursor).await
    }

    async fn read(self: &Arc<Self>, cursor: i64) -> Result<Vec<Arc<Event>>, StoreError> {
        let log = Arc::clone(self);
        let read = spawn_blocking(move || {
            let records = log.store.read(|c| changes::after(c, cursor, BATCH))?;
            Ok(records.into_iter().map(|r| Arc::new(log.event(&r))).collect())
        });
        let failed = |e| StoreError::damaged("change_record", format!("reading broke down: {e}"));
        read.await.unwrap_or_else(|e| Err(failed(e)))
    }

    fn event(&self, record: &ChangeRecord) -> Event {
        let described = catch_unwind(AssertUnwindSafe(|| self.describe.describe(record)));
        let indication = described.unwrap_or_else(|_| Err("describing it broke down".into())).unwrap_or_else(|error| {
            // Trying again would give the same and hold up every event after it.
            tracing::error!(
                error,
                sequence = record.sequence,
                subject = record.subject,
                "a change cannot be described"
            );
            None
        });
        Event::new(record, indication)
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
