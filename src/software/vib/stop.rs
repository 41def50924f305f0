//! Why a change of an image is not made.

use super::error::ImageError;
use crate::software::{ApplyError, CancelToken};

/// Why a change was not planned, or not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was cancelled.
    Cancelled,
    /// It failed.
    Failed(ImageError),
}

impl From<ImageError> for Stop {
    fn from(error: ImageError) -> Self {
        Self::Failed(error)
    }
}

impl From<Stop> for ApplyError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Cancelled => Self::Cancelled,
            Stop::Failed(error) => Self::Image(error),
        }
    }
}

/// Stops if that is wanted.
pub(super) fn check_cancelled(cancel: &CancelToken) -> Result<(), Stop> {
    if cancel.is_cancelled() { Err(Stop::Cancelled) } else { Ok(()) }
}
