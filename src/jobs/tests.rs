mod images;

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tempfile::TempDir;

use super::table::Trail;
use super::*;
use crate::access::{self, Caller, Role};
use crate::clock::{Clock, ManualClock};
use crate::software::{ApplyError, Nevra, Phase};
use crate::store::{Store, changes};
use crate::worker::testing::{Step, Teller, installed, package, worker_thread};
use crate::worker::{Staged, StagedId, journal};

fn operator() -> Caller {
    Caller::new(Arc::from("olga"), Role::Operator)
}

fn staged() -> Staged {
    Staged {
        id: StagedId::try_from("6f8a1d0e-57a5-4f0d-8f3e-000000000001".to_owned()).unwrap(),
        file_name: "hello.deb".to_owned(),
        nevra: Nevra {
            name: "hello".into(),
            epoch: 0,
            version: "1.0".into(),
            release: None,
            architecture: "all".into(),
        },
        size: 5,
        sha256: "00".repeat(32),
    }
}

fn request(staged: Staged) -> JobRequest {
    let uri = format!("file:///{}", staged.file_name);
    JobRequest::InstallFromUri { uri, staged: Some(staged), options: InstallOptions::default() }
}

pub(super) fn queued_job(id: u64) -> Job {
    Job {
        id: JobId(id),
        request: request(staged()),
        owner: operator(),
        state: JobState::Queued,
        phase: None,
        percent: 0,
        notes: Vec::new(),
        error: None,
        outcome: None,
        submitted_at: DateTime::UNIX_EPOCH,
        started_at: None,
        ended_at: None,
        changed_at: DateTime::UNIX_EPOCH,
        name: format!("job {id}"),
        priority: 10,
        delete_on_completion: true,
        time_before_removal_seconds: 300,
        removal_at: None,
    }
}

/// Jobs over a store in a file, and a worker on threads of this process that does what the test tells.
struct Fixture {
    state: TempDir,
    files: TempDir,
    clock: Arc<ManualClock>,
    store: Arc<Store>,
    jobs: Jobs,
    teller: Teller,
}

impl Fixture {
    fn new() -> Self {
        let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap()));
        let settings = crate::worker::Settings::new(state.path().to_owned());
        let teller = worker_thread(settings, Arc::clone(&clock) as Arc<dyn Clock>);
        let (store, jobs) = open(&state, &clock);
        Self { state, files, clock, store, jobs, teller }
    }

    /// As if the server had been killed and started again.
    fn restart(self) -> Self {
        let Self { state, files, clock, store, jobs, teller } = self;
        drop((jobs, store));
        let (store, jobs) = open(&state, &clock);
        Self { state, files, clock, store, jobs, teller }
    }

    fn submit(&self, name: &str) -> JobId {
        self.submit_as(name, &operator())
    }

    fn submit_as(&self, name: &str, owner: &Caller) -> JobId {
        let staged = self.jobs.stage(&package(self.files.path(), name), &operator()).unwrap();
        self.jobs.submit(request(staged), owner).unwrap().id
    }

    /// A job of which the worker has this journal, and no worker holds it.
    fn submit_with_journal(&self, lines: &str) -> JobId {
        let job = self.jobs.submit(request(staged()), &operator()).unwrap();
        let trail = Trail { dispatched: true, offset: 0 };
        self.jobs.put(&mut self.jobs.lock(), vec![Job::clone(&job)], trail).unwrap();
        fs::create_dir_all(journal::folder(self.state.path(), job.id.0)).unwrap();
        fs::write(journal::path(self.state.path(), job.id.0), lines).unwrap();
        job.id
    }

    /// Runs a job to its end.
    fn run_one(&self, name: &str) -> JobId {
        let id = self.submit(name);
        self.tell(Step::Finish);
        self.step_until_final(id);
        self.jobs.step();
        id
    }

    fn get(&self, id: JobId) -> Arc<Job> {
        self.jobs.job(id).unwrap()
    }

    /// Steps, and between two steps waits for the worker, until the job is as told.
    fn step_until(&self, id: JobId, is_so: impl Fn(&Job) -> bool) -> Arc<Job> {
        for _ in 0..200 {
            let pause = self.jobs.step();
            let job = self.get(id);
            if is_so(&job) {
                return job;
            }
            self.jobs.wake.wait(pause.min(Duration::from_millis(500)));
        }
        panic!("it never was: {:?}", self.get(id));
    }

    fn step_until_final(&self, id: JobId) -> Arc<Job> {
        self.step_until(id, |job| job.state.is_final())
    }

    fn tell(&self, step: Step) {
        self.teller.step.send(step).unwrap();
    }

    fn begun(&self) -> String {
        self.teller.begun.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    /// All change records, each checked: what it was before is what the record before it left.
    fn changes(&self) -> Vec<(Option<Job>, Option<Job>)> {
        let mut known: BTreeMap<JobId, Job> = BTreeMap::new();
        let read = |text: &Option<String>| text.as_ref().map(|text| serde_json::from_str::<Job>(text).unwrap());
        let records = self.store.read(|c| changes::after(c, 0, 10_000)).unwrap();
        let mut changes = Vec::new();
        for record in records {
            assert_eq!(record.subject, System::Host.subject());
            let (before, after) = (read(&record.before), read(&record.after));
            let id = before.as_ref().or(after.as_ref()).unwrap().id;
            assert_eq!(known.get(&id), before.as_ref());
            assert_ne!(before, after);
            match &after {
                Some(job) => known.insert(id, job.clone()),
                None => known.remove(&id),
            };
            changes.push((before, after));
        }
        let in_memory: Vec<Job> = self.jobs.jobs().iter().map(|job| Job::clone(job)).collect();
        assert_eq!(known.into_values().collect::<Vec<_>>(), in_memory);
        changes
    }
}

