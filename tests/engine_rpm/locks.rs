//! Locks that somebody else holds.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use quartermaster::software::{
    ApplyError, CancelToken, EngineChoice, EngineSettings, Manager, Operation, Phase, open_with,
};

use super::root_with_repository;
use super::steps::{Acting, install_file, remove};
use super::support::operations::{Kept, installed};
use super::support::packages::{RpmRoot, build_rpm};

/// A lock that this process holds until it is dropped.
enum Held {
    Rpm { _locked: File },
    Dnf(PathBuf),
}

impl Held {
    /// rpm's: a lock of the file.
    fn rpm(root: &RpmRoot) -> Self {
        let lock = File::options().write(true).open(root.path().join("var/lib/rpm/.rpm.lock")).unwrap();
        rustix::fs::fcntl_lock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
        Self::Rpm { _locked: lock }
    }

    /// dnf's: a file with the number of the process.
    fn dnf(root: &RpmRoot, name: &str) -> Self {
        let lock = root.path().join(name);
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        fs::write(&lock, std::process::id().to_string()).unwrap();
        Self::Dnf(lock)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Self::Dnf(file) = self {
            fs::remove_file(file).unwrap();
        }
    }
}

fn held() -> Vec<(RpmRoot, Held)> {
    let with_rpm = RpmRoot::new();
    let mut held = vec![Held::rpm(&with_rpm)];
    let mut roots = vec![with_rpm];
    for name in ["var/lib/dnf/rpmdb_lock.pid", "var/cache/dnf/metadata_lock.pid", ""] {
        let root = root_with_repository();
        held.push(if name.is_empty() { Held::rpm(&root) } else { Held::dnf(&root, name) });
        roots.push(root);
    }
    roots.into_iter().zip(held).collect()
}

fn engine(root: &RpmRoot, lock_timeout: Duration) -> Arc<dyn Manager> {
    let settings = EngineSettings { lock_timeout, ..EngineSettings::default() };
    open_with(EngineChoice::Auto, &root.path(), settings).unwrap().unwrap()
}

/// This process as it is told to a person.
fn me() -> String {
    let name = fs::read_to_string("/proc/self/comm").unwrap();
    format!("{} (process {})", name.trim(), std::process::id())
}

fn operation(engine: &dyn Manager, root: &RpmRoot) -> Operation {
    install_file(engine, &build_rpm(&root.scratch(), "alpha", "1", "1", &[]), false)
}

#[test]
fn the_operation_goes_on_when_the_lock_is_released() {
    for (root, lock) in held() {
        let engine = engine(&root, Duration::from_secs(600));
        let operation = operation(&*engine, &root);
        let mut lock = Some(lock);
        let mut progress = Acting(Kept::default(), |phase: &Phase| {
            if matches!(phase, Phase::Waiting { .. }) {
                lock.take();
            }
        });
        engine.apply(&operation, &mut progress, &CancelToken::default()).unwrap();
        let order = progress.0.phase_order();
        assert_eq!(order[..3], [Phase::Checking, Phase::Waiting { holder: me() }, Phase::Checking]);
        assert!(progress.0.phases.is_sorted_by_key(|(_, percent)| *percent));
        assert_eq!(installed(&*engine), ["alpha-0:1-1.noarch"]);
    }
}

#[test]
fn the_wait_ends_when_it_takes_too_long() {
    for (root, lock) in held() {
        let engine = engine(&root, Duration::ZERO);
        let operation = operation(&*engine, &root);
        let mut kept = Kept::default();
        let result = engine.apply(&operation, &mut kept, &CancelToken::default());
        let Err(ApplyError::Busy(why)) = result else { panic!("{result:?}") };
        assert!(why.contains(&format!("{} is at work", me())), "{why}");
        assert!(kept.started.is_empty());
        drop(lock);
        engine.apply(&operation, &mut Kept::default(), &CancelToken::default()).unwrap();
    }
}

