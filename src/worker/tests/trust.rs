//! What a worker does not believe, refuses, and writes down.

use super::*;
use crate::software::Nevra;

#[test]
fn a_number_is_used_once_also_after_its_job_was_forgotten() {
    let worker = Fixture::new(|_, _| {});
    run_to_its_end(&worker, 7);
    run_to_its_end(&worker, 9);
    assert_eq!(worker.call(&forget(&[7, 9], 8)), Reply::Forgotten);
    assert_eq!(journal::all(worker.state.path()).unwrap(), [9], "what is not below the lowest stays");
    let again = worker.staged("again");
    for job in [7, 3] {
        assert_eq!(worker.call(&cancel(job)), Reply::Ended);
        let refused = std::iter::repeat_with(|| worker.run(job, &again)).find(|r| *r != Reply::Refused(Refusal::Busy));
        assert_eq!(refused, Some(Reply::Refused(Refusal::NumberIsOver)), "{job}");
    }
    assert_eq!(worker.call(&forget(&[7, 9], 0)), Reply::Forgotten, "what is over stays over");
    assert_eq!(worker.run(7, &again), Reply::Refused(Refusal::NumberIsOver));
    assert_eq!(worker.run(9, &again), Reply::Refused(Refusal::AlreadyAccepted));
    assert_eq!(worker.call(&forget(&[], u64::MAX)), Reply::Refused(Refusal::Malformed));
    assert_eq!(worker.call(&cancel(u64::MAX)), Reply::Refused(Refusal::Malformed));
    run_to_its_end(&worker, 8);
}

#[test]
fn no_number_far_above_all_others_is_used_or_given_up() {
    let worker = Fixture::new(|_, _| {});
    run_to_its_end(&worker, 7);
    let (staged, furthest) = (worker.staged("far"), 8 + numbers::MOST_AHEAD);
    for far in [furthest + 1, numbers::HIGHEST] {
        assert_eq!(worker.call(&forget(&[7], far)), Reply::Refused(Refusal::NumberTooHigh), "{far}");
        assert_eq!(worker.call(&cancel(far)), Reply::Refused(Refusal::NumberTooHigh), "{far}");
        let refused = std::iter::repeat_with(|| worker.run(far, &staged)).find(|r| *r != Reply::Refused(Refusal::Busy));
        assert_eq!(refused, Some(Reply::Refused(Refusal::NumberTooHigh)), "{far}");
    }
    assert_eq!(journal::all(worker.state.path()).unwrap(), [7], "nothing was begun and nothing deleted");
    assert_eq!(numbers::next(worker.state.path()).unwrap(), 8, "and no number is used up");
    assert_eq!(worker.call(&forget(&[7], furthest)), Reply::Forgotten);
    assert_eq!(numbers::next(worker.state.path()).unwrap(), furthest);
    run_to_its_end(&worker, furthest);
}

