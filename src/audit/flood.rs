//! What anybody can make as many lines of as they like, wrong logins and requests that are refused at once: the first ones of a
//! minute get a line each, the others are counted for each user, so that a flood neither fills the disk nor drives the older lines
//! out, and still tells whom it is at.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::entry::{Entry, Event};

/// How many wrong logins get a line of their own, of all names together, since anybody can make up names…
const WRONG_LOGINS: u32 = 10;
/// …and how many refusals, of each user…
const REFUSALS: u32 = 60;
/// …in this time, from the first of them.
const WINDOW: Duration = Duration::from_secs(60);
/// How many addresses are told apart in one count.
const ADDRESSES: usize = 200;
/// How many users are told apart.
const USERS: usize = 1000;
/// Of how many names that were tried in vain a minute's end tells: of those that were tried most often. The others share a line.
const NAMES: usize = 20;

/// What came in this minute.
#[derive(Debug, Default)]
pub(super) struct Flood {
    wrong_logins: Option<Minute>,
    refusals: HashMap<Who, Minute>,
}

/// Who is counted together; `None` are all those beyond the number that is told apart.
type Who = Option<String>;

/// A minute, from the first line of it.
#[derive(Debug)]
struct Minute {
    begun: Instant,
    single: u32,
    counted: HashMap<Who, Count>,
}

/// What got no line of its own.
#[derive(Debug, Default)]
struct Count {
    times: u64,
    addresses: HashSet<IpAddr>,
}

impl Flood {
    /// The entry back if it gets a line; else it is counted.
    pub(super) fn admit(&mut self, entry: Entry, now: Instant) -> Option<Entry> {
        let minute = || Minute { begun: now, single: 0, counted: HashMap::new() };
        match entry.event {
            Event::WrongLogin => {
                let minute = self.wrong_logins.get_or_insert_with(minute);
                let who = told_apart(&minute.counted, entry.user.as_ref());
                minute.admit(entry, WRONG_LOGINS, who)
            }
            _ => {
                let who = told_apart(&self.refusals, entry.user.as_ref());
                self.refusals.entry(who.clone()).or_insert_with(minute).admit(entry, REFUSALS, who)
            }
        }
    }

    /// When the first of the minutes is over, if one runs.
    pub(super) fn ends_in(&self, now: Instant) -> Option<Duration> {
        self.wrong_logins.iter().chain(self.refusals.values()).map(|minute| minute.left(now)).min()
    }

    /// Ends the minutes that are over, or all, and tells of what was counted in them.
    pub(super) fn over(&mut self, now: Instant, is_last: bool) -> Vec<Entry> {
        let is_over = |minute: &mut Minute| is_last || minute.left(now).is_zero();
        let wrong_logins = self.wrong_logins.take_if(is_over).map(|minute| with_most(minute.counted));
        let told = |event: Event| move |(user, count): (Who, Count)| count.told(event, user);
        let mut entries: Vec<Entry> = wrong_logins.into_iter().flatten().map(told(Event::WrongLogin)).collect();
        let refusals = self.refusals.extract_if(|_, minute| is_over(minute));
        entries.extend(refusals.flat_map(|(_, minute)| minute.counted).map(told(Event::Refused)));
        entries
    }
}

impl Minute {
    fn admit(&mut self, entry: Entry, most: u32, who: Who) -> Option<Entry> {
        if self.single < most {
            self.single += 1;
            return Some(entry);
        }
        self.counted.entry(who).or_default().add(entry.address);
        None
    }

    fn left(&self, now: Instant) -> Duration {
        WINDOW.saturating_sub(now.saturating_duration_since(self.begun))
    }
}

/// Whom to count this user with.
fn told_apart<T>(known: &HashMap<Who, T>, user: Option<&String>) -> Who {
    let who = user.cloned();
    if known.len() < USERS || known.contains_key(&who) { who } else { None }
}

