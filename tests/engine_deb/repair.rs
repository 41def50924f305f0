//! Packages are put in place again.

use std::fs;

use quartermaster::software::{ApplyError, CancelToken, Operation, PackageState, Phase};

use super::engine;
use super::support::operations::{apply, apply_as_planned, install, nevra, refused, told};
use super::support::packages::{Deb, DebRoot, Repository, build_deb};

fn repair(text: &str) -> Operation {
    Operation::Repair { nevra: nevra(text) }
}

#[test]
fn changed_and_missing_files_come_back() {
    let root = DebRoot::new();
    let file = Deb::new("alpha", "1:1-1").file("usr/share/alpha/data", "as built");
    let file = file.conffile("etc/alpha.conf", "a=1\n").conffile("etc/beta.conf", "b=1\n").build(&root.scratch());
    let root = root.with_repository(std::slice::from_ref(&file));
    let engine = engine(&root);
    install(&*engine, &file).0.unwrap();
    let path = |name: &str| root.path().join(name);
    fs::write(path("usr/share/alpha/data"), "tampered").unwrap();
    fs::write(path("etc/alpha.conf"), "a=mine\n").unwrap();
    fs::remove_file(path("etc/beta.conf")).unwrap();
    let (_, outcome, _) = apply_as_planned(&*engine, &repair("alpha-1:1-1.all"));
    assert_eq!(told(&outcome), ["Reinstalled alpha-1:1-1.all alpha-1:1-1.all"]);
    assert_eq!(fs::read_to_string(path("usr/share/alpha/data")).unwrap(), "as built");
    assert_eq!(fs::read_to_string(path("etc/alpha.conf")).unwrap(), "a=mine\n");
    assert_eq!(fs::read_to_string(path("etc/beta.conf")).unwrap(), "b=1\n");
}

#[test]
fn a_build_that_is_nowhere_to_be_had_is_told_and_one_in_the_cache_is_used() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let file = build_deb(&root.scratch(), "alpha", "1:1-1", &[]);
    install(&*engine, &file).0.unwrap();
    assert_eq!(
        refused(&*engine, &repair("alpha-1:1-1.all")),
        ApplyError::NotFound(
            "alpha 1:1-1 (all) is installed, but neither a repository of this host nor its cache has this build any \
             more: update the package, or install it again from a file"
                .to_owned()
        )
    );
    let cached = root.path().join("var/cache/apt/archives/alpha_1%3a1-1_all.deb");
    fs::write(&cached, "something else").unwrap();
    assert!(matches!(refused(&*engine, &repair("alpha-1:1-1.all")), ApplyError::NotFound(_)));
    fs::copy(&file, &cached).unwrap();
    fs::remove_file(root.path().join("usr/share/alpha/version")).unwrap();
    let (_, outcome, _) = apply_as_planned(&*engine, &repair("alpha-1:1-1.all"));
    assert_eq!(told(&outcome), ["Reinstalled alpha-1:1-1.all alpha-1:1-1.all"]);
    assert!(root.path().join("usr/share/alpha/version").is_file());
}

#[test]
fn another_build_of_the_repository_is_not_taken_for_it() {
    let packages = DebRoot::new();
    let repository = Repository::new(&[build_deb(&packages.scratch(), "alpha", "2", &[])]);
    let root = DebRoot::new();
    root.use_sources(&repository.source(&repository.address()));
    root.update_by_hand();
    let engine = engine(&root);
    install(&*engine, &build_deb(&root.scratch(), "alpha", "1", &[])).0.unwrap();
    assert!(matches!(refused(&*engine, &repair("alpha-0:1.all")), ApplyError::NotFound(_)));
}

#[test]
fn an_unfinished_configuration_is_finished() {
    let root = DebRoot::new().with_shell(&[]);
    let engine = engine(&root);
    let script = "echo no licence found; test -e /licence";
    let file = Deb::new("alpha", "1").script("postinst", script).build(&root.scratch());
    assert!(install(&*engine, &file).0.is_err());
    assert_eq!(engine.inventory().packages()[0].state, PackageState::Unfinished);

    let (result, _) = apply(&*engine, &repair("alpha-0:1.all"));
    let Err(ApplyError::Failed(why)) = result else { panic!("{result:?}") };
    assert!(why.contains("its script said: no licence found"), "{why}");
    assert!(why.ends_with("It is unpacked but not configured: correct the cause and repair it"), "{why}");

    fs::write(root.path().join("licence"), "").unwrap();
    let (_, outcome, kept) = apply_as_planned(&*engine, &repair("alpha-0:1.all"));
    assert_eq!(told(&outcome), ["Reinstalled alpha-0:1.all alpha-0:1.all"]);
    assert_eq!(engine.inventory().packages()[0].state, PackageState::Installed);
    assert_eq!(kept.phase_order(), [Phase::Checking, Phase::Configuring]);
}

