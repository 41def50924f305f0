//! How callers prove who they are, on a real server with real clients: curl, OpenSSL, pypsrp.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure ends the test"
)]

#[path = "../support/mod.rs"]
mod support;

mod authority;
mod certificates;
mod curl;
mod digest;
mod pypsrp;
mod reloading;