/// The counts of the names with most, and what all others have together.
fn with_most(mut counted: HashMap<Who, Count>) -> Vec<(Who, Count)> {
    let mut others = counted.remove(&None).unwrap_or_default();
    let mut names: Vec<_> = counted.into_iter().collect();
    names.sort_unstable_by(|(a, x), (b, y)| y.times.cmp(&x.times).then_with(|| a.cmp(b)));
    for (_, count) in names.drain(NAMES.min(names.len())..) {
        others.merge(count);
    }
    names.extend((others.times > 0).then_some((None, others)));
    names
}

impl Count {
    fn add(&mut self, address: Option<IpAddr>) {
        self.times += 1;
        self.know(address);
    }

    fn merge(&mut self, other: Self) {
        self.times += other.times;
        self.know(other.addresses);
    }

    fn know(&mut self, addresses: impl IntoIterator<Item = IpAddr>) {
        let room = ADDRESSES.saturating_sub(self.addresses.len());
        self.addresses.extend(addresses.into_iter().take(room));
    }

    fn told(self, event: Event, user: Who) -> Entry {
        let from = match (self.addresses.len(), self.addresses.iter().next()) {
            (1, Some(only)) => format!("more from {only}"),
            (ADDRESSES, _) => format!("more from {ADDRESSES} addresses or more"),
            (many, _) => format!("more from {many} addresses"),
        };
        Entry { user, details: Some(from), count: Some(self.times), ..Entry::new(event) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(name: &str, address: [u8; 4]) -> Entry {
        Entry { user: Some(name.to_owned()), address: Some(address.into()), ..Entry::new(Event::WrongLogin) }
    }

    fn refused(user: &str) -> Entry {
        let address = Some(IpAddr::from([192, 0, 2, 7]));
        Entry { user: Some(user.to_owned()), address, ..Entry::new(Event::Refused) }
    }

    #[test]
    fn the_first_of_a_minute_get_lines_and_the_others_one_together() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        assert_eq!((flood.ends_in(start), flood.over(start, false)), (None, vec![]));
        let lines = (0..150).filter_map(|n: u32| flood.admit(wrong("ann", n.to_be_bytes()), start)).count();
        assert_eq!(lines, 10);
        assert_eq!(flood.over(start + Duration::from_secs(59), false), []);
        assert_eq!(flood.ends_in(start + Duration::from_secs(59)), Some(Duration::from_secs(1)));
        let told = flood.over(start + WINDOW, false).remove(0);
        assert_eq!((told.count, told.details.as_deref()), (Some(140), Some("more from 140 addresses")));
        assert_eq!(told.user.as_deref(), Some("ann"));
        assert!(flood.admit(wrong("ann", [192, 0, 2, 1]), start + WINDOW).is_some());
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
        assert_eq!(flood.refusals.len(), USERS + 1);
    }

    #[test]
    fn names_that_are_made_up_do_not_hide_whose_password_is_guessed() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        for n in 0..3_000_u32 {
            flood.admit(wrong(&format!("made-up-{n}"), [192, 0, 2, 1]), start);
            if n % 30 == 20 {
                flood.admit(wrong("root", n.to_be_bytes()), start);
            }
        }
        let told = flood.over(start + WINDOW, false);
        assert_eq!(told.len(), NAMES + 1, "{told:?}");
        assert_eq!((told[0].user.as_deref(), told[0].count), (Some("root"), Some(100)));
        let others = told.last().unwrap();
        assert_eq!((&others.user, others.count), (&None, Some(3_100 - 10 - 100 - 19)));
        assert_eq!(others.details.as_deref(), Some("more from 192.0.2.1"));
    }

    #[test]
    fn what_is_counted_takes_a_bounded_room() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        for n in 0..3 * USERS {
            flood.admit(wrong(&n.to_string(), [192, 0, 2, 1]), start);
        }
        for n in 0..5_000_u32 {
            flood.admit(wrong("ann", n.to_be_bytes()), start);
        }
        let minute = flood.wrong_logins.unwrap();
        assert_eq!(minute.counted.len(), USERS + 1);
        assert!(minute.counted.values().all(|count| count.addresses.len() <= ADDRESSES));
    }
}
