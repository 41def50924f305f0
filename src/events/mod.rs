//! Events: the log, subscriptions, cursors, filters, delivery.
//!
//! The store's change records are the one log; a subscription is a filter, a cursor into it and a sink, never a copy of
//! events. What a change means is told by [`Describe`], which this room owns and others implement. Events arrive in order and
//! at least once; those that arrive again after a crash have the MessageID they had.

mod active;
mod audited;
mod bookmark;
mod delivery;
mod destinations;
mod ending;
mod error;
mod figures;
mod filter;
mod hub;
mod indication_filters;
mod ledger;
mod log;
mod made_of;
mod message;
mod mode;
mod parcel;
mod pull;
mod queue;
mod retention;
mod rights;
mod security;
mod settings;
mod subscription;
mod thread;
mod waiting;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::access::{Audit, Caller, Made, Role, Users};
use crate::cim::{Instance, Interval, Schema};
use crate::client::{Client, Url};
use crate::clock::SharedClock;
use crate::soap::EndpointReference;
use crate::store::changes::ChangeRecord;
use crate::store::subscriptions::{self as rows, SubscriptionRow};
use crate::store::{Store, StoreError, changes};
use crate::wire::SinkSecurity;

use active::{Active, Target};
use audited::{change_of, made, subscribes};
use ending::Ending;
use filter::Filter;
use hub::{Hub, Parts};

pub use bookmark::{Bookmark, BookmarkError, Place};
pub use destinations::{DestinationError, Destinations, ListenerDestination};
pub use error::{ManageError, OpenError, PullError, QuotaOf, SubscribeError};
pub use figures::EventFigures;
pub use indication_filters::{FilterError, IndicationFilter, IndicationFilters};
pub use log::Event;
pub use made_of::{MadeOf, NamedFilter};
pub use mode::{Delivery, EnvelopeLimit, Mode, Oversize, Retry};
pub use pull::{PullContext, Pulled};
pub use queue::Queue;
pub use settings::{Overflow, Settings};
pub use subscription::{Expiry, NewSubscription, Subscription};

/// Turns changes into indications.
pub trait Describe: Send + Sync {
    /// The indication that tells of the change, for example a `CIM_InstModification` with SourceInstance and
    /// PreviousInstance; `None` if nobody is told. An error is logged and the change passed over.
    fn describe(&self, change: &ChangeRecord) -> Result<Option<Instance>, Box<dyn std::error::Error + Send + Sync>>;
}

/// The longest endpoint reference as XML, in octets.
const MAX_REFERENCE: usize = 32 * 1024;

/// Subscriptions and their delivery, which goes on in a thread of its own until this value is dropped.
///
/// All methods block on the store: call them off the event loop.
pub struct Events {
    hub: Arc<Hub>,
    schema: Arc<Schema>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    /// Takes up all subscriptions where they were left, and begins to deliver.
    pub fn open(
        store: Arc<Store>,
        schema: Arc<Schema>,
        describe: Arc<dyn Describe>,
        users: Arc<Users>,
        client: Client,
        clock: SharedClock,
        settings: Settings,
    ) -> Result<Arc<Self>, OpenError> {
        let runtime = thread::runtime()?;
        let log = log::Log::open(Arc::clone(&store), describe)?;
        let found = store.read(rows::all)?;
        let parts = Parts { store, client, clock, settings, log, users, runtime: runtime.handle().clone() };
        let hub = Arc::new(Hub::new(parts));
        for row in found {
            resume(&hub, &schema, &row)?;
        }
        let in_thread = Arc::clone(&hub);
        let thread =
            std::thread::Builder::new().name("events".to_owned()).spawn(move || thread::run(&runtime, &in_thread))?;
        Ok(Arc::new(Self { hub, schema, thread: Mutex::new(Some(thread)) }))
    }

    /// Makes a subscription. It hears of everything that is stored after this call returns.
    pub fn subscribe(&self, new: NewSubscription) -> Result<Subscription, SubscribeError> {
        let owner = new.owner.clone();
        self.audit().change(&owner, &subscribes(&new), || self.make(new, None), made)
    }

    /// Makes a subscription of a filter and a destination that were there before; it tells which.
    pub fn subscribe_with(
        &self,
        owner: &Caller,
        filter: NamedFilter,
        destination: &ListenerDestination,
        lasting: Option<Interval>,
    ) -> Result<Subscription, SubscribeError> {
        let (new, made_of) = made_of::asked(owner, filter, destination, lasting);
        self.audit().change(owner, &subscribes(&new), || self.make(new, Some(made_of)), made)
    }

