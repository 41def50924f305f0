//! A process that changes an image is killed.

use std::env;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::super::disk::{Allowed, Disk, Step, Steps};
use super::super::reading::images;
use super::super::*;
use super::fixture::{check_whole, copy, install, open_with, stocked, tools, vib};
use crate::software::vib::Descriptor;

/// Where the process that is killed finds the store.
const FOLDER: &str = "IMAGE_STORE_OF_KILLED_PROCESS";

/// Tells of each step by an octet.
#[derive(Debug)]
struct Telling;

impl Steps for Telling {
    fn next(&self, _: Step, _: &Path, _: usize) -> io::Result<Allowed> {
        io::stderr().write_all(b".").map(|()| Allowed::Whole)
    }
}

/// Installs one version after another, some with a boot, until somebody ends it.
#[test]
#[ignore = "the process that another test kills"]
fn process_that_is_killed() {
    let folder = PathBuf::from(env::var_os(FOLDER).expect("the other test tells the folder"));
    let store = open_with(&folder, Disk::with_steps(Arc::new(Telling))).unwrap();
    for version in 2.. {
        let version = format!("5.5.0-{version}.0.1");
        let vibs = [vib("esx-base", &version, false), tools(&version)];
        install(&store, &vibs).unwrap();
        store.mark_boot().unwrap();
        install(&store, &[vib("lsi-mr3", &version, true)]).unwrap();
    }
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
    for steps in [1, 9, 16, 23, 28, 33, 37, 44, 52, 61, 79, 103, 150] {
        let dir = tempfile::tempdir().unwrap();
        copy(fixture.path(), dir.path());
        kill_after(steps, dir.path());
        let store = ImageStore::open(dir.path(), super::settings()).unwrap();
        check_whole(&store);
        for image in images(&store.snapshot()) {
            let version = |name| image.named(name).map(|vib: &Arc<Descriptor>| vib.version.clone());
            assert_eq!(version("esx-base"), version("tools-light"), "killed after {steps} steps");
        }
        install(&store, &[vib("esx-base", "5.5.1-1", false), tools("5.5.1-1")]).unwrap();
        assert!(store.mark_boot().unwrap());
        check_whole(&store);
    }
}
