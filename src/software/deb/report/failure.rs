//! Why a run of apt-get or dpkg failed, for the person who asked.

use super::dependencies::{dependencies, listed_under};
use super::fetching::{self, unfetched};
use crate::software::ApplyError;
use crate::software::drive::Said;

/// What failed.
#[derive(Clone, Copy, Debug)]
pub(in crate::software::deb) struct Failing<'a> {
    /// The package that the operation is about.
    pub name: &'a str,
    /// The beginning of the answer: `alpha was not installed`.
    pub not_done: &'a str,
}

/// Why a run failed. `errors` are those of the status lines: what they tell of is dpkg's work, and apt-get's own reasons
/// lie before it.
pub(in crate::software::deb) fn failure(of: Failing<'_>, said: &Said, errors: &[(String, String)]) -> ApplyError {
    let Failing { name, not_done } = of;
    if has(said, "No space left on device") || has(said, "enough free space") {
        return ApplyError::NoSpace(format!("{not_done}: there is not enough room on the disk"));
    }
    if let Some((item, why)) = errors.first() {
        return ApplyError::Failed(script_failure(name, item, why, said));
    }
    refusal(of, said).or_else(|| before_any_change(not_done, said)).unwrap_or_else(|| {
        let unfetched = unfetched(said);
        if unfetched.is_empty() {
            ApplyError::Failed(format!("{not_done}: {}", complaints(said)))
        } else {
            fetching::failure(not_done, &unfetched)
        }
    })
}

/// apt-get found that it cannot or must not be done.
fn refusal(of: Failing<'_>, said: &Said) -> Option<ApplyError> {
    let Failing { name, not_done } = of;
    if has(said, "E: Essential packages were removed") {
        return Some(ApplyError::Dependencies(essential(name, not_done, said)));
    }
    if has(said, "E: Held packages were changed") {
        let held = listed_under(said, "held packages will be changed").join(", ");
        return Some(ApplyError::Dependencies(format!(
            "{not_done}: on this host {held} is on hold, so that nobody changes it; release it first (apt-mark unhold)"
        )));
    }
    if has(said, "E: Packages were downgraded") {
        let others = listed_under(said, "will be DOWNGRADED").join(", ");
        return Some(ApplyError::Dependencies(format!("{not_done}: {others} would go back to an older version")));
    }
    if has(said, "unmet dependencies") || has(said, "remove is disabled") {
        return Some(ApplyError::Dependencies(dependencies(name, not_done, said)));
    }
    if has(said, "E: There were unauthenticated packages") {
        let names = listed_under(said, "cannot be authenticated").join(", ");
        return Some(ApplyError::Untrusted(format!(
            "{not_done}: the repository that has {names} is not signed, or not by a key that this host trusts"
        )));
    }
    let is_unknown = |line: &str| {
        line.starts_with("E: ")
            && ["Unable to locate package", "was not found", "has no installation candidate"]
                .iter()
                .any(|words| line.contains(words))
    };
    said.lines().any(is_unknown).then(|| ApplyError::NotFound(format!("{not_done}: {}", complaints(said))))
}

/// The tools could not begin.
fn before_any_change(not_done: &str, said: &Said) -> Option<ApplyError> {
    let of_ours = |line: &&str| line.starts_with("E: ") || line.starts_with("dpkg: error");
    if said.lines().filter(of_ours).any(|line| line.contains("are you root?") || line.contains("Permission denied")) {
        return Some(ApplyError::Failed(format!(
            "{not_done}: the service may not change this host's packages; let it run as root"
        )));
    }
    if has(said, "E: Could not get lock")
        || has(said, "lock was locked by another process")
        || has(said, "E: Unable to acquire the dpkg")
    {
        return Some(ApplyError::Busy(format!("{not_done}: another package tool is at work on this host")));
    }
    has(said, "dpkg was interrupted").then(|| {
        ApplyError::Failed(format!(
            "{not_done}: an earlier change of this host's packages was interrupted; repair a package, or run \
             dpkg --configure -a on the host, and try again"
        ))
    })
}

fn has(said: &Said, text: &str) -> bool {
    said.lines().any(|line| line.contains(text))
}

/// The complaints of apt-get and dpkg themselves, the first few.
fn complaints(said: &Said) -> String {
    let lines: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("E: ").or_else(|| line.strip_prefix("dpkg: error: ")))
        .filter(|line| !line.starts_with("Sub-process"))
        .take(3)
        .collect();
    if lines.is_empty() { "apt-get gave no reason".to_owned() } else { lines.join("; ") }
}

/// A package that the system does not work without would go.
fn essential(name: &str, not_done: &str, said: &Said) -> String {
    // Each may be followed by whom it would go with: `apt (due to dpkg)`.
    let lines = said.lines().skip_while(|l| !l.contains("essential packages will be removed")).skip(2);
    let names: Vec<&str> =
        lines.take_while(|l| l.starts_with(' ')).flat_map(|l| l.split(" (due to ").next()).map(str::trim).collect();
    if names.iter().any(|n| n.split_whitespace().any(|n| n == name)) {
        format!("{not_done}: it is essential, the system does not work without it")
    } else {
        format!("{not_done}: {} would go too, and the system does not work without it", names.join(", "))
    }
}

