//! Kerberos: a realm of the tests' own (MIT's KDC), a real server, and real clients: curl, pypsrp, and one that sends any token.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure ends the test"
)]

#[path = "../support/mod.rs"]
mod support;

mod client;
#[path = "../authentication/curl.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod curl;
#[path = "../end_to_end/marked.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod marked;
mod parted;
mod realm;
mod settings;
mod single_sign_on;
mod tokens;
mod walk;
