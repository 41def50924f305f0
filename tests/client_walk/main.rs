//! The client's commands, run as a person runs them, against real servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a test must fail the test, also outside of the functions marked as tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod changing;
mod console;
mod depending;
mod digest;
mod hearing;
mod help;
mod leaving;
mod many;
mod patching;
mod reading;
mod relay;
mod terminal;
mod trusting;
