//! The judgement of each bulletin.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::bulletin::Bulletin;
use super::super::descriptor::{Descriptor, VibId};
use super::super::image::ImageSnapshot;
use super::super::level::AcceptanceLevel;
use super::super::matching::ProvideIndex;
use super::super::relation::Constraint;
use super::offer::{Offer, OfferedBulletin, OfferedVib};
use super::result::{BulletinStatus, BulletinVib, Prerequisite};
use super::standing::{Stand, Standing};
use crate::software::patch_state::{InstallState, PartChange, PatchReason, PatchState};

/// How many bulletins are told that supersede one, for each of its VIBs.
const SUPERSEDING_TOLD: usize = 4;

/// What judges bulletins.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    snapshot: &'a ImageSnapshot,
    level: AcceptanceLevel,
    offer: &'a Offer<'a>,
    next: Stand<'a>,
    vibs: Vec<Judged<'a>>,
    in_image: HashSet<VibId>,
}

/// A VIB of the offer as the host stands to it.
#[derive(Debug)]
struct Judged<'a> {
    /// How the image stands to it that the next change is made to.
    next: Standing<'a>,
    /// The ids of what stands in its place there, or would go for it.
    on_host: Vec<VibId>,
    /// How the one stands that runs.
    running: Standing<'a>,
    /// What it needs and that image lacks, each with the place of the VIB that has it.
    lacks: Vec<(&'a Constraint, Option<usize>)>,
    /// The VIBs of that image that it does not stand beside.
    conflicts: Vec<&'a Descriptor>,
}

impl Judged<'_> {
    fn is_absent(&self) -> bool {
        matches!(self.next, Standing::Absent(_))
    }
}

