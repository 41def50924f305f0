//! Whether an image may become what a change makes of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::descriptor::Descriptor;
use super::super::error::{ImageError, ImageErrorClass};
use super::super::image::{Image, ImageHost};
use super::super::matching::ProvideIndex;
use super::super::relation::Constraint;
use super::super::stop::{Stop, check_cancelled};
use super::Rules;
use super::draft::Drafted;
use super::problems::{Problem, all_told};
use crate::software::CancelToken;

/// Tells everything that speaks against the change. What was wrong with the image before does not count: the change does
/// not make it worse.
///
/// Maintenance mode counts only for a change that needs no reboot.
pub(super) fn check(
    drafted: &Drafted<'_>,
    base: &Image,
    host: &ImageHost,
    rules: &Rules,
    needs_reboot: bool,
    cancel: &CancelToken,
) -> Result<(), Stop> {
    let mut problems = too_low(drafted, rules);
    let unmet = unmet(drafted, base, cancel)?.into_iter().take(MOST_OF_A_KIND);
    problems.extend(unmet.map(|(vib, needed)| unmet_problem(vib, needed)));
    problems.extend(conflicts(drafted, cancel)?.into_iter().map(|conflict| conflict_problem(&conflict)));
    problems.extend(replacements(drafted, cancel)?);
    problems.extend(file_clashes(drafted, cancel)?);
    problems.extend(hardware(drafted, host));
    if !needs_reboot {
        problems.extend(maintenance_mode(drafted, host));
    }
    Ok(all_told(problems)?)
}

/// Whether the host may go back to an image that was whole: only acceptance levels and maintenance mode count.
pub(super) fn check_return(
    drafted: &Drafted<'_>,
    host: &ImageHost,
    rules: &Rules,
    is_live: bool,
) -> Result<(), ImageError> {
    let mut problems = too_low(drafted, rules);
    if is_live {
        problems.extend(maintenance_mode(drafted, host));
    }
    all_told(problems)
}

fn too_low(drafted: &Drafted<'_>, rules: &Rules) -> Vec<Problem> {
    let low = drafted.incoming.iter().filter(|vib| vib.acceptance_level < rules.level);
    low.map(|vib| Problem {
        class: ImageErrorClass::AcceptanceConfigError,
        text: format!(
            "VIB {}'s acceptance level is {}, which is not compliant with the ImageProfile acceptance level {}.",
            vib.id(),
            vib.acceptance_level,
            rules.level
        ),
        advice: "To install it all the same, lower the host's acceptance level first; otherwise get a VIB of a higher one.",
        vibs: vec![vib.id()],
    })
    .collect()
}

/// What VIBs of the image need and it does not have, except what it did not have before.
pub(super) fn unmet<'a>(drafted: &Drafted<'a>, base: &'a Image, cancel: &CancelToken) -> Result<Vec<Need<'a>>, Stop> {
    let provides = drafted.provides();
    let mut unmet = lacking(&drafted.incoming, &provides, cancel)?;
    let mut broken = lacking(&drafted.staying, &provides, cancel)?;
    if !broken.is_empty() {
        let before = ProvideIndex::new(base.vibs.iter().map(|vib| &**vib));
        broken.retain(|(_, needed)| before.has(needed));
    }
    unmet.append(&mut broken);
    Ok(unmet)
}

/// A VIB and something that it needs.
type Need<'a> = (&'a Arc<Descriptor>, &'a Constraint);

/// What these VIBs need and nothing provides.
fn lacking<'a>(
    vibs: &[&'a Arc<Descriptor>],
    provides: &ProvideIndex<'_>,
    cancel: &CancelToken,
) -> Result<Vec<Need<'a>>, Stop> {
    let mut lacking = Vec::new();
    for vib in vibs {
        check_cancelled(cancel)?;
        lacking.extend(vib.depends.iter().filter(|needed| !provides.has(needed)).map(|needed| (*vib, needed)));
    }
    Ok(lacking)
}