fn open(state: &TempDir, clock: &Arc<ManualClock>) -> (Arc<Store>, Jobs) {
    let store = Arc::new(Store::open(&state.path().join("store.db")).unwrap());
    let program = WorkerProgram { program: state.path().join("no such program"), ..WorkerProgram::default() };
    let settings = Settings::new(state.path().to_owned(), program);
    let jobs = Jobs::open(Arc::clone(&store), Arc::clone(clock) as Arc<dyn Clock>, settings).unwrap();
    (store, jobs)
}

#[test]
fn a_job_goes_from_queued_to_completed_with_a_record_for_every_change() {
    let f = Fixture::new();
    let id = f.submit("hello");
    assert_eq!(f.get(id).state, JobState::Queued);
    assert_eq!(f.get(id).name, format!("InstallPackageFromURI-{id}"));
    f.step_until(id, |job| job.state == JobState::Running);
    f.clock.advance(TimeDelta::seconds(5));
    f.tell(Step::Phase(Phase::Unpacking, 40));
    let job = f.step_until(id, |job| job.percent == 40);
    assert_eq!(job.status(), "Running: unpacking files");
    f.tell(Step::Note("kept /etc/hello.conf"));
    f.tell(Step::Finish);
    let job = f.step_until_final(id);
    assert_eq!((job.state, job.percent, &job.error), (JobState::Completed, 100, &None));
    assert_eq!(job.notes, ["kept /etc/hello.conf"]);
    assert_eq!(job.outcome, Some(installed(job.request.nevra().unwrap())));
    assert_eq!(job.ended_at.unwrap() - job.started_at.unwrap(), TimeDelta::seconds(5));
    let states: Vec<_> = f.changes().into_iter().map(|(_, after)| after.map(|job| (job.state, job.percent))).collect();
    let running = |percent| Some((JobState::Running, percent));
    let expected =
        [Some((JobState::Queued, 0)), running(0), running(40), running(40), Some((JobState::Completed, 100))];
    assert_eq!(states, expected);
}

#[test]
fn a_failure_says_why_and_the_next_job_runs() {
    let f = Fixture::new();
    let (bad, good) = (f.submit("bad"), f.submit("good"));
    f.tell(Step::Fail(ApplyError::Dependencies("libfoo is missing: install it first".to_owned())));
    let job = f.step_until_final(bad);
    assert_eq!((job.state, job.percent), (JobState::Failed, 100));
    let error = job.error.clone().unwrap();
    assert_eq!((error.cause, &*error.message), (JobFailure::Dependencies, "libfoo is missing: install it first"));
    f.tell(Step::Finish);
    assert_eq!(f.step_until_final(good).state, JobState::Completed);
    f.changes();
}

