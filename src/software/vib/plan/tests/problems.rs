//! What speaks against a change, in esximage's classes and sentences.

use super::super::super::descriptor::HardwarePlatform;
use super::super::super::error::ImageErrorClass;
use super::super::super::samples::{host_with, ids, vib};
use super::*;

#[test]
fn needs_must_be_met_within_the_image() {
    let snapshot = host_with(vec![vib("esx-base 5.5.0-1").providing("vmkapi_2_1_0_0")]);
    let driver = vib("net-x 1-1").needing("vmkapi_2_2_0_0").needing("esx-base >= 5.5").needing("esx-version >= 7.0.0");
    let error = install(&snapshot, vec![driver]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[DependencyError] VIB VMware_bootbank_net-x_1-1 requires vmkapi_2_2_0_0, but the requirement cannot be satisfied \
         within the ImageProfile. VIB VMware_bootbank_net-x_1-1 requires esx-version >= 7.0.0, but the requirement cannot \
         be satisfied within the ImageProfile. Add a bundle that has what is required, or remove the VIBs that require it. \
         vibs = VMware_bootbank_net-x_1-1"
    );
    assert_eq!(error.class.code(), 14);
}

#[test]
fn an_update_must_not_take_away_what_others_need() {
    let snapshot = host_with(vec![vib("esx-base 5.5.0-1"), vib("old 1-1").needing("esx-base << 6.0")]);
    let base = || vib("esx-base 6.0.0-1");
    assert!(
        told(install(&snapshot, vec![base()])).contains("VIB VMware_bootbank_old_1-1 requires esx-base << 6.0, but")
    );
    assert_eq!(came(&install(&snapshot, vec![base(), vib("old 2-1")]).unwrap()), ids(&["esx-base 6.0.0-1", "old 2-1"]));
    let replaced = vib("other 1-1").replacing("esx-base");
    assert!(told(install(&snapshot, vec![replaced.clone()])).starts_with("[DependencyError]"));
    assert!(install(&snapshot, vec![replaced.providing("esx-base 5.5")]).is_ok());
}

#[test]
fn what_was_wrong_before_does_not_count() {
    let there = vec![vib("odd 1-1").needing("nothing"), vib("b 1-1").excluding("odd"), vib("c 1-1").with_file("f")];
    let snapshot = host_with([there, vec![vib("d 1-1").with_file("f")]].concat());
    assert_eq!(came(&install(&snapshot, vec![vib("a 1-1")]).unwrap()), ids(&["a 1-1"]));
    assert!(told(install(&snapshot, vec![vib("odd 1-2").needing("nothing")])).contains("requires nothing"));
}

#[test]
fn conflicts_count_whichever_of_the_two_tells_of_them() {
    let text = "[DependencyError] VIB VMware_bootbank_a_1-1 conflicts with VIB VMware_bootbank_b_1-1 (it excludes b <= 1.0). \
                Install only one of the VIBs that conflict, or remove the one that is installed first. vibs = \
                VMware_bootbank_a_1-1, VMware_bootbank_b_1-1";
    let (a, b) = (|| vib("a 1-1").excluding("b <= 1.0"), || vib("b 1-1"));
    assert_eq!(told(install(&host_with(vec![a()]), vec![b()])), text);
    assert_eq!(told(install(&host_with(vec![b()]), vec![a()])), text);
    assert_eq!(told(install(&host_with(vec![]), vec![a(), b()])), text);
    assert!(install(&host_with(vec![a()]), vec![vib("b 2-1")]).is_ok());
    assert!(install(&host_with(vec![b()]), vec![a(), vib("b 2-1")]).is_ok());
    let own = vib("own 1-1").providing("service").excluding("service");
    assert!(install(&host_with(vec![]), vec![own]).is_ok(), "not with itself");
}

#[test]
fn vibs_that_replace_each_other_do_not_come_together() {
    let error = install(&host_with(vec![]), vec![vib("a 1-1").replacing("b"), vib("b 1-1").replacing("a")]);
    assert_eq!(
        told(error),
        "[DependencyError] VIB VMware_bootbank_a_1-1 replaces VIB VMware_bootbank_b_1-1, and both were to be installed. VIB \
         VMware_bootbank_b_1-1 replaces VIB VMware_bootbank_a_1-1, and both were to be installed. Install only one of the \
         VIBs that replace each other. vibs = VMware_bootbank_a_1-1, VMware_bootbank_b_1-1"
    );
}

