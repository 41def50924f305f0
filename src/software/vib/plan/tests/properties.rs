//! What holds for every plan that comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proptest::prelude::*;

use super::super::super::image::Image;
use super::super::super::relation::Constraint;
use super::super::super::samples::{Package, bulletin, constraint, host_with, vib};
use super::super::super::scan::scan;
use super::*;
use crate::software::patch_state::PatchState;

/// A VIB of a small world, in which names, versions and relations meet often.
fn any_vib() -> impl Strategy<Value = Descriptor> {
    let relation = prop_oneof![
        "[a-e]",
        ("[a-e]", prop::sample::select(vec!["<<", "<=", "=", ">=", ">>"]), 1..4)
            .prop_map(|(name, relation, version)| { format!("{name} {relation} {version}") }),
    ];
    let relations = |most| prop::collection::vec(relation.clone(), 0..=most);
    let provided = prop::collection::vec("[a-e]( [123])?", 0..2);
    (("[a-e]", 1..4), relations(1), relations(1), relations(1), provided, "[x-z]?", any::<bool>()).prop_map(
        |((name, version), depends, conflicts, replaces, provides, file, live)| {
            let mut vib = vib(&format!("{name} {version}-1"));
            vib.depends = depends.iter().map(|text| constraint(text)).collect();
            vib.conflicts = conflicts.iter().map(|text| constraint(text)).collect();
            vib.replaces = replaces.iter().map(|text| constraint(text)).collect();
            vib = provides.iter().fold(vib, |vib, text| vib.providing(text));
            vib = if file.is_empty() { vib } else { vib.with_file(&file) };
            if live { vib } else { vib.needing_reboot() }
        },
    )
}

/// Some VIBs, one of each id.
#[derive(Clone)]
struct World(Vec<Descriptor>);

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = |constraints: &[Constraint]| constraints.iter().map(ToString::to_string).collect::<Vec<_>>();
        for vib in &self.0 {
            let provides: Vec<_> = vib.provides.iter().map(ToString::to_string).collect();
            write!(f, "{} {}", vib.name, vib.version)?;
            write!(f, " needs {:?} excludes {:?}", texts(&vib.depends), texts(&vib.conflicts))?;
            writeln!(f, " replaces {:?} provides {provides:?} {:?}", texts(&vib.replaces), vib.files)?;
        }
        Ok(())
    }
}

/// What is there, what is asked for and what is at hand, of one world: a VIB is the same in all of them.
fn worlds() -> impl Strategy<Value = [World; 3]> {
    prop::collection::vec((any_vib(), any::<[bool; 3]>()), 0..10).prop_map(|mut vibs| {
        let mut seen = BTreeSet::new();
        vibs.retain(|(vib, _)| seen.insert(vib.id()));
        [0, 1, 2].map(|part| World(vibs.iter().filter(|(_, parts)| parts[part]).map(|(vib, _)| vib.clone()).collect()))
    })
}

/// An image of the newest VIB of each name, whether they fit each other or not.
fn installed(World(vibs): World) -> ImageSnapshot {
    let mut newest: BTreeMap<Box<str>, Descriptor> = BTreeMap::new();
    for vib in vibs {
        let vib = Descriptor { files: vec![], ..vib };
        if newest.get(&vib.name).is_none_or(|known| vib.version.compare(&known.version).is_gt()) {
            newest.insert(vib.name.clone(), vib);
        }
    }
    host_with(newest.into_values().collect())
}

fn assert_sound(plan: &ImagePlan) {
    let vibs = || plan.image.vibs.iter();
    assert!(plan.image.vibs.is_sorted_by(|one, other| one.name < other.name), "one of each name, in order");
    for comes in &plan.incoming {
        assert!(vibs().any(|vib| Arc::ptr_eq(vib, comes)));
        for needed in &comes.depends {
            assert!(vibs().any(|vib| needed.matches(vib)), "{} needs {needed}", comes.id());
        }
        for other in vibs().filter(|other| other.name != comes.name) {
            let excludes = |one: &Descriptor, other: &Descriptor| one.conflicts.iter().any(|by| by.matches(other));
            assert!(!excludes(comes, other) && !excludes(other, comes), "{} and {}", comes.id(), other.id());
            assert!(!comes.obsoletes(other), "{} replaces {}", comes.id(), other.id());
            assert!(!comes.files.iter().any(|file| other.files.contains(file)), "{} and {}", comes.id(), other.id());
        }
    }
    let before: BTreeSet<_> = plan.base.vibs.iter().map(|vib| vib.id()).collect();
    let mut after = before.clone();
    let outcome = plan.outcome();
    for gone in &outcome.removed {
        assert!(after.remove(gone), "{gone} was not there");
    }
    for came in &outcome.installed {
        assert!(after.insert(came.clone()), "{came} was there");
    }
    assert_eq!(after, vibs().map(|vib| vib.id()).collect());
}

