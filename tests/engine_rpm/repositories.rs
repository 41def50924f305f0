//! Repositories that are there, are not there, and are fetched anew.

use std::fs::{self, File};
use std::time::SystemTime;

use quartermaster::software::{ApplyError, CancelToken, Operation, Phase, Plan};

use super::engine;
use super::file_server::{Manner, serve};
use super::steps::{Acting, apply, as_planned, install, refresh, refused, update};
use super::support::operations::{Kept, installed};
use super::support::packages::{Rpm, RpmRoot, SmallDisk, build_rpm};

/// An address that nobody listens on.
fn closed() -> String {
    // No port that was free a moment ago: a server of another test may get it meanwhile. This one is never given out.
    "http://127.0.0.1:1/".to_owned()
}

fn root() -> RpmRoot {
    let packages = RpmRoot::new();
    let alpha = build_rpm(&packages.scratch(), "alpha", "1", "1", &[]);
    RpmRoot::new().with_repository(&[alpha])
}

#[test]
fn a_refresh_shows_what_is_new() {
    let root = root();
    let engine = engine(&root);
    as_planned(&*engine, &install("alpha-0:1-1.noarch", false));
    root.publish(&[build_rpm(&root.scratch(), "alpha", "2", "1", &[])]);
    let (result, kept) = apply(&*engine, &Operation::RefreshRepositories);
    assert!(result.unwrap().changes.is_empty());
    assert_eq!(kept.phase_order(), [Phase::Checking, Phase::Downloading]);
    as_planned(&*engine, &update("alpha-0:1-1.noarch"));
    assert_eq!(engine.plan(&Operation::RefreshRepositories, &CancelToken::default()), Ok(Plan::default()));
}

#[test]
fn what_a_repository_gets_after_the_check_does_not_come() {
    for moment in [Phase::Downloading, Phase::Unpacking] {
        let root = RpmRoot::new();
        let alpha = build_rpm(&root.scratch(), "alpha", "1", "1", &[("Requires", "beta")]);
        let [old, new] = ["1", "2"].map(|version| build_rpm(&root.scratch(), "beta", version, "1", &[]));
        root.publish(&[alpha.clone(), old.clone()]);
        root.configure_repository("gpgcheck=0");
        let engine = engine(&root);
        let mut is_first = true;
        let mut progress = Acting(Kept::default(), |phase: &Phase| {
            if *phase == moment && std::mem::take(&mut is_first) {
                root.publish(&[alpha.clone(), old.clone(), new.clone()]);
                expire(&root);
            }
        });
        engine.apply(&install("alpha-0:1-1.noarch", false), &mut progress, &CancelToken::default()).unwrap();
        assert_eq!(installed(&*engine), ["alpha-0:1-1.noarch", "beta-0:1-1.noarch"], "{moment:?}");
        assert!(progress.0.notes.is_empty(), "{:?}", progress.0.notes);
        refresh(&*engine);
        as_planned(&*engine, &update("beta-0:1-1.noarch"));
    }
}

/// Makes what dnf has fetched of repositories so old that it would fetch it anew.
fn expire(root: &RpmRoot) {
    let folders = fs::read_dir(root.path().join("var/cache/dnf")).unwrap().map(|entry| entry.unwrap().path());
    for folder in folders.map(|folder| folder.join("repodata")).filter(|folder| folder.is_dir()) {
        for list in fs::read_dir(folder).unwrap() {
            File::open(list.unwrap().path()).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }
    }
}

#[test]
fn without_repositories_there_is_nothing_to_refresh() {
    let disabled = root();
    disabled.configure_repository("enabled=0");
    for root in [RpmRoot::new(), disabled] {
        let (result, kept) = apply(&*engine(&root), &Operation::RefreshRepositories);
        assert!(result.unwrap().changes.is_empty());
        assert!(kept.notes.is_empty());
    }
}

#[test]
fn a_repository_out_of_reach_is_named_and_the_others_are_fetched() {
    for skip in [0, 1] {
        let root = root();
        root.add_repository("down", &closed(), &format!("skip_if_unavailable={skip}\ngpgcheck=0"));
        let engine = engine(&root);
        let (result, _) = apply(&*engine, &Operation::RefreshRepositories);
        let Err(ApplyError::Unreachable(why)) = &result else { panic!("{result:?}") };
        assert!(why.contains("the repository down cannot be read") && why.contains("Curl error"), "{why}");
        assert!(!why.contains("repository test"), "{why}");
        let fetched = fs::read_dir(root.path().join("var/cache/dnf")).unwrap().flatten();
        let names: Vec<String> = fetched.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        assert!(names.iter().any(|name| name.starts_with("test") && name.ends_with(".solv")), "{names:?}");
    }
}

#[test]
fn a_repository_out_of_reach_is_why_a_build_is_not_found() {
    for skip in [0, 1] {
        let root = root();
        root.add_repository("down", &closed(), &format!("skip_if_unavailable={skip}\ngpgcheck=0"));
        let engine = engine(&root);
        let error = refused(&*engine, &install("zeta-0:1-1.noarch", false));
        assert!(matches!(&error, ApplyError::Unreachable(why) if why.contains("repository down")), "{error:?}");
    }
}

#[test]
fn what_the_others_have_is_installed_without_a_repository_that_may_be_skipped() {
    let root = root();
    root.add_repository("down", &closed(), "skip_if_unavailable=1\ngpgcheck=0");
    let engine = engine(&root);
    let (result, kept) = apply(&*engine, &install("alpha-0:1-1.noarch", false));
    assert_eq!(result.unwrap().changes.len(), 1);
    assert!(kept.notes.iter().any(|note| note.contains("the repository down cannot be read")), "{:?}", kept.notes);
    // Whether there is anything newer is not known.
    let error = refused(&*engine, &update("alpha-0:1-1.noarch"));
    assert!(matches!(error, ApplyError::Unreachable(_)), "{error:?}");
}

