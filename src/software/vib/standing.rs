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

impl ImageSnapshot {
    /// The VIB with this id, and how it stands.
    pub fn find(&self, id: &str) -> Option<(Arc<Descriptor>, Standing)> {
        let images = [Some(&self.running), self.pending.as_ref()].into_iter().flatten();
        let vib = images.flat_map(|image| &image.vibs).find(|vib| vib.is_called(id))?;
        let is_next = self.pending.as_ref().is_some_and(|image| image.has(vib));
        Some((vib.clone(), Standing { id: vib.id(), is_running: self.running.has(vib), is_next }))
    }
}

impl Descriptor {
    /// Whether this is its id, without putting the id together: whoever looks for one VIB passes by all others.
    fn is_called(&self, id: &str) -> bool {
        let rest = [&*self.vendor, self.vib_type.word(), &*self.name]
            .into_iter()
            .try_fold(id, |rest, part| rest.strip_prefix(part)?.strip_prefix('_'));
        rest == Some(self.version.as_str())
    }
}

impl Image {
    fn has(&self, vib: &Descriptor) -> bool {
        self.named(&vib.name).is_some_and(|other| other.id() == vib.id())
    }
}

#[cfg(test)]
mod tests {
    use crate::software::testing::image_snapshot;

    #[test]
    fn a_vib_is_found_by_its_id_as_it_stands() {
        let snapshot = image_snapshot(&[("a", "1.0-1"), ("a_b", "1.0-1")], Some(&[("a", "2.0-1"), ("a_b", "1.0-1")]));
        for (vib, standing) in snapshot.standing() {
            assert_eq!(snapshot.find(vib.id().as_str()), Some((vib.clone(), standing)));
        }
        for id in ["VMware_bootbank_a_3.0-1", "VMware_bootbank_a", "VMware_locker_a_1.0-1", ""] {
            assert_eq!(snapshot.find(id), None, "{id}");
        }
    }
}
