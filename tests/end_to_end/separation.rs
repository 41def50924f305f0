//! A service of two users: the process that faces the network cannot change software, and the worker does for it.
//!
//! Two users need root. Where the tests are not root's, the same octets go to a worker of the same user, and what is asserted of
//! the worker's answers and of what it leaves alone is the same; what is said of users is left out there.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::support::eventually;
use crate::support::gate::Gate;
use crate::support::image::ImageFolder;
use crate::support::installation::{byte_stream_message, ended, installed_names, job_of, start};
use crate::support::packages::{Deb, DebRoot, build_deb};
use crate::support::server::{Host, PATIENCE, Server, binary, kill, workers_of};
use crate::support::wsman::{Client, property};

/// The user that faces the network; a number needs no account.
pub(crate) const NETWORK_USER: u32 = 64_321;
/// A user that has nothing to do with the service.
const STRANGER: u32 = 64_322;

const SOCKET: &str = "QUARTERMASTER_TEST_SOCKET";

/// No test: the hostile process of the tests below. It sends its standard input to the socket and tells what comes back.
#[test]
fn hostile_process() {
    let Some(socket) = std::env::var_os(SOCKET) else { return };
    let stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        Err(error) => {
            println!("connect: {:?}", error.kind());
            std::process::exit(0);
        }
    };
    let mut octets = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut octets).unwrap();
    let replies = BufReader::new(stream.try_clone().unwrap());
    let sender = std::thread::spawn(move || {
        // A worker that has had enough closes the socket.
        let _ = (&stream).write_all(&octets);
        let _ = stream.shutdown(Shutdown::Write);
    });
    replies.lines().map_while(Result::ok).for_each(|line| println!("reply: {line}"));
    sender.join().unwrap();
    std::process::exit(0);
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A host whose service has two users, where that can be.
pub(crate) struct Parted {
    pub(crate) host: Host,
    pub(crate) root: DebRoot,
}

impl Parted {
    pub(crate) fn new() -> Self {
        Self::with(DebRoot::new())
    }

    fn with(root: DebRoot) -> Self {
        Self::with_settings(root, "")
    }

    fn with_settings(root: DebRoot, more: &str) -> Self {
        root.open_to_all();
        let host = Host::bare(&[]);
        fs::set_permissions(host.scratch(), fs::Permissions::from_mode(0o755)).unwrap();
        let user = if is_root() { NETWORK_USER.to_string() } else { "root".to_owned() };
        let (worker_dir, root_dir) = (host.scratch().join("worker"), root.path());
        let settings = format!("user = {user:?}\nworker_dir = {worker_dir:?}\nroot = {root_dir:?}\nengine = \"deb\"\n");
        let host = host.with_settings(&(settings + more));
        host.add_user("walker", "a password of the tests", "admin");
        Self { host, root }
    }

    pub(crate) fn worker_dir(&self) -> PathBuf {
        self.host.scratch().join("worker")
    }

    fn workers(&self) -> Vec<u32> {
        workers_of(&self.worker_dir())
    }
}

impl Drop for Parted {
    fn drop(&mut self) {
        self.workers().into_iter().for_each(kill);
    }
}

/// The same with an image, and with what it can be patched with.
pub(crate) struct PartedImage {
    pub(crate) host: Host,
    pub(crate) folder: ImageFolder,
    pub(crate) patch: PathBuf,
}

impl PartedImage {
    pub(crate) fn new() -> Self {
        let folder = ImageFolder::esxi_5_5_u1(1000);
        let patch = folder.esxi_5_5_u1a(1000);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let host = Host::of_image(&folder.image());
        fs::set_permissions(host.scratch(), fs::Permissions::from_mode(0o755)).unwrap();
        let user = if is_root() { NETWORK_USER.to_string() } else { "root".to_owned() };
        let worker_dir = host.scratch().join("worker");
        let settings = format!("user = {user:?}\nworker_dir = {worker_dir:?}\n{}", folder.settings());
        Self { host: host.with_settings(&settings), folder, patch }
    }

    pub(crate) fn worker_dir(&self) -> PathBuf {
        self.host.scratch().join("worker/image")
    }
}

impl Drop for PartedImage {
    fn drop(&mut self) {
        workers_of(&self.worker_dir()).into_iter().for_each(kill);
    }
}

