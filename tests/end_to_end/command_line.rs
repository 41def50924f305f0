//! What the first start tells its operator to do. The commands themselves are tested in `tests/cli.rs`.

use std::process::Command;

use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::{Host, PATIENCE};
use crate::support::{eventually, wsman::Client};

#[test]
fn the_first_start_tells_how_to_go_on() {
    let root = DebRoot::new();
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1.0-1", &[]));
    let host = Host::bare(&["--root", root.path().to_str().unwrap(), "--engine", "deb"]);
    let mut server = host.serve();
    // The line to paste may stand after the address.
    let paste = eventually("a line to paste", PATIENCE, || {
        let said = server.said();
        said.lines().map(str::trim).find(|line| line.starts_with("curl ")).map(str::to_owned)
    });
    let output = Command::new("sh").arg("-c").arg(&paste).output().unwrap();
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && listed.contains("alpha"), "{paste}\n{listed}\n{output:?}");

    // The line goes on working after a restart.
    assert!(server.stop().success(), "a server that is asked to end ends well");
    let again = host.serve();
    let output = Command::new("sh").arg("-c").arg(paste.replace(&port_of(&paste), &again.port.to_string())).output();
    assert!(String::from_utf8_lossy(&output.unwrap().stdout).contains("alpha"), "{paste}");
    assert_eq!(Client::new(again.port, "admin", "admin").post("").status, 401);
}

fn port_of(line: &str) -> String {
    let rest = line.split_once("https://127.0.0.1:").expect("an address").1;
    rest.chars().take_while(char::is_ascii_digit).collect()
}
