//! Jobs with a worker process of its own, which is killed, outlives its server and is found again.
//!
//! The worker is this test program, started once more with a variable in its environment. Its package engine reads what
//! to do from the package file, and waits where the file names a pipe until the test opens it too.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use quartermaster::access::{Caller, Role};
use quartermaster::clock::SystemClock;
use quartermaster::jobs::{
    InstallOptions, Job, JobFailure, JobId, JobRequest, JobState, Jobs, PlanError, Settings, StageError, WorkerProgram,
    WorkerStart,
};
use quartermaster::software::{
    Abilities, ApplyError, CancelToken, Family, FileRecord, InspectError, Inventory, Manager, ManagerError, Nevra,
    Operation, Outcome, Package, PackageState, Phase, Plan, Progress,
};
use quartermaster::store::{Store, changes};
use quartermaster::worker::protocol::Reply;
use quartermaster::worker::{self, Lines, socket_path};
use tempfile::TempDir;

const STATE_DIR: &str = "QUARTERMASTER_TEST_STATE_DIR";
const WORKER: [&str; 3] = ["--exact", "worker_process", "--nocapture"];

/// No test: the worker process of the tests below.
#[test]
fn worker_process() {
    let Some(state_dir) = std::env::var_os(STATE_DIR) else { return };
    worker::detach();
    let mut settings = worker::Settings::new(PathBuf::from(state_dir));
    settings.idle_limit = Duration::from_secs(1);
    let ended = worker::run(Arc::new(ScriptedManager), settings, Arc::new(SystemClock));
    std::process::exit(i32::from(ended.is_err()));
}

fn operator() -> Caller {
    Caller::new("olga", Role::Operator)
}

/// Takes a file that begins with `package NAME` for a package; the other lines are what its installation does.
#[derive(Debug)]
struct ScriptedManager;

impl Manager for ScriptedManager {
    fn family(&self) -> Family {
        Family::Rpm
    }

    fn abilities(&self) -> Abilities {
        Abilities { changes: true, repositories: true }
    }

    fn inventory(&self) -> Arc<Inventory> {
        Arc::default()
    }

    fn refresh(&self) -> Result<bool, ManagerError> {
        Ok(false)
    }

    fn wait_for_change(&self, _: Duration) -> bool {
        false
    }

    fn inspect(&self, file: &Path) -> Result<Package, InspectError> {
        let text = fs::read_to_string(file)?;
        let name = text.lines().next().and_then(|line| line.strip_prefix("package "));
        let name = name.ok_or_else(|| InspectError::NotAPackage("it has no header".to_owned()))?;
        let nevra = Nevra {
            name: name.into(),
            epoch: 0,
            version: "1".into(),
            release: Some("1".into()),
            architecture: "noarch".into(),
        };
        Ok(Package::bare(nevra, PackageState::NotInstalled))
    }

    /// A plan for `endless` is made until it is given up.
    fn plan(&self, operation: &Operation, cancel: &CancelToken) -> Result<Plan, ApplyError> {
        if matches!(operation, Operation::Verify { nevra } if &*nevra.name == "endless") {
            while !cancel.is_cancelled() {
                thread::yield_now();
            }
            return Err(ApplyError::Cancelled);
        }
        Ok(Plan::default())
    }

    fn files(&self, _: &Nevra) -> Result<Vec<FileRecord>, ManagerError> {
        Ok(Vec::new())
    }

    fn root(&self) -> &Path {
        Path::new("/")
    }

    fn apply(
        &self,
        operation: &Operation,
        progress: &mut dyn Progress,
        _: &CancelToken,
    ) -> Result<Outcome, ApplyError> {
        let Operation::InstallFile { file, .. } = operation else { panic!("{operation:?}") };
        for line in fs::read_to_string(file).unwrap().lines() {
            match line.split_once(' ').unwrap() {
                ("package", _) => {}
                // Tells that it was here.
                ("log", path) => {
                    let mut log = OpenOptions::new().create(true).append(true).open(path).unwrap();
                    log.write_all(b"run\n").unwrap();
                }
                ("percent", percent) => progress.phase(Phase::Unpacking, percent.parse().unwrap()),
                // Waits until the other end is opened.
                ("pipe", path) => drop(OpenOptions::new().read(true).open(path).unwrap()),
                ("fail", message) => return Err(ApplyError::Dependencies(message.to_owned())),
                other => panic!("{other:?}"),
            }
        }
        Ok(Outcome::default())
    }
}

