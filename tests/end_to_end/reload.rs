//! SIGHUP: settings and certificates are read again, and no connection is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use openssl::sha::sha256;

use crate::support::certificate::Certificate;
use crate::support::eventually;
use crate::support::installation::{ended, install, job_of};
use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::{Host, PATIENCE, Server, kill, workers_of};
use crate::support::wsman::{CIM, Client, Message, connect, property};

/// A host whose settings can be changed while it is served.
struct Changing {
    host: Host,
    root: DebRoot,
    certificates: Vec<Certificate>,
}

impl Changing {
    fn new() -> Self {
        let root = DebRoot::new();
        let certificates = ["one", "two"].map(|name| {
            let folder = root.scratch().join(name);
            fs::create_dir(&folder).unwrap();
            Certificate::new(&folder)
        });
        let host = Host::new(&root.path(), "deb");
        let changing = Self { host, root, certificates: certificates.into() };
        let host = Host::new(&changing.root.path(), "deb").with_settings(&changing.settings(0, ""));
        Self { host, ..changing }
    }

    fn file(&self) -> PathBuf {
        self.host.scratch().join("quartermaster.toml")
    }

    /// The lines with one of the certificates, and others behind them.
    fn settings(&self, certificate: usize, more: &str) -> String {
        let Certificate { certificate, key, .. } = &self.certificates[certificate];
        format!("user = \"root\"\n[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n{more}")
    }

    /// Changes the file and has it read; returns when the log says what came of it.
    fn change(&self, server: &Server, settings: &str, told: &str) {
        fs::write(self.file(), settings).unwrap();
        let before = server.log().len();
        assert!(Command::new("kill").args(["-HUP", &server.pid().to_string()]).status().unwrap().success());
        eventually(told, PATIENCE, || server.log().get(before..).is_some_and(|log| log.contains(told)).then_some(()));
    }
}

const READ: &str = "the settings, certificates and trust files were read again";
const NOT_READ: &str = "the settings stay as they were";

fn presented(server: &Server) -> [u8; 32] {
    let stream = connect(server.port).unwrap();
    sha256(&stream.ssl().peer_certificate().unwrap().to_der().unwrap())
}

fn of(certificate: &Certificate) -> [u8; 32] {
    let pem = fs::read(&certificate.certificate).unwrap();
    sha256(&openssl::x509::X509::from_pem(&pem).unwrap().to_der().unwrap())
}

/// Asks on a connection that must be the same as before.
fn still_answers(client: &mut Client, stream_of: &str) {
    let reply = client.ask(&Message::enumerate(&format!("{CIM}/CIM_ComputerSystem"), "<w:OptimizeEnumeration/>"));
    assert!(!reply.children.is_empty(), "{stream_of}");
}

