//! What a proof of a caller is worth.

use std::time::Duration;

use chrono::TimeDelta;

use super::Caller;

/// What a name and a password are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are a user's.
    Known(Caller),
    /// They are nobody's.
    Wrong,
    /// This peer was wrong too often: nothing was looked at, and nothing will be before this time has passed.
    Later(Duration),
    /// Too many passwords wait for their hash: nothing was looked at.
    Busy,
    /// The store or the hash failed; the log tells why.
    Failed,
}

pub(super) fn later(wait: TimeDelta) -> Verdict {
    Verdict::Later(wait.to_std().unwrap_or(Duration::ZERO))
}

pub(super) fn failed(error: &(dyn std::error::Error + 'static)) -> Verdict {
    tracing::error!(error, "a password could not be checked");
    Verdict::Failed
}
