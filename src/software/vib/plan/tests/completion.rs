//! What comes along because something needs it.

use super::super::super::samples::{host_with, ids, vib};
use super::*;

fn with_help(snapshot: &ImageSnapshot, asked: Vec<Descriptor>, help: Vec<Descriptor>) -> Result<ImagePlan, ImageError> {
    planned(snapshot, &[wanted(asked), at_hand(help)].concat())
}

#[test]
fn what_is_needed_comes_with_what_that_needs_and_nothing_else() {
    let plan = with_help(
        &host_with(vec![]),
        vec![vib("a 1-1").needing("b")],
        vec![vib("b 1-1").needing("c >= 2"), vib("c 1-1"), vib("c 2-1"), vib("d 1-1")],
    )
    .unwrap();
    assert_eq!(came(&plan), ids(&["a 1-1", "b 1-1", "c 2-1"]));
    assert_eq!(plan.outcome().skipped, [], "nobody asked for the others");
}

#[test]
fn nothing_comes_along_that_nothing_needs() {
    let plan = with_help(&host_with(vec![vib("b 1-1")]), vec![vib("a 1-1").needing("b")], vec![vib("b 2-1")]).unwrap();
    assert_eq!(came(&plan), ids(&["a 1-1"]));
}

#[test]
fn what_is_there_is_updated_before_something_new_comes() {
    let plan = with_help(
        &host_with(vec![vib("z 1-1")]),
        vec![vib("a 1-1").needing("api = 2")],
        vec![vib("b 1-1").providing("api 2"), vib("z 2-1").providing("api 2"), vib("z 3-1").providing("api 2")],
    )
    .unwrap();
    assert_eq!(came(&plan), ids(&["a 1-1", "z 3-1"]));
}

#[test]
fn what_breaks_by_an_update_is_updated_too() {
    let snapshot = host_with(vec![vib("base 1-1"), vib("drv 1-1").needing("base << 2"), vib("misc 1-1")]);
    let base = || vib("base 2-1").excluding("misc << 2");
    let plan = with_help(&snapshot, vec![base()], vec![vib("drv 2-1"), vib("misc 2-1")]).unwrap();
    assert_eq!(came(&plan), ids(&["base 2-1", "drv 2-1", "misc 2-1"]));
    let text = told(with_help(&snapshot, vec![base()], vec![vib("misc 2-1")]));
    assert!(text.contains("VIB VMware_bootbank_drv_1-1 requires base << 2"), "{text}");
}

#[test]
fn what_may_not_come_does_not_help() {
    let asked = || vec![vib("a 1-1").needing("b")];
    let text = |snapshot: &ImageSnapshot, help| told(with_help(snapshot, asked(), vec![help]));
    let unmet = "VIB VMware_bootbank_a_1-1 requires b, but";
    let snapshot = host_with(vec![vib("replacing 1-1").replacing("b")]);
    assert!(text(&snapshot, vib("b 1-1")).contains(unmet), "it would go again");
    let snapshot = host_with(vec![]);
    assert!(text(&snapshot, vib("b 1-1").at_level(AcceptanceLevel::Community)).contains(unmet));
    let snapshot = host_with(vec![vib("x 2-1")]);
    let older = vib("x 1-1").providing("b");
    assert!(text(&snapshot, older).contains(unmet), "nothing becomes older for it");
}
