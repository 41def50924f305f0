//! Right passwords, remembered for a short time so that not every request costs a hash.
//!
//! What is remembered is a keyed digest under a key that lives as long as the process. An entry holds for one user and one
//! stored hash: the row is read again at most [`CHECK_INTERVAL`] after the last look, so a change that another process made
//! (`quartermaster user`) takes effect then; a change that this process made takes effect at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use openssl::error::ErrorStack;
use subtle::ConstantTimeEq;

use super::Caller;
use super::keyed_digest::{Digest, KeyedDigest};
use crate::config::Live;

/// How long an entry is believed without reading the user's row again.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Verdicts {
    key: KeyedDigest,
    lifetime: Live<Duration>,
    entries: RwLock<HashMap<Box<str>, Entry>>,
}

#[derive(Debug)]
struct Entry {
    digest: Digest,
    caller: Caller,
    hash: Box<str>,
    used: AtomicI64,
    checked: AtomicI64,
}

/// What is remembered of a name and a password.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Remembered {
    /// The password is right.
    Right(Caller),
    /// It was right; the caller of this function must see whether the user's row still holds this hash.
    Check(Caller, Box<str>),
}

impl Verdicts {
    pub(super) fn new(lifetime: Duration) -> Result<Self, ErrorStack> {
        let mut key = [0; 32];
        openssl::rand::rand_bytes(&mut key)?;
        Ok(Self { key: KeyedDigest::new(&key), lifetime: Live::new(lifetime), entries: RwLock::default() })
    }

    /// How long passwords are remembered from now on, also those that are remembered already.
    pub(super) fn remember_for(&self, lifetime: Duration) {
        self.lifetime.replace(lifetime);
    }

    /// The digest of a name, which holds no NUL, and a password.
    pub(super) fn digest(&self, name: &str, password: &[u8]) -> Digest {
        self.key.digest(&[name.as_bytes(), &[0], password])
    }

    pub(super) fn look_up(&self, name: &str, digest: &Digest, now: DateTime<Utc>) -> Option<Remembered> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(name).filter(|entry| bool::from(entry.digest.ct_eq(digest)))?;
        let now = now.timestamp_millis();
        if apart(now, entry.used.load(Ordering::Relaxed)) >= millis(*self.lifetime.get()) {
            return None;
        }
        entry.used.store(now, Ordering::Relaxed);
        let checked = entry.checked.load(Ordering::Relaxed);
        let due = apart(now, checked) >= millis(CHECK_INTERVAL);
        // One of those that come at the same time checks; the others need not wait for it.
        if due && entry.checked.compare_exchange(checked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return Some(Remembered::Check(entry.caller.clone(), entry.hash.clone()));
        }
        Some(Remembered::Right(entry.caller.clone()))
    }

    /// Remembers that the password is right; `read_at` is when the row with `hash` was read.
    pub(super) fn remember(
        &self,
        digest: Digest,
        caller: &Caller,
        hash: &str,
        read_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) {
        let lifetime = self.lifetime.get();
        if lifetime.is_zero() {
            return;
        }
        let entry = Entry {
            digest,
            caller: caller.clone(),
            hash: hash.into(),
            used: AtomicI64::new(now.timestamp_millis()),
            checked: AtomicI64::new(read_at.timestamp_millis()),
        };
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        // No more entries than users; those that nobody uses go when one comes.
        entries
            .retain(|_, entry| apart(now.timestamp_millis(), entry.used.load(Ordering::Relaxed)) < millis(*lifetime));
        entries.insert(caller.name.as_ref().into(), entry);
    }

    pub(super) fn forget(&self, name: &str) {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// How far two times are apart. The host's clock may jump back: then an entry is old, not valid for ever.
fn apart(a: i64, b: i64) -> i64 {
    a.saturating_sub(b).saturating_abs()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;

    use super::*;
    use crate::access::Role;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000_000 + seconds)
    }

    fn ann() -> Caller {
        Caller::new(Arc::from("ann"), Role::Viewer)
    }

    #[test]
    fn a_verdict_holds_for_its_name_and_password_and_while_it_is_used() {
        let verdicts = Verdicts::new(Duration::from_secs(60)).unwrap();
        let digest = verdicts.digest("ann", b"right");
        verdicts.remember(digest, &ann(), "h", at(0), at(0));
        assert_eq!(verdicts.look_up("ann", &digest, at(0)), Some(Remembered::Right(ann())));
        assert_eq!(verdicts.look_up("ann", &verdicts.digest("ann", b"wrong"), at(0)), None);
        assert_eq!(verdicts.look_up("bob", &digest, at(0)), None);
        assert!(verdicts.look_up("ann", &digest, at(59)).is_some());
        assert!(verdicts.look_up("ann", &digest, at(118)).is_some());
        assert_eq!(verdicts.look_up("ann", &digest, at(178)), None);
    }

    #[test]
    fn one_look_a_second_checks_the_row() {
        let verdicts = Verdicts::new(Duration::from_secs(60)).unwrap();
        let digest = verdicts.digest("ann", b"right");
        verdicts.remember(digest, &ann(), "h", at(0), at(0));
        assert_eq!(verdicts.look_up("ann", &digest, at(2)), Some(Remembered::Check(ann(), "h".into())));
        assert_eq!(verdicts.look_up("ann", &digest, at(2)), Some(Remembered::Right(ann())));
        verdicts.forget("ann");
        assert_eq!(verdicts.look_up("ann", &digest, at(2)), None);
    }

    #[test]
    fn a_clock_that_jumps_back_makes_no_verdict_last_for_ever() {
        let verdicts = Verdicts::new(Duration::from_secs(60)).unwrap();
        let digest = verdicts.digest("ann", b"right");
        verdicts.remember(digest, &ann(), "h", at(0), at(0));
        assert_eq!(verdicts.look_up("ann", &digest, at(-3600)), None);
    }

    #[test]
    fn nothing_is_remembered_where_the_lifetime_is_zero() {
        let verdicts = Verdicts::new(Duration::ZERO).unwrap();
        let digest = verdicts.digest("ann", b"right");
        verdicts.remember(digest, &ann(), "h", at(0), at(0));
        assert_eq!(verdicts.look_up("ann", &digest, at(0)), None);
    }

    #[test]
    fn keys_differ_between_processes_and_names_do_not_run_into_passwords() {
        let (one, two) =
            (Verdicts::new(Duration::from_secs(1)).unwrap(), Verdicts::new(Duration::from_secs(1)).unwrap());
        assert_ne!(one.digest("ann", b"p"), two.digest("ann", b"p"));
        assert_ne!(one.digest("ann", b"p"), one.digest("an", b"np"));
    }
}
