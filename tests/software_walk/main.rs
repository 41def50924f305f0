//! Everything that OpenLMI's clients do with software, through WS-Management alone, on a Debian and on an RPM host.
//!
//! Each walk is written once. What a change says that it would do is compared with what it then did, and both with what the
//! host's own tools tell.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a test must fail the test, also outside of the functions marked as tests"
)]

#[path = "../support/mod.rs"]
mod support;

/// Makes a test on each family of hosts of every walk.
macro_rules! on_both_families {
    ($($walk:ident),+ $(,)?) => {
        mod debian {
            $(#[test] fn $walk() { super::$walk($crate::host::Family::Deb); })+
        }
        mod rpm {
            $(#[test] fn $walk() { super::$walk($crate::host::Family::Rpm); })+
        }
    };
}

mod changes;
mod history;
mod host;
mod indications;
mod installing;
mod jobs;
mod linking;
mod listing;
mod refusing;
mod removing;
mod repositories;
mod samples;
mod searching;
mod showing;
mod updating;
mod verifying;
mod walk;
