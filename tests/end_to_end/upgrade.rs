//! Quartermaster's own package is upgraded through it, on a host without systemd.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::gate::Gate;
use crate::support::installation::{ended, install_message, installed_names, start};
use crate::support::packages::{Deb, DebRoot, build_deb, run};
use crate::support::server::{Host, PATIENCE, Server, binary, kill, workers_of};
use crate::support::wsman::{Client, property};

/// Where the package has its program.
const PROGRAM: &str = "usr/sbin/quartermaster";

/// A host on which the first version was installed by hand; the second is a file.
struct Upgradable {
    host: Host,
    root: DebRoot,
    second: PathBuf,
    next: PathBuf,
}

impl Upgradable {
    /// The second version's package may wait at the gate when its program lies in place.
    fn new(second: impl FnOnce(Deb) -> Deb) -> Self {
        let root = DebRoot::new().with_shell(&[]);
        let dir = root.scratch();
        let program = dir.join("program");
        run(Command::new("strip").arg("-o").arg(&program).arg(binary().get_program()));
        let package = |version| Deb::new("quartermaster", version).copy_of(PROGRAM, &program);
        root.install_by_hand(&package("1").build(&dir));
        // Another file of the same program: what is behind an ELF file's end means nothing.
        OpenOptions::new().append(true).open(&program).unwrap().write_all(b"second").unwrap();
        let second = second(package("2")).build(&dir);
        let next = build_deb(&dir, "next", "1.0-1", &[]);
        Self { host: Host::new(&root.path(), "deb"), root, second, next }
    }

    fn program(&self) -> PathBuf {
        self.root.path().join(PROGRAM)
    }

    /// A server from the file that is installed now.
    fn serve(&self) -> Server {
        self.host.serve_by(Command::new(self.program()))
    }

    /// The program of the one worker there is.
    fn worker_program(&self) -> PathBuf {
        let [worker] = self.workers()[..] else { panic!("not one worker: {:?}", self.workers()) };
        fs::read_link(format!("/proc/{worker}/exe")).unwrap()
    }

    fn workers(&self) -> Vec<u32> {
        workers_of(&self.host.state_dir())
    }

    /// The program as the system shows it when another file has taken its place.
    fn replaced(&self) -> PathBuf {
        format!("{} (deleted)", self.program().display()).into()
    }
}

#[test]
fn the_upgraded_server_goes_on_and_so_does_its_successor() {
    let upgradable = Upgradable::new(|package| package);
    let server = upgradable.serve();
    let mut client = server.admin();
    completes(&mut client, &upgradable.second);
    assert_eq!(program_of(server.pid()), upgradable.replaced());
    assert!(installed_names(&mut client).contains(&"quartermaster".to_owned()), "it still answers");
    // A worker that it starts now is of its own version, though another lies in the file.
    upgradable.workers().into_iter().for_each(kill);
    completes(&mut client, &upgradable.next);
    assert_eq!(upgradable.worker_program(), upgradable.replaced());

    server.kill();
    let server = upgradable.serve();
    assert_eq!(program_of(server.pid()), upgradable.program());
    let another = build_deb(&upgradable.root.scratch(), "another", "1.0-1", &[]);
    completes(&mut server.admin(), &another);
    assert_eq!(upgradable.worker_program(), upgradable.program());
}

#[test]
fn a_job_of_the_earlier_worker_ends_well_under_the_new_server() {
    let upgradable = Upgradable::new(|package| package.script("postinst", &Gate::in_shell()));
    let gate = Gate::new(&upgradable.root.path());
    let server = upgradable.serve();
    let mut client = server.admin();
    let reached = gate.reached();
    let job = start(&mut client, &upgradable.second);
    let next = start(&mut client, &upgradable.next);
    let waiting = reached.recv_timeout(PATIENCE).expect("the package's script never came to its gate");
    // As the script of a package restarts its service.
    server.kill();
    let server = upgradable.serve();
    let mut client = server.admin();
    assert_eq!(program_of(server.pid()), upgradable.program());
    assert_eq!(upgradable.worker_program(), upgradable.replaced());
    // The earlier worker is given nothing new to do, and one of the new version must wait for it.
    let request = install_message(&mut client, &format!("file://{}", upgradable.next.display()));
    let (code, reason) = client.post(&request.envelope()).fault();
    assert_eq!(code, "Concurrency", "{reason}");
    assert!(reason.contains("a worker of another version or with other settings still has a job at work"), "{reason}");
    waiting.go_on();
    for job in [job, next] {
        let job = ended(&mut client, &job);
        assert_eq!(property(&job, "JobState").as_deref(), Some("7"), "{job:?}");
    }
    assert_eq!(upgradable.worker_program(), upgradable.program());
    let names = installed_names(&mut client);
    assert!(names.contains(&"quartermaster".to_owned()) && names.contains(&"next".to_owned()), "{names:?}");
}

fn completes(client: &mut Client, file: &Path) {
    let job = start(client, file);
    let job = ended(client, &job);
    assert_eq!(property(&job, "JobState").as_deref(), Some("7"), "{job:?}");
}

fn program_of(pid: u32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/exe")).unwrap()
}
