//! The proof must fail where something was lost, done twice or out of order: each of these is what it would look like.

use std::panic::{self, AssertUnwindSafe};

use crate::proof::{self, Evidence};

type Tampering = fn(&mut Evidence);

/// What is changed of evidence that proves everything.
const TAMPERINGS: [(&str, Tampering); 8] = [
    ("an event was lost by one sink", |evidence| {
        // It may have come more than once.
        let lost = evidence.sinks[1][5].message_id.clone();
        evidence.sinks[1].retain(|taken| taken.message_id != lost);
    }),
    ("an event was lost by all sinks", |evidence| {
        // The creation of a job, with all that came again of it.
        let lost = evidence.sinks[0][0].told.clone();
        evidence.sinks.iter_mut().for_each(|taken| taken.retain(|taken| taken.told != lost));
    }),
    ("two events changed places", |evidence| {
        let taken = &mut evidence.sinks[1];
        let at = (0..).find(|&at| taken[at].told != taken[at + 1].told).unwrap();
        taken.swap(at, at + 1);
    }),
    ("an event came again as another message", |evidence| {
        let mut again = evidence.sinks[1][3].clone();
        again.message_id.push('x');
        evidence.sinks[1].insert(4, again);
    }),
    ("an event came again with another bookmark", |evidence| {
        let mut again = evidence.sinks[1][3].clone();
        (again.bookmark, again.server, again.connection) = (again.bookmark + 1, u64::MAX, u64::MAX);
        evidence.sinks[1].insert(4, again);
    }),
    ("a job is not in the history", |evidence| drop(evidence.history.remove(0))),
    ("an installation was done twice", |evidence| {
        let line = evidence.log.lines().find(|line| line.contains(" install ")).unwrap().to_owned();
        let many = evidence.worker_kills + 1;
        (0..many).for_each(|_| evidence.log.push_str(&format!("{line}\n")));
    }),
    ("a job that a client was told of is gone", |evidence| assert!(evidence.told.insert(u64::MAX))),
];

/// Fails if the proof would stand all the same.
pub(crate) fn check(evidence: &Evidence) {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let stands = |tamper: Tampering| {
        let mut evidence = evidence.clone();
        tamper(&mut evidence);
        panic::catch_unwind(AssertUnwindSafe(|| proof::check(&evidence))).is_ok()
    };
    let standing: Vec<&str> =
        TAMPERINGS.into_iter().filter(|&(_, tamper)| stands(tamper)).map(|(what, _)| what).collect();
    panic::set_hook(hook);
    assert!(standing.is_empty(), "nothing is proven: {standing:?}");
}