/// A server: the store, the jobs and the thread that moves them on. Dropping it is its death; the worker lives on.
struct Server {
    store: Arc<Store>,
    jobs: Arc<Jobs>,
    mover: Option<JoinHandle<()>>,
}

impl Server {
    fn start(folder: &Path) -> Self {
        Self::start_with(folder, |_| {})
    }

    fn start_with(folder: &Path, adjust: impl FnOnce(&mut Settings)) -> Self {
        let store = Arc::new(Store::open(&folder.join("store.db")).unwrap());
        let worker = WorkerProgram {
            program: std::env::current_exe().unwrap(),
            arguments: WORKER.map(Into::into).to_vec(),
            environment: vec![(STATE_DIR.into(), folder.into())],
            launcher: Vec::new(),
            orders: String::new(),
        };
        let mut settings = Settings::new(folder.to_owned(), worker);
        adjust(&mut settings);
        let jobs = Arc::new(Jobs::open(Arc::clone(&store), Arc::new(SystemClock), settings).unwrap());
        let mover = thread::spawn({
            let jobs = Arc::clone(&jobs);
            move || jobs.run()
        });
        Self { store, jobs, mover: Some(mover) }
    }

    fn submit(&self, folder: &Path, name: &str, script: &str) -> JobId {
        let file = folder.join(format!("{name}.rpm"));
        fs::write(&file, format!("package {name}\n{script}")).unwrap();
        let staged = self.jobs.stage(&file, &operator()).unwrap();
        let uri = format!("file://{}", file.display());
        let request = JobRequest::InstallFromUri { uri, staged: Some(staged), options: InstallOptions::default() };
        let owner = operator();
        self.jobs.submit(request, &owner).unwrap().id
    }

    /// Waits for change records until it is so.
    fn wait_until(&self, mut is_so: impl FnMut(&Jobs) -> bool) {
        let mut latest = self.store.watch_changes();
        let waiting = async {
            while !is_so(&self.jobs) {
                // A record is told before the job is seen in memory, so look now and then.
                let _ = tokio::time::timeout(Duration::from_millis(100), latest.changed()).await;
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let waited = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), waiting).await });
        waited.unwrap_or_else(|_| panic!("it never was so: {:#?}", self.jobs.jobs()));
    }

    fn wait_until_final(&self, id: JobId) -> Arc<Job> {
        self.wait_until(|jobs| jobs.job(id).is_some_and(|job| job.state.is_final()));
        self.jobs.job(id).unwrap()
    }

    /// The states and percentages of a job that the change records tell; each record begins where the one before ended.
    fn history(&self, id: JobId) -> Vec<Option<(JobState, u8)>> {
        let mut known: BTreeMap<JobId, Job> = BTreeMap::new();
        let mut history = Vec::new();
        for record in self.store.read(|c| changes::after(c, 0, 10_000)).unwrap() {
            let read = |text: Option<String>| text.map(|text| serde_json::from_str::<Job>(&text).unwrap());
            let (before, after) = (read(record.before), read(record.after));
            let job = before.as_ref().or(after.as_ref()).unwrap().id;
            assert_eq!(known.remove(&job), before, "record {}", record.sequence);
            if job == id {
                history.push(after.as_ref().map(|job| (job.state, job.percent)));
            }
            known.extend(after.map(|after| (job, after)));
        }
        history
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.jobs.stop();
        self.mover.take().unwrap().join().unwrap();
    }
}

fn pipe(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    assert!(Command::new("mkfifo").arg("--").arg(&path).status().unwrap().success());
    path
}

/// Waits until the worker is at this pipe, and lets it go on.
fn let_pass(pipe: &Path) {
    drop(OpenOptions::new().write(true).open(pipe).unwrap());
}

fn worker_pid(folder: &Path) -> u32 {
    match Lines::new(UnixStream::connect(socket_path(folder)).unwrap()).read().unwrap() {
        Some(Reply::Hello(hello)) => hello.pid,
        other => panic!("{other:?}"),
    }
}

