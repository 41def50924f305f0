//! What comes, goes and is skipped.

use super::super::super::descriptor::MaintenanceModeNeed;
use super::super::super::image::{Image, ImageHost};
use super::super::super::profile::ProfileVib;
use super::super::super::samples::{constraint, host_with, ids, image, vib};
use super::*;

#[test]
fn new_comes_newer_replaces_and_the_same_and_the_older_are_skipped() {
    let snapshot = host_with(["a 1-1", "b 2-1", "c 1-1"].map(vib).to_vec());
    let plan = install(&snapshot, ["a 1-2", "b 1-9", "c 01-1", "d 1-1"].map(vib).to_vec()).unwrap();
    assert_eq!(becomes(&plan), ["a 1-2", "b 2-1", "c 1-1", "d 1-1"]);
    assert_eq!(came(&plan), ids(&["a 1-2", "d 1-1"]));
    assert_eq!(plan.outcome().removed, ids(&["a 1-1"]));
    assert_eq!(plan.outcome().skipped, ids(&["b 1-9", "c 01-1"]));
    assert!(!plan.needs_reboot);
    assert_eq!(plan.image.vibs.iter().filter(|vib| vib.installed_at == Some(day(30))).count(), 2);
}

#[test]
fn of_several_versions_the_newest_comes_whatever_their_order() {
    for versions in [["a 1-1", "a 1-10", "a 1-9"], ["a 1-10", "a 1-9", "a 1-1"]] {
        let plan = install(&host_with(vec![]), versions.map(vib).to_vec()).unwrap();
        assert_eq!(becomes(&plan), ["a 1-10"]);
        assert_eq!(plan.outcome().skipped, ids(&["a 1-1", "a 1-9"]));
    }
}

#[test]
fn what_a_vib_replaces_goes() {
    let snapshot = host_with(vec![vib("net-e1000 1-1"), vib("net-igb 5-1").providing("igb 5.0")]);
    let renamed = vib("intel-nics 1-1").replacing("net-e1000 << 2").replacing("igb = 5.0");
    let plan = install(&snapshot, vec![renamed]).unwrap();
    assert_eq!(becomes(&plan), ["intel-nics 1-1"]);
    assert_eq!(plan.outcome().removed, ids(&["net-e1000 1-1", "net-igb 5-1"]));
}

#[test]
fn what_another_vib_replaces_is_skipped_whether_that_one_is_there_or_comes_too() {
    let renamed = || vib("ne1000 1-1").replacing("net-e1000");
    for (there, offered) in [(vec![renamed()], vec![]), (vec![], vec![renamed()])] {
        let snapshot = host_with(there);
        let plan = install(&snapshot, [vec![vib("net-e1000 9-1")], offered].concat()).unwrap();
        assert_eq!(becomes(&plan), ["ne1000 1-1"]);
        assert_eq!(plan.outcome().skipped, ids(&["net-e1000 9-1"]));
    }
}

#[test]
fn a_vib_comes_in_the_place_of_one_that_goes_though_that_one_replaced_it() {
    let snapshot = host_with(vec![vib("b 1-1").replacing("a")]);
    let plan = install(&snapshot, vec![vib("a 2-1"), vib("c 1-1").replacing("b")]).unwrap();
    assert_eq!(becomes(&plan), ["a 2-1", "c 1-1"]);
    let plan = install(&snapshot, vec![vib("a 2-1").replacing("b")]).unwrap();
    assert_eq!(becomes(&plan), ["a 2-1"], "of two that replace each other the one that was asked for");
}

#[test]
fn of_two_that_replace_each_other_the_one_there_stays_if_both_are_asked_for() {
    let (a, b) = (|| vib("a 1-1").replacing("b"), || vib("b 1-1").replacing("a"));
    for (there, name) in [(a(), "a 1-1"), (b(), "b 1-1")] {
        let plan = install(&host_with(vec![there]), vec![a(), b()]).unwrap();
        assert_eq!(becomes(&plan), [name]);
        assert!(!plan.changes());
    }
}

