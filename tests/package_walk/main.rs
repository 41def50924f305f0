//! Quartermaster's own packages: built, installed into a Debian system, upgraded, removed, and what stays.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what fails in a test must fail the test, also outside of the functions marked as tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod contents;
mod control_group;
mod debian;
mod life;
mod service;
mod systemd;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages of one build.
#[derive(Debug)]
struct Packages {
    deb: PathBuf,
    rpm: PathBuf,
}

/// Builds both packages of the program under test; without a version, of the one it has.
fn build(folder: &Path, version: Option<&str>) -> Packages {
    let pages = folder.join("pages");
    let examples = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples");
    let written = Command::new(examples.join("reference_pages")).arg(&pages).status();
    assert!(written.expect("cargo build --example reference_pages makes it").success());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/packages");
    let mut command = Command::new(script);
    command.args(["--binary", env!("CARGO_BIN_EXE_quartermaster"), "--pages"]).arg(&pages).arg("--output").arg(folder);
    if let Some(version) = version {
        command.args(["--version", version]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let named = |end: &str| said.lines().find(|line| line.ends_with(end)).map(PathBuf::from).expect(&said);
    Packages { deb: named(".deb"), rpm: named(".rpm") }
}