impl<'a> Judge<'a> {
    pub(super) fn new(snapshot: &'a ImageSnapshot, level: AcceptanceLevel, offer: &'a Offer<'a>) -> Self {
        let (next, running) = (Stand::new(snapshot.next()), Stand::new(&snapshot.running));
        let mut vibs: Vec<_> = offer
            .vibs
            .iter()
            .map(|offered| {
                let standing = next.standing(offered.vib);
                Judged {
                    on_host: standing.others().iter().map(|vib| vib.id()).collect(),
                    next: standing,
                    running: running.standing(offered.vib),
                    lacks: Vec::new(),
                    conflicts: Vec::new(),
                }
            })
            .collect();
        let comes = offer.vibs.iter().zip(&vibs).filter(|(offered, judged)| offered.may_come && judged.is_absent());
        let provides = ProvideIndex::new(comes.map(|(offered, _)| offered.vib));
        let mut met = HashMap::new();
        for (offered, judged) in offer.vibs.iter().zip(&mut vibs).filter(|(_, judged)| judged.is_absent()) {
            let lacks = offered.vib.depends.iter().filter(|needed| !next.meets(needed));
            let mut meeting = |needed: &'a Constraint| {
                *met.entry(needed).or_insert_with(|| best(&provides, needed).and_then(|vib| offer.place(vib)))
            };
            judged.lacks = lacks.map(|needed| (needed, meeting(needed))).collect();
            judged.conflicts = next.conflicting(offered.vib);
        }
        let in_image = snapshot.next().vibs.iter().map(|vib| vib.id()).collect();
        Self { snapshot, level, offer, next, vibs, in_image }
    }

    /// How the host stands to the bulletin at this place of the offer.
    pub(super) fn status(&self, place: usize, offered: &'a OfferedBulletin<'a>) -> BulletinStatus {
        let mut status = outline(offered.bulletin);
        status.vibs =
            offered.bulletin.vibs.iter().zip(&offered.vibs).map(|(id, vib)| self.vib(offered, id, *vib)).collect();
        let content = Content { judge: self, offered, vibs: self.applicable(offered) };
        status.applicable = !content.vibs.is_empty();
        if !status.applicable {
            status.reasons = vec![self.unfit(offered)];
            return status;
        }
        content.judge_state(&mut status);
        content.judge_effort(&mut status);
        status.superseded_by = content.superseded_by(place);
        status
    }

    /// The VIBs of a bulletin that are for the host.
    fn applicable(&self, offered: &OfferedBulletin<'a>) -> Vec<(usize, &OfferedVib<'a>, &Judged<'a>)> {
        let places = offered.vibs.iter().flatten().filter(|_| offered.fits);
        let vibs = places.filter_map(|&place| Some((place, self.offer.vibs.get(place)?, self.vibs.get(place)?)));
        vibs.filter(|(_, offered, _)| offered.fits()).collect()
    }

    /// A VIB of a bulletin.
    fn vib(&self, bulletin: &OfferedBulletin<'a>, id: &VibId, place: Option<usize>) -> BulletinVib {
        let known = place.and_then(|place| Some((self.offer.vibs.get(place)?, self.vibs.get(place)?)));
        let Some((offered, judged)) = known else {
            let change = if self.in_image.contains(id) { PartChange::Installed } else { PartChange::Unknown };
            return BulletinVib { id: id.clone(), change, on_host: Vec::new() };
        };
        if !bulletin.fits || !offered.fits() {
            return BulletinVib { id: id.clone(), change: PartChange::NotApplicable, on_host: Vec::new() };
        }
        let change = match &judged.next {
            Standing::Present(_) => PartChange::Installed,
            Standing::Obsoleted(_) => PartChange::Obsoleted,
            Standing::Absent(goes) if goes.is_empty() => PartChange::New,
            Standing::Absent(_) => PartChange::Update,
        };
        BulletinVib { id: id.clone(), change, on_host: judged.on_host.clone() }
    }

    /// Why nothing of a bulletin is for the host.
    fn unfit(&self, offered: &OfferedBulletin<'a>) -> PatchReason {
        let of_bulletin = || offered.vibs.iter().flatten().filter_map(|&place| self.offer.vibs.get(place));
        if !offered.fits {
            PatchReason::Platform
        } else if offered.vibs.is_empty() {
            PatchReason::NoContent
        } else if of_bulletin().any(|vib| vib.fits_platform) {
            PatchReason::Hardware
        } else if offered.vibs.contains(&None) {
            PatchReason::MetadataIncomplete
        } else {
            PatchReason::Platform
        }
    }
}

/// What of a bulletin is for the host.
struct Content<'j, 'a> {
    judge: &'j Judge<'a>,
    offered: &'j OfferedBulletin<'a>,
    vibs: Vec<(usize, &'j OfferedVib<'a>, &'j Judged<'a>)>,
}

