//! ESXi-style images: installation bundles (VIBs), offline bundles and depots, the rules of what fits together, and the
//! image store that a host boots from.
//!
//! No free implementation of these formats exists; everything here was made from published facts. The words are VMware's:
//! VIB, bulletin, image profile, acceptance level, boot bank.

mod bulletin;
mod bundle;
mod bundle_identity;
mod catalogue;
mod container;
mod descriptor;
mod descriptor_xml;
mod digest;
mod error;
mod image;
mod level;
mod manager;
mod matching;
mod metadata;
mod operation;
mod payload;
mod plan;
mod profile;
mod reader;
mod relation;
#[cfg(test)]
mod samples;
mod scan;
mod signature;
mod standing;
mod stop;
mod store;
mod timestamp;
mod trust;
mod version;
mod visor;

#[cfg(test)]
#[path = "../../../tests/support/vib/mod.rs"]
pub(crate) mod building;

pub use bulletin::{Bulletin, Component};
pub use bundle::Bundle;
pub use bundle_identity::{BundleIdentity, BundleIdentityError, SeenBundles};
pub use catalogue::{Catalogue, CatalogueVib};
pub use descriptor::{
    Checksum, ChecksumAlgorithm, Checksummed, Descriptor, HardwarePlatform, MaintenanceModeNeed, Payload, ReferenceUrl,
    SoftwarePlatform, VibId, VibType,
};
pub use descriptor_xml::{DESCRIPTOR_LIMIT, DescriptorProblem};
pub use error::{ImageError, ImageErrorClass};
pub use image::{Image, ImageHost, ImageSnapshot};
pub use level::{AcceptanceLevel, AcceptanceLevelError};
pub use manager::ImageManager;
pub use metadata::{Metadata, MetadataVib};
pub use operation::{ImageOperation, ImageOutcome};
pub use payload::{CopyError, VibLimits};
pub use plan::{Candidate, ImagePlan, Rules};
pub use profile::{ImageProfile, ProfileVib};
pub use reader::{VibReader, VibSum};
pub use relation::{Comparison, Constraint, Provide};
pub use scan::{BulletinStatus, BulletinVib, HostFacts, Prerequisite, ScanResult, scan};
pub use standing::Standing;
pub use stop::Stop;
pub use store::{DamagedStore, HostSettings, ImageSettings, ImageStore, NewImage, OtherImage};
pub use trust::{SignatureVerdict, TrustFileError, TrustStore};
pub use version::VibVersion;