/// The process of a worker that was started from another program file, as before an upgrade.
fn earlier_worker(folder: &Path) -> Child {
    let program = folder.join("earlier");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new(program);
    command.args(WORKER).env(STATE_DIR, folder).stdout(Stdio::null()).stderr(Stdio::null());
    let mut worker = command.spawn().unwrap();
    while UnixStream::connect(socket_path(folder)).is_err() {
        assert!(worker.try_wait().unwrap().is_none(), "it ended");
        thread::yield_now();
    }
    worker
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn jobs_complete_and_fail_through_a_process_in_its_own_group() {
    let folder = folder();
    let path = folder.path();
    let server = Server::start(path);
    let pass = pipe(path, "pass");
    let good = server.submit(path, "good", &format!("percent 10\npipe {}\npercent 70", pass.display()));
    let bad = server.submit(path, "bad", "percent 5\nfail libfoo is missing");
    server.wait_until(|jobs| jobs.job(good).unwrap().percent == 10);
    assert_eq!(server.jobs.job(bad).unwrap().state, JobState::Queued);
    let pid = worker_pid(path);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let group = stat.rsplit(')').next().unwrap().split_whitespace().nth(2).unwrap();
    assert_eq!(group, pid.to_string(), "what ends the server's group leaves the worker alone");
    let_pass(&pass);
    assert_eq!(server.wait_until_final(good).state, JobState::Completed);
    let failed = server.wait_until_final(bad);
    assert_eq!(failed.status(), "Failed: libfoo is missing");
    assert_eq!(server.history(good).last(), Some(&Some((JobState::Completed, 100))));
}

#[test]
fn a_killed_worker_fails_its_job_truthfully_and_a_fresh_one_does_the_next() {
    let folder = folder();
    let path = folder.path();
    let server = Server::start(path);
    let (pass, log) = (pipe(path, "pass"), path.join("log"));
    let script = format!("log {}\npercent 30\npipe {}", log.display(), pass.display());
    let killed = server.submit(path, "killed", &script);
    let next = server.submit(path, "next", "percent 50");
    server.wait_until(|jobs| jobs.job(killed).unwrap().percent == 30);
    let pid = worker_pid(path);
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    let job = server.wait_until_final(killed);
    let error = job.error.clone().unwrap();
    assert_eq!((job.state, job.percent, error.cause), (JobState::Failed, 100, JobFailure::WorkerDied));
    assert!(error.message.contains("unpacking files"), "{}", error.message);
    assert_eq!(server.wait_until_final(next).state, JobState::Completed);
    assert_ne!(worker_pid(path), pid);
    assert_eq!(fs::read_to_string(log).unwrap(), "run\n", "the killed job was not run again");
    server.history(killed);
}

#[test]
fn a_job_goes_on_without_its_server_and_is_found_again() {
    let folder = folder();
    let path = folder.path();
    let [first, second, third] = ["first", "second", "third"].map(|name| pipe(path, name));
    let log = path.join("log");
    let script = format!(
        "log {}\npercent 10\npipe {}\npercent 20\npipe {}\npercent 30\npipe {}\npercent 90",
        log.display(),
        first.display(),
        second.display(),
        third.display()
    );
    let server = Server::start(path);
    let id = server.submit(path, "lasting", &script);
    let queued = server.submit(path, "queued", "percent 50");
    server.wait_until(|jobs| jobs.job(id).unwrap().percent == 10);
    drop(server);
    let_pass(&first);
    // It is at the second pipe only if it went on alone.
    let_pass(&second);

    let server = Server::start(path);
    server.wait_until(|jobs| jobs.job(id).unwrap().percent == 30);
    drop(server);
    let_pass(&third);

    let server = Server::start(path);
    assert_eq!(server.wait_until_final(id).state, JobState::Completed);
    assert_eq!(server.wait_until_final(queued).state, JobState::Completed);
    assert_eq!(fs::read_to_string(log).unwrap(), "run\n", "it was run once");
    let history: Vec<u8> = server.history(id).into_iter().map(|after| after.unwrap().1).collect();
    // 20 may have been merged with 30: percentages that follow each other at once are.
    let certain: Vec<u8> = history.into_iter().filter(|&percent| percent != 20).collect();
    assert_eq!(certain, [0, 0, 10, 30, 90, 100], "nothing is lost and nothing is told twice");
}

#[test]
fn a_worker_of_another_program_file_is_let_end_and_replaced() {
    let folder = folder();
    let path = folder.path();
    let mut earlier = earlier_worker(path);
    // As long as this is open it does not end by itself.
    let _open = UnixStream::connect(socket_path(path)).unwrap();
    let server = Server::start(path);
    let id = server.submit(path, "late", "percent 50");
    assert_eq!(server.wait_until_final(id).state, JobState::Completed);
    assert_ne!(worker_pid(path), earlier.id());
    assert!(earlier.wait().unwrap().success());
}

#[test]
fn nothing_is_given_to_a_worker_of_another_protocol_and_what_is_wrong_is_told() {
    let folder = folder();
    let path = folder.path();
    let listener = UnixListener::bind(socket_path(path)).unwrap();
    // The protocol before there was a request to retire.
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"{\"hello\":{\"protocol\":2,\"pid\":1}}\n").unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        stream.write_all(b"{\"refused\":{\"kind\":\"malformed\"}}\n").unwrap();
        line
    });
    let server = Server::start(path);
    let file = path.join("a.rpm");
    fs::write(&file, "package a\n").unwrap();
    assert_eq!(server.jobs.stage(&file, &operator()).unwrap_err(), StageError::OtherOrders);
    assert_eq!(asked.join().unwrap(), "\"retire\"\n");
    // Nobody listens any more.
    let id = server.submit(path, "late", "percent 50");
    assert_eq!(server.wait_until_final(id).state, JobState::Completed);
}