impl<'a> Content<'_, 'a> {
    /// The VIBs that would come, each with those that would go for it.
    fn coming(&self) -> impl Iterator<Item = (&OfferedVib<'a>, &Judged<'a>, &[&'a Descriptor])> {
        self.vibs.iter().filter_map(|(_, offered, judged)| match &judged.next {
            Standing::Absent(goes) => Some((*offered, *judged, goes.as_slice())),
            _ => None,
        })
    }

    /// Whether the catalogue lacks a VIB that the image lacks too.
    fn is_incomplete(&self) -> bool {
        let ids = self.offered.bulletin.vibs.iter().zip(&self.offered.vibs);
        ids.filter(|(_, place)| place.is_none()).any(|(id, _)| !self.judge.in_image.contains(id))
    }

    fn judge_state(&self, status: &mut BulletinStatus) {
        let is_incomplete = self.is_incomplete();
        status.installed = !is_incomplete && self.coming().next().is_none();
        if is_incomplete {
            status.reasons.push(PatchReason::MetadataIncomplete);
        }
        if !status.installed {
            status.state = PatchState::Missing;
            self.judge_obstacles(status);
            return;
        }
        status.install_states = self.install_states();
        let is_present = |judged: &Judged<'_>| matches!(judged.next, Standing::Present(_));
        status.state = if !self.vibs.iter().any(|(_, _, judged)| is_present(judged)) {
            status.reasons.push(PatchReason::Obsoleted);
            PatchState::Superseded
        } else if status.install_states.contains(&InstallState::ImageActive) {
            PatchState::Installed
        } else {
            PatchState::RebootPending
        };
        let present = self.vibs.iter().filter(|(_, _, judged)| is_present(judged));
        if self.judge.next.is_needed(&present.map(|(_, offered, _)| &*offered.vib.name).collect()) {
            status.reasons.push(PatchReason::HasDependentPatch);
        }
    }

    /// How far an installed bulletin took effect.
    fn install_states(&self) -> Vec<InstallState> {
        let booted_at = self.judge.snapshot.host.booted_at;
        let running: Option<Vec<_>> = self.vibs.iter().map(|(_, _, judged)| judged.running.there()).collect();
        let Some(running) = running else { return Vec::new() };
        let was_restarted = |vib: &Descriptor| match (booted_at, vib.installed_at) {
            (Some(booted), Some(installed)) => booted >= installed,
            (Some(_), None) => true,
            // It came with a boot, or else without.
            (None, _) => !vib.live_install_allowed,
        };
        if running.into_iter().all(was_restarted) {
            vec![InstallState::HostRestarted, InstallState::ImageActive]
        } else {
            vec![InstallState::ImageActive]
        }
    }

    /// What speaks against installing it.
    fn judge_obstacles(&self, status: &mut BulletinStatus) {
        self.judge_needs(status);
        self.judge_conflicts(status);
        // An outline does not tell its level.
        let is_below =
            |offered: &OfferedVib<'_>| offered.vib.acceptance_level < self.judge.level && !offered.is_outline;
        if self.coming().any(|(offered, _, _)| is_below(offered)) {
            status.reasons.push(PatchReason::AcceptanceLevel);
        }
    }

    fn judge_needs(&self, status: &mut BulletinStatus) {
        let mut prerequisites = BTreeSet::new();
        for (_, judged, _) in self.coming() {
            for (needed, met_by) in &judged.lacks {
                if self.coming().any(|(offered, _, _)| needed.matches(offered.vib)) {
                    continue;
                }
                let met_by = met_by.and_then(|place| self.judge.offer.vibs.get(place));
                match met_by.map(|vib| vib.bulletins.first()) {
                    Some(Some(bulletin)) => _ = prerequisites.insert(*bulletin),
                    Some(None) => {}
                    None => push_once(&mut status.missing_requirements, needed.to_string().into()),
                }
            }
        }
        if !prerequisites.is_empty() {
            status.reasons.push(PatchReason::MissingPatch);
        }
        if !status.missing_requirements.is_empty() {
            status.reasons.push(PatchReason::MissingLib);
        }
        let bulletins = prerequisites.into_iter().filter_map(|place| self.judge.offer.bulletins.get(place));
        // What it has is lacking on the host, so it is not installed.
        let prerequisite = |id: &str| Prerequisite { id: id.into(), install_states: Vec::new() };
        status.prerequisites = bulletins.map(|offered| prerequisite(&offered.bulletin.id)).collect();
    }

    fn judge_conflicts(&self, status: &mut BulletinStatus) {
        let goes: HashSet<_> = self.coming().flat_map(|(_, _, goes)| goes).map(|vib| &*vib.name).collect();
        let conflicts = self.coming().flat_map(|(_, judged, _)| &judged.conflicts);
        for other in conflicts.filter(|other| !goes.contains(&*other.name)) {
            let id = other.id();
            let has = self.judge.offer.vib(&id).is_some_and(|vib| !vib.bulletins.is_empty());
            push_once(&mut status.reasons, if has { PatchReason::ConflictPatch } else { PatchReason::ConflictLib });
            push_once(&mut status.conflicts_with, id);
        }
    }

    /// What installing it takes, or took.
    fn judge_effort(&self, status: &mut BulletinStatus) {
        let comes: Vec<&Descriptor> = if status.installed {
            self.vibs.iter().map(|(_, offered, _)| offered.vib).collect()
        } else {
            self.coming().map(|(offered, _, _)| offered.vib).collect()
        };
        let goes: Vec<&Descriptor> = self.coming().flat_map(|(_, _, goes)| goes).copied().collect();
        let snapshot = self.judge.snapshot;
        status.restart_required = (!status.installed && (snapshot.pending.is_some() || !snapshot.host.changes_live))
            || comes.iter().any(|vib| !vib.live_install_allowed)
            || goes.iter().any(|vib| !vib.live_remove_allowed);
        if !status.restart_required {
            status.maintenance_mode_required = comes.iter().any(|vib| vib.maintenance_mode.on_install)
                || goes.iter().any(|vib| vib.maintenance_mode.on_remove);
            status.reconnect_required = comes.iter().chain(&goes).any(|vib| vib.cimom_restart);
        }
    }

    /// The bulletins that supersede it, if together they have everything of it in newer versions, or the same, or the host
    /// has the rest.
    fn superseded_by(&self, place: usize) -> Vec<Box<str>> {
        let offer = self.judge.offer;
        let newer = |offered: &OfferedVib<'a>| offered.superseded_by.and_then(|newer| offer.vibs.get(newer));
        let (mut newer_in, mut same): (Vec<&[usize]>, Vec<&[usize]>) = (Vec::new(), Vec::new());
        for (_, offered, judged) in &self.vibs {
            match newer(offered) {
                Some(newer) if newer.bulletins != [place] => newer_in.push(&newer.bulletins),
                _ if judged.is_absent() => same.push(&offered.bulletins),
                _ => {}
            }
        }
        let supersedes =
            |bulletin: &usize| *bulletin != place && newer_in.iter().any(|all| all.binary_search(bulletin).is_ok());
        let is_covered = |bulletins: &[usize]| bulletins.iter().any(supersedes);
        if self.is_incomplete() || !same.into_iter().all(is_covered) {
            return Vec::new();
        }
        let told =
            newer_in.iter().flat_map(|all| all.iter().filter(|bulletin| **bulletin != place).take(SUPERSEDING_TOLD));
        let told: BTreeSet<_> = told.collect();
        told.into_iter().filter_map(|&place| offer.bulletins.get(place)).map(|told| told.bulletin.id.clone()).collect()
    }
}

