//! What anybody can make as many lines of as they like, wrong logins and requests that are refused at once: the first ones of a
//! minute get a line each, the others are counted, so that a flood neither fills the disk nor drives the older lines out.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::entry::{Entry, Event};

/// How many wrong logins get a line of their own, of all callers together…
const WRONG_LOGINS: u32 = 10;
/// …and how many refusals, of each user…
const REFUSALS: u32 = 60;
/// …in this time, from the first of them.
const WINDOW: Duration = Duration::from_secs(60);
/// How many addresses are told apart in one count.
const ADDRESSES: usize = 1000;
/// How many users are told apart.
const USERS: usize = 1000;

/// What came in this minute.
#[derive(Debug, Default)]
pub(super) struct Flood(HashMap<Kind, Minute>);

/// What is counted together: wrong logins of all names, refusals of one user.
type Kind = (Event, Option<String>);

#[derive(Debug)]
struct Minute {
    begun: Instant,
    single: u32,
    counted: u64,
    addresses: HashSet<IpAddr>,
}

impl Flood {
    /// The entry back if it gets a line; else it is counted.
    pub(super) fn admit(&mut self, entry: Entry, now: Instant) -> Option<Entry> {
        let (user, most) = match entry.event {
            Event::WrongLogin => (None, WRONG_LOGINS),
            _ => (entry.user.clone().filter(|_| self.0.len() < USERS), REFUSALS),
        };
        let new = || Minute { begun: now, single: 0, counted: 0, addresses: HashSet::new() };
        let minute = self.0.entry((entry.event, user)).or_insert_with(new);
        if minute.single < most {
            minute.single += 1;
            return Some(entry);
        }
        minute.counted += 1;
        if let Some(address) = entry.address.filter(|_| minute.addresses.len() < ADDRESSES) {
            minute.addresses.insert(address);
        }
        None
    }

    /// When the first of the minutes is over, if one runs.
    pub(super) fn ends_in(&self, now: Instant) -> Option<Duration> {
        self.0.values().map(|minute| minute.left(now)).min()
    }

    /// Ends the minutes that are over, or all, and tells of what was counted in them.
    pub(super) fn over(&mut self, now: Instant, is_last: bool) -> Vec<Entry> {
        let is_over = |_: &Kind, minute: &mut Minute| is_last || minute.left(now).is_zero();
        let over = self.0.extract_if(is_over);
        over.filter(|(_, minute)| minute.counted > 0).map(|((event, user), minute)| minute.told(event, user)).collect()
    }
}

impl Minute {
    fn left(&self, now: Instant) -> Duration {
        WINDOW.saturating_sub(now.saturating_duration_since(self.begun))
    }

    fn told(self, event: Event, user: Option<String>) -> Entry {
        let from = match (self.addresses.len(), self.addresses.iter().next()) {
            (1, Some(only)) => format!("more from {only}"),
            (ADDRESSES, _) => format!("more from {ADDRESSES} addresses or more"),
            (many, _) => format!("more from {many} addresses"),
        };
        Entry { user, details: Some(from), count: Some(self.counted), ..Entry::new(event) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(address: [u8; 4]) -> Entry {
        Entry { address: Some(address.into()), ..Entry::new(Event::WrongLogin) }
    }

    fn refused(user: &str) -> Entry {
        let address = Some(IpAddr::from([192, 0, 2, 7]));
        Entry { user: Some(user.to_owned()), address, ..Entry::new(Event::Refused) }
    }

    #[test]
    fn the_first_of_a_minute_get_lines_and_the_others_one_together() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        assert_eq!((flood.ends_in(start), flood.over(start, false)), (None, vec![]));
        let lines = (0..1000).filter_map(|n: u32| flood.admit(wrong(n.to_be_bytes()), start)).count();
        assert_eq!(lines, 10);
        assert_eq!(flood.over(start + Duration::from_secs(59), false), []);
        assert_eq!(flood.ends_in(start + Duration::from_secs(59)), Some(Duration::from_secs(1)));
        let told = flood.over(start + WINDOW, false).remove(0);
        assert_eq!((told.count, told.details.as_deref()), (Some(990), Some("more from 990 addresses")));
        assert!(flood.admit(wrong([192, 0, 2, 1]), start + WINDOW).is_some());
        assert_eq!(flood.over(start + 2 * WINDOW, false), [], "nothing was counted");
        assert_eq!(flood.ends_in(start + 2 * WINDOW), None);
    }

    #[test]
    fn refusals_are_counted_for_each_user_and_what_was_counted_is_told_at_the_end() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        let lines = (0..100).filter_map(|_| flood.admit(refused("vic"), start)).count();
        assert_eq!(lines, 60);
        assert!(flood.admit(refused("bob"), start).is_some());
        let told = flood.over(start, true).remove(0);
        assert_eq!((told.event, told.user.as_deref(), told.count), (Event::Refused, Some("vic"), Some(40)));
        assert_eq!(told.details.as_deref(), Some("more from 192.0.2.7"));
    }

    #[test]
    fn users_beyond_a_number_are_counted_together() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        for n in 0..3 * USERS {
            flood.admit(refused(&n.to_string()), start);
        }
        assert_eq!(flood.0.len(), USERS + 1);
    }
}
