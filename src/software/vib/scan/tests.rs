//! Tests of the scan.

mod supersession;

use std::sync::Arc;

use super::super::building::release::{esxi_5_5_u1, esxi_5_5_u1a};
use super::super::building::zipped;
use super::super::catalogue::CatalogueVib;
use super::super::descriptor::{Descriptor, HardwarePlatform, MaintenanceModeNeed, VibId};
use super::super::level::AcceptanceLevel;
use super::super::metadata::Metadata;
use super::super::plan::{Candidate, ImagePlan, Rules};
use super::super::samples::{Package, bulletin, day, host_with, ids, image, platform, vib};
use super::*;
use crate::software::patch_state::{InstallState, PartChange, PatchReason, PatchState};

fn rules() -> Rules {
    Rules { level: AcceptanceLevel::Partner, at: day(30) }
}

fn scanned(snapshot: &ImageSnapshot, package: &Package) -> ScanResult {
    scan(snapshot, &package.catalogue(), AcceptanceLevel::Partner, day(30), &CancelToken::default()).unwrap()
}

fn status(snapshot: &ImageSnapshot, package: &Package, id: &str) -> BulletinStatus {
    scanned(snapshot, package).bulletin(id).expect("the bulletin").clone()
}

/// A package with these VIBs, all in the bulletin B of day 18.
fn of_one_bulletin(vibs: Vec<Descriptor>) -> Package {
    let bulletin = bulletin("B", 18, &vibs);
    Package { bulletins: vec![bulletin], ..Package::of(vibs) }
}

fn changes(status: &BulletinStatus) -> Vec<(VibId, PartChange, Vec<VibId>)> {
    status.vibs.iter().map(|vib| (vib.id.clone(), vib.change, vib.on_host.clone())).collect()
}

fn id(text: &str) -> VibId {
    vib(text).id()
}

#[test]
fn a_bulletin_with_something_newer_or_new_is_missing() {
    let snapshot = host_with(["a 1-1", "c 1-1"].map(vib).to_vec());
    let status = status(&snapshot, &of_one_bulletin(["a 2-1", "b 1-1", "c 1-1"].map(vib).to_vec()), "B");
    assert_eq!(status.state, PatchState::Missing);
    assert!(status.applicable && !status.installed && status.superseded_by.is_empty() && status.is_installable());
    assert_eq!((status.reasons.as_slice(), status.install_states.as_slice()), (&[][..], &[][..]));
    assert_eq!(
        changes(&status),
        [
            (id("a 2-1"), PartChange::Update, ids(&["a 1-1"])),
            (id("b 1-1"), PartChange::New, vec![]),
            (id("c 1-1"), PartChange::Installed, vec![]),
        ]
    );
    assert_eq!((&*status.severity, &*status.category), ("Critical", "security"));
    assert_eq!((status.release_date, &*status.kb_url), (Some(day(18)), "http://kb.example.com/2076665"));
}

#[test]
fn a_bulletin_is_installed_if_all_of_it_is_there_or_obsolete() {
    let snapshot = host_with(vec![vib("a 1-1"), vib("b 2-1"), vib("new 1-1").replacing("old")]);
    let package = of_one_bulletin(["a 1-1", "b 1-1", "old 1-1"].map(vib).to_vec());
    let status = status(&snapshot, &package, "B");
    assert_eq!(status.state, PatchState::Installed);
    assert!(status.installed && status.reasons.is_empty());
    assert_eq!(
        changes(&status),
        [
            (id("a 1-1"), PartChange::Installed, vec![]),
            (id("b 1-1"), PartChange::Obsoleted, ids(&["b 2-1"])),
            (id("old 1-1"), PartChange::Obsoleted, ids(&["new 1-1"])),
        ]
    );
}

#[test]
fn a_bulletin_of_which_the_host_has_only_newer_versions_is_superseded() {
    let status = status(&host_with(vec![vib("a 2-1")]), &of_one_bulletin(vec![vib("a 1-1")]), "B");
    assert_eq!(status.state, PatchState::Superseded);
    assert_eq!(status.reasons, [PatchReason::Obsoleted]);
    assert!(status.installed, "installing it would change nothing");
}

