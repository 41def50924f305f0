//! What a person waits for at the console.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use super::PACKAGES;
use super::figure::{Figure, Limit, median};
use super::load::elapsed_ms;
use super::support::packages::DebRoot;
use super::support::server::{ADMIN, Host, Server, binary};

const RUNS: usize = 11;
/// How many hosts are scanned, and how many packages each has.
const HOSTS: usize = 100;
const PACKAGES_EACH: usize = 20;

pub(crate) fn figures() {
    Figure::new("list of 2,000 packages of a host, in all, median", "ms", Limit::AtMost(150.0)).report(listed());
    Figure::new("scan of 100 hosts that are met for the first time", "s", Limit::AtMost(10.0)).report(scanned());
}

/// Lists the packages of a host, from the start of the process to its end, with TLS and login.
fn listed() -> f64 {
    let root = DebRoot::new();
    root.fill(PACKAGES);
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

/// Scans hosts that are all new, in seconds: a server behind as many addresses of loopback, with a user for each.
fn scanned() -> f64 {
    let root = DebRoot::new();
    root.fill(PACKAGES_EACH);
    let dir = TempDir::new().unwrap();
    let many = Many::new(&root, dir.path());
    let start = Instant::now();
    let scanned = binary()
        .args(["scan", "--accept-new-certificate", "--host", "all"])
        .env("XDG_CONFIG_HOME", dir.path())
        .output()
        .unwrap();
    let time = elapsed_ms(start) / 1000.0;
    let lines = String::from_utf8_lossy(&scanned.stdout).lines().count();
    assert_eq!(lines, HOSTS, "{}", String::from_utf8_lossy(&scanned.stderr));
    drop(many);
    time
}

/// The server of many hosts; it is killed when this is dropped.
struct Many(Child);

impl Many {
    fn new(root: &DebRoot, dir: &Path) -> Self {
        let state = dir.join("state");
        for number in 1..=HOSTS {
            add_user(&state, number);
        }
        let mut server = binary()
            .args(["serve", "--listen", "0.0.0.0:0", "--engine", "deb", "--root"])
            .arg(root.path())
            .arg("--state-dir")
            .arg(&state)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port =
            line.trim().strip_prefix("listening on https://0.0.0.0:").unwrap().trim_end_matches("/wsman").to_owned();
        name_hosts(dir, &port);
        Self(server)
    }
}

impl Drop for Many {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn password(number: usize) -> String {
    format!("the password of host {number}")
}

fn add_user(state: &Path, number: usize) {
    let mut adding = binary()
        .args(["user", "add", &format!("user{number}"), "--role", "operator", "--password-stdin", "--state-dir"])
        .arg(state)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(adding.stdin.take().unwrap(), "{}", password(number)).unwrap();
    assert!(adding.wait().unwrap().success());
}

/// Gives each host a name, an address and a user of its own.
fn name_hosts(dir: &Path, port: &str) {
    use std::os::unix::fs::PermissionsExt;
    let (mut text, mut names) = (String::new(), Vec::new());
    for number in 1..=HOSTS {
        let file = dir.join(format!("password{number}"));
        fs::write(&file, password(number)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let name = format!("host{number}");
        let address = format!("127.0.0.{number}:{port}");
        writeln!(text, "[hosts.{name}]\naddress = {address:?}\nuser = \"user{number}\"\npassword_file = {file:?}")
            .unwrap();
        names.push(name);
    }
    writeln!(text, "[groups]\nall = {names:?}").unwrap();
    let folder = dir.join("quartermaster");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("hosts.toml"), text).unwrap();
}
