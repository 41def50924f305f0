//! `lmi software update`, and repair.

use crate::changes::{FORCE, INSTALL, REPAIR, UPDATE, change};
use crate::host::Family;
use crate::walk::{Walk, of};

on_both_families!(update, repair);

fn update(family: Family) {
    let mut walk = Walk::new(family, &[("alpha", "1.0-1")]);
    let [old, middle, new] = ["1.0-1", "2.0-1", "3.0-1"].map(|version| walk.nevra("alpha", version));
    let job = walk.change(&old, &[UPDATE]);
    assert_eq!(walk.recorded(&job), [change("updated", Some(&old), Some(&new))]);
    assert!(of(&job, "Name").starts_with("UpdatePackage-"));
    assert_eq!(walk.found(&[("Name", "alpha")]), std::slice::from_ref(&new));

    for options in [&[UPDATE][..], &[UPDATE, FORCE], &[UPDATE, REPAIR]] {
        let again = walk.change(&new, options);
        assert_eq!([of(&again, "JobState"), of(&again, "ErrorCode")], ["10", "4099"], "{again:?}");
        assert_eq!(walk.error_of(&again).0, "11");
    }
    // What is not installed cannot be updated: not a build that was, nor a package that never was.
    let ghost = walk.nevra("gamma", "1.0-1");
    let job = walk.change(&ghost, &[UPDATE]);
    assert_eq!([of(&job, "JobState"), of(&job, "ErrorCode")], ["10", "4106"], "{job:?}");
    assert_eq!(walk.error_of(&job).0, "6");
    let job = walk.change(&middle, &[INSTALL]);
    assert_eq!(of(&job, "ErrorCode"), "4099");
}

fn repair(family: Family) {
    let mut walk = Walk::new(family, &[("alpha", "1.0-1")]);
    let alpha = walk.nevra("alpha", "1.0-1");
    let data = "usr/share/alpha/data";
    std::fs::write(walk.root.file(data), "changed by hand\n").unwrap();
    std::fs::remove_file(walk.root.file("usr/share/alpha/link")).unwrap();
    let job = walk.change(&alpha, &[REPAIR]);
    assert_eq!(walk.recorded(&job), [change("reinstalled", Some(&alpha), Some(&alpha))]);
    assert_eq!(walk.content(data), "alpha 1.0-1\n");
    assert_eq!(std::fs::read_link(walk.root.file("usr/share/alpha/link")).unwrap().to_str(), Some("data"));

    let ghost = walk.nevra("gamma", "1.0-1");
    let job = walk.change(&ghost, &[REPAIR]);
    assert_eq!([of(&job, "JobState"), of(&job, "ErrorCode")], ["10", "4106"], "{job:?}");
    assert_eq!(walk.error_of(&job).0, "6");
}
