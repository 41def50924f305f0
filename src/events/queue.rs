//! What waits for a subscription.

use std::sync::Arc;

use chrono::{DateTime, Utc};

/// What waits for a subscription, and how its deliveries go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// How many records the log has behind the last one that was dealt with, wanted or not.
    pub behind: u64,
    /// How many attempts failed in a row.
    pub failures: u32,
    /// Why the last one failed; not known of what failed before this process began.
    pub failure: Option<Arc<str>>,
    /// When the first of them failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// No attempt is made before this time.
    pub next_attempt: Option<DateTime<Utc>>,
    /// How many events were dropped since the subscription was made.
    pub dropped: u64,
}