#[test]
fn two_vibs_do_not_bring_the_same_file_unless_one_is_an_overlay() {
    let file = |text: &str| vib(text).with_file("etc/a.conf").with_file(&format!("opt/{text}"));
    let overlay = |text: &str| Descriptor { overlay: true, ..file(text) };
    let snapshot = host_with(vec![file("a 1-1")]);
    let text = |kind: &str, one: &str, other: &str| {
        format!(
            "[DependencyError] File path of '/etc/a.conf' is claimed by multiple {kind} VIBs: {one}, {other}. Install only \
             one of the VIBs that bring the same file, or remove the one that is installed first. vibs = {one}, {other}"
        )
    };
    let [a, b, c] = ["VMware_bootbank_a_1-1", "VMware_bootbank_b_1-1", "VMware_bootbank_c_1-1"];
    assert_eq!(told(install(&snapshot, vec![file("b 1-1")])), text("non-overlay", a, b));
    assert!(install(&snapshot, vec![overlay("b 1-1")]).is_ok());
    assert!(install(&host_with(vec![overlay("a 1-1")]), vec![file("b 1-1")]).is_ok());
    assert_eq!(told(install(&snapshot, vec![overlay("b 1-1"), overlay("c 1-1")])), text("overlay", b, c));
    assert!(install(&snapshot, vec![file("a 1-2")]).is_ok(), "the older one goes");
}

#[test]
fn of_many_files_some_are_told() {
    let files = |text: &str| (0..8).fold(vib(text), |vib, at| vib.with_file(&format!("f{at}")));
    let text = told(install(&host_with(vec![]), vec![files("a 1-1"), files("b 1-1")]));
    assert!(text.contains("File path of '/f0', '/f1', '/f2', '/f3', '/f4' and 3 more is claimed"), "{text}");
}

#[test]
fn acceptance_levels_may_not_be_below_the_hosts() {
    let community = vib("fwrule 1.0.0-1").at_level(AcceptanceLevel::Community);
    let snapshot = host_with(vec![]);
    assert_eq!(
        told(install(&snapshot, vec![community.clone(), vib("a 1-1").at_level(AcceptanceLevel::Partner)])),
        "[AcceptanceConfigError] VIB VMware_bootbank_fwrule_1.0.0-1's acceptance level is community, which is not compliant \
         with the ImageProfile acceptance level partner. To install it all the same, lower the host's acceptance level \
         first; otherwise get a VIB of a higher one. vibs = VMware_bootbank_fwrule_1.0.0-1"
    );
    let lower = Rules { level: AcceptanceLevel::Community, ..rules() };
    assert!(ImagePlan::install(&snapshot, &wanted(vec![community]), &lower, &CancelToken::default()).is_ok());
}

#[test]
fn hardware_must_be_what_a_vib_is_for() {
    let hardware =
        |vendor: &str, model: Option<&str>| HardwarePlatform { vendor: vendor.into(), model: model.map(Into::into) };
    let tool =
        || Descriptor { hardware: vec![hardware("HP", None), hardware("Dell Inc.", Some("R720"))], ..vib("t 1-1") };
    let mut snapshot = host_with(vec![]);
    assert!(install(&snapshot, vec![tool()]).is_ok(), "its hardware is not known");
    snapshot.host.hardware = Some(hardware("Dell Inc.", Some("R620")));
    assert_eq!(
        told(install(&snapshot, vec![tool()])),
        "[HardwareError] VIB VMware_bootbank_t_1-1 is for the hardware HP, Dell Inc. R720, and the host is Dell Inc. R620. \
         Get the VIB that is made for this host's hardware. vibs = VMware_bootbank_t_1-1"
    );
}

#[test]
fn everything_is_told_at_once_and_the_first_class_counts() {
    let wrong = Descriptor {
        hardware: vec![HardwarePlatform { vendor: "HP".into(), model: None }],
        ..vib("w 1-1").needing("x").at_level(AcceptanceLevel::Community)
    };
    let mut snapshot = host_with(vec![]);
    snapshot.host.hardware = Some(HardwarePlatform { vendor: "IBM".into(), model: None });
    let error = install(&snapshot, vec![wrong]).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::AcceptanceConfigError);
    let at = |text: &str| error.text.find(text).unwrap_or_else(|| panic!("{text} in {}", error.text));
    assert!(at("acceptance level partner.") < at("[DependencyError] VIB VMware_bootbank_w_1-1 requires x, but"));
    assert!(at("[DependencyError]") < at("[HardwareError] VIB VMware_bootbank_w_1-1 is for"));
    assert!(at("[HardwareError]") < at("To install it all the same"));
    assert!(error.text.ends_with("Get the VIB that is made for this host's hardware."));
    assert_eq!(error.vibs, ids(&["w 1-1"]));
}

#[test]
fn of_very_many_problems_some_are_told() {
    let many = (0..100).fold(vib("a 1-1"), |vib, at| vib.needing(&format!("n{at}")));
    let error = install(&host_with(vec![]), vec![many]).unwrap_err();
    assert!(error.text.contains("requires n29, but"));
    assert!(!error.text.contains("requires n30, but"));
    assert!(error.text.contains("And 70 more."));
}

#[test]
fn of_very_many_conflicts_the_first_are_told() {
    let vibs: Vec<_> = (0..100).map(|n| vib(&format!("v{n} 1-1")).providing("all").excluding("all")).collect();
    let host = host_with(vec![]);
    let error = install(&host, vibs).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::DependencyError);
    assert!(error.text.contains(" And 970 more. "), "{error}");
}
