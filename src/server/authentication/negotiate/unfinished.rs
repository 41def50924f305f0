//! Exchanges that are under way: each belongs to the connection that it began on, and there are few of them for a short time.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many there may be; the oldest makes room for another.
const MOST: usize = 64;
/// How long a caller may take to go on.
const TIME: Duration = Duration::from_secs(30);

/// Exchanges, the oldest first.
#[derive(Debug)]
pub(super) struct Unfinished<T>(Mutex<VecDeque<Exchange<T>>>);

#[derive(Debug)]
struct Exchange<T> {
    connection: u64,
    since: Instant,
    context: T,
}

impl<T> Default for Unfinished<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Unfinished<T> {
    /// Takes the exchange of a connection out.
    pub(super) fn take(&self, connection: u64, now: Instant) -> Option<T> {
        let mut exchanges = self.lock();
        exchanges.retain(|exchange| now.saturating_duration_since(exchange.since) < TIME);
        let at = exchanges.iter().position(|exchange| exchange.connection == connection)?;
        exchanges.remove(at).map(|exchange| exchange.context)
    }

    /// Keeps the exchange of a connection until its next token comes.
    pub(super) fn put(&self, connection: u64, context: T, now: Instant) {
        let mut exchanges = self.lock();
        if exchanges.len() >= MOST {
            exchanges.pop_front();
        }
        exchanges.push_back(Exchange { connection, since: now, context });
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Exchange<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_belongs_to_its_connection_and_ends_by_itself() {
        let (unfinished, now) = (Unfinished::default(), Instant::now());
        unfinished.put(1, "one", now);
        unfinished.put(2, "two", now);
        assert_eq!(unfinished.take(3, now), None);
        assert_eq!(unfinished.take(2, now), Some("two"));
        assert_eq!(unfinished.take(2, now), None);
        assert_eq!(unfinished.take(1, now + TIME), None);
        assert!(unfinished.lock().is_empty());
    }

    #[test]
    fn the_oldest_makes_room() {
        let (unfinished, now) = (Unfinished::default(), Instant::now());
        (0..1000).for_each(|connection| unfinished.put(connection, connection, now));
        assert_eq!(unfinished.lock().len(), MOST);
        assert_eq!((unfinished.take(0, now), unfinished.take(999, now)), (None, Some(999)));
    }
}