#[test]
fn what_a_dead_workers_tool_still_does_is_not_forgotten() {
    let worker = Fixture::new(|_, _| {});
    let own = fs::read_to_string("/proc/self/stat").unwrap();
    let start_ticks = own.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned();
    let folder = journal::folder(worker.state.path(), 5);
    fs::create_dir_all(&folder).unwrap();
    let pid = std::process::id();
    let entry = format!(r#"{{"tool_started":{{"pid":{pid},"start_ticks":{start_ticks}}}}}"#);
    let line = format!("{{\"at\":\"2026-01-01T00:00:00Z\",\"entry\":{entry}}}\n");
    fs::write(folder.join("journal"), &line).unwrap();
    assert_eq!(worker.call(&forget(&[5], 6)), Reply::Forgotten);
    assert_eq!(journal::all(worker.state.path()).unwrap(), [5]);
    fs::write(folder.join("journal"), line.replace(&format!("\"pid\":{pid}"), "\"pid\":1")).unwrap();
    assert_eq!(worker.call(&forget(&[5], 6)), Reply::Forgotten);
    assert!(journal::all(worker.state.path()).unwrap().is_empty());
}

#[test]
fn the_record_tells_who_asked_for_what_and_what_came_of_it() {
    let worker = Fixture::new(|_, _| {});
    run_to_its_end(&worker, 4);
    let (staged, vera) = (worker.staged("more"), Caller::new("vera", Role::Viewer));
    let refused = std::iter::repeat_with(|| worker.run_as(5, &staged, Role::Viewer));
    refused.take_while(|reply| *reply == Reply::Refused(Refusal::Busy)).for_each(drop);
    worker.call(&Request::Cancel { job: 6, caller: vera });
    worker.call(&cancel(6));
    worker.call(&forget(&[4], 7));
    worker.call(&forget(&[], numbers::HIGHEST));
    let file = worker.state.path().join("jobs/record.jsonl");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let mut told = Vec::new();
    // Refusals and results are written soon, not at once.
    while told.len() < 10 {
        told.clear();
        crate::audit::show(&file, |shown| {
            let user = shown.entry.user.clone().unwrap_or_default();
            told.push(format!("{user} {:?} {}", shown.entry.job, shown.entry));
            true
        })
        .unwrap();
    }
    let sha256 = sha256_of(&package(worker.files.path(), "hello"));
    assert_eq!(told[0], format!("olga Some(4) asked: InstallStaged of hello-0:1.0.all (hello.deb, SHA-256 {sha256})"));
    assert_eq!(told[1], "olga Some(4) ended: InstallStaged of hello-0:1.0.all: completed");
    assert!(told[2].starts_with("olga None refused: InstallStaged of more-0:1.0.all"), "{told:?}");
    let needs_operator = Refusal::NotPermitted;
    assert_eq!(told[3], format!("vera None refused: Cancel of job 6: {needs_operator}"));
    assert_eq!(told[4..6], ["olga None asked: Cancel of job 6", "olga None done: Cancel of job 6"]);
    assert_eq!(told[6], "olga None asked: Forget of jobs below 7 (1 to delete)");
    assert_eq!(told[7], "olga None done: Forget of jobs below 7");
    let (all, too_high) = (numbers::HIGHEST, Refusal::NumberTooHigh);
    assert_eq!(told[8], format!("olga None asked: Forget of jobs below {all} (0 to delete)"));
    assert_eq!(told[9], format!("olga None refused: Forget of jobs below {all}: {too_high}"));
}

#[test]
fn another_users_job_is_stopped_by_administrators_alone() {
    let worker = Fixture::new(|_, _| {});
    assert_eq!(worker.run(1, &worker.staged("hello")), Reply::Accepted);
    let by = |name, role| Request::Cancel { job: 1, caller: Caller::new(name, role) };
    assert_eq!(worker.call(&by("otto", Role::Operator)), Reply::Refused(Refusal::NotOwner));
    assert_eq!(worker.call(&by("ada", Role::Admin)), Reply::Cancelling);
    worker.teller.step.send(Step::Finish).unwrap();
    assert_eq!(worker.entries_of_ended(1).last(), Some(&Entry::Failed { error: ApplyError::Cancelled }));
}

#[test]
fn what_a_copy_holds_is_read_from_it_and_not_believed() {
    let worker = Fixture::new(|_, _| {});
    let staged = worker.staged("hello");
    let named = |name: &str| {
        let nevra = Nevra { name: name.into(), ..staged.nevra.clone() };
        Staged { nevra, ..staged.clone() }
    };
    for lie in [named("other"), named("--root=/tmp\n2026 INFO forged")] {
        assert_eq!(worker.run(1, &lie), Reply::Refused(Refusal::StagedChanged));
        let work = Work::InstallStaged { staged: lie, force: true };
        let plan = Request::Plan { work, caller: operator() };
        assert_eq!(worker.call(&plan), Reply::Refused(Refusal::StagedChanged));
    }
    let odd = package(worker.files.path(), "--root=x");
    assert!(matches!(worker.stage(&odd), Reply::Refused(Refusal::NotAPackage { .. })));
    assert_eq!(worker.run(1, &staged), Reply::Accepted);
    worker.teller.step.send(Step::Finish).unwrap();
}

#[test]
fn a_viewer_has_nothing_staged_or_looked_at() {
    let worker = Fixture::new(|_, _| {});
    let (path, caller) = (package(worker.files.path(), "hello"), Caller::new("vera", Role::Viewer));
    let nevra = Nevra::from_debian("hello", "1", "all").unwrap();
    let operation = Work::Change(Operation::Verify { nevra });
    for request in [
        Request::Stage { path, caller: caller.clone() },
        Request::StageUpload { caller: caller.clone() },
        Request::Plan { work: operation.clone(), caller: caller.clone() },
        Request::SetRepository { id: "main".to_owned(), enabled: false, caller: caller.clone() },
        Request::Cancel { job: 1, caller: caller.clone() },
        Request::Forget { jobs: vec![1], lowest: 2, caller: caller.clone() },
        Request::Sweep { keep: Vec::new(), older_than_seconds: 0, caller: caller.clone() },
        Request::Discard { staged: StagedId::new(), caller: caller.clone() },
        Request::Run { job: 1, operation, caller },
    ] {
        assert_eq!(worker.call(&request), Reply::Refused(Refusal::NotPermitted), "{request:?}");
    }
    assert!(journal::all(worker.state.path()).unwrap().is_empty(), "and nothing is kept of it");
}

#[test]
fn work_is_checked_anew() {
    let worker = Fixture::new(|_, _| {});
    let staged = worker.staged("hello");
    assert_eq!(worker.run_as(1, &staged, Role::Viewer), Reply::Refused(Refusal::NotPermitted));
    let copy = worker.state.path().join("spool").join(format!("{}.deb", staged.id));
    fs::write(&copy, "package evil!").unwrap();
    assert_eq!(worker.run(2, &staged), Reply::Refused(Refusal::StagedChanged));
    fs::remove_file(&copy).unwrap();
    assert_eq!(worker.run(3, &staged), Reply::Refused(Refusal::StagedChanged));
    let good = worker.staged("good");
    assert_eq!(worker.run(3, &good), Reply::Accepted, "what was refused was not accepted");
    worker.teller.step.send(Step::Finish).unwrap();
}
