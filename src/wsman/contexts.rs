//! Enumeration contexts: where clients are in their enumerations (DSP0226 8.1).
//!
//! A context belongs to the user and the resource it was opened for, ends after a while of not being used, and costs the
//! memory of a cursor: its items are made when they are pulled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::clock::SharedClock;
use crate::config::Live;
use crate::soap::{Fault, FaultKind};
use crate::wire::SelectorSet;
use crate::wire::enumeration::context_fault;
use crate::wire::names::WSMAN;
use crate::xml::element;

/// What an enumeration is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// The resource URI.
    pub(super) uri: Arc<str>,
    /// The CIM namespace; `None` if a later request leaves it out.
    pub(super) namespace: Option<Arc<str>>,
    /// What else selects it.
    pub(super) selectors: SelectorSet,
}

impl Resource {
    /// Whether a later request is about the same. Clients are known that repeat the URI and no selectors; those that are
    /// repeated are the same.
    fn is_repeated_by(&self, later: &Self) -> bool {
        self.uri == later.uri
            && (later.namespace.is_none() || later.namespace == self.namespace)
            && later.selectors.keys().all(|given| self.selectors.get(&given.name) == Some(&given.value))
    }
}

/// How many contexts there may be and how long they stay unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextLimits {
    /// Contexts of all users together.
    pub total: usize,
    /// Contexts of one user.
    pub per_user: usize,
    /// How long a context stays that nobody pulls from.
    pub idle: TimeDelta,
}

/// The open contexts. `C` is the rest of an enumeration.
#[derive(Debug)]
pub(super) struct Contexts<C> {
    limits: Live<ContextLimits>,
    clock: SharedClock,
    open: Mutex<HashMap<Uuid, Entry<C>>>,
}

#[derive(Debug)]
struct Entry<C> {
    owner: Arc<str>,
    resource: Resource,
    /// When the context ends if nobody pulls and the client did not say.
    ends: DateTime<Utc>,
    /// When it ends because the client said so.
    expires: Option<DateTime<Utc>>,
    /// `None` while a pull is at work on it.
    cursor: Option<C>,
}

impl From<ContextError> for Fault {
    fn from(error: ContextError) -> Self {
        let (kind, reason) = match error {
            ContextError::TooMany => (
                FaultKind::QuotaLimit,
                "too many enumerations are open; pull them to their end or release them before you open another",
            ),
            ContextError::Unknown => return context_fault(),
            ContextError::OtherResource => {
                let reason = "repeat the ResourceURI of the Enumerate request with every Pull and Release, and no other \
                              selectors than it had";
                return Self::new(FaultKind::MessageInformationHeaderRequired, reason)
                    .with_element(element(WSMAN, "ResourceURI"));
            }
            ContextError::Busy => {
                (FaultKind::Concurrency, "another Pull of this enumeration context is under way; wait for its reply")
            }
        };
        Self::new(kind, reason)
    }
}

/// The rest of an enumeration while a pull is at work on it. However the pull ends, the rest goes back, unless it is at
/// its end.
#[derive(Debug)]
pub(super) struct Taken<C> {
    contexts: Arc<Contexts<C>>,
    id: Uuid,
    /// `None` only while this goes.
    cursor: Option<C>,
}

impl<C> Taken<C> {
    /// The rest.
    pub(super) fn cursor(&mut self) -> Option<&mut C> {
        self.cursor.as_mut()
    }

    /// Ends the context: nothing is left.
    pub(super) fn end(mut self) {
        self.cursor = None;
        self.contexts.close(self.id);
    }
}

impl<C> Drop for Taken<C> {
    fn drop(&mut self) {
        if let Some(cursor) = self.cursor.take() {
            self.contexts.put(self.id, cursor);
        }
    }
}

/// Why a context cannot be opened or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContextError {
    /// Too many are open.
    TooMany,
    /// There is none of that name, or it ended, or it is another user's.
    Unknown,
    /// It was opened for another resource.
    OtherResource,
    /// Another pull of the same context is under way.
    Busy,
}

impl<C> Contexts<C> {
    pub(super) fn new(limits: ContextLimits, clock: SharedClock) -> Self {
        Self { limits: Live::new(limits), clock, open: Mutex::new(HashMap::new()) }
    }

    /// Has these limits hold from now on; those that are open stay.
    pub(super) fn limit(&self, limits: ContextLimits) {
        self.limits.replace(limits);
    }

    /// How many are open; those whose time is over and that nobody has come for are among them.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Opens a context.
    pub(super) fn open(
        &self,
        owner: &Arc<str>,
        resource: Resource,
        expires: Option<DateTime<Utc>>,
        cursor: C,
    ) -> Result<Uuid, ContextError> {
        let now = self.clock.now();
        let mut open = self.lock();
        // A cursor keeps the snapshot alive that it walks over, so what has ended goes as soon as anybody comes.
        open.retain(|_, entry| entry.cursor.is_none() || !entry.has_ended(now));
        if open.len() >= self.limits.get().total || count(&open, owner) >= self.limits.get().per_user {
            return Err(ContextError::TooMany);
        }
        let id = Uuid::new_v4();
        let entry =
            Entry { owner: owner.clone(), resource, ends: now + self.limits.get().idle, expires, cursor: Some(cursor) };
        open.insert(id, entry);
        Ok(id)
    }

