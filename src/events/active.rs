//! A subscription that is being served.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use super::filter::Filter;
use super::{Event, Subscription};
use crate::client::{SinkCredentials, Url};
use crate::store::subscriptions::Progress;

/// What never changes of a subscription, and the state that does.
pub(super) struct Active {
    pub(super) id: Uuid,
    pub(super) target: Target,
    pub(super) filter: Filter,
    granted: Subscription,
    state: watch::Sender<State>,
    progress: Mutex<Progress>,
    failure: Mutex<Option<Arc<str>>>,
}

/// Where events go, and as whom.
pub(super) struct Target {
    /// `None` if the subscriber fetches them.
    pub(super) url: Option<Url>,
    pub(super) credentials: Option<Arc<SinkCredentials>>,
}

/// What changes of a subscription.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) expires: Option<DateTime<Utc>>,
    pub(super) ended: bool,
}

impl State {
    pub(super) fn has_expired(self, now: DateTime<Utc>) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

impl Active {
    pub(super) fn new(granted: Subscription, target: Target, filter: Filter, progress: Progress) -> Self {
        let state = watch::Sender::new(State { expires: granted.expires, ended: false });
        Self {
            id: granted.id,
            target,
            filter,
            granted,
            state,
            progress: Mutex::new(progress),
            failure: Mutex::default(),
        }
    }

    /// Why the last delivery failed that did, as far as this process tried.
    pub(super) fn failure(&self) -> Option<Arc<str>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps why a delivery failed.
    pub(super) fn note_failure(&self, reason: &str) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.into());
    }

    /// How far it got.
    pub(super) fn progress(&self) -> Progress {
        self.advance(|_| {})
    }

    /// Changes how far it got, and gives that.
    pub(super) fn advance(&self, change: impl FnOnce(&mut Progress)) -> Progress {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut progress);
        *progress
    }

    /// Passes what the log gives up, up to `step`, and counts the events among it that are wanted as dropped.
    pub(super) fn lose(&self, events: &[Event], step: i64) -> Progress {
        let wanted = |event: &&Event| event.indication.as_ref().is_some_and(|i| self.filter.matches(i));
        self.advance(|progress| {
            let lost = events.iter().filter(|event| event.sequence > progress.cursor).filter(wanted).count() as u64;
            progress.dropped = progress.dropped.saturating_add(lost);
            progress.cursor = progress.cursor.max(step);
        })
    }

    /// The subscription as it is now.
    pub(super) fn subscription(&self) -> Subscription {
        Subscription { expires: self.state().expires, ..self.granted.clone() }
    }

    pub(super) fn granted(&self) -> &Subscription {
        &self.granted
    }

    pub(super) fn state(&self) -> State {
        *self.state.borrow()
    }

    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Sets when it ends; `false` if it has ended.
    pub(super) fn renew(&self, expires: Option<DateTime<Utc>>) -> bool {
        self.state.send_if_modified(|state| {
            if !state.ended {
                state.expires = expires;
            }
            !state.ended
        })
    }

    /// Ends it; `false` if it had ended already.
    pub(super) fn end(&self) -> bool {
        self.state.send_if_modified(|state| !std::mem::replace(&mut state.ended, true))
    }

    /// Ends it if its time is over; a renewal that came first keeps it.
    pub(super) fn expire(&self, now: DateTime<Utc>) -> bool {
        self.state.send_if_modified(|state| {
            let expired = !state.ended && state.has_expired(now);
            state.ended |= expired;
            expired
        })
    }
}