/// What the worker of this folder answers to these octets, which a process of this user sends, behind its greeting.
pub(crate) fn answers(worker_dir: &Path, user: u32, octets: &[u8]) -> Vec<String> {
    // Its file may lie where that user may not go.
    let mut process = Command::new("/proc/self/exe");
    process.args(["--exact", "separation::hostile_process", "--nocapture"]);
    if is_root() {
        process.uid(user).gid(user);
    }
    process.env(SOCKET, worker_dir.join("worker.sock"));
    let mut child =
        process.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who is not let in reads nothing.
    let _ = stdin.write_all(octets);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|line| line.starts_with("reply: ") || line.starts_with("connect: "))
        .map(str::to_owned)
        .collect()
}

/// The process that faces the network: the only child of the keeper that is no worker.
fn network_process(server: &Server) -> u32 {
    if !is_root() {
        return server.pid();
    }
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", server.pid())).unwrap();
    let is_network = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|&b| b == 0).nth(1) == Some(b"serve")
    };
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).find(is_network).unwrap()
}

/// A line of /proc/PID/status.
fn status_of(pid: u32, key: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn completes(client: &mut Client, job: &str) {
    let job = ended(client, job);
    assert_eq!(property(&job, "JobState").as_deref(), Some("7"), "{job:?}");
}

#[test]
fn two_users_do_what_one_did() {
    let parted = Parted::new();
    let server = parted.host.serve();
    let mut client = server.admin();
    let by_uri = build_deb(&parted.root.scratch(), "by-uri", "1.0-1", &[]);
    let job = start(&mut client, &by_uri);
    completes(&mut client, &job);
    let inside = build_deb(&parted.root.scratch(), "inside", "1.0-1", &[]);
    let large = Deb::new("large", "1.0-1").file("usr/share/large", &"0123456789abcdef".repeat(20_000));
    for file in [inside, large.build(&parted.root.scratch())] {
        let image = openssl::base64::encode_block(&fs::read(file).unwrap());
        let message = byte_stream_message(&mut client, &image);
        let job = job_of(&client.ask(&message));
        completes(&mut client, &job);
    }
    let mut names = installed_names(&mut client);
    names.sort();
    assert_eq!(names, ["by-uri", "inside", "large"]);
    let (network, workers) = (network_process(&server), parted.workers());
    let [worker] = workers[..] else { panic!("not one worker: {workers:?}") };
    if is_root() {
        assert_eq!(status_of(network, "Uid"), [NETWORK_USER.to_string().as_str(); 4].join(" "));
        assert_eq!(status_of(network, "Gid"), [NETWORK_USER.to_string().as_str(); 4].join(" "));
        assert_eq!(status_of(network, "Groups"), "");
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(status_of(network, set), "0000000000000000", "{set}");
        }
        assert_eq!(status_of(network, "NoNewPrivs"), "1");
        assert_eq!(status_of(worker, "Uid"), "0 0 0 0");
        assert_eq!(status_of(worker, "NoNewPrivs"), "0", "scripts of packages may start what they like");
        assert_eq!(fs::metadata(parted.host.state_dir()).unwrap().uid(), NETWORK_USER);
        let folder = fs::metadata(parted.worker_dir()).unwrap();
        assert_eq!((folder.uid(), folder.gid(), folder.mode() & 0o7777), (0, NETWORK_USER, 0o2750));
    }
    // The command of root works on what another user owns.
    parted.host.add_user("late", "another password", "viewer");
    let audit = fs::read_to_string(parted.host.state_dir().join("audit/audit.jsonl")).unwrap();
    let added = audit.lines().find(|line| line.contains("AddUser") && line.contains("late")).unwrap();
    let by = format!("uid {} on the command line", rustix::process::getuid().as_raw());
    assert!(added.contains(&by), "it is root who did it: {added}");
    assert!(installed_names(&mut server.client("late", "another password")).contains(&"inside".to_owned()));
    assert!(server.stop().success());
    assert!(!Path::new(&format!("/proc/{network}")).exists());
}

