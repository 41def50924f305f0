mod trust;

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

use super::journal::{self, Entry};
use super::protocol::{Reply, Request};
use super::testing::{Step, Teller, ToldManager, package, worker_thread};
use super::*;
use crate::access::{Caller, Role};
use crate::client::AddressRules;
use crate::client::sink::{Reply as Answer, Sink};
use crate::clock::{Clock, ManualClock, SystemClock};
use crate::software::{ApplyError, Operation, Phase};

struct Fixture {
    state: TempDir,
    files: TempDir,
    teller: Teller,
}

impl Fixture {
    fn new(adjust: impl FnOnce(&mut Settings, &Path)) -> Self {
        let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut settings = Settings::new(state.path().to_owned());
        adjust(&mut settings, files.path());
        let teller = worker_thread(settings, Arc::new(SystemClock));
        Self { state, files, teller }
    }

    fn call(&self, request: &Request) -> Reply {
        call(self.state.path(), request)
    }

    fn stage(&self, path: &Path) -> Reply {
        self.call(&Request::Stage { path: path.to_owned(), caller: operator() })
    }

    fn staged(&self, name: &str) -> Staged {
        match self.stage(&package(self.files.path(), name)) {
            Reply::Staged(staged) => staged,
            other => panic!("{other:?}"),
        }
    }

    fn run(&self, job: u64, staged: &Staged) -> Reply {
        self.run_as(job, staged, Role::Operator)
    }

    fn run_as(&self, job: u64, staged: &Staged, role: Role) -> Reply {
        let operation = Work::InstallStaged { staged: staged.clone(), force: false };
        self.call(&Request::Run { job, operation, caller: Caller::new("olga", role) })
    }

    fn spooled(&self) -> usize {
        fs::read_dir(self.state.path().join("spool")).unwrap().count()
    }

    /// Waits on a watching connection until the job has ended, and gives the job's entries.
    fn entries_of_ended(&self, job: u64) -> Vec<Entry> {
        let (stream, mut lines) = connect(self.state.path());
        write_line(&mut &stream, &Request::Watch).unwrap();
        let path = journal::path(self.state.path(), job);
        loop {
            let entries: Vec<Entry> =
                journal::read(&path, 0).unwrap().records.into_iter().map(|record| record.entry).collect();
            if entries.last().is_some_and(Entry::is_end) {
                assert_eq!(self.spooled(), 0, "what was staged is given up before the end is told");
                return entries;
            }
            assert!(lines.read::<Reply>().unwrap().is_some());
        }
    }
}

fn operator() -> Caller {
    Caller::new("olga", Role::Operator)
}

fn discard(staged: StagedId) -> Request {
    Request::Discard { staged, caller: operator() }
}

fn cancel(job: u64) -> Request {
    Request::Cancel { job, caller: operator() }
}

fn forget(jobs: &[u64], lowest: u64) -> Request {
    Request::Forget { jobs: jobs.to_vec(), lowest, caller: operator() }
}

fn connect(worker_dir: &Path) -> (UnixStream, Lines<UnixStream>) {
    let stream = UnixStream::connect(socket_path(worker_dir)).unwrap();
    let mut lines = Lines::new(stream.try_clone().unwrap());
    assert!(matches!(lines.read().unwrap(), Some(Reply::Hello(hello)) if hello.protocol == protocol::VERSION));
    (stream, lines)
}

fn call(worker_dir: &Path, request: &Request) -> Reply {
    let (stream, mut lines) = connect(worker_dir);
    write_line(&mut &stream, request).unwrap();
    lines.read().unwrap().unwrap()
}

#[test]
fn a_package_is_copied_and_told() {
    let worker = Fixture::new(|_, _| {});
    let file = package(worker.files.path(), "hello");
    let Reply::Staged(staged) = worker.stage(&file) else { panic!() };
    assert_eq!((staged.file_name.as_str(), &*staged.nevra.name, staged.size), ("hello.deb", "hello", 13));
    assert_eq!(staged.sha256, sha256_of(&file));
    fs::write(&file, "package other").unwrap();
    let copy = worker.state.path().join("spool").join(format!("{}.deb", staged.id));
    assert_eq!(fs::read_to_string(copy).unwrap(), "package hello");
    assert_eq!(worker.call(&discard(staged.id)), Reply::Discarded);
    assert_eq!(worker.spooled(), 0);
}

