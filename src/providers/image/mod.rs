//! Shows an image as VMware's classes.

mod indications;
mod model;

use std::sync::Arc;

use super::log::{self, SystemLog};
use super::system::Systems;
use crate::broker::Provider;
use crate::cim::CimError;

pub use indications::ImageIndications;
pub use model::ImageModel;

/// The class of the system that an image belongs to.
pub const SYSTEM: &str = "OMC_UnitaryComputerSystem";

/// The providers of one image, or the error that says what the schema lacks.
pub fn all(model: &Arc<ImageModel>) -> Result<Vec<Arc<dyn Provider>>, CimError> {
    let mut providers: Vec<Arc<dyn Provider>> = vec![Arc::new(Systems::new(model.system.clone()))];
    providers.extend(log::providers(&SystemLog::of_image(model.jobs.clone(), model.system.clone())));
    Ok(providers)
}
