//! What a change makes of an image, worked out before anything is touched.
//!
//! Of what VIBs say, `depends`, `conflicts`, `replaces` and `provides` count here. `compatibleWith` asks for nothing and
//! excludes nothing; where it is not met, that is only noted.

mod candidate;
mod check;
mod completion;
mod draft;
mod installation;
mod notes;
mod problems;
mod removal;
mod roll_back;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::descriptor::{Descriptor, VibId};
use super::image::Image;
use super::level::AcceptanceLevel;
use super::operation::ImageOutcome;

/// A VIB that a plan may bring into an image.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The VIB.
    pub descriptor: Arc<Descriptor>,
    /// Whether it was asked for; one that was not comes only if another one needs it.
    pub wanted: bool,
}

/// What a plan goes by, beside what VIBs say.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The host's acceptance level: no VIB comes whose own is lower.
    pub level: AcceptanceLevel,
    /// When the change is made: the date of installation of what comes.
    pub at: DateTime<Utc>,
}

/// A change of an image.
#[derive(Clone, Debug)]
pub struct ImagePlan {
    /// The image that is changed: the one that runs after the next boot.
    pub base: Arc<Image>,
    /// What becomes of it: its VIBs, those that come with their date of installation, and the profile. There the payloads of
    /// what comes have the file names that their descriptors ask for, and none otherwise. The base itself if nothing changes.
    pub image: Arc<Image>,
    /// The VIBs that come, in the order of their ids.
    pub incoming: Vec<Arc<Descriptor>>,
    /// The VIBs that go, in the order of their ids.
    pub outgoing: Vec<Arc<Descriptor>>,
    /// The VIBs that were asked for and are there already, or in a newer version, or replaced by another, in order.
    pub skipped: Vec<VibId>,
    /// Whether the change is effective only once the host was rebooted.
    pub needs_reboot: bool,
}

impl ImagePlan {
    /// Whether anything changes.
    pub fn changes(&self) -> bool {
        !self.incoming.is_empty() || !self.outgoing.is_empty()
    }

    /// Whether it changes something, and nothing that comes or goes needs a reboot by itself.
    pub fn may_be_live(&self) -> bool {
        self.changes()
            && self.incoming.iter().all(|vib| vib.live_install_allowed)
            && self.outgoing.iter().all(|vib| vib.live_remove_allowed)
    }

    /// What the change did once it is made.
    pub fn outcome(&self) -> ImageOutcome {
        let ids = |vibs: &[Arc<Descriptor>]| vibs.iter().map(|vib| vib.id()).collect();
        ImageOutcome {
            installed: ids(&self.incoming),
            removed: ids(&self.outgoing),
            skipped: self.skipped.clone(),
            needs_reboot: self.needs_reboot,
            needs_cimom_restart: !self.needs_reboot
                && self.incoming.iter().chain(&self.outgoing).any(|vib| vib.cimom_restart),
        }
    }
}
