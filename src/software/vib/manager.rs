//! What can be done with the image of a host.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::error::ImageError;
use super::image::ImageSnapshot;
use super::operation::{ImageOperation, ImageOutcome};
use super::store::ImageStore;
use crate::software::{ApplyError, CancelToken, Progress};

/// The image of one managed host.
///
/// The server uses the reading half, the worker the changing half; neither needs the other's rights.
pub trait ImageManager: Debug + Send + Sync {
    /// The folder of the image store, by which images are told from each other.
    fn folder(&self) -> &Path;

    /// The image as it was read last. Answers from memory and never blocks.
    fn snapshot(&self) -> Arc<ImageSnapshot>;

    /// Reads the image again if it changed on disk; tells whether the snapshot was replaced. Blocks.
    fn refresh(&self) -> Result<bool, ImageError>;

    /// Waits until the image may have changed, at most `limit`; tells whether it may have. Blocks: a thread of its own
    /// calls it.
    fn wait_for_change(&self, limit: Duration) -> bool;

    /// Does the operation. Blocks until it is done. A failure leaves the image that runs as it was.
    fn apply(
        &self,
        operation: &ImageOperation,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<ImageOutcome, ApplyError>;
}

impl ImageManager for ImageStore {
    fn folder(&self) -> &Path {
        self.folder()
    }

    fn snapshot(&self) -> Arc<ImageSnapshot> {
        self.snapshot()
    }

    fn refresh(&self) -> Result<bool, ImageError> {
        self.refresh()
    }

    fn wait_for_change(&self, limit: Duration) -> bool {
        self.wait_for_change(limit)
    }

    fn apply(
        &self,
        operation: &ImageOperation,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<ImageOutcome, ApplyError> {
        self.apply(operation, progress, cancel)
    }
}