#[test]
fn bulletins_for_others_are_not_applicable() {
    let mut snapshot = host_with(vec![vib("a 1-1")]);
    let mut package = of_one_bulletin(vec![vib("a 1-1")]);
    let judged = |snapshot: &ImageSnapshot, package: &Package| {
        let status = status(snapshot, package, "B");
        assert_eq!((status.state, status.applicable, status.installed), (PatchState::NotApplicable, false, false));
        (status.reasons.clone(), status.vibs.first().map(|vib| vib.change))
    };
    package.bulletins[0].platforms = vec![platform("embeddedEsx 6.*")];
    assert_eq!(judged(&snapshot, &package), (vec![PatchReason::Platform], Some(PartChange::NotApplicable)));

    let dpu = Descriptor { platforms: vec![platform("esxio *")], ..vib("a 1-1") };
    assert_eq!(
        judged(&snapshot, &of_one_bulletin(vec![dpu])),
        (vec![PatchReason::Platform], Some(PartChange::NotApplicable))
    );

    let hardware = |vendor: &str| HardwarePlatform { vendor: vendor.into(), model: None };
    snapshot.host.hardware = Some(hardware("IBM"));
    let tool = Descriptor { hardware: vec![hardware("HP")], ..vib("a 1-1") };
    assert_eq!(
        judged(&snapshot, &of_one_bulletin(vec![tool])),
        (vec![PatchReason::Hardware], Some(PartChange::NotApplicable))
    );

    assert_eq!(judged(&snapshot, &of_one_bulletin(vec![])), (vec![PatchReason::NoContent], None));

    let mut unknown = Package::default();
    unknown.bulletins.push(bulletin("B", 1, [&vib("gone 1-1")]));
    assert_eq!(judged(&snapshot, &unknown), (vec![PatchReason::MetadataIncomplete], Some(PartChange::Unknown)));
}

#[test]
fn vibs_for_others_do_not_count_among_those_for_the_host() {
    let dpu = Descriptor { platforms: vec![platform("esxio *")], ..vib("dpu 1-1") };
    let status = status(&host_with(vec![vib("a 1-1")]), &of_one_bulletin(vec![vib("a 1-1"), dpu]), "B");
    assert_eq!(status.state, PatchState::Installed);
    assert_eq!(status.vibs[1].change, PartChange::NotApplicable);
}

#[test]
fn a_vib_that_the_metadata_lacks_keeps_a_bulletin_missing_unless_the_host_has_it() {
    let mut package = of_one_bulletin(vec![vib("a 1-1")]);
    package.bulletins[0].vibs.push(id("b 1-1"));
    let lacking = status(&host_with(vec![vib("a 1-1")]), &package, "B");
    assert_eq!(
        (lacking.state, lacking.reasons.as_slice()),
        (PatchState::Missing, &[PatchReason::MetadataIncomplete][..])
    );
    assert!(!lacking.is_installable());
    let there = status(&host_with(["a 1-1", "b 1-1"].map(vib).to_vec()), &package, "B");
    assert_eq!((there.state, there.vibs[1].change), (PatchState::Installed, PartChange::Installed));
}

#[test]
fn what_waits_for_a_reboot_is_told_apart_until_it_runs() {
    let package = of_one_bulletin(vec![vib("a 2-1").needing_reboot()]);
    let staged = || Descriptor { installed_at: Some(day(10)), ..vib("a 2-1").needing_reboot() };
    let mut snapshot = host_with(vec![vib("a 1-1")]);
    snapshot.pending = Some(image(vec![staged()]));
    let pending = status(&snapshot, &package, "B");
    assert_eq!(
        (pending.state, pending.installed, pending.install_states.as_slice()),
        (PatchState::RebootPending, true, &[][..])
    );
    assert!(pending.restart_required);

    let mut snapshot = host_with(vec![staged()]);
    snapshot.host.booted_at = Some(day(11));
    let active = status(&snapshot, &package, "B");
    assert_eq!(active.state, PatchState::Installed);
    assert_eq!(active.install_states, [InstallState::HostRestarted, InstallState::ImageActive]);
    snapshot.host.booted_at = None;
    let restarted = status(&snapshot, &package, "B").install_states;
    assert_eq!(restarted, active.install_states, "it cannot run without a reboot");
}

