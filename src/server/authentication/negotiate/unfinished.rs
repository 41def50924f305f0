//! Exchanges that are under way: each belongs to the connection that it began on. There are few of them, fewer of one network, for
//! a short time, and whoever does not finish one is told of.

use std::collections::VecDeque;
use std::mem;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::access::network_of;

/// How many there may be; the oldest makes room for another.
const MOST: usize = 64;
/// How many of them may be one network's; its own oldest makes room.
const MOST_OF_A_NETWORK: usize = 8;
/// How long a caller may take to go on.
const TIME: Duration = Duration::from_secs(30);

/// Exchanges that wait for their next token.
#[derive(Debug)]
pub(super) struct Unfinished<T>(Mutex<Exchanges<T>>);

#[derive(Debug)]
struct Exchanges<T> {
    /// The oldest first.
    under_way: VecDeque<Exchange<T>>,
    /// Whose ended unfinished, until somebody asks: as many as requests may make meanwhile.
    given_up: Vec<IpAddr>,
}

#[derive(Debug)]
struct Exchange<T> {
    peer: IpAddr,
    connection: u64,
    since: Instant,
    context: T,
}

impl<T> Default for Unfinished<T> {
    fn default() -> Self {
        Self(Mutex::new(Exchanges { under_way: VecDeque::new(), given_up: Vec::new() }))
    }
}

impl<T> Unfinished<T> {
    /// Takes the exchange of a connection out, to go on with it.
    pub(super) fn take(&self, connection: u64, now: Instant) -> Option<T> {
        let mut exchanges = self.lock();
        exchanges.end_old(now);
        let at = exchanges.position(connection)?;
        exchanges.under_way.remove(at).map(|exchange| exchange.context)
    }

    /// Ends the exchange of a connection, if there is one: its caller does not go on with it.
    pub(super) fn give_up(&self, connection: u64) {
        let mut exchanges = self.lock();
        if let Some(at) = exchanges.position(connection) {
            exchanges.end(at);
        }
    }

    /// Keeps the exchange of a peer's connection until its next token comes.
    pub(super) fn put(&self, peer: IpAddr, connection: u64, context: T, now: Instant) {
        let mut exchanges = self.lock();
        exchanges.end_old(now);
        exchanges.make_room(network_of(peer));
        exchanges.under_way.push_back(Exchange { peer, connection, since: now, context });
    }

    /// Whose exchanges ended unfinished since this was asked last, once for each exchange.
    pub(super) fn given_up(&self, now: Instant) -> Vec<IpAddr> {
        let mut exchanges = self.lock();
        exchanges.end_old(now);
        mem::take(&mut exchanges.given_up)
    }

    fn lock(&self) -> MutexGuard<'_, Exchanges<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Exchanges<T> {
    fn position(&self, connection: u64) -> Option<usize> {
        self.under_way.iter().position(|exchange| exchange.connection == connection)
    }

    fn make_room(&mut self, network: IpAddr) {
        let is_own = |exchange: &Exchange<T>| network_of(exchange.peer) == network;
        let of_network = self.under_way.iter().filter(|exchange| is_own(exchange)).count();
        let oldest = match of_network < MOST_OF_A_NETWORK {
            true => (self.under_way.len() >= MOST).then_some(0),
            false => self.under_way.iter().position(is_own),
        };
        if let Some(oldest) = oldest {
            self.end(oldest);
        }
    }

    fn end_old(&mut self, now: Instant) {
        let is_old = |exchange: &Exchange<T>| now.saturating_duration_since(exchange.since) >= TIME;
        while self.under_way.front().is_some_and(is_old) {
            self.end(0);
        }
    }

    fn end(&mut self, at: usize) {
        self.given_up.extend(self.under_way.remove(at).map(|exchange| exchange.peer));
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    fn peer(network: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, network])
    }

    #[test]
    fn an_exchange_belongs_to_its_connection_and_ends_by_itself() {
        let (unfinished, now) = (Unfinished::default(), Instant::now());
        unfinished.put(peer(1), 1, "one", now);
        unfinished.put(peer(2), 2, "two", now);
        assert_eq!(unfinished.take(3, now), None);
        assert_eq!(unfinished.take(2, now), Some("two"));
        assert_eq!(unfinished.take(2, now), None);
        assert_eq!(unfinished.take(1, now + TIME), None);
        assert!(unfinished.lock().under_way.is_empty());
    }

    #[test]
    fn the_oldest_of_a_network_makes_room_for_its_own() {
        let (unfinished, now) = (Unfinished::default(), Instant::now());
        unfinished.put(peer(1), 0, 0, now);
        (1..=1000).for_each(|connection| unfinished.put(peer(2), connection, connection, now));
        assert_eq!(unfinished.lock().under_way.len(), 1 + MOST_OF_A_NETWORK);
        assert_eq!(unfinished.given_up(now), vec![peer(2); 1000 - MOST_OF_A_NETWORK]);
        assert_eq!(
            (unfinished.take(0, now), unfinished.take(1, now), unfinished.take(1000, now)),
            (Some(0), None, Some(1000))
        );
    }

    #[test]
    fn the_addresses_of_one_network_count_together() {
        let (unfinished, now) = (Unfinished::default(), Instant::now());
        let address = |n: u64| IpAddr::from(Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | u128::from(n)));
        (0..1000).for_each(|n| unfinished.put(address(n), n, n, now));
        assert_eq!(unfinished.lock().under_way.len(), MOST_OF_A_NETWORK);
    }

    #[test]
    fn there_are_few_in_all() {
        let (unfinished, now) = (Unfinished::default(), Instant::now());
        (0..200).for_each(|network| unfinished.put(peer(network), network.into(), network, now));
        assert_eq!(unfinished.lock().under_way.len(), MOST);
        assert_eq!((unfinished.take(0, now), unfinished.take(199, now)), (None, Some(199)));
    }

    #[test]
    fn each_that_is_not_finished_is_told_once() {
        let (unfinished, now) = (Unfinished::default(), Instant::now());
        (1..=3).for_each(|network| unfinished.put(peer(network), network.into(), network, now));
        assert_eq!(unfinished.take(1, now), Some(1));
        unfinished.give_up(1);
        unfinished.give_up(2);
        assert_eq!(unfinished.given_up(now), [peer(2)]);
        assert_eq!(unfinished.given_up(now + TIME), [peer(3)]);
        assert!(unfinished.given_up(now + TIME).is_empty());
    }
}
