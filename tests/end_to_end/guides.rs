//! The guides of docs/guides whose blocks run with what `make test` has, run as they are written.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::marked::{as_here, blocks, run_shell, said_by};
use crate::support::packages::{DebRoot, build_deb};
use crate::support::python;
use crate::support::server::Host;

/// A host that has alpha 1.0-1 and beta, and is offered alpha 1.1-1; and a package file that no repository has.
fn host_of_the_guides() -> (DebRoot, Host, PathBuf) {
    let root = DebRoot::new();
    let dir = root.scratch();
    root.install_by_hand(&build_deb(&dir, "alpha", "1.0-1", &[]));
    root.install_by_hand(&build_deb(&dir, "beta", "2.0-1", &[]));
    let root = root.with_repository(&[build_deb(&dir, "alpha", "1.1-1", &[])]);
    let package = build_deb(&dir, "hello", "2.10-3", &[]);
    let host = Host::bare(&["--root", root.path().to_str().unwrap(), "--engine", "deb"]);
    (root, host, package)
}

/// Runs the shell blocks of a guide behind the README's first one, which has the function that they send messages with.
fn walk_of(guide: &str) -> String {
    let (root, host, package) = host_of_the_guides();
    let server = host.serve();
    let script = [&blocks("README.md", "sh")[..1], &blocks(guide, "sh")[..]].concat().join("\n");
    let script = as_here(&script, &host, &server, &package).replace("8080", &free_port().to_string());
    run_shell(&script, &root.scratch())
}

/// A port for what a guide itself serves.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn the_guide_to_curl_works_as_it_is_written() {
    let said = walk_of("docs/guides/curl.md");
    let lines: Vec<&str> = said.lines().collect();
    for (expected, times) in [("beta-0:2.0-1.all", 1), ("4096", 1), ("Completed successfully", 3)] {
        let found = lines.iter().filter(|line| **line == expected).count();
        assert_eq!(found, times, "{expected}:\n{said}");
    }
    for expected in [
        "<VersionString>0:1.0-1.all</VersionString>",
        "LMI:LMI_SoftwareIdentity:alpha-0:1.1-1.all",
        "P1D",
        "the selector InstanceID is missing",
    ] {
        assert!(said.contains(expected), "the walk never showed {expected}:\n{said}");
    }
}

#[test]
fn the_guide_for_event_collectors_works_as_it_is_written() {
    let said = walk_of("docs/guides/event-collectors.md");
    let lines: Vec<&str> = said.lines().collect();
    for expected in ["4096", "LMI:LMI_SoftwareIdentity:hello-0:2.10-3.all", "P2D"] {
        assert!(lines.contains(&expected), "the walk never showed {expected}:\n{said}");
    }
    assert!(said.contains("/events Events ['Completed successfully']"), "{said}");
}

#[test]
fn the_guide_to_pypsrp_works_as_it_is_written() {
    let (root, host, package) = host_of_the_guides();
    let server = host.serve();
    let folder = root.scratch();
    // A reader has these, and a host and a user of other names.
    fs::copy(host.state_dir().join("initial-password"), folder.join("password")).unwrap();
    fs::copy(host.state_dir().join("tls/certificate.pem"), folder.join("web1.pem")).unwrap();
    let script = as_here(&blocks("docs/guides/pypsrp.md", "python").join("\n"), &host, &server, &package)
        .replace("web1.example.com", "localhost")
        .replace("5986", &server.port.to_string())
        .replace("\"ann\"", "\"admin\"");
    let said = said_by(python::run_in(&folder, &script), &script);
    for expected in [
        "alpha 0:1.0-1.all test package alpha",
        "alpha-0:1.1-1.all",
        "LMI:LMI_SoftwareIdentity:beta-0:2.0-1.all",
        "100 % Completed successfully",
        "LMI:LMI_SoftwareInstallationJob:1 7 Completed successfully",
        "wsa:DestinationUnreachable",
    ] {
        assert!(said.contains(expected), "the walk never showed {expected}:\n{said}");
    }
}

#[test]
fn every_link_of_a_guide_leads_somewhere() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guides = project.join("docs/guides");
    let mut links = 0;
    let mut dead = Vec::new();
    for guide in fs::read_dir(&guides).unwrap() {
        let guide = guide.unwrap().path();
        let text = fs::read_to_string(&guide).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.starts_with("https://") {
                continue;
            }
            links += 1;
            let file = if file.is_empty() { guide.clone() } else { guides.join(file) };
            let there = fs::read_to_string(&file).is_ok_and(|text| anchor.is_empty() || has_heading(&text, anchor));
            if !there {
                dead.push(format!("{}: {link}", guide.display()));
            }
        }
    }
    assert!(links > 20, "only {links} links were found");
    assert!(dead.is_empty(), "these lead nowhere: {dead:#?}");
}

/// Whether a document has a heading of this anchor: small letters, with dashes for blanks and without other signs.
fn has_heading(text: &str, anchor: &str) -> bool {
    let anchor_of = |heading: &str| -> String {
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
    };
    text.lines().filter(|line| line.starts_with('#')).any(|line| anchor_of(line.trim_start_matches('#')) == anchor)
}
