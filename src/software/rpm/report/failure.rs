//! Why a tool did not do what it was asked, for a person.

use super::repositories::{RepositoryFailure, failed_repositories};
use crate::software::ApplyError;
use crate::software::drive::Said;
use crate::software::rpm::request::Request;

/// What rpm and dnf say of room that is missing.
const ROOM: [&str; 3] = ["more space", "No space left on device", "Failed writing received data to disk"];

/// What they say of missing or wrong signatures and checksums.
const TRUST: [&str; 7] = [
    "is not signed",
    "Public key for ",
    "GPG keys listed for ",
    "OpenPGP check",
    "incorrect checksum",
    "checksum doesn't match",
    "does not verify",
];

/// How dnf says that it knows no such package.
const UNKNOWN: [&str; 3] = ["No match for argument", "No packages marked for ", "Unable to find a match"];

/// Why a run failed.
pub(in crate::software::rpm) fn failure(request: &Request<'_>, said: &Said) -> ApplyError {
    let undone = request.undone();
    let has = |text: &str| said.lines().any(|line| line.contains(text));
    if let Some(line) = said.lines().find(|line| ROOM.iter().any(|text| line.contains(text))) {
        return ApplyError::NoSpace(format!("{undone}: there is not enough room on the disk: {}", line.trim()));
    }
    if lacks_right(said) {
        return ApplyError::Failed(format!(
            "{undone}: the service may not change this host's packages; let it run as root"
        ));
    }
    if let Some((_, names)) = said.lines().find_map(|line| line.split_once("following protected packages: ")) {
        return protected(&undone, names.trim());
    }
    let failures = failed_repositories(said);
    if !failures.is_empty() {
        return RepositoryFailure::error(&undone, &failures);
    }
    if let Some(error) = untrusted(&undone, said).or_else(|| not_fetched(&undone, said)) {
        return error;
    }
    if let Some(why) = dependencies(&request.nevra.name, &undone, said) {
        return ApplyError::Dependencies(why);
    }
    if has("no enabled repositories") {
        return ApplyError::NotFound(format!("{undone}: no repository of this host is enabled"));
    }
    if UNKNOWN.iter().any(|text| has(text)) {
        return request.unknown();
    }
    ApplyError::Failed(format!("{undone}: {}", last_words(said)))
}

/// What a protected package is answered with.
pub(in crate::software::rpm) fn protected(undone: &str, names: &str) -> ApplyError {
    ApplyError::Failed(format!(
        "{undone}: this host protects {names} from removal (protected_packages and protected.d in the configuration of \
         dnf)"
    ))
}

/// What a tool said of its failure in its own words.
pub(in crate::software::rpm) fn last_words(said: &Said) -> String {
    // rpm's own complaints tell more than dnf's last word, which comes after them.
    let complaints = |lead: &'static str| {
        let texts = said.lines().filter_map(|l| l.strip_prefix(lead)).map(str::trim);
        let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    };
    let complaint = complaints("error:").or_else(|| complaints("Error:")).or_else(|| complaints("Config error:"));
    complaint.unwrap_or_else(|| "the tool gave no reason".into())
}

fn lacks_right(said: &Said) -> bool {
    let of_ours = |line: &&str| ["error:", "Error:", "Config error:"].iter().any(|lead| line.starts_with(lead));
    said.lines().filter(of_ours).any(|l| l.contains("Permission denied") || l.contains("superuser privileges"))
}

fn untrusted(undone: &str, said: &Said) -> Option<ApplyError> {
    // dnf calls the checksum of a file that is not there wrong.
    let is_missing = said.lines().any(|l| l.starts_with("Error opening ") && l.contains("No such file"));
    let told = |line: &&str| TRUST.iter().any(|text| line.contains(text) && !(is_missing && text.contains("checksum")));
    let mut lines: Vec<&str> = said.lines().filter(told).map(str::trim).collect();
    lines.dedup();
    if said.lines().any(|l| l.starts_with("You have enabled checking of packages via GPG keys")) {
        let of = said.lines().find_map(|l| l.trim().strip_prefix("Problem repository: [")?.strip_suffix(']'));
        return Some(ApplyError::Untrusted(format!(
            "{undone}: signatures are to be checked, and no key is configured for the repository {}: give it a gpgkey",
            of.unwrap_or("that is used")
        )));
    }
    if lines.is_empty() && said.lines().any(|l| l.contains("GPG check FAILED")) {
        lines.push("the check of the signature failed");
    }
    (!lines.is_empty())
        .then(|| ApplyError::Untrusted(format!("{undone}: what was fetched is not trusted: {}", lines.join("; "))))
}

