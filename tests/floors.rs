//! An arrow between rooms never runs up: `docs/ARCHITECTURE.md` names the floors, this test holds the code to them.
#![allow(clippy::unwrap_used, reason = "a failure ends the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms from the ground up. A room may use rooms on lower floors, and on its own floor those that stand before it.
const FLOORS: &[&[&str]] = &[
    &["xml", "clock", "hexadecimal", "config", "metrics"],
    &["soap", "cim", "audit"],
    &["software", "store", "wire", "access"],
    &["client", "worker"],
    &["console", "jobs", "events"],
    &["broker"],
    &["providers"],
    &["wsman"],
    &["server", "page"],
    &["app", "cli"],
];

/// Exceptions to «any lower floor»: what a room must not know although it lies below (first room, what it may not use).
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("cim", &["xml"]),
    ("software", &["cim", "xml", "soap"]),
    ("worker", &["store", "wire", "cim", "xml", "soap"]),
    ("client", &["store", "wire", "cim", "xml", "soap", "software", "access"]),
    ("console", &["store", "software", "access", "worker"]),
    ("jobs", &["cim", "wire", "xml", "soap"]),
    ("events", &["jobs", "worker", "software"]),
    ("broker", &["xml", "soap", "wire", "software", "jobs", "events"]),
    ("providers", &["xml", "soap"]),
    ("wsman", &["software", "jobs", "providers", "worker"]),
    ("server", &["cim", "providers", "jobs", "software"]),
    ("page", &["xml", "wire", "store", "software", "worker", "jobs", "providers"]),
];

/// What a folder of a room may know although its room must not (folder, room): the files of ESXi-style images are XML.
const ALLOWED: &[(&str, &str)] = &[("software/vib", "xml")];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The part of a file that is built into the program: tests may look anywhere.
fn program_part(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap()
}

fn rooms_used(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (index, _) in text.match_indices("crate::") {
        if text[..index].ends_with('$') {
            continue;
        }
        let rest = &text[index + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split("};").next().unwrap();
            rooms.extend(group.split(',').map(|part| part.trim().split("::").next().unwrap().trim().to_owned()));
        } else {
            rooms.push(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned());
        }
    }
    rooms
}

fn floor(room: &str) -> Option<(usize, usize)> {
    FLOORS.iter().enumerate().find_map(|(floor, rooms)| Some((floor, rooms.iter().position(|r| *r == room)?)))
}

#[test]
fn no_arrow_runs_up() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 20, "the sources were not found");
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&src).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let is_test = inside.to_str().unwrap().ends_with("tests.rs") || inside.iter().any(|part| part == "tests");
        if is_test || ["main", "lib"].contains(&room.as_str()) {
            continue;
        }
        let own = floor(&room).unwrap_or_else(|| panic!("room {room} stands on no floor: add it to FLOORS"));
        let text = fs::read_to_string(&file).unwrap();
        for used in rooms_used(program_part(&text)) {
            let Some(other) = floor(&used) else { continue };
            let forbidden = FORBIDDEN.iter().any(|(r, not)| *r == room && not.contains(&used.as_str()));
            let allowed = ALLOWED.iter().any(|(folder, known)| inside.starts_with(folder) && *known == used);
            if used != room && (other > own || forbidden && !allowed) {
                wrong.push(format!("{}: {room} uses {used}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn uses_are_found_in_all_their_forms() {
    let text = "use crate::xml::Writer;\nuse crate::{cim, soap::Fault};\nfn f(x: crate::store::Store) {}";
    assert_eq!(rooms_used(text), ["xml", "cim", "soap", "store"]);
}
