//! Tells the service manager that the service is alive (`WatchdogSec=`): only as long as its event loops turn.

use std::time::Duration;

use super::notify::{State, notify};
use crate::server::Loops;

/// How often it is told within the time that the manager waits.
const TIMES: u32 = 3;

/// What the manager asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watchdog {
    /// It is told, or not, after each of these.
    interval: Duration,
}

impl Watchdog {
    /// What the manager asked this process for; `None` if it asked for nothing.
    pub fn asked() -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok();
        Self::read(variable("WATCHDOG_USEC").as_deref(), variable("WATCHDOG_PID").as_deref(), std::process::id())
    }

    /// Reads the variables of `sd_watchdog_enabled(3)`.
    fn read(microseconds: Option<&str>, process: Option<&str>, own: u32) -> Option<Self> {
        let is_for_us = process.is_none_or(|process| process.parse() == Ok(own));
        let time = Duration::from_micros(microseconds?.parse().ok()?);
        (is_for_us && !time.is_zero()).then(|| Self { interval: time / TIMES })
    }

    /// Tells it as long as all these loops, and the one that this runs on, turn.
    pub async fn tell(self, loops: Loops) {
        let mut is_well = true;
        loop {
            loops.ask();
            tokio::time::sleep(self.interval).await;
            let missing = loops.ask();
            if missing == 0 {
                notify(State::Alive);
            } else if is_well {
                tracing::error!(
                    loops = missing,
                    "event loops hang; the service manager is not told that the service is alive"
                );
            }
            is_well = missing == 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_for_this_process_is_taken() {
        let read = |time, process| Watchdog::read(time, process, 7);
        let a_third = Some(Watchdog { interval: Duration::from_secs(10) });
        assert_eq!(read(Some("30000000"), Some("7")), a_third);
        assert_eq!(read(Some("30000000"), None), a_third);
        assert_eq!(read(Some("30000000"), Some("8")), None);
        assert_eq!(read(Some("0"), None), None);
        assert_eq!(read(Some("soon"), None), None);
        assert_eq!(read(None, Some("7")), None);
    }
}
