//! What else comes because something needs it.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::descriptor::Descriptor;
use super::super::matching::{ConstraintIndex, ProvideIndex};
use super::super::relation::Constraint;
use super::super::stop::{Stop, check_cancelled};
use super::check::{conflicts, unmet};
use super::draft::{Draft, Drafted};
use crate::software::CancelToken;

/// Lets VIBs that are at hand come where they help: what is needed, and newer versions of what has an unmet need or a
/// conflict; again until nothing more helps. Every choice stands: what does not come out right that way is for the check to
/// tell of.
pub(super) fn complete<'a>(
    draft: &mut Draft<'a>,
    at_hand: &[&'a Arc<Descriptor>],
    cancel: &CancelToken,
) -> Result<(), Stop> {
    let helpers = Helpers::new(at_hand);
    // Every round makes the draft newer, so there is a last one.
    while !at_hand.is_empty() {
        let drafted = draft.drafted();
        let help = helpers.help(draft, &drafted, cancel)?;
        if help.is_empty() {
            return Ok(());
        }
        for vib in help {
            let newer_than = |coming: &&Arc<Descriptor>| vib.version.compare(&coming.version).is_gt();
            if draft.incoming.get(&*vib.name).is_none_or(newer_than) {
                draft.incoming.insert(&vib.name, vib);
            }
        }
    }
    Ok(())
}

/// The VIBs at hand.
struct Helpers<'a> {
    provides: ProvideIndex<'a>,
    by_address: HashMap<*const Descriptor, &'a Arc<Descriptor>>,
}

impl<'a> Helpers<'a> {
    fn new(at_hand: &[&'a Arc<Descriptor>]) -> Self {
        Self {
            provides: ProvideIndex::new(at_hand.iter().map(|vib| &***vib)),
            by_address: at_hand.iter().map(|vib| (Arc::as_ptr(vib), *vib)).collect(),
        }
    }

    /// What helps with what is wrong with the draft.
    fn help(
        &self,
        draft: &Draft<'a>,
        drafted: &Drafted<'a>,
        cancel: &CancelToken,
    ) -> Result<Vec<&'a Arc<Descriptor>>, Stop> {
        let replacing = ConstraintIndex::new(drafted.vibs(), |vib: &Descriptor| vib.replaces.as_slice());
        let may_come = |vib: &'a Descriptor| {
            let is_newer = present(draft, &vib.name).is_none_or(|there| vib.version.compare(&there.version).is_gt());
            is_newer && !replacing.meaning(vib).any(|(other, _)| !vib.obsoletes(other))
        };
        let newer = |vib: &'a Descriptor| self.newest(&vib.name, may_come);
        let mut help = Vec::new();
        for (vib, needed) in unmet(drafted, draft.base, cancel)? {
            check_cancelled(cancel)?;
            help.extend(self.meeting(draft, needed, may_come).or_else(|| newer(vib)));
        }
        for conflict in conflicts(drafted, cancel)? {
            check_cancelled(cancel)?;
            help.extend(newer(conflict.excluded).or_else(|| newer(conflict.vib)));
        }
        Ok(help)
    }

    /// What meets a need: best a newer version of what is there, then the first by name; of these the newest.
    fn meeting(
        &self,
        draft: &Draft<'_>,
        needed: &Constraint,
        may_come: impl Fn(&'a Descriptor) -> bool,
    ) -> Option<&'a Arc<Descriptor>> {
        let is_new = |vib: &Descriptor| present(draft, &vib.name).is_none();
        let best = self.provides.matching(needed).filter(|vib| may_come(vib)).min_by(|one, other| {
            is_new(one)
                .cmp(&is_new(other))
                .then_with(|| one.name.cmp(&other.name))
                .then_with(|| other.version.compare(&one.version))
        })?;
        self.by_address.get(&std::ptr::from_ref(best)).copied()
    }

    /// The newest version of a name.
    fn newest(&self, name: &str, may_come: impl Fn(&'a Descriptor) -> bool) -> Option<&'a Arc<Descriptor>> {
        let any = Constraint { name: name.into(), version: None };
        let of_name = self.provides.matching(&any).filter(|vib| *vib.name == *name && may_come(vib));
        let newest = of_name.max_by(|one, other| one.version.compare(&other.version))?;
        self.by_address.get(&std::ptr::from_ref(newest)).copied()
    }
}

/// What the draft has of a name: what comes, or else what is there.
fn present<'a>(draft: &Draft<'a>, name: &str) -> Option<&'a Arc<Descriptor>> {
    draft.incoming.get(name).copied().or_else(|| draft.base.named(name))
}
