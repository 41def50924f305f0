//! Installing, updating and repairing, from files and from repositories.

use std::fs;

use quartermaster::software::{Abilities, ApplyError, CancelToken, Phase};

use super::steps::{apply, as_planned, install, install_file, octets, refresh, refused, repair, update};
use super::support::operations::{Kept, installed};
use super::support::packages::{Rpm, RpmRoot, SmallDisk, build_rpm};
use super::{engine, root_with_repository};

fn package(name: &str, version: &str) -> Rpm {
    Rpm::new(name, version, "1").file(&format!("usr/share/{name}/version"), version)
}

/// A root whose repository offers these.
fn offering(packages: &[Rpm]) -> RpmRoot {
    let root = RpmRoot::new();
    publish(&root, packages);
    root.configure_repository("gpgcheck=0");
    root
}

fn publish(root: &RpmRoot, packages: &[Rpm]) {
    let files: Vec<_> = packages.iter().map(|package| package.build(&root.scratch())).collect();
    root.publish(&files);
}

#[test]
fn a_build_comes_from_a_repository_with_all_that_it_needs() {
    let root = offering(&[
        package("alpha", "1").tag("Epoch", "1").tag("Requires", "beta"),
        package("alpha", "2").tag("Epoch", "1"),
        package("beta", "1").tag("Requires", "gamma"),
        package("gamma", "1"),
    ]);
    let engine = engine(&root);
    let operation = install("alpha-1:1-1.noarch", false);
    let plan = engine.plan(&operation, &CancelToken::default()).unwrap();
    let files = ["alpha-1-1", "beta-1-1", "gamma-1-1"].map(|n| root.scratch().join(format!("{n}.noarch.rpm")));
    assert_eq!(plan.download_octets, files.iter().map(|file| octets(file)).sum::<u64>());
    assert!(installed(&*engine).is_empty(), "a plan changes nothing");

    let (changes, kept) = as_planned(&*engine, &operation);
    assert_eq!(
        changes,
        ["Installed alpha-1:1-1.noarch", "Installed beta-0:1-1.noarch", "Installed gamma-0:1-1.noarch"]
    );
    assert_eq!(kept.phase_order(), [Phase::Checking, Phase::Downloading, Phase::Unpacking, Phase::Verifying]);
    assert_eq!(kept.started.len(), 1);
}

#[test]
fn only_exactly_this_build_will_do() {
    let root = offering(&[package("alpha", "2").tag("Provides", "alpha = 1-1"), package("beta", "1")]);
    let engine = engine(&root);
    for build in ["alpha-0:1-1.noarch", "alpha-1:2-1.noarch", "alpha-0:2-1.x86_64", "zeta-0:1-1.noarch"] {
        let error = refused(&*engine, &install(build, false));
        assert_eq!(error, ApplyError::NotFound(format!("no repository of this host offers {build}")));
    }
    for build in ["alph*-0:2-1.noarch", "@alpha-0:2-1.noarch", "/tmp/alpha-0:2-1.noarch", "[a]lpha-0:2-1.noarch"] {
        assert!(matches!(refused(&*engine, &install(build, true)), ApplyError::NotFound(_)), "{build}");
    }
}

#[test]
fn without_repositories_nothing_comes_from_them() {
    let none = RpmRoot::new();
    let disabled = offering(&[package("alpha", "2")]);
    disabled.configure_repository("gpgcheck=0\nenabled=0");
    for (root, why) in [(none, "this host has no repositories"), (disabled, "no repository of this host is enabled")] {
        let engine = engine(&root);
        // A repository that is disabled can be enabled.
        let repositories = why != "this host has no repositories";
        assert_eq!(engine.abilities(), Abilities { changes: true, repositories });
        as_planned(&*engine, &install_file(&*engine, &package("alpha", "1").build(&root.scratch()), false));
        for operation in
            [install("alpha-0:2-1.noarch", false), update("alpha-0:1-1.noarch"), repair("alpha-0:1-1.noarch")]
        {
            let error = refused(&*engine, &operation);
            assert!(matches!(&error, ApplyError::NotFound(text) if text.contains(why)), "{error:?}");
        }
    }
}

