//! What is large and seldom needed: read when it is first asked for, read again when its files changed, dropped when
//! nobody has asked for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::marks::Marks;

/// How long the thing is taken for what its files are without a look at them.
const MOMENT: Duration = Duration::from_secs(1);

/// A place for one such thing.
#[derive(Debug)]
pub(super) struct Shelf<T>(Mutex<Option<Kept<T>>>);

#[derive(Debug)]
struct Kept<T> {
    value: Arc<T>,
    marks: Marks,
    /// When the marks were those of the files; `None` if that is in doubt.
    compared: Option<Instant>,
    used: Instant,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Shelf<T> {
    /// The thing, read now unless it is there and `marks` are still those of the files that it was read from. Blocks;
    /// several who ask at one time wait for one reading.
    pub(super) fn get<E>(&self, marks: Marks, read: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut kept = self.lock();
        if let Some(kept) = kept.as_mut().filter(|kept| kept.marks == marks) {
            kept.used = Instant::now();
            kept.compared = Some(kept.used);
            return Ok(kept.value.clone());
        }
        // Given up first, so that the old and the new do not both take room.
        *kept = None;
        // The files may change while they are read.
        let compared = Some(Instant::now());
        let value = Arc::new(read()?);
        *kept = Some(Kept { value: value.clone(), marks, compared, used: Instant::now() });
        Ok(value)
    }

    /// The thing, if a moment ago it was as its files were; `None` if it must be read or compared first, or is being read.
    pub(super) fn peek(&self) -> Option<Arc<T>> {
        let mut kept = self.0.try_lock().ok()?;
        let kept = kept.as_mut().filter(|kept| kept.compared.is_some_and(|at| at.elapsed() < MOMENT))?;
        kept.used = Instant::now();
        Some(kept.value.clone())
    }

    /// The thing as it was read last, whether or not its files are still those; `None` if there is none or it is being read.
    pub(super) fn latest(&self) -> Option<Arc<T>> {
        self.0.try_lock().ok()?.as_ref().map(|kept| kept.value.clone())
    }

    /// Has the next who asks compare the files first.
    pub(super) fn doubt(&self) {
        if let Some(kept) = self.lock().as_mut() {
            kept.compared = None;
        }
    }

    /// Drops the thing if nobody asked for it for `idle`. What is being read is in use.
    pub(super) fn drop_unused(&self, idle: Duration) {
        if let Ok(mut kept) = self.0.try_lock() {
            kept.take_if(|kept| kept.used.elapsed() >= idle);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Kept<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_once_until_its_files_change_or_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        let shelf = Shelf::default();
        let mut readings = 0;
        let mut get = || {
            let marks = Marks::of(vec![file.clone()]);
            *shelf
                .get(marks, || -> Result<u32, ()> {
                    readings += 1;
                    Ok(readings)
                })
                .unwrap()
        };
        assert_eq!((get(), get()), (1, 1));
        std::fs::write(&file, "x").unwrap();
        assert_eq!((get(), get()), (2, 2));
        shelf.drop_unused(Duration::from_secs(3600));
        assert_eq!(get(), 2);
        shelf.doubt();
        assert_eq!((shelf.peek(), shelf.latest().as_deref()), (None, Some(&2)));
        shelf.drop_unused(Duration::ZERO);
        assert_eq!(shelf.latest(), None);
        assert_eq!(get(), 3);
    }

    #[test]
    fn a_failed_reading_keeps_nothing() {
        let shelf = Shelf::<u32>::default();
        assert!(shelf.get(Marks::default(), || Err(())).is_err());
        assert_eq!(*shelf.get(Marks::default(), || Ok::<_, ()>(7)).unwrap(), 7);
    }
}
