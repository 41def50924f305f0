//! What can be asked of the patch side of a host.

use openssl::sha::sha256;
use serde::{Deserialize, Serialize};

use super::MetadataSource;
use crate::hexadecimal;
use crate::software::vib::SeenBundles;

/// Something that is asked of the patch side of a host. Each ends with an assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchOperation {
    /// Fetch metadata and compare the host with it.
    Scan {
        /// Where the metadata is: `http:`, `https:` and `file:` URIs. Empty on hosts whose repositories have it.
        metadata: Vec<String>,
    },
    /// Compare the host once more with metadata that is there.
    Assess {
        /// The metadata of the scan.
        metadata: Vec<MetadataSource>,
    },
    /// Install bulletins in one transaction.
    Deploy {
        /// Their ids.
        bulletins: Vec<String>,
        /// Where their VIBs are: URIs of offline bundles or VIBs. Empty takes each VIB from where its metadata came from.
        bundles: Vec<String>,
        /// Those of them that lie on this host, as they were when they were named.
        #[serde(default)]
        seen: SeenBundles,
        /// The metadata of the scan.
        metadata: Vec<MetadataSource>,
    },
    /// Remove VIBs.
    Remove {
        /// The VIBs, each named by its name or its id.
        vibs: Vec<String>,
        /// The metadata of the scan, if there was one.
        metadata: Vec<MetadataSource>,
    },
    /// Go back to the image that was there before the last change.
    RollBack {
        /// The metadata of the scan, if there was one.
        metadata: Vec<MetadataSource>,
    },
}

impl PatchOperation {
    /// What it is called in the names of jobs and as a method.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Scan { .. } => "Scan",
            Self::Assess { .. } => "Assess",
            Self::Deploy { .. } => "Deploy",
            Self::Remove { .. } => "Uninstall",
            Self::RollBack { .. } => "RollBack",
        }
    }

    /// The metadata of the scan that it follows; empty if it follows none.
    pub fn scanned_with(&self) -> &[MetadataSource] {
        match self {
            Self::Scan { .. } => &[],
            Self::Assess { metadata }
            | Self::Deploy { metadata, .. }
            | Self::Remove { metadata, .. }
            | Self::RollBack { metadata } => metadata,
        }
    }

    /// Whether it leaves the software of the host as it is.
    pub fn only_looks(&self) -> bool {
        matches!(self, Self::Scan { .. } | Self::Assess { .. })
    }
}

/// A file that an assessment was written to, beside the journal of its job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssessmentFile {
    /// The SHA-256 of its octets, in lower-case hexadecimal.
    pub sha256: String,
    /// How many there are.
    pub octets: u64,
}

impl AssessmentFile {
    /// The file's name in the folder of its job.
    pub const NAME: &'static str = "assessment.json";

    /// The file that has these octets.
    pub fn of(octets: &[u8]) -> Self {
        Self { sha256: hexadecimal::written(&sha256(octets)), octets: octets.len() as u64 }
    }
}
