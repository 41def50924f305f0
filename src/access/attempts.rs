//! Wrong passwords: after a few of them, further attempts are answered without hashing, for a growing time.
//!
//! Failures count per network and name, so that nobody locks a user out everywhere, and, less strictly, per network alone, so
//! that changing names does not help. They also count per name alone: while many networks guess one user's password,
//! each of them has one attempt before it waits. Whoever knows the password needs no second one, so no flood locks its user out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// How many entries each table keeps; the longest quiet ones go first.
const CAPACITY: usize = 4096;
/// Failures are forgotten after this time without another one.
const FORGET_AFTER: TimeDelta = TimeDelta::minutes(15);

const PER_NAME: Policy = Policy { free: 5, longest: TimeDelta::seconds(60) };
const PER_NAME_UNDER_ATTACK: Policy = Policy { free: 0, ..PER_NAME };
const PER_NETWORK: Policy = Policy { free: 30, longest: TimeDelta::seconds(8) };
/// A name is under attack from this number of failures on, from all networks together.
const ATTACK: u32 = 50;

/// `free` failures cost no wait, the next one a second, each further one twice as long, up to `longest`.
#[derive(Clone, Copy)]
struct Policy {
    free: u32,
    longest: TimeDelta,
}

#[derive(Debug, Default)]
pub(super) struct Attempts {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    pairs: Table<(IpAddr, Box<str>)>,
    networks: Table<IpAddr>,
    names: Table<Box<str>>,
}

/// The failures of each key.
#[derive(Debug)]
struct Table<K>(HashMap<K, Failures>);

#[derive(Debug)]
struct Failures {
    count: u32,
    last: DateTime<Utc>,
    blocked_until: DateTime<Utc>,
}

impl Attempts {
    /// How long this peer must wait before it may try this name again; `None` if it may try now.
    pub(super) fn wait(&self, peer: IpAddr, name: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
        let network = network_of(peer);
        let tables = self.lock();
        let of_pair = tables.pairs.wait(&(network, name.into()), PER_NAME, now);
        of_pair.max(tables.networks.wait(&network, PER_NETWORK, now))
    }

    /// How long this peer must wait before it may try anything that tells no name; `None` if it may try now.
    pub(super) fn wait_of_network(&self, peer: IpAddr, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.lock().networks.wait(&network_of(peer), PER_NETWORK, now)
    }

    /// Counts a wrong proof that tells no name.
    pub(super) fn failed_without_name(&self, peer: IpAddr, now: DateTime<Utc>) {
        self.lock().networks.fail(network_of(peer), PER_NETWORK, now);
    }

    /// Counts a wrong password.
    pub(super) fn failed(&self, peer: IpAddr, name: &str, now: DateTime<Utc>) {
        let network = network_of(peer);
        let mut tables = self.lock();
        let of_name = tables.names.count(name.into(), now);
        let per_name = if of_name < ATTACK { PER_NAME } else { PER_NAME_UNDER_ATTACK };
        tables.pairs.fail((network, name.into()), per_name, now);
        tables.networks.fail(network, PER_NETWORK, now);
    }

    /// Forgets the failures of this peer with this name: it knows the password.
    pub(super) fn succeeded(&self, peer: IpAddr, name: &str) {
        self.lock().pairs.0.remove(&(network_of(peer), name.into()));
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
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

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Clone + Eq + Hash> Table<K> {
    fn wait(&self, key: &K, policy: Policy, now: DateTime<Utc>) -> Option<TimeDelta> {
        let rest = self.0.get(key)?.blocked_until - now;
        // A clock that jumped back must not block for longer than any wait.
        (rest > TimeDelta::zero()).then(|| rest.min(policy.longest))
    }

    fn fail(&mut self, key: K, policy: Policy, now: DateTime<Utc>) {
        let count = self.count(key.clone(), now);
        if let Some(entry) = self.0.get_mut(&key) {
            entry.blocked_until = now + policy.wait_after(count);
        }
    }

    /// Counts a failure; tells how many there are now.
    fn count(&mut self, key: K, now: DateTime<Utc>) -> u32 {
        self.make_room(&key, now);
        let entry = self.0.entry(key).or_insert(Failures { count: 0, last: now, blocked_until: now });
        if now - entry.last > FORGET_AFTER {
            entry.count = 0;
        }
        entry.count = entry.count.saturating_add(1);
        entry.last = now;
        entry.count
    }

    fn make_room(&mut self, key: &K, now: DateTime<Utc>) {
        if self.0.len() < CAPACITY || self.0.contains_key(key) {
            return;
        }
        self.0.retain(|_, entry| now - entry.last <= FORGET_AFTER);
        if self.0.len() >= CAPACITY {
            let quietest = self.0.iter().min_by_key(|(_, entry)| entry.last).map(|(key, _)| key.clone());
            quietest.and_then(|key| self.0.remove(&key));
        }
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
    fn what_tells_no_name_counts_for_its_network_alone() {
        let attempts = Attempts::default();
        for _ in 0..30 {
            attempts.failed_without_name(PEER, at(0));
            assert_eq!(attempts.wait_of_network(PEER, at(0)), None);
        }
        attempts.failed_without_name(PEER, at(0));
        assert_eq!(attempts.wait_of_network(PEER, at(0)), Some(TimeDelta::seconds(1)));
        assert_eq!(attempts.wait(PEER, "ann", at(0)), Some(TimeDelta::seconds(1)));
        assert_eq!(attempts.wait_of_network(OTHER, at(0)), None);
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
        for n in 0..5_000_u32 {
            attempts.failed(IpAddr::from(n.to_be_bytes()), &format!("u{n}"), at(i64::from(n) / 100));
        }
        let tables = attempts.lock();
        assert_eq!(
            (tables.pairs.0.len(), tables.networks.0.len(), tables.names.0.len()),
            (CAPACITY, CAPACITY, CAPACITY)
        );
        assert!(tables.networks.0.contains_key(&IpAddr::from(4_999_u32.to_be_bytes())));
        assert!(!tables.networks.0.contains_key(&IpAddr::from(0_u32.to_be_bytes())));
    }

    #[test]
    fn a_flood_from_many_networks_leaves_each_one_attempt_and_locks_nobody_out() {
        let attempts = Attempts::default();
        for n in 0..1_000_u32 {
            let peer = IpAddr::from(n.to_be_bytes());
            assert_eq!(attempts.wait(peer, "ann", at(0)), None);
            attempts.failed(peer, "ann", at(0));
            let wait = (n + 1 >= ATTACK).then(|| TimeDelta::seconds(1));
            assert_eq!(attempts.wait(peer, "ann", at(0)), wait, "{n}");
        }
        // The user comes from wherever it likes, and others are not concerned.
        assert_eq!(attempts.wait(PEER, "ann", at(0)), None);
        attempts.failed(PEER, "bob", at(0));
        assert_eq!(attempts.wait(PEER, "bob", at(0)), None);
        // Once it is over, mistyping is free again.
        attempts.failed(PEER, "ann", at(2_000));
        assert_eq!(attempts.wait(PEER, "ann", at(2_000)), None);
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
