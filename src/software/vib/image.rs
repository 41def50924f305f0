//! Images as they are at one moment.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::descriptor::{Descriptor, HardwarePlatform};
use super::profile::ImageProfile;

/// An image: its profile and the VIBs that are in it, in the order of their names. One version of each name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The profile.
    pub profile: ImageProfile,
    /// The VIBs.
    pub vibs: Vec<Arc<Descriptor>>,
}

impl Image {
    /// The VIB of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<Descriptor>> {
        self.vibs.binary_search_by(|vib| (*vib.name).cmp(name)).ok().and_then(|at| self.vibs.get(at))
    }
}

/// The host that an image belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageHost {
    /// The product line, `embeddedEsx` unless the host says otherwise.
    pub product_line: Box<str>,
    /// The version of the running image, such as `5.5.0`.
    pub version: Box<str>,
    /// Its build, if its version tells it.
    pub build: Option<u64>,
    /// The locale; empty where there is none.
    pub locale: Box<str>,
    /// The hardware; `None` where it is not known, and then no VIB is refused for it.
    pub hardware: Option<HardwarePlatform>,
    /// Whether the host is in maintenance mode.
    pub maintenance_mode: bool,
    /// Whether VIBs that allow it come and go while it runs; else every change waits for a boot.
    pub changes_live: bool,
    /// When it was booted last, as far as that is known.
    pub booted_at: Option<DateTime<Utc>>,
}

/// An image store at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSnapshot {
    /// The host.
    pub host: ImageHost,
    /// The image that runs.
    pub running: Arc<Image>,
    /// The image that runs after the next boot, if that is another.
    pub pending: Option<Arc<Image>>,
    /// The image that can be gone back to.
    pub previous: Option<Arc<Image>>,
}

impl ImageSnapshot {
    /// The image that the next change is made to: the pending one, or else the one that runs.
    pub fn next(&self) -> &Arc<Image> {
        self.pending.as_ref().unwrap_or(&self.running)
    }
}
