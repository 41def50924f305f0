//! Writes down how far subscriptions got: what gathered while one transaction was made goes into the next.
//!
//! A delivery does not wait for it. After a crash the events since the last write are delivered again, with the same
//! MessageID.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::active::Active;
use crate::store::subscriptions;
use crate::store::{Store, StoreError};

const RETRY: Duration = Duration::from_secs(1);

pub(super) struct Ledger {
    store: Arc<Store>,
    pending: Mutex<HashMap<Uuid, Arc<Active>>>,
    /// Held from taking the pending entries until they are written, so that no older entry overwrites a newer one.
    writing: Mutex<()>,
    due: Notify,
}

impl Ledger {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store, pending: Mutex::default(), writing: Mutex::default(), due: Notify::new() }
    }

    /// Has it written as soon as possible.
    pub(super) fn note(&self, active: &Arc<Active>) {
        self.note_lazily(active);
        self.due.notify_one();
    }

    /// Has it written together with what must be; only a cursor that passed what nobody is told may wait so.
    pub(super) fn note_lazily(&self, active: &Arc<Active>) {
        self.pending().insert(active.id, Arc::clone(active));
    }

    /// Writes it, together with what else is noted, before it returns. If that fails it is logged, and written later.
    pub(super) async fn write_down(self: &Arc<Self>, active: &Arc<Active>) {
        self.note_lazily(active);
        let ledger = Arc::clone(self);
        match spawn_blocking(move || ledger.write()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the progress of a subscription cannot be stored"),
            Err(error) => tracing::error!(%error, "storing the progress of a subscription failed"),
        }
    }

    /// Writes for ever what is noted.
    pub(super) async fn keep(self: Arc<Self>) {
        loop {
            self.due.notified().await;
            let ledger = Arc::clone(&self);
            match spawn_blocking(move || ledger.write()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, "the progress of subscriptions cannot be stored");
                    tokio::time::sleep(RETRY).await;
                    self.due.notify_one();
                }
                Err(error) => tracing::error!(%error, "storing the progress of subscriptions failed"),
            }
        }
    }

    /// Writes what is noted. Blocks.
    pub(super) fn write(&self) -> Result<(), StoreError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = std::mem::take(&mut *self.pending());
        if entries.is_empty() {
            return Ok(());
        }
        let written =
            // Read now, so that what is written is never older than what was written before.
            self.store.write(|t| {
                entries.iter().try_for_each(|(id, active)| subscriptions::set_progress(t, *id, &active.progress()))
            });
        if written.is_err() {
            let mut pending = self.pending();
            for (id, active) in entries {
                pending.entry(id).or_insert(active);
            }
        }
        written
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<Active>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
