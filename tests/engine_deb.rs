//! The Debian engine with the real dpkg and apt on private roots.

#![allow(clippy::unwrap_used, reason = "a fixture that fails fails its test")]

mod support;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use quartermaster::software::{
    ApplyError, CancelToken, Change, ChangeKind, EngineChoice, EngineSettings, Family, InspectError, Manager,
    Operation, PackageState, Phase, Progress, open, open_with,
};
use support::operations::{Kept, install, install_with, installed, nevra};
use support::packages::{Deb, DebRoot, build_deb, build_rpm};

fn engine(root: &DebRoot) -> Arc<dyn Manager> {
    open(EngineChoice::Auto, &root.path()).unwrap().unwrap()
}

#[test]
fn inspects_packages_and_refuses_other_files() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let file = build_deb(&root.scratch(), "alpha", "1:1.0-2", &[("Installed-Size", "12")]);
    let package = engine.inspect(&file).unwrap();
    assert_eq!(package.nevra.to_string(), "alpha-1:1.0-2.all");
    assert_eq!(&*package.summary, "test package alpha");
    assert_eq!(&*package.description, "It holds nothing of use.\n\nA second part.");
    assert_eq!(package.manufacturer.as_deref(), Some("Test Maker <maker@example.org>"));
    assert_eq!(package.installed_size, Some(12 * 1024));
    assert_eq!(package.state, PackageState::NotInstalled);

    let cut = root.scratch().join("cut.deb");
    let bytes = fs::read(&file).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 100]).unwrap();
    let rpm = build_rpm(&root.scratch(), "alpha", "1", "1", &[]);
    let mut broken = bytes.clone();
    let at = bytes.windows(8).position(|w| w == b"./contro").unwrap();
    broken[at..at + 600].fill(b'x');
    let damaged = root.scratch().join("damaged.deb");
    fs::write(&damaged, broken).unwrap();
    for (file, why) in [
        (&cut, "it is cut off"),
        (&rpm, "it is an RPM package, and this system has Debian packages"),
        (&damaged, "its control archive cannot be read"),
        (&root.scratch(), "it is no regular file"),
    ] {
        match engine.inspect(file) {
            Err(InspectError::NotAPackage(said)) => assert_eq!(said, why),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(engine.inspect(&root.scratch().join("missing.deb")), Err(InspectError::Read(_))));
}

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
fn a_conflict_changes_nothing() {
    let root = DebRoot::new();
    let engine = engine(&root);
    install(&*engine, &build_deb(&root.scratch(), "alpha", "1.0", &[])).0.unwrap();
    let (result, _) = install(&*engine, &build_deb(&root.scratch(), "beta", "1.0", &[("Conflicts", "alpha")]));
    let Err(ApplyError::Dependencies(why)) = result else { panic!("{result:?}") };
    assert!(why.contains("alpha"), "{why}");
    assert_eq!(installed(&*engine), ["alpha-0:1.0.all"]);
}

#[test]
fn another_architecture_changes_nothing() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let (result, kept) = install(&*engine, &build_deb(&root.scratch(), "alpha", "1", &[("Architecture", "hurd-i386")]));
    assert!(matches!(result, Err(ApplyError::Dependencies(why)) if why.contains("hurd-i386")));
    assert!(kept.started.is_empty());
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

#[test]
fn another_tool_at_work_is_told() {
    let root = DebRoot::new();
    let settings = EngineSettings { lock_timeout: Duration::ZERO, ..EngineSettings::default() };
    let engine = open_with(EngineChoice::Auto, &root.path(), settings).unwrap().unwrap();
    let file = build_deb(&root.scratch(), "alpha", "1.0", &[]);
    let lock = File::create(root.path().join("var/lib/dpkg/lock-frontend")).unwrap();
    rustix::fs::fcntl_lock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    let (result, _) = install(&*engine, &file);
    let Err(ApplyError::Busy(why)) = result else { panic!("{result:?}") };
    assert!(why.contains("another package tool is at work"), "{why}");
    drop(lock);
    install(&*engine, &file).0.unwrap();
}

#[test]
fn changes_by_hand_are_noticed() {
    let root = DebRoot::new();
    let engine = engine(&root);
    assert!(!engine.refresh().unwrap());
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1.0", &[]));
    assert!(engine.wait_for_change(Duration::from_secs(60)));
    assert!(engine.refresh().unwrap());
    assert_eq!(installed(&*engine), ["alpha-0:1.0.all"]);
    root.remove_by_hand("alpha");
    assert!(engine.wait_for_change(Duration::from_secs(60)));
    assert!(engine.refresh().unwrap());
    assert!(installed(&*engine).is_empty());
    assert!(!engine.refresh().unwrap());
}

#[test]
fn a_filled_database_is_read_whole() {
    let root = DebRoot::new();
    root.fill(2000);
    assert_eq!(engine(&root).inventory().packages().len(), 2000);
}

#[test]
fn another_tool_at_work_is_waited_for() {
    let root = DebRoot::new();
    let engine = engine(&root);
    let file = build_deb(&root.scratch(), "alpha", "1.0", &[]);
    let lock = File::create(root.path().join("var/lib/dpkg/lock-frontend")).unwrap();
    rustix::fs::fcntl_lock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    let mut listener = UntilWaiting { lock: Some(lock), waited: false };
    let nevra = engine.inspect(&file).unwrap().nevra;
    engine.apply(&Operation::InstallFile { file, nevra }, &mut listener, &CancelToken::default()).unwrap();
    assert!(listener.waited);
    assert_eq!(installed(&*engine), ["alpha-0:1.0.all"]);
}

/// Holds a lock until the operation tells that it waits.
struct UntilWaiting {
    lock: Option<File>,
    waited: bool,
}

impl Progress for UntilWaiting {
    fn started(&mut self, _pid: u32, _start_ticks: u64) {}

    fn phase(&mut self, _phase: Phase, _percent: u8) {}

    fn note(&mut self, text: &str) {
        self.waited |= text.starts_with("waiting for another package tool");
        self.lock = None;
    }
}

/// Not a test by itself: the process that is killed in the test below.
#[test]
fn process_that_is_killed() {
    let (Some(root), Some(file)) = (std::env::var_os("KILLED_ROOT"), std::env::var_os("KILLED_FILE")) else { return };
    let engine = open(EngineChoice::Deb, Path::new(&root)).unwrap().unwrap();
    let _ = install(&*engine, Path::new(&file));
}

#[test]
fn the_tool_finishes_when_its_caller_is_killed() {
    let root = DebRoot::new().with_shell(&[]);
    let (ready, gate) = (root.path().join("ready"), root.path().join("gate"));
    for fifo in [&ready, &gate] {
        assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
    }
    let script = "echo at work > /ready; read line < /gate; echo a line that nobody hears";
    let file = Deb::new("alpha", "1.0").script("postinst", script).build(&root.scratch());
    let mut caller = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process_that_is_killed"])
        .env("KILLED_ROOT", root.path())
        .env("KILLED_FILE", &file)
        .env("TMPDIR", root.scratch())
        .spawn()
        .unwrap();
    assert_eq!(fs::read_to_string(&ready).unwrap(), "at work\n");
    let engine = engine(&root);
    assert_eq!(engine.inventory().packages()[0].state, PackageState::Unfinished);
    caller.kill().unwrap();
    caller.wait().unwrap();
    fs::write(&gate, "go on\n").unwrap();
    while engine.inventory().packages()[0].state != PackageState::Installed {
        assert!(engine.wait_for_change(Duration::from_secs(60)), "the tool did not finish");
        engine.refresh().unwrap();
    }
}
