//! The two hosts: packages that are installed, that repositories offer, and that are installed from files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::dnf::{advisories, advisory, groups, publish};
use crate::support::packages::{Deb, DebRoot, Repository, Rpm, RpmRoot, build_deb, build_rpm};
use crate::table::Family;

/// What keeps the root, and what it uses, until the end.
#[expect(dead_code, reason = "it is there to be dropped")]
#[derive(Debug)]
pub(crate) enum Kept {
    Deb(DebRoot, Repository),
    Rpm(RpmRoot),
}

/// A host with, all of version 1.0 and release 1:
/// - `alpha`, installed, with a configuration file, a link and a file that somebody changed, which needs `beta` and
///   suggests what there is not;
/// - `beta`, installed and offered;
/// - `delta`, installed, with a configuration file that somebody changed; version 2.0 of it is offered;
/// - `gamma` and `late`, offered;
/// - a bundle, and for RPM an advisory about `delta`.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) family: Family,
    pub(crate) root: PathBuf,
    /// A package to install from its file.
    pub(crate) good: PathBuf,
    /// A package that needs another that there is not.
    pub(crate) broken: PathBuf,
    /// A package to send.
    pub(crate) sent: PathBuf,
    pub(crate) kept: Kept,
}

impl Fixture {
    /// The name that an identity has of a package of release 1.
    pub(crate) fn nevra(&self, name: &str, version: &str) -> String {
        let architecture = if self.family == Family::Deb { "all" } else { "noarch" };
        format!("{name}-0:{version}-1.{architecture}")
    }
}

const MISSING: &str = "nowhere-to-be-found";

/// The Debian host.
pub(crate) fn deb() -> Fixture {
    let root = DebRoot::new();
    let dir = root.scratch();
    let alpha = Deb::new("alpha", "1.0-1")
        .field("Depends", "beta")
        .field("Suggests", &format!("{MISSING} (>= 2)"))
        .file("usr/share/alpha/data", "data\n")
        .link("usr/share/alpha/link", "data")
        .conffile("etc/alpha.conf", "setting = 1\n")
        .build(&dir);
    let beta = build_deb(&dir, "beta", "1.0-1", &[]);
    let delta =
        |version: &str, setting: &str| Deb::new("delta", version).conffile("etc/delta.conf", setting).build(&dir);
    let (old, new) = (delta("1.0-1", "setting = 1\n"), delta("2.0-1", "setting = 2\n"));
    for package in [&beta, &alpha, &old] {
        root.install_by_hand(package);
    }
    let suite = build_deb(&dir, "suite", "1.0-1", &[("Section", "metapackages"), ("Depends", "alpha, gamma")]);
    let [gamma, late] = ["gamma", "late"].map(|name| build_deb(&dir, name, "1.0-1", &[]));
    let repository = Repository::new(&[beta, new, gamma, late, suite]);
    let archive = "# deb http://archive.example.org/debian stable main\n";
    // What apt only copies it fetches all the same; files it would use where they lie.
    let address = format!("copy:{}", repository.path().display());
    root.use_sources(&[&repository.source(&address), archive].concat());
    root.update_by_hand();
    // dpkg knows more of a package's files where its archive is at hand.
    fs::copy(&alpha, root.path().join("var/cache/apt/archives/alpha_1.0-1_all.deb")).unwrap();
    finish(&root.path(), "ID=debian\n");
    Fixture {
        family: Family::Deb,
        root: root.path(),
        good: build_deb(&dir, "good", "1.0-1", &[]),
        broken: build_deb(&dir, "broken", "1.0-1", &[("Depends", MISSING)]),
        sent: build_deb(&dir, "sent", "1.0-1", &[]),
        kept: Kept::Deb(root, repository),
    }
}

/// The RPM host.
pub(crate) fn rpm() -> Fixture {
    let root = RpmRoot::new();
    let dir = root.scratch();
    let vendor = ("Vendor", "Test Maker");
    let alpha = Rpm::new("alpha", "1.0", "1")
        .tag(vendor.0, vendor.1)
        .tag("Requires", "beta")
        .tag("Suggests", &format!("{MISSING} >= 2"))
        .file("usr/share/alpha/data", "data\n")
        .entry("ln -s data %{buildroot}/usr/share/alpha/link", "/usr/share/alpha/link")
        .config("etc/alpha.conf", "setting = 1\n")
        .build(&dir);
    let beta = build_rpm(&dir, "beta", "1.0", "1", &[]);
    let delta =
        |version: &str, setting: &str| Rpm::new("delta", version, "1").config("etc/delta.conf", setting).build(&dir);
    let (old, new) = (delta("1.0", "setting = 1\n"), delta("2.0", "setting = 2\n"));
    for package in [&beta, &alpha, &old] {
        root.install_by_hand(package);
    }
    let [gamma, late] = ["gamma", "late"].map(|name| build_rpm(&dir, name, "1.0", "1", &[]));
    let members = "<packagereq type=\"mandatory\">alpha</packagereq><packagereq>gamma</packagereq>";
    let updates = advisory("T-2024:1", "security", "Important", Some("CVE-2024-1"), &[("delta", "2.0", "1")]);
    publish(&root, &[beta, new, gamma, late], &groups(&[("suite", "Suite", members)]), &advisories(&[updates]));
    let mirrors = "[mirrors]\nname=Mirrors\nmirrorlist=http://mirrors.example.org/list\nenabled=0\ncost=500\n";
    fs::write(root.path().join("etc/yum.repos.d/mirrors.repo"), mirrors).unwrap();
    finish(&root.path(), "ID=rhel\n");
    Fixture {
        family: Family::Rpm,
        root: root.path(),
        good: build_rpm(&dir, "good", "1.0", "1", &[]),
        broken: build_rpm(&dir, "broken", "1.0", "1", &[("Requires", MISSING)]),
        sent: build_rpm(&dir, "sent", "1.0", "1", &[]),
        kept: Kept::Rpm(root),
    }
}

/// What somebody changed by hand, and what system it is.
fn finish(root: &Path, release: &str) {
    fs::write(root.join("usr/share/alpha/data"), "other data\n").unwrap();
    fs::write(root.join("etc/delta.conf"), "setting = mine\n").unwrap();
    fs::write(root.join("etc/os-release"), release).unwrap();
}
