//! Package files are installed.

use std::fs;
use std::sync::Arc;

use quartermaster::software::{
    ApplyError, CancelToken, Change, ChangeKind, EngineChoice, EngineSettings, Family, Manager, Operation,
    PackageState, Phase, open_with,
};

use super::engine;
use super::support::operations::{Kept, apply_as_planned, install, install_with, installed, nevra, refused, told};
use super::support::packages::{Deb, DebRoot, Repository, build_deb};

#[test]
fn installs_and_updates() {
    let root = DebRoot::new();
    let engine = engine(&root);
    assert_eq!(engine.family(), Family::Deb);
    let (result, kept) = install(&*engine, &build_deb(&root.scratch(), "alpha", "1.0-1", &[]));
    let change = Change { kind: ChangeKind::Installed, before: None, after: Some(nevra("alpha-0:1.0-1.all")) };
    assert_eq!(result.unwrap().changes, [change]);
    assert_eq!(installed(&*engine), ["alpha-0:1.0-1.all"]);
    let package = Arc::clone(&engine.inventory().packages()[0]);
    assert_eq!(package.state, PackageState::Installed);
    assert!(package.installed_at.is_some());
    assert_eq!(kept.started.len(), 1);
    assert!(kept.started[0].1 > 0);
    assert_eq!(kept.phase_order(), [Phase::Checking, Phase::Unpacking, Phase::Configuring, Phase::Verifying]);
    assert!(kept.phases.is_sorted_by_key(|(_, percent)| *percent), "{:?}", kept.phases);
    assert!(kept.phases.iter().all(|(_, percent)| *percent < 100));

    let (result, _) = install(&*engine, &build_deb(&root.scratch(), "alpha", "1.1~rc1-1", &[]));
    let change = Change {
        kind: ChangeKind::Updated,
        before: Some(nevra("alpha-0:1.0-1.all")),
        after: Some(nevra("alpha-0:1.1~rc1-1.all")),
    };
    assert_eq!(result.unwrap().changes, [change]);
    assert_eq!(fs::read_to_string(root.path().join("usr/share/alpha/version")).unwrap(), "1.1~rc1-1");
}

#[test]
fn installs_without_apt_in_the_root_and_without_a_suffix() {
    let root = DebRoot::new();
    fs::remove_dir_all(root.path().join("etc")).unwrap();
    fs::remove_dir_all(root.path().join("var/lib/apt")).unwrap();
    fs::remove_dir_all(root.path().join("var/log")).unwrap();
    let engine = engine(&root);
    let spooled = root.scratch().join("0000-spooled copy");
    fs::rename(build_deb(&root.scratch(), "alpha", "1.0", &[]), &spooled).unwrap();
    install(&*engine, &spooled).0.unwrap();
    assert_eq!(installed(&*engine), ["alpha-0:1.0.all"]);
    assert!(!root.path().join("etc").exists());
}

#[test]
fn the_same_or_an_older_version_is_refused() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let file = build_deb(&root.scratch(), "alpha", "2.0", &[]);
    install(&*engine, &file).0.unwrap();
    let (result, kept) = install(&*engine, &file);
    assert_eq!(result.unwrap_err(), ApplyError::NotNewer("alpha 2.0 is already installed".to_owned()));
    assert!(kept.started.is_empty());
    let (result, _) = install(&*engine, &build_deb(&root.scratch(), "alpha", "1.0", &[]));
    assert!(matches!(result, Err(ApplyError::NotNewer(why)) if why.starts_with("alpha 1.0 is older than 2.0")));
}

#[test]
fn a_missing_dependency_changes_nothing() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let before = fs::read(root.path().join("var/lib/dpkg/status")).unwrap();
    let file = build_deb(&root.scratch(), "alpha", "1.0", &[("Depends", "libnowhere (>= 2), nothere | noteither")]);
    let (result, kept) = install(&*engine, &file);
    let Err(ApplyError::Dependencies(why)) = result else { panic!("{result:?}") };
    assert_eq!(
        why,
        "alpha needs packages that are neither installed nor in a repository of this host: libnowhere (>= 2); \
         nothere or noteither. Install them first, or add a repository that has them"
    );
    assert!(kept.started.is_empty());
    assert_eq!(kept.phase_order(), [Phase::Checking]);
    assert_eq!(fs::read(root.path().join("var/lib/dpkg/status")).unwrap(), before);
}

#[test]
fn dependencies_come_from_the_roots_repositories() {
    let packages = DebRoot::new();
    let beta = build_deb(&packages.scratch(), "beta", "3", &[]);
    let root = DebRoot::new().with_repository(&[beta]);
    let engine = engine(&root);
    let (result, kept) = install(&*engine, &build_deb(&root.scratch(), "alpha", "1.0", &[("Depends", "beta (>= 2)")]));
    assert_eq!(result.unwrap().changes.len(), 2);
    assert_eq!(installed(&*engine), ["alpha-0:1.0.all", "beta-0:3.all"]);
    assert!(kept.phase_order().contains(&Phase::Downloading));
}