/// The fields of /proc/PID/stat behind the name: the state first.
fn stat_of(pid: u32) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn what_faces_the_network_has_no_part_of_the_terminal_that_it_was_started_from() {
    if !is_root() {
        return;
    }
    let parted = Parted::new();
    let mut on_a_terminal = Command::new("sh");
    let script = r#"exec script --quiet --command "stty -onlcr; exec $0 $*" /dev/null"#;
    on_a_terminal.args(["-c", script]).arg(binary().get_program());
    // What it says comes all the same: the address was read from the terminal.
    let server = parted.host.serve_by(on_a_terminal);
    let state_dir = parted.host.state_dir();
    let is_network = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("--keeper") && line.contains(state_dir.to_str().unwrap())
    };
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let network = numbers.into_iter().find(is_network).unwrap();
    let keeper: u32 = status_of(network, "PPid").parse().unwrap();
    assert_ne!(stat_of(keeper)[4], "0", "the keeper has a terminal");
    let stat = stat_of(network);
    assert_eq!((stat[3].as_str(), stat[4].as_str()), (&*network.to_string(), "0"), "session and terminal");
    for stream in 0..3 {
        let file = fs::read_link(format!("/proc/{network}/fd/{stream}")).unwrap();
        assert!(!file.starts_with("/dev/pts"), "{stream} is {file:?}");
    }
    kill(keeper);
    drop(server);
}

#[test]
fn a_second_service_takes_nothing_from_the_first() {
    let parted = Parted::new();
    let server = parted.host.serve();
    let mut client = server.admin();
    let before = server.log().len();
    assert!(!parted.host.begin(binary()).wait().unwrap().success());
    let said = server.log().split_off(before);
    let why = if is_root() { "another service has its workers in" } else { "another server uses the state directory" };
    assert!(said.contains(why), "{said}");
    let job = start(&mut client, &build_deb(&parted.root.scratch(), "still", "1.0-1", &[]));
    completes(&mut client, &job);
}

#[test]
fn a_folder_that_another_user_can_put_elsewhere_is_not_used_and_nothing_is_changed() {
    if !is_root() {
        return;
    }
    for linked in ["state", "worker"] {
        let host = Host::bare(&["--engine", "none"]);
        let (scratch, others) = (host.scratch().to_owned(), host.scratch().join("others"));
        fs::set_permissions(&scratch, fs::Permissions::from_mode(0o755)).unwrap();
        let victim = scratch.join("victim");
        for folder in [&others, &victim] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(victim.join("file"), "").unwrap();
        chown(&others, Some(NETWORK_USER), Some(NETWORK_USER)).unwrap();
        symlink(&victim, others.join("link")).unwrap();
        let worker_dir = if linked == "worker" { others.join("link") } else { scratch.join("worker") };
        let host = host.with_settings(&format!("user = \"{NETWORK_USER}\"\nworker_dir = {worker_dir:?}\n"));
        // The last one counts: with a slash at the end the link is followed.
        let state_dir = format!("{}/", others.join("link").display());
        let mut program = binary();
        program.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(scratch.join("quartermaster.toml"));
        program.arg("--state-dir").arg(if linked == "state" {
            state_dir
        } else {
            format!("{}", scratch.join("own").display())
        });
        host.write_settings();
        let output = program.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("belongs to another user or can be written by others"),
            "{said}"
        );
        for path in [victim.clone(), victim.join("file")] {
            let found = fs::metadata(&path).unwrap();
            assert_eq!((found.uid(), found.gid()), (0, 0), "{linked}: {path:?}");
        }
        assert_ne!(fs::metadata(&victim).unwrap().mode() & 0o7777, 0o2750);
    }
}

#[test]
fn a_command_of_root_is_done_by_the_owner_of_the_folder_in_a_session_of_its_own() {
    if !is_root() {
        return;
    }
    let parted = Parted::new();
    let server = parted.host.serve();
    assert!(server.stop().success());
    let (status, said) =
        parted.host.run_with_input(&["user", "add", "ann", "--role", "viewer", "--password-stdin"], "a password");
    assert!(status.success() && said == "added ann (viewer)\n", "{said}");
    let (status, said) =
        parted.host.run_with_input(&["user", "add", "ann", "--role", "viewer", "--password-stdin"], "a password");
    assert!(!status.success() && said.contains("there is a user ann already"), "{said}");
    let log = parted.host.state_dir().join("audit/audit.jsonl");
    for entry in [log.clone(), parted.host.state_dir().join("quartermaster.db")] {
        assert_eq!(fs::metadata(&entry).unwrap().uid(), NETWORK_USER, "{entry:?}");
    }
    let (status, said) =
        parted.host.run(&["audit", "show", "--method", "AddUser", "--user", "uid 0 on the command line"]);
    assert!(status.success() && said.contains("AddUser of ann"), "{said}");
    // Whoever has the folder leads nobody elsewhere.
    let secret = parted.host.scratch().join("secret");
    fs::write(&secret, "a secret of root's").unwrap();
    fs::remove_file(&log).unwrap();
    symlink(&secret, &log).unwrap();
    for action in ["show", "verify"] {
        let (status, said) = parted.host.run(&["audit", action]);
        assert!(!status.success() && said.contains("cannot read"), "{said}");
    }
}

