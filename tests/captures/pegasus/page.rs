//! `docs/pegasus-verdicts.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use super::{Folder, Row};

const INTRODUCTION: &str = "\
# Verdicts of OpenPegasus, and ours

OpenPegasus, another CIM server that speaks WS-Management, has wire tests: requests, and what its server answers. Each of
them has a counterpart in our tests that asks Quartermaster for the same kind of thing. This page says where both answer
the same and where they do not, and why. It is written by the test (`UPDATE_DOCS=1 cargo test --test captures pegasus`),
which fails when it is not true any more.

A verdict is the name of the response, or the code and subcode of the fault with its detail in brackets. Where OpenPegasus
tells no detail and Quartermaster does, they count as the same.
";

/// Compares the page with what is true, or writes it anew if UPDATE_DOCS is set.
pub(super) fn check(folders: &[Folder]) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pegasus-verdicts.md");
    let page = page(folders);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == page, "docs/pegasus-verdicts.md is out of date; run this test with UPDATE_DOCS=1\n{page}");
}

fn page(folders: &[Folder]) -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n## Where they differ\n");
    for (folder, rows) in sorted(folders, false) {
        write!(page, "\n### {folder}\n\n").unwrap();
        page.push_str("| test | asked for | OpenPegasus | Quartermaster | why |\n|---|---|---|---|---|\n");
        for Row { test, asked, pegasus, ours, why } in rows {
            writeln!(page, "| {test} | {asked} | {pegasus} | {ours} | {why} |").unwrap();
        }
    }
    page.push_str("\n## Where they agree\n");
    for (folder, rows) in sorted(folders, true) {
        write!(page, "\n### {folder}\n\n| test | asked for | verdict |\n|---|---|---|\n").unwrap();
        for Row { test, asked, ours, .. } in rows {
            writeln!(page, "| {test} | {asked} | {ours} |").unwrap();
        }
    }
    page
}

/// The folders with those of their rows that agree, or do not; without folders that have none.
fn sorted(folders: &[Folder], agree: bool) -> Vec<(&'static str, Vec<&Row>)> {
    let mut sorted = Vec::new();
    for folder in folders {
        let rows: Vec<&Row> = folder.rows.iter().filter(|row| row.agrees() == agree).collect();
        if !rows.is_empty() {
            sorted.push((folder.name, rows));
        }
    }
    sorted
}
