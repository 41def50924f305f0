//! Packages of which several builds stand beside each other, as those of kernels do.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::software::ApplyError;
use crate::software::change::unusable;
use crate::software::tool::{ask, command};

/// What such packages provide: `installonlypkgs` of dnf, as it is where nothing else is configured. A package provides
/// its own name.
const PROVIDED: [&str; 6] = [
    "kernel",
    "kernel-PAE",
    "installonlypkg(kernel)",
    "installonlypkg(kernel-module)",
    "installonlypkg(vm)",
    "multiversion(kernel)",
];

/// One line for each that a package provides.
const FORMAT: &str = "[%{PROVIDENAME}\n]";

/// How much rpm may answer, and how long it may take; it waits for nobody.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;
const LONGEST_QUESTION: Duration = Duration::from_secs(60);

/// Whether the package in a file is such a one.
pub(super) fn in_file(file: &Path) -> Result<bool, ApplyError> {
    let opened = File::open(file).map_err(|error| unusable("rpm", &error))?;
    let mut rpm = question();
    // A path would be taken for a pattern.
    rpm.args(["-p", "--", "/proc/self/fd/0"]).stdin(opened);
    is_provided(&mut rpm)
}

/// Whether an installed package of this name is such a one, by the database in `dbpath`, a path on the host.
pub(super) fn installed(dbpath: &Path, name: &str) -> Result<bool, ApplyError> {
    let mut rpm = question();
    rpm.arg("--dbpath").arg(dbpath).args(["--", name]);
    is_provided(&mut rpm)
}

fn question() -> Command {
    let mut rpm = command("rpm");
    rpm.args(["-q", "--nosignature", "--nodigest", "--qf", FORMAT]);
    rpm
}

fn is_provided(rpm: &mut Command) -> Result<bool, ApplyError> {
    let answer = ask(rpm, LARGEST_ANSWER, LONGEST_QUESTION).map_err(|error| unusable("rpm", &error))?;
    let text = String::from_utf8_lossy(&answer.stdout);
    Ok(text.lines().any(|line| PROVIDED.contains(&line)))
}
