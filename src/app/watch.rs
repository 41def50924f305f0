//! Keeps the inventory true: reads the package database again when it has changed on disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::essential;
use crate::jobs::Observed;
use crate::software::Manager;

/// How long the watch waits before it looks whether it is still wanted.
const PATIENCE: Duration = Duration::from_secs(5);

/// A thread that watches a package database until this is dropped.
#[derive(Debug)]
pub(super) struct Watch(Arc<AtomicBool>);

impl Watch {
    pub(super) fn start(manager: Arc<dyn Manager>, observed: Observed, catalog_idle: Duration) -> io::Result<Self> {
        let wanted = Arc::new(AtomicBool::new(true));
        let still_wanted = wanted.clone();
        essential::spawn("inventory", move || {
            note(&*manager, &observed);
            while still_wanted.load(Ordering::Relaxed) {
                let may_have_changed = manager.wait_for_change(PATIENCE);
                manager.drop_unused(catalog_idle);
                if !may_have_changed {
                    continue;
                }
                match manager.refresh() {
                    Ok(_) => note(&*manager, &observed),
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "the package database cannot be read"
                        );
                    }
                }
            }
        })?;
        Ok(Self(wanted))
    }
}

/// What came and went is told to whoever subscribed to it.
fn note(manager: &dyn Manager, observed: &Observed) {
    if let Err(error) = observed.note(&manager.inventory()) {
        tracing::error!(error = &error as &dyn std::error::Error, "changes of packages cannot be recorded");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
