//! Names and texts that are kept once, however often a schema repeats them.

use std::collections::HashSet;
use std::sync::Arc;

/// The names met so far.
#[derive(Debug, Default)]
pub(in crate::cim) struct Names(HashSet<Arc<str>>);

impl Names {
    /// The shared copy of a text.
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }
}
