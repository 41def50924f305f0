//! Packages come from repositories.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use quartermaster::software::{ApplyError, CancelToken, Operation, Phase};

use super::engine;
use super::support::file_server::FileServer;
use super::support::operations::{Kept, apply, apply_as_planned, install, installed, nevra, refused, told};
use super::support::packages::{DebRoot, Repository, build_deb};

fn from_repository(text: &str, force: bool) -> Operation {
    Operation::Install { nevra: nevra(text), force }
}

fn update(text: &str) -> Operation {
    Operation::Update { nevra: nevra(text) }
}

/// Two builds of alpha, and a chain of packages that ends in it.
fn packages(root: &DebRoot) -> Vec<PathBuf> {
    let build = |name, version, fields: &[(&str, &str)]| build_deb(&root.scratch(), name, version, fields);
    vec![
        build("alpha", "1.0", &[("Installed-Size", "10")]),
        build("alpha", "1:2.0+-1", &[("Installed-Size", "20")]),
        build("beta", "1", &[("Depends", "alpha (>= 1:2)"), ("Architecture", "amd64")]),
        build("gamma", "1", &[("Depends", "beta")]),
        build("g++", "1", &[]),
    ]
}

#[test]
fn a_chain_of_packages_is_fetched_and_installed() {
    let builder = DebRoot::new();
    let files = packages(&builder);
    let size = |at: usize| fs::metadata(&files[at]).unwrap().len();
    let repository = Repository::new(&files);
    let server = FileServer::new(&repository.path());
    let root = DebRoot::new();
    root.use_sources(&repository.source(&server.address()));
    let engine = engine(&root);
    let (result, kept) = apply(&*engine, &Operation::RefreshRepositories);
    assert!(result.unwrap().changes.is_empty());
    assert_eq!(kept.phase_order(), [Phase::Checking, Phase::Downloading]);
    assert!(kept.phases.last().unwrap().1 > 50, "{:?}", kept.phases);
    assert!(kept.started.is_empty());

    let (plan, outcome, kept) = apply_as_planned(&*engine, &from_repository("gamma-0:1.all", false));
    assert_eq!(
        told(&outcome),
        ["Installed - alpha-1:2.0+-1.all", "Installed - beta-0:1.amd64", "Installed - gamma-0:1.all"]
    );
    let sizes: Vec<Option<u64>> = plan.changes.iter().map(|c| c.download_octets).collect();
    assert_eq!(sizes, [Some(size(1)), Some(size(2)), Some(size(3))]);
    assert_eq!(plan.download_octets, size(1) + size(2) + size(3));
    assert_eq!(plan.disk_octets, Some(20_500), "apt-get rounds 20 KiB to three digits");
    assert_eq!(
        kept.phase_order(),
        [Phase::Checking, Phase::Downloading, Phase::Unpacking, Phase::Configuring, Phase::Verifying]
    );
    assert!(kept.phases.is_sorted_by_key(|(_, percent)| *percent), "{:?}", kept.phases);
    // What was fetched is not fetched again.
    let plan = engine.plan(&from_repository("gamma-0:1.all", true), &CancelToken::default()).unwrap();
    assert_eq!((plan.download_octets, plan.disk_octets), (0, Some(0)));
}

#[test]
fn a_build_is_installed_as_it_is_asked_for() {
    let builder = DebRoot::new();
    let root = DebRoot::new().with_repository(&packages(&builder));
    let engine = engine(&root);
    let (plan, outcome, _) = apply_as_planned(&*engine, &from_repository("alpha-0:1.0.all", false));
    assert_eq!(told(&outcome), ["Installed - alpha-0:1.0.all"]);
    assert_eq!(plan.download_octets, 0, "nothing is fetched of what lies on this host");
    let (_, outcome, _) = apply_as_planned(&*engine, &from_repository("g++-0:1.all", false));
    assert_eq!(told(&outcome), ["Installed - g++-0:1.all"]);

    let (_, outcome, _) = apply_as_planned(&*engine, &from_repository("alpha-1:2.0+-1.all", false));
    assert_eq!(told(&outcome), ["Updated alpha-0:1.0.all alpha-1:2.0+-1.all"]);
    for text in ["alpha-1:2.0+-1.all", "alpha-0:1.0.all"] {
        assert!(matches!(refused(&*engine, &from_repository(text, false)), ApplyError::NotNewer(_)), "{text}");
    }
    let version = root.path().join("usr/share/alpha/version");
    fs::write(&version, "tampered").unwrap();
    let (_, outcome, _) = apply_as_planned(&*engine, &from_repository("alpha-1:2.0+-1.all", true));
    assert_eq!(told(&outcome), ["Reinstalled alpha-1:2.0+-1.all alpha-1:2.0+-1.all"]);
    assert_eq!(fs::read_to_string(&version).unwrap(), "1:2.0+-1");
    let (_, outcome, _) = apply_as_planned(&*engine, &from_repository("alpha-0:1.0.all", true));
    assert_eq!(told(&outcome), ["Downgraded alpha-1:2.0+-1.all alpha-0:1.0.all"]);
}

#[test]
fn what_no_repository_offers_is_told() {
    let builder = DebRoot::new();
    let root = DebRoot::new().with_repository(&packages(&builder));
    let engine = engine(&root);
    for text in [
        "nosuch-0:1.all",
        "alpha-0:3.all",
        // A pattern, a package that is there in another architecture, and names that end in what means something to apt-get.
        "a.pha-0:1.0.all",
        "beta-0:1.all",
        "alpha-0:1.0.i386",
        "alpha--0:1.0.all",
        "alpha-0:1.0+.all",
    ] {
        for force in [false, true] {
            let why = refused(&*engine, &from_repository(text, force));
            assert!(
                matches!(&why, ApplyError::NotFound(why) if why.starts_with("no repository of this host offers")),
                "{why:?}"
            );
        }
    }
}

