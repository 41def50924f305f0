//! The walk of README.md, run as it is written.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::Host;

/// The first line of every block that belongs to the walk.
const MARK: &str = "# walk: ";

#[test]
fn the_walk_of_the_readme_works_as_it_is_written() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks = walk_of(&readme);
    assert!(blocks.len() >= 5, "README.md has only {} blocks of a walk", blocks.len());

    let root = DebRoot::new();
    let dir = root.scratch();
    for name in ["alpha", "beta"] {
        root.install_by_hand(&build_deb(&dir, name, "1.0-1", &[]));
    }
    let package = build_deb(&dir, "hello", "2.10-3", &[]);
    let host = Host::bare(&["--root", root.path().to_str().unwrap(), "--engine", "deb"]);
    let server = host.serve();
    let state_dir = host.state_dir();
    let state_dir = state_dir.to_str().unwrap();
    // What a reader replaces too: where the server listens, where its state is, which package is to be installed.
    let script = blocks
        .join("\n")
        .replace("https://127.0.0.1:5986", &format!("https://127.0.0.1:{}", server.port))
        .replace("~/.local/state/quartermaster", state_dir)
        .replace("/var/lib/quartermaster", state_dir)
        .replace("/tmp/hello.deb", package.to_str().unwrap());
    let file = dir.join("walk.sh");
    fs::write(&file, &script).unwrap();
    let output = Command::new("bash").args(["-eu", "-o", "pipefail"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "the walk ended with {}\n{said}\n{script}", output.status);
    assert!(!said.contains(":Fault>"), "the walk met a fault:\n{said}");
    for expected in ["IdentifyResponse", "Name>alpha<", "ReturnValue>4096<", "Completed successfully", "Name>hello<"] {
        assert!(said.contains(expected), "the walk never showed {expected}:\n{said}");
    }
}

/// The shell blocks whose first line carries the mark, in order.
fn walk_of(readme: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "```sh" {
            let block: Vec<&str> = lines.by_ref().take_while(|l| l.trim() != "```").collect();
            if block.first().is_some_and(|l| l.starts_with(MARK)) {
                blocks.push(block.join("\n"));
            }
        }
    }
    blocks
}
