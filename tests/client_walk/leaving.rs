//! Who does not wait: Ctrl-C at bars and between hosts, and services that start anew while their work is waited for.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::console::Console;
use crate::relay::Relay;
use crate::support::eventually;
use crate::support::packages::{Deb, DebRoot};
use crate::support::server::{Host, PATIENCE};
use crate::terminal::{CTRL_C, Terminal};

/// A host that could install gamma and delta.
fn root() -> DebRoot {
    let root = DebRoot::new();
    let dir = root.scratch();
    root.with_repository(&["gamma", "delta"].map(|name| Deb::new(name, "1.0-1").build(&dir)))
}

/// As long as this is held somebody else is at work there, so that jobs wait.
fn busy(root: &DebRoot) -> File {
    let path = root.path().join("var/lib/dpkg/lock-frontend");
    let lock = File::options().write(true).create(true).truncate(false).open(path).unwrap();
    rustix::fs::fcntl_lock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    lock
}

/// A command that somebody waits for, and what it says.
struct Waiting(Child, BufReader<ChildStderr>);

impl Waiting {
    fn run(console: &Console, arguments: &[&str]) -> Self {
        let mut child = console.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self(child, said)
    }

    fn interrupt(&self) {
        assert!(Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap().success());
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line
    }

    /// The exit code, the answers, and what else was said.
    fn end(mut self) -> (i32, String, String) {
        let mut said = String::new();
        self.1.read_to_string(&mut said).unwrap();
        let output = self.0.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), said)
    }
}

#[test]
fn ctrl_c_at_a_bar_leaves_the_job_and_begins_no_other() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    console.good(&server, &["list"]);
    let lock = busy(&root);
    let place = format!("127.0.0.1:{}", server.port);
    let mut terminal = Terminal::run(&console, 120, &["install", "gamma", "delta", "--host", &place]);
    terminal.expect(&format!("{place:21} gamma-1.0-1.all"));
    terminal.press(CTRL_C);
    let (code, seen) = terminal.end();
    assert_eq!(code, 6, "{seen}");
    assert!(seen.contains(&format!("goes on; come back with `quartermaster watch 1 --host {place}`")), "{seen}");
    assert!(seen.contains("delta-1.0-1.all  not begun"), "{seen}");

    // Two jobs that are watched are left by one Ctrl-C.
    assert_eq!(console.at(&server, &["install", "delta", "--no-wait"]).code, 6);
    let mut terminal = Terminal::run(&console, 120, &["watch", "--host", &place]);
    for job in ["InstallPackage-1", "InstallPackage-2"] {
        terminal.expect(&format!("{place:21} {job}"));
    }
    let namespace = ["--namespace", "root/interop", "--references"];
    let subscriptions =
        || console.good(&server, &[&["enumerate", "CIM_IndicationSubscription"], &namespace[..]].concat());
    eventually("two subscriptions", PATIENCE, || (subscriptions().lines().count() == 2).then_some(()));
    terminal.press(CTRL_C);
    let (code, seen) = terminal.end();
    assert!(code == 6 && seen.contains("quartermaster watch 2 --host"), "{code} {seen}");
    drop(lock);
    assert!(console.good(&server, &["watch", "1", "2"]).lines().all(|line| line.contains("\tcompleted\t")));
    assert_eq!(console.good(&server, &["list"]), "delta\t1.0-1\tall\ngamma\t1.0-1\tall\n");
    // Nobody who left is told anything any more.
    assert_eq!(subscriptions(), "");
}

#[test]
fn ctrl_c_leaves_the_waves_that_have_not_begun() {
    let (one, other) = (root(), DebRoot::new());
    let hosts = [Host::new(&one.path(), "deb"), Host::new(&other.path(), "deb")];
    let servers = hosts.each_ref().map(Host::serve);
    let console = Console::new();
    servers.iter().for_each(|server| drop(console.good(server, &["list"])));
    let _lock = busy(&one);
    let places = servers.each_ref().map(|server| format!("127.0.0.1:{}", server.port));
    let hosts = places.join(",");
    let mut waiting = Waiting::run(&console, &["install", "gamma", "--host", &hosts, "--wave", "1"]);
    eventually("the job", PATIENCE, || console.good(&servers[0], &["jobs", "--open"]).lines().next().map(drop));
    waiting.interrupt();
    assert!(waiting.line().contains("job 1 goes on"));
    let (code, told, said) = waiting.end();
    assert_eq!(code, 6, "{told}{said}");
    assert!(told.starts_with(&format!("{}\tgamma-1.0-1.all\t", places[0])) && !told.contains("completed"), "{told}");
    assert!(told.contains(&format!("{}\t\tnot touched\t\t", places[1])), "{told}");
    assert_eq!(said, format!("quartermaster: left before its turn came; not touched: {}\n", places[1]));
}

#[test]
fn a_second_ctrl_c_waits_for_nobody() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    console.good(&server, &["list"]);
    let _lock = busy(&root);
    // Whoever calls here is never answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", server.port, silent.local_addr().unwrap().port());
    let digits = console.digits(&server);
    let arguments = ["install", "gamma", "--host", &hosts, "--timeout", "3600", "--fingerprint", &digits];
    let mut waiting = Waiting::run(&console, &arguments);
    eventually("the job", PATIENCE, || console.good(&server, &["jobs", "--open"]).lines().next().map(drop));
    waiting.interrupt();
    assert!(waiting.line().contains("job 1 goes on"));
    waiting.interrupt();
    let (code, _, said) = waiting.end();
    assert!(code == 130 && said.contains("interrupted"), "{code} {said}");
}

#[test]
fn a_service_may_start_anew_while_its_work_is_waited_for() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let relay = Relay::to(server.port);
    let lock = busy(&root);
    let place = format!("127.0.0.1:{}", relay.port);
    let waiting = Waiting::run(&console, &["install", "gamma", "--host", &place, "--accept-new-certificate"]);
    eventually("the job", PATIENCE, || console.good(&server, &["jobs", "--open"]).lines().next().map(drop));
    server.stop();
    let server = host.serve();
    relay.turn_to(server.port);
    drop(lock);
    let (code, told, said) = waiting.end();
    assert!(code == 0 && told.starts_with("gamma-1.0-1.all\tcompleted\t1\t"), "{code} {told}{said}");
}

#[test]
fn a_host_that_tells_nothing_is_asked_again_and_again() {
    let root = root();
    let host = Host::new(&root.path(), "deb").with_settings("[events]\nsubscriptions_per_user = 1\n");
    let (server, console) = (host.serve(), Console::new());
    console.good(&server, &["list"]);
    let mut listening = Waiting::run(&console, &["subscribe", "--host", &format!("127.0.0.1:{}", server.port)]);
    assert!(listening.line().ends_with(": listening\n"), "it has the only subscription that there may be");
    let said = console.at(&server, &["install", "gamma", "--verbose"]);
    assert!(said.code == 0 && said.out.starts_with("gamma-1.0-1.all\tcompleted\t1\t"), "{said:#?}");
    assert!(said.err.contains("the job is asked for again and again"), "{said:#?}");
    listening.interrupt();
    assert_eq!(listening.end().0, 0);
}
