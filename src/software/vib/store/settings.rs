//! How an image store works.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::SharedClock;
use crate::software::vib::{AcceptanceLevel, TrustStore};

/// How an image store works.
#[derive(Clone, Debug)]
pub struct ImageSettings {
    /// The acceptance level that the host asks for; `None` is the one that the image's profile has. One that is told here is
    /// shown as the profile's, and the profile keeps its own.
    pub acceptance_level: Option<AcceptanceLevel>,
    /// Whose signatures are taken.
    pub trust: Arc<TrustStore>,
    /// Where the time comes from.
    pub clock: SharedClock,
    /// How long a change waits for another one to end before it fails with a `LockingError`.
    pub lock_timeout: Duration,
}

impl ImageSettings {
    /// The usual ones, in which nobody's signatures are taken yet.
    pub fn new(clock: SharedClock) -> Self {
        let trust = Arc::new(TrustStore::default());
        Self { acceptance_level: None, trust, clock, lock_timeout: Duration::from_secs(2) }
    }
}