#[test]
fn the_worker_outlives_its_keeper_and_is_found_by_the_next() {
    let root = DebRoot::new().with_shell(&[]);
    let parted = Parted::with(root);
    let gate = Gate::new(&parted.root.path());
    let file = Deb::new("slow", "1.0-1").script("postinst", &Gate::in_shell()).build(&parted.root.scratch());
    let next = build_deb(&parted.root.scratch(), "next", "1.0-1", &[]);
    let server = parted.host.serve();
    let mut client = server.admin();
    let reached = gate.reached();
    let (job, next) = (start(&mut client, &file), start(&mut client, &next));
    let waiting = reached.recv_timeout(PATIENCE).expect("the package's script never came to its gate");
    let (network, workers) = (network_process(&server), parted.workers());
    server.kill();
    eventually("the process that faces the network to end", PATIENCE, || {
        (!Path::new(&format!("/proc/{network}")).exists()).then_some(())
    });
    let server = parted.host.serve();
    assert_eq!(parted.workers(), workers, "the job goes on");
    waiting.go_on();
    let mut client = server.admin();
    completes(&mut client, &job);
    completes(&mut client, &next);
}

pub(crate) fn strangers_are_not_greeted(parted: &Parted) {
    assert_eq!(answers(&parted.worker_dir(), STRANGER, b"\"watch\"\n"), ["connect: PermissionDenied"]);
    // Also where somebody opened the way by mistake, it is the peer that counts.
    let socket = parted.worker_dir().join("worker.sock");
    fs::set_permissions(parted.worker_dir(), fs::Permissions::from_mode(0o2755)).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(answers(&parted.worker_dir(), STRANGER, b"\"watch\"\n"), Vec::<String>::new());
    assert_eq!(answers(&parted.worker_dir(), NETWORK_USER, b"").len(), 1, "a greeting");
}