#[test]
fn the_newest_takes_the_place_of_an_installed_build() {
    let root = offering(&[
        package("alpha", "1"),
        package("alpha", "2"),
        package("alpha", "3").tag("Requires", "beta"),
        package("beta", "1"),
    ]);
    let engine = engine(&root);
    as_planned(&*engine, &install("alpha-0:1-1.noarch", false));
    assert!(matches!(refused(&*engine, &update("alpha-0:2-1.noarch")), ApplyError::NotFound(_)));
    let (changes, _) = as_planned(&*engine, &update("alpha-0:1-1.noarch"));
    assert_eq!(changes, ["Updated alpha-0:1-1.noarch alpha-0:3-1.noarch", "Installed beta-0:1-1.noarch"]);
    let ApplyError::NotNewer(why) = refused(&*engine, &update("alpha-0:3-1.noarch")) else { panic!() };
    assert!(why.starts_with("alpha is up to date"), "{why}");
}

#[test]
fn a_newest_build_that_lacks_something_is_not_passed_over() {
    let root = offering(&[package("alpha", "1"), package("alpha", "2").tag("Requires", "libnowhere")]);
    let engine = engine(&root);
    as_planned(&*engine, &install("alpha-0:1-1.noarch", false));
    for operation in [update("alpha-0:1-1.noarch"), install("alpha-0:2-1.noarch", false)] {
        let error = refused(&*engine, &operation);
        assert!(matches!(&error, ApplyError::Dependencies(why) if why.contains("libnowhere")), "{error:?}");
    }
}

#[test]
fn what_obsoletes_a_package_takes_its_place() {
    let root = offering(&[package("alpha", "1"), package("omega", "5").tag("Obsoletes", "alpha < 4")]);
    let engine = engine(&root);
    root.install_by_hand(&package("alpha", "1").build(&root.scratch()));
    engine.refresh().unwrap();
    let (changes, _) = as_planned(&*engine, &update("alpha-0:1-1.noarch"));
    assert_eq!(changes, ["Installed omega-0:5-1.noarch", "Removed alpha-0:1-1.noarch"]);

    let root = RpmRoot::new();
    let engine = super::engine(&root);
    root.install_by_hand(&package("alpha", "1").build(&root.scratch()));
    engine.refresh().unwrap();
    let omega = package("omega", "5").tag("Obsoletes", "alpha < 4").build(&root.scratch());
    let (changes, _) = as_planned(&*engine, &install_file(&*engine, &omega, false));
    assert_eq!(changes, ["Installed omega-0:5-1.noarch", "Removed alpha-0:1-1.noarch"]);
}

#[test]
fn kernels_stand_beside_each_other() {
    let kernel = |version: &str| {
        Rpm::new("kernel", version, "1")
            .file(&format!("boot/vmlinuz-{version}"), version)
            .tag("Provides", "installonlypkg(kernel)")
    };
    let root = offering(&["1", "2", "3"].map(kernel));
    let engine = engine(&root);
    as_planned(&*engine, &install("kernel-0:1-1.noarch", false));
    let operation = update("kernel-0:1-1.noarch");
    let (changes, _) = as_planned(&*engine, &operation);
    assert_eq!(changes, ["Installed kernel-0:3-1.noarch"]);
    assert!(matches!(refused(&*engine, &operation), ApplyError::NotNewer(_)));
    assert!(matches!(refused(&*engine, &install("kernel-0:2-1.noarch", false)), ApplyError::NotNewer(_)));
    let (result, _) = apply(&*engine, &install("kernel-0:2-1.noarch", true));
    assert!(result.unwrap().needs_reboot);
    assert_eq!(installed(&*engine), ["kernel-0:1-1.noarch", "kernel-0:2-1.noarch", "kernel-0:3-1.noarch"]);
}

#[test]
fn rpm_alone_puts_kernels_beside_each_other_and_nothing_else() {
    let root = RpmRoot::new();
    let engine = engine(&root);
    let build = |name: &str, version: &str, provides: &str| {
        let package = Rpm::new(name, version, "1").file(&format!("boot/{name}-{version}"), version);
        install_file(&*engine, &package.tag("Provides", provides).build(&root.scratch()), true)
    };
    as_planned(&*engine, &build("kernel-core", "2", "installonlypkg(kernel)"));
    // What stands alone so far gets company, on both sides.
    for version in ["3", "1"] {
        let (changes, _) = as_planned(&*engine, &build("kernel-core", version, "installonlypkg(kernel)"));
        assert_eq!(changes, [format!("Installed kernel-core-0:{version}-1.noarch")]);
    }
    as_planned(&*engine, &build("alpha", "1", "x"));
    root.add_by_hand(&Rpm::new("alpha", "2", "1").file("boot/alpha-2", "2").build(&root.scratch()));
    engine.refresh().unwrap();
    let (changes, _) = as_planned(&*engine, &build("alpha", "3", "x"));
    assert_eq!(changes.len(), 2, "both are replaced: {changes:?}");
    let kernels = ["1", "2", "3"].map(|version| format!("kernel-core-0:{version}-1.noarch"));
    assert_eq!(installed(&*engine), [["alpha-0:3-1.noarch".to_owned()].as_slice(), &kernels].concat());
}

