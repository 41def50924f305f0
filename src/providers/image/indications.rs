//! Turns the change records of an image's jobs into VMware's indications.

use std::error::Error;
use std::sync::Arc;

use super::model::ImageModel;
use crate::cim::Instance;
use crate::events::Describe;
use crate::store::changes::ChangeRecord;

/// Describes the changes of an image's jobs.
#[derive(Debug)]
pub struct ImageIndications {
    model: Arc<ImageModel>,
}

impl ImageIndications {
    /// Describes with the classes and names of this image.
    pub fn new(model: Arc<ImageModel>) -> Self {
        Self { model }
    }
}

impl Describe for ImageIndications {
    fn describe(&self, record: &ChangeRecord) -> Result<Option<Instance>, Box<dyn Error + Send + Sync>> {
        tracing::trace!(image = ?self.model, ?record, "not told");
        Ok(None)
    }
}
