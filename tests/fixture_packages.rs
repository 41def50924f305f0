//! The fixtures themselves: what they build is what the families' tools accept.

mod support;

use std::process::Command;

use support::packages::{Deb, DebRoot, Rpm, RpmRoot, build_deb, build_rpm};

#[test]
fn debian_packages_install_by_hand() {
    let root = DebRoot::new().with_shell(&["/bin/sleep"]);
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1:1.0-1", &[]));
    root.install_by_hand(
        &Deb::new("beta", "2").field("Depends", "alpha").script("postinst", "echo done").build(&root.scratch()),
    );
    root.remove_by_hand("beta");
    assert!(root.path().join("usr/share/alpha/version").is_file());
}

#[test]
fn a_debian_root_reads_its_repository() {
    let packages = DebRoot::new();
    let package = build_deb(&packages.scratch(), "alpha", "1.0", &[]);
    let root = DebRoot::new().with_repository(&[package]);
    assert!(std::fs::read_dir(root.path().join("var/lib/apt/lists")).unwrap().count() > 2);
}

#[test]
fn a_filled_debian_root_has_as_many_packages() {
    let root = DebRoot::new();
    root.fill(20);
    let list = Command::new("dpkg-query").arg(format!("--root={}", root.path().display())).arg("-W").output().unwrap();
    assert_eq!(String::from_utf8(list.stdout).unwrap().lines().count(), 20);
}

#[test]
fn rpm_packages_install_by_hand() {
    let root = RpmRoot::new();
    root.install_by_hand(&build_rpm(&root.scratch(), "alpha", "1.0", "1", &[("Epoch", "2")]));
    root.install_by_hand(
        &Rpm::new("beta", "1", "1").tag("Requires", "alpha").lua("post", "x = 1").build(&root.scratch()),
    );
    root.remove_by_hand("beta");
    assert!(root.path().join("usr/share/alpha/version").is_file());
}
