//! Packages are removed.

use std::fs;

use quartermaster::software::{ApplyError, CancelToken, Operation, PackageState, Phase};

use super::engine;
use super::support::operations::{Kept, apply, apply_as_planned, install, installed, nevra, refused, told};
use super::support::packages::{Deb, DebRoot, build_deb};

fn remove(text: &str, force: bool) -> Operation {
    Operation::Remove { nevra: nevra(text), force }
}

#[test]
fn configuration_files_stay() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let file = Deb::new("alpha", "1:2-3").file("usr/share/alpha/data", &"x".repeat(20_000));
    let file = file.field("Installed-Size", "20").conffile("etc/alpha.conf", "a=1\n").build(&root.scratch());
    install(&*engine, &file).0.unwrap();
    let (plan, outcome, kept) = apply_as_planned(&*engine, &remove("alpha-1:2-3.all", false));
    assert_eq!(told(&outcome), ["Removed alpha-1:2-3.all -"]);
    assert_eq!(plan.disk_octets, Some(-20_500), "apt-get rounds 20 KiB to three digits");
    assert_eq!((plan.download_octets, plan.changes[0].download_octets), (0, None));
    assert!(!root.path().join("usr/share/alpha").exists());
    assert!(root.path().join("etc/alpha.conf").is_file());
    assert_eq!(kept.phase_order(), [Phase::Checking, Phase::Removing, Phase::Verifying]);
    assert!(kept.phases.is_sorted_by_key(|(_, percent)| *percent), "{:?}", kept.phases);
    assert_eq!(kept.started.len(), 1);
}

#[test]
fn what_depends_on_it_goes_only_by_force() {
    let root = DebRoot::new();
    let engine = engine(&root);
    install(&*engine, &build_deb(&root.scratch(), "alpha", "1", &[])).0.unwrap();
    install(&*engine, &build_deb(&root.scratch(), "beta", "1", &[("Depends", "alpha")])).0.unwrap();
    install(&*engine, &build_deb(&root.scratch(), "gamma", "1", &[("Depends", "beta")])).0.unwrap();
    install(&*engine, &build_deb(&root.scratch(), "other", "1", &[])).0.unwrap();
    assert_eq!(
        refused(&*engine, &remove("alpha-0:1.all", false)),
        ApplyError::Dependencies(
            "alpha was not removed: other installed packages depend on it and would go too: beta, gamma. Remove them \
             first, or ask for their removal too"
                .to_owned()
        )
    );
    let (_, outcome, _) = apply_as_planned(&*engine, &remove("alpha-0:1.all", true));
    assert_eq!(told(&outcome), ["Removed alpha-0:1.all -", "Removed beta-0:1.all -", "Removed gamma-0:1.all -"]);
    assert_eq!(installed(&*engine), ["other-0:1.all"]);
}

#[test]
fn what_is_not_installed_is_told() {
    let root = DebRoot::new();
    let engine = engine(&root);
    install(&*engine, &build_deb(&root.scratch(), "alpha", "2", &[])).0.unwrap();
    for (text, said) in [
        ("alpha-0:1.all", "alpha 1 (all) is not installed; there is alpha 2 (all)"),
        ("alpha-0:2.amd64", "alpha 2 (amd64) is not installed; there is alpha 2 (all)"),
        ("beta-0:1.all", "beta 1 (all) is not installed"),
    ] {
        assert_eq!(refused(&*engine, &remove(text, true)), ApplyError::NotFound(said.to_owned()));
        for operation in [Operation::Update { nevra: nevra(text) }, Operation::Repair { nevra: nevra(text) }] {
            assert_eq!(refused(&*engine, &operation), ApplyError::NotFound(said.to_owned()));
        }
    }
}

#[test]
fn essential_packages_stay_whatever_is_asked() {
    let root = DebRoot::new();
    let engine = engine(&root);
    install(&*engine, &build_deb(&root.scratch(), "alpha", "1", &[])).0.unwrap();
    let base = build_deb(&root.scratch(), "base", "1", &[("Essential", "yes"), ("Pre-Depends", "alpha")]);
    install(&*engine, &base).0.unwrap();
    for force in [false, true] {
        assert_eq!(
            refused(&*engine, &remove("base-0:1.all", force)).to_string(),
            "base was not removed: it is essential, the system does not work without it"
        );
        let why = refused(&*engine, &remove("alpha-0:1.all", force)).to_string();
        assert!(why.starts_with("alpha was not removed: "), "{why}");
        assert!(why.contains("base"), "{why}");
    }
}

#[test]
fn packages_on_hold_stay() {
    let root = DebRoot::new();
    let engine = engine(&root);
    install(&*engine, &build_deb(&root.scratch(), "alpha", "1", &[])).0.unwrap();
    let status = root.path().join("var/lib/dpkg/status");
    let held = fs::read_to_string(&status).unwrap().replace("install ok installed", "hold ok installed");
    fs::write(&status, held).unwrap();
    let why = refused(&*engine, &remove("alpha-0:1.all", true)).to_string();
    assert_eq!(
        why,
        "alpha was not removed: on this host alpha is on hold, so that nobody changes it; release it first \
         (apt-mark unhold)"
    );
}

#[test]
fn a_failing_script_is_told_with_its_words() {
    let root = DebRoot::new().with_shell(&[]);
    let engine = engine(&root);
    let file = Deb::new("alpha", "1").script("prerm", "echo still needed; exit 5").build(&root.scratch());
    install(&*engine, &file).0.unwrap();
    let (result, _) = apply(&*engine, &remove("alpha-0:1.all", false));
    let Err(ApplyError::Failed(why)) = result else { panic!("{result:?}") };
    assert!(why.starts_with("alpha failed: installed alpha package pre-removal script"), "{why}");
    assert!(why.ends_with("its script said: still needed"), "{why}");
    assert_eq!(engine.inventory().packages()[0].state, PackageState::Installed);

    let file = Deb::new("beta", "1").script("postrm", "echo cannot let go; exit 6").build(&root.scratch());
    install(&*engine, &file).0.unwrap();
    let (result, _) = apply(&*engine, &remove("beta-0:1.all", false));
    let Err(ApplyError::Failed(why)) = result else { panic!("{result:?}") };
    assert!(why.contains("its script said: cannot let go"), "{why}");
    assert!(why.contains("Its files are gone, but its removal is not finished"), "{why}");
    assert_eq!(installed(&*engine), ["alpha-0:1.all"]);
}

#[test]
fn cancelled_before_the_change_nothing_is_removed() {
    let root = DebRoot::new();
    let engine = engine(&root);
    install(&*engine, &build_deb(&root.scratch(), "alpha", "1", &[])).0.unwrap();
    let token = CancelToken::default();
    let mut kept = Kept { cancel_at: Some((Phase::Checking, token.clone())), ..Kept::default() };
    assert_eq!(engine.apply(&remove("alpha-0:1.all", false), &mut kept, &token), Err(ApplyError::Cancelled));
    assert_eq!(engine.plan(&remove("alpha-0:1.all", false), &token), Err(ApplyError::Cancelled));
    let token = CancelToken::default();
    let mut kept = Kept { cancel_at: Some((Phase::Removing, token.clone())), ..Kept::default() };
    engine.apply(&remove("alpha-0:1.all", false), &mut kept, &token).unwrap();
    assert!(installed(&*engine).is_empty());
}