fn not_fetched(undone: &str, said: &Said) -> Option<ApplyError> {
    let told =
        |l: &str| l.strip_prefix("[FAILED] ").or(l.starts_with("Error opening ").then_some(l)).map(str::to_owned);
    let mut lines: Vec<String> = said.lines().filter_map(told).collect();
    if lines.is_empty() && said.lines().any(|l| l.starts_with("Error: Error downloading packages")) {
        let below = said.lines().skip_while(|l| !l.starts_with("Error: Error downloading packages")).skip(1);
        lines.extend(below.take_while(|l| l.starts_with(' ')).map(|l| l.trim().to_owned()));
    }
    lines.dedup();
    (!lines.is_empty())
        .then(|| ApplyError::Unreachable(format!("{undone}: packages cannot be fetched: {}", lines.join("; "))))
}

/// Which packages are missing or in the way; `None` if the failure is another.
fn dependencies(name: &str, undone: &str, said: &Said) -> Option<String> {
    let (mut missing, mut others): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for line in relations(said) {
        let needed = line.split_once("nothing provides ").and_then(|(_, rest)| rest.split_once(" needed by "));
        match needed.or_else(|| line.split_once(" is needed by ")) {
            Some((what, by)) if !by.contains("(installed)") => missing.push(what),
            _ => others.push(line),
        }
    }
    if missing.is_empty() && others.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!(
            "{name} needs what is neither installed nor in a repository of this host: {}. Install it first, or add a \
             repository that has it",
            missing.join("; ")
        ));
    }
    if !others.is_empty() {
        parts.push(format!("{undone}, because it does not go with what is there: {}", others.join("; ")));
    }
    Some(parts.join(". Moreover: "))
}

/// The lines that name relations between packages: rpm's list below `Failed dependencies`, its complaints of files
/// and architectures, dnf's list below `Problem`.
fn relations(said: &Said) -> Vec<&str> {
    let mut found = Vec::new();
    let mut listed = false;
    for line in said.lines().filter(|line| !line.starts_with("D:")) {
        let text = line.trim();
        if text.ends_with("Failed dependencies:") || text.starts_with("Problem") {
            listed = true;
            let first = text.split_once(": ").map(|(_, rest)| rest);
            found.extend(first.filter(|rest| text.starts_with("Problem") && !rest.starts_with("conflicting requests")));
        } else if text.contains(" conflicts between attempted installs")
            || text.contains(" conflicts with file from package ")
            || text.contains("is intended for a different")
        {
            found.push(text);
        } else if listed && line.starts_with(['\t', ' ']) {
            found.push(text.trim_start_matches("- "));
        } else {
            listed = false;
        }
    }
    found.retain(|line| !matches!(*line, "conflicting requests" | "") && !line.starts_with("cannot install the best"));
    found
}

