//! Documents that are run as they are written: the blocks whose first line begins with `# walk: `.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::server::{Host, Server};

const MARK: &str = "# walk: ";

/// The marked blocks of a document of the project, in order; `language` is what stands behind their fence.
pub(crate) fn blocks(document: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
    let fence = format!("```{language}");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == fence {
            let block: Vec<&str> = lines.by_ref().take_while(|l| l.trim() != "```").collect();
            if block.first().is_some_and(|l| l.starts_with(MARK)) {
                blocks.push(block.join("\n"));
            }
        }
    }
    assert!(!blocks.is_empty(), "{document} has no {language} block that begins with {MARK:?}");
    blocks
}

/// The text with what a reader replaces too: where the server listens, where its state is, which package is installed.
pub(crate) fn as_here(text: &str, host: &Host, server: &Server, package: &Path) -> String {
    let state_dir = host.state_dir();
    let state_dir = state_dir.to_str().unwrap();
    text.replace("https://127.0.0.1:5986", &format!("https://127.0.0.1:{}", server.port))
        .replace("~/.local/state/quartermaster", state_dir)
        .replace("/var/lib/quartermaster", state_dir)
        .replace("/tmp/hello.deb", package.to_str().unwrap())
}

/// Runs a script in this folder, where it may leave files; tells all that it said. It must go through, and meet no fault.
pub(crate) fn run_shell(script: &str, folder: &Path) -> String {
    let file = folder.join("walk.sh");
    fs::write(&file, script).unwrap();
    let output = Command::new("bash").args(["-eu", "-o", "pipefail"]).arg(&file).current_dir(folder).output().unwrap();
    let said = said_by(output, script);
    assert!(!said.contains(":Fault>"), "the walk met a fault:\n{said}");
    said
}

/// All that a script said that must have gone through.
pub(crate) fn said_by(output: Output, script: &str) -> String {
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "the walk ended with {}\n{said}\n{script}", output.status);
    said
}
