//! The walk of the seeds' clients through a hypervisor host, through WS-Management alone: from root/interop to the installation
//! service, the update with all that is told of it, and the boot that makes it effective.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a test must fail the test, also outside of the functions marked as tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod client;
mod damaged;
mod failures;
mod linked;
mod subscriptions;
mod walk;
