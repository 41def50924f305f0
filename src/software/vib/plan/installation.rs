//! What installing VIBs makes of an image.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::descriptor::{Descriptor, VibId};
use super::super::error::ImageError;
use super::super::image::ImageSnapshot;
use super::super::matching::{ConstraintIndex, ProvideIndex};
use super::super::relation::Constraint;
use super::check::{check, conflicts, unmet};
use super::draft::Draft;
use super::{Candidate, ImagePlan, Rules};

impl ImagePlan {
    /// What comes of installing the wanted candidates: the newest of each name that the image does not have, or has in an
    /// older version, unless another VIB replaces it. Candidates that are only at hand come if something needs them.
    ///
    /// Everything that speaks against it is told at once: `AcceptanceConfigError` for levels below the host's,
    /// `DependencyError` for unmet needs, conflicts, and files that two VIBs bring, `HardwareError`, and
    /// `MaintenanceModeError` for a change that needs no reboot.
    pub fn install(snapshot: &ImageSnapshot, candidates: &[Candidate], rules: &Rules) -> Result<Self, ImageError> {
        let (wanted, at_hand): (Vec<_>, Vec<_>) = candidates.iter().partition(|candidate| candidate.wanted);
        let mut draft = Draft::new(snapshot.next());
        for candidate in &wanted {
            consider(&mut draft, &candidate.descriptor, rules);
        }
        if !rules.force {
            drop_obsolete(&mut draft);
        }
        let at_hand: Vec<_> = at_hand.into_iter().map(|candidate| &candidate.descriptor).collect();
        if !at_hand.is_empty() {
            complete(&mut draft, &at_hand);
        }
        let drafted = draft.drafted();
        check(&drafted, snapshot, rules)?;
        let skipped = skipped(&wanted, &draft);
        Ok(drafted.into_plan(snapshot, rules, skipped))
    }
}

/// Lets a VIB come unless the image has it or, if that counts, a newer one, or a newer one comes already.
fn consider<'a>(draft: &mut Draft<'a>, vib: &'a Arc<Descriptor>, rules: &Rules) {
    let newer_than = |other: &Arc<Descriptor>| vib.version.compare(&other.version).is_gt();
    let stands = draft.base.named(&vib.name).is_some_and(|installed| {
        let order = vib.version.compare(&installed.version);
        order.is_eq() || (order.is_lt() && !rules.allow_downgrades)
    });
    if !stands && draft.incoming.get(&*vib.name).is_none_or(|coming| newer_than(coming)) {
        draft.incoming.insert(&vib.name, vib);
    }
}

/// Takes out again what another VIB replaces that comes too or that stays. Of two that replace each other, the one that
/// comes wins over the one that is there; two that come both stay, for the check to tell of.
fn drop_obsolete(draft: &mut Draft<'_>) {
    let others = draft.base.vibs.iter().filter(|vib| !draft.incoming.contains_key(&*vib.name));
    let all = others.chain(draft.incoming.values().copied()).map(|vib| &**vib);
    let replacing = ConstraintIndex::new(all, |vib: &Descriptor| vib.replaces.as_slice());
    let obsolete: Vec<_> = draft
        .incoming
        .values()
        .filter(|vib| replacing.meaning(vib).any(|(other, _)| !vib.obsoletes(other)))
        .map(|vib| &*vib.name)
        .collect();
    for name in obsolete {
        draft.incoming.remove(name);
    }
}

/// Lets come what is needed and at hand, until nothing more helps.
fn complete<'a>(draft: &mut Draft<'a>, at_hand: &[&'a Arc<Descriptor>]) {
    let helpers = Helpers::new(at_hand);
    loop {
        let drafted = draft.drafted();
        let mut help = Vec::new();
        for (vib, needed) in unmet(&drafted, draft.base) {
            help.extend(helpers.meeting(draft, needed).or_else(|| helpers.newer(draft, vib)));
        }
        for conflict in conflicts(&drafted) {
            help.extend(helpers.newer(draft, conflict.excluded).or_else(|| helpers.newer(draft, conflict.vib)));
        }
        if help.is_empty() {
            return;
        }
        for vib in help {
            let newer_than = |coming: &&Arc<Descriptor>| vib.version.compare(&coming.version).is_gt();
            if draft.incoming.get(&*vib.name).is_none_or(newer_than) {
                draft.incoming.insert(&vib.name, vib);
            }
        }
    }
}

/// The VIBs at hand.
struct Helpers<'a> {
    provides: ProvideIndex<'a>,
    by_address: std::collections::HashMap<*const Descriptor, &'a Arc<Descriptor>>,
}

impl<'a> Helpers<'a> {
    fn new(at_hand: &[&'a Arc<Descriptor>]) -> Self {
        Self {
            provides: ProvideIndex::new(at_hand.iter().map(|vib| &***vib)),
            by_address: at_hand.iter().map(|vib| (Arc::as_ptr(vib), *vib)).collect(),
        }
    }

    /// What meets a need and may come: best a newer version of what is there, then the first by name; of these the newest.
    fn meeting(&self, draft: &Draft<'_>, needed: &Constraint) -> Option<&'a Arc<Descriptor>> {
        let may_come = self.provides.matching(needed).filter(|vib| comes_newer(draft, vib));
        let best = may_come.min_by(|one, other| {
            let is_new = |vib: &Descriptor| present(draft, &vib.name).is_none();
            is_new(one)
                .cmp(&is_new(other))
                .then_with(|| one.name.cmp(&other.name))
                .then_with(|| other.version.compare(&one.version))
        })?;
        self.by_address.get(&std::ptr::from_ref(best)).copied()
    }

    /// The newest version of a VIB that is newer than what the draft has of it.
    fn newer(&self, draft: &Draft<'_>, vib: &Descriptor) -> Option<&'a Arc<Descriptor>> {
        let any = Constraint { name: vib.name.clone(), version: None };
        let of_name = self.provides.matching(&any).filter(|other| other.name == vib.name && comes_newer(draft, other));
        let newest = of_name.max_by(|one, other| one.version.compare(&other.version))?;
        self.by_address.get(&std::ptr::from_ref(newest)).copied()
    }
}

/// What the draft has of a name: what comes, or else what is there.
fn present<'a>(draft: &Draft<'a>, name: &str) -> Option<&'a Arc<Descriptor>> {
    draft.incoming.get(name).copied().or_else(|| draft.base.named(name))
}

fn comes_newer(draft: &Draft<'_>, vib: &Descriptor) -> bool {
    present(draft, &vib.name).is_none_or(|present| vib.version.compare(&present.version).is_gt())
}

/// The wanted VIBs that do not come.
fn skipped(wanted: &[&Candidate], draft: &Draft<'_>) -> Vec<VibId> {
    let coming: HashSet<_> = draft.incoming.values().map(|vib| vib.id()).collect();
    let mut skipped: Vec<_> = wanted.iter().map(|candidate| candidate.descriptor.id()).collect();
    skipped.retain(|id| !coming.contains(id));
    skipped.sort_unstable();
    skipped.dedup();
    skipped
}
