//! A server that dies in the middle of a job, and a worker that dies.

use std::os::unix::process::CommandExt as _;
use std::path::Path;

use xmltree::Element;

use crate::support::eventually;
use crate::support::gate::Gate;
use crate::support::installation::{ended, installed_names, start};
use crate::support::packages::{Deb, DebRoot, Rpm, RpmRoot, build_deb, build_rpm};
use crate::support::server::{Host, PATIENCE, binary, kill, workers_of};
use crate::support::sink::{Event, Sink};
use crate::support::wsman::{CIM, Client, Message, property};

const SECONDS_BEFORE_REMOVAL: &str = "[jobs]\ntime_before_removal_seconds = 2\n";

#[test]
fn a_debian_installation_outlives_the_server() {
    let root = DebRoot::new().with_shell(&[]);
    let dir = root.scratch();
    let slow = Deb::new("slow", "1.0-1").script("postinst", &Gate::in_shell()).build(&dir);
    let next = build_deb(&dir, "next", "1.0-1", &[]);
    outlives("deb", &root.path(), &slow, &next, || {
        let status = std::fs::read_to_string(root.path().join("var/lib/dpkg/status")).unwrap();
        status.contains("Package: slow\nStatus: install ok installed\n")
    });
}

#[test]
fn an_rpm_installation_outlives_the_server() {
    let root = RpmRoot::new();
    let dir = root.scratch();
    let slow = Rpm::new("slow", "1.0", "1").lua("pre", &Gate::in_lua()).build(&dir);
    let next = build_rpm(&dir, "next", "1.0", "1", &[]);
    outlives("rpm", &root.path(), &slow, &next, || root.rpm().args(["-q", "slow"]).output().unwrap().status.success());
}

/// SIGKILL to the server while a package's script waits: the package gets installed without it, and the next server
/// ends the job, runs the one that was queued, and tells the sink all that it missed.
fn outlives(engine: &str, root: &Path, slow: &Path, next: &Path, installed: impl Fn() -> bool) {
    let gate = Gate::new(root);
    let host = Host::new(root, engine).with_settings(SECONDS_BEFORE_REMOVAL);
    let sink = Sink::new();
    let first = host.serve();
    let mut client = first.admin();
    subscribe(&mut client, &sink);
    let job = start(&mut client, slow);
    let queued = start(&mut client, next);
    sink.wait_for("the job's start", PATIENCE, |events| states_of(events, &job).contains(&4).then_some(()));
    let opened = gate.open_when_reached();
    first.kill();

    // Nobody serves now. The script reads the gate only in a worker that is still alive.
    opened.recv_timeout(PATIENCE).expect("the package's script never came to its gate: the work died with the server");
    eventually("the package to be installed while no server runs", PATIENCE, || installed().then_some(()));

    let second = host.serve();
    let mut client = second.admin();
    sink.wait_for("the end of both jobs", PATIENCE, |events| {
        let ended = |job| states_of(events, job).last() == Some(&7);
        (ended(&job) && ended(&queued)).then_some(())
    });
    sink.wait_for("both deletions", PATIENCE, |events| {
        let deleted = |job: &str| events.iter().any(|e| e.path == "/deletion" && is_of(e, job));
        (deleted(&job) && deleted(&queued)).then_some(())
    });
    let events = sink.distinct_events();
    assert_eq!(events.iter().filter(|e| e.path == "/creation" && is_of(e, &job)).count(), 1, "one creation");
    check_chain(&events, &job);
    check_chain(&events, &queued);
    let names = installed_names(&mut client);
    assert!(names.contains(&"slow".to_owned()) && names.contains(&"next".to_owned()), "{names:?}");
}

#[test]
fn what_ends_the_servers_process_group_leaves_the_work_alone() {
    let root = DebRoot::new().with_shell(&[]);
    let gate = Gate::new(&root.path());
    let slow = Deb::new("slow", "1.0-1").script("postinst", &Gate::in_shell()).build(&root.scratch());
    let host = Host::new(&root.path(), "deb");
    let mut program = binary();
    program.process_group(0);
    let first = host.serve_by(program);
    let reached = gate.reached();
    let job = start(&mut first.admin(), &slow);
    let waiting = reached.recv_timeout(PATIENCE).expect("the package's script never came to its gate");
    first.kill_group();
    waiting.go_on();
    let second = host.serve();
    let mut client = second.admin();
    let job = ended(&mut client, &job);
    // The tool is in a group of its own in any case; that the job completed tells that its worker lived on.
    assert_eq!(property(&job, "JobState").as_deref(), Some("7"), "{job:?}");
    assert!(installed_names(&mut client).contains(&"slow".to_owned()));
}