#[test]
fn what_was_installed_live_is_active_and_the_host_was_restarted_later_or_not() {
    let package = of_one_bulletin(vec![vib("a 2-1")]);
    let mut snapshot = host_with(vec![Descriptor { installed_at: Some(day(10)), ..vib("a 2-1") }]);
    for (booted, restarted) in [(Some(day(9)), false), (Some(day(10)), true), (None, false)] {
        snapshot.host.booted_at = booted;
        let states = status(&snapshot, &package, "B").install_states;
        assert_eq!(states.contains(&InstallState::HostRestarted), restarted, "{booted:?}");
        assert!(states.contains(&InstallState::ImageActive));
    }
}

#[test]
fn needs_are_met_by_the_host_the_bulletin_other_bulletins_or_nothing() {
    let needing = |needed: &str| vib("a 2-1").needing(needed);
    let with = |needed: &str| {
        let vibs = [needing(needed), vib("own 1-1"), vib("lib 1-1"), vib("lib 2-1"), vib("free 1-1"), vib("base 1-1")];
        Package::of(vibs)
            .with_bulletin("B", 18, &["a 2-1", "own 1-1"])
            .with_bulletin("L1", 5, &["lib 1-1", "lib 2-1"])
            .with_bulletin("L2", 6, &["lib 2-1"])
            .with_bulletin("old", 1, &["base 1-1"])
    };
    let snapshot = host_with(vec![vib("base 2-1")]);
    let judged = |needed: &str| {
        let status = status(&snapshot, &with(needed), "B");
        let prerequisites: Vec<_> = status.prerequisites.iter().map(|needed| needed.id.to_string()).collect();
        (status.reasons.clone(), prerequisites, status.missing_requirements.clone(), status.is_installable())
    };
    assert_eq!(judged("base >= 2"), (vec![], vec![], vec![], true));
    assert_eq!(judged("own"), (vec![], vec![], vec![], true));
    assert_eq!(judged("free"), (vec![], vec![], vec![], true), "it can be had without a bulletin");
    assert_eq!(judged("lib"), (vec![PatchReason::MissingPatch], vec!["L2".to_owned()], vec![], true), "the newest");
    let nothing = |needed: &str| (vec![PatchReason::MissingLib], vec![], vec![needed.into()], false);
    assert_eq!(judged("lib >= 3"), nothing("lib >= 3"));
    assert_eq!(judged("base << 2"), nothing("base << 2"), "nothing becomes older");
}

#[test]
fn conflicts_with_what_stays_speak_against_it() {
    let package = Package::of([vib("a 2-1").excluding("x"), vib("x 1-1"), vib("x 2-1")])
        .with_bulletin("B", 18, &["a 2-1"])
        .with_bulletin("X", 1, &["x 1-1"]);
    let judged = |there: Vec<Descriptor>| {
        let status = status(&host_with(there), &package, "B");
        (status.reasons.clone(), status.conflicts_with.clone())
    };
    assert_eq!(judged(vec![]), (vec![], vec![]));
    assert_eq!(judged(vec![vib("x 1-1")]), (vec![PatchReason::ConflictPatch], ids(&["x 1-1"])));
    assert_eq!(judged(vec![vib("x 2-1")]), (vec![PatchReason::ConflictLib], ids(&["x 2-1"])));
    assert_eq!(judged(vec![vib("y 1-1").excluding("a >= 2")]), (vec![PatchReason::ConflictLib], ids(&["y 1-1"])));
    assert_eq!(judged(vec![vib("y 1-1").excluding("a << 2")]), (vec![], vec![]));
    let replacing = of_one_bulletin(vec![vib("a 2-1").excluding("x").replacing("x")]);
    assert_eq!(status(&host_with(vec![vib("x 1-1")]), &replacing, "B").reasons, []);
}

