//! What several integration tests share.

#![allow(dead_code, unreachable_pub, reason = "every test binary uses another part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "what fails in a test must fail the test, also outside of the functions marked as tests"
)]

pub mod certificate;
pub mod chromium;
pub mod dnf;
pub mod file_server;
pub mod files;
pub mod gate;
pub mod image;
pub mod installation;
pub mod operations;
pub mod packages;
pub mod python;
pub mod repositories;
pub mod server;
pub mod sink;
pub mod vib;
pub mod wsman;

use std::time::{Duration, Instant};

/// Asks until `answer` gives a value: what lives in another process can only be asked.
///
/// Panics after `limit` with what was waited for; `limit` guards against hanging and says nothing about speed.
pub fn eventually<T>(what: &str, limit: Duration, mut answer: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = answer() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain for: {what}");
        pause(Duration::from_millis(20));
    }
}

#[expect(clippy::disallowed_methods, reason = "between two questions to another process there is nothing to wait for")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
