//! Why a worker did not do what it was asked.

use serde::{Deserialize, Serialize};

use crate::audit::Unrecorded;
use crate::software::ApplyError;

/// Why the worker did not do what it was asked. The texts are for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Refusal {
    /// The file is not there, is no plain file, or cannot be read.
    #[error("{message}")]
    NotReadable {
        /// What is wrong with it.
        message: String,
    },
    /// The file is in no folder that the settings allow.
    #[error("the file is in no folder that packages may be read from")]
    NotAllowed,
    /// The file is no package of this engine.
    #[error("{message}")]
    NotAPackage {
        /// What is wrong with it.
        message: String,
    },
    /// The file is too large.
    #[error("the file is larger than the {limit} octets that are allowed")]
    TooLarge {
        /// The largest size in octets.
        limit: u64,
    },
    /// A copy of the file would fill the disk.
    #[error("there is not enough room for a copy of the file beside the store")]
    NoRoom,
    /// Too many staged files wait for their jobs.
    #[error("too many packages wait to be installed: try again when some jobs have ended")]
    SpoolFull,
    /// The caller's role does not allow the work.
    #[error("installing software needs the role operator")]
    NotPermitted,
    /// The job is another user's, and the caller no administrator.
    #[error("the job belongs to another user; only its owner or an administrator may stop it")]
    NotOwner,
    /// The work cannot be done, as a plan of it shows.
    #[error("{error}")]
    NotPossible {
        /// Why.
        error: ApplyError,
    },
    /// The repository's configuration is overridden elsewhere.
    #[error("{message}")]
    Overridden {
        /// By what, and what to do.
        message: String,
    },
    /// There is no repository with this id.
    #[error("there is no such repository")]
    NoRepository,
    /// The job was accepted before; work is never done twice.
    #[error("the job was run before")]
    AlreadyAccepted,
    /// No job of this number is run any more, since one above it was and is forgotten.
    #[error("the worker has done with jobs up to this number: ask for the work again, which gets a higher one")]
    NumberIsOver,
    /// The number is more than [`numbers::MOST_AHEAD`](super::numbers::MOST_AHEAD) above all that the worker knows.
    #[error("the number of the job is too far above those that the worker knows: count on from the highest of them")]
    NumberTooHigh,
    /// Another job is being worked on.
    #[error("another job is running")]
    Busy,
    /// The worker was asked to retire.
    #[error("the worker is about to end and takes no further job")]
    Retiring,
    /// The staged file is gone or is not what was staged.
    #[error("the staged package is gone or was changed: submit the installation again")]
    StagedChanged,
    /// The request could not be read.
    #[error("the request is not understood")]
    Malformed,
    /// The worker itself has a problem, such as a full disk.
    #[error("the worker failed: {message}")]
    Internal {
        /// What went wrong, without paths.
        message: String,
    },
}

impl From<Unrecorded> for Refusal {
    fn from(error: Unrecorded) -> Self {
        Self::Internal { message: error.to_string() }
    }
}
