//! What happens on a host is printed as it happens.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::console::Console;
use crate::support::packages::{Deb, DebRoot};
use crate::support::server::Host;

#[test]
fn events_are_pulled_and_printed_until_there_are_enough() {
    hear(&[]);
}

#[test]
fn events_are_delivered_to_whoever_listens() {
    hear(&["--listen", "127.0.0.1:0"]);
}

/// Listens until a package was installed.
fn hear(how: &[&str]) {
    let root = DebRoot::new();
    let file = Deb::new("alpha", "1.0-1").build(&root.scratch());
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    console.good(&server, &["list"]);
    let place = format!("127.0.0.1:{}", server.port);
    let query = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_InstalledSoftwareIdentity";
    let mut listening = console
        .command(&[&["subscribe", query, "--json", "--max", "1", "--host", &place], how].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(listening.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, format!("quartermaster: {place}: listening\n"));
    console.good(&server, &["install", file.to_str().unwrap()]);
    let output = listening.wait_with_output().unwrap();
    assert!(output.status.success());
    let heard: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&heard["host"], &heard["event"]["@class"]), (&place.into(), &"LMI_SoftwareInstCreation".into()));
    let link = heard["event"]["SourceInstance"]["InstalledSoftware"].as_str().unwrap();
    assert!(link.contains("alpha-0:1.0-1.all"), "{heard}");
}
