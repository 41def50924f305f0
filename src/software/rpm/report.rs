//! Understands what rpm and dnf say, in `C.UTF-8` words.

use crate::software::ApplyError;
use crate::software::change::no_right;
use crate::software::drive::{Ended, Said};

/// dnf's exit status for a lock that another process holds (`exit_on_lock`).
const DNF_LOCKED: i32 = 200;

/// How far a tool is, by one of its lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Files are being put in place; percent of the change.
    Files(f32),
    /// A package's own script is running; percent of the change.
    Script(f32),
}

impl Step {
    /// Reads rpm's `--percent` lines, and dnf's steps `  Installing : alpha-1-1.noarch  1/2`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        if let Some(percent) = line.strip_prefix("%%") {
            let percent: f32 = percent.trim().parse().ok()?;
            return percent.is_finite().then(|| Self::Files(percent.clamp(0.0, 100.0)));
        }
        let (verb, rest) = line.strip_prefix("  ")?.split_once(':')?;
        let (number, count) = rest.trim_end().rsplit_once(' ')?.1.split_once('/')?;
        let (number, count): (u16, u16) = (number.parse().ok()?, count.parse().ok()?);
        let percent = (100.0 * f32::from(number.saturating_sub(1)) / f32::from(count.max(1))).min(100.0);
        match verb.trim() {
            "Running scriptlet" => Some(Self::Script(percent)),
            "Installing" | "Upgrading" | "Reinstalling" | "Downgrading" | "Cleanup" | "Obsoleting" | "Erasing" => {
                Some(Self::Files(percent))
            }
            _ => None,
        }
    }
}

/// What the operator should know: a script that failed although the installation did not, a configuration file that
/// stays as it is.
pub(super) fn note(line: &str) -> Option<String> {
    let line = line.trim();
    let script = line.contains("scriptlet failed")
        || line.starts_with("error: lua script failed")
        || (line.starts_with("Error in ") && line.contains(" scriptlet "));
    if script {
        return Some(format!("a script of a package failed: {line}"));
    }
    let (kept, new) = line.strip_prefix("warning: ")?.split_once(" created as ")?;
    Some(format!("{kept} was changed on this host and is kept; the package's own is {new}"))
}

/// Whether another process holds the database, or dnf's own lock.
pub(super) fn is_busy(ended: &Ended) -> bool {
    let held = |l: &str| l.contains("can't create transaction lock") && !l.contains("Permission denied");
    ended.status.code() == Some(DNF_LOCKED) || ended.said.lines().any(held)
}

/// Why a run failed, for the person who asked for `name`.
pub(super) fn failure(name: &str, ended: &Ended) -> ApplyError {
    if is_busy(ended) {
        return ApplyError::Busy(format!(
            "{name} was not installed: another package tool is at work on this host; try again when it has finished"
        ));
    }
    reason(name, &ended.said)
}

fn reason(name: &str, said: &Said) -> ApplyError {
    let has = |text: &str| said.lines().any(|line| line.contains(text));
    if has("more space") || has("No space left on device") {
        return ApplyError::NoSpace(format!("{name} was not installed: there is not enough room on the disk"));
    }
    let of_ours = |line: &&str| line.starts_with("error:") || line.starts_with("Error:");
    if said.lines().filter(of_ours).any(|l| l.contains("Permission denied") || l.contains("superuser privileges")) {
        return ApplyError::Failed(no_right(name));
    }
    if let Some(why) = dependencies(name, said) {
        return ApplyError::Dependencies(why);
    }
    // rpm's own complaints tell more than dnf's last word, which comes after them.
    let complaints = |lead: &'static str| {
        let lines: Vec<&str> = said.lines().filter_map(|l| l.strip_prefix(lead)).map(str::trim).collect();
        (!lines.is_empty()).then(|| lines.join("; "))
    };
    let why = complaints("error:").or_else(|| complaints("Error:")).unwrap_or_else(|| "the tool gave no reason".into());
    ApplyError::Failed(format!("{name} was not installed: {why}"))
}

/// Which packages are missing or in the way; `None` if the failure is another.
fn dependencies(name: &str, said: &Said) -> Option<String> {
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
        parts.push(format!("{name} cannot be installed beside what is there: {}", others.join("; ")));
    }
    Some(parts.join(". Moreover: "))
}

/// The lines that name relations between packages: rpm's list below `Failed dependencies`, its complaints of files
/// and architectures, dnf's list below `Problem`.
fn relations(said: &Said) -> Vec<&str> {
    let mut found = Vec::new();
    let mut listed = false;
    for line in said.lines() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps() {
        assert_eq!(Step::parse("%% 51.538460"), Some(Step::Files(51.53846)));
        assert_eq!(Step::parse("  Installing       : alpha-1-1.noarch           1/2 "), Some(Step::Files(0.0)));
        assert_eq!(Step::parse("  Running scriptlet: gamma-1:1-1.noarch         2/2 "), Some(Step::Script(50.0)));
        for other in ["", "%% nan", "  Verifying        : alpha-1-1.noarch 1/2", "Installing: 1/2", "  Installing : a"]
        {
            assert_eq!(Step::parse(other), None, "{other}");
        }
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
            reason("beta", &rpm).to_string(),
            "beta needs what is neither installed nor in a repository of this host: alpha > 3; nowhere >= 2. Install it \
             first, or add a repository that has it. Moreover: beta cannot be installed beside what is there: beta = 0 \
             is needed by (installed) eps-1-1.noarch"
        );
        let dnf: Said = [
            "Error: ",
            " Problem: conflicting requests",
            "  - nothing provides nowhere >= 2 needed by beta-1-1.noarch",
            "(try to add '--skip-broken' to skip uninstallable packages)",
        ]
        .into_iter()
        .collect();
        assert_eq!(
            reason("beta", &dnf),
            ApplyError::Dependencies(
                "beta needs what is neither installed nor in a repository of this host: nowhere >= 2. Install it first, \
                 or add a repository that has it"
                    .to_owned()
            )
        );
    }

    #[test]
    fn other_failures() {
        let kind = |line: &'static str| reason("a", &[line].into_iter().collect());
        assert!(matches!(
            kind("\tinstalling package a-1-1.noarch needs 5MB more space on the / filesystem"),
            ApplyError::NoSpace(_)
        ));
        assert!(matches!(
            kind("\tpackage a-1-1.s390x is intended for a different architecture"),
            ApplyError::Dependencies(_)
        ));
        assert_eq!(
            kind("error: can't create transaction lock on /x/.rpm.lock (Permission denied)").to_string(),
            "a was not installed: the service may not change this host's packages; let it run as root"
        );
        assert_eq!(kind("error: a: install failed").to_string(), "a was not installed: a: install failed");
        assert_eq!(kind("Error: Transaction failed").to_string(), "a was not installed: Transaction failed");
        assert_eq!(kind("").to_string(), "a was not installed: the tool gave no reason");
    }

    #[test]
    fn notes() {
        assert!(note("warning: %post(a-1-1.noarch) scriptlet failed, exit status 3").is_some());
        assert!(note("Error in POSTIN scriptlet in rpm package gamma").is_some());
        assert_eq!(
            note("warning: /etc/a.conf created as /etc/a.conf.rpmnew").unwrap(),
            "/etc/a.conf was changed on this host and is kept; the package's own is /etc/a.conf.rpmnew"
        );
        assert_eq!(note("warning: nothing"), None);
    }
}
