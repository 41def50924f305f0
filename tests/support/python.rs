//! Python programs of the tests.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Runs a program of `tests/python` to its end.
pub fn run(program: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    command(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}; `make test` sets it up", python().display()))
}

/// The command of a program of `tests/python`.
pub fn command(program: &str) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(program);
    let mut command = Command::new(python());
    command.arg("-B").arg(script).stdin(Stdio::null());
    command
}

/// Runs the text of a program to its end, in this folder.
pub fn run_in(folder: &Path, program: &str) -> Output {
    Command::new(python())
        .args(["-B", "-c", program])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}; `make test` sets it up", python().display()))
}

/// The Python that has what the programs need: `make test` sets it up in `.venv`; QUARTERMASTER_TEST_PYTHON names another.
fn python() -> PathBuf {
    env::var_os("QUARTERMASTER_TEST_PYTHON")
        .map(PathBuf::from)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python"))
}