#[test]
fn a_build_that_was_fetched_earlier_is_installed_from_the_cache() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let file = build_deb(&root.scratch(), "alpha", "1", &[]);
    fs::copy(&file, root.path().join("var/cache/apt/archives/alpha_1_all.deb")).unwrap();
    let (_, outcome, _) = apply_as_planned(&*engine, &from_repository("alpha-0:1.all", false));
    assert_eq!(told(&outcome), ["Installed - alpha-0:1.all"]);
}

#[test]
fn updates_go_to_the_newest() {
    let builder = DebRoot::new();
    let root = DebRoot::new();
    let old = build_deb(&root.scratch(), "alpha", "0.9", &[]);
    let root = root.with_repository(&packages(&builder));
    let engine = engine(&root);
    install(&*engine, &old).0.unwrap();
    let (_, outcome, _) = apply_as_planned(&*engine, &update("alpha-0:0.9.all"));
    assert_eq!(told(&outcome), ["Updated alpha-0:0.9.all alpha-1:2.0+-1.all"]);
    assert_eq!(
        refused(&*engine, &update("alpha-1:2.0+-1.all")),
        ApplyError::NotNewer(
            "alpha 1:2.0+-1 is up to date: no repository of this host offers a newer build that may be installed"
                .to_owned()
        )
    );
}

#[test]
fn an_update_that_lacks_something_is_refused() {
    let builder = DebRoot::new();
    let new = build_deb(&builder.scratch(), "alpha", "2", &[("Depends", "libnowhere")]);
    let root = DebRoot::new();
    let old = build_deb(&root.scratch(), "alpha", "1", &[]);
    let root = root.with_repository(&[new]);
    let engine = engine(&root);
    install(&*engine, &old).0.unwrap();
    let why = refused(&*engine, &update("alpha-0:1.all"));
    assert!(matches!(&why, ApplyError::Dependencies(why) if why.contains("libnowhere")), "{why:?}");
}

#[test]
fn offered_builds_that_conflict_are_refused() {
    let builder = DebRoot::new();
    let build = |name, fields: &[(&str, &str)]| build_deb(&builder.scratch(), name, "1", fields);
    let root = DebRoot::new().with_repository(&[
        build("alpha", &[]),
        build("rival", &[("Conflicts", "alpha")]),
        build("both", &[("Depends", "alpha, rival")]),
    ]);
    let engine = engine(&root);
    // What one package needs cannot be there together.
    let why = refused(&*engine, &from_repository("both-0:1.all", false));
    let ApplyError::Dependencies(why) = why else { panic!("{why:?}") };
    assert!(why.contains("rival") && why.contains("alpha"), "{why}");
    apply_as_planned(&*engine, &from_repository("alpha-0:1.all", false));
    for force in [false, true] {
        let why = refused(&*engine, &from_repository("rival-0:1.all", force));
        let ApplyError::Dependencies(why) = why else { panic!("{why:?}") };
        assert!(why.starts_with("rival conflicts with installed packages: alpha"), "{why}");
    }
    let (_, outcome, _) =
        apply_as_planned(&*engine, &Operation::Remove { nevra: nevra("alpha-0:1.all"), force: false });
    assert_eq!(told(&outcome), ["Removed alpha-0:1.all -"]);
    let (_, outcome, _) = apply_as_planned(&*engine, &from_repository("rival-0:1.all", false));
    assert_eq!(told(&outcome), ["Installed - rival-0:1.all"]);
}

#[test]
fn cancelled_while_simulating_nothing_is_changed() {
    let builder = DebRoot::new();
    let root = DebRoot::new().with_repository(&packages(&builder));
    let engine = engine(&root);
    let architectures = root.path().join("var/lib/dpkg/arch");
    for is_plan in [true, false] {
        let (token, pipe) = (CancelToken::default(), root.scratch().join("arch"));
        let put = || {
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            fs::rename(&pipe, &architectures).unwrap();
        };
        put();
        thread::scope(|scope| {
            let result = scope.spawn(|| match is_plan {
                true => engine.plan(&from_repository("gamma-0:1.all", false), &token).map(drop),
                false => engine.apply(&from_repository("gamma-0:1.all", false), &mut Kept::default(), &token).map(drop),
            });
            // The engine itself asks dpkg for the architectures, and then the apt-get that simulates: it finds another pipe.
            let asked = OpenOptions::new().write(true).open(&architectures).unwrap();
            put();
            drop(asked);
            let simulating = OpenOptions::new().write(true).open(&architectures).unwrap();
            token.cancel();
            assert_eq!(result.join().unwrap(), Err(ApplyError::Cancelled));
            drop(simulating);
        });
        fs::remove_file(&architectures).unwrap();
    }
    assert!(installed(&*engine).is_empty());
}

#[test]
fn cancelled_while_fetching_nothing_is_changed() {
    let builder = DebRoot::new();
    let root = DebRoot::new().with_repository(&packages(&builder));
    let engine = engine(&root);
    for (operation, phase) in [
        (from_repository("gamma-0:1.all", false), Phase::Checking),
        (from_repository("gamma-0:1.all", false), Phase::Downloading),
        (Operation::RefreshRepositories, Phase::Downloading),
    ] {
        let token = CancelToken::default();
        let mut kept = Kept { cancel_at: Some((phase, token.clone())), ..Kept::default() };
        assert_eq!(engine.apply(&operation, &mut kept, &token), Err(ApplyError::Cancelled));
        assert!(kept.started.is_empty());
    }
    assert!(installed(&*engine).is_empty());
}