#[test]
fn what_is_replaced_by_something_obsolete_is_not_obsolete() {
    let snapshot = host_with(vec![vib("a 1-1").replacing("b")]);
    let plan = install(&snapshot, vec![vib("b 1-1").replacing("c"), vib("c 1-1")]).unwrap();
    assert_eq!(becomes(&plan), ["a 1-1", "c 1-1"]);
}

#[test]
fn an_older_version_comes_if_the_newest_is_obsolete() {
    let snapshot = host_with(vec![vib("a 1-1").replacing("b >> 1")]);
    let plan = install(&snapshot, ["b 2-1", "b 1-1"].map(vib).to_vec()).unwrap();
    assert_eq!(becomes(&plan), ["a 1-1", "b 1-1"]);
    assert_eq!(plan.outcome().skipped, ids(&["b 2-1"]));
}

#[test]
fn a_change_waits_for_a_reboot_if_anything_that_comes_or_goes_is_not_live() {
    let not_removed_live = || Descriptor { live_remove_allowed: false, ..vib("a 1-1") };
    let not_installed_live = || Descriptor { live_install_allowed: false, ..vib("a 1-2") };
    let needs_reboot = |there: Vec<_>, comes: Vec<_>| install(&host_with(there), comes).unwrap().needs_reboot;
    assert!(!needs_reboot(vec![vib("a 1-1")], vec![vib("a 1-2")]));
    assert!(needs_reboot(vec![not_removed_live()], vec![vib("a 1-2")]));
    assert!(needs_reboot(vec![vib("a 1-1")], vec![not_installed_live()]));
    assert!(!needs_reboot(vec![not_removed_live()], vec![vib("b 1-1")]), "it stays");
    assert!(needs_reboot(vec![not_removed_live()], vec![vib("b 1-1").replacing("a")]));
}

#[test]
fn a_change_of_an_image_that_waits_waits_too() {
    let mut snapshot = host_with(vec![vib("a 1-1")]);
    snapshot.pending = Some(image(vec![vib("a 1-2")]));
    let plan = install(&snapshot, ["a 1-2", "b 1-1"].map(vib).to_vec()).unwrap();
    assert_eq!(becomes(&plan), ["a 1-2", "b 1-1"]);
    assert!(plan.needs_reboot);
    assert_eq!(plan.outcome().skipped, ids(&["a 1-2"]));
}

#[test]
fn the_cim_server_starts_again_only_after_a_live_change() {
    let provider = || Descriptor { cimom_restart: true, ..vib("cim 1-1") };
    assert!(install(&host_with(vec![]), vec![provider()]).unwrap().outcome().needs_cimom_restart);
    assert!(!install(&host_with(vec![]), vec![vib("a 1-1")]).unwrap().outcome().needs_cimom_restart);
    assert!(!install(&host_with(vec![]), vec![provider().needing_reboot()]).unwrap().outcome().needs_cimom_restart);
}

#[test]
fn maintenance_mode_counts_for_live_changes_only() {
    let need = MaintenanceModeNeed { on_install: true, on_remove: true };
    let strict = |text: &str| Descriptor { maintenance_mode: need, ..vib(text) };
    let mut snapshot = host_with(vec![strict("a 1-1"), vib("b 1-1")]);
    assert_eq!(
        told(install(&snapshot, vec![strict("a 1-2"), strict("c 1-1"), vib("b 1-2")])),
        "[MaintenanceModeError] MaintenanceMode is required to remove: [VMware_bootbank_a_1-1]; install: \
         [VMware_bootbank_a_1-2, VMware_bootbank_c_1-1]. Put the host into maintenance mode and try again. vibs = \
         VMware_bootbank_a_1-1, VMware_bootbank_a_1-2, VMware_bootbank_c_1-1"
    );
    assert!(install(&snapshot, vec![strict("a 1-2"), vib("b 1-2").needing_reboot()]).unwrap().needs_reboot);
    snapshot.host.maintenance_mode = true;
    assert!(!install(&snapshot, vec![strict("a 1-2")]).unwrap().needs_reboot);
}

