//! What the image store needs to know of the configuration, or of the server's orders to its worker.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::SharedClock;
use crate::config::{self, Config};
use crate::software::vib::{
    AcceptanceLevel, DamagedStore, ImageError, ImageSettings, ImageStore, TrustFileError, TrustStore,
};

/// How an image store is opened.
#[derive(Clone, Debug, Default)]
pub struct ImageOrders {
    /// The folder of the image store.
    pub dir: PathBuf,
    /// The acceptance level that the settings ask for; `None` is the one that the image's profile says.
    pub acceptance_level: Option<config::AcceptanceLevel>,
    /// VMware's roots, which vouch for all levels.
    pub vmware_trust_file: Option<PathBuf>,
    /// The roots of partners, which vouch for the level partner.
    pub partner_trust_file: Option<PathBuf>,
    /// Lists of certificates that were revoked.
    pub revocation_file: Option<PathBuf>,
}

/// A trust file of the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("[image] {0}")]
pub struct ImageSettingsError(#[from] TrustFileError);

/// An image store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenImageError {
    /// There is none.
    #[error("there is no image store in {dir}: `quartermaster image create {dir}` makes one")]
    Missing {
        /// The folder.
        dir: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot open the image store {dir}: {source}")]
    Unreadable {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: ImageError,
    },
}

/// Opens the image store in a folder.
pub fn open_image(dir: &Path, settings: ImageSettings) -> Result<ImageStore, OpenImageError> {
    if !ImageStore::is_in(dir) {
        return Err(OpenImageError::Missing { dir: dir.to_owned() });
    }
    ImageStore::open(dir, settings).map_err(|source| OpenImageError::Unreadable { dir: dir.to_owned(), source })
}

/// Opens the store in a folder whose running image cannot be read; `None` if it can be.
pub fn open_damaged_image(dir: &Path, settings: ImageSettings) -> Result<Option<DamagedStore>, OpenImageError> {
    DamagedStore::open(dir, settings).map_err(|source| OpenImageError::Unreadable { dir: dir.to_owned(), source })
}

impl ImageOrders {
    /// What the store of these settings is opened with.
    pub(super) fn settings(&self, clock: &SharedClock) -> Result<ImageSettings, ImageSettingsError> {
        let Self { acceptance_level: level, vmware_trust_file, partner_trust_file, revocation_file, .. } = self;
        let trust =
            TrustStore::read(vmware_trust_file.as_deref(), partner_trust_file.as_deref(), revocation_file.as_deref())?;
        let (acceptance_level, trust) = (level.map(acceptance_level), Arc::new(trust));
        Ok(ImageSettings { acceptance_level, trust, ..ImageSettings::new(clock.clone()) })
    }
}

/// How the settings say that an image store is opened.
pub fn image_settings(config: &Config, clock: &SharedClock) -> Result<ImageSettings, ImageSettingsError> {
    orders(config).settings(clock)
}

/// What the settings say of the image.
pub(super) fn orders(config: &Config) -> ImageOrders {
    let image = &config.image;
    ImageOrders {
        dir: image.dir.clone().unwrap_or_default(),
        acceptance_level: image.acceptance_level,
        vmware_trust_file: image.vmware_trust_file.clone(),
        partner_trust_file: image.partner_trust_file.clone(),
        revocation_file: image.revocation_file.clone(),
    }
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