fn sha256_of(file: &Path) -> String {
    let output = Command::new("sha256sum").arg("--").arg(file).output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

#[test]
fn what_is_no_readable_package_is_refused_and_leaves_nothing() {
    let worker = Fixture::new(|settings, _| settings.max_package_octets = 100);
    let at = |name: &str| worker.files.path().join(name);
    let good = package(worker.files.path(), "good");
    symlink(&good, at("link.deb")).unwrap();
    fs::write(at("rubbish.deb"), "rubbish").unwrap();
    fs::write(at("large.deb"), "x".repeat(101)).unwrap();
    assert!(Command::new("mkfifo").arg(at("pipe.deb")).status().unwrap().success());
    let is_unreadable = |name: &str| matches!(worker.stage(&at(name)), Reply::Refused(Refusal::NotReadable { .. }));
    for name in ["missing.deb", "link.deb", "pipe.deb", ".", "good.deb/"] {
        assert!(is_unreadable(name), "{name}");
    }
    assert!(matches!(worker.stage(&at("rubbish.deb")), Reply::Refused(Refusal::NotAPackage { .. })));
    assert_eq!(worker.stage(&at("large.deb")), Reply::Refused(Refusal::TooLarge { limit: 100 }));
    assert_eq!(worker.spooled(), 0);
    assert!(matches!(worker.stage(&good), Reply::Staged(_)));
}

#[test]
fn only_allowed_folders_are_read_whatever_leads_there() {
    let worker = Fixture::new(|settings, files| {
        fs::create_dir(files.join("allowed")).unwrap();
        fs::create_dir(files.join("allowed-not")).unwrap();
        settings.readable_folders = Some(vec![files.join("allowed")]);
    });
    let files = worker.files.path();
    let inside = package(&files.join("allowed"), "inside");
    let outside = package(&files.join("allowed-not"), "outside");
    symlink(files.join("allowed-not"), files.join("allowed/door")).unwrap();
    assert!(matches!(worker.stage(&inside), Reply::Staged(_)));
    for path in [outside, files.join("allowed/../allowed-not/outside.deb"), files.join("allowed/door/outside.deb")] {
        assert_eq!(worker.stage(&path), Reply::Refused(Refusal::NotAllowed), "{path:?}");
    }
}

#[test]
fn what_came_in_a_request_is_staged_from_the_file_that_comes_with_it() {
    let worker = Fixture::new(|settings, _| settings.readable_folders = Some(vec!["/nowhere".into()]));
    let file = package(worker.files.path(), "hello");
    let request = Request::StageUpload { caller: operator() };
    let stage = |file: &File| {
        let (stream, mut lines) = connect(worker.state.path());
        write_line_with_file(&stream, &request, file).unwrap();
        lines.read::<Reply>().unwrap().unwrap()
    };
    let mut open = File::open(&file).unwrap();
    open.seek(SeekFrom::End(0)).unwrap();
    let Reply::Staged(staged) = stage(&open) else { panic!() };
    assert_eq!(staged.sha256, sha256_of(&file), "from its beginning");
    assert_eq!(worker.call(&request), Reply::Refused(Refusal::Malformed), "without a file");
    for no_file in [File::open("/dev/null").unwrap(), File::open(worker.files.path()).unwrap()] {
        assert!(matches!(stage(&no_file), Reply::Refused(Refusal::NotReadable { .. })));
    }
    let write_only = OpenOptions::new().append(true).open(&file).unwrap();
    assert!(matches!(stage(&write_only), Reply::Refused(Refusal::NotReadable { .. })));
    assert_eq!(worker.spooled(), 1);
}

/// Whether the worker is done with the job.
fn has_ended(worker: &Fixture, job: u64) -> bool {
    let path = journal::path(worker.state.path(), job);
    journal::read(&path, 0).unwrap().has_end() && !journal::is_held(&path).unwrap()
}

/// Runs a job as soon as the worker is free, and waits for its end.
fn run_to_its_end(worker: &Fixture, job: u64) {
    let staged = worker.staged("hello");
    while worker.run(job, &staged) != Reply::Accepted {}
    worker.teller.step.send(Step::Finish).unwrap();
    while !has_ended(worker, job) {
        std::thread::yield_now();
    }
}

#[test]
fn journals_of_jobs_that_were_removed_are_forgotten_but_never_one_at_work() {
    let worker = Fixture::new(|_, _| {});
    run_to_its_end(&worker, 1);
    let two = worker.staged("two");
    while worker.run(2, &two) != Reply::Accepted {}
    assert_eq!(worker.call(&forget(&[1, 2, 3], 4)), Reply::Forgotten);
    assert_eq!(journal::all(worker.state.path()).unwrap(), [2]);
    worker.teller.step.send(Step::Finish).unwrap();
    while !has_ended(&worker, 2) {
        std::thread::yield_now();
    }
}

#[test]
fn a_job_is_journalled_from_acceptance_to_end() {
    let worker = Fixture::new(|_, _| {});
    let staged = worker.staged("hello");
    assert_eq!(worker.run(4, &staged), Reply::Accepted);
    assert_eq!(worker.teller.begun.recv().unwrap(), "hello");
    worker.teller.step.send(Step::Phase(Phase::Unpacking, 30)).unwrap();
    worker.teller.step.send(Step::Note("kept /etc/hello")).unwrap();
    worker.teller.step.send(Step::Finish).unwrap();
    let expected = [
        Entry::Accepted,
        Entry::Phase { phase: Phase::Unpacking, percent: 30 },
        Entry::Note { text: "kept /etc/hello".to_owned() },
        Entry::Finished { outcome: testing::installed(&staged.nevra) },
    ];
    assert_eq!(worker.entries_of_ended(4), expected);
}

fn remote(worker: &Fixture, job: u64, url: &str) -> Reply {
    let operation = Work::InstallRemote { url: url.to_owned(), force: false };
    worker.call(&Request::Run { job, operation, caller: Caller::new("olga", Role::Operator) })
}

#[test]
fn a_package_is_fetched_installed_and_deleted() {
    let worker = Fixture::new(|settings, _| settings.downloads.rules = AddressRules::new(true));
    let sink = Sink::http(|_| Answer::Answer(200, "package hello".to_owned()));
    assert_eq!(remote(&worker, 1, &sink.url()), Reply::Accepted);
    assert_eq!(worker.teller.begun.recv().unwrap(), "hello");
    assert_eq!(worker.spooled(), 1);
    worker.teller.step.send(Step::Phase(Phase::Unpacking, 50)).unwrap();
    worker.teller.step.send(Step::Finish).unwrap();
    let entries = worker.entries_of_ended(1);
    let phases: Vec<(&Phase, u8)> = entries
        .iter()
        .filter_map(|entry| if let Entry::Phase { phase, percent } = entry { Some((phase, *percent)) } else { None })
        .collect();
    assert!(phases.contains(&(&Phase::Downloading, 30)) && phases.contains(&(&Phase::Checking, 30)), "{phases:?}");
    assert_eq!(phases.last(), Some(&(&Phase::Unpacking, 65)));
    assert!(matches!(entries.last(), Some(Entry::Finished { .. })));
}

#[test]
fn what_cannot_be_fetched_or_is_no_package_fails_its_job() {
    let worker = Fixture::new(|settings, _| settings.downloads.rules = AddressRules::new(true));
    let sink = Sink::http(|asked| match asked.path.as_str() {
        "/sink" => Answer::Answer(200, "rubbish".to_owned()),
        _ => Answer::Answer(404, String::new()),
    });
    let fails = |job, url: &str| {
        while remote(&worker, job, url) == Reply::Refused(Refusal::Busy) {}
        match worker.entries_of_ended(job).pop() {
            Some(Entry::Failed { error }) => error,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(fails(1, &sink.url()), ApplyError::NotAPackage(_)));
    assert!(matches!(fails(2, &sink.url().replace("/sink", "/other")), ApplyError::Unreachable(_)));
    assert!(worker.teller.begun.try_recv().is_err(), "the engine was not asked");
    for malformed in ["", "file:///etc/passwd", "http://a:b@host/"] {
        let refused =
            std::iter::repeat_with(|| remote(&worker, 3, malformed)).find(|r| *r != Reply::Refused(Refusal::Busy));
        assert_eq!(refused, Some(Reply::Refused(Refusal::Malformed)), "{malformed:?}");
    }
}

#[test]
fn no_job_is_run_twice_and_two_never_at_once() {
    let worker = Fixture::new(|_, _| {});
    let (first, second) = (worker.staged("first"), worker.staged("second"));
    assert_eq!(worker.run(1, &first), Reply::Accepted);
    assert_eq!(worker.run(1, &first), Reply::Refused(Refusal::AlreadyAccepted));
    assert_eq!(worker.run(2, &second), Reply::Refused(Refusal::Busy));
    assert_eq!(worker.call(&discard(second.id)), Reply::Discarded);
    worker.teller.step.send(Step::Finish).unwrap();
    worker.entries_of_ended(1);
    // Its staged file is gone by now; that it was run is what counts.
    let again = loop {
        match worker.run(1, &first) {
            Reply::Refused(Refusal::Busy) => {}
            other => break other,
        }
    };
    assert_eq!(again, Reply::Refused(Refusal::AlreadyAccepted));
    assert_eq!(worker.teller.begun.try_iter().collect::<Vec<_>>(), ["first"]);
}

#[test]
fn a_job_that_was_not_run_can_be_cancelled_for_ever() {
    let worker = Fixture::new(|_, _| {});
    let staged = worker.staged("hello");
    assert_eq!(worker.call(&cancel(9)), Reply::Cancelling);
    assert_eq!(worker.run(9, &staged), Reply::Refused(Refusal::AlreadyAccepted));
    assert_eq!(worker.call(&cancel(9)), Reply::Ended);
    let records = journal::read(&journal::path(worker.state.path(), 9), 0).unwrap().records;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].entry, Entry::Failed { error: ApplyError::Cancelled });
}

