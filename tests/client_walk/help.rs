//! What the commands say of themselves, and the page about them.

use std::collections::BTreeSet;

use crate::console::Console;

const PAGE: &str = include_str!("../../docs/client.md");

#[test]
fn every_command_of_the_page_is_there_and_tells_its_exit_codes() {
    let console = Console::new();
    let lines = PAGE.lines().filter_map(|line| line.strip_prefix("    quartermaster "));
    let commands: BTreeSet<&str> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() >= 22, "{commands:?}");
    for command in commands {
        let said = console.run(&[command, "--help"]);
        let words = ["Exit codes:", "--host", "--cacert"].iter().all(|word| said.out.contains(word));
        assert!(said.code == 0 && words, "{command}: {said:#?}");
    }
    let codes = console.run(&["list", "--help"]).out;
    for line in codes.split_once("Exit codes:\n").unwrap().1.lines().take_while(|line| !line.trim().is_empty()) {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        assert!(PAGE.contains(&format!("| {code} | {meaning} |")), "docs/client.md tells otherwise: {line}");
    }
}
