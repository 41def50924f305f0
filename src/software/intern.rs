//! Shares equal texts of one reading: thousands of packages have few architectures, versions and makers.

use std::collections::HashSet;
use std::sync::Arc;

use super::Nevra;

/// Gives the same `Arc` for the same text, for as long as it lives.
#[derive(Debug, Default)]
pub(super) struct Interner(HashSet<Arc<str>>);

impl Interner {
    /// The shared text.
    pub(super) fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.0.insert(Arc::clone(&new));
        new
    }

    /// The same name parts, their texts shared.
    pub(super) fn nevra(&mut self, nevra: &Nevra) -> Nevra {
        Nevra {
            name: self.get(&nevra.name),
            epoch: nevra.epoch,
            version: self.get(&nevra.version),
            release: nevra.release.as_deref().map(|r| self.get(r)),
            architecture: self.get(&nevra.architecture),
        }
    }
}
