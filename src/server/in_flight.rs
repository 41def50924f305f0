//! How many requests are answered at a time, in all and of one user, from the end of the body to the head of the reply.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::metrics::Counter;

/// Users are counted in so many classes: two that fall into one share what one may have.
const CLASSES: usize = 256;

/// The requests that are being answered.
#[derive(Debug)]
pub(super) struct InFlight {
    all: AtomicUsize,
    classes: [AtomicUsize; CLASSES],
    hasher: RandomState,
    refused: Counter,
}

/// A request that is being answered, until this goes.
#[derive(Debug)]
pub(super) struct Answering<'a> {
    all: &'a AtomicUsize,
    of_user: Option<&'a AtomicUsize>,
}

impl InFlight {
    pub(super) fn new() -> Self {
        let classes = std::array::from_fn(|_| AtomicUsize::new(0));
        Self { all: AtomicUsize::new(0), classes, hasher: RandomState::new(), refused: Counter::default() }
    }

    /// Takes one of so many places for a request of this user, or of nobody in particular; `None` if there is none. One user
    /// leaves a quarter of them to others.
    pub(super) fn enter(&self, limit: usize, user: Option<&str>) -> Option<Answering<'_>> {
        let answering = self.try_enter(limit, user);
        if answering.is_none() {
            self.refused.add_one();
        }
        answering
    }

    fn try_enter(&self, limit: usize, user: Option<&str>) -> Option<Answering<'_>> {
        let all = take(&self.all, limit)?;
        // From here on it goes back if there is no place for this user.
        let mut answering = Answering { all, of_user: None };
        if let Some(class) = user.and_then(|user| self.class_of(user)) {
            answering.of_user = Some(take(class, (limit - limit / 4).max(1))?);
        }
        Some(answering)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.all.load(Ordering::Relaxed)
    }

    /// For how many there was none.
    pub(super) fn refused(&self) -> u64 {
        self.refused.get()
    }

    fn class_of(&self, user: &str) -> Option<&AtomicUsize> {
        let hash = usize::try_from(self.hasher.hash_one(user) % CLASSES as u64).ok()?;
        self.classes.get(hash)
    }
}

/// One more, if there are not so many already.
fn take(count: &AtomicUsize, limit: usize) -> Option<&AtomicUsize> {
    if count.fetch_add(1, Ordering::Relaxed) < limit {
        return Some(count);
    }
    count.fetch_sub(1, Ordering::Relaxed);
    None
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
        if let Some(of_user) = self.of_user {
            of_user.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_leaves_places_to_others_and_nobody_gets_more_than_there_are() {
        let in_flight = InFlight::new();
        let of_ann: Vec<_> = (0..8).map_while(|_| in_flight.enter(8, Some("ann"))).collect();
        assert_eq!(of_ann.len(), 6);
        let anybody = in_flight.enter(8, None).unwrap();
        let last = in_flight.enter(8, None).unwrap();
        assert!(in_flight.enter(8, None).is_none() && in_flight.enter(8, Some("ann")).is_none());
        drop((anybody, last));
        assert_eq!(in_flight.count(), 6);
        assert!(in_flight.enter(6, None).is_none(), "where there are fewer places now, nobody gets another one");
        drop(of_ann);
        assert_eq!(in_flight.count(), 0);
        assert!(in_flight.enter(8, Some("ann")).is_some());
        assert!(InFlight::new().enter(1, Some("ann")).is_some());
    }
}