#[test]
fn a_package_that_is_gone_from_its_repository_cannot_be_fetched() {
    let root = root();
    fs::remove_file(root.repository().join("alpha-1-1.noarch.rpm")).unwrap();
    let engine = engine(&root);
    let (result, kept) = apply(&*engine, &install("alpha-0:1-1.noarch", false));
    assert!(matches!(&result, Err(ApplyError::Unreachable(why)) if why.contains("alpha-1-1")), "{result:?}");
    assert!(kept.started.is_empty());
    assert!(installed(&*engine).is_empty());
}

/// A root that uses a repository behind HTTP; it has `alpha`, which needs `beta`.
fn remote(manner: impl Fn(&str) -> Manner + Send + Sync + 'static) -> RpmRoot {
    let root = RpmRoot::new();
    let alpha = build_rpm(&root.scratch(), "alpha", "1", "1", &[("Requires", "beta")]);
    root.publish(&[alpha, build_rpm(&root.scratch(), "beta", "1", "1", &[])]);
    root.add_repository("remote", &serve(&root.repository(), manner), "gpgcheck=0");
    root
}

fn is_package(path: &str) -> bool {
    path.ends_with(".rpm")
}

#[test]
fn each_fetched_package_is_progress() {
    let root = remote(|_| Manner::Answer);
    let (changes, kept) = as_planned(&*engine(&root), &install("alpha-0:1-1.noarch", false));
    assert_eq!(changes.len(), 2);
    let fetched: Vec<u8> =
        kept.phases.iter().filter(|(phase, _)| *phase == Phase::Downloading).map(|(_, percent)| *percent).collect();
    assert_eq!(fetched, [5, 17, 30]);
}

#[test]
fn a_download_is_stopped_when_it_is_cancelled() {
    let token = CancelToken::default();
    let in_server = token.clone();
    let root = remote(move |path| {
        if is_package(path) {
            in_server.cancel();
            Manner::Stall
        } else {
            Manner::Answer
        }
    });
    let engine = engine(&root);
    let mut kept = Kept::default();
    assert_eq!(engine.apply(&install("alpha-0:1-1.noarch", false), &mut kept, &token), Err(ApplyError::Cancelled));
    assert_eq!(kept.phase_order(), [Phase::Checking, Phase::Downloading]);
    assert!(kept.started.is_empty());
    assert!(installed(&*engine).is_empty());
}

#[test]
fn what_is_altered_or_missing_on_the_server_is_not_installed() {
    let root = remote(|path| if is_package(path) { Manner::Alter } else { Manner::Answer });
    let (result, kept) = apply(&*engine(&root), &install("alpha-0:1-1.noarch", false));
    assert!(matches!(&result, Err(ApplyError::Untrusted(why)) if why.contains("checksum doesn't match")), "{result:?}");
    assert!(kept.started.is_empty());

    let root = remote(|_| Manner::Answer);
    fs::remove_file(root.repository().join("beta-1-1.noarch.rpm")).unwrap();
    let (result, kept) = apply(&*engine(&root), &install("alpha-0:1-1.noarch", false));
    assert!(matches!(&result, Err(ApplyError::Unreachable(why)) if why.contains("beta-1-1.noarch.rpm")), "{result:?}");
    assert!(kept.started.is_empty());

    let root = remote(|path| if path.contains("primary") { Manner::Alter } else { Manner::Answer });
    for operation in [install("alpha-0:1-1.noarch", false), Operation::RefreshRepositories] {
        let (result, _) = apply(&*engine(&root), &operation);
        assert!(matches!(&result, Err(ApplyError::Untrusted(why)) if why.contains("repository remote")), "{result:?}");
    }
}

#[test]
fn packages_need_room_where_dnf_keeps_them() {
    let root = RpmRoot::new();
    let large = Rpm::new("alpha", "1", "1").file("usr/share/alpha/data", &"x".repeat(3_000_000));
    root.publish(&[large.build(&root.scratch())]);
    root.add_repository("remote", &serve(&root.repository(), |_| Manner::Answer), "gpgcheck=0");
    let _disk = SmallDisk::new(&root.path().join("var/cache/dnf"), 1000);
    let (result, kept) = apply(&*engine(&root), &install("alpha-0:1-1.noarch", false));
    assert!(matches!(&result, Err(ApplyError::NoSpace(_))), "{result:?}");
    assert!(kept.started.is_empty());
}

#[test]
fn a_root_without_a_configuration_does_not_take_the_hosts() {
    let root = RpmRoot::new();
    root.publish(&[build_rpm(&root.scratch(), "alpha", "1", "1", &[])]);
    let vars = root.path().join("etc/yum/vars");
    fs::create_dir_all(&vars).unwrap();
    fs::write(vars.join("place"), root.repository().to_str().unwrap().trim_start_matches('/')).unwrap();
    // Signatures are checked unless the repository says otherwise, and this package has none.
    root.add_repository("test", "file:///$place", "");
    let engine = engine(&root);
    assert_eq!(engine.repositories().unwrap()[0].checks_packages, Some(true));
    let (result, kept) = apply(&*engine, &install("alpha-0:1-1.noarch", false));
    assert!(matches!(&result, Err(ApplyError::Untrusted(_))), "{result:?}");
    assert!(kept.started.is_empty());
    root.add_repository("test", "file:///$place", "gpgcheck=0");
    assert_eq!(engine.repositories().unwrap()[0].checks_packages, Some(false));
    as_planned(&*engine, &install("alpha-0:1-1.noarch", false));
}