#[test]
fn the_wait_can_be_cancelled() {
    for (root, _lock) in held() {
        let engine = engine(&root, Duration::from_secs(600));
        let operation = operation(&*engine, &root);
        let token = CancelToken::default();
        let waiting = Phase::Waiting { holder: me() };
        let mut kept = Kept { cancel_at: Some((waiting, token.clone())), ..Kept::default() };
        assert_eq!(engine.apply(&operation, &mut kept, &token), Err(ApplyError::Cancelled));
        assert!(kept.started.is_empty());
        assert!(installed(&*engine).is_empty());
    }
}

#[test]
fn a_lock_that_comes_before_the_change_is_waited_for_too() {
    let root = root_with_repository();
    let engine = engine(&root, Duration::from_secs(600));
    let mut lock = None;
    let mut progress = Acting(Kept::default(), |phase: &Phase| match phase {
        Phase::Downloading if lock.is_none() => lock = Some(Some(Held::rpm(&root))),
        Phase::Waiting { .. } => lock = Some(None),
        _ => {}
    });
    engine.apply(&operation(&*engine, &root), &mut progress, &CancelToken::default()).unwrap();
    let waiting = Phase::Waiting { holder: me() };
    assert_eq!(
        progress.0.phase_order(),
        [Phase::Checking, Phase::Downloading, waiting, Phase::Downloading, Phase::Unpacking, Phase::Verifying]
    );
}

#[test]
fn what_others_did_meanwhile_counts() {
    let root = RpmRoot::new();
    let file = build_rpm(&root.scratch(), "alpha", "1", "1", &[]);
    root.install_by_hand(&file);
    let engine = engine(&root, Duration::from_secs(600));
    let mut lock = Some(Held::rpm(&root));
    let mut progress = Acting(Kept::default(), |phase: &Phase| {
        if matches!(phase, Phase::Waiting { .. }) && lock.take().is_some() {
            root.remove_by_hand("alpha");
        }
    });
    let result = engine.apply(&remove("alpha-0:1-1.noarch", false), &mut progress, &CancelToken::default());
    assert!(matches!(result, Err(ApplyError::NotFound(_))), "{result:?}");
}

#[test]
fn what_came_after_the_check_is_not_removed_along() {
    for root in [RpmRoot::new(), root_with_repository()] {
        root.install_by_hand(&build_rpm(&root.scratch(), "alpha", "1", "1", &[]));
        let beta = build_rpm(&root.scratch(), "beta", "1", "1", &[("Requires", "alpha")]);
        let engine = engine(&root, Duration::from_secs(600));
        let (mut checks, mut lock) = (0, None);
        let mut progress = Acting(Kept::default(), |phase: &Phase| match phase {
            Phase::Checking => {
                checks += 1;
                // The first one begins the check, the second one ends it.
                lock = (checks == 2).then(|| Held::rpm(&root));
            }
            Phase::Waiting { .. } if lock.take().is_some() => root.install_by_hand(&beta),
            _ => {}
        });
        let result = engine.apply(&remove("alpha-0:1-1.noarch", false), &mut progress, &CancelToken::default());
        let Err(ApplyError::Dependencies(why)) = result else { panic!("{result:?}") };
        assert!(why.starts_with("alpha was not removed") && why.contains("beta-0:1-1.noarch"), "{why}");
        assert!(progress.0.started.is_empty());
        engine.refresh().unwrap();
        assert_eq!(installed(&*engine), ["alpha-0:1-1.noarch", "beta-0:1-1.noarch"]);
    }
}

#[test]
fn what_comes_at_the_last_moment_is_not_removed_along() {
    for root in [RpmRoot::new(), root_with_repository()] {
        root.install_by_hand(&build_rpm(&root.scratch(), "alpha", "1", "1", &[]));
        let beta = build_rpm(&root.scratch(), "beta", "1", "1", &[("Requires", "alpha")]);
        let engine = engine(&root, Duration::from_secs(600));
        let mut is_first = true;
        // This is told when everything was looked at, before the tool is started.
        let mut progress = Acting(Kept::default(), |phase: &Phase| {
            if *phase == Phase::Removing && std::mem::take(&mut is_first) {
                root.install_by_hand(&beta);
            }
        });
        let result = engine.apply(&remove("alpha-0:1-1.noarch", false), &mut progress, &CancelToken::default());
        let Err(ApplyError::Dependencies(why)) = result else { panic!("{result:?}") };
        assert!(why.starts_with("alpha was not removed") && why.contains("beta-0:1-1.noarch"), "{why}");
        engine.refresh().unwrap();
        assert_eq!(installed(&*engine), ["alpha-0:1-1.noarch", "beta-0:1-1.noarch"]);
    }
}

