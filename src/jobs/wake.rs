//! Lets the loop sleep until there may be something to do.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A bell: many ring, one waits. A ring while nobody waits is kept.
#[derive(Debug, Default)]
pub(super) struct Wake {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    rung: bool,
    stopped: bool,
}

impl Wake {
    pub(super) fn ring(&self) {
        self.lock().rung = true;
        self.changed.notify_all();
    }

    /// Ends all waiting for ever.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Returns at the next ring, or after `limit`.
    pub(super) fn wait(&self, limit: Duration) {
        let waited = self.changed.wait_timeout_while(self.lock(), limit, |state| !state.rung && !state.stopped);
        waited.unwrap_or_else(PoisonError::into_inner).0.rung = false;
    }

    /// Returns after `limit`, whoever rings.
    pub(super) fn pause(&self, limit: Duration) {
        let waited = self.changed.wait_timeout_while(self.lock(), limit, |state| !state.stopped);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
