//! What the handle and the tasks of the delivery thread share.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::active::Active;
use super::delivery::Delivering;
use super::ending::{self, Ending};
use super::figures::Counts;
use super::ledger::Ledger;
use super::log::Log;
use super::rights::KnownRights;
use super::{Mode, Overflow, Settings, Subscription, retention};
use crate::access::{Audit, Users};
use crate::client::Client;
use crate::clock::SharedClock;
use crate::config::Live;
use crate::store::subscriptions;
use crate::store::{Store, StoreError};

pub(super) struct Hub {
    pub(super) store: Arc<Store>,
    pub(super) client: Live<Client>,
    pub(super) clock: SharedClock,
    pub(super) settings: Live<Settings>,
    pub(super) log: Arc<Log>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) rights: KnownRights,
    pub(super) audit: Audit,
    pub(super) counts: Counts,
    /// Tells those who wait for a time of the clock to look at it.
    pub(super) tick: watch::Sender<u64>,
    /// Tells everybody to come to an end.
    pub(super) stop: watch::Sender<bool>,
    /// Whether nobody waits any more for events to fetch.
    pub(super) answer: watch::Sender<bool>,
    /// How many deliveries run.
    pub(super) running: watch::Sender<usize>,
    /// Tells the sweeper that an expiry was set.
    pub(super) expiry_set: Notify,
    runtime: Handle,
    active: Mutex<HashMap<Uuid, Arc<Active>>>,
    /// Subscriptions that were in the store and not in memory when it was last looked.
    strangers: Mutex<HashSet<Uuid>>,
}

/// What a [`Hub`] is made of.
pub(super) struct Parts {
    pub(super) store: Arc<Store>,
    pub(super) client: Client,
    pub(super) clock: SharedClock,
    pub(super) settings: Settings,
    pub(super) log: Log,
    pub(super) users: Arc<Users>,
    pub(super) runtime: Handle,
}

impl Hub {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { store, client, clock, settings, log, users, runtime } = parts;
        Self {
            ledger: Arc::new(Ledger::new(Arc::clone(&store))),
            log: Arc::new(log),
            audit: users.audit().clone(),
            counts: Counts::default(),
            rights: KnownRights::new(users, clock.clone()),
            store,
            client: Live::new(client),
            clock,
            settings: Live::new(settings),
            tick: watch::Sender::new(0),
            stop: watch::Sender::new(false),
            answer: watch::Sender::new(false),
            running: watch::Sender::new(0),
            expiry_set: Notify::new(),
            runtime,
            active: Mutex::default(),
            strangers: Mutex::default(),
        }
    }

    /// Serves a subscription from where it got on.
    pub(super) fn serve(self: &Arc<Self>, active: Active) {
        let active = Arc::new(active);
        self.all_active().insert(active.id, Arc::clone(&active));
        self.expiry_set.notify_one();
        if active.granted().delivery.mode == Mode::Pull {
            return;
        }
        let delivery = Delivering::new(Arc::clone(self), active);
        self.running.send_modify(|n| *n += 1);
        let done = Running(Arc::clone(self));
        self.runtime.spawn(async move {
            delivery.run().await;
            drop(done);
        });
    }

    pub(super) fn find(&self, id: Uuid) -> Option<Arc<Active>> {
        self.all_active().get(&id).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Active>> {
        self.all_active().values().cloned().collect()
    }

    pub(super) fn is_wanted(&self) -> bool {
        !self.all_active().is_empty()
    }

    /// Ends a subscription of which its owner did not get rid.
    pub(super) async fn end(self: &Arc<Self>, id: Uuid, why: Ending) {
        let hub = Arc::clone(self);
        let ended = spawn_blocking(move || hub.end_blocking(id, why)).await;
        if let Ok(Err(error)) = ended {
            // It does not come back before the next start, and then fails the same way.
            tracing::error!(%error, subscription = %id, "the end of a subscription cannot be stored");
        }
    }

    /// The same, for where blocking is allowed; `false` if it had ended already.
    pub(super) fn end_blocking(self: &Arc<Self>, id: Uuid, why: Ending) -> Result<bool, StoreError> {
        let Some(active) = self.find(id) else { return Ok(false) };
        let ends = if why == Ending::Expired { active.expire(self.clock.now()) } else { active.end() };
        if ends {
            tracing::info!(subscription = %id, owner = %active.granted().owner.name, ?why, "a subscription ended");
            self.forget(id)?;
            let credentials = active.target.credentials.clone();
            self.runtime.spawn(ending::tell(Arc::clone(self), active.subscription(), credentials, why));
        }
        Ok(ends)
    }

    /// Tells the end of a subscription that is not served.
    pub(super) fn tell(self: &Arc<Self>, subscription: Subscription, why: Ending) {
        self.runtime.spawn(ending::tell(Arc::clone(self), subscription, None, why));
    }

    /// Takes an ended subscription out of memory and store.
    pub(super) fn forget(&self, id: Uuid) -> Result<(), StoreError> {
        self.all_active().remove(&id);
        self.store.write(|t| subscriptions::remove(t, id))?;
        Ok(())
    }

    /// Ends what has expired.
    pub(super) fn expire(self: &Arc<Self>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let expired: Vec<Uuid> = self.all().iter().filter(|a| a.state().has_expired(now)).map(|a| a.id).collect();
        expired.into_iter().try_for_each(|id| self.end_blocking(id, Ending::Expired).map(|_| ()))
    }

    /// Ends what has expired, writes down how far all got, trims the log, and has waiting deliveries look at the clock.
    pub(super) fn sweep(self: &Arc<Self>) -> Result<(), StoreError> {
        self.expire()?;
        self.ledger.write()?;
        retention::trim(&self.store, &self.settings.get(), self.clock.now(), |step| self.leave(step))?;
        self.tick.send_modify(|n| *n = n.wrapping_add(1));
        Ok(())
    }

    /// Sees that nobody waits for records up to `step` any more: who does ends or loses them, and is told of it.
    fn leave(self: &Arc<Self>, step: i64) -> Result<(), StoreError> {
        self.forget_strangers(step)?;
        let behind: Vec<_> = self.all().into_iter().filter(|active| active.progress().cursor < step).collect();
        if self.settings.get().overflow == Overflow::End {
            return behind.iter().try_for_each(|active| self.end_blocking(active.id, Ending::FellBehind).map(drop));
        }
        let Some(first) = behind.iter().map(|active| active.progress().cursor).min() else { return Ok(()) };
        let events = self.log.between(first, step)?;
        for active in behind {
            let progress = active.lose(&events, step);
            tracing::warn!(subscription = %active.id, dropped = progress.dropped, "events were dropped that a subscription waited for");
            self.ledger.note_lazily(&active);
        }
        self.ledger.write()
    }

    /// Removes what holds the log up and nobody serves: the end of a subscription that could not be stored. One that is just
    /// being made is in memory when it is looked the next time.
    fn forget_strangers(&self, step: i64) -> Result<(), StoreError> {
        let behind = self.store.read(|c| subscriptions::behind(c, step))?;
        let found: HashSet<Uuid> = behind.into_iter().filter(|id| self.find(*id).is_none()).collect();
        let known = {
            let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *strangers, found.clone())
        };
        known.intersection(&found).try_for_each(|id| {
            tracing::warn!(subscription = %id, "a subscription that had ended is removed from the store");
            self.forget(*id)
        })
    }

    fn all_active(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Active>>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a delivery that runs; counts it off however it ends.
struct Running(Arc<Hub>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.send_modify(|n| *n = n.saturating_sub(1));
    }
}
