//! What an operator may choose.

use std::sync::Arc;
use std::time::Duration;

use crate::access::sealing::SealingKey;

/// How events are kept and delivered.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The most subscriptions of one user.
    pub max_per_owner: u32,
    /// The most subscriptions in all.
    pub max_subscriptions: u32,
    /// How long a subscription lasts that asks for no time; `None` for ever, as DSP0226 R10.2.4-2 has it.
    pub default_expiry: Option<Duration>,
    /// The longest time a subscription may ask for; longer ones are cut to it. `None` for any.
    pub max_expiry: Option<Duration>,
    /// The wait after the first failed attempt; each further failure doubles it.
    pub first_retry: Duration,
    /// The longest wait between two attempts.
    pub longest_retry: Duration,
    /// How long a sink may fail before its subscription ends.
    pub give_up_after: Duration,
    /// How many attempts in a row may fail before the subscription ends; `None` for any number.
    pub give_up_attempts: Option<u32>,
    /// The largest message, in octets; what does not fit is skipped.
    pub max_message: usize,
    /// Records that every subscription has dealt with are kept until they are older than this…
    pub keep_age: Duration,
    /// …or so many are newer.
    pub keep_count: u32,
    /// Records that a subscription still waits for are kept until they are older than this…
    pub hard_age: Duration,
    /// …or so many are newer; then [`Self::overflow`] says what becomes of the subscription.
    pub hard_count: u32,
    /// The largest log, in octets of its records; the oldest go, whoever waits for them.
    pub max_octets: u64,
    /// What becomes of a subscription that waits for records which must go.
    pub overflow: Overflow,
    /// What seals the credentials of sinks in the store; without it none are taken.
    pub sealing_key: Option<Arc<SealingKey>>,
    /// How often the log is trimmed.
    pub sweep_every: Duration,
    /// How long deliveries under way may take to finish when the service stops.
    pub stop_grace: Duration,
}

/// What becomes of a subscription that waits for records which must go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// It ends, since it would lose events, and its subscriber is told so.
    #[default]
    End,
    /// It goes on, and a DroppedEvents event tells how many were lost (DSP0226 10.9).
    Drop,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_per_owner: 500,
            max_subscriptions: 2000,
            default_expiry: None,
            max_expiry: Some(DAY.saturating_mul(365)),
            first_retry: Duration::from_secs(1),
            longest_retry: Duration::from_secs(300),
            give_up_after: DAY.saturating_mul(14),
            give_up_attempts: None,
            max_message: 512_000,
            keep_age: DAY,
            keep_count: 100_000,
            hard_age: DAY.saturating_mul(30),
            hard_count: 1_000_000,
            max_octets: 256 << 20,
            overflow: Overflow::End,
            sealing_key: None,
            sweep_every: Duration::from_secs(60),
            stop_grace: Duration::from_secs(2),
        }
    }
}

impl Settings {
    /// How often a delivery is tried again before its subscription ends, if its subscriber asked for nothing else.
    pub fn retry_attempts(&self) -> u32 {
        let mut waited = Duration::ZERO;
        let mut attempts = 0;
        while waited < self.give_up_after && self.retry_after(attempts + 1) < self.longest_retry {
            attempts += 1;
            waited = waited.saturating_add(self.retry_after(attempts));
        }
        let left = self.give_up_after.saturating_sub(waited).as_millis();
        let longest = self.longest_retry.as_millis().max(1);
        let attempts = attempts.saturating_add(u32::try_from(left.div_ceil(longest)).unwrap_or(u32::MAX));
        self.give_up_attempts.map_or(attempts, |most| most.min(attempts))
    }

    /// The wait after so many failures in a row.
    pub(super) fn retry_after(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(30);
        self.first_retry.saturating_mul(1 << doublings).min(self.longest_retry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let settings = Settings::default();
        let waits: Vec<u64> = [1, 2, 3, 9, 10, 4000].map(|n| settings.retry_after(n).as_secs()).to_vec();
        assert_eq!(waits, [1, 2, 4, 256, 300, 300]);
    }

    #[test]
    fn attempts_are_as_many_as_fit_into_the_time() {
        let after = |seconds| Settings { give_up_after: Duration::from_secs(seconds), ..Settings::default() };
        assert_eq!([0, 1, 2, 3, 7].map(|seconds| after(seconds).retry_attempts()), [0, 1, 2, 2, 3]);
        // 1 to 256 seconds are 511 together, then come the ones of 300.
        assert_eq!([511, 512, 811, 812].map(|seconds| after(seconds).retry_attempts()), [9, 10, 10, 11]);
        assert_eq!(Settings { give_up_attempts: Some(4), ..Settings::default() }.retry_attempts(), 4);
    }
}
