//! What the image store needs to know of the configuration, or of the server's orders to its worker.

use std::path::PathBuf;

use crate::clock::SharedClock;
use crate::config::{self, Config};
use crate::software::vib::{AcceptanceLevel, ImageError, ImageSettings};

/// How an image store is opened.
#[derive(Clone, Debug, Default)]
pub struct ImageOrders {
    /// The folder of the image store.
    pub dir: PathBuf,
    /// The acceptance level that the settings ask for; `None` is the one that the image's profile says.
    pub acceptance_level: Option<config::AcceptanceLevel>,
}

impl ImageOrders {
    /// What the store of these settings is opened with.
    pub(super) fn settings(&self, clock: &SharedClock) -> Result<ImageSettings, ImageError> {
        let acceptance_level = self.acceptance_level.map(acceptance_level);
        Ok(ImageSettings { acceptance_level, ..ImageSettings::new(clock.clone()) })
    }
}

/// How the settings say that an image store is opened.
pub fn image_settings(config: &Config, clock: &SharedClock) -> Result<ImageSettings, ImageError> {
    orders(config).settings(clock)
}

/// What the settings say of the image.
pub(super) fn orders(config: &Config) -> ImageOrders {
    let image = &config.image;
    ImageOrders { dir: image.dir.clone().unwrap_or_default(), acceptance_level: image.acceptance_level }
}

/// The level that a word of the settings means.
pub fn acceptance_level(level: config::AcceptanceLevel) -> AcceptanceLevel {
    match level {
        config::AcceptanceLevel::Community => AcceptanceLevel::Community,
        config::AcceptanceLevel::Partner => AcceptanceLevel::Partner,
        config::AcceptanceLevel::Accepted => AcceptanceLevel::Accepted,
        config::AcceptanceLevel::Certified => AcceptanceLevel::Certified,
    }
}