fn unmet_problem(vib: &Descriptor, needed: &Constraint) -> Problem {
    Problem {
        class: ImageErrorClass::DependencyError,
        text: format!(
            "VIB {} requires {needed}, but the requirement cannot be satisfied within the ImageProfile.",
            vib.id()
        ),
        advice: "Add a bundle that has what is required, or remove the VIBs that require it.",
        vibs: vec![vib.id()],
    }
}

/// A VIB that does not stand beside another one.
#[derive(Debug)]
pub(super) struct Conflict<'a> {
    pub(super) vib: &'a Descriptor,
    pub(super) excluded: &'a Descriptor,
    pub(super) by: &'a Constraint,
}

/// How many problems of a kind are looked at: any number of VIBs may each conflict with all others, or lack what nothing has.
const MOST_OF_A_KIND: usize = 1_000;

/// The conflicts that VIBs which come have with others, whichever of the two tells of it; the first ones of very many.
pub(super) fn conflicts<'a>(drafted: &Drafted<'a>, cancel: &CancelToken) -> Result<Vec<Conflict<'a>>, Stop> {
    let provides = drafted.provides();
    let comes: HashSet<&str> = drafted.incoming.iter().map(|vib| &*vib.name).collect();
    let mut conflicts = Vec::new();
    for vib in drafted.vibs() {
        check_cancelled(cancel)?;
        for by in &vib.conflicts {
            for excluded in provides.matching(by).filter(|excluded| excluded.name != vib.name) {
                if comes.contains(&*vib.name) || comes.contains(&*excluded.name) {
                    conflicts.push(Conflict { vib, excluded, by });
                }
                if conflicts.len() == MOST_OF_A_KIND {
                    return Ok(conflicts);
                }
            }
        }
    }
    Ok(conflicts)
}

fn conflict_problem(conflict: &Conflict<'_>) -> Problem {
    let (vib, excluded) = (conflict.vib.id(), conflict.excluded.id());
    Problem {
        class: ImageErrorClass::DependencyError,
        text: format!("VIB {vib} conflicts with VIB {excluded} (it excludes {}).", conflict.by),
        advice: "Install only one of the VIBs that conflict, or remove the one that is installed first.",
        vibs: vec![vib, excluded],
    }
}

/// VIBs that come though others which come say that they replace them.
fn replacements(drafted: &Drafted<'_>, cancel: &CancelToken) -> Result<Vec<Problem>, Stop> {
    let provides = drafted.provides();
    let mut problems = Vec::new();
    for vib in &drafted.incoming {
        check_cancelled(cancel)?;
        let replaced = vib.replaces.iter().flat_map(|constraint| provides.matching(constraint));
        let left = MOST_OF_A_KIND.saturating_sub(problems.len());
        for replaced in replaced.filter(|replaced| replaced.name != vib.name).take(left) {
            problems.push(Problem {
                class: ImageErrorClass::DependencyError,
                text: format!("VIB {} replaces VIB {}, and both were to be installed.", vib.id(), replaced.id()),
                advice: "Install only one of the VIBs that replace each other.",
                vibs: vec![vib.id(), replaced.id()],
            });
        }
    }
    Ok(problems)
}

/// How many paths of a clash an error tells of; more are counted.
const PATHS_TOLD: usize = 5;

/// Files that several VIBs bring of which one comes: only one that is an overlay may bring a file which another brings too.
fn file_clashes(drafted: &Drafted<'_>, cancel: &CancelToken) -> Result<Vec<Problem>, Stop> {
    let comes: HashSet<*const Descriptor> = drafted.incoming.iter().map(|vib| Arc::as_ptr(vib)).collect();
    let mut problems = Vec::new();
    for overlay in [false, true] {
        let mut owners: HashMap<&str, &Descriptor> = HashMap::new();
        let mut clashes = Clashes::default();
        // Those that come are last, so every clash that is found there is one of theirs.
        for vib in drafted.vibs().filter(|vib| vib.overlay == overlay) {
            check_cancelled(cancel)?;
            let comes = comes.contains(&std::ptr::from_ref(vib));
            for path in &vib.files {
                let owner = *owners.entry(path).or_insert(vib);
                if comes && !std::ptr::eq(owner, vib) {
                    clashes.add(owner, vib, path);
                }
            }
        }
        problems
            .extend(clashes.found.into_iter().map(|(one, other, paths)| clash_problem(one, other, &paths, overlay)));
    }
    Ok(problems)
}

