//! What a person waits for at the console.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::PACKAGES;
use super::figure::{Figure, Limit, median};
use super::load::elapsed_ms;
use super::root;
use super::scan;
use super::support::packages::DebRoot;
use super::support::server::{ADMIN, Host, Server, binary};

const RUNS: usize = 11;

pub(crate) fn figures() {
    Figure::new("list of 2,000 packages of a host, in all, median", "ms", Limit::AtMost(150.0)).report(listed());
    let hosts = scan::Hosts::start();
    let scan = hosts.scan();
    Figure::new("scan of 100 hosts that are met for the first time", "s", Limit::AtMost(10.0)).report(scan);
    println!("  the same once more: {:.1} s", hosts.scan());
}

/// Lists the packages of a host, from the start of the process to its end, with TLS and login.
fn listed() -> f64 {
    let root = DebRoot::new();
    root::fill(&root, PACKAGES);
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let home = host.scratch().join("console");
    // Whoever asks for the first time waits for the snapshot, and the host is trusted by then.
    let listed = list(&server, &home).output().unwrap();
    let lines = String::from_utf8_lossy(&listed.stdout).lines().count();
    assert_eq!(lines, PACKAGES, "{}", String::from_utf8_lossy(&listed.stderr));
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        assert!(list(&server, &home).stdout(Stdio::null()).status().unwrap().success());
        elapsed_ms(start)
    });
    median(times.collect())
}

fn list(server: &Server, home: &Path) -> Command {
    let mut command = binary();
    let host = format!("127.0.0.1:{}", server.port);
    command.args(["list", "--accept-new-certificate", "--host", &host]).env("XDG_CONFIG_HOME", home);
    command.env("QUARTERMASTER_USER", ADMIN.0).env("QUARTERMASTER_PASSWORD", ADMIN.1);
    command
}
