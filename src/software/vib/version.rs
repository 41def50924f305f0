//! The version of a VIB and its order.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A version as descriptors write it, `version-release`; some have no release.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VibVersion(Box<str>);

impl VibVersion {
    /// The version that is written so.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VibVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
