//! Figures of a running service: what counts them, and how they are written down (OpenMetrics 1.0).
//!
//! Whoever counts something holds a [`Counter`] or a [`Histogram`]: atomics that cost a few nanoseconds. What can
//! be looked up is not counted; it is looked up when somebody asks.

mod exposition;
mod health;
mod histogram;
mod process;

use std::sync::atomic::{AtomicU64, Ordering};

pub use exposition::{CONTENT_TYPE, Exposition, Kind};
pub use health::{Ailment, Watched};
pub use histogram::Histogram;
pub use process::write_process;

/// How often something happened.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Once more.
    pub fn add_one(&self) {
        self.add(1);
    }

    /// So many times more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// How often up to now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