#[test]
fn another_certificate_is_presented_and_open_connections_go_on() {
    let changing = Changing::new();
    let server = changing.host.serve();
    assert_eq!(presented(&server), of(&changing.certificates[0]));
    let mut open = connect(server.port).unwrap();
    changing.change(&server, &changing.settings(1, ""), READ);
    assert_eq!(presented(&server), of(&changing.certificates[1]));
    // The connection from before, which has asked nothing yet.
    use std::io::{Read, Write};
    write!(open, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 "), "{answer:?}");
    // What lies in the same files is read anew, too.
    let Certificate { certificate, key, .. } = &changing.certificates[0];
    fs::copy(certificate, &changing.certificates[1].certificate).unwrap();
    fs::copy(key, &changing.certificates[1].key).unwrap();
    changing.change(&server, &changing.settings(1, ""), READ);
    assert_eq!(presented(&server), of(&changing.certificates[0]));
}

#[test]
fn a_file_that_is_not_right_changes_nothing_and_is_told_with_its_line() {
    let changing = Changing::new();
    let server = changing.host.serve();
    let mut client = server.admin();
    still_answers(&mut client, "before");
    changing.change(&server, &changing.settings(1, "[downloads]\nsilence_seconds = 0\n"), NOT_READ);
    let log = server.log();
    assert!(log.contains("quartermaster.toml, line 6: ") && log.contains("silence_seconds"), "{log}");
    let no_log = format!("log = \"quartermaster=nonsense\"\n{}", changing.settings(1, ""));
    changing.change(&server, &no_log, NOT_READ);
    let log = server.log();
    assert!(log.contains("quartermaster.toml, line 1: ") && log.contains("nonsense"), "{log}");
    let no_key = changing.settings(1, "").replace("server-key.pem", "missing.pem");
    changing.change(&server, &no_key, NOT_READ);
    assert!(server.log().contains("missing.pem"), "{}", server.log());
    assert_eq!(presented(&server), of(&changing.certificates[0]));
    still_answers(&mut client, "after");
}

/// With two users, root's process goes by the settings that the other one goes by, also where they cannot be used.
#[test]
fn settings_that_cannot_be_used_stop_no_changes() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let root = DebRoot::new();
    root.open_to_all();
    let host = Host::bare(&[]);
    fs::set_permissions(host.scratch(), fs::Permissions::from_mode(0o755)).unwrap();
    let (worker_dir, root_dir, file) =
        (host.scratch().join("worker"), root.path(), host.scratch().join("quartermaster.toml"));
    let settings = format!("user = \"64321\"\nworker_dir = {worker_dir:?}\nroot = {root_dir:?}\nengine = \"deb\"\n");
    let host = host.with_settings(&format!("{settings}[jobs]\nworker_idle_seconds = 1\n"));
    host.add_user("walker", "a password of the tests", "admin");
    let server = host.serve();
    let reload = |more: &str, told: &str| {
        fs::write(&file, format!("{settings}{more}")).unwrap();
        let before = server.log().len();
        assert!(Command::new("kill").args(["-HUP", &server.pid().to_string()]).status().unwrap().success());
        eventually(told, PATIENCE, || server.log().get(before..).is_some_and(|log| log.contains(told)).then_some(()));
    };
    let mut client = server.admin();
    let install = |client: &mut Client, name: &str| {
        let uri = format!("file://{}", build_deb(&root.scratch(), name, "1.0-1", &[]).display());
        install(client, &uri)
    };
    reload("[jobs]\nreadable_folders = [\"/nowhere\"]\n[tls]\ncertificate = \"/none\"\nkey = \"/none\"\n", NOT_READ);
    eventually("the worker to end", PATIENCE, || workers_of(&worker_dir).is_empty().then_some(()));
    let job = job_of(&install(&mut client, "one"));
    assert_eq!(property(&ended(&mut client, &job), "JobState").as_deref(), Some("7"));
    reload("[jobs]\nreadable_folders = [\"/nowhere\"]\n", READ);
    assert_eq!(property(&install(&mut client, "two"), "ReturnValue").as_deref(), Some("4107"));
    reload("", READ);
    let job = job_of(&install(&mut client, "two"));
    assert_eq!(property(&ended(&mut client, &job), "JobState").as_deref(), Some("7"));
    workers_of(&worker_dir).into_iter().for_each(kill);
}

#[test]
fn what_the_worker_may_do_is_changed_at_once_and_what_must_wait_is_told_by_key() {
    let changing = Changing::new();
    let server = changing.host.serve();
    let mut client = server.admin();
    let file = build_deb(&changing.root.scratch(), "hello", "1.0-1", &[]);
    let uri = format!("file://{}", file.display());
    let elsewhere = "[jobs]\nreadable_folders = [\"/nowhere\"]\nhistory_records = 5\n[limits]\nconnections = 7\n";
    changing.change(&server, &changing.settings(0, elsewhere), READ);
    let log = server.log();
    for key in ["jobs.history_records", "limits.connections"] {
        let line = log.lines().find(|line| line.contains(&format!("key=\"{key}\"")));
        assert!(line.is_some_and(|line| line.contains("when the service is started again")), "{key}: {log}");
    }
    assert!(!log.contains("key=\"jobs.readable_folders\""), "{log}");
    assert_eq!(property(&install(&mut client, &uri), "ReturnValue").as_deref(), Some("4107"));
    changing.change(&server, &changing.settings(0, ""), READ);
    let job = job_of(&install(&mut client, &uri));
    let job = ended(&mut client, &job);
    assert_eq!(property(&job, "JobState").as_deref(), Some("7"), "{job:?}");
}