/// The paths that pairs of VIBs both bring, in the order in which the pairs are found.
#[derive(Default)]
struct Clashes<'a> {
    found: Vec<(&'a Descriptor, &'a Descriptor, Vec<&'a str>)>,
    places: HashMap<(*const Descriptor, *const Descriptor), usize>,
}

impl<'a> Clashes<'a> {
    fn add(&mut self, owner: &'a Descriptor, vib: &'a Descriptor, path: &'a str) {
        let pair = (std::ptr::from_ref(owner), std::ptr::from_ref(vib));
        let place = *self.places.entry(pair).or_insert(self.found.len());
        match self.found.get_mut(place) {
            Some((_, _, paths)) => paths.push(path),
            None => self.found.push((owner, vib, vec![path])),
        }
    }
}

fn clash_problem(one: &Descriptor, other: &Descriptor, paths: &[&str], overlay: bool) -> Problem {
    let kind = if overlay { "overlay" } else { "non-overlay" };
    let (one, other) = (one.id(), other.id());
    let told: Vec<_> = paths.iter().take(PATHS_TOLD).map(|path| format!("'/{path}'")).collect();
    let more = match paths.len().saturating_sub(PATHS_TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Problem {
        class: ImageErrorClass::DependencyError,
        text: format!("File path of {}{more} is claimed by multiple {kind} VIBs: {one}, {other}.", told.join(", ")),
        advice: "Install only one of the VIBs that bring the same file, or remove the one that is installed first.",
        vibs: vec![one, other],
    }
}

fn hardware(drafted: &Drafted<'_>, host: &ImageHost) -> Vec<Problem> {
    let Some(is) = &host.hardware else { return Vec::new() };
    let unfit = drafted.incoming.iter().filter(|vib| !vib.fits_hardware(host));
    unfit
        .map(|vib| {
            let wanted: Vec<_> = vib.hardware.iter().map(|hardware| hardware.to_string()).collect();
            Problem {
                class: ImageErrorClass::HardwareError,
                text: format!("VIB {} is for the hardware {}, and the host is {is}.", vib.id(), wanted.join(", ")),
                advice: "Get the VIB that is made for this host's hardware.",
                vibs: vec![vib.id()],
            }
        })
        .collect()
}

/// A change of a running host that needs maintenance mode.
fn maintenance_mode(drafted: &Drafted<'_>, host: &ImageHost) -> Option<Problem> {
    if host.maintenance_mode {
        return None;
    }
    let ids = |vibs: &[&Arc<Descriptor>], needs: fn(&Descriptor) -> bool| -> Vec<_> {
        vibs.iter().filter(|vib| needs(vib)).map(|vib| vib.id()).collect()
    };
    let remove = ids(&drafted.outgoing, |vib| vib.maintenance_mode.on_remove);
    let install = ids(&drafted.incoming, |vib| vib.maintenance_mode.on_install);
    let told = |vibs: &[_]| vibs.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ");
    let text = format!("MaintenanceMode is required to remove: [{}]; install: [{}].", told(&remove), told(&install));
    let vibs: Vec<_> = remove.into_iter().chain(install).collect();
    (!vibs.is_empty()).then_some(Problem {
        class: ImageErrorClass::MaintenanceModeError,
        text,
        advice: "Put the host into maintenance mode and try again.",
        vibs,
    })
}