#[test]
fn a_build_beside_others_is_put_in_place_again_and_they_stay() {
    for root in [RpmRoot::new(), root_with_repository()] {
        let kernels = ["1", "2", "3", "4"].map(|version| {
            let kernel = Rpm::new("kernel", version, "1").file(&format!("boot/vmlinuz-{version}"), version);
            kernel.tag("Provides", "installonlypkg(kernel)").build(&root.scratch())
        });
        root.add_by_hand(&kernels[0]);
        root.add_by_hand(&kernels[2]);
        let engine = engine(&root);
        fs::write(root.path().join("boot/vmlinuz-1"), "altered").unwrap();
        let (changes, _) = as_planned(&*engine, &install_file(&*engine, &kernels[0], true));
        assert_eq!(changes, ["Reinstalled kernel-0:1-1.noarch kernel-0:1-1.noarch"]);
        assert_eq!(fs::read_to_string(root.path().join("boot/vmlinuz-1")).unwrap(), "1");
        as_planned(&*engine, &install_file(&*engine, &kernels[1], true));
        assert_eq!(installed(&*engine).len(), 3);
    }
}

#[test]
fn by_force_the_same_and_older_builds_are_put_in_place() {
    for root in [RpmRoot::new(), root_with_repository()] {
        let engine = engine(&root);
        let [old, new] = ["1", "2"].map(|version| package("alpha", version).build(&root.scratch()));
        as_planned(&*engine, &install_file(&*engine, &new, false));
        for file in [&old, &new] {
            assert!(matches!(refused(&*engine, &install_file(&*engine, file, false)), ApplyError::NotNewer(_)));
        }
        let content = root.path().join("usr/share/alpha/version");
        fs::write(&content, "altered").unwrap();
        let (changes, _) = as_planned(&*engine, &install_file(&*engine, &new, true));
        assert_eq!(changes, ["Reinstalled alpha-0:2-1.noarch alpha-0:2-1.noarch"]);
        assert_eq!(fs::read_to_string(&content).unwrap(), "2");
        let (changes, _) = as_planned(&*engine, &install_file(&*engine, &old, true));
        assert_eq!(changes, ["Downgraded alpha-0:2-1.noarch alpha-0:1-1.noarch"]);
        assert_eq!(fs::read_to_string(&content).unwrap(), "1");
    }
}

#[test]
fn by_force_repositories_give_the_same_and_older_builds() {
    let root = offering(&["1", "2"].map(|version| package("alpha", version)));
    let engine = engine(&root);
    as_planned(&*engine, &install("alpha-0:2-1.noarch", false));
    for build in ["alpha-0:1-1.noarch", "alpha-0:2-1.noarch"] {
        assert!(matches!(refused(&*engine, &install(build, false)), ApplyError::NotNewer(_)));
    }
    let content = root.path().join("usr/share/alpha/version");
    for operation in [install("alpha-0:2-1.noarch", true), repair("alpha-0:2-1.noarch")] {
        fs::write(&content, "altered").unwrap();
        let (changes, _) = as_planned(&*engine, &operation);
        assert_eq!(changes, ["Reinstalled alpha-0:2-1.noarch alpha-0:2-1.noarch"]);
        assert_eq!(fs::read_to_string(&content).unwrap(), "2");
    }
    let (changes, _) = as_planned(&*engine, &install("alpha-0:1-1.noarch", true));
    assert_eq!(changes, ["Downgraded alpha-0:2-1.noarch alpha-0:1-1.noarch"]);
}

