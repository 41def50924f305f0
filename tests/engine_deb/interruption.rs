//! What becomes of an operation whose process ends.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use quartermaster::software::{EngineChoice, PackageState, open};

use super::engine;
use super::support::operations::install;
use super::support::packages::{Deb, DebRoot};

/// Not a test by itself: the process that is killed in the test below.
#[test]
fn process_that_is_killed() {
    let (Some(root), Some(file)) = (std::env::var_os("KILLED_ROOT"), std::env::var_os("KILLED_FILE")) else { return };
    let engine = open(EngineChoice::Deb, Path::new(&root)).unwrap().unwrap();
    let _ = install(&*engine, Path::new(&file));
}

#[test]
fn the_tool_finishes_when_its_caller_is_killed() {
    let root = DebRoot::new().with_shell(&[]);
    let (ready, gate) = (root.path().join("ready"), root.path().join("gate"));
    for fifo in [&ready, &gate] {
        assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
    }
    let script = "echo at work > /ready; read line < /gate; echo a line that nobody hears";
    let file = Deb::new("alpha", "1.0").script("postinst", script).build(&root.scratch());
    let mut caller = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "interruption::process_that_is_killed"])
        .env("KILLED_ROOT", root.path())
        .env("KILLED_FILE", &file)
        .env("TMPDIR", root.scratch())
        .spawn()
        .unwrap();
    assert_eq!(fs::read_to_string(&ready).unwrap(), "at work\n");
    let engine = engine(&root);
    assert_eq!(engine.inventory().packages()[0].state, PackageState::Unfinished);
    caller.kill().unwrap();
    caller.wait().unwrap();
    fs::write(&gate, "go on\n").unwrap();
    while engine.inventory().packages()[0].state != PackageState::Installed {
        assert!(engine.wait_for_change(Duration::from_secs(60)), "the tool did not finish");
        engine.refresh().unwrap();
    }
}