#[test]
fn a_running_job_hears_that_it_is_cancelled() {
    let worker = Fixture::new(|_, _| {});
    let staged = worker.staged("hello");
    assert_eq!(worker.run(1, &staged), Reply::Accepted);
    worker.teller.begun.recv().unwrap();
    assert_eq!(worker.call(&cancel(1)), Reply::Cancelling);
    worker.teller.step.send(Step::Finish).unwrap();
    assert_eq!(worker.entries_of_ended(1).last(), Some(&Entry::Failed { error: ApplyError::Cancelled }));
}

#[test]
fn an_engine_that_panics_fails_its_job_and_no_other() {
    let worker = Fixture::new(|_, _| {});
    assert_eq!(worker.run(1, &worker.staged("first")), Reply::Accepted);
    worker.teller.step.send(Step::Panic).unwrap();
    let entries = worker.entries_of_ended(1);
    assert!(matches!(entries.last(), Some(Entry::Failed { error: ApplyError::Failed(_) })));
    let second = worker.staged("second");
    while worker.run(2, &second) == Reply::Refused(Refusal::Busy) {}
    worker.teller.step.send(Step::Finish).unwrap();
    assert!(matches!(worker.entries_of_ended(2).last(), Some(Entry::Finished { .. })));
}

#[test]
fn one_worker_serves_a_state_folder_and_nobody_else_reaches_it() {
    let worker = Fixture::new(|_, _| {});
    let socket = socket_path(worker.state.path());
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let (manager, _teller) = ToldManager::new();
    let second = run(manager, Settings::new(worker.state.path().to_owned()), Arc::new(SystemClock));
    assert!(matches!(second, Err(WorkerError::AlreadyRunning)));
    connect(worker.state.path());
}

