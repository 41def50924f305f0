//! An image while its change is worked out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::super::descriptor::{Descriptor, Payload, VibId};
use super::super::image::{Image, ImageSnapshot};
use super::super::matching::{ConstraintIndex, ProvideIndex};
use super::super::profile::{ImageProfile, ProfileVib};
use super::{ImagePlan, Rules};

/// An image, the VIBs that come into it, by name, and those that are removed on request.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) base: &'a Arc<Image>,
    pub(super) incoming: BTreeMap<&'a str, &'a Arc<Descriptor>>,
    pub(super) removed: HashSet<&'a str>,
}

/// What a draft makes of the image.
#[derive(Debug)]
pub(super) struct Drafted<'a> {
    /// The VIBs that stay, in the order of their names.
    pub(super) staying: Vec<&'a Arc<Descriptor>>,
    /// The VIBs that come, in the order of their names.
    pub(super) incoming: Vec<&'a Arc<Descriptor>>,
    /// The VIBs that go, in the order of their names.
    pub(super) outgoing: Vec<&'a Arc<Descriptor>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(base: &'a Arc<Image>) -> Self {
        Self { base, incoming: BTreeMap::new(), removed: HashSet::new() }
    }

    /// What it makes of the image: a VIB goes if it is removed, if another version of it comes, or if one that comes says
    /// that it replaces it.
    pub(super) fn drafted(&self) -> Drafted<'a> {
        let replacing =
            ConstraintIndex::new(self.incoming.values().map(|vib| &***vib), |vib: &Descriptor| vib.replaces.as_slice());
        let goes = |vib: &&'a Arc<Descriptor>| {
            self.removed.contains(&*vib.name)
                || self.incoming.contains_key(&*vib.name)
                || replacing.meaning(vib).next().is_some()
        };
        let (outgoing, staying) = self.base.vibs.iter().partition(goes);
        Drafted { staying, incoming: self.incoming.values().copied().collect(), outgoing }
    }
}

impl<'a> Drafted<'a> {
    /// All VIBs of the image, those that stay first.
    pub(super) fn vibs(&self) -> impl Iterator<Item = &'a Descriptor> {
        self.staying.iter().chain(&self.incoming).map(|vib| &***vib)
    }

    /// All VIBs of the image by what they provide.
    pub(super) fn provides(&self) -> ProvideIndex<'a> {
        ProvideIndex::new(self.vibs())
    }

    /// Whether the change waits for a reboot: what comes or goes is not live, or nothing is on this host, or the image that is
    /// changed waits itself.
    pub(super) fn needs_reboot(&self, snapshot: &ImageSnapshot) -> bool {
        let changes = !self.incoming.is_empty() || !self.outgoing.is_empty();
        changes
            && (snapshot.pending.is_some()
                || !snapshot.host.changes_live
                || self.incoming.iter().any(|vib| !vib.live_install_allowed)
                || self.outgoing.iter().any(|vib| !vib.live_remove_allowed))
    }

    /// The plan that it is.
    pub(super) fn into_plan(
        self,
        base: &Arc<Image>,
        needs_reboot: bool,
        rules: &Rules,
        skipped: Vec<VibId>,
    ) -> ImagePlan {
        let base = Arc::clone(base);
        let incoming: Vec<_> = self.incoming.iter().map(|vib| installed(vib, rules)).collect();
        let outgoing: Vec<_> = self.outgoing.into_iter().cloned().collect();
        let image = if incoming.is_empty() && outgoing.is_empty() {
            Arc::clone(&base)
        } else {
            let mut vibs: Vec<_> = self.staying.into_iter().chain(&incoming).cloned().collect();
            vibs.sort_by(|one, other| one.name.cmp(&other.name));
            let profile = updated(&base.profile, &vibs, rules);
            Arc::new(Image { profile, vibs })
        };
        ImagePlan { base, image, incoming: by_id(incoming), outgoing: by_id(outgoing), skipped, needs_reboot }
    }
}

fn installed(vib: &Descriptor, rules: &Rules) -> Arc<Descriptor> {
    Arc::new(Descriptor { installed_at: Some(rules.at), ..vib.clone() })
}

/// VIBs in the order of their ids.
pub(super) fn by_id(mut vibs: Vec<Arc<Descriptor>>) -> Vec<Arc<Descriptor>> {
    vibs.sort_by_cached_key(|vib| vib.id());
    vibs
}

/// What esximage puts before the name of a profile whose VIBs were changed.
const UPDATED: &str = "(Updated) ";

fn updated(profile: &ImageProfile, vibs: &[Arc<Descriptor>], rules: &Rules) -> ImageProfile {
    let known = profile.vibs.iter().map(|vib| (&vib.id, vib)).collect();
    let name = profile.name.strip_prefix(UPDATED).unwrap_or(&profile.name);
    ImageProfile {
        name: format!("{UPDATED}{name}").into(),
        modified_at: Some(rules.at),
        vibs: vibs.iter().map(|vib| in_profile(&known, vib)).collect(),
        ..profile.clone()
    }
}

/// A VIB as the profile has it; one that is new there with the file names that it asks for.
fn in_profile(known: &HashMap<&VibId, &ProfileVib>, vib: &Descriptor) -> ProfileVib {
    let id = vib.id();
    if let Some(known) = known.get(&id) {
        return ProfileVib::clone(known);
    }
    let asked = |payload: &Payload| (payload.name.clone(), payload.vfat_name.clone().unwrap_or_default());
    ProfileVib { id, payloads: vib.payloads.iter().map(asked).collect() }
}
