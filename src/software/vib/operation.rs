//! What can be done with an image, and what came of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::descriptor::VibId;

/// A change of an image that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageOperation {
    /// Install the VIBs of these bundles, or update to them; older versions of them are skipped.
    Install {
        /// Offline bundles: ZIP files, or folders that hold the same. Single VIB files are taken too.
        bundles: Vec<PathBuf>,
        /// The bulletins whose VIBs are meant; `None` is all VIBs of the bundles.
        bulletins: Option<Vec<String>>,
    },
    /// Remove these VIBs, each named by its name or its id.
    Remove {
        /// The names.
        vibs: Vec<String>,
    },
    /// Go back to the image that was there before the last change.
    RollBack,
}

/// What an operation did to an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageOutcome {
    /// The VIBs that came.
    pub installed: Vec<VibId>,
    /// The VIBs that went.
    pub removed: Vec<VibId>,
    /// The VIBs of the bundles that were there already, or in a newer version.
    pub skipped: Vec<VibId>,
    /// Whether the host must be rebooted for the change to be effective.
    pub needs_reboot: bool,
    /// Whether the CIM server must be started again after the change; only where it needs no reboot.
    #[serde(default)]
    pub needs_cimom_restart: bool,
}
