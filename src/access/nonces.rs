//! Nonces of digests (RFC 7616): made of the time and a number, under a key that lives as long as the process, and kept nowhere
//! until somebody proves with one that it knows a password. From then on it is known which counts were used with it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use openssl::error::ErrorStack;
use subtle::ConstantTimeEq;

use super::keyed_digest::KeyedDigest;

/// How long a nonce is good.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How many nonces are kept that were used.
const CAPACITY: usize = 4096;
/// How far a request may fall behind those that were sent after it on other connections.
const WINDOW: u32 = 64;
/// Octets of the digest that makes a nonce ours.
const MAC: usize = 16;

/// When a nonce was made, in milliseconds, and its number: in order of time.
type Id = [u8; 12];

#[derive(Debug)]
pub(super) struct Nonces {
    key: KeyedDigest,
    made: AtomicU32,
    used: Mutex<Used>,
}

/// The counts that were used with each nonce.
#[derive(Debug, Default)]
struct Used {
    windows: BTreeMap<Id, Window>,
    /// What was forgotten last: what is as old is good no longer, since nobody knows how it was used.
    forgotten: Id,
}

/// The highest count, and which of those before it were used: bit n is the highest minus n.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    highest: u32,
    seen: u64,
}

impl Nonces {
    pub(super) fn new() -> Result<Self, ErrorStack> {
        let mut key = [0; 32];
        openssl::rand::rand_priv_bytes(&mut key)?;
        Ok(Self { key: KeyedDigest::new(&key), made: AtomicU32::new(0), used: Mutex::default() })
    }

    /// A new one.
    pub(super) fn make(&self, now: DateTime<Utc>) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let mut id = Id::default();
        let (time, rest) = id.split_at_mut(8);
        time.copy_from_slice(&now.timestamp_millis().to_be_bytes());
        rest.copy_from_slice(&number.to_be_bytes());
        URL_SAFE_NO_PAD.encode([&id[..], &self.mac(&id)].concat())
    }

    /// Reads a nonce; `None` if it was not made here or is too old.
    pub(super) fn read(&self, nonce: &str, now: DateTime<Utc>) -> Option<Id> {
        let octets = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let (id, mac) = octets.split_first_chunk()?;
        if !bool::from(self.mac(id).ct_eq(mac)) {
            return None;
        }
        let (time, _) = id.split_first_chunk()?;
        // The host's clock may jump back: then a nonce is old, not good for ever.
        let age = now.timestamp_millis().saturating_sub(i64::from_be_bytes(*time)).saturating_abs();
        (age <= LIFETIME.num_milliseconds()).then_some(*id)
    }

    /// Uses a count of a nonce, once; tells `false` if it was used before or cannot be told to be new.
    pub(super) fn use_up(&self, id: Id, count: u32) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = used.windows.get_mut(&id) {
            return window.take(count);
        }
        if id <= used.forgotten || !Window::default().take(count) {
            return false;
        }
        if used.windows.len() >= CAPACITY
            && let Some((oldest, _)) = used.windows.pop_first()
        {
            used.forgotten = oldest.max(used.forgotten);
        }
        if id <= used.forgotten {
            return false;
        }
        used.windows.entry(id).or_default().take(count)
    }

    fn mac(&self, id: &Id) -> [u8; MAC] {
        let [mac @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = self.key.digest(&[id]);
        mac
    }
}

impl Window {
    fn take(&mut self, count: u32) -> bool {
        if count == 0 {
            return false;
        }
        if count > self.highest {
            self.seen = self.seen.checked_shl(count - self.highest).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let behind = self.highest - count;
        let bit = 1_u64.checked_shl(behind).unwrap_or(0);
        let is_new = behind < WINDOW && self.seen & bit == 0;
        self.seen |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000_000 + seconds)
    }

    #[test]
    fn a_nonce_is_good_for_some_time_and_where_it_was_made() {
        let (nonces, others) = (Nonces::new().unwrap(), Nonces::new().unwrap());
        let nonce = nonces.make(at(0));
        assert_ne!(nonce, nonces.make(at(0)));
        assert!(nonces.read(&nonce, at(0)).is_some() && nonces.read(&nonce, at(600)).is_some());
        assert_eq!((nonces.read(&nonce, at(601)), nonces.read(&nonce, at(-601))), (None, None));
        assert_eq!(others.read(&nonce, at(0)), None);
        let changed = nonce.replacen(|_| true, if nonce.starts_with('B') { "C" } else { "B" }, 1);
        for wrong in ["", "x", &nonce[1..], &changed, &[&nonce, "A"].concat()] {
            assert_eq!(nonces.read(wrong, at(0)), None, "{wrong}");
        }
    }

    #[test]
    fn a_count_is_used_once_and_may_come_a_little_late() {
        let nonces = Nonces::new().unwrap();
        let id = nonces.read(&nonces.make(at(0)), at(0)).unwrap();
        for (count, is_new) in [
            (0, false),
            (1, true),
            (1, false),
            (5, true),
            (3, true),
            (3, false),
            (100, true),
            (37, true),
            (36, false),
            (99, true),
            (100, false),
            (u32::MAX, true),
            (u32::MAX, false),
            (u32::MAX - 63, true),
            (100, false),
        ] {
            assert_eq!(nonces.use_up(id, count), is_new, "{count}");
        }
    }

    #[test]
    fn what_is_forgotten_is_good_no_longer() {
        let nonces = Nonces::new().unwrap();
        let id = |seconds| nonces.read(&nonces.make(at(seconds)), at(seconds)).unwrap();
        let ids: Vec<_> = (0..5_000).map(id).collect();
        assert!(ids.iter().all(|&id| nonces.use_up(id, 1)));
        assert_eq!(nonces.used.lock().unwrap().windows.len(), CAPACITY);
        assert!(!ids.iter().any(|&id| nonces.use_up(id, 1)));
        // Those that are still known go on.
        assert!(nonces.use_up(ids[4_999], 2) && !nonces.use_up(ids[0], 2));
    }

    proptest! {
        #[test]
        fn no_count_is_taken_twice(counts in prop::collection::vec(0..200_u32, 1..200)) {
            let mut window = Window::default();
            let mut taken = std::collections::HashSet::new();
            for count in counts {
                if window.take(count) {
                    prop_assert!(taken.insert(count));
                }
            }
        }
    }
}
