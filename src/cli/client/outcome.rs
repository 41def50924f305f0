//! How a command ends: its exit code, and what is said of it.

use std::process::ExitCode;

use crate::client::StartError;
use crate::console::{ConsoleError, EndpointError, ResourceError, Unmet};

/// What the exit codes mean, and which files are read, for `--help`.
pub(super) const EXIT_CODES: &str = "Exit codes:
  0  all went well
  1  something failed: a fault, an answer that cannot be read, nothing found
  2  the command line or a file of settings is wrong
  3  a host could not be reached, is not trusted, or does not let us in
  4  a job failed
  5  some of several hosts failed
  6  nobody waited for the end of a job, which goes on

Files (below $XDG_CONFIG_HOME if that is set):
  ~/.config/quartermaster/hosts.toml   names and groups of hosts, and how they are talked to
  ~/.config/quartermaster/known_hosts  the certificates of hosts that were met";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All went well.
    Well,
    /// Something failed.
    Failed,
    /// The command line or a file of settings is wrong.
    Usage,
    /// There was no way to a host.
    NoWay,
    /// A job failed or was cancelled.
    Job,
    /// Some of several hosts failed.
    Some,
    /// A job goes on.
    GoesOn,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        Self::from(match end {
            End::Well => 0,
            End::Failed => 1,
            End::Usage => 2,
            End::NoWay => 3,
            End::Job => 4,
            End::Some => 5,
            End::GoesOn => 6,
        })
    }
}

/// What ends a command before its hosts are asked, or instead of what they would have said.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// What the person wrote cannot be meant.
    #[error("{0}")]
    Usage(String),
    /// The system does not give what the command needs.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Failed {
    pub(super) fn end(&self) -> End {
        match self {
            Self::Usage(_) => End::Usage,
            Self::Io(_) => End::Failed,
        }
    }
}

impl From<EndpointError> for Failed {
    fn from(error: EndpointError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<ResourceError> for Failed {
    fn from(error: ResourceError) -> Self {
        Self::Usage(error.to_string())
    }
}

/// How it ended with one host.
pub(super) fn end_of(error: &ConsoleError) -> End {
    match error {
        // A file that was named is not what it should be.
        ConsoleError::Start(StartError::Tls(_)) => End::Usage,
        error if error.is_no_way_there() => End::NoWay,
        _ => End::Failed,
    }
}

/// What a person can do about an error, where the options of the command line are the way.
pub(super) fn advice(error: &ConsoleError) -> Option<String> {
    match error {
        ConsoleError::Untrusted(Unmet::Unknown { shown, .. }) => Some(format!(
            "compare it with what the host's operator says, then give --fingerprint {shown}, or --accept-new-certificate to \
             trust it from now on"
        )),
        _ => None,
    }
}

/// How it ended with several.
pub(super) fn end_of_all(ends: &[End]) -> End {
    match ends {
        [] => End::Well,
        [one] => *one,
        [first, rest @ ..] if rest.iter().all(|end| end == first) => *first,
        _ => End::Some,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hosts_end_as_they_all_do_or_in_part() {
        for (ends, all) in [
            (&[][..], End::Well),
            (&[End::NoWay], End::NoWay),
            (&[End::Well, End::Well], End::Well),
            (&[End::NoWay, End::NoWay], End::NoWay),
            (&[End::Well, End::Failed], End::Some),
            (&[End::NoWay, End::Failed], End::Some),
        ] {
            assert_eq!(end_of_all(ends), all, "{ends:?}");
        }
    }
}
