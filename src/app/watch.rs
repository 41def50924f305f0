//! Keeps the inventory true: reads the package database again when it has changed on disk, and has what came and went
//! recorded.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::essential;
use crate::jobs::{BeforeEnd, Observed};
use crate::software::{Inventory, Manager};
use crate::store::StoreError;

/// How long the watch waits before it looks whether it is still wanted.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the package database.
#[derive(Debug)]
pub(super) struct Look {
    manager: Arc<dyn Manager>,
    /// Whether the last look failed.
    is_unreadable: Arc<AtomicBool>,
    observed: Observed,
    noted: Noted<Inventory>,
}

/// The snapshot whose changes were recorded last.
#[derive(Debug)]
pub(super) struct Noted<T>(Mutex<Weak<T>>);

impl<T> Default for Noted<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Noted<T> {
    /// Has the changes up to now recorded, unless the snapshot is still the same.
    pub(super) fn note(&self, snapshot: impl FnOnce() -> Arc<T>, record: impl FnOnce(&T) -> Result<usize, StoreError>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = snapshot();
        if std::ptr::eq(noted.as_ptr(), Arc::as_ptr(&snapshot)) {
            return;
        }
        match record(&snapshot) {
            Ok(_) => *noted = Arc::downgrade(&snapshot),
            // The next look tries again.
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "changes of software cannot be recorded");
            }
        }
    }
}

impl Look {
    pub(super) fn new(manager: Arc<dyn Manager>, observed: Observed) -> Self {
        Self { manager, is_unreadable: Arc::default(), observed, noted: Noted::default() }
    }

    /// Whether the last look failed.
    pub(super) fn is_unreadable(&self) -> &Arc<AtomicBool> {
        &self.is_unreadable
    }

    /// Reads the database again if it changed, and records what came and went since the last look.
    fn look(&self) {
        let found = self.manager.refresh();
        self.is_unreadable.store(found.is_err(), Ordering::Relaxed);
        if let Err(error) = found {
            tracing::error!(error = &error as &dyn std::error::Error, "the package database cannot be read");
        }
        self.noted.note(|| self.manager.inventory(), |inventory| self.observed.note(inventory));
    }
}

impl BeforeEnd for Look {
    /// Whoever hears of a job's end finds what it installed, and what repositories offer now.
    fn about_to_end(&self) {
        self.manager.doubt();
        self.look();
    }
}

/// A thread that watches a package database until this is dropped.
#[derive(Debug)]
pub(super) struct Watch(Arc<AtomicBool>);

impl Watch {
    pub(super) fn start(look: Arc<Look>, catalog_idle: Duration) -> io::Result<Self> {
        let wanted = Arc::new(AtomicBool::new(true));
        let still_wanted = wanted.clone();
        essential::spawn("inventory", move || {
            while still_wanted.load(Ordering::Relaxed) {
                look.look();
                look.manager.wait_for_change(PATIENCE);
                look.manager.drop_unused(catalog_idle);
            }
        })?;
        Ok(Self(wanted))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