#[test]
fn jobs_run_one_at_a_time_by_priority_and_number() {
    let f = Fixture::new();
    let ids = ["first", "second", "third", "urgent"].map(|name| f.submit(name));
    f.step_until(ids[0], |job| job.state == JobState::Running);
    let urgent = JobModification { priority: Some(1), ..JobModification::default() };
    assert_eq!(f.jobs.modify(ids[3], urgent).unwrap().priority, 1);
    for id in [ids[0], ids[3], ids[1], ids[2]] {
        f.step_until(id, |job| job.state == JobState::Running);
        let running = f.jobs.jobs().iter().filter(|job| job.state == JobState::Running).count();
        assert_eq!(running, 1);
        f.tell(Step::Finish);
        f.step_until_final(id);
    }
    assert_eq!(f.teller.begun.try_iter().collect::<Vec<_>>(), ["first", "urgent", "second", "third"]);
    f.changes();
}

#[test]
fn a_queued_job_is_cancelled_at_once_and_its_file_given_up() {
    let f = Fixture::new();
    let id = f.submit("hello");
    f.jobs.cancel(id).unwrap();
    let job = f.get(id);
    assert_eq!((job.state, job.percent, job.status().as_str()), (JobState::Cancelled, 100, "Terminated"));
    assert!(matches!(f.jobs.cancel(id), Err(CancelError::AlreadyEnded)));
    assert!(matches!(f.jobs.cancel(JobId(99)), Err(CancelError::NotFound)));
    f.jobs.step();
    assert_eq!(fs::read_dir(f.state.path().join("spool")).unwrap().count(), 0);
    assert!(f.teller.begun.try_recv().is_err());
    f.changes();
}

#[test]
fn a_running_job_is_cancelled_by_the_worker() {
    let f = Fixture::new();
    let id = f.submit("hello");
    f.step_until(id, |job| job.state == JobState::Running);
    f.begun();
    f.jobs.cancel(id).unwrap();
    assert_eq!(f.get(id).state, JobState::Running, "until the worker says that nothing was changed");
    f.tell(Step::Finish);
    assert_eq!(f.step_until_final(id).state, JobState::Cancelled);
    f.changes();
}

#[test]
fn a_job_that_the_worker_may_have_is_cancelled_by_the_worker_alone() {
    let f = Fixture::new();
    let id = f.submit("hello");
    // As if the server had been killed just before it asked the worker to run the job.
    let job = f.get(id);
    f.jobs.put(&mut f.jobs.lock(), vec![Job::clone(&job)], Trail { dispatched: true, offset: 0 }).unwrap();
    let f = f.restart();
    f.jobs.cancel(id).unwrap();
    assert_eq!(f.step_until_final(id).state, JobState::Cancelled);
    assert!(f.teller.begun.try_recv().is_err(), "it was never run");
    f.changes();
}

#[test]
fn a_job_goes_on_while_the_server_is_away_and_nothing_is_taken_over_twice() {
    let f = Fixture::new();
    let id = f.submit("hello");
    let waiting = f.submit("waiting");
    f.step_until(id, |job| job.state == JobState::Running);
    f.tell(Step::Note("before"));
    f.step_until(id, |job| job.notes.len() == 1);
    let f = f.restart();
    assert_eq!(f.get(id).notes, ["before"]);
    f.tell(Step::Note("meanwhile"));
    f.tell(Step::Phase(Phase::Configuring, 80));
    f.tell(Step::Finish);
    let job = f.step_until_final(id);
    assert_eq!((job.state, &job.notes), (JobState::Completed, &vec!["before".to_owned(), "meanwhile".to_owned()]));
    let f = f.restart();
    assert_eq!(f.get(id), job);
    f.tell(Step::Finish);
    assert_eq!(f.step_until_final(waiting).state, JobState::Completed);
    assert_eq!(f.teller.begun.try_iter().collect::<Vec<_>>(), ["hello", "waiting"], "each was run once");
    f.changes();
}

