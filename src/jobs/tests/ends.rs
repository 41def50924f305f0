//! What becomes of jobs that ended.

use super::*;

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
    f.jobs.cancel(cancelled, &operator()).unwrap();
    f.jobs.step();
    assert_eq!(count(), 2, "what never began changed nothing");
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
    f.jobs.cancel(id, &operator()).unwrap();
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
fn what_nobody_removed_in_time_is_removed_at_the_next_start() {
    let f = Fixture::new();
    fs::create_dir_all(journal::folder(f.state.path(), 77)).unwrap();
    let f = f.restart();
    f.run_one("next");
    assert!(!journal::folder(f.state.path(), 77).exists());
}

#[test]
fn what_is_kept_of_a_job_stays_while_one_of_a_lower_number_waits() {
    let f = Fixture::new();
    let (first, waiting, urgent) = (f.submit("first"), f.submit("waiting"), f.submit("urgent"));
    f.step_until(first, |job| job.state == JobState::Running);
    let sooner = JobModification { priority: Some(1), ..JobModification::default() };
    f.jobs.modify(urgent, sooner).unwrap();
    for id in [first, urgent] {
        f.tell(Step::Finish);
        f.step_until_final(id);
        f.jobs.remove(id).unwrap();
    }
    f.step_until(waiting, |job| job.state == JobState::Running);
    let kept = || journal::all(f.state.path()).unwrap();
    assert!(kept().contains(&urgent.0) && !kept().contains(&first.0), "{:?}", kept());
    f.tell(Step::Finish);
    assert_eq!(f.step_until_final(waiting).state, JobState::Completed, "its number was not given up");
    f.jobs.remove(waiting).unwrap();
    f.run_one("last");
    assert!(!kept().contains(&urgent.0) && !kept().contains(&waiting.0), "{:?}", kept());
}
