//! A package: what its engine tells of it, and whether its files are there.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Nevra;

/// The family of package formats an engine handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Debian packages: dpkg and apt.
    Deb,
    /// RPM packages: rpm and dnf.
    Rpm,
}

/// How far a package is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PackageState {
    /// Its files are there and it works.
    Installed,
    /// Its files are there but its configuration has not finished (Debian: unpacked, half-configured, triggers …).
    Unfinished,
    /// Its files are not there (Debian: only configuration files are left, or half-installed).
    NotInstalled,
}

impl PackageState {
    /// Whether the package's files are there, so that it counts as installed software.
    pub fn has_files(self) -> bool {
        self != Self::NotInstalled
    }
}

/// A package as its engine tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// What tells it from all others.
    pub nevra: Nevra,
    /// How far it is installed.
    pub state: PackageState,
    /// One line about it.
    pub summary: Arc<str>,
    /// A longer text about it; may have several lines.
    pub description: Arc<str>,
    /// Who makes it: rpm's vendor (else packager), Debian's maintainer.
    pub manufacturer: Option<Arc<str>>,
    /// When it was installed.
    pub installed_at: Option<DateTime<Utc>>,
    /// The size of its installed files in bytes.
    pub installed_size: Option<u64>,
}

impl Package {
    /// A package of which nothing is known but what tells it from all others and how far it is installed.
    pub fn bare(nevra: Nevra, state: PackageState) -> Self {
        Self {
            nevra,
            state,
            summary: "".into(),
            description: "".into(),
            manufacturer: None,
            installed_at: None,
            installed_size: None,
        }
    }
}
