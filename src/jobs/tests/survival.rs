//! Servers that go away, and workers that die.

use super::*;

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
fn a_scan_whose_worker_died_says_that_nothing_was_changed() {
    let f = Fixture::new();
    let scan = JobRequest::Patch(PatchOperation::Scan { metadata: Vec::new() });
    let job = f.jobs.submit(scan, &operator()).unwrap();
    f.jobs.put(&mut f.jobs.lock(), vec![Job::clone(&job)], Trail { dispatched: true, offset: 0 }).unwrap();
    fs::create_dir_all(journal::folder(f.state.path(), job.id.0)).unwrap();
    fs::write(journal::path(f.state.path(), job.id.0), ACCEPTED).unwrap();
    let failed = f.step_until_final(job.id);
    let error = failed.error.as_ref().unwrap();
    assert_eq!(error.cause, JobFailure::WorkerDied);
    assert!(error.message.contains("the software is as it was") && !error.message.contains("image"), "{error:?}");
}

#[test]
fn a_store_that_is_new_gives_no_number_again_of_which_the_worker_knows() {
    let f = Fixture::new();
    let before = [f.run_one("one"), f.run_one("two")];
    let Fixture { state, files, clock, store, jobs, teller } = f;
    drop((jobs, store));
    for file in ["store.db", "store.db-wal", "store.db-shm"] {
        let _ = fs::remove_file(state.path().join(file));
    }
    let (store, jobs) = open(&state, &clock);
    let f = Fixture { state, files, clock, store, jobs, teller };
    let id = f.submit("three");
    assert!(before.iter().all(|known| *known < id), "{id}");
    f.tell(Step::Finish);
    assert_eq!(f.step_until_final(id).state, JobState::Completed);
    assert_eq!(journal::all(f.state.path()).unwrap(), [id.0], "nobody asks for the others any more");
    // Also where the store is one from before, and the worker has forgotten.
    f.store.write(|t| t.execute("UPDATE sqlite_sequence SET seq = 0", []).map_err(StoreError::from)).unwrap();
    let f = f.restart();
    assert!(f.submit("four") > id);
}
