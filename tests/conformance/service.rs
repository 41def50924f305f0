//! The service under test: our own on a private root, or the one that the environment names.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

use crate::peer::Peer;
use crate::support::packages::DebRoot;
use crate::support::server::{ADMIN, Host, Server};
use crate::support::wsman::{CIM, Place};

/// A user of ours who may only look.
pub(crate) const VIEWER: (&str, &str) = ("onlooker", "another password of the tests");
/// A package of ours whose instance fits no envelope of 8,192 octets.
pub(crate) const LARGE: &str = "LMI:LMI_SoftwareIdentity:large-0:1.0-1.all";

/// What two packages of ours could be called.
pub(crate) const AMBIGUOUS: &str = "LMI:LMI_SoftwareIdentity:twin-1-1.all";

/// How many packages of architecture amd64 there are beside the others: more than a search looks at in no time.
pub(crate) const FILLERS: usize = 70;

/// The worker does not outlive the tests for long, and passwords are hashed cheaply.
const SETTINGS: &str = "[jobs]\nworker_idle_seconds = 1\n\n[auth]\nhash_mebibytes = 1\n";

/// Where the service is, how it is entered, and what there is to read.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) place: Place,
    /// The address as clients write it.
    pub(crate) url: String,
    pub(crate) user: (String, String),
    /// The resource URI of a class with several instances.
    pub(crate) class: String,
    /// What is behind it, if it is ours.
    pub(crate) own: Option<Own>,
}

/// What a test may know of our own service.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) port: u16,
    pub(crate) root: DebRoot,
    _host: Host,
    _server: Mutex<Server>,
}

/// The service of this run, which all tests share.
pub(crate) fn service() -> &'static Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    SERVICE.get_or_init(|| match env::var("CONFORMANCE_URL") {
        Ok(url) => Service::elsewhere(url),
        Err(_) => Service::start(),
    })
}

/// Runs a case that only our own service can be tried with.
pub(crate) fn here(case: fn(&mut Peer, &Own)) {
    match &service().own {
        Some(own) => case(&mut Peer::new(), own),
        None => println!("not tried: it takes more of the service than the standard describes"),
    }
}

impl Service {
    fn elsewhere(url: String) -> Self {
        let named = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
        Self {
            place: Place::parse(&url),
            user: (named("CONFORMANCE_USER", ""), named("CONFORMANCE_PASSWORD", "")),
            class: named("CONFORMANCE_CLASS", &format!("{CIM}/CIM_SoftwareIdentity")),
            own: None,
            url,
        }
    }

    fn start() -> Self {
        let root = DebRoot::new().with_shell(&[]);
        root.fill(FILLERS);
        add_packages(&root.path());
        let host = Host::bare(&["--root", root.path().to_str().unwrap(), "--engine", "deb"]).with_settings(SETTINGS);
        host.add_user(ADMIN.0, ADMIN.1, "admin");
        host.add_user(VIEWER.0, VIEWER.1, "viewer");
        let server = host.serve();
        tidy_up_at_the_end(server.pid(), &[host.scratch(), root.path().parent().unwrap()]);
        let (port, url) = (server.port, server.url());
        Self {
            place: Place::local(port),
            user: (ADMIN.0.to_owned(), ADMIN.1.to_owned()),
            class: format!("{CIM}/CIM_SoftwareIdentity"),
            own: Some(Own { port, root, _host: host, _server: Mutex::new(server) }),
            url,
        }
    }
}

/// Writes [`LARGE`] and the two that [`AMBIGUOUS`] names into the package database.
fn add_packages(root: &Path) {
    let database = root.join("var/lib/dpkg");
    let mut status = OpenOptions::new().append(true).open(database.join("status")).unwrap();
    let line = " This line is one of many, so that the instance of this package is a large one.\n";
    for (name, version, description) in
        [("large", "1.0-1", line.repeat(120)), ("twin", "1-1", String::new()), ("twin-1", "1", String::new())]
    {
        write!(
            status,
            "Package: {name}\nStatus: install ok installed\nMaintainer: Test Maker <maker@example.org>\nArchitecture: all\n\
             Version: {version}\nDescription: a package of the tests\n{description}\n"
        )
        .unwrap();
        fs::write(database.join(format!("info/{name}.list")), "/.\n").unwrap();
    }
}

/// What is static is never dropped, so a shell does what dropping would do. It waits for the end of its standard input,
/// which comes when this process ends, however it ends.
fn tidy_up_at_the_end(server: u32, folders: &[&Path]) {
    let script = "trap '' INT TERM; read -r _; kill -9 \"$1\"; shift; rm -rf -- \"$@\"";
    let shell = Command::new("sh")
        .args(["-c", script, "sh", &server.to_string()])
        .args(folders)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::mem::forget(shell);
}
