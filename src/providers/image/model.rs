//! What the providers of an image share: the schema, the image, its jobs, and the names of things.

use std::sync::Arc;

use super::super::model::SystemName;
use crate::cim::Schema;
use crate::clock::SharedClock;
use crate::jobs::Jobs;
use crate::software::vib::ImageManager;

/// An image and the system that it belongs to, as the providers see them.
#[derive(Debug)]
pub struct ImageModel {
    pub(super) schema: Arc<Schema>,
    pub(super) image: Arc<dyn ImageManager>,
    pub(super) jobs: Arc<Jobs>,
    pub(super) clock: SharedClock,
    pub(super) system: SystemName,
}

impl ImageModel {
    /// The system whose image this is and whose changes `jobs` makes.
    pub fn new(
        schema: Arc<Schema>,
        image: Arc<dyn ImageManager>,
        jobs: Arc<Jobs>,
        clock: SharedClock,
        system: SystemName,
    ) -> Self {
        Self { schema, image, jobs, clock, system }
    }
}
