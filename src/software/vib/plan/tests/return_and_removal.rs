//! Removing VIBs, and going back.

use super::super::super::descriptor::MaintenanceModeNeed;
use super::super::super::samples::{host_with, ids, image, vib};
use super::*;

fn remove(snapshot: &ImageSnapshot, names: &[&str]) -> Result<ImagePlan, ImageError> {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    finished(ImagePlan::remove(snapshot, &names, &rules(), &CancelToken::default()))
}

#[test]
fn vibs_are_removed_by_any_of_their_names() {
    let snapshot = host_with(["a 1-1", "b 1-1"].map(vib).to_vec());
    for name in ["a", "a:1-1", "VMware:a", "VMware:a:1-1", "VMware_bootbank_a_1-1"] {
        let plan = remove(&snapshot, &[name]).unwrap();
        assert_eq!(plan.outcome().removed, ids(&["a 1-1"]), "{name}");
        assert_eq!(becomes(&plan), ["b 1-1"]);
        assert!(!plan.needs_reboot);
    }
    assert_eq!(
        told(remove(&snapshot, &["a", "a:2-1", "c", "a:b:c:d"])),
        "[NoMatchError] No VIB matching VIB search specification 'a:2-1'. No VIB matching VIB search specification 'c'. No \
         VIB matching VIB search specification 'a:b:c:d'. Name VIBs that the image has."
    );
}

#[test]
fn what_others_need_is_not_removed_unless_they_are_removed_too() {
    let snapshot = host_with(vec![vib("b 1-1").providing("api 1"), vib("a 1-1").needing("api >= 1")]);
    assert!(told(remove(&snapshot, &["b"])).contains("VIB VMware_bootbank_a_1-1 requires api >= 1, but"));
    assert_eq!(becomes(&remove(&snapshot, &["b", "a"]).unwrap()), [""; 0]);
}

#[test]
fn removing_takes_a_reboot_or_maintenance_mode_where_a_vib_says_so() {
    let fixed = vib("fixed 1-1").needing_reboot();
    let need = MaintenanceModeNeed { on_install: false, on_remove: true };
    let strict = Descriptor { maintenance_mode: need, ..vib("strict 1-1") };
    let snapshot = host_with(vec![fixed, strict]);
    assert!(remove(&snapshot, &["fixed"]).unwrap().needs_reboot);
    assert!(told(remove(&snapshot, &["strict"])).starts_with(
        "[MaintenanceModeError] MaintenanceMode is required to remove: [VMware_bootbank_strict_1-1]; install: []."
    ));
    assert!(remove(&snapshot, &["fixed", "strict"]).unwrap().needs_reboot);
}

#[test]
fn from_an_image_that_waits_the_way_back_is_to_the_one_that_runs() {
    let mut snapshot = host_with(vec![vib("a 1-1").needing_reboot(), vib("b 1-1")]);
    snapshot.pending = Some(image(vec![vib("a 2-1").needing_reboot(), vib("b 1-1"), vib("c 1-1")]));
    let plan = ImagePlan::roll_back(&snapshot, &rules()).unwrap();
    assert!(Arc::ptr_eq(&plan.image, &snapshot.running));
    let outcome = plan.outcome();
    assert_eq!((outcome.installed, outcome.removed), (ids(&["a 1-1"]), ids(&["a 2-1", "c 1-1"])));
    assert!(!outcome.needs_reboot, "what runs stays");
}

#[test]
fn otherwise_the_way_back_is_to_the_image_before_live_where_that_can_be() {
    let mut snapshot = host_with(vec![vib("a 1-1")]);
    assert_eq!(
        told(ImagePlan::roll_back(&snapshot, &rules())),
        "[NoMatchError] There is no image to go back to. Install or remove VIBs to change the image that runs."
    );
    snapshot.previous = Some(image(vec![]));
    let plan = ImagePlan::roll_back(&snapshot, &rules()).unwrap();
    assert_eq!((plan.outcome().removed, plan.needs_reboot), (ids(&["a 1-1"]), false));
    let need = MaintenanceModeNeed { on_install: true, on_remove: true };
    let strict = Descriptor { maintenance_mode: need, ..vib("b 1-1") };
    snapshot.previous = Some(image(vec![strict.clone()]));
    assert!(told(ImagePlan::roll_back(&snapshot, &rules())).starts_with("[MaintenanceModeError]"));
    snapshot.previous = Some(image(vec![strict.needing_reboot()]));
    assert!(ImagePlan::roll_back(&snapshot, &rules()).unwrap().needs_reboot);
    snapshot.previous = Some(image(vec![vib("c 1-1").at_level(AcceptanceLevel::Community)]));
    assert!(told(ImagePlan::roll_back(&snapshot, &rules())).starts_with("[AcceptanceConfigError]"));
}