#[test]
fn levels_below_the_hosts_speak_against_it() {
    let community = || vib("a 2-1").at_level(AcceptanceLevel::Community);
    let package = of_one_bulletin(vec![community()]);
    let snapshot = host_with(vec![]);
    assert_eq!(status(&snapshot, &package, "B").reasons, [PatchReason::AcceptanceLevel]);
    let lower =
        scan(&snapshot, &package.catalogue(), AcceptanceLevel::Community, day(30), &CancelToken::default()).unwrap();
    assert_eq!(lower.bulletin("B").unwrap().reasons, []);
    let there = host_with(vec![community()]);
    assert_eq!(status(&there, &package, "B").reasons, []);
    let outlines = package.offered().map(|vib| CatalogueVib { is_complete: false, ..vib });
    let mut catalogue = Catalogue::default();
    catalogue.add(&package.bulletins, outlines).unwrap();
    let outlined = scan(&snapshot, &catalogue, AcceptanceLevel::Partner, day(30), &CancelToken::default()).unwrap();
    assert_eq!(outlined.bulletin("B").unwrap().reasons, [], "vmware.xml does not tell the level");
}

#[test]
fn what_is_needed_by_something_else_is_not_to_be_removed() {
    let package = of_one_bulletin(vec![vib("a 1-1").providing("api"), vib("b 1-1").needing("a")]);
    let both = || vec![vib("a 1-1").providing("api"), vib("b 1-1").needing("a")];
    assert_eq!(status(&host_with(both()), &package, "B").reasons, []);
    let user = || vib("user 1-1").needing("api");
    let used = host_with([both(), vec![user()]].concat());
    assert_eq!(status(&used, &package, "B").reasons, [PatchReason::HasDependentPatch]);
    let twice = host_with([both(), vec![user(), vib("c 1-1").providing("api")]].concat());
    assert_eq!(status(&twice, &package, "B").reasons, [], "something else has it");
}

#[test]
fn a_bulletin_tells_what_it_takes() {
    let need = MaintenanceModeNeed { on_install: true, on_remove: false };
    let on_remove = MaintenanceModeNeed { on_install: false, on_remove: true };
    let strict = |text: &str, maintenance_mode| Descriptor { maintenance_mode, ..vib(text) };
    let takes = |there: Vec<Descriptor>, comes: Vec<Descriptor>| {
        let status = status(&host_with(there), &of_one_bulletin(comes), "B");
        (status.restart_required, status.maintenance_mode_required, status.reconnect_required)
    };
    assert_eq!(takes(vec![vib("a 1-1")], vec![vib("a 2-1")]), (false, false, false));
    assert_eq!(takes(vec![], vec![vib("a 2-1").needing_reboot()]), (true, false, false));
    assert_eq!(takes(vec![vib("a 1-1").needing_reboot()], vec![vib("a 2-1")]), (true, false, false));
    assert_eq!(takes(vec![], vec![strict("a 2-1", need)]), (false, true, false));
    assert_eq!(takes(vec![strict("a 1-1", on_remove)], vec![vib("a 2-1")]), (false, true, false));
    assert_eq!(takes(vec![strict("a 1-1", need)], vec![vib("a 2-1")]), (false, false, false));
    assert_eq!(takes(vec![], vec![strict("a 2-1", need).needing_reboot()]), (true, false, false));
    assert_eq!(takes(vec![], vec![Descriptor { cimom_restart: true, ..vib("a 1-1") }]), (false, false, true));
    let there = || vib("a 2-1").needing_reboot();
    assert_eq!(takes(vec![there()], vec![there(), vib("b 1-1")]), (false, false, false), "only what comes counts");
    assert_eq!(takes(vec![there()], vec![there()]), (true, false, false), "so it was when it came");
}

