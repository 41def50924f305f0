//! Jobs that wait, run one after the other, and are cancelled.

use super::*;

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
    f.jobs.cancel(id, &operator()).unwrap();
    let job = f.get(id);
    assert_eq!((job.state, job.percent, job.status().as_str()), (JobState::Cancelled, 100, "Terminated"));
    assert!(matches!(f.jobs.cancel(id, &operator()), Err(CancelError::AlreadyEnded)));
    assert!(matches!(f.jobs.cancel(JobId(99), &operator()), Err(CancelError::NotFound)));
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
    f.jobs.cancel(id, &operator()).unwrap();
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
    f.jobs.cancel(id, &operator()).unwrap();
    assert_eq!(f.step_until_final(id).state, JobState::Cancelled);
    assert!(f.teller.begun.try_recv().is_err(), "it was never run");
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
