//! The real binary, real TLS, real package databases and tools: what a client and an operator see.

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

mod access;
mod audit;
mod classes;
mod command_line;
mod compromised;
mod guides;
mod hostile;
mod images;
mod marked;
mod overload;
mod protocol;
mod protocol_page;
mod python_clients;
mod readme;
mod relations;
mod reload;
mod remote;
mod schema;
mod separation;
mod sinks;
mod survival;
mod units;
mod upgrade;
mod uploads;
mod walk;
mod wsl;
