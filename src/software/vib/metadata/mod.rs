//! Metadata packages: what a vendor says of bulletins, VIBs and image profiles without giving the VIBs themselves. One
//! package is for one version of a product, or for a few.

mod bulletin;
mod collected;
mod consolidated;
mod document;
mod index;
mod package;
mod profile;

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::sync::Arc;

use super::bulletin::Bulletin;
use super::descriptor::{Descriptor, SoftwarePlatform, VibId};
use super::error::ImageError;
use super::profile::ImageProfile;
pub(super) use collected::Collected;
pub(super) use index::{MetadataRow, inside, metadata_rows, products, vendor_indexes};
pub(super) use package::read_package;

/// What metadata says, of one package or of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The bulletins, in the order of their ids. One that names no product is for those of its package.
    pub bulletins: Vec<Bulletin>,
    /// The VIBs.
    pub vibs: BTreeMap<VibId, MetadataVib>,
    /// The image profiles.
    pub profiles: Vec<ImageProfile>,
}

/// A VIB as metadata describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataVib {
    /// What the VIB says of itself.
    pub descriptor: Arc<Descriptor>,
    /// Whether that is the VIB's own descriptor. Else it is the summary that `vmware.xml` has, without files, payloads,
    /// acceptance level and hardware; what an installation needs to know of it stands in the VIB.
    pub is_complete: bool,
    /// Where the VIB lies in the depot, without a leading `/`.
    pub relative_path: Box<str>,
    /// The size of the `.vib` in octets.
    pub packed_size: u64,
    /// The SHA-256 of the `.vib` in lower-case hexadecimal. Not every metadata tells it.
    pub sha256: Option<Box<str>>,
    /// The products of the packages that tell of it; none is any. They count where neither the VIB nor a bulletin says more.
    pub products: Arc<[SoftwarePlatform]>,
}

impl Metadata {
    /// Reads a metadata package, a ZIP.
    ///
    /// What `bulletins/` and `vibs/` say comes before what `vmware.xml` says, which may stand alone.
    ///
    /// # Errors
    /// `MetadataFormatError` for what is no such package; `VibValidationError` and `BulletinValidationError` for a VIB or a
    /// bulletin that breaks a rule; `ValueError` for two VIBs of one id that differ; `FileIOError` if it cannot be read.
    pub fn read(package: impl Read + Seek) -> Result<Self, ImageError> {
        let mut collected = Collected::default();
        read_package(package, "", None, &mut collected)?;
        Ok(collected.finish())
    }
}

#[cfg(test)]
mod tests;
