//! `lmi software search`: FindIdentity by each of its parameters.

use crate::host::Family;
use crate::walk::{Walk, identity_reference, reference};

on_both_families!(by_every_parameter, in_repositories);

/// Arguments, and the builds that they find, in order.
type Search<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)]);

const OLD: (&str, &str) = ("alpha", "1.0-1");
const MIDDLE: (&str, &str) = ("alpha", "2.0-1");
const NEW: (&str, &str) = ("alpha", "3.0-1");
const BETA: (&str, &str) = ("beta", "1.0-1");
const BROKEN: (&str, &str) = ("broken", "1.0-1");
const DELTA: (&str, &str) = ("delta", "1:1.0-2");
const GAMMA: (&str, &str) = ("gamma", "1.0-1");

fn check(walk: &mut Walk, searches: &[Search<'_>]) {
    for (arguments, builds) in searches {
        let expected: Vec<String> = builds.iter().map(|(name, version)| walk.nevra(name, version)).collect();
        assert_eq!(walk.found(arguments), expected, "{arguments:?}");
    }
}

fn by_every_parameter(family: Family) {
    let mut walk = Walk::new(family, &[OLD, DELTA]);
    let architecture = family.architecture();
    let everything = [OLD, NEW, BETA, BROKEN, DELTA, GAMMA];
    check(
        &mut walk,
        &[
            (&[], &everything),
            (&[("Name", "lph")], &[OLD, NEW]),
            (&[("Name", "package alph")], &[OLD, NEW]),
            (&[("Name", "test package")], &everything),
            (&[("Name", "alpha"), ("ExactMatch", "true")], &[OLD, NEW]),
            (&[("Name", "alph"), ("ExactMatch", "true")], &[]),
            (&[("Name", "test package alpha"), ("ExactMatch", "true")], &[]),
            (&[("Name", "ALPHA")], &[]),
            // Nothing stands for anything else.
            (&[("Name", "al*")], &[]),
            (&[("Name", "al.ha")], &[]),
            (&[("Name", "al?ha"), ("ExactMatch", "true")], &[]),
            (&[("Name", "%")], &[]),
            (&[("Epoch", "1")], &[DELTA]),
            (&[("Epoch", "0"), ("Name", "delta")], &[]),
            (&[("Version", "2.0")], &[MIDDLE]),
            (&[("Version", "2")], &[]),
            (&[("Version", "1.0"), ("Name", "alpha")], &[OLD]),
            (&[("Release", "2")], &[DELTA]),
            (&[("Release", "1"), ("Name", "alpha")], &[OLD, NEW]),
            (&[("Architecture", architecture), ("Name", "lta")], &[DELTA]),
            (&[("Architecture", "mips")], &[]),
            (&[("AllowDuplicates", "true"), ("Name", "alpha")], &[OLD, MIDDLE, NEW]),
            (&[("AllowDuplicates", "false"), ("Name", "alpha")], &[OLD, NEW]),
            (&[("Installed", "true")], &[OLD, DELTA]),
            (&[("Installed", "false")], &[NEW, BETA, BROKEN, GAMMA]),
            (&[("Installed", "true"), ("Name", "gamma")], &[]),
            (&[("Installed", "false"), ("AllowDuplicates", "true"), ("Name", "alpha")], &[MIDDLE, NEW]),
        ],
    );
}

fn in_repositories(family: Family) {
    let mut walk = Walk::new(family, &[OLD, ("extra", "1.0-1")]);
    let (standard, extras) = (walk.repository_reference("standard"), walk.repository_reference("extras"));
    let standard = ("Repository", standard.as_str());
    check(
        &mut walk,
        &[
            (&[standard], &[OLD, NEW, BETA, BROKEN, DELTA, GAMMA]),
            (&[standard, ("Installed", "true")], &[OLD]),
            (&[standard, ("Installed", "false"), ("Name", "alpha")], &[NEW]),
            (&[standard, ("Name", "extra")], &[]),
            (&[standard, ("AllowDuplicates", "true"), ("Name", "alpha")], &[OLD, MIDDLE, NEW]),
        ],
    );
    let unknown = extras.replace("extras", "elsewhere");
    let identity = identity_reference(&walk.nevra("alpha", "1.0-1"));
    for (repository, fault, words) in [
        (extras, "DestinationUnreachable", "is disabled"),
        (unknown, "DestinationUnreachable", "elsewhere"),
        (identity, "InvalidParameter", "Repository"),
        (reference("LMI_SoftwareIdentityResource", &[]), "InvalidParameter", "Repository"),
    ] {
        let message = walk.message("FindIdentity", &[("Repository", repository.as_str())]);
        let (kind, reason) = walk.client.post(&message.envelope()).fault();
        assert_eq!(kind, fault, "{repository}: {reason}");
        assert!(reason.contains(words), "{reason}");
    }
}
