//! How VIBs stand between the image that runs and the one that waits for a boot.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::descriptor::{Descriptor, VibId};
use super::image::{Image, ImageSnapshot};

/// How a VIB stands: it runs, it waits for the next boot, or both.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// The VIB.
    pub id: VibId,
    /// Whether the image that runs has it.
    pub is_running: bool,
    /// Whether an image waits for the next boot and has it.
    pub is_next: bool,
}

impl ImageSnapshot {
    /// All VIBs: those of the image that runs by their names, then those that only the pending one has.
    pub fn standing(&self) -> impl Iterator<Item = (&Arc<Descriptor>, Standing)> {
        let pending = self.pending.as_deref();
        let running = self.running.vibs.iter().map(move |vib| {
            let is_next = pending.is_some_and(|image| image.has(vib));
            (vib, Standing { id: vib.id(), is_running: true, is_next })
        });
        let coming = pending.into_iter().flat_map(|image| &image.vibs).filter(|vib| !self.running.has(vib));
        running.chain(coming.map(|vib| (vib, Standing { id: vib.id(), is_running: false, is_next: true })))
    }
}

impl Image {
    fn has(&self, vib: &Descriptor) -> bool {
        self.named(&vib.name).is_some_and(|other| other.id() == vib.id())
    }
}
