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
  6  nobody waited: jobs go on, or were not begun
  130  Ctrl-C was pressed once more: nothing was waited for

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
    /// Jobs go on, or were not begun, since nobody waited.
    GoesOn,
    /// Whoever waited would not even wait to be told how it stands.
    Interrupted,
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
            End::Interrupted => 130,
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
    /// Ctrl-C was pressed once more.
    #[error("interrupted; what hosts have begun they go on with: `quartermaster jobs` shows it")]
    Interrupted,
}

/// Why a host gave no answer, or no whole one.
#[derive(Debug, thiserror::Error)]
pub(super) enum HostError {
    /// There is no way to it, or it does not do what it is asked for.
    #[error(transparent)]
    Console(#[from] ConsoleError),
    /// What is said of it is wrong.
    #[error(transparent)]
    Settings(#[from] Failed),
    /// Whoever waited for its answer left.
    #[error("left before the host answered; `quartermaster jobs` shows what it has begun")]
    Left,
    /// It was not asked at all.
    #[error("{0}")]
    NotTouched(NotTouched),
}

/// Why a host was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotTouched {
    /// Too many others had failed.
    #[error("too many hosts have failed")]
    TooManyFailed,
    /// Nobody waited any more.
    #[error("left before its turn came")]
    Left,
}

impl Failed {
    pub(super) fn end(&self) -> End {
        match self {
            Self::Usage(_) => End::Usage,
            Self::Io(_) => End::Failed,
            Self::Interrupted => End::Interrupted,
        }
    }
}

impl HostError {
    /// How it ended with the host.
    pub(super) fn end(&self) -> End {
        match self {
            Self::Console(error) => end_of(error),
            Self::Settings(failed) => failed.end(),
            Self::NotTouched(NotTouched::TooManyFailed) => End::Failed,
            Self::Left | Self::NotTouched(NotTouched::Left) => End::GoesOn,
        }
    }

    /// The same in a word or two, for a table.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Console(error) => word(error),
            Self::Settings(_) => "failed",
            Self::Left => "left",
            Self::NotTouched(_) => "not touched",
        }
    }

    /// All that is to be told of it.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Console(error) => sentence(error),
            other => other.to_string(),
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

/// How it ended where a host cannot be asked, or refuses.
pub(super) fn end_of(error: &ConsoleError) -> End {
    match error {
        // A file that was named is not what it should be.
        ConsoleError::Start(StartError::Tls(_)) => End::Usage,
        error if error.is_no_way_there() => End::NoWay,
        _ => End::Failed,
    }
}

/// The same in a word, for a table.
pub(super) fn word(error: &ConsoleError) -> &'static str {
    match error {
        ConsoleError::Unreachable(_) => "unreachable",
        ConsoleError::Untrusted(_) => "untrusted",
        ConsoleError::Login(_) => "refused",
        _ => "failed",
    }
}

/// What is to be told of an error, and what a person can do about it, where the options of the command line are the way.
pub(super) fn sentence(error: &ConsoleError) -> String {
    match error {
        ConsoleError::Untrusted(Unmet::Unknown { shown, .. }) => format!(
            "{error}: compare it with what the host's operator says, then give --fingerprint {shown}, or \
             --accept-new-certificate to trust it from now on"
        ),
        _ => error.to_string(),
    }
}

/// How it ended with several.
pub(super) fn end_of_all(ends: &[End]) -> End {
    match ends {
        [] => End::Well,
        [one] => *one,
        [first, rest @ ..] if rest.iter().all(|end| end == first) => *first,
        // Nothing has failed, but not everything is done.
        _ if ends.iter().all(|end| matches!(end, End::Well | End::GoesOn)) => End::GoesOn,
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
            (&[End::Well, End::GoesOn, End::Well], End::GoesOn),
            (&[End::GoesOn, End::GoesOn], End::GoesOn),
            (&[End::GoesOn, End::Job], End::Some),
        ] {
            assert_eq!(end_of_all(ends), all, "{ends:?}");
        }
    }
}