#[test]
fn what_no_repository_offers_any_more_cannot_be_repaired() {
    let root = offering(&[package("alpha", "1")]);
    let engine = engine(&root);
    as_planned(&*engine, &install("alpha-0:1-1.noarch", false));
    publish(&root, &[package("alpha", "2")]);
    refresh(&*engine);
    let ApplyError::NotFound(why) = refused(&*engine, &repair("alpha-0:1-1.noarch")) else { panic!() };
    assert!(why.contains("offers alpha-0:1-1.noarch any more"), "{why}");
    assert!(matches!(refused(&*engine, &repair("alpha-0:2-1.noarch")), ApplyError::NotFound(_)));
}

#[test]
fn a_full_disk_is_found_out_before_anything_is_changed() {
    let large = || Rpm::new("alpha", "1", "1").file("usr/share/alpha/data", &"x".repeat(3_000_000));
    let plain = RpmRoot::new();
    let with_repository = offering(&[large()]);
    let file = large().build(&plain.scratch());
    for root in [&plain, &with_repository] {
        let engine = engine(root);
        let _disk = SmallDisk::new(&root.path().join("usr/share"), 1000);
        let (result, kept) = apply(&*engine, &install_file(&*engine, &file, false));
        assert!(matches!(&result, Err(ApplyError::NoSpace(why)) if why.contains("/usr/share")), "{result:?}");
        assert!(kept.started.is_empty());
        assert!(installed(&*engine).is_empty());
    }
}

#[test]
fn each_phase_before_the_change_can_be_cancelled() {
    let root = offering(&[package("alpha", "1")]);
    let engine = engine(&root);
    for phase in [Phase::Checking, Phase::Downloading] {
        let token = CancelToken::default();
        let mut kept = Kept { cancel_at: Some((phase, token.clone())), ..Kept::default() };
        let result = engine.apply(&install("alpha-0:1-1.noarch", false), &mut kept, &token);
        assert_eq!(result, Err(ApplyError::Cancelled));
        assert!(kept.started.is_empty());
    }
    let token = CancelToken::default();
    let mut kept = Kept { cancel_at: Some((Phase::Unpacking, token.clone())), ..Kept::default() };
    engine.apply(&install("alpha-0:1-1.noarch", false), &mut kept, &token).unwrap();
    assert_eq!(installed(&*engine), ["alpha-0:1-1.noarch"]);
}

#[test]
fn a_reboot_is_needed_after_what_all_programs_use() {
    let root = offering(&[package("glibc", "1"), package("alpha", "1")]);
    let engine = engine(&root);
    assert!(!apply(&*engine, &install("alpha-0:1-1.noarch", false)).0.unwrap().needs_reboot);
    let glibc = install("glibc-0:1-1.noarch", false);
    assert_eq!(engine.plan(&glibc, &CancelToken::default()).unwrap().needs_reboot, Some(true));
    assert!(apply(&*engine, &glibc).0.unwrap().needs_reboot);
}

#[test]
fn a_failing_script_of_a_build_from_a_repository_is_told() {
    let root = offering(&[
        package("alpha", "1").lua("pre", "error('no licence found')"),
        package("gamma", "1").lua("post", "error('no printer found')"),
    ]);
    let engine = engine(&root);
    let (result, _) = apply(&*engine, &install("alpha-0:1-1.noarch", false));
    assert!(matches!(&result, Err(ApplyError::Failed(why)) if why.contains("no licence found")), "{result:?}");
    let (result, kept) = apply(&*engine, &install("gamma-0:1-1.noarch", false));
    assert_eq!(result.unwrap().changes.len(), 1);
    assert!(kept.notes.iter().any(|note| note.contains("no printer found")), "{:?}", kept.notes);
    assert_eq!(installed(&*engine), ["gamma-0:1-1.noarch"]);
}

#[test]
fn a_large_operation_is_planned_whole() {
    let root = RpmRoot::new();
    let mut files: Vec<_> =
        (0..250).map(|i| build_rpm(&root.scratch(), &format!("part-{i:03}"), "1", "1", &[])).collect();
    let whole = (0..250).fold(package("whole", "1"), |whole, i| whole.tag("Requires", &format!("part-{i:03}")));
    files.push(whole.build(&root.scratch()));
    root.publish(&files);
    root.configure_repository("gpgcheck=0");
    let plan = engine(&root).plan(&install("whole-0:1-1.noarch", false), &CancelToken::default()).unwrap();
    assert_eq!(plan.changes.len(), 251);
    assert!(plan.changes.iter().all(|change| change.download_octets.is_some()));
}
