//! The model: every class, property and method that the service shows, and what is said of each in `docs/model.md`.
//!
//! The classes come from the schema that the program was built with; what is said of them is in the tables here
//! (`inventory`, `update`, …). Nothing of the schema may be missing there, and nothing may be said that is not so: the
//! service runs on a Debian and on an RPM root, and on a host with an image, on which everything happens that its classes tell
//! of ([`deeds`], [`image_deeds`]), and each statement is held against all instances that came of it ([`evidence`]).
//!
//! `UPDATE_DOCS=1 cargo test --test model page` writes the page anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a test must fail the test, also outside of the functions marked as tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod claims;
mod coverage;
mod deeds;
mod evidence;
mod hosts;
mod image_deeds;
mod images;
mod indications;
mod inherited;
mod interop;
mod inventory;
mod jobs;
mod log;
mod openlmi;
mod page;
mod patch_deeds;
mod patches;
mod table;
mod unserved;
mod update;
mod verification;

use table::Entry;

/// The tables by subject, in the order of the page.
fn subjects() -> Vec<(&'static str, &'static [Entry])> {
    vec![
        ("The system and its profiles", interop::CLASSES),
        ("Software Inventory", inventory::CLASSES),
        ("Software Update", update::CLASSES),
        ("Jobs", jobs::CLASSES),
        ("Verification", verification::CLASSES),
        ("History", log::CLASSES),
        ("Indications", indications::CLASSES),
        ("Images of VIBs", images::CLASSES),
        ("Patches", patches::CLASSES),
    ]
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    subjects().into_iter().flat_map(|(_, entries)| entries)
}