#[test]
fn a_socket_that_a_killed_worker_left_is_replaced() {
    let state = tempfile::tempdir().unwrap();
    drop(std::os::unix::net::UnixListener::bind(socket_path(state.path())).unwrap());
    fs::create_dir(state.path().join("new")).unwrap();
    fs::write(state.path().join("new/sock"), "left").unwrap();
    worker_thread(Settings::new(state.path().to_owned()), Arc::new(SystemClock));
    connect(state.path());
}

#[test]
fn a_worker_that_is_to_retire_takes_no_further_job_and_ends_after_the_one_at_work() {
    let worker = Fixture::new(|_, _| {});
    let (first, second) = (worker.staged("first"), worker.staged("second"));
    assert_eq!(worker.run(1, &first), Reply::Accepted);
    // Nobody is let in after the end.
    let (stream, mut lines) = connect(worker.state.path());
    for _ in 0..2 {
        assert_eq!(worker.call(&Request::Retire), Reply::Retiring { busy: true });
    }
    worker.teller.step.send(Step::Finish).unwrap();
    let operation = Work::InstallStaged { staged: second, force: false };
    let run_second = Request::Run { job: 2, operation, caller: Caller::new("olga", Role::Operator) };
    let refused = loop {
        write_line(&mut &stream, &run_second).unwrap();
        match lines.read().unwrap() {
            Some(Reply::Refused(Refusal::Busy)) => {}
            reply => break reply,
        }
    };
    assert_eq!(refused, Some(Reply::Refused(Refusal::Retiring)));
    let entries = journal::read(&journal::path(worker.state.path(), 1), 0).unwrap().records;
    assert!(matches!(entries.last().unwrap().entry, Entry::Finished { .. }));
    let next = Settings { idle_limit: Duration::from_millis(1), ..Settings::new(worker.state.path().to_owned()) };
    while let Err(error) = run(ToldManager::new().0, next.clone(), Arc::new(SystemClock)) {
        assert!(matches!(error, WorkerError::AlreadyRunning), "{error}");
    }
}