#[test]
fn the_result_tells_of_the_host_and_lists_bulletins_the_last_released_first() {
    let mut snapshot = host_with(vec![vib("a 1-1")]);
    let mut package = Package::of([vib("a 1-1")])
        .with_bulletin("first", 1, &["a 1-1"])
        .with_bulletin("b", 2, &["a 1-1"])
        .with_bulletin("a", 2, &["a 1-1"])
        .with_bulletin("never", 0, &["a 1-1"]);
    package.bulletins[3].release_date = None;
    let result = scanned(&snapshot, &package);
    let order: Vec<_> = result.bulletins.iter().map(|bulletin| &*bulletin.id).collect();
    assert_eq!(order, ["a", "b", "first", "never"]);
    assert_eq!((&*result.host.version, result.host.build), ("5.5.0", Some(1_331_820)));
    assert_eq!((result.host.reboot_pending, result.scanned_at), (false, day(30)));
    snapshot.pending = Some(image(vec![]));
    assert!(scanned(&snapshot, &package).host.reboot_pending);
}

#[test]
fn the_patch_of_esxi_5_5_is_missing_then_waits_and_then_is_there() {
    let told = zipped(&esxi_5_5_u1a(100).metadata_files());
    let metadata = Metadata::read(std::io::Cursor::new(told)).unwrap();
    let mut catalogue = Catalogue::default();
    catalogue.add_metadata(&metadata).unwrap();
    let before = esxi_5_5_u1(100).iter().map(|vib| Descriptor::from_xml(&vib.descriptor()).unwrap()).collect();
    let mut snapshot = host_with(before);
    let states = |snapshot: &ImageSnapshot| {
        let result = scan(snapshot, &catalogue, AcceptanceLevel::Partner, day(30), &CancelToken::default()).unwrap();
        let mut states: Vec<_> = result
            .bulletins
            .iter()
            .map(|status| (status.id.to_string(), status.state, status.restart_required))
            .collect();
        states.sort();
        states
    };
    let all = |state, tools_restart| {
        [("001", true), ("401-SG", true), ("402-SG", tools_restart), ("403-SG", true)]
            .map(|(number, restart)| (format!("ESXi550-201404{number}"), state, restart))
    };
    assert_eq!(states(&snapshot), all(PatchState::Missing, false));
    let candidates = Candidate::select(&snapshot.host, &catalogue, None).unwrap();
    let plan = ImagePlan::install(&snapshot, &candidates, &rules(), &CancelToken::default()).unwrap();
    snapshot.pending = Some(Arc::clone(&plan.image));
    assert_eq!(states(&snapshot), all(PatchState::RebootPending, false));
    snapshot.pending = None;
    snapshot.running = plan.image;
    assert_eq!(states(&snapshot), all(PatchState::Installed, false));
}

#[test]
fn a_deployed_bulletin_is_installed_and_its_prerequisite_too() {
    let mut snapshot = host_with(vec![vib("esx-base 5.5.0-1")]);
    let package =
        Package::of([vib("drv 1-1").needing("esx-base >= 5.5.0-2"), vib("esx-base 5.5.0-2").needing_reboot()])
            .with_bulletin("D", 2, &["drv 1-1"])
            .with_bulletin("E", 1, &["esx-base 5.5.0-2"]);
    let before = status(&snapshot, &package, "D");
    assert_eq!((before.reasons.as_slice(), &*before.prerequisites[0].id), (&[PatchReason::MissingPatch][..], "E"));
    let candidates = Candidate::select(&snapshot.host, &package.catalogue(), Some(&["D".to_owned()])).unwrap();
    let plan = ImagePlan::install(&snapshot, &candidates, &rules(), &CancelToken::default()).unwrap();
    snapshot.pending = Some(Arc::clone(&plan.image));
    let states: Vec<_> = scanned(&snapshot, &package).bulletins.iter().map(|bulletin| bulletin.state).collect();
    assert_eq!(states, [PatchState::RebootPending; 2]);
    snapshot.running = plan.image;
    snapshot.pending = None;
    let states: Vec<_> = scanned(&snapshot, &package).bulletins.iter().map(|bulletin| bulletin.state).collect();
    assert_eq!(states, [PatchState::Installed; 2]);
}
