//! Removal by InstallFromSoftwareIdentity; `lmi software remove` is in `linking`.

use crate::changes::{FORCE, INSTALL, REMOVE, change};
use crate::host::Family;
use crate::walk::{Walk, of};

on_both_families!(removal);

fn removal(family: Family) {
    let mut walk = Walk::new(family, &[("alpha", "1.0-1"), ("gamma", "1.0-1"), ("beta", "1.0-1")]);
    let [alpha, beta, gamma] = ["alpha", "beta", "gamma"].map(|name| walk.nevra(name, "1.0-1"));
    std::fs::write(walk.root.file("etc/alpha.conf"), "kept = by hand\n").unwrap();
    let job = walk.change(&alpha, &[REMOVE]);
    assert_eq!(walk.recorded(&job), [change("removed", Some(&alpha), None)]);
    assert!(of(&job, "Name").starts_with("RemovePackage-"));
    assert!(!walk.root.file("usr/share/alpha/data").exists());

    // Its changed configuration may have stayed; that is no package.
    let again = walk.change(&alpha, &[REMOVE]);
    assert_eq!([of(&again, "JobState"), of(&again, "ErrorCode")], ["10", "4106"], "{again:?}");
    assert_eq!(walk.error_of(&again).0, "6");
    let needed = walk.change(&gamma, &[REMOVE]);
    assert_eq!([of(&needed, "JobState"), of(&needed, "ErrorCode")], ["10", "4105"], "{needed:?}");
    let (code, message) = walk.error_of(&needed);
    assert_eq!(code, "1");
    assert!(message.contains("beta"), "{message}");

    let job = walk.change(&gamma, &[REMOVE, FORCE]);
    assert_eq!(walk.recorded(&job), [change("removed", Some(&beta), None), change("removed", Some(&gamma), None)]);

    let job = walk.change(&alpha, &[INSTALL]);
    assert_eq!(walk.recorded(&job), [change("installed", None, Some(&alpha))]);
    assert_eq!(walk.content("etc/alpha.conf"), configuration(family));
}

/// What is there after a package with a changed configuration was removed and installed again: dpkg leaves the
/// configuration where it is, rpm puts it aside.
fn configuration(family: Family) -> &'static str {
    match family {
        Family::Deb => "kept = by hand\n",
        Family::Rpm => "kept = yes\n",
    }
}
