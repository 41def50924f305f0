//! DSP0226, rule by rule: one test for each rule that applies, named after it (`addressing::r5_1_2_2_3::…`).
//!
//! By default the suite starts this program on a private root. It can be pointed at another service instead; what only
//! our own can be tried with is left out then:
//!
//! - `CONFORMANCE_URL`: where the service is (`https://host:5986/wsman`); its certificate is not checked.
//! - `CONFORMANCE_USER`, `CONFORMANCE_PASSWORD`: credentials for HTTP Basic authentication.
//! - `CONFORMANCE_CLASS`: the resource URI of a class with at least three instances, without which nothing can be
//!   enumerated page by page; CIM_SoftwareIdentity if it is not given.
//!
//! The tables in `docs/conformance.md` are made from the same data. `UPDATE_DOCS=1` writes them anew.

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

mod actions;
mod addressing;
mod answer;
mod bookmarks;
mod conformance;
mod control;
mod deliveries;
mod delivery;
mod encoding;
mod enumeration;
mod eventing;
mod faults;
mod fragments;
mod headers;
mod identify;
mod ids;
mod lifetime;
mod own;
mod peer;
mod provoked;
mod pull;
mod pulled_events;
mod rule;
mod security;
mod selectors;
mod service;
mod subscription;
mod table;
mod transfer;
mod transport;

use rule::Rule;

/// The rules by clause, in the order of the standard.
fn clauses() -> Vec<(&'static str, Vec<&'static [Rule]>)> {
    vec![
        ("5 Addressing", vec![addressing::RULES, headers::RULES]),
        ("6 Control headers", vec![control::RULES]),
        ("7 Transfer", vec![transfer::RULES, fragments::RULES]),
        ("8 Enumeration", vec![enumeration::RULES, pull::RULES]),
        ("9 Custom actions", vec![actions::RULES]),
        ("10 Eventing", vec![eventing::RULES, delivery::RULES, lifetime::RULES]),
        ("11 Identify", vec![identify::RULES]),
        ("12 Security", vec![security::credentials::RULES]),
        ("13 Messages", vec![encoding::RULES]),
        ("14 Faults", vec![faults::RULES]),
        ("Annex B Conformance", vec![conformance::RULES]),
        ("Annex C.2 HTTP", vec![transport::RULES]),
        ("Annex C.3 Security profiles", vec![security::profiles::RULES]),
        ("Annex E Selector filter", vec![selectors::RULES]),
    ]
}

#[test]
fn every_rule_of_the_standard_is_here_once() {
    let clauses = clauses();
    let found: Vec<String> =
        clauses.iter().flat_map(|(_, files)| files.iter().copied().flatten()).map(Rule::id).collect();
    let known = ids::all();
    let missing: Vec<&String> = known.iter().filter(|id| !found.contains(id)).collect();
    let wrong: Vec<&String> = found.iter().filter(|id| !known.contains(id)).collect();
    assert!(missing.is_empty() && wrong.is_empty(), "missing: {missing:?}; not in the standard: {wrong:?}");
    assert_eq!(found.len(), known.len(), "a rule is here twice");
}