#[test]
fn an_idle_worker_ends_even_where_nobody_could_connect_any_more() {
    let state = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(state.path().to_owned());
    settings.idle_limit = Duration::from_millis(50);
    let (manager, _teller) = ToldManager::new();
    let worker = std::thread::spawn(move || run(manager, settings, Arc::new(SystemClock)));
    while !worker.is_finished() {
        let _ = fs::remove_file(socket_path(state.path()));
        std::thread::yield_now();
    }
    worker.join().unwrap().unwrap();
}

#[test]
fn rubbish_is_answered_and_endless_lines_are_cut_off() {
    use std::io::Write;
    let worker = Fixture::new(|_, _| {});
    let (mut stream, mut lines) = connect(worker.state.path());
    stream.write_all(b"{\"dance\":{}}\n\xff\xfe\n").unwrap();
    assert_eq!(lines.read().unwrap(), Some(Reply::Refused(Refusal::Malformed)));
    assert_eq!(lines.read().unwrap(), Some(Reply::Refused(Refusal::Malformed)));
    let _ = stream.write_all(&vec![b'x'; 2 * protocol::MAX_LINE]);
    assert!(!matches!(lines.read::<Reply>(), Ok(Some(_))));
}

#[test]
fn old_staged_files_are_swept_unless_a_job_needs_them() {
    let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock =
        Arc::new(ManualClock::new(DateTime::<Utc>::from(fs::metadata(files.path()).unwrap().modified().unwrap())));
    worker_thread(Settings::new(state.path().to_owned()), Arc::clone(&clock) as Arc<dyn Clock>);
    let stage =
        |name| match call(state.path(), &Request::Stage { path: package(files.path(), name), caller: operator() }) {
            Reply::Staged(staged) => staged.id,
            other => panic!("{other:?}"),
        };
    let (needed, _unneeded) = (stage("needed"), stage("unneeded"));
    let sweep = Request::Sweep { keep: vec![needed], older_than_seconds: 3600, caller: operator() };
    let count = || fs::read_dir(state.path().join("spool")).unwrap().count();
    assert_eq!(call(state.path(), &sweep), Reply::Discarded);
    assert_eq!(count(), 2, "both are new");
    clock.advance(TimeDelta::hours(2));
    assert_eq!(call(state.path(), &sweep), Reply::Discarded);
    assert_eq!(count(), 1);
    assert!(state.path().join("spool").join(format!("{needed}.deb")).exists());
}

#[test]
fn a_plan_that_nobody_waits_for_is_given_up() {
    let fixture = Fixture::new(|_, _| {});
    let nevra = crate::software::Nevra::from_debian("endless", "1", "all").unwrap();
    let work = Work::Change(Operation::Update { nevra });
    let (stream, lines) = connect(fixture.state.path());
    write_line(&mut &stream, &Request::Plan { work, caller: Caller::new("olga", Role::Operator) }).unwrap();
    assert_eq!(fixture.teller.begun.recv().unwrap(), "a plan");
    drop((stream, lines));
    assert_eq!(fixture.teller.begun.recv().unwrap(), "given up");
}