    /// Takes the rest of an enumeration to pull from it. It comes back when the [`Taken`] goes.
    pub(super) fn take(self: &Arc<Self>, id: Uuid, owner: &str, resource: &Resource) -> Result<Taken<C>, ContextError> {
        let now = self.clock.now();
        let mut open = self.lock();
        let entry = open.get_mut(&id).filter(|entry| *entry.owner == *owner).ok_or(ContextError::Unknown)?;
        if entry.cursor.is_some() && entry.has_ended(now) {
            open.remove(&id);
            return Err(ContextError::Unknown);
        }
        if !entry.resource.is_repeated_by(resource) {
            return Err(ContextError::OtherResource);
        }
        let cursor = entry.cursor.take().ok_or(ContextError::Busy)?;
        Ok(Taken { contexts: self.clone(), id, cursor: Some(cursor) })
    }

    /// Gives the rest back after a pull. A Release may have come meanwhile; then there is nothing to give back to.
    fn put(&self, id: Uuid, cursor: C) {
        let ends = self.clock.now() + self.limits.get().idle;
        if let Some(entry) = self.lock().get_mut(&id) {
            entry.cursor = Some(cursor);
            entry.ends = ends;
        }
    }

    /// Ends a context.
    fn close(&self, id: Uuid) {
        self.lock().remove(&id);
    }

    /// Ends a context at its owner's wish.
    pub(super) fn release(self: &Arc<Self>, id: Uuid, owner: &str, resource: &Resource) -> Result<(), ContextError> {
        match self.take(id, owner, resource) {
            Ok(taken) => taken.end(),
            // Whoever pulls from it now finds it gone when he gives it back.
            Err(ContextError::Busy) => self.close(id),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Entry<C>>> {
        // Nothing is half-done when a thread panics with this lock held.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count<C>(open: &HashMap<Uuid, Entry<C>>, owner: &str) -> usize {
    open.values().filter(|entry| *entry.owner == *owner).count()
}

impl<C> Entry<C> {
    fn has_ended(&self, now: DateTime<Utc>) -> bool {
        self.expires.unwrap_or(self.ends) <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, SystemClock};

    fn resource(uri: &str) -> Resource {
        Resource { uri: uri.into(), namespace: Some("root/cimv2".into()), selectors: SelectorSet::default() }
    }

    #[test]
    fn a_resource_is_repeated_with_its_selectors_or_without() {
        let of_class =
            |name: &str| Resource { selectors: SelectorSet::default().with("ClassName", name), ..resource("r") };
        let opened = of_class("CIM_Job");
        assert!(opened.is_repeated_by(&opened) && opened.is_repeated_by(&resource("r")));
        assert!(opened.is_repeated_by(&Resource { namespace: None, ..resource("r") }));
        assert!(!opened.is_repeated_by(&of_class("CIM_Error")));
        assert!(!resource("r").is_repeated_by(&opened));
        assert!(!opened.is_repeated_by(&Resource { namespace: Some("root/interop".into()), ..resource("r") }));
    }

    fn limits() -> ContextLimits {
        ContextLimits { total: 3, per_user: 2, idle: TimeDelta::minutes(10) }
    }

    #[test]
    fn a_context_belongs_to_its_user_and_resource() {
        let contexts = Arc::new(Contexts::new(limits(), Arc::new(SystemClock)));
        let ann: Arc<str> = "ann".into();
        let id = contexts.open(&ann, resource("r"), None, ()).unwrap();
        assert_eq!(contexts.take(id, "bob", &resource("r")).unwrap_err(), ContextError::Unknown);
        assert_eq!(contexts.take(id, "ann", &resource("q")).unwrap_err(), ContextError::OtherResource);
        let taken = contexts.take(id, "ann", &resource("r")).unwrap();
        assert_eq!(contexts.take(id, "ann", &resource("r")).unwrap_err(), ContextError::Busy);
        drop(taken);
        contexts.release(id, "ann", &resource("r")).unwrap();
        assert_eq!(contexts.take(id, "ann", &resource("r")).unwrap_err(), ContextError::Unknown);
    }

    #[test]
    fn what_an_ended_context_held_is_given_up_when_another_is_opened() {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let contexts = Arc::new(Contexts::new(limits(), clock.clone()));
        let snapshot = Arc::new(());
        contexts.open(&"ann".into(), resource("r"), None, snapshot.clone()).unwrap();
        assert_eq!(Arc::strong_count(&snapshot), 2);
        clock.advance(TimeDelta::minutes(11));
        contexts.open(&"bob".into(), resource("r"), None, Arc::new(())).unwrap();
        assert_eq!(Arc::strong_count(&snapshot), 1);
    }

    #[test]
    fn contexts_are_counted_and_end_unused() {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let contexts = Arc::new(Contexts::new(limits(), clock.clone()));
        let (ann, bob): (Arc<str>, Arc<str>) = ("ann".into(), "bob".into());
        let first = contexts.open(&ann, resource("r"), None, ()).unwrap();
        contexts.open(&ann, resource("r"), None, ()).unwrap();
        assert_eq!(contexts.open(&ann, resource("r"), None, ()).unwrap_err(), ContextError::TooMany);
        contexts.open(&bob, resource("r"), None, ()).unwrap();
        assert_eq!(contexts.open(&bob, resource("r"), None, ()).unwrap_err(), ContextError::TooMany);
        clock.advance(TimeDelta::minutes(11));
        assert_eq!(contexts.take(first, "ann", &resource("r")).unwrap_err(), ContextError::Unknown);
        assert!(contexts.open(&bob, resource("r"), None, ()).is_ok());
    }
}
