//! Planning that is cancelled.

use std::thread;

use super::super::super::samples::{host_with, vib};
use super::super::check::{conflicts, unmet};
use super::super::completion::complete;
use super::super::draft::Draft;
use super::*;

fn cancelled() -> CancelToken {
    let cancel = CancelToken::default();
    cancel.cancel();
    cancel
}

#[test]
fn a_plan_that_is_cancelled_tells_that_and_not_what_speaks_against_it() {
    let snapshot = host_with(vec![vib("a 1-1"), vib("b 1-1").needing("a")]);
    let impossible = [wanted(vec![vib("a 2-1").needing("missing")]), at_hand(vec![vib("c 1-1")])].concat();
    assert!(planned(&snapshot, &impossible).is_err());
    assert_eq!(ImagePlan::install(&snapshot, &impossible, &rules(), &cancelled()).unwrap_err(), Stop::Cancelled);
    let removed = ImagePlan::remove(&snapshot, &["a".to_owned()], &rules(), &cancelled());
    assert_eq!(removed.unwrap_err(), Stop::Cancelled);
}

#[test]
fn every_round_of_completion_looks_whether_it_is_cancelled() {
    let snapshot = host_with(vec![]);
    let (asked, help) = (Arc::new(vib("a 1-1").needing("b")), Arc::new(vib("b 1-1")));
    let mut draft = Draft::new(snapshot.next());
    draft.incoming.insert(&asked.name, &asked);
    assert_eq!(complete(&mut draft, &[&help], &cancelled()), Err(Stop::Cancelled));
    assert!(!draft.incoming.contains_key("b"), "nothing came along");
}

#[test]
fn needs_and_conflicts_are_looked_for_only_as_long_as_they_are_wanted() {
    let snapshot = host_with(vec![]);
    let vib = Arc::new(vib("a 1-1").needing("b").excluding("c"));
    let mut draft = Draft::new(snapshot.next());
    draft.incoming.insert(&vib.name, &vib);
    let drafted = draft.drafted();
    assert_eq!(unmet(&drafted, snapshot.next(), &cancelled()).unwrap_err(), Stop::Cancelled);
    assert_eq!(conflicts(&drafted, &cancelled()).unwrap_err(), Stop::Cancelled);
}

/// A hundred thousand VIBs that all provide what each of them needs in another version take hours to be planned.
#[test]
fn a_plan_that_takes_hours_ends_once_it_is_cancelled() {
    let each = |number: usize| Arc::new(vib(&format!("v{number} 1-1")).providing("api 1").needing("api >= 2"));
    let candidates: Vec<_> = (0..100_000).map(|number| Candidate { descriptor: each(number), wanted: true }).collect();
    let cancel = CancelToken::default();
    let planned = thread::scope(|threads| {
        let planning = threads.spawn(|| ImagePlan::install(&host_with(vec![]), &candidates, &rules(), &cancel));
        cancel.cancel();
        planning.join().unwrap()
    });
    assert_eq!(planned.unwrap_err(), Stop::Cancelled);
}