#[test]
fn a_failing_script_is_told_with_its_words() {
    let root = DebRoot::new().with_shell(&[]);
    let engine = engine(&root);
    let broken =
        Deb::new("alpha", "1.0").script("postinst", "echo no licence found >&2; exit 3").build(&root.scratch());
    let (result, _) = install(&*engine, &broken);
    let Err(ApplyError::Failed(why)) = result else { panic!("{result:?}") };
    assert!(why.contains("error exit status 3"), "{why}");
    assert!(why.contains("its script said: no licence found"), "{why}");
    assert!(why.contains("unpacked but not configured"), "{why}");
    assert_eq!(engine.inventory().packages()[0].state, PackageState::Unfinished);

    // A corrected build of the same version mends it.
    let mended = Deb::new("alpha", "1.0").script("postinst", "exit 0").build(&root.scratch());
    let (result, _) = install(&*engine, &mended);
    assert_eq!(result.unwrap().changes[0].kind, ChangeKind::Reinstalled);
    assert_eq!(engine.inventory().packages()[0].state, PackageState::Installed);
}

#[test]
fn scripts_run_on_the_host_only_where_that_is_set() {
    let root = DebRoot::new();
    let file = Deb::new("alpha", "1.0").script("postinst", "echo ran > \"$DPKG_ROOT/ran\"").build(&root.scratch());
    let inside = engine(&root);
    assert!(matches!(install(&*inside, &file).0, Err(ApplyError::Failed(_))));
    let settings = EngineSettings { chrootless: true, scratch: Some(root.scratch()), ..EngineSettings::default() };
    let chrootless = open_with(EngineChoice::Deb, &root.path(), settings).unwrap().unwrap();
    install(&*chrootless, &file).0.unwrap();
    assert!(root.path().join("ran").is_file());
}

#[test]
fn a_changed_configuration_file_is_kept_and_noted() {
    let root = DebRoot::new();
    let engine = engine(&root);
    install(&*engine, &Deb::new("alpha", "1").conffile("etc/alpha.conf", "a=1\n").build(&root.scratch())).0.unwrap();
    let configuration = root.path().join("etc/alpha.conf");
    fs::write(&configuration, "a=mine\n").unwrap();
    let update = Deb::new("alpha", "2").conffile("etc/alpha.conf", "a=2\n").build(&root.scratch());
    let (result, kept) = install(&*engine, &update);
    result.unwrap();
    assert_eq!(fs::read_to_string(&configuration).unwrap(), "a=mine\n");
    assert_eq!(
        kept.notes,
        ["/etc/alpha.conf was changed on this host and is kept; the package's own is /etc/alpha.conf.dpkg-dist"]
    );
}

#[test]
fn cancelled_before_the_change_nothing_is_changed() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let file = build_deb(&root.scratch(), "alpha", "1.0", &[]);
    let token = CancelToken::default();
    token.cancel();
    let mut kept = Kept::default();
    assert_eq!(install_with(&*engine, &file, &mut kept, &token), Err(ApplyError::Cancelled));

    let token = CancelToken::default();
    let mut kept = Kept { cancel_at: Some((Phase::Checking, token.clone())), ..Kept::default() };
    assert_eq!(install_with(&*engine, &file, &mut kept, &token), Err(ApplyError::Cancelled));
    assert!(kept.started.is_empty());
    assert!(installed(&*engine).is_empty());
}

#[test]
fn cancelled_during_the_change_it_is_finished() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let token = CancelToken::default();
    let mut kept = Kept { cancel_at: Some((Phase::Unpacking, token.clone())), ..Kept::default() };
    install_with(&*engine, &build_deb(&root.scratch(), "alpha", "1.0", &[]), &mut kept, &token).unwrap();
    assert_eq!(installed(&*engine), ["alpha-0:1.0.all"]);
}

fn install_file(engine: &dyn Manager, file: &std::path::Path, force: bool) -> Operation {
    Operation::InstallFile { file: file.to_owned(), nevra: engine.inspect(file).unwrap().nevra, force }
}

#[test]
fn force_puts_the_same_build_back_and_goes_back_to_an_older_one() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let build = |version: &str| {
        Deb::new("alpha", version)
            .file("usr/share/alpha/version", version)
            .conffile("etc/alpha.conf", "a=1\n")
            .conffile("etc/beta.conf", "b=1\n")
            .build(&root.scratch())
    };
    let (old, new) = (build("1"), build("2"));
    apply_as_planned(&*engine, &install_file(&*engine, &new, false));
    let version = root.path().join("usr/share/alpha/version");
    let (kept, gone) = (root.path().join("etc/alpha.conf"), root.path().join("etc/beta.conf"));
    fs::write(&version, "tampered").unwrap();
    fs::write(&kept, "a=mine\n").unwrap();
    fs::remove_file(&gone).unwrap();

    let why = refused(&*engine, &install_file(&*engine, &new, false));
    assert_eq!(why, ApplyError::NotNewer("alpha 2 is already installed".to_owned()));
    let (_, outcome, listener) = apply_as_planned(&*engine, &install_file(&*engine, &new, true));
    assert_eq!(told(&outcome), ["Reinstalled alpha-0:2.all alpha-0:2.all"]);
    assert_eq!(fs::read_to_string(&version).unwrap(), "2");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "a=mine\n");
    assert_eq!(fs::read_to_string(&gone).unwrap(), "b=1\n");
    assert_eq!(listener.notes, ["/etc/beta.conf was missing; the package's own is in place again"]);

    assert!(matches!(refused(&*engine, &install_file(&*engine, &old, false)), ApplyError::NotNewer(_)));
    let (_, outcome, _) = apply_as_planned(&*engine, &install_file(&*engine, &old, true));
    assert_eq!(told(&outcome), ["Downgraded alpha-0:2.all alpha-0:1.all"]);
    assert_eq!(fs::read_to_string(&version).unwrap(), "1");
}