    fn make(&self, new: NewSubscription, made_of: Option<MadeOf>) -> Result<Subscription, SubscribeError> {
        let filter = self.filter(&new)?;
        let url = self.sink(&new)?;
        let credentials = match &url {
            Some(url) => security::check_identity(&self.hub.client.get(), &new.security)
                .and_then(|()| security::credentials(url, &new.security)),
            None => Ok(None),
        };
        let credentials = credentials.map_err(|error| SubscribeError::NotifyTo(error.to_string()))?;
        let now = self.hub.clock.now();
        let expires =
            self.hub.settings.get().grant(new.expires, now).map_err(|_| SubscribeError::InvalidExpirationTime)?;
        let id = Uuid::new_v4();
        let (address, resource_uri) = &new.asked_at;
        let subscription = Subscription {
            id,
            owner: new.owner,
            class: new.class,
            filter: new.filter,
            delivery: new.delivery,
            notify_to: new.notify_to,
            end_to: new.end_to,
            manager: EndpointReference::to_subscription(address, resource_uri, &id.hyphenated().to_string()),
            auth: new.security.profile,
            made_of,
            created: now,
            expires,
        };
        let progress = self.store(&subscription, &new.security, new.bookmark)?;
        self.hub.serve(Active::new(subscription.clone(), Target { url, credentials }, filter, progress));
        Ok(subscription)
    }

    /// Sets when a subscription ends and gives that time; `None` is never.
    pub fn renew(
        &self,
        id: Uuid,
        caller: &Caller,
        expires: Option<Expiry>,
    ) -> Result<Option<DateTime<Utc>>, ManageError> {
        let renew = || {
            let active = self.owned(id, caller)?;
            let expires = self.hub.settings.get().grant(expires, self.hub.clock.now());
            let expires = expires.map_err(|_| ManageError::InvalidExpirationTime)?;
            let stored = self.hub.store.write::<_, StoreError>(|t| rows::set_expiry(t, id, expires))?;
            if !stored || !active.renew(expires) {
                return Err(ManageError::NotFound);
            }
            self.hub.expiry_set.notify_one();
            Ok(expires)
        };
        self.audit().change(caller, &change_of(id, "Renew"), renew, |_| Made::default())
    }

    /// A subscription of the caller's, or anybody's for an admin.
    pub fn status(&self, id: Uuid, caller: &Caller) -> Result<Subscription, ManageError> {
        self.owned(id, caller).map(|active| active.subscription())
    }

    /// Ends a subscription. If it is another's, the subscriber is told.
    pub fn unsubscribe(&self, id: Uuid, caller: &Caller) -> Result<(), ManageError> {
        let end = || {
            let active = self.owned(id, caller)?;
            if active.granted().owner.name != caller.name {
                let ended = self.hub.end_blocking(id, Ending::Cancelled)?;
                return if ended { Ok(()) } else { Err(ManageError::NotFound) };
            }
            if !active.end() {
                return Err(ManageError::NotFound);
            }
            Ok(self.hub.forget(id)?)
        };
        self.audit().change(caller, &change_of(id, "Unsubscribe"), end, |()| Made::default())
    }

    /// A subscription, if it has not ended. Answers from memory.
    pub fn subscription(&self, id: Uuid) -> Option<Subscription> {
        self.living(id).map(|active| active.subscription())
    }

    /// How events are kept and delivered.
    pub fn settings(&self) -> Arc<Settings> {
        self.hub.settings.get()
    }

    /// Has these settings hold from now on, and messages sent by this client; what is under way is not disturbed. Subscriptions
    /// that are there stay, also where there are more than may be.
    pub fn take(&self, settings: Settings, client: Client) {
        self.hub.client.replace(client);
        self.hub.settings.replace(settings);
    }

    /// Whether events may be sent to this URL; an error says why not.
    pub fn check_address(&self, url: &str) -> Result<(), String> {
        self.endpoint(&EndpointReference::new(url)).map(drop)
    }

