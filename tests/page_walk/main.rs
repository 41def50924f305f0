//! The page for people, as a browser asks for it: over HTTPS, with a real server and private roots.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a test must fail the test, also outside of the functions marked as tests"
)]

#[allow(dead_code, reason = "each test program uses its part")]
#[path = "../authentication/authority.rs"]
mod authority;
#[path = "../raw_client/mod.rs"]
mod raw_client;
#[path = "../support/mod.rs"]
mod support;

mod browser;
mod certified;
mod changing;
mod entering;
mod gallery;
mod hosts;
mod images;
mod in_chromium;
mod installed;
mod looking;
mod screenshots;
mod sending;
