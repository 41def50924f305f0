//! Wrong logins, which anybody can send as many of as they like: the first ones of a minute get a line each, the others are
//! counted.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::entry::{Entry, Event};

/// How many wrong logins get a line of their own…
const SINGLE: u32 = 10;
/// …in this time, from the first of them.
const WINDOW: Duration = Duration::from_secs(60);
/// How many addresses are told apart.
const ADDRESSES: usize = 1000;

/// The wrong logins of this minute.
#[derive(Debug, Default)]
pub(super) struct Flood {
    begun: Option<Instant>,
    single: u32,
    counted: u64,
    addresses: HashSet<IpAddr>,
}

impl Flood {
    /// The entry back if it gets a line; else it is counted.
    pub(super) fn admit(&mut self, entry: Entry, now: Instant) -> Option<Entry> {
        self.begun.get_or_insert(now);
        if self.single < SINGLE {
            self.single += 1;
            return Some(entry);
        }
        self.counted += 1;
        if let Some(address) = entry.address.filter(|_| self.addresses.len() < ADDRESSES) {
            self.addresses.insert(address);
        }
        None
    }

    /// When the minute is over, if one runs.
    pub(super) fn ends_in(&self, now: Instant) -> Option<Duration> {
        self.begun.map(|begun| WINDOW.saturating_sub(now.saturating_duration_since(begun)))
    }

    /// Ends the minute if it is over, or is to be, and tells of those that were counted.
    pub(super) fn over(&mut self, now: Instant, is_last: bool) -> Option<Entry> {
        if !is_last && self.ends_in(now).is_none_or(|left| !left.is_zero()) {
            return None;
        }
        let Self { counted, addresses, .. } = std::mem::take(self);
        let from = match (addresses.len(), addresses.iter().next()) {
            (1, Some(only)) => format!("more from {only}"),
            (ADDRESSES, _) => format!("more from {ADDRESSES} addresses or more"),
            (many, _) => format!("more from {many} addresses"),
        };
        let entry = Entry { details: Some(from), count: Some(counted), ..Entry::new(Event::WrongLogin) };
        (counted > 0).then_some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(address: [u8; 4]) -> Entry {
        Entry { address: Some(address.into()), ..Entry::new(Event::WrongLogin) }
    }

    #[test]
    fn the_first_of_a_minute_get_lines_and_the_others_one_together() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        assert_eq!((flood.ends_in(start), flood.over(start, false)), (None, None));
        let lines = (0..1000).filter_map(|n: u32| flood.admit(wrong(n.to_be_bytes()), start)).count();
        assert_eq!(lines, 10);
        assert_eq!(flood.over(start + Duration::from_secs(59), false), None);
        assert_eq!(flood.ends_in(start + Duration::from_secs(59)), Some(Duration::from_secs(1)));
        let told = flood.over(start + WINDOW, false).unwrap();
        assert_eq!((told.count, told.details.as_deref()), (Some(990), Some("more from 990 addresses")));
        assert!(flood.admit(wrong([192, 0, 2, 1]), start + WINDOW).is_some());
        assert_eq!(flood.over(start + 2 * WINDOW, false), None, "nothing was counted");
        assert_eq!(flood.ends_in(start + 2 * WINDOW), None);
    }

    #[test]
    fn what_was_counted_is_told_at_the_end() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        for _ in 0..12 {
            flood.admit(wrong([192, 0, 2, 1]), start);
        }
        let told = flood.over(start, true).unwrap();
        assert_eq!((told.count, told.details.as_deref()), (Some(2), Some("more from 192.0.2.1")));
    }
}
