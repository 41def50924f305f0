//! What installing VIBs makes of an image.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::super::descriptor::{Descriptor, VibId};
use super::super::image::{Image, ImageHost, ImageSnapshot};
use super::super::matching::ConstraintIndex;
use super::super::profile::ImageProfile;
use super::super::stop::{Stop, check_cancelled};
use super::check::check;
use super::completion::complete;
use super::draft::Draft;
use super::{Candidate, ImagePlan, Rules};
use crate::software::CancelToken;

impl ImagePlan {
    /// What comes of installing the wanted candidates: the newest of each name that the image does not have, or has in an
    /// older version, unless another VIB replaces it. Candidates that are only at hand come if something needs them.
    ///
    /// Everything that speaks against it is told at once: `AcceptanceConfigError` for levels below the host's,
    /// `DependencyError` for unmet needs, conflicts, and files that two VIBs bring, `HardwareError`, and
    /// `MaintenanceModeError` for a change that needs no reboot.
    pub fn install(
        snapshot: &ImageSnapshot,
        candidates: &[Candidate],
        rules: &Rules,
        cancel: &CancelToken,
    ) -> Result<Self, Stop> {
        let base = snapshot.next();
        let (draft, skipped) = draft(base, &snapshot.host, candidates, rules, cancel)?;
        let drafted = draft.drafted();
        let needs_reboot = drafted.needs_reboot(snapshot);
        check(&drafted, base, &snapshot.host, rules, needs_reboot, cancel)?;
        Ok(drafted.into_plan(base, needs_reboot, rules, skipped))
    }

    /// What comes of making a host's first image out of the wanted candidates. Its profile keeps its name, its dates, and
    /// the file names that it has for its VIBs' payloads. The same speaks against it as against an installation, except
    /// maintenance mode.
    pub fn initial(
        host: &ImageHost,
        profile: ImageProfile,
        candidates: &[Candidate],
        rules: &Rules,
        cancel: &CancelToken,
    ) -> Result<Self, Stop> {
        let base = Arc::new(Image { profile, vibs: Vec::new() });
        let (draft, skipped) = draft(&base, host, candidates, rules, cancel)?;
        let drafted = draft.drafted();
        check(&drafted, &base, host, rules, true, cancel)?;
        let mut plan = drafted.into_plan(&base, false, rules, skipped);
        let Image { profile, vibs } = Arc::unwrap_or_clone(plan.image);
        plan.image = Arc::new(Image { profile: ImageProfile { vibs: profile.vibs, ..base.profile.clone() }, vibs });
        Ok(plan)
    }
}

/// The change that the wanted candidates make, and those of them that do not come.
fn draft<'a>(
    base: &'a Arc<Image>,
    host: &ImageHost,
    candidates: &'a [Candidate],
    rules: &Rules,
    cancel: &CancelToken,
) -> Result<(Draft<'a>, Vec<VibId>), Stop> {
    let (wanted, at_hand): (Vec<_>, Vec<_>) = candidates.iter().partition(|candidate| candidate.wanted);
    let mut draft = newest(base, wanted.iter().map(|candidate| &candidate.descriptor).collect(), cancel)?;
    let at_hand = at_hand.into_iter().map(|candidate| &candidate.descriptor);
    let may_come = |vib: &&Arc<Descriptor>| vib.fits_hardware(host) && vib.acceptance_level >= rules.level;
    complete(&mut draft, &at_hand.filter(may_come).collect::<Vec<_>>(), cancel)?;
    let skipped = skipped(&wanted, &draft);
    Ok((draft, skipped))
}

/// Lets the newest come of each name, except what another VIB replaces that comes too or that stays.
///
/// Of two that replace each other the one that comes wins over the one that is there, unless both were asked for. Two that
/// come both stay, and so does a circle of more, for the check to tell of.
fn newest<'a>(
    base: &'a Arc<Image>,
    mut wanted: Vec<&'a Arc<Descriptor>>,
    cancel: &CancelToken,
) -> Result<Draft<'a>, Stop> {
    let asked: HashSet<&str> = wanted.iter().map(|vib| &*vib.name).collect();
    loop {
        let mut draft = Draft::new(base);
        for vib in &wanted {
            consider(&mut draft, vib);
        }
        let mut goes: HashSet<&str> = disputed(&draft, &asked).collect();
        let obsolete = obsolete(&draft, cancel)?;
        let is_sure = |by: &[&str]| by.iter().any(|by| !obsolete.contains_key(by));
        goes.extend(obsolete.iter().filter(|(_, by)| is_sure(by)).map(|(name, _)| *name));
        if goes.is_empty() {
            return Ok(draft);
        }
        // Another version of it may come all the same.
        let is_dropped = |vib: &Arc<Descriptor>| {
            goes.contains(&*vib.name) && draft.incoming.get(&*vib.name).is_some_and(|coming| Arc::ptr_eq(coming, vib))
        };
        wanted.retain(|vib| !is_dropped(vib));
    }
}

/// Lets a VIB come unless the image has it or a newer one, or a newer one comes already.
fn consider<'a>(draft: &mut Draft<'a>, vib: &'a Arc<Descriptor>) {
    let newer_than = |other: &Arc<Descriptor>| vib.version.compare(&other.version).is_gt();
    let stands = draft.base.named(&vib.name).is_some_and(|installed| !newer_than(installed));
    if !stands && draft.incoming.get(&*vib.name).is_none_or(|coming| newer_than(coming)) {
        draft.incoming.insert(&vib.name, vib);
    }
}

/// The names of VIBs that come and that something replaces which they replace, and which is there and was asked for too.
fn disputed<'a>(draft: &Draft<'a>, asked: &HashSet<&str>) -> impl Iterator<Item = &'a str> {
    let stands = |vib: &&Arc<Descriptor>| asked.contains(&*vib.name) && !draft.incoming.contains_key(&*vib.name);
    let standing = draft.base.vibs.iter().filter(stands).map(|vib| &**vib);
    let replacing = ConstraintIndex::new(standing, |vib: &Descriptor| vib.replaces.as_slice());
    let is_disputed = move |vib: &Descriptor| replacing.meaning(vib).any(|(other, _)| vib.obsoletes(other));
    draft.incoming.clone().into_iter().filter(move |(_, vib)| is_disputed(vib)).map(|(name, _)| name)
}

/// The names of VIBs that come and are obsolete, each with the names of what replaces it.
fn obsolete<'a>(draft: &Draft<'a>, cancel: &CancelToken) -> Result<BTreeMap<&'a str, Vec<&'a str>>, Stop> {
    let drafted = draft.drafted();
    let replacing = ConstraintIndex::new(drafted.vibs(), |vib: &Descriptor| vib.replaces.as_slice());
    let mut obsolete = BTreeMap::new();
    for (name, vib) in &draft.incoming {
        check_cancelled(cancel)?;
        let others = replacing.meaning(vib).map(|(other, _)| other).filter(|other| !vib.obsoletes(other));
        let by: Vec<&str> = others.map(|other| &*other.name).collect();
        if !by.is_empty() {
            obsolete.insert(*name, by);
        }
    }
    Ok(obsolete)
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
