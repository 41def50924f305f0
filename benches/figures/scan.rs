//! Many hosts, each a service of its own with its own root, certificate and user.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::Instant;

use tempfile::TempDir;

use super::load::elapsed_ms;
use super::root;
use super::support::packages::DebRoot;
use super::support::server::{Host, Server, binary};

const HOSTS: usize = 100;
/// How many of them are made ready at a time.
const AT_A_TIME: usize = 4;
/// How many packages each has; every second one is outdated.
const PACKAGES_EACH: usize = 20;

/// The hosts, and where their client knows them from.
pub(crate) struct Hosts {
    /// Dropped in this order.
    _ready: Vec<Ready>,
    home: TempDir,
}

/// A host that is served.
struct Ready {
    server: Server,
    _host: Host,
    _root: DebRoot,
}

impl Hosts {
    pub(crate) fn start() -> Self {
        let numbers: Vec<usize> = (0..HOSTS).collect();
        let ready: Vec<Ready> = thread::scope(|scope| {
            let parts: Vec<_> = numbers
                .chunks(HOSTS.div_ceil(AT_A_TIME))
                .map(|part| scope.spawn(|| part.iter().map(|&number| Ready::new(number)).collect::<Vec<_>>()))
                .collect();
            parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
        });
        let home = TempDir::new().unwrap();
        name(home.path(), &ready);
        Self { _ready: ready, home }
    }

    /// Scans all of them; tells how long that takes, in seconds.
    pub(crate) fn scan(&self) -> f64 {
        let mut scan = binary();
        scan.args(["scan", "--accept-new-certificate", "--host", "all", "--csv"]);
        scan.env("XDG_CONFIG_HOME", self.home.path());
        let start = Instant::now();
        let output = scan.output().unwrap();
        let time = elapsed_ms(start) / 1000.0;
        let rows = String::from_utf8_lossy(&output.stdout);
        let missing = format!(",{},", PACKAGES_EACH / 2);
        let scanned = rows.lines().filter(|row| row.contains(&missing)).count();
        assert_eq!(scanned, HOSTS, "{rows}{}", String::from_utf8_lossy(&output.stderr));
        time
    }
}

impl Ready {
    fn new(number: usize) -> Self {
        let root = DebRoot::new();
        root::fill(&root, PACKAGES_EACH);
        root::offer_updates(&root, PACKAGES_EACH / 2);
        let host = Host::bare(&["--root", root.path().to_str().unwrap(), "--engine", "deb"]);
        host.add_user(&user(number), &password(number), "operator");
        Self { server: host.serve(), _host: host, _root: root }
    }
}

fn user(number: usize) -> String {
    format!("user{number}")
}

fn password(number: usize) -> String {
    format!("the password of host {number}")
}

/// Writes down each host with its name, its address and who its client is to it.
fn name(home: &Path, hosts: &[Ready]) {
    let (mut text, mut names) = (String::new(), Vec::new());
    for (number, host) in hosts.iter().enumerate() {
        let file = home.join(format!("password{number}"));
        fs::write(&file, password(number)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let (name, address) = (format!("host{number}"), format!("127.0.0.1:{}", host.server.port));
        let user = user(number);
        writeln!(text, "[hosts.{name}]\naddress = {address:?}\nuser = {user:?}\npassword_file = {file:?}").unwrap();
        names.push(name);
    }
    writeln!(text, "[groups]\nall = {names:?}").unwrap();
    let folder = home.join("quartermaster");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("hosts.toml"), text).unwrap();
}