#[test]
fn what_a_package_lacks_for_its_configuration_is_told() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let file = build_deb(&root.scratch(), "beta", "1", &[("Depends", "alpha")]);
    assert!(!root.dpkg().arg("--install").arg(&file).output().unwrap().status.success());
    engine.refresh().unwrap();
    let (result, _) = apply(&*engine, &repair("beta-0:1.all"));
    let Err(ApplyError::Failed(why)) = result else { panic!("{result:?}") };
    assert!(why.contains("(beta depends on alpha; Package alpha is not installed)"), "{why}");
    // Nothing else is installed meanwhile, and the reason names the one that is broken.
    let (result, kept) = install(&*engine, &build_deb(&root.scratch(), "other", "1", &[]));
    let Err(ApplyError::Dependencies(why)) = result else { panic!("{result:?}") };
    assert!(why.contains("installed packages lack what they need: beta"), "{why}");
    assert!(kept.started.is_empty());
    // What is lacking can be installed, which finishes it.
    let file = build_deb(&root.scratch(), "alpha", "1", &[]);
    let nevra = engine.inspect(&file).unwrap().nevra;
    let (_, outcome, _) = apply_as_planned(&*engine, &Operation::InstallFile { file, nevra, force: false });
    assert_eq!(told(&outcome), ["Installed - alpha-0:1.all", "Reinstalled beta-0:1.all beta-0:1.all"]);
}

#[test]
fn what_an_unpacked_package_lacks_is_fetched() {
    let builder = DebRoot::new();
    let beta = build_deb(&builder.scratch(), "beta", "1", &[("Depends", "alpha")]);
    let repository = Repository::new(&[build_deb(&builder.scratch(), "alpha", "2", &[])]);
    for is_interrupted in [false, true] {
        let root = DebRoot::new();
        root.use_sources(&repository.source(&repository.address()));
        root.update_by_hand();
        let engine = engine(&root);
        assert!(!root.dpkg().arg("--install").arg(&beta).output().unwrap().status.success());
        engine.refresh().unwrap();
        assert_eq!(engine.inventory().packages()[0].state, PackageState::Unfinished);
        if is_interrupted {
            let status = fs::read_to_string(root.path().join("var/lib/dpkg/status")).unwrap();
            fs::write(root.path().join("var/lib/dpkg/updates/0000"), status).unwrap();
        }
        let (_, outcome, kept) = apply_as_planned(&*engine, &repair("beta-0:1.all"));
        assert_eq!(told(&outcome), ["Installed - alpha-0:2.all", "Reinstalled beta-0:1.all beta-0:1.all"]);
        assert!(kept.phase_order().contains(&Phase::Downloading), "{:?}", kept.phases);
        assert!(engine.inventory().packages().iter().all(|p| p.state == PackageState::Installed));
    }
}

#[test]
fn only_a_repair_finishes_what_was_interrupted() {
    let root = DebRoot::new();
    let file = build_deb(&root.scratch(), "alpha", "1", &[]);
    let root = root.with_repository(std::slice::from_ref(&file));
    let engine = engine(&root);
    install(&*engine, &file).0.unwrap();
    // A run of dpkg that was killed leaves its journal.
    let status = fs::read_to_string(root.path().join("var/lib/dpkg/status")).unwrap();
    let journal = root.path().join("var/lib/dpkg/updates/0000");
    fs::write(&journal, status).unwrap();
    let (result, kept) = install(&*engine, &build_deb(&root.scratch(), "beta", "1", &[]));
    let Err(ApplyError::Failed(why)) = result else { panic!("{result:?}") };
    assert!(why.contains("was interrupted; repair a package, or run dpkg --configure -a"), "{why}");
    assert!(journal.is_file());
    let (_, outcome, _) = apply_as_planned(&*engine, &repair("alpha-0:1.all"));
    assert_eq!(told(&outcome), ["Reinstalled alpha-0:1.all alpha-0:1.all"]);
    assert!(!journal.exists());
    assert!(kept.phases.iter().all(|(_, percent)| *percent < 100));
    install(&*engine, &build_deb(&root.scratch(), "beta", "1", &[])).0.unwrap();
    let plan = engine.plan(&Operation::RefreshRepositories, &CancelToken::default()).unwrap();
    assert!(plan.changes.is_empty());
}
