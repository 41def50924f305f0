//! What real clients send, and what they need back.
//!
//! Every message is written anew in the shape in which its client was seen to send it: the order of the headers, their
//! prefixes and attributes, and whatever is odd about them. What all clients need of a reply is checked with each reply
//! (`peer`); what one of them needs beside is checked in its own file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a test must fail the test, also outside of the functions marked as tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod event_collector;
mod go_wsman;
mod identify;
mod intel_amt;
mod names;
mod omicli;
mod peer;
mod pegasus;
mod powershell;
mod python;
mod ruby;
mod shared_host;
mod txwinrm;
mod winrm;
mod wsmancli;
mod wsmancli_subscriptions;
