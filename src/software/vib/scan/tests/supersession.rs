//! Bulletins that others make needless.

use super::*;

#[test]
fn bulletins_are_superseded_by_those_with_the_newest_of_all_their_vibs() {
    let package = Package::of(["a 1-1", "a 2-1", "a 3-1", "b 1-1", "b 2-1", "c 1-1"].map(vib))
        .with_bulletin("A1", 1, &["a 1-1"])
        .with_bulletin("A2", 2, &["a 2-1"])
        .with_bulletin("A3", 3, &["a 3-1"])
        .with_bulletin("A3-rollup", 4, &["a 3-1", "c 1-1"])
        .with_bulletin("AB1", 1, &["a 1-1", "b 1-1"])
        .with_bulletin("AC1", 1, &["a 1-1", "c 1-1"])
        .with_bulletin("AB2", 2, &["a 2-1", "b 2-1"]);
    let snapshot = host_with(vec![vib("a 0-1")]);
    let by = |snapshot: &ImageSnapshot, id: &str| -> Vec<String> {
        status(snapshot, &package, id).superseded_by.iter().map(ToString::to_string).collect()
    };
    assert_eq!(by(&snapshot, "A1"), ["A3-rollup", "A3"], "those that were released last first");
    assert_eq!(by(&snapshot, "A2"), ["A3-rollup", "A3"]);
    assert_eq!(by(&snapshot, "A3"), [""; 0]);
    assert_eq!(by(&snapshot, "AB1"), ["A3-rollup", "A3", "AB2"]);
    assert_eq!(by(&snapshot, "AC1"), ["A3-rollup", "A3"], "the first of these has the rest");
    assert_eq!(by(&snapshot, "AB2"), [""; 0], "nothing has a newer b");
    let with_b = host_with(["a 0-1", "b 2-1"].map(vib).to_vec());
    assert_eq!(by(&with_b, "AB2"), ["A3-rollup", "A3"], "the host has the rest");
    assert!(!status(&snapshot, &package, "A1").superseded_by.is_empty());
}

#[test]
fn what_replaces_supersedes_too_but_not_in_a_circle_and_not_for_others() {
    let by = |package: &Package, id: &str| status(&host_with(vec![]), package, id).superseded_by;
    let renamed = Package::of([vib("old 1-1"), vib("old 2-1"), vib("new 1-1").replacing("old"), vib("new 2-1")])
        .with_bulletin("O", 1, &["old 1-1"])
        .with_bulletin("N1", 2, &["new 1-1"])
        .with_bulletin("N2", 3, &["new 2-1"]);
    assert_eq!(by(&renamed, "O"), ["N2".into()], "what replaces it, in its newest version");
    let mut circle =
        Package::of([vib("a 1-1").replacing("c"), vib("b 1-1").replacing("a"), vib("c 1-1").replacing("b")])
            .with_bulletin("A", 1, &["a 1-1"])
            .with_bulletin("B", 2, &["b 1-1"])
            .with_bulletin("C", 3, &["c 1-1"]);
    assert_eq!(by(&circle, "A"), []);
    circle.bulletins[2].platforms = vec![platform("embeddedEsx 6.*")];
    assert_eq!(by(&circle, "A"), ["B".into()]);
    circle.bulletins[1].platforms = vec![platform("embeddedEsx 6.*")];
    assert_eq!(by(&circle, "A"), []);
}