pub(crate) fn the_network_process_cannot_write_what_is_the_workers(parted: &Parted) {
    let as_network_user = |command: &str| {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(command).env("W", parted.worker_dir()).uid(NETWORK_USER).gid(NETWORK_USER);
        shell.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    let all = "find \"$W\" -mindepth 1 -not -name worker.sock";
    assert!(as_network_user("ls \"$W\"/jobs/*/journal && cat \"$W\"/jobs/*/journal"), "it reads journals");
    assert!(as_network_user(&format!(
        "test -n \"$({all} -print -quit)\" && test -z \"$({all} -writable -print -quit)\""
    )));
    for command in [
        "touch \"$W\"/x",
        "touch \"$W\"/jobs/x",
        "rm -r \"$W\"/spool",
        "mv \"$W\" \"$W\".old",
        "cat \"$W\"/worker.lock",
    ] {
        assert!(!as_network_user(command), "{command}");
    }
}

/// What a service manager does: holds the socket, and starts the worker of the settings when somebody connects.
struct Manager {
    ended: Arc<AtomicBool>,
    starts: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Manager {
    fn new(parted: &Parted, settings: &Path) -> Self {
        let worker_dir = parted.worker_dir();
        fs::create_dir(&worker_dir).unwrap();
        if is_root() {
            chown(&worker_dir, None, Some(NETWORK_USER)).unwrap();
        }
        fs::set_permissions(&worker_dir, fs::Permissions::from_mode(0o2750)).unwrap();
        let socket = worker_dir.join("worker.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o660)).unwrap();
        let (ended, starts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (is_ended, started) = (Arc::clone(&ended), Arc::clone(&starts));
        let settings = settings.to_owned();
        let thread = std::thread::spawn(move || {
            while !is_ended.load(Ordering::SeqCst) {
                let mut fds = [PollFd::new(&listener, PollFlags::IN)];
                let moment = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
                if poll(&mut fds, Some(&moment)).unwrap() == 0 {
                    continue;
                }
                let mut worker = binary();
                worker.arg("work").arg("--config").arg(&settings).arg("--worker-dir").arg(&worker_dir);
                let input = OwnedFd::from(listener.try_clone().unwrap());
                let mut worker = worker.stdin(input).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                started.fetch_add(1, Ordering::SeqCst);
                let status = worker.wait().unwrap();
                assert!(status.success() || is_ended.load(Ordering::SeqCst), "{status}");
            }
        });
        Self { ended, starts, thread: Some(thread) }
    }

    /// Ends the worker, which holds no job, and tells how many there were.
    fn end(mut self, parted: &Parted) -> usize {
        self.ended.store(true, Ordering::SeqCst);
        for worker in parted.workers() {
            let _ = Command::new("kill").arg(worker.to_string()).status();
        }
        self.thread.take().unwrap().join().unwrap();
        self.starts.load(Ordering::SeqCst)
    }
}

#[test]
fn a_service_manager_may_hold_the_socket_and_start_the_worker() {
    let parted = Parted::with_settings(DebRoot::new(), "[jobs]\nworker_idle_seconds = 1\n");
    let manager = Manager::new(&parted, &parted.host.scratch().join("quartermaster.toml"));
    let serve = || {
        let mut program = binary();
        if is_root() {
            program.uid(NETWORK_USER).gid(NETWORK_USER);
        }
        parted.host.serve_by(program)
    };
    if is_root() {
        let owner = format!("{NETWORK_USER}:{NETWORK_USER}");
        assert!(Command::new("chown").args(["-R", &owner]).arg(parted.host.state_dir()).status().unwrap().success());
    }
    let server = serve();
    let mut client = server.admin();
    let first = build_deb(&parted.root.scratch(), "first", "1.0-1", &[]);
    let job = start(&mut client, &first);
    completes(&mut client, &job);
    // The worker ends by itself and leaves the socket to the next one; the next server finds that.
    eventually("the worker to end", PATIENCE, || parted.workers().is_empty().then_some(()));
    server.kill();
    let server = serve();
    let mut client = server.admin();
    let second = build_deb(&parted.root.scratch(), "second", "1.0-1", &[]);
    let job = start(&mut client, &second);
    completes(&mut client, &job);
    drop(server);
    // Without two users the server starts its workers itself, on a socket of theirs.
    let starts = manager.end(&parted);
    assert!(starts >= 2 || !is_root(), "{starts}");
}

#[test]
fn an_image_has_a_worker_of_its_own_and_the_network_process_only_reads_the_store() {
    let image = PartedImage::new();
    let server = image.host.serve();
    let mut client = server.admin();
    let job = start(&mut client, &image.patch);
    completes(&mut client, &job);
    let workers = workers_of(&image.worker_dir());
    let [worker] = workers[..] else { panic!("not one worker: {workers:?}") };
    if is_root() {
        assert_eq!(status_of(worker, "Uid"), "0 0 0 0");
        assert_ne!(status_of(network_process(&server), "Uid"), "0 0 0 0");
    }
}

/// The service of root alone that it was, until the host got a user for it.
#[test]
fn jobs_that_wait_go_on_when_the_service_is_parted() {
    let root = DebRoot::new().with_shell(&[]);
    let mut parted = Parted::with(root);
    let gate = Gate::new(&parted.root.path());
    let file = Deb::new("slow", "1.0-1").script("postinst", &Gate::in_shell()).build(&parted.root.scratch());
    let next = build_deb(&parted.root.scratch(), "next", "1.0-1", &[]);
    let settings = fs::read_to_string(parted.host.scratch().join("quartermaster.toml")).unwrap();
    let is_of_one = |line: &&str| !line.starts_with("user =") && !line.starts_with("worker_dir =");
    let of_one: Vec<&str> = settings.lines().filter(is_of_one).collect();
    parted.host.set_settings(&of_one.join("\n"));
    let server = parted.host.serve();
    let mut client = server.admin();
    let reached = gate.reached();
    let (job, next) = (start(&mut client, &file), start(&mut client, &next));
    let waiting = reached.recv_timeout(PATIENCE).expect("the package's script never came to its gate");
    server.kill();
    // What root's worker has under its hands is not given away: the next start waits for it.
    waiting.go_on();

    parted.host.set_settings(&settings);
    let server = parted.host.serve();
    let mut client = server.admin();
    completes(&mut client, &job);
    completes(&mut client, &next);
    if is_root() {
        let mut find = Command::new("find");
        find.arg(parted.host.state_dir()).args(["-not", "-uid", &NETWORK_USER.to_string()]);
        let others = String::from_utf8(find.output().unwrap().stdout).unwrap();
        assert_eq!(others, "", "all of the state is the network's user's");
        assert_eq!(fs::metadata(parted.worker_dir().join("jobs")).unwrap().uid(), 0);
    }
    workers_of(&parted.host.state_dir()).into_iter().for_each(kill);
}
