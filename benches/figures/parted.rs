//! The service as it is when two users run it: a process of root's, and one of another user's that faces the network.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::PACKAGES;
use super::enumeration;
use super::figure::{Figure, Limit};
use super::process;
use super::root;
use super::support::packages::DebRoot;
use super::support::server::{ADMIN, Host, workers_of};

/// The user that faces the network; a number needs no account.
const NETWORK_USER: u32 = 64_321;

pub(crate) fn figures() {
    if !rustix::process::geteuid().is_root() {
        return println!("only root can part the service in two: its processes are not measured");
    }
    let root = DebRoot::new();
    root::fill(&root, PACKAGES);
    root.open_to_all();
    let host = Host::bare(&["--root", root.path().to_str().unwrap(), "--engine", "deb"]);
    fs::set_permissions(host.scratch(), fs::Permissions::from_mode(0o755)).unwrap();
    let worker_dir = host.scratch().join("worker");
    let host = host.with_settings(&format!("user = \"{NETWORK_USER}\"\nworker_dir = {worker_dir:?}\n"));
    host.add_user(ADMIN.0, ADMIN.1, "admin");
    let server = host.serve();
    enumeration::check_count(&server, PACKAGES);
    let processes: Vec<u32> = process::with_children(server.pid()).into_iter().chain(workers_of(&worker_dir)).collect();
    assert!(processes.len() > 1, "the service is not parted in two");
    let each: Vec<f64> = processes.iter().map(|&process| process::resident(process)).collect();
    println!("  each of its processes: {each:.1?} MB");
    let sum = each.iter().sum();
    Figure::new("memory of both processes, idle", "MB", Limit::AtMost(35.0)).report(sum);
}
