//! The queue in front of Kerberos, whose calls block: few run at a time, off the event loop, and a bounded number waits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use crate::access::network_of;

/// How many tokens are looked at at the same time.
const AT_A_TIME: usize = 2;
/// How many may be looked at or wait in all.
const MOST: usize = 64;
/// How many of them may come from one network.
const MOST_OF_A_NETWORK: usize = 32;

#[derive(Debug)]
pub(super) struct Turns {
    free: Arc<Semaphore>,
    waiting: Mutex<HashMap<IpAddr, usize>>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { free: Arc::new(Semaphore::new(AT_A_TIME)), waiting: Mutex::default() }
    }

    /// Waits for a turn and runs `work` on a blocking thread; `None` if too many wait.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        peer: IpAddr,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let _place = self.enter(network_of(peer))?;
        let turn = self.free.clone().acquire_owned().await.ok()?;
        // The turn goes with the work: a client that hangs up does not let more run.
        let work = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work).await.ok()
    }

    fn enter(&self, network: IpAddr) -> Option<Place<'_>> {
        let mut waiting = self.lock();
        let all: usize = waiting.values().sum();
        let of_network = waiting.get(&network).copied().unwrap_or_default();
        if all >= MOST || of_network >= MOST_OF_A_NETWORK {
            return None;
        }
        waiting.insert(network, of_network + 1);
        Some(Place { turns: self, network })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of one who waits, or whose token is looked at.
struct Place<'a> {
    turns: &'a Turns,
    network: IpAddr,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.turns.lock();
        match waiting.get_mut(&self.network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(waiting.remove(&self.network)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_bounded_and_given_back() {
        let turns = Turns::new();
        let network = |n: u8| IpAddr::from([192, 0, 2, n]);
        let mut places: Vec<_> = (0..MOST_OF_A_NETWORK).map(|_| turns.enter(network(1)).unwrap()).collect();
        assert!(turns.enter(network(1)).is_none());
        assert_eq!(turns.run(network(1), || 1).await, None);
        assert_eq!(turns.run(network(2), || 2).await, Some(2));
        places.extend((MOST_OF_A_NETWORK..MOST).map(|_| turns.enter(network(2)).unwrap()));
        assert!(turns.enter(network(3)).is_none());
        drop(places);
        assert!(turns.lock().is_empty());
        assert_eq!(turns.run(network(1), || 1).await, Some(1));
    }
}
