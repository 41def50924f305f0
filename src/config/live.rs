//! Settings that may be exchanged while they are in use.

use std::sync::{Arc, PoisonError, RwLock};

/// What holds now; clones share it. Whoever needs several settings that belong together takes them out once.
#[derive(Debug)]
pub struct Live<T>(Arc<RwLock<Arc<T>>>);

impl<T> Live<T> {
    /// Settings that hold until others do.
    pub fn new(settings: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(settings))))
    }

    /// What holds now.
    pub fn get(&self) -> Arc<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on, these hold.
    pub fn replace(&self, settings: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