/// Whether VIBs replace each other in a circle, whatever their versions; which of them comes depends on what is there.
fn replace_each_other(vibs: &[Descriptor]) -> bool {
    let replaces = |one: &Descriptor, other: &Descriptor| one.name != other.name && one.obsoletes(other);
    let pairs = vibs
        .iter()
        .flat_map(|one| vibs.iter().filter(move |other| replaces(one, other)).map(move |other| (one, other)));
    let mut reached: BTreeSet<(&str, &str)> = pairs.map(|(one, other)| (&*one.name, &*other.name)).collect();
    loop {
        let longer = reached.iter().flat_map(|(one, middle)| {
            reached.iter().filter(move |(start, _)| start == middle).map(move |(_, end)| (*one, *end))
        });
        let more: BTreeSet<_> = longer.filter(|pair| !reached.contains(pair)).collect();
        if more.is_empty() {
            return reached.iter().any(|(one, other)| one == other);
        }
        reached.extend(more);
    }
}

/// The first of each name. Of several versions an older one may come only because the newest is obsolete at first.
fn first_of_each_name(vibs: Vec<Descriptor>) -> Vec<Descriptor> {
    let mut seen = BTreeSet::new();
    vibs.into_iter().filter(|vib| seen.insert(vib.name.clone())).collect()
}

/// Whether another version of a VIB that was skipped went, replaced by something: then the next plan may bring it.
fn may_come_later(plan: &ImagePlan, asked: &[Descriptor]) -> bool {
    let went = |vib: &Descriptor| plan.outgoing.iter().any(|gone| gone.name == vib.name && gone.id() != vib.id());
    asked.iter().any(|vib| went(vib) && plan.image.named(&vib.name).is_none())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_comes_out_is_whole([there, asked, help] in worlds()) {
        let candidates = [wanted(asked.0), at_hand(help.0)].concat();
        if let Ok(plan) = planned(&installed(there), &candidates) {
            assert_sound(&plan);
        }
    }

    #[test]
    fn what_is_installed_does_not_change_again([there, World(asked), _] in worlds()) {
        let asked = first_of_each_name(asked);
        if replace_each_other(&[there.0.clone(), asked.clone()].concat()) {
            return Ok(());
        }
        let snapshot = installed(there);
        if let Ok(plan) = planned(&snapshot, &wanted(asked.clone())) {
            if may_come_later(&plan, &asked) {
                return Ok(());
            }
            let next = ImageSnapshot { running: Arc::clone(&plan.image), ..snapshot };
            let again = planned(&next, &wanted(asked));
            prop_assert!(again.is_ok_and(|again| !again.changes()));
        }
    }

    #[test]
    fn a_removal_leaves_what_remains_whole([there, _, _] in worlds(), name in "[a-e]") {
        let snapshot = installed(there);
        let broken = |image: &Image| -> BTreeSet<_> {
            let needs = image.vibs.iter().flat_map(|vib| vib.depends.iter().map(move |needed| (vib.id(), needed.clone())));
            let unmet = needs.filter(|(_, needed)| !image.vibs.iter().any(|vib| needed.matches(vib)));
            unmet.map(|(id, needed)| format!("{id} {needed}")).collect()
        };
        if let Ok(plan) = ImagePlan::remove(&snapshot, &[name], &rules(), &CancelToken::default()) {
            assert_sound(&plan);
            prop_assert!(broken(&plan.image).is_subset(&broken(&plan.base)));
        }
    }

    #[test]
    fn a_bulletin_that_was_deployed_is_no_longer_missing([there, World(of), _] in worlds()) {
        let of = first_of_each_name(of);
        if replace_each_other(&[there.0.clone(), of.clone()].concat()) {
            return Ok(());
        }
        let snapshot = installed(there);
        let mut package = Package::of(of.clone());
        package.bulletins.push(bulletin("B", 1, &of));
        let catalogue = package.catalogue();
        let Ok(candidates) = Candidate::select(&snapshot.host, &catalogue, Some(&["B".to_owned()])) else { return Ok(()) };
        if let Ok(plan) = planned(&snapshot, &candidates) {
            if may_come_later(&plan, &of) {
                return Ok(());
            }
            let next = ImageSnapshot { running: Arc::clone(&plan.image), ..snapshot };
            let result = scan(&next, &catalogue, AcceptanceLevel::Partner, day(1), &CancelToken::default()).unwrap();
            let state = result.bulletin("B").map(|status| status.state);
            prop_assert!(matches!(state, Some(PatchState::Installed | PatchState::Superseded)), "{state:?}");
        }
    }
}