/// The installed packages that rpm says need what is to be removed, as `name-[epoch:]version-release.arch`.
pub(in crate::software::rpm) fn dependents<'l>(lines: impl IntoIterator<Item = &'l str>) -> Vec<&'l str> {
    let of = |line: &'l str| Some(line.split_once(" is needed by (installed) ")?.1.trim());
    let mut found: Vec<&str> = lines.into_iter().filter_map(of).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::software::Nevra;
    use crate::software::rpm::request::{Target, Verb};

    fn reason(verb: Verb, name: &str, said: &Said) -> ApplyError {
        let nevra: Nevra = format!("{name}-0:1-1.noarch").parse().unwrap();
        failure(&Request { verb, target: Target::Build, nevra: &nevra, force: false, along: Vec::new() }, said)
    }

    #[test]
    fn missing_packages_are_named_by_both_tools() {
        let rpm: Said = [
            "error: Failed dependencies:",
            "\talpha > 3 is needed by beta-1-1.noarch",
            "\tnowhere >= 2 is needed by beta-1-1.noarch",
            "\tbeta = 0 is needed by (installed) eps-1-1.noarch",
        ]
        .into_iter()
        .collect();
        assert_eq!(
            reason(Verb::Install, "beta", &rpm).to_string(),
            "beta needs what is neither installed nor in a repository of this host: alpha > 3; nowhere >= 2. Install it \
             first, or add a repository that has it. Moreover: beta was not installed, because it does not go with what \
             is there: beta = 0 is needed by (installed) eps-1-1.noarch"
        );
        assert_eq!(dependents(rpm.lines()), ["eps-1-1.noarch"]);
        let dnf: Said = [
            "Error: ",
            " Problem: conflicting requests",
            "  - nothing provides nowhere >= 2 needed by beta-1-1.noarch",
            "(try to add '--skip-broken' to skip uninstallable packages)",
        ]
        .into_iter()
        .collect();
        assert_eq!(
            reason(Verb::Install, "beta", &dnf),
            ApplyError::Dependencies(
                "beta needs what is neither installed nor in a repository of this host: nowhere >= 2. Install it first, \
                 or add a repository that has it"
                    .to_owned()
            )
        );
    }

    #[test]
    fn every_kind_of_failure_is_told_from_the_others() {
        let kind = |verb, line: &'static str| reason(verb, "a", &[line].into_iter().collect());
        for (verb, line, kind_of) in [
            (Verb::Install, "\tinstalling package a-1-1.noarch needs 5MB more space on the / filesystem", "NoSpace"),
            (Verb::Install, "\tpackage a-1-1.s390x is intended for a different architecture", "Dependencies"),
            (Verb::Install, "Package a-1-1.noarch.rpm is not signed", "Untrusted"),
            (Verb::Install, "Error: GPG check FAILED", "Untrusted"),
            (Verb::Reinstall, "\tpackage a-1-1.noarch does not verify: Payload SHA256 digest: BAD", "Untrusted"),
            (Verb::Install, "[FAILED] a-1-1.noarch.rpm: No more mirrors to try", "Unreachable"),
            (Verb::Install, "Error: Unable to find a match: a-0:1-1.noarch", "NotFound"),
            (Verb::Reinstall, "Error: No packages marked for reinstall.", "NotFound"),
            (Verb::Update, "Error: No packages marked for upgrade.", "NotNewer"),
            (Verb::Remove, "No packages marked for removal.", "NotFound"),
            (Verb::Update, "Error: There are no enabled repositories in \"/etc/yum.repos.d\".", "NotFound"),
            (
                Verb::Remove,
                " Problem: The operation would result in removing the following protected packages: a",
                "Failed",
            ),
        ] {
            let error = kind(verb, line);
            assert!(format!("{error:?}").starts_with(kind_of), "{line}: {error:?}");
        }
        assert_eq!(
            kind(Verb::Remove, "error: can't create transaction lock on /x/.rpm.lock (Permission denied)").to_string(),
            "a was not removed: the service may not change this host's packages; let it run as root"
        );
        assert_eq!(
            kind(Verb::Install, "error: a: install failed").to_string(),
            "a was not installed: a: install failed"
        );
        assert_eq!(
            kind(Verb::Update, "Error: Transaction failed").to_string(),
            "a was not updated: Transaction failed"
        );
        assert_eq!(kind(Verb::Install, "").to_string(), "a was not installed: the tool gave no reason");
    }

    #[test]
    fn a_missing_package_file_is_no_wrong_checksum() {
        let said: Said = [
            "Error opening /repo/a-1-1.noarch.rpm: No such file or directory",
            "Package \"a-1-1.noarch\" from local repository \"test\" has incorrect checksum",
            "Error: Some packages from local repository have incorrect checksum",
        ]
        .into_iter()
        .collect();
        assert!(matches!(reason(Verb::Install, "a", &said), ApplyError::Unreachable(_)));
    }

    #[test]
    fn a_repository_without_key_is_named() {
        let said: Said = [
            "You have enabled checking of packages via GPG keys. This is a good thing.",
            "Problem repository: [test]",
            "bandwidth: 0",
        ]
        .into_iter()
        .collect();
        let ApplyError::Untrusted(why) = reason(Verb::Install, "a", &said) else { panic!() };
        assert!(why.contains("the repository test"), "{why}");
    }

    proptest! {
        #[test]
        fn whatever_a_tool_says_is_a_failure(
            text in "( |\n|error: |Error: | Problem|GPG |is needed by |\\[FAILED\\] |for repo|'|: |[a-z]){0,40}",
        ) {
            let error = reason(Verb::Install, "a", &text.lines().collect());
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
