//! The units for systemd: read by its own tool, without a systemd that runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::server::binary;

fn dist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dist")
}

fn units() -> Vec<PathBuf> {
    let entries = fs::read_dir(dist().join("systemd")).unwrap();
    let mut units: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    units.sort();
    units
}

fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

#[test]
fn the_process_that_faces_the_network_is_confined() {
    let mut analyze = Command::new("systemd-analyze");
    // In tenths: 2.5 of 10.
    analyze.args(["security", "--offline=yes", "--threshold=25", "--no-pager"]);
    succeeds(analyze.arg(dist().join("systemd/quartermaster.service")));
}

#[test]
fn the_units_are_understood_and_start_what_there_is() {
    // Where the program will lie nothing lies here: a copy of the units names the one under test.
    let folder = tempfile::tempdir().unwrap();
    let program = binary().get_program().to_owned();
    for unit in units() {
        let text = fs::read_to_string(&unit).unwrap();
        let text = text.replace("/usr/bin/quartermaster", program.to_str().unwrap());
        fs::write(folder.path().join(unit.file_name().unwrap()), text.replace("=quartermaster\n", "=root\n")).unwrap();
    }
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["verify", "--man=no", "--recursive-errors=one"]);
    let said = succeeds(analyze.args(units().iter().map(|unit| folder.path().join(unit.file_name().unwrap()))));
    assert!(!said.contains("Unknown") && !said.contains("quartermaster"), "{said}");
    for unit in units() {
        let text = fs::read_to_string(&unit).unwrap();
        let Some(line) = text.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/quartermaster ")) else {
            continue;
        };
        // Each option is one that the command has.
        let mut words = line.split_whitespace();
        let help = succeeds(binary().arg(words.next().unwrap()).arg("--help"));
        for option in words.filter(|word| word.starts_with("--")) {
            assert!(help.contains(option), "{}: {option}", unit.display());
        }
    }
}
