//! Keeps the inventory true: reads the package database again when it has changed on disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::essential;
use crate::software::Manager;

/// How long the watch waits before it looks whether it is still wanted.
const PATIENCE: Duration = Duration::from_secs(5);

/// A thread that watches a package database until this is dropped.
#[derive(Debug)]
pub(super) struct Watch(Arc<AtomicBool>);

impl Watch {
    pub(super) fn start(manager: Arc<dyn Manager>) -> io::Result<Self> {
        let wanted = Arc::new(AtomicBool::new(true));
        let still_wanted = wanted.clone();
        essential::spawn("inventory", move || {
            while still_wanted.load(Ordering::Relaxed) {
                if manager.wait_for_change(PATIENCE)
                    && let Err(error) = manager.refresh()
                {
                    tracing::error!(error = &error as &dyn std::error::Error, "the package database cannot be read");
                }
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