#[test]
fn what_the_worker_refuses_fails_truthfully() {
    let f = Fixture::new();
    let viewer = Caller::new("vera", Role::Viewer);
    let refused = f.submit_as("hello", &viewer);
    // What the worker may have been asked to do before is for the worker to tell.
    let trail = Trail { dispatched: true, offset: 0 };
    f.jobs.put(&mut f.jobs.lock(), vec![Job::clone(&f.get(refused))], trail).unwrap();
    let error = f.step_until_final(refused).error.clone().unwrap();
    assert_eq!(error.cause, JobFailure::NotAllowed);
    assert!(error.message.contains("operator"), "{}", error.message);
    let gone = f.submit("gone");
    f.jobs.discard(&f.get(gone).request);
    // Tidying comes last in a step, so the file is taken away by hand.
    for entry in fs::read_dir(f.state.path().join("spool")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let error = f.step_until_final(gone).error.clone().unwrap();
    assert_eq!(error.cause, JobFailure::Refused);
    assert!(error.message.contains("submit the installation again"), "{}", error.message);
    f.changes();
}

#[test]
fn a_waiting_job_of_an_owner_who_may_no_longer_change_software_is_not_begun() {
    let mut f = Fixture::new();
    let settings = access::Settings { cache: Duration::ZERO, bcrypt_cost: 4 };
    let users = Arc::new(Users::new(f.store.clone(), f.clock.clone(), settings).unwrap());
    f.jobs.settings.users = Some(users.clone());
    let submit = |name: &str| {
        users.add(name, Role::Operator, b"word").unwrap();
        let address = Some(Ipv4Addr::LOCALHOST.into());
        f.submit_as(name, &Caller { address, ..Caller::new(name, Role::Operator) })
    };
    let [running, gone, lowered, still] = ["running", "gone", "lowered", "still"].map(submit);
    let local = f.submit_as("local", &Caller::new("nobody", Role::Operator));
    f.step_until(running, |job| job.state == JobState::Running);
    for name in ["running", "gone", "lowered"] {
        users.remove(name).unwrap();
    }
    users.add("lowered", Role::Viewer, b"word").unwrap();
    f.tell(Step::Finish);
    assert_eq!(f.step_until_final(running).state, JobState::Completed, "what has begun goes on");
    for (id, words) in [(gone, "was removed"), (lowered, "has the role viewer by now")] {
        let job = f.step_until_final(id);
        let error = job.error.clone().unwrap();
        assert_eq!((job.state, job.started_at, error.cause), (JobState::Failed, None, JobFailure::NotAllowed));
        assert!(error.message.contains(words) && error.message.ends_with("Nothing was changed."), "{}", error.message);
    }
    for id in [still, local] {
        f.tell(Step::Finish);
        assert_eq!(f.step_until_final(id).state, JobState::Completed);
    }
    assert_eq!(f.teller.begun.try_iter().collect::<Vec<_>>(), ["running", "still", "local"]);
    f.jobs.step();
    assert_eq!(fs::read_dir(f.state.path().join("spool")).unwrap().count(), 0);
    f.changes();
}

/// Counts how often an end was about to be told.
#[derive(Debug, Default)]
struct Told(AtomicUsize);

impl BeforeEnd for Told {
    fn about_to_end(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn what_came_of_a_job_is_looked_at_before_its_end_is_told_and_at_no_other_time() {
    let mut f = Fixture::new();
    let told = Arc::new(Told::default());
    f.jobs.settings.before_end = Some(told.clone());
    let count = || told.0.load(Ordering::Relaxed);
    let id = f.submit("hello");
    f.step_until(id, |job| job.state == JobState::Running);
    f.tell(Step::Phase(Phase::Unpacking, 40));
    f.step_until(id, |job| job.percent == 40);
    assert_eq!(count(), 0, "it goes on");
    f.tell(Step::Finish);
    f.step_until_final(id);
    assert_eq!(count(), 1);
    f.jobs.step();
    assert_eq!(count(), 1, "it is told once");
    let dead = f.submit_with_journal(&format!("{ACCEPTED}{UNPACKING}"));
    f.step_until_final(dead);
    assert_eq!(count(), 2, "a dead worker may have changed something");
    let cancelled = f.submit("cancelled");
    f.jobs.cancel(cancelled).unwrap();
    f.jobs.step();
    assert_eq!(count(), 2, "what never began changed nothing");
}

#[test]
fn a_copy_that_cannot_be_read_again_fails_its_job_and_holds_up_no_other() {
    let f = Fixture::new();
    let damaged = f.submit("damaged");
    let copy = f.state.path().join(format!("spool/{}.deb", f.get(damaged).request.staged().unwrap().id));
    fs::remove_file(&copy).unwrap();
    // It can be opened, but reading it is an error.
    fs::create_dir(&copy).unwrap();
    let error = f.step_until_final(damaged).error.clone().unwrap();
    assert_eq!(error.cause, JobFailure::Refused);
    fs::remove_dir(&copy).unwrap();
    let next = f.submit("next");
    f.tell(Step::Finish);
    assert_eq!(f.step_until_final(next).state, JobState::Completed);
}

#[test]
fn what_was_staged_for_nobody_is_deleted_even_if_it_was_young_at_the_start() {
    let f = Fixture::new();
    let lost = f.jobs.stage(&package(f.files.path(), "lost"), &operator()).unwrap();
    let copy = f.state.path().join(format!("spool/{}.deb", lost.id));
    fs::File::options().append(true).open(&copy).unwrap().set_modified(f.clock.now().into()).unwrap();
    let f = f.restart();
    f.jobs.step();
    assert!(copy.exists(), "it is young");
    f.clock.advance(TimeDelta::hours(2));
    f.jobs.step();
    assert!(!copy.exists());
}

const ACCEPTED: &str = "{\"at\":\"2026-01-01T00:00:00Z\",\"entry\":\"accepted\"}\n";
const UNPACKING: &str =
    "{\"at\":\"2026-01-01T00:00:01Z\",\"entry\":{\"phase\":{\"phase\":\"unpacking\",\"percent\":30}}}\n";

#[test]
fn a_dead_worker_is_noticed_and_what_is_known_is_told() {
    let f = Fixture::new();
    let id = f.submit_with_journal(&format!("{ACCEPTED}{UNPACKING}{{\"at\":\"torn"));
    let job = f.step_until_final(id);
    assert_eq!((job.state, job.percent), (JobState::Failed, 100));
    let error = job.error.clone().unwrap();
    assert_eq!(error.cause, JobFailure::WorkerDied);
    for words in ["worker process ended", "unpacking files", "No package tool had been started", "dpkg --audit"] {
        assert!(error.message.contains(words), "{words}: {}", error.message);
    }
    let states: Vec<_> = f.changes().into_iter().map(|(_, after)| after.unwrap().state).collect();
    assert_eq!(states, [JobState::Queued, JobState::Running, JobState::Running, JobState::Failed]);
}

#[test]
fn a_tool_that_outlives_its_worker_is_waited_for() {
    let f = Fixture::new();
    let mut tool = tool();
    let stat = fs::read_to_string(format!("/proc/{}/stat", tool.id())).unwrap();
    let start = stat.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap();
    let started = format!(
        "{{\"at\":\"2026-01-01T00:00:01Z\",\"entry\":{{\"tool_started\":{{\"pid\":{},\"start_ticks\":{start}}}}}}}\n",
        tool.id()
    );
    let id = f.submit_with_journal(&format!("{ACCEPTED}{started}"));
    let next = f.submit("next");
    for _ in 0..5 {
        f.jobs.step();
    }
    assert_eq!(f.get(id).state, JobState::Running);
    assert_eq!(f.get(next).state, JobState::Queued, "the package database is not free");
    tool.kill().unwrap();
    tool.wait().unwrap();
    let job = f.step_until_final(id);
    assert!(job.error.as_ref().unwrap().message.contains("may be unfinished"));
    f.tell(Step::Finish);
    assert_eq!(f.step_until_final(next).state, JobState::Completed);
}

/// A process that does nothing until its input ends.
fn tool() -> Child {
    Command::new("cat").stdin(Stdio::piped()).spawn().unwrap()
}

#[test]
fn an_end_that_was_written_before_the_worker_died_counts() {
    let f = Fixture::new();
    let finished = "{\"at\":\"2026-01-01T00:00:09Z\",\"entry\":{\"finished\":{\"outcome\":{\"changes\":[]}}}}\n";
    let id = f.submit_with_journal(&format!("{ACCEPTED}{finished}"));
    assert_eq!(f.step_until_final(id).state, JobState::Completed);
}

#[test]
fn a_job_is_removed_when_its_time_has_come() {
    let f = Fixture::new();
    let (id, kept) = (f.submit("hello"), f.submit("kept"));
    for id in [id, kept] {
        f.tell(Step::Finish);
        f.step_until_final(id);
    }
    let keep = JobModification { delete_on_completion: Some(false), ..JobModification::default() };
    assert_eq!(f.jobs.modify(kept, keep).unwrap().removal_at, None);
    assert!(journal::path(f.state.path(), id.0).exists());
    f.clock.advance(TimeDelta::seconds(299));
    assert_eq!(f.jobs.remove_expired(f.clock.now()).unwrap(), 0);
    f.clock.advance(TimeDelta::seconds(1));
    assert_eq!(f.jobs.remove_expired(f.clock.now()).unwrap(), 1);
    assert!(f.jobs.job(id).is_none());
    assert!(matches!(f.changes().last(), Some((Some(before), None)) if before.id == id));
    assert!(journal::folder(f.state.path(), id.0).exists(), "no worker is started for it alone");
    let next = f.run_one("next");
    assert!(!journal::folder(f.state.path(), id.0).exists());
    let f = f.restart();
    assert_eq!(f.jobs.jobs().iter().map(|job| job.id).collect::<Vec<_>>(), [kept, next]);
    assert!(f.submit("another") > kept, "numbers are never given twice");
}

#[test]
fn a_change_of_the_time_before_removal_starts_it_anew() {
    let f = Fixture::new();
    let id = f.submit("hello");
    assert!(matches!(f.jobs.remove(id), Err(JobsError::NotFinal)));
    f.jobs.cancel(id).unwrap();
    f.clock.advance(TimeDelta::seconds(200));
    let soon = JobModification { time_before_removal_seconds: Some(1), ..JobModification::default() };
    let job = f.jobs.modify(id, soon).unwrap();
    assert_eq!(job.time_before_removal_seconds, MIN_TIME_BEFORE_REMOVAL_SECONDS);
    assert_eq!(job.removal_at, Some(f.clock.now() + TimeDelta::seconds(10)));
    f.jobs.remove(id).unwrap();
    assert!(matches!(f.jobs.remove(id), Err(JobsError::NotFound)));
    assert!(matches!(f.jobs.modify(id, JobModification::default()), Err(JobsError::NotFound)));
    f.changes();
}

#[test]
fn the_queue_is_bounded() {
    let mut f = Fixture::new();
    f.jobs.settings.max_unfinished = 1;
    f.submit("hello");
    let second = f.jobs.submit(request(staged()), &operator());
    assert!(matches!(second, Err(JobsError::QueueFull)));
    f.changes();
}

#[test]
fn what_nobody_removed_in_time_is_removed_at_the_next_start() {
    let f = Fixture::new();
    fs::create_dir_all(journal::folder(f.state.path(), 77)).unwrap();
    let f = f.restart();
    f.run_one("next");
    assert!(!journal::folder(f.state.path(), 77).exists());
}

#[test]
fn without_a_worker_jobs_wait() {
    let state = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
    let (_store, jobs) = open(&state, &clock);
    let error = jobs.stage(&package(state.path(), "hello"), &operator()).unwrap_err();
    assert!(matches!(error, StageError::WorkerUnavailable(_)), "{error:?}");
    let id = jobs.submit(request(staged()), &operator()).unwrap().id;
    jobs.step();
    assert_eq!(jobs.job(id).unwrap().state, JobState::Queued);
}