#[test]
fn the_profile_keeps_its_files_and_its_name_gets_one_mark() {
    let mut snapshot = host_with(["a 1-1", "b 1-1"].map(vib).to_vec());
    let mut running = Image::clone(&snapshot.running);
    let kept = ProfileVib { id: vib("a 1-1").id(), payloads: vec![("a".into(), "a.v01".into())] };
    let gone = ProfileVib { id: vib("b 1-1").id(), payloads: vec![("b".into(), "b.v00".into())] };
    running.profile.vibs = vec![kept.clone(), gone];
    running.profile.name = "(Updated) mine".into();
    snapshot.running = Arc::new(running);
    let plan = install(&snapshot, vec![vib("b 1-2")]).unwrap();
    let new = ProfileVib { id: vib("b 1-2").id(), payloads: vec![] };
    assert_eq!(plan.image.profile.vibs, [kept, new]);
    assert_eq!(&*plan.image.profile.name, "(Updated) mine");
    assert_eq!(plan.image.profile.created_at, Some(day(0)));
}

#[test]
fn a_first_image_keeps_its_profile_and_is_judged() {
    let host = ImageHost { maintenance_mode: false, ..host_with(vec![]).host };
    let need = MaintenanceModeNeed { on_install: true, on_remove: true };
    let base = || Descriptor { maintenance_mode: need, ..vib("esx-base 5.5.0-1") };
    let named = ProfileVib { id: base().id(), payloads: vec![("b".into(), "b.b00".into())] };
    let mut profile = image(vec![]).profile.clone();
    profile.vibs = vec![named.clone()];
    let candidates = wanted(vec![base(), vib("b 1-1").needing("esx-base")]);
    let plan = ImagePlan::initial(&host, profile.clone(), &candidates, &rules(), &CancelToken::default()).unwrap();
    assert_eq!(becomes(&plan), ["b 1-1", "esx-base 5.5.0-1"]);
    assert!(!plan.needs_reboot);
    assert_eq!((&plan.image.profile.name, plan.image.profile.modified_at), (&profile.name, Some(day(0))));
    assert_eq!(plan.image.profile.vibs[1], named);
    let broken = finished(ImagePlan::initial(&host, profile, &candidates[1..], &rules(), &CancelToken::default()));
    assert!(told(broken).contains("requires esx-base, but"));
}

#[test]
fn what_a_vib_goes_with_is_noted_where_it_is_not_met() {
    let goes_with = |texts: &[&str]| Descriptor {
        compatible_with: texts.iter().map(|text| constraint(text)).collect(),
        ..vib("tool 1-1")
    };
    let notes =
        |there: &str, texts: &[&str]| install(&host_with(vec![vib(there)]), vec![goes_with(texts)]).unwrap().notes();
    assert_eq!(
        notes("esx-base 5.5.0-1", &["esx-base << 5.5", "esx-base = 6.0"]),
        ["VIB VMware_bootbank_tool_1-1 says that it goes with esx-base << 5.5, esx-base = 6.0, and the image has \
          VMware_bootbank_esx-base_5.5.0-1. It is installed all the same; get another version of it if it does not work."]
    );
    let none: [&str; 0] = [];
    assert_eq!(notes("esx-base 5.5.0-1", &["esx-base << 5.5", "esx-base >= 5.5"]), none);
    assert_eq!(notes("other 1-1", &["esx-base << 5.5"]), none, "it is not there");
    assert_eq!(notes("esx-base 5.5.0-1", &[]), none);
    let provider = Descriptor { cimom_restart: true, ..vib("cim 1-1") };
    assert_eq!(
        install(&host_with(vec![]), vec![provider]).unwrap().notes(),
        ["Restart the host's CIM server: the change is effective for it only then."]
    );
}