/// dpkg failed on one package: the reason, and what its script said before.
fn script_failure(name: &str, item: &str, why: &str, said: &Said) -> String {
    let item = item.rsplit('/').next().unwrap_or(item);
    let lines: Vec<&str> = said.lines().collect();
    let end = lines.iter().position(|l| l.starts_with("dpkg: error")).unwrap_or(lines.len());
    let before = lines.get(..end).unwrap_or_default();
    let begin = before.iter().rposition(|l| is_dpkg_step(l)).map_or(end, |at| at + 1);
    let script: Vec<&str> = before.get(begin..).unwrap_or_default().iter().rev().take(5).rev().copied().collect();
    // A package file may have any name; the reason has the package's.
    let is_it = item == name || item.starts_with(&format!("{name}_")) || why.contains(&format!(" {name} package "));
    let what = if is_it { name.to_owned() } else { format!("{name}: {item}") };
    let mut text = format!("{what} failed: {}", why.trim());
    let unmet = unmet_for_dpkg(before);
    if !unmet.is_empty() {
        text.push_str(&format!(" ({})", unmet.join("; ")));
    } else if !script.is_empty() {
        text.push_str(&format!("; its script said: {}", script.join(" / ")));
    }
    text
}

/// What dpkg says of dependencies that keep a package from being configured.
fn unmet_for_dpkg<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let unmet = lines.iter().skip_while(|l| !l.starts_with("dpkg: dependency problems prevent")).skip(1);
    unmet
        .take_while(|l| l.starts_with(' '))
        .map(|l| l.trim().trim_end_matches("; however:").trim_end_matches('.'))
        .collect()
}

fn is_dpkg_step(line: &str) -> bool {
    [
        "Setting up ",
        "Unpacking ",
        "Preparing to unpack ",
        "Processing triggers ",
        "(Reading database",
        "Selecting ",
        "Removing ",
    ]
    .iter()
    .any(|step| line.starts_with(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTALL: Failing<'_> = Failing { name: "a", not_done: "a was not installed" };

    fn judged(lines: &[&'static str]) -> ApplyError {
        failure(INSTALL, &lines.iter().copied().collect(), &[])
    }

    #[test]
    fn a_failing_script_is_quoted() {
        let said: Said = [
            "Setting up alpha (1.0) ...",
            "no licence found",
            "dpkg: error processing package alpha (--configure):",
            " installed alpha package post-installation script subprocess returned error exit status 3",
            "E: Sub-process /usr/bin/dpkg returned an error code (1)",
        ]
        .into_iter()
        .collect();
        let why = "installed alpha package post-installation script subprocess returned error exit status 3";
        let errors = [("alpha".to_owned(), why.to_owned())];
        let of = Failing { name: "alpha", not_done: "alpha was not installed" };
        assert_eq!(
            failure(of, &said, &errors).to_string(),
            "alpha failed: installed alpha package post-installation script subprocess returned error exit status 3; \
             its script said: no licence found"
        );
    }

    #[test]
    fn what_keeps_dpkg_from_configuring_is_told() {
        let said: Said = [
            "dpkg: dependency problems prevent configuration of beta:",
            " beta depends on alpha; however:",
            "  Package alpha is not installed.",
            "",
            "dpkg: error processing package beta (--configure):",
        ]
        .into_iter()
        .collect();
        let errors = [("beta".to_owned(), "dependency problems - leaving unconfigured".to_owned())];
        let of = Failing { name: "beta", not_done: "beta was not repaired" };
        assert_eq!(
            failure(of, &said, &errors).to_string(),
            "beta failed: dependency problems - leaving unconfigured (beta depends on alpha; Package alpha is not installed)"
        );
    }

    #[test]
    fn other_failures() {
        let kind = |line: &'static str| judged(&[line]);
        assert!(matches!(kind("E: Could not get lock /x/lock-frontend. It is held by process 5"), ApplyError::Busy(_)));
        assert!(matches!(kind("failed to write (No space left on device)"), ApplyError::NoSpace(_)));
        assert_eq!(
            kind("E: Unable to acquire the dpkg frontend lock (/x/lock-frontend), are you root?").to_string(),
            "a was not installed: the service may not change this host's packages; let it run as root"
        );
        assert_eq!(kind("E: Odd things").to_string(), "a was not installed: Odd things");
        assert_eq!(kind("silence").to_string(), "a was not installed: apt-get gave no reason");
        assert!(matches!(kind("E: Version '9' for 'a' was not found"), ApplyError::NotFound(_)));
        assert!(matches!(
            judged(&[
                "WARNING: The following packages cannot be authenticated!",
                "  beta",
                "E: There were unauthenticated packages and -y was used without --allow-unauthenticated",
            ]),
            ApplyError::Untrusted(why) if why.contains("has beta")
        ));
    }

    #[test]
    fn held_and_essential_packages_are_named() {
        assert_eq!(
            judged(&[
                "The following held packages will be changed:",
                "  alpha",
                "1 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.",
                "E: Held packages were changed and -y was used without --allow-change-held-packages.",
            ])
            .to_string(),
            "a was not installed: on this host alpha is on hold, so that nobody changes it; release it first \
             (apt-mark unhold)"
        );
        let essential = |names| {
            judged(&[
                "WARNING: The following essential packages will be removed.",
                "This should NOT be done unless you know exactly what you are doing!",
                names,
                "E: Essential packages were removed and -y was used without --allow-remove-essential.",
            ])
            .to_string()
        };
        assert_eq!(essential("  a"), "a was not installed: it is essential, the system does not work without it");
        assert_eq!(
            essential("  apt (due to a)"),
            "a was not installed: apt would go too, and the system does not work without it"
        );
    }
}
