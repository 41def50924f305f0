//! Understands what apt-get and dpkg say, in `C.UTF-8` words.

mod dependencies;
mod failure;
mod fetching;

use crate::software::Phase;

pub(super) use failure::{Failing, failure};
pub(super) use fetching::{failure as fetch_failure, unfetched};

/// A line of `APT::Status-Fd`: `kind:item:percent:text` (apt's `README.progress-reporting`), or a line of dpkg's own
/// `--status-fd`: `status: item : error : text` or `processing: stage: package` (`dpkg(1)`).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Status<'a> {
    /// Packages are being fetched; percent of the fetching.
    Download(f32),
    /// dpkg is at work on a package; percent of dpkg's work.
    Package(f32, &'a str),
    /// dpkg is at work on a package, and does not tell how far it is.
    Stage(Phase),
    /// dpkg failed on a package (or a file): what it is, and why.
    Error(&'a str, &'a str),
}

impl<'a> Status<'a> {
    /// Reads a line; `None` for kinds and forms that mean nothing here.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let (kind, rest) = line.split_once(':')?;
        match kind {
            "status" => {
                let (item, text) = rest.split_once(" : error : ")?;
                return Some(Self::Error(item.trim(), text));
            }
            "processing" => {
                return match rest.trim_start().split_once(':')?.0 {
                    "install" | "upgrade" => Some(Self::Stage(Phase::Unpacking)),
                    "configure" | "trigproc" => Some(Self::Stage(Phase::Configuring)),
                    "remove" | "purge" | "disappear" => Some(Self::Stage(Phase::Removing)),
                    _ => None,
                };
            }
            _ => {}
        }
        // The item may hold colons (`libc6:amd64`), so the percentage is the first part that is a number.
        let (item, percent, text) = rest.match_indices(':').find_map(|(at, _)| {
            let (number, text) = rest.get(at + 1..)?.split_once(':')?;
            let percent: f32 = number.parse().ok()?;
            percent.is_finite().then_some((rest.get(..at)?, percent.clamp(0.0, 100.0), text))
        })?;
        match kind {
            "dlstatus" => Some(Self::Download(percent)),
            "pmstatus" => Some(Self::Package(percent, text)),
            "pmerror" => Some(Self::Error(item, text)),
            _ => None,
        }
    }
}

/// The phase that apt's words on a package belong to; `None` for words that tell of none.
pub(super) fn phase_of(text: &str) -> Option<Phase> {
    let begins = |words: &[&str]| words.iter().any(|w| text.starts_with(w));
    if begins(&["Configuring", "Preparing to configure", "Installed", "Running post-installation"]) {
        Some(Phase::Configuring)
    } else if begins(&["Removing", "Preparing for removal", "Preparing to completely remove", "Completely", "Removed"])
    {
        Some(Phase::Removing)
    } else {
        begins(&["Preparing", "Unpacking", "Installing"]).then_some(Phase::Unpacking)
    }
}

/// What the operator should know of configuration files that stay as they are, or come back.
pub(super) fn configuration_note(line: &str, file: &mut Option<String>) -> Option<String> {
    if let Some((path, rest)) = line.strip_prefix("Configuration file '").and_then(|rest| rest.split_once('\'')) {
        *file = Some(path.to_owned());
        return rest
            .contains("does not exist on system")
            .then(|| format!("{path} was missing; the package's own is in place again"));
    }
    if !line.contains("Keeping old config file as default") {
        return None;
    }
    file.take()
        .map(|path| format!("{path} was changed on this host and is kept; the package's own is {path}.dpkg-dist"))
}

/// Who holds a lock that apt-get or dpkg did not get: `apt-get (process 4711)`.
pub(super) fn holder(line: &str) -> Option<String> {
    if line.starts_with("E: Could not get lock") {
        let (pid, rest) = line.split_once("held by process ")?.1.split_once(' ')?;
        let name = rest.strip_prefix('(')?.split_once(')')?.0;
        return is_number(pid).then(|| format!("{name} (process {pid})"));
    }
    let pid = line.strip_prefix("dpkg: error: ")?.split_once("was locked by another process with pid ")?.1.trim();
    is_number(pid).then(|| format!("process {pid}"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn status_lines() {
        assert_eq!(Status::parse("dlstatus:1:49.1:Retrieving file 1 of 2"), Some(Status::Download(49.1)));
        assert_eq!(
            Status::parse("pmstatus:libc6:amd64:11.1111:Unpacking libc6 (amd64)"),
            Some(Status::Package(11.1111, "Unpacking libc6 (amd64)"))
        );
        assert_eq!(
            Status::parse("pmerror:/tmp/a:b.deb:0.0:odd: thing"),
            Some(Status::Error("/tmp/a:b.deb", "odd: thing"))
        );
        assert_eq!(
            Status::parse("status: /tmp/a.deb : error : odd: thing"),
            Some(Status::Error("/tmp/a.deb", "odd: thing"))
        );
        assert_eq!(Status::parse("processing: configure: post"), Some(Status::Stage(Phase::Configuring)));
        for other in ["", "status: a: unpacked", "pmstatus", "pmstatus:a:nan:b", "pmconffile:/etc/a:40.0:'a' 'b' 1 1"] {
            assert_eq!(Status::parse(other), None, "{other}");
        }
    }

    #[test]
    fn phases_of_words() {
        assert_eq!(phase_of("Unpacking alpha (amd64)"), Some(Phase::Unpacking));
        assert_eq!(phase_of("Preparing to configure alpha (amd64)"), Some(Phase::Configuring));
        assert_eq!(phase_of("Preparing for removal of alpha (amd64)"), Some(Phase::Removing));
        assert_eq!(phase_of("Running dpkg"), None);
    }

    #[test]
    fn kept_and_returned_files_are_noted() {
        let mut file = None;
        let mut note = |line| configuration_note(line, &mut file);
        assert_eq!(note("Configuration file '/etc/a.conf' (actually '/r/etc/a.conf')"), None);
        let kept = note(" ==> Keeping old config file as default.").unwrap();
        assert!(kept.starts_with("/etc/a.conf was changed on this host and is kept"));
        assert_eq!(note(" ==> Keeping old config file as default."), None);
        let back = note("Configuration file '/etc/b.conf', does not exist on system.").unwrap();
        assert_eq!(back, "/etc/b.conf was missing; the package's own is in place again");
    }

    #[test]
    fn holders_of_locks() {
        assert_eq!(
            holder("E: Could not get lock /x/lists/lock. It is held by process 30537 (apt-get)").as_deref(),
            Some("apt-get (process 30537)")
        );
        assert_eq!(
            holder("dpkg: error: dpkg frontend lock was locked by another process with pid 30538").as_deref(),
            Some("process 30538")
        );
        assert_eq!(holder("E: Could not get lock /x. It is held by process x (y)"), None);
        assert_eq!(holder("E: Could not get lock /x - open (11: Resource temporarily unavailable)"), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "(pmstatus|dlstatus|status|processing|E: Could not get lock|Configuration file ')?.{0,40}") {
            let _ = (Status::parse(&line), holder(&line), configuration_note(&line, &mut None));
        }
    }
}
