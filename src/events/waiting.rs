//! Waiting for a time of the clock.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, sleep_until};

use super::hub::Hub;

/// No wait is longer, whatever a subscriber asks for.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Returns when the clock shows this time. Should the host's clock be set back, it returns after `longest` all the same.
pub(super) async fn reaches(hub: &Hub, time: DateTime<Utc>, longest: Duration) {
    let mut tick = hub.tick.subscribe();
    let latest = Instant::now() + longest.min(LONGEST);
    loop {
        let left = time.signed_duration_since(hub.clock.now()).to_std().unwrap_or_default();
        if left.is_zero() || Instant::now() >= latest {
            return;
        }
        tokio::select! {
            () = sleep_until(latest.min(Instant::now() + left.min(LONGEST))) => {}
            _ = tick.changed() => {}
        }
    }
}

/// The time so much later; the end of time if there is none.
pub(super) fn later(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    time.checked_add_signed(delta(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

pub(super) fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
