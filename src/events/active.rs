//! A subscription that is being served.

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use super::Subscription;
use super::filter::Filter;
use crate::client::Url;

/// What never changes of a subscription, and the state that does.
pub(super) struct Active {
    pub(super) id: Uuid,
    pub(super) url: Url,
    pub(super) filter: Filter,
    granted: Subscription,
    state: watch::Sender<State>,
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
    pub(super) fn new(granted: Subscription, url: Url, filter: Filter) -> Self {
        let state = watch::Sender::new(State { expires: granted.expires, ended: false });
        Self { id: granted.id, url, filter, granted, state }
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