#[test]
fn a_worker_is_started_through_a_launcher_and_without_it_where_that_fails() {
    for (launcher, works) in [(&["env", "LAUNCHED=yes"][..], true), (&["false"], false), (&["/nonexistent"], false)] {
        let folder = folder();
        let path = folder.path();
        let launcher = launcher.iter().map(Into::into).collect();
        let server = Server::start_with(path, |settings| {
            let WorkerStart::Here(program) = &mut settings.worker else { panic!("{:?}", settings.worker) };
            program.launcher = launcher;
        });
        let id = server.submit(path, "launched", "percent 50");
        assert_eq!(server.wait_until_final(id).state, JobState::Completed);
        let environment = fs::read(format!("/proc/{}/environ", worker_pid(path))).unwrap();
        assert_eq!(environment.split(|&octet| octet == 0).any(|variable| variable == b"LAUNCHED=yes"), works);
    }
}

#[test]
fn a_finished_job_is_removed_by_itself() {
    let folder = folder();
    let path = folder.path();
    let server = Server::start_with(path, |settings| settings.time_before_removal_seconds = 0);
    let id = server.submit(path, "brief", "percent 50");
    server.wait_until(|jobs| jobs.job(id).is_none());
    assert_eq!(server.history(id).last(), Some(&None));
    // What is kept for it goes when a worker is there for the next one.
    let pass = pipe(path, "pass");
    let next = server.submit(path, "next", &format!("pipe {}", pass.display()));
    server.wait_until(|_| !path.join("jobs").join(id.to_string()).exists());
    let_pass(&pass);
    server.wait_until(|jobs| jobs.job(next).is_none());
    assert_eq!(fs::read_dir(path.join("spool")).unwrap().count(), 0);
}

#[test]
fn a_plan_that_takes_too_long_is_given_up() {
    let folder = folder();
    let server = Server::start(folder.path());
    let plan = |name: &str, limit| {
        let request = JobRequest::Verify { nevra: Nevra::from_debian(name, "1-1", "noarch").unwrap() };
        server.jobs.plan(&request, &operator(), Instant::now() + limit)
    };
    assert_eq!(plan("good", Duration::from_secs(60)), Ok(Plan::default()));
    assert_eq!(plan("endless", Duration::from_millis(50)), Err(PlanError::TimedOut));
    assert_eq!(plan("endless", Duration::ZERO), Err(PlanError::TimedOut));
    assert_eq!(plan("good", Duration::from_secs(60)), Ok(Plan::default()));
}
