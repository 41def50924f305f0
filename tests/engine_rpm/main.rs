//! The RPM engine with the real rpm and dnf on private roots.

#![allow(clippy::unwrap_used, reason = "a fixture that fails fails its test")]

#[path = "../support/mod.rs"]
mod support;

mod file_server;
mod installing;
mod locks;
mod removing;
mod repositories;
mod steps;
mod trust;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use quartermaster::software::{
    ApplyError, CancelToken, Change, ChangeKind, EngineChoice, Family, InspectError, Manager, PackageState, Phase, open,
};
use support::operations::{Kept, install, install_with, installed, nevra};
use support::packages::{Rpm, RpmRoot, build_deb, build_rpm};

fn engine(root: &RpmRoot) -> Arc<dyn Manager> {
    open(EngineChoice::Auto, &root.path()).unwrap().unwrap()
}

/// A root whose engine uses dnf: its repository holds `beta-3-1`.
fn root_with_repository() -> RpmRoot {
    let packages = RpmRoot::new();
    let beta = build_rpm(&packages.scratch(), "beta", "3", "1", &[]);
    RpmRoot::new().with_repository(&[beta])
}

#[test]
fn inspects_packages_and_refuses_other_files() {
    let root = RpmRoot::new();
    let engine = engine(&root);
    let file = build_rpm(&root.scratch(), "alpha", "1.0~rc1", "2.el9", &[("Epoch", "1"), ("Vendor", "Test Maker")]);
    let odd = root.scratch().join("a [*] name");
    fs::rename(file, &odd).unwrap();
    let package = engine.inspect(&odd).unwrap();
    assert_eq!(package.nevra.to_string(), "alpha-1:1.0~rc1-2.el9.noarch");
    assert_eq!(&*package.summary, "test package alpha");
    assert_eq!(&*package.description, "It holds nothing of use.\n\nA second part.");
    assert_eq!(package.manufacturer.as_deref(), Some("Test Maker"));
    assert_eq!((package.state, package.installed_at), (PackageState::NotInstalled, None));

    let damaged = root.scratch().join("damaged.rpm");
    let mut bytes = fs::read(&odd).unwrap();
    let at = bytes.windows(12).position(|w| w == b"test package").unwrap();
    bytes[at] = b'T';
    fs::write(&damaged, bytes).unwrap();
    let deb = build_deb(&root.scratch(), "alpha", "1", &[]);
    for (file, why) in [
        (&damaged, "its header cannot be read"),
        (&deb, "it is a Debian package or another archive, and this system has RPM packages"),
    ] {
        match engine.inspect(file) {
            Err(InspectError::NotAPackage(said)) => assert_eq!(said, why),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn rpm_installs_and_updates() {
    let root = RpmRoot::new();
    let engine = engine(&root);
    assert_eq!(engine.family(), Family::Rpm);
    let (result, kept) = install(&*engine, &build_rpm(&root.scratch(), "alpha", "1.0", "1", &[]));
    let change = Change { kind: ChangeKind::Installed, before: None, after: Some(nevra("alpha-0:1.0-1.noarch")) };
    assert_eq!(result.unwrap().changes, [change]);
    assert_eq!(installed(&*engine), ["alpha-0:1.0-1.noarch"]);
    assert!(engine.inventory().packages()[0].installed_at.is_some());
    assert_eq!(kept.started.len(), 1);
    assert_eq!(kept.phase_order(), [Phase::Checking, Phase::Unpacking, Phase::Verifying]);
    assert!(kept.phases.is_sorted_by_key(|(_, percent)| *percent), "{:?}", kept.phases);

    let (result, _) = install(&*engine, &build_rpm(&root.scratch(), "alpha", "1.0^git1", "1", &[]));
    let change = Change {
        kind: ChangeKind::Updated,
        before: Some(nevra("alpha-0:1.0-1.noarch")),
        after: Some(nevra("alpha-0:1.0^git1-1.noarch")),
    };
    assert_eq!(result.unwrap().changes, [change]);
    assert_eq!(fs::read_to_string(root.path().join("usr/share/alpha/version")).unwrap(), "1.0^git1");
}

#[test]
fn dnf_installs_with_dependencies_and_updates() {
    let root = root_with_repository();
    let engine = engine(&root);
    let (result, kept) = install(&*engine, &build_rpm(&root.scratch(), "alpha", "1", "1", &[("Requires", "beta > 2")]));
    assert_eq!(result.unwrap().changes.len(), 2);
    assert_eq!(installed(&*engine), ["alpha-0:1-1.noarch", "beta-0:3-1.noarch"]);
    assert_eq!(kept.phase_order(), [Phase::Checking, Phase::Downloading, Phase::Unpacking, Phase::Verifying]);
    let (result, _) = install(&*engine, &build_rpm(&root.scratch(), "alpha", "2", "1", &[]));
    assert_eq!(result.unwrap().changes[0].kind, ChangeKind::Updated);
}

#[test]
fn the_same_or_an_older_version_is_refused() {
    let root = RpmRoot::new();
    let engine = engine(&root);
    let file = build_rpm(&root.scratch(), "alpha", "2", "1", &[]);
    install(&*engine, &file).0.unwrap();
    let (result, kept) = install(&*engine, &file);
    assert_eq!(result.unwrap_err(), ApplyError::NotNewer("alpha 2-1 is already installed".to_owned()));
    assert!(kept.started.is_empty());
    let (result, _) = install(&*engine, &build_rpm(&root.scratch(), "alpha", "2~rc1", "1", &[]));
    assert!(matches!(result, Err(ApplyError::NotNewer(why)) if why.starts_with("alpha 2~rc1-1 is older than 2-1")));
}

#[test]
fn a_missing_dependency_changes_nothing() {
    for root in [RpmRoot::new(), root_with_repository()] {
        let engine = engine(&root);
        let (result, kept) =
            install(&*engine, &build_rpm(&root.scratch(), "alpha", "1", "1", &[("Requires", "libnowhere >= 2")]));
        let Err(ApplyError::Dependencies(why)) = result else { panic!("{result:?}") };
        assert_eq!(
            why,
            "alpha needs what is neither installed nor in a repository of this host: libnowhere >= 2. Install it first, \
             or add a repository that has it"
        );
        assert!(kept.started.is_empty());
        assert!(installed(&*engine).is_empty());
    }
}

#[test]
fn a_conflict_changes_nothing() {
    for root in [RpmRoot::new(), root_with_repository()] {
        let engine = engine(&root);
        install(&*engine, &build_rpm(&root.scratch(), "alpha", "1", "1", &[])).0.unwrap();
        let (result, _) = install(&*engine, &build_rpm(&root.scratch(), "gamma", "1", "1", &[("Conflicts", "alpha")]));
        if let Ok(outcome) = &result {
            panic!("{outcome:?}");
        }
        assert!(matches!(&result, Err(ApplyError::Dependencies(why)) if why.contains(" conflicts with")), "{result:?}");
        assert_eq!(installed(&*engine), ["alpha-0:1-1.noarch"]);
    }
}

#[test]
fn a_failing_script_before_is_an_error_and_one_after_is_a_note() {
    for root in [RpmRoot::new(), root_with_repository()] {
        let engine = engine(&root);
        let before = Rpm::new("alpha", "1", "1").lua("pre", "error('no licence found')").build(&root.scratch());
        let (result, _) = install(&*engine, &before);
        assert!(matches!(&result, Err(ApplyError::Failed(why)) if why.contains("no licence found")), "{result:?}");
        assert!(installed(&*engine).is_empty());

        let after = Rpm::new("gamma", "1", "1").lua("post", "error('no printer found')").build(&root.scratch());
        let (result, kept) = install(&*engine, &after);
        assert_eq!(result.unwrap().changes.len(), 1);
        assert!(kept.notes.iter().any(|note| note.contains("no printer found")), "{:?}", kept.notes);
    }
}

#[test]
fn a_changed_configuration_file_is_kept_and_noted() {
    let root = RpmRoot::new();
    let engine = engine(&root);
    install(&*engine, &Rpm::new("alpha", "1", "1").config("etc/alpha.conf", "a=1\n").build(&root.scratch())).0.unwrap();
    fs::write(root.path().join("etc/alpha.conf"), "a=mine\n").unwrap();
    let update = Rpm::new("alpha", "2", "1").config("etc/alpha.conf", "a=2\n").build(&root.scratch());
    let (result, kept) = install(&*engine, &update);
    result.unwrap();
    assert_eq!(fs::read_to_string(root.path().join("etc/alpha.conf")).unwrap(), "a=mine\n");
    assert_eq!(
        kept.notes,
        ["/etc/alpha.conf was changed on this host and is kept; the package's own is /etc/alpha.conf.rpmnew"]
    );
}

#[test]
fn cancelled_before_the_change_nothing_is_changed() {
    for root in [RpmRoot::new(), root_with_repository()] {
        let engine = engine(&root);
        let file = build_rpm(&root.scratch(), "alpha", "1", "1", &[]);
        let token = CancelToken::default();
        let mut kept = Kept { cancel_at: Some((Phase::Checking, token.clone())), ..Kept::default() };
        assert_eq!(install_with(&*engine, &file, &mut kept, &token), Err(ApplyError::Cancelled));
        assert!(kept.started.is_empty());
        assert!(installed(&*engine).is_empty());
    }
}

#[test]
fn changes_by_hand_are_noticed_and_reading_is_no_change() {
    let root = RpmRoot::new();
    let engine = engine(&root);
    root.install_by_hand(&build_rpm(&root.scratch(), "alpha", "1", "1", &[]));
    assert!(engine.wait_for_change(Duration::from_secs(60)));
    assert!(engine.refresh().unwrap());
    assert_eq!(installed(&*engine), ["alpha-0:1-1.noarch"]);
    assert!(!engine.wait_for_change(Duration::from_millis(700)), "the engine woke itself by reading");
    root.remove_by_hand("alpha");
    assert!(engine.wait_for_change(Duration::from_secs(60)));
    assert!(engine.refresh().unwrap());
    assert!(installed(&*engine).is_empty());
}

#[test]
fn the_newer_place_of_the_database_is_found() {
    let root = RpmRoot::new();
    root.install_by_hand(&build_rpm(&root.scratch(), "alpha", "1", "1", &[]));
    fs::create_dir_all(root.path().join("usr/lib/sysimage")).unwrap();
    fs::rename(root.path().join("var/lib/rpm"), root.path().join("usr/lib/sysimage/rpm")).unwrap();
    let engine = engine(&root);
    assert_eq!(installed(&*engine), ["alpha-0:1-1.noarch"]);
    install(&*engine, &build_rpm(&root.scratch(), "alpha", "2", "1", &[])).0.unwrap();
    assert_eq!(installed(&*engine), ["alpha-0:2-1.noarch"]);
}