#[test]
fn a_worker_that_dies_fails_its_job_and_says_so() {
    let root = DebRoot::new().with_shell(&[]);
    let dir = root.scratch();
    let gate = Gate::new(&root.path());
    let slow = Deb::new("slow", "1.0-1").script("preinst", &Gate::in_shell()).build(&dir);
    let next = build_deb(&dir, "next", "1.0-1", &[]);
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let mut client = server.admin();
    let reached = gate.reached();
    let job = start(&mut client, &slow);
    let waiting = reached.recv_timeout(PATIENCE).expect("the package's script never came to its gate");
    let workers = workers_of(&host.state_dir());
    assert!(!workers.is_empty(), "a job runs, but no worker does");
    for &worker in &workers {
        // A session without a terminal: no script of a package can ask a question on the one the server was started from.
        assert_eq!(session(worker), worker, "the worker is in somebody else's session");
    }
    workers.into_iter().for_each(kill);

    // The tool goes on without its worker, so the job has not ended; when the tool has, nobody vouches for the result.
    assert_eq!(state(&mut client, &job), 4);
    waiting.go_on();
    let failed = eventually("the job to fail", PATIENCE, || {
        let job = get_job(&mut client, &job);
        (property(&job, "JobState").as_deref() == Some("10")).then_some(job)
    });
    assert_eq!(property(&failed, "PercentComplete").as_deref(), Some("100"));
    let description = property(&failed, "ErrorDescription").expect("a failed job without ErrorDescription");
    assert!(description.to_lowercase().contains("worker"), "it does not say that the worker died: {description:?}");

    // What the dead worker left behind is the operator's to repair; the server itself still answers and takes jobs.
    let job = start(&mut client, &next);
    eventually("the next job to end", PATIENCE, || (state(&mut client, &job) >= 7).then_some(()));
}

/// The session of a process: field 6 of its `stat`.
fn session(pid: u32) -> u32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(3).unwrap().parse().unwrap()
}

fn subscribe(client: &mut Client, sink: &Sink) {
    for (path, class) in [
        ("/creation", "CIM_InstCreation"),
        ("/modification", "CIM_InstModification"),
        ("/deletion", "CIM_InstDeletion"),
    ] {
        let query = format!("SELECT * from {class} WHERE SourceInstance ISA CIM_ConcreteJob");
        let response = client.ask(&Message::subscribe(&sink.url(path), &query));
        assert_eq!(response.name, "SubscribeResponse");
    }
}

fn get_job(client: &mut Client, job: &str) -> Element {
    client.ask(&Message::get(&format!("{CIM}/CIM_ConcreteJob")).selector("InstanceID", job))
}

fn state(client: &mut Client, job: &str) -> u16 {
    property(&get_job(client, job), "JobState").unwrap().parse().unwrap()
}

fn is_of(event: &Event, job: &str) -> bool {
    event.source("InstanceID").as_deref() == Some(job)
}

/// The states of a job in the order they were told.
fn states_of(events: &[Event], job: &str) -> Vec<u16> {
    let changes = events.iter().filter(|e| e.path == "/modification" && is_of(e, job));
    changes.map(|e| e.source("JobState").unwrap().parse().unwrap()).collect()
}

/// Each change starts where the one before it ended: nothing was left out, told twice or out of order.
fn check_chain(events: &[Event], job: &str) {
    let view = |of: &dyn Fn(&str) -> Option<String>| {
        ["JobState", "PercentComplete", "JobStatus", "TimeOfLastStateChange"].map(of)
    };
    let created = events.iter().find(|e| e.path == "/creation" && is_of(e, job)).expect("a creation");
    let mut before = view(&|name| created.source(name));
    for change in events.iter().filter(|e| e.path == "/modification" && is_of(e, job)) {
        assert_eq!(view(&|name| change.previous(name)), before, "{job}: a change was left out or told twice");
        before = view(&|name| change.source(name));
    }
    assert_eq!(before[0].as_deref(), Some("7"), "{job} ended as {before:?}");
}
