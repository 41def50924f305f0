//! A process that changes an image is killed.

use std::collections::BTreeSet;
use std::env;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::disk::{Allowed, Disk, Step, Steps};
use super::super::reading::images;
use super::super::*;
use super::fixture::{check_whole, copy, install, install_bundle, open_with, stocked, tools, vib};
use crate::software::vib::Descriptor;
use crate::software::vib::building::Bundle;

/// Where the process that is killed finds the store.
const FOLDER: &str = "IMAGE_STORE_OF_KILLED_PROCESS";

/// How often a process is killed.
const KILLS: usize = 14;

/// Tells of each step by an octet.
#[derive(Debug)]
struct Telling;

impl Steps for Telling {
    fn next(&self, _: Step, _: &Path, _: usize) -> io::Result<Allowed> {
        io::stderr().write_all(b".").map(|()| Allowed::Whole)
    }
}

/// Counts steps.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl Steps for Counting {
    fn next(&self, _: Step, _: &Path, _: usize) -> io::Result<Allowed> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Allowed::Whole)
    }
}

/// Installs a version with a boot, and another VIB live, both from bundles.
fn install_version(store: &ImageStore, number: usize) {
    let version = format!("5.5.0-{number}.0.1");
    let bundle = store.folder().join("bundle.zip");
    Bundle::of(vec![vib("esx-base", &version, false), tools(&version)]).write(&bundle);
    install_bundle(store, bundle.clone()).unwrap();
    store.mark_boot().unwrap();
    Bundle::of(vec![vib("lsi-mr3", &version, true)]).write(&bundle);
    install_bundle(store, bundle).unwrap();
}

/// Installs one version after another until somebody ends it.
#[test]
#[ignore = "the process that another test kills"]
fn process_that_is_killed() {
    let folder = PathBuf::from(env::var_os(FOLDER).expect("the other test tells the folder"));
    let store = open_with(&folder, Disk::with_steps(Arc::new(Telling))).unwrap();
    for number in 2.. {
        install_version(&store, number);
    }
}

/// How many steps one version takes.
fn steps_of_a_version(fixture: &Path) -> usize {
    let dir = tempfile::tempdir().unwrap();
    copy(fixture, dir.path());
    let steps = Arc::new(Counting::default());
    install_version(&open_with(dir.path(), Disk::with_steps(Arc::clone(&steps) as _)).unwrap(), 2);
    steps.0.load(Ordering::Relaxed)
}

/// Kills a process after so many of its steps; what it does meanwhile comes on top.
fn kill_after(steps: usize, folder: &Path) {
    let test = "software::vib::store::tests::kills::process_that_is_killed";
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = vec![0; steps];
    process.stderr.take().unwrap().read_exact(&mut told).unwrap();
    process.kill().unwrap();
    assert_eq!(told, b".".repeat(steps));
    assert!(!process.wait().unwrap().success());
}

#[test]
fn a_process_that_is_killed_leaves_whole_images() {
    let fixture = tempfile::tempdir().unwrap();
    drop(stocked(fixture.path()));
    let in_all = steps_of_a_version(fixture.path());
    let mut newest = BTreeSet::new();
    // Two versions and all between their first step and their last.
    for steps in (0..KILLS).map(|kill| 1 + kill * 2 * in_all / KILLS) {
        let dir = tempfile::tempdir().unwrap();
        copy(fixture.path(), dir.path());
        kill_after(steps, dir.path());
        let store = ImageStore::open(dir.path(), super::settings()).unwrap();
        check_whole(&store);
        for image in images(&store.snapshot()) {
            let version = |name| image.named(name).map(|vib: &Arc<Descriptor>| vib.version.clone());
            assert_eq!(version("esx-base"), version("tools-light"), "killed after {steps} steps");
        }
        newest.insert(store.snapshot().next().named("esx-base").unwrap().version.to_string());
        install(&store, &[vib("esx-base", "5.5.1-1", false), tools("5.5.1-1")]).unwrap();
        assert!(store.mark_boot().unwrap());
        check_whole(&store);
    }
    assert!(newest.len() > 1, "killed at different times: {newest:?}");
}
