//! Wrong passwords: after a few of them, further attempts are answered without hashing, for a growing time.
//!
//! Failures count per peer and name, so that nobody locks a user out everywhere, and, less strictly, per peer alone, so that
//! changing names does not help.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// How many peers and names are kept; the longest quiet ones go first.
const CAPACITY: usize = 4096;
/// Failures are forgotten after this time without another one.
const FORGET_AFTER: TimeDelta = TimeDelta::minutes(15);

const PER_NAME: Policy = Policy { free: 5, longest: TimeDelta::seconds(60) };
const PER_PEER: Policy = Policy { free: 30, longest: TimeDelta::seconds(8) };

/// `free` failures cost no wait, the next one a second, each further one twice as long, up to `longest`.
struct Policy {
    free: u32,
    longest: TimeDelta,
}

#[derive(Debug, Default)]
pub(super) struct Attempts {
    failures: Mutex<HashMap<Key, Failures>>,
}

/// A peer's network and, for failures of one name, the name.
type Key = (IpAddr, Option<Box<str>>);

#[derive(Debug)]
struct Failures {
    count: u32,
    last: DateTime<Utc>,
    blocked_until: DateTime<Utc>,
}

impl Attempts {
    /// How long this peer must wait before it may try this name again; `None` if it may try now.
    pub(super) fn wait(&self, peer: IpAddr, name: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
        let failures = self.lock();
        keys(peer, name)
            .iter()
            .filter_map(|(key, policy)| {
                let rest = failures.get(key)?.blocked_until - now;
                // A clock that jumped back must not block for longer than any wait.
                (rest > TimeDelta::zero()).then(|| rest.min(policy.longest))
            })
            .max()
    }

    /// Counts a wrong password.
    pub(super) fn failed(&self, peer: IpAddr, name: &str, now: DateTime<Utc>) {
        let mut failures = self.lock();
        for (key, policy) in keys(peer, name) {
            make_room(&mut failures, &key, now);
            let entry = failures.entry(key).or_insert(Failures { count: 0, last: now, blocked_until: now });
            if now - entry.last > FORGET_AFTER {
                entry.count = 0;
            }
            entry.count = entry.count.saturating_add(1);
            entry.last = now;
            entry.blocked_until = now + policy.wait_after(entry.count);
        }
    }

    /// Forgets the failures of this peer with this name: it knows the password.
    pub(super) fn succeeded(&self, peer: IpAddr, name: &str) {
        self.lock().remove(&(network_of(peer), Some(name.into())));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Policy {
    fn wait_after(&self, failures: u32) -> TimeDelta {
        match failures.checked_sub(self.free + 1) {
            Some(doublings) => TimeDelta::seconds(1_i64 << doublings.min(30)).min(self.longest),
            None => TimeDelta::zero(),
        }
    }
}

fn keys(peer: IpAddr, name: &str) -> [(Key, Policy); 2] {
    let network = network_of(peer);
    [((network, Some(name.into())), PER_NAME), ((network, None), PER_PEER)]
}

fn make_room(failures: &mut HashMap<Key, Failures>, key: &Key, now: DateTime<Utc>) {
    if failures.len() < CAPACITY || failures.contains_key(key) {
        return;
    }
    failures.retain(|_, entry| now - entry.last <= FORGET_AFTER);
    if failures.len() >= CAPACITY {
        let quietest = failures.iter().min_by_key(|(_, entry)| entry.last).map(|(key, _)| key.clone());
        quietest.and_then(|key| failures.remove(&key));
    }
}

/// The address of the network that this peer may be alone in: whoever has one IPv6 address has all of its /64.
pub fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn the_wait_grows_and_concerns_this_peer_and_name_alone() {
        let attempts = Attempts::default();
        for _ in 0..5 {
            attempts.failed(PEER, "ann", at(0));
            assert_eq!(attempts.wait(PEER, "ann", at(0)), None);
        }
        attempts.failed(PEER, "ann", at(0));
        assert_eq!(attempts.wait(PEER, "ann", at(0)), Some(TimeDelta::seconds(1)));
        assert_eq!(attempts.wait(PEER, "ann", at(1)), None);
        attempts.failed(PEER, "ann", at(1));
        assert_eq!(attempts.wait(PEER, "ann", at(1)), Some(TimeDelta::seconds(2)));
        assert_eq!(attempts.wait(PEER, "bob", at(1)), None);
        assert_eq!(attempts.wait(OTHER, "ann", at(1)), None);
        for _ in 0..100 {
            attempts.failed(PEER, "ann", at(2));
        }
        assert_eq!(attempts.wait(PEER, "ann", at(2)), Some(TimeDelta::seconds(60)));
    }

    #[test]
    fn changing_names_does_not_help_for_ever() {
        let attempts = Attempts::default();
        for n in 0..31 {
            assert_eq!(attempts.wait(PEER, &format!("u{n}"), at(0)), None);
            attempts.failed(PEER, &format!("u{n}"), at(0));
        }
        assert_eq!(attempts.wait(PEER, "fresh", at(0)), Some(TimeDelta::seconds(1)));
    }

    #[test]
    fn success_and_time_forget() {
        let attempts = Attempts::default();
        for _ in 0..9 {
            attempts.failed(PEER, "ann", at(0));
        }
        assert!(attempts.wait(PEER, "ann", at(0)).is_some());
        attempts.failed(PEER, "ann", at(2000));
        assert_eq!(attempts.wait(PEER, "ann", at(2000)), None);
        for _ in 0..9 {
            attempts.failed(PEER, "ann", at(2000));
        }
        attempts.succeeded(PEER, "ann");
        assert_eq!(attempts.wait(PEER, "ann", at(2000)), None);
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_newest() {
        let attempts = Attempts::default();
        for n in 0..3_000_u32 {
            attempts.failed(IpAddr::from(n.to_be_bytes()), "ann", at(i64::from(n) / 100));
        }
        assert!(attempts.lock().len() <= CAPACITY);
        assert!(attempts.lock().contains_key(&(IpAddr::from(2_999_u32.to_be_bytes()), None)));
    }

    #[test]
    fn a_peer_has_all_addresses_of_its_ipv6_network() {
        let attempts = Attempts::default();
        for n in 0..9_u16 {
            attempts.failed(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]), "ann", at(0));
        }
        assert!(attempts.wait("2001:db8:0:1::ffff".parse().unwrap(), "ann", at(0)).is_some());
        assert!(attempts.wait("2001:db8:0:2::1".parse().unwrap(), "ann", at(0)).is_none());
        assert_eq!(network_of("::ffff:192.0.2.1".parse().unwrap()), PEER);
    }
}
