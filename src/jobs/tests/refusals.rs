//! Jobs that are not begun, and files that no job needs.

use super::*;

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
    let settings = access::Settings { cache: Duration::ZERO, hash_mebibytes: 1 };
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
