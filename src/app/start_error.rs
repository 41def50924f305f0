//! Why a service does not start.

use std::io;
use std::path::PathBuf;

use super::image_settings::{ImageSettingsError, OpenImageError};
use super::settings::SettingError;
use crate::access::UserError;
use crate::access::sealing::SealingError;
use crate::broker::RegistrationError;
use crate::cim::{CimError, SchemaError};
use crate::jobs::JobsError;
use crate::server::ServerError;
use crate::server::certificate::CertificateError;
use crate::software::OpenError;
use crate::store::StoreError;
use crate::{client, events};

/// The service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state directory, or the worker's folder, cannot be used.
    #[error("cannot use the folder {folder}: {source}")]
    State {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others could change what is in the state directory, or in the worker's folder.
    #[error(
        "{folder}, or a folder above it, belongs to another user or can be written by others: give a folder of your own, mode 0700"
    )]
    Exposed {
        /// The folder.
        folder: PathBuf,
    },
    /// Another server uses the state directory.
    #[error("another server uses the state directory {folder}: stop it, or take another folder")]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// Another service has its workers in the folder.
    #[error("another service has its workers in {folder}: stop it, or take another state directory or worker_dir")]
    Kept {
        /// The folder.
        folder: PathBuf,
    },
    /// The store cannot be opened.
    #[error("cannot open {file}: {source}")]
    Store {
        /// Its file.
        file: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The audit log cannot be opened.
    #[error("cannot write the audit log {file}: {source}")]
    Audit {
        /// Its file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The users cannot be read, or the first one cannot be made.
    #[error(transparent)]
    Users(#[from] UserError),
    /// The server's own certificate cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The schema that was built in is not sound.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The package engine cannot be opened.
    #[error(transparent)]
    Engine(#[from] OpenError),
    /// There are settings for an image, and none that says where it is.
    #[error(
        "[image] has settings, or an acceptance level is given, and nothing says where the image is: set dir there, or give \
         --image"
    )]
    NoImage,
    /// The image store cannot be opened.
    #[error(transparent)]
    Image(#[from] OpenImageError),
    /// A trust file for images cannot be used.
    #[error(transparent)]
    ImageSettings(#[from] ImageSettingsError),
    /// The jobs cannot be taken up.
    #[error(transparent)]
    Jobs(#[from] JobsError),
    /// The providers do not fit the schema.
    #[error(transparent)]
    Providers(#[from] RegistrationError),
    /// The schema lacks what a provider shows.
    #[error(transparent)]
    Model(#[from] CimError),
    /// Events cannot be delivered.
    #[error(transparent)]
    Client(#[from] client::StartError),
    /// The key that seals credentials cannot be used.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// The key that sealed credentials is gone.
    #[error(
        "{file} is missing, which opens the credentials of event sinks and the secrets of digests: bring it back from a \
         backup, or make a file of mode 0600 with 32 random octets, which ends the subscriptions with credentials, and \
         switch digests on anew"
    )]
    SealingKeyMissing {
        /// Where it was.
        file: PathBuf,
    },
    /// The subscriptions cannot be taken up.
    #[error(transparent)]
    Events(#[from] events::OpenError),
    /// A setting cannot be used.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// The server cannot start.
    #[error(transparent)]
    Server(#[from] ServerError),
}