/// The VIB that best meets a need: the first by name, and of that the newest.
fn best<'a>(provides: &ProvideIndex<'a>, needed: &Constraint) -> Option<&'a Descriptor> {
    provides
        .matching(needed)
        .min_by(|one, other| one.name.cmp(&other.name).then_with(|| other.version.compare(&one.version)))
}

/// A bulletin before it is judged: not for the host.
fn outline(bulletin: &Bulletin) -> BulletinStatus {
    BulletinStatus {
        id: bulletin.id.clone(),
        vendor: bulletin.vendor.clone(),
        summary: bulletin.summary.clone(),
        severity: bulletin.severity.clone(),
        category: bulletin.category.clone(),
        urgency: bulletin.urgency.clone(),
        release_type: bulletin.release_type.clone(),
        description: bulletin.description.clone(),
        release_date: bulletin.release_date,
        kb_url: bulletin.kb_url.clone(),
        component: bulletin.component.clone(),
        state: PatchState::NotApplicable,
        applicable: false,
        installed: false,
        install_states: Vec::new(),
        reasons: Vec::new(),
        missing_requirements: Vec::new(),
        prerequisites: Vec::new(),
        superseded_by: Vec::new(),
        conflicts_with: Vec::new(),
        restart_required: false,
        maintenance_mode_required: false,
        reconnect_required: false,
        vibs: Vec::new(),
    }
}

fn push_once<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