#[test]
fn what_is_changed_besides_is_told() {
    let root = root_with_repository();
    for name in ["alpha", "gamma"] {
        root.install_by_hand(&build_rpm(&root.scratch(), name, "1", "1", &[]));
    }
    let needing = |name| build_rpm(&root.scratch(), name, "2", "1", &[("Requires", "alpha")]);
    let later = [needing("beta"), needing("gamma")];
    let engine = engine(&root, Duration::from_secs(600));
    let mut is_first = true;
    let mut progress = Acting(Kept::default(), |phase: &Phase| {
        if *phase == Phase::Removing && std::mem::take(&mut is_first) {
            later.iter().for_each(|file| root.install_by_hand(file));
        }
    });
    engine.apply(&remove("alpha-0:1-1.noarch", true), &mut progress, &CancelToken::default()).unwrap();
    assert!(installed(&*engine).is_empty());
    assert_eq!(
        progress.0.notes,
        ["packages were changed that the check did not name: gamma-0:1-1.noarch was removed, beta-0:2-1.noarch was \
             removed, gamma-0:2-1.noarch was removed"]
    );
}

#[test]
fn a_check_that_others_made_wrong_is_made_again() {
    for root in [RpmRoot::new(), root_with_repository()] {
        root.install_by_hand(&build_rpm(&root.scratch(), "alpha", "1", "1", &[]));
        let beta = build_rpm(&root.scratch(), "beta", "1", "1", &[("Requires", "alpha")]);
        let engine = engine(&root, Duration::from_secs(600));
        let (mut checks, mut lock) = (0, None);
        let mut progress = Acting(Kept::default(), |phase: &Phase| match phase {
            Phase::Checking => {
                checks += 1;
                lock = (checks == 2).then(|| Held::rpm(&root));
            }
            Phase::Waiting { .. } if lock.take().is_some() => root.install_by_hand(&beta),
            _ => {}
        });
        let outcome = engine.apply(&remove("alpha-0:1-1.noarch", true), &mut progress, &CancelToken::default());
        assert_eq!(outcome.unwrap().changes.len(), 2);
        assert_eq!(progress.0.started.len(), 1);
        assert!(installed(&*engine).is_empty());
    }
}

#[test]
fn others_that_never_finish_are_told_of() {
    let root = RpmRoot::new();
    root.install_by_hand(&build_rpm(&root.scratch(), "alpha", "1", "1", &[]));
    let builds: Vec<PathBuf> =
        (1..=9).map(|version| build_rpm(&root.scratch(), "beta", &version.to_string(), "1", &[])).collect();
    let engine = engine(&root, Duration::from_secs(600));
    let (mut is_first, mut lock, mut builds) = (true, None, builds.iter());
    let mut progress = Acting(Kept::default(), |phase: &Phase| match phase {
        Phase::Checking if lock.is_none() && !std::mem::take(&mut is_first) => lock = Some(Held::rpm(&root)),
        Phase::Waiting { .. } => {
            lock.take();
            is_first = true;
            root.install_by_hand(builds.next().unwrap());
        }
        _ => {}
    });
    let result = engine.apply(&remove("alpha-0:1-1.noarch", false), &mut progress, &CancelToken::default());
    let Err(ApplyError::Busy(why)) = result else { panic!("{result:?}") };
    assert!(why.starts_with("alpha was not removed: other tools changed this host's packages each time"), "{why}");
    assert!(progress.0.started.is_empty());
}