#[test]
fn it_is_this_file_that_is_installed_and_not_a_repositorys_of_the_same_version() {
    let packages = DebRoot::new();
    let theirs = Deb::new("alpha", "1").file("usr/share/alpha/maker", "theirs").build(&packages.scratch());
    let repository = Repository::new(&[theirs]);
    let root = DebRoot::new();
    root.use_sources(&repository.source(&repository.address()));
    root.update_by_hand();
    let engine = engine(&root);
    let ours = Deb::new("alpha", "1").file("usr/share/alpha/maker", "ours").build(&root.scratch());
    let maker = root.path().join("usr/share/alpha/maker");
    let (_, outcome, _) = apply_as_planned(&*engine, &install_file(&*engine, &ours, false));
    assert_eq!(told(&outcome), ["Installed - alpha-0:1.all"]);
    assert_eq!(fs::read_to_string(&maker).unwrap(), "ours");
    fs::write(&maker, "nobody").unwrap();
    let (_, outcome, _) = apply_as_planned(&*engine, &install_file(&*engine, &ours, true));
    assert_eq!(told(&outcome), ["Reinstalled alpha-0:1.all alpha-0:1.all"]);
    assert_eq!(fs::read_to_string(&maker).unwrap(), "ours");
}

#[test]
fn what_cannot_be_installed_is_refused_by_the_plan_too() {
    let root = DebRoot::new();
    let engine = engine(&root);
    apply_as_planned(&*engine, &install_file(&*engine, &build_deb(&root.scratch(), "alpha", "1", &[]), false));
    for (name, field, value, said) in [
        ("missing", "Depends", "libnowhere", "missing needs packages that are neither installed nor in a repository"),
        ("rival", "Conflicts", "alpha", "rival conflicts with installed packages: alpha"),
        ("foreign", "Architecture", "hurd-i386", "foreign is built for hurd-i386 and this host runs"),
    ] {
        let file = build_deb(&root.scratch(), name, "1", &[(field, value)]);
        let why = refused(&*engine, &install_file(&*engine, &file, true));
        assert!(matches!(&why, ApplyError::Dependencies(why) if why.starts_with(said)), "{why:?}");
    }
}

#[test]
fn a_script_that_fails_before_the_files_are_there_leaves_nothing() {
    let root = DebRoot::new().with_shell(&[]);
    let engine = engine(&root);
    let file = Deb::new("alpha", "1").script("preinst", "echo not here >&2; exit 4").build(&root.scratch());
    let (result, _) = install(&*engine, &file);
    let Err(ApplyError::Failed(why)) = result else { panic!("{result:?}") };
    assert!(why.starts_with("alpha failed: new alpha package pre-installation script"), "{why}");
    assert!(why.ends_with("its script said: not here"), "{why}");
    assert!(installed(&*engine).is_empty());
}

#[test]
fn a_full_disk_is_told() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let file = Deb::new("alpha", "1").file("usr/share/alpha/data", &"x".repeat(3_000_000)).build(&root.scratch());
    let folder = root.path().join("usr/share");
    fs::create_dir_all(&folder).unwrap();
    let full = SmallDisk::mount(&folder);
    let (result, _) = install(&*engine, &file);
    assert_eq!(
        result.unwrap_err(),
        ApplyError::NoSpace("alpha was not installed: there is not enough room on the disk".to_owned())
    );
    assert!(installed(&*engine).is_empty());
    drop(full);
    install(&*engine, &file).0.unwrap();
}

/// A file system of one megabyte.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(folder: &std::path::Path) -> Self {
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder);
        assert!(mount.status().unwrap().success());
        Self(folder.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn the_hosts_wish_for_a_reboot_is_told() {
    let root = DebRoot::new().with_shell(&[]);
    let engine = engine(&root);
    let first = install(&*engine, &build_deb(&root.scratch(), "alpha", "1", &[])).0.unwrap();
    assert!(!first.needs_reboot);
    fs::create_dir_all(root.path().join("run")).unwrap();
    let asks = "echo reboot > /run/reboot-required";
    let kernel = Deb::new("kernel", "1").script("postinst", asks).build(&root.scratch());
    assert!(install(&*engine, &kernel).0.unwrap().needs_reboot);
    let after = install(&*engine, &build_deb(&root.scratch(), "beta", "1", &[])).0.unwrap();
    assert!(!after.needs_reboot, "it was asked for before");
}
