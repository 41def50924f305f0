//! Understands what rpm and dnf say, in `C.UTF-8` words.

mod failure;
mod repositories;

pub(super) use failure::{dependents, failure, last_words, protected};
pub(super) use repositories::{RepositoryFailure, failed_repositories};

use crate::software::drive::Ended;

/// dnf's exit status for a lock that another process holds (`exit_on_lock`).
const DNF_LOCKED: i32 = 200;

/// How far a tool is, by one of its lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Files are being put in place; percent of the change.
    Files(f32),
    /// A package's own script is running; percent of the change.
    Script(f32),
    /// A package is being taken away; percent of the change.
    Removal(f32),
    /// A package was fetched; percent of what is fetched.
    Fetched(f32),
}

impl Step {
    /// Reads rpm's `--percent` lines, and dnf's steps `  Installing : alpha-1-1.noarch  1/2` and
    /// `(1/2): alpha-1-1.noarch.rpm   6.0 MB/s | 6.1 kB  00:00`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        if let Some(percent) = line.strip_prefix("%%") {
            let percent: f32 = percent.trim().parse().ok()?;
            return percent.is_finite().then(|| Self::Files(percent.clamp(0.0, 100.0)));
        }
        if let Some(rest) = line.strip_prefix('(') {
            let (number, count) = rest.split_once("): ")?.0.split_once('/')?;
            return Some(Self::Fetched(part(number.parse().ok()?, count.parse().ok()?)));
        }
        let (verb, rest) = line.strip_prefix("  ")?.split_once(':')?;
        let (number, count) = rest.trim_end().rsplit_once(' ')?.1.split_once('/')?;
        let (number, count): (u16, u16) = (number.parse().ok()?, count.parse().ok()?);
        let percent = part(number.saturating_sub(1), count);
        match verb.trim() {
            "Running scriptlet" => Some(Self::Script(percent)),
            "Installing" | "Upgrading" | "Reinstalling" | "Downgrading" | "Cleanup" | "Obsoleting" => {
                Some(Self::Files(percent))
            }
            "Erasing" => Some(Self::Removal(percent)),
            _ => None,
        }
    }
}

fn part(number: u16, count: u16) -> f32 {
    (100.0 * f32::from(number) / f32::from(count.max(1))).min(100.0)
}

/// What the operator should know: a script that failed although the operation did not, a configuration file that
/// stays as it is.
pub(super) fn note(line: &str) -> Option<String> {
    let line = line.trim();
    let script = line.contains("scriptlet failed")
        || line.starts_with("error: lua script failed")
        || (line.starts_with("Error in ") && line.contains(" scriptlet "));
    if script {
        return Some(format!("a script of a package failed: {line}"));
    }
    let warning = line.strip_prefix("warning: ")?;
    if let Some((kept, new)) = warning.split_once(" created as ") {
        return Some(format!("{kept} was changed on this host and is kept; the package's own is {new}"));
    }
    let (changed, saved) = warning.split_once(" saved as ")?;
    Some(format!("{changed} was changed on this host; what it was is kept as {saved}"))
}

/// Whether another process held rpm's or dnf's lock, so that nothing was done. A script of a package that calls rpm says so
/// too, in a run that succeeds.
pub(super) fn is_locked(ended: &Ended) -> bool {
    if ended.status.success() {
        return false;
    }
    let held = |l: &str| {
        (l.contains("can't create transaction lock") && !l.contains("Permission denied"))
            || l.contains("Failed to obtain rpm transaction lock")
    };
    ended.status.code() == Some(DNF_LOCKED) || ended.said.lines().any(held)
}

/// The process that dnf says holds its lock.
pub(super) fn lock_holder(ended: &Ended) -> Option<u32> {
    ended.said.lines().find_map(|line| line.trim().split_once(" already locked by ")?.1.parse().ok())
}

/// What rpm's `-vv` says of an element of its work: whether it comes, and its `name-[epoch:]version-release.arch`.
///
/// `D:     1    0    0    1   -beta-1-1.noarch`
pub(super) fn ordered(line: &str) -> Option<(bool, &str)> {
    let mut words = line.strip_prefix("D:")?.split_ascii_whitespace();
    let element = words.next_back()?;
    let numbers = words.map(|word| word.parse::<u32>()).collect::<Result<Vec<u32>, _>>().ok()?;
    if numbers.len() < 4 {
        return None;
    }
    element.strip_prefix('+').map(|text| (true, text)).or_else(|| element.strip_prefix('-').map(|text| (false, text)))
}

/// Sizes of a build that can be fetched: `alpha 0 1 1 noarch 6180 1`, the size of its file and that of its contents.
pub(super) fn sizes(line: &str) -> Option<(String, u64, u64)> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [name, epoch, version, release, architecture, file, contents] = *words else { return None };
    let build = format!("{name}-{epoch}:{version}-{release}.{architecture}");
    Some((build, file.parse().ok()?, contents.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps() {
        assert_eq!(Step::parse("%% 51.538460"), Some(Step::Files(51.53846)));
        assert_eq!(Step::parse("  Installing       : alpha-1-1.noarch           1/2 "), Some(Step::Files(0.0)));
        assert_eq!(Step::parse("  Running scriptlet: gamma-1:1-1.noarch         2/2 "), Some(Step::Script(50.0)));
        assert_eq!(Step::parse("  Erasing          : gamma-1:1-1.noarch         2/2 "), Some(Step::Removal(50.0)));
        let fetched = "(1/4): delta-1-1.noarch.rpm         6.0 MB/s | 6.1 kB     00:00    ";
        assert_eq!(Step::parse(fetched), Some(Step::Fetched(25.0)));
        for other in ["", "%% nan", "  Verifying        : alpha-1-1.noarch 1/2", "Installing: 1/2", "  Installing : a"]
        {
            assert_eq!(Step::parse(other), None, "{other}");
        }
    }

    #[test]
    fn notes() {
        assert!(note("warning: %post(a-1-1.noarch) scriptlet failed, exit status 3").is_some());
        assert!(note("Error in POSTIN scriptlet in rpm package gamma").is_some());
        assert_eq!(
            note("warning: /etc/a.conf created as /etc/a.conf.rpmnew").unwrap(),
            "/etc/a.conf was changed on this host and is kept; the package's own is /etc/a.conf.rpmnew"
        );
        assert_eq!(
            note("warning: /etc/a.conf saved as /etc/a.conf.rpmsave").unwrap(),
            "/etc/a.conf was changed on this host; what it was is kept as /etc/a.conf.rpmsave"
        );
        assert_eq!(note("warning: nothing"), None);
    }

    #[test]
    fn the_order_of_rpm_and_sizes_of_dnf_are_read() {
        assert_eq!(ordered("D:     0    0    0    1   +delta-3:1-1.noarch"), Some((true, "delta-3:1-1.noarch")));
        assert_eq!(ordered("D:     1    0    0    1   -beta-1-1.noarch"), Some((false, "beta-1-1.noarch")));
        assert_eq!(ordered("D: ========== +++ delta-1-1 noarch/linux 0x0"), None);
        assert_eq!(sizes("alpha 1 2 1 noarch 6180 7"), Some(("alpha-1:2-1.noarch".to_owned(), 6180, 7)));
        assert_eq!(sizes("alpha 1 2 1 noarch 6180"), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "(D:|%%|  |\\(|[0-9/): +-]|Installing|warning: | created as |[a-z.]){0,30}") {
            Step::parse(&line);
            note(&line);
            ordered(&line);
            sizes(&line);
        }
    }
}
