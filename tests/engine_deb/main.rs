//! The Debian engine with the real dpkg and apt on private roots.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a test must fail the test, also outside of the functions marked as tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod install_file;
mod interruption;
mod locks;
mod meanwhile;
mod originals;
mod removal;
mod repair;
mod repositories;
mod trust;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use quartermaster::software::{EngineChoice, InspectError, Manager, PackageState, open};
use support::operations::installed;
use support::packages::{DebRoot, build_deb, build_rpm};

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