    /// All subscriptions, oldest first. Answers from memory.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        let now = self.hub.clock.now();
        let all = self.hub.all();
        let mut all: Vec<Subscription> =
            all.iter().filter(|a| !a.state().has_expired(now)).map(|a| a.subscription()).collect();
        all.sort_by_key(|s| (s.created, s.id));
        all
    }

    /// What waits for a subscription, and how its deliveries go. Answers from memory.
    pub fn queue(&self, id: Uuid) -> Option<Queue> {
        let active = self.hub.find(id)?;
        let progress = active.progress();
        Some(Queue {
            behind: u64::try_from(self.hub.log.latest().saturating_sub(progress.cursor)).unwrap_or_default(),
            failures: progress.failures,
            failure: active.failure().filter(|_| progress.failures > 0),
            failing_since: progress.failing_since,
            next_attempt: progress.next_attempt,
            dropped: progress.dropped,
        })
    }

    /// One step of the house-keeping that else runs by itself: ends what has expired, writes down how far all
    /// subscriptions got, trims the log, and has deliveries that wait for a time look at the clock.
    pub fn sweep(&self) -> Result<(), StoreError> {
        self.hub.sweep()
    }

    /// Has those who wait for events to fetch answered with what there is, from now on: the service is about to stop.
    pub fn answer_waiting(&self) {
        self.hub.answer.send_replace(true);
    }

    /// Stops delivering, within [`Settings::stop_grace`]. What was not delivered is delivered after the next start.
    pub fn stop(&self) {
        self.answer_waiting();
        self.hub.stop.send_replace(true);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread for delivering events broke down");
        }
    }

    fn audit(&self) -> &Audit {
        &self.hub.audit
    }

    fn filter(&self, new: &NewSubscription) -> Result<Filter, SubscribeError> {
        let filter = new.filter.as_ref().map(|(language, text)| (*language, text.as_str()));
        Filter::compile(&self.schema, new.class.as_deref(), filter)
    }

    /// Where events go, if they are sent; everything that is to be sent to can be.
    fn sink(&self, new: &NewSubscription) -> Result<Option<Url>, SubscribeError> {
        if let Some(end_to) = &new.end_to {
            self.endpoint(end_to).map_err(SubscribeError::EndTo)?;
        }
        match (&new.notify_to, new.delivery.mode) {
            (_, Mode::Pull) => Ok(None),
            (Some(to), _) => self.endpoint(to).map(Some).map_err(SubscribeError::NotifyTo),
            (None, _) => Err(SubscribeError::NotifyTo("there is none".to_owned())),
        }
    }

    fn endpoint(&self, endpoint: &EndpointReference) -> Result<Url, String> {
        let url = Url::parse(&endpoint.address).map_err(|e| e.to_string())?;
        if message::store_reference(endpoint).len() > MAX_REFERENCE {
            return Err(format!("it is longer than {MAX_REFERENCE} octets"));
        }
        self.hub.client.get().check(&url).map_err(|e| e.to_string())?;
        Ok(url)
    }

    /// Stores a subscription with its cursor at the bookmark, or at the latest record of that moment.
    fn store(
        &self,
        subscription: &Subscription,
        security: &SinkSecurity,
        bookmark: Option<Bookmark>,
    ) -> Result<rows::Progress, SubscribeError> {
        let settings = self.hub.settings.get();
        let sealed = security::seal(settings.sealing_key.as_deref(), security, &subscription.id.to_string());
        let sealed = sealed.map_err(|error| SubscribeError::Security(error.into()))?;
        self.hub.store.write(|t| {
            let (owned, all) = rows::count(t, &subscription.owner.name)?;
            if owned >= settings.max_per_owner {
                return Err(SubscribeError::Quota { limit: settings.max_per_owner, whose: QuotaOf::Owner });
            }
            if all >= settings.max_subscriptions {
                return Err(SubscribeError::Quota { limit: settings.max_subscriptions, whose: QuotaOf::All });
            }
            let cursor = match bookmark {
                Some(bookmark) => bookmark.cursor(t)??,
                None => changes::latest(t)?,
            };
            let row = SubscriptionRow { security: sealed, ..subscription.to_row(cursor) };
            rows::insert(t, &row)?;
            Ok(row.progress)
        })
    }

    fn living(&self, id: Uuid) -> Option<Arc<Active>> {
        let now = self.hub.clock.now();
        self.hub.find(id).filter(|active| !active.state().ended && !active.state().has_expired(now))
    }

    /// The subscription, if the caller may handle it.
    fn owned(&self, id: Uuid, caller: &Caller) -> Result<Arc<Active>, ManageError> {
        let active = self.living(id).ok_or(ManageError::NotFound)?;
        if caller.role < Role::Admin && caller.name != active.granted().owner.name {
            return Err(ManageError::NotYours);
        }
        Ok(active)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Serves a stored subscription again. One that this version cannot serve is ended: its owner finds out when it renews.
fn resume(hub: &Arc<Hub>, schema: &Schema, row: &SubscriptionRow) -> Result<(), StoreError> {
    match revive(hub, schema, row) {
        Ok(active) => hub.serve(active),
        Err(error) => {
            tracing::error!(error, subscription = %row.id, "a stored subscription cannot be served and is ended");
            hub.forget(row.id)?;
            if let Ok(subscription) = Subscription::from_row(row) {
                hub.tell(subscription, Ending::CannotBeServed);
            }
        }
    }
    Ok(())
}

fn revive(hub: &Hub, schema: &Schema, row: &SubscriptionRow) -> Result<Active, Box<dyn std::error::Error>> {
    let mut subscription = Subscription::from_row(row)?;
    let filter = subscription.filter.as_ref().map(|(language, text)| (*language, text.as_str()));
    let filter = Filter::compile(schema, subscription.class.as_deref(), filter)?;
    let settings = hub.settings.get();
    let security = security::open(settings.sealing_key.as_deref(), row.security.as_deref(), &row.id.to_string())?;
    subscription.auth = security.profile;
    let url = subscription.url()?;
    let credentials = match &url {
        Some(url) => security::credentials(url, &security)?,
        None => None,
    };
    // While the service was down nobody tried the sink.
    let failing_since = row.progress.failing_since.map(|_| hub.clock.now());
    let progress = rows::Progress { failing_since, ..row.progress };
    Ok(Active::new(subscription, Target { url, credentials }, filter, progress))
}
