mod ends;
mod images;
mod queue;
mod refusals;
mod survival;

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
use crate::software::patch::PatchOperation;
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
    PackageRequest::InstallFromUri { uri, staged: Some(staged), options: InstallOptions::default() }.into()
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

const ACCEPTED: &str = "{\"at\":\"2026-01-01T00:00:00Z\",\"entry\":\"accepted\"}\n";
const UNPACKING: &str =
    "{\"at\":\"2026-01-01T00:00:01Z\",\"entry\":{\"phase\":{\"phase\":\"unpacking\",\"percent\":30}}}\n";
