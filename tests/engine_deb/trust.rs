//! Repositories that cannot be reached, and such as cannot be trusted.

use std::fs;

use quartermaster::software::{ApplyError, Operation};

use super::engine;
use super::support::file_server::{FileServer, closed_address};
use super::support::operations::{apply, installed, nevra};
use super::support::packages::{DebRoot, Repository, build_deb};

const REFRESH: Operation = Operation::RefreshRepositories;

fn alpha() -> Operation {
    Operation::Install { nevra: nevra("alpha-0:1.all"), force: false }
}

fn repository() -> Repository {
    let builder = DebRoot::new();
    Repository::new(&[build_deb(&builder.scratch(), "alpha", "1", &[])])
}

fn refreshed(root: &DebRoot) -> Result<(), ApplyError> {
    apply(&*engine(root), &REFRESH).0.map(drop)
}

/// The operation fails as untrusted, with these words.
fn assert_untrusted(result: Result<impl std::fmt::Debug, ApplyError>, words: &[&str]) {
    let Err(ApplyError::Untrusted(why)) = result else { panic!("{result:?}") };
    for word in words {
        assert!(why.contains(word), "{why}");
    }
}

#[test]
fn a_signature_that_does_not_fit_is_told_with_and_without_earlier_lists() {
    let repository = repository();
    let root = DebRoot::new();
    root.use_sources(&repository.source(&repository.address()));
    let signed = repository.path().join("dists/stable/InRelease");
    let good = fs::read_to_string(&signed).unwrap();
    let words = ["not all repositories were refreshed", &repository.address(), "BADSIG"];
    fs::write(&signed, good.replace("Suite: stable", "Suite: stale")).unwrap();
    assert_untrusted(refreshed(&root), &words);
    assert!(apply(&*engine(&root), &alpha()).0.is_err());
    fs::write(&signed, &good).unwrap();
    refreshed(&root).unwrap();
    fs::write(&signed, good.replace("Suite: stable", "Suite: stale")).unwrap();
    assert_untrusted(refreshed(&root), &words);
    // The lists that were signed are still there.
    apply(&*engine(&root), &alpha()).0.unwrap();
}

#[test]
fn another_key_is_not_trusted() {
    let (repository, other) = (repository(), repository());
    let root = DebRoot::new();
    root.use_sources(&repository.source(&repository.address()));
    refreshed(&root).unwrap();
    let strange = other.source(&repository.address());
    root.use_sources(&strange);
    repository.publish();
    assert_untrusted(refreshed(&root), &[&repository.address(), "NO_PUBKEY"]);
}

#[test]
fn unsigned_repositories_are_not_used() {
    let builder = DebRoot::new();
    let flat = builder.with_repository(&[build_deb(&DebRoot::new().scratch(), "alpha", "1", &[])]);
    let source = fs::read_to_string(flat.path().join("etc/apt/sources.list")).unwrap();
    let root = DebRoot::new();
    root.use_sources(&source.replace("[trusted=yes] ", ""));
    let result = refreshed(&root);
    let Err(ApplyError::Unreachable(why)) = result else { panic!("{result:?}") };
    assert!(why.contains("/repository ./: ") && why.contains("it is gone, or unsigned"), "{why}");
    // Its lists are there if the operator allows that, and packages are not taken from it all the same.
    root.use_sources(&source.replace("trusted=yes", "allow-insecure=yes"));
    refreshed(&root).unwrap();
    let engine = engine(&root);
    assert_untrusted(apply(&*engine, &alpha()).0, &["the repository that has alpha is not signed"]);
    assert!(installed(&*engine).is_empty());

    let repository = repository();
    fs::remove_file(repository.path().join("dists/stable/InRelease")).unwrap();
    root.use_sources(&repository.source(&repository.address()));
    assert_untrusted(refreshed(&root), &[&repository.address(), "it is not signed"]);
}

#[test]
fn an_altered_package_is_not_installed() {
    let repository = repository();
    let server = FileServer::new(&repository.path());
    let root = DebRoot::new();
    root.use_sources(&repository.source(&server.address()));
    refreshed(&root).unwrap();
    let file = repository.path().join("pool/alpha_1_all.deb");
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 600;
    bytes[last] ^= 1;
    fs::write(&file, bytes).unwrap();
    let engine = engine(&root);
    assert_untrusted(apply(&*engine, &alpha()).0, &["alpha was not installed", &server.address(), "Hash Sum mismatch"]);
    fs::remove_file(&file).unwrap();
    let (result, kept) = apply(&*engine, &alpha());
    let Err(ApplyError::Unreachable(why)) = result else { panic!("{result:?}") };
    assert!(why.contains(&server.address()) && why.contains("404"), "{why}");
    assert!(kept.started.is_empty());
    assert!(installed(&*engine).is_empty());
}

#[test]
fn a_repository_out_of_reach_is_named_and_the_others_are_refreshed() {
    let repository = repository();
    let address = closed_address();
    let root = DebRoot::new();
    root.use_sources(&(repository.source(&repository.address()) + &repository.source(&address)));
    for _ in 0..2 {
        let result = refreshed(&root);
        let Err(ApplyError::Unreachable(why)) = result else { panic!("{result:?}") };
        assert!(why.contains(&format!("{address} stable: ")), "{why}");
        assert!(!why.contains(&repository.address()), "{why}");
    }
    apply(&*engine(&root), &alpha()).0.unwrap();

    let server = FileServer::new(&repository.path().join("pool"));
    root.use_sources(&repository.source(&server.address()));
    let result = refreshed(&root);
    assert!(matches!(&result, Err(ApplyError::Unreachable(why)) if why.contains("404")), "{result:?}");
}
