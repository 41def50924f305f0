//! Server and worker are killed at random moments while jobs run and sinks come and go; then the sinks' records, the history,
//! dpkg's database and dpkg's log are held against each other.
//!
//! `SOAK_KILLS` is how many kills there are, 25 by default; `SOAK_SEED` repeats a run as far as chance was the test's own:
//! what it kills, what it asks for and how long it waits, but not how fast the host is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what fails in a test must fail the test, also outside of the functions marked as tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod deeds;
mod proof;
mod random;
mod scenario;
mod sinks;
mod tampering;
mod told;

use scenario::Scenario;

#[test]
fn whatever_is_killed_no_job_and_no_event_is_lost() {
    let seed = number("SOAK_SEED").unwrap_or_else(random::seed);
    let kills = number("SOAK_KILLS").unwrap_or(25);
    // Shown when the test fails.
    println!("SOAK_SEED={seed} SOAK_KILLS={kills}");
    let mut scenario = Scenario::new(seed);
    while scenario.kills() < kills {
        scenario.round();
    }
    let evidence = scenario.finish();
    println!("{evidence}");
    proof::check(&evidence);
    tampering::check(&evidence);
}

/// A number that a variable of the environment gives.
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text:?}")))
}
