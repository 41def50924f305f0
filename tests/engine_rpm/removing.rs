//! Removing, with and without what depends on it.

use std::fs;

use quartermaster::software::{ApplyError, Phase};

use super::steps::{apply, as_planned, refused, remove};
use super::support::operations::installed;
use super::support::packages::{Rpm, RpmRoot, build_rpm};
use super::{engine, root_with_repository};

/// Roots with and without dnf, on which `alpha` is installed, `beta`, which needs it, `gamma`, which needs that, and
/// `other`.
fn roots() -> [RpmRoot; 2] {
    let roots = [RpmRoot::new(), root_with_repository()];
    for root in &roots {
        for (name, needs) in [("alpha", "other"), ("beta", "alpha"), ("gamma", "beta")] {
            if name == "alpha" {
                root.install_by_hand(&build_rpm(&root.scratch(), "other", "1", "1", &[]));
            }
            root.install_by_hand(&build_rpm(&root.scratch(), name, "1", "1", &[("Epoch", "2"), ("Requires", needs)]));
        }
    }
    roots
}

#[test]
fn what_nothing_depends_on_is_removed_alone() {
    for root in roots() {
        let engine = engine(&root);
        let (changes, kept) = as_planned(&*engine, &remove("gamma-2:1-1.noarch", false));
        assert_eq!(changes, ["Removed gamma-2:1-1.noarch"]);
        assert_eq!(kept.phase_order(), [Phase::Checking, Phase::Removing, Phase::Verifying]);
        assert_eq!(kept.started.len(), 1);
        assert!(!root.path().join("usr/share/gamma/version").exists());
        assert!(matches!(refused(&*engine, &remove("gamma-2:1-1.noarch", false)), ApplyError::NotFound(_)));
    }
}

#[test]
fn what_others_need_is_removed_with_them_or_not_at_all() {
    for root in roots() {
        let engine = engine(&root);
        let ApplyError::Dependencies(why) = refused(&*engine, &remove("alpha-2:1-1.noarch", false)) else { panic!() };
        assert!(why.starts_with("alpha was not removed") && why.contains("beta-2:1-1.noarch"), "{why}");
        let (changes, _) = as_planned(&*engine, &remove("alpha-2:1-1.noarch", true));
        assert_eq!(changes, ["Removed alpha-2:1-1.noarch", "Removed beta-2:1-1.noarch", "Removed gamma-2:1-1.noarch"]);
        assert_eq!(installed(&*engine), ["other-0:1-1.noarch"], "what it needed stays");
    }
}

#[test]
fn protected_packages_stay() {
    for root in roots() {
        let engine = engine(&root);
        let folder = root.path().join("etc/dnf/protected.d");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("gamma.conf"), "gamma\n").unwrap();
        for operation in [remove("gamma-2:1-1.noarch", true), remove("alpha-2:1-1.noarch", true)] {
            let ApplyError::Failed(why) = refused(&*engine, &operation) else { panic!() };
            assert!(why.contains("this host protects gamma from removal"), "{why}");
        }
    }
    let root = root_with_repository();
    root.install_by_hand(&build_rpm(&root.scratch(), "alpha", "1", "1", &[]));
    fs::create_dir_all(root.path().join("etc/dnf")).unwrap();
    fs::write(root.path().join("etc/dnf/dnf.conf"), "[main]\nprotected_packages=alpha\n").unwrap();
    let ApplyError::Failed(why) = refused(&*engine(&root), &remove("alpha-0:1-1.noarch", false)) else { panic!() };
    assert!(why.contains("this host protects alpha from removal"), "{why}");
}

#[test]
fn a_script_that_fails_before_the_removal_keeps_the_package() {
    for root in [RpmRoot::new(), root_with_repository()] {
        let package = Rpm::new("alpha", "1", "1").lua("preun", "error('still in use')");
        root.install_by_hand(&package.build(&root.scratch()));
        let engine = engine(&root);
        let (result, kept) = apply(&*engine, &remove("alpha-0:1-1.noarch", false));
        assert!(matches!(&result, Err(ApplyError::Failed(why)) if why.contains("still in use")), "{result:?}");
        assert_eq!(kept.started.len(), 1);
        assert_eq!(installed(&*engine), ["alpha-0:1-1.noarch"]);
    }
}

#[test]
fn of_builds_beside_each_other_one_is_removed() {
    let root = root_with_repository();
    for version in ["1", "2"] {
        let kernel = Rpm::new("kernel", version, "1").file(&format!("boot/vmlinuz-{version}"), version);
        root.add_by_hand(&kernel.build(&root.scratch()));
    }
    let (changes, _) = as_planned(&*engine(&root), &remove("kernel-0:1-1.noarch", false));
    assert_eq!(changes, ["Removed kernel-0:1-1.noarch"]);
}
