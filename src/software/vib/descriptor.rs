//! What a VIB says of itself (`descriptor.xml`, VIB 2.0).

use std::borrow::Borrow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::level::AcceptanceLevel;
use super::relation::{Constraint, Provide};
use super::version::VibVersion;

/// The id of a VIB: `<vendor>_<type>_<name>_<version>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VibId(Box<str>);

impl VibId {
    /// The id that is written so.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VibId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for VibId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Where a VIB is installed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VibType {
    /// Into the boot bank; the usual one.
    #[default]
    Bootbank,
    /// Into the locker, as VMware Tools are.
    Locker,
    /// It has no content.
    Meta,
}

impl VibType {
    /// The word of descriptors.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bootbank => "bootbank",
            Self::Locker => "locker",
            Self::Meta => "meta",
        }
    }
}

/// An address that a VIB refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceUrl {
    /// What it leads to, such as `kb`.
    pub key: Box<str>,
    /// The address.
    pub url: Box<str>,
}

/// When a host must be in maintenance mode. It counts for live installation and removal only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceModeNeed {
    /// While the VIB is installed.
    pub on_install: bool,
    /// While it is removed.
    pub on_remove: bool,
}

/// Hardware that a VIB is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardwarePlatform {
    /// Its vendor.
    pub vendor: Box<str>,
    /// Its model; `None` is any.
    pub model: Option<Box<str>>,
}

impl fmt::Display for HardwarePlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.vendor)?;
        self.model.as_deref().map_or(Ok(()), |model| write!(f, " {model}"))
    }
}

/// A product that a VIB or a bulletin is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SoftwarePlatform {
    /// The product line, such as `embeddedEsx`.
    pub product_line: Box<str>,
    /// The version, exact (`5.5.0`) or with a wildcard (`5.*`).
    pub version: Box<str>,
    /// The locale; empty is any.
    pub locale: Box<str>,
}

/// How a digest is calculated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChecksumAlgorithm {
    /// MD5, of VIB 1.x; not trusted.
    #[serde(rename = "md5")]
    Md5,
    /// SHA-1.
    #[serde(rename = "sha-1")]
    Sha1,
    /// SHA-256.
    #[serde(rename = "sha-256")]
    Sha256,
}

/// Of which octets a digest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checksummed {
    /// Of the payload as it is stored.
    Stored,
    /// Of what `gunzip` makes of it.
    Gunzipped,
}

/// A digest of a payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// How it is calculated.
    pub algorithm: ChecksumAlgorithm,
    /// Of which octets.
    pub of: Checksummed,
    /// The digest in lower-case hexadecimal.
    pub digest: Box<str>,
}

/// A part of a VIB's content: a member of its archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The member's name.
    pub name: Box<str>,
    /// What it is: `vgz`, `tgz`, `boot` and others.
    pub payload_type: Box<str>,
    /// Its size as it is stored, in octets.
    pub size: u64,
    /// Its digests.
    pub checksums: Vec<Checksum>,
    /// The name of its file in a boot bank, if it is given one.
    pub vfat_name: Option<Box<str>>,
}

/// What a VIB says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Where it is installed to.
    pub vib_type: VibType,
    /// Its name.
    pub name: Box<str>,
    /// Its version.
    pub version: VibVersion,
    /// Its vendor's code.
    pub vendor: Box<str>,
    /// What it is, in one line.
    pub summary: Box<str>,
    /// What it is.
    pub description: Box<str>,
    /// When it was released.
    pub release_date: Option<DateTime<Utc>>,
    /// What it refers to.
    pub urls: Vec<ReferenceUrl>,
    /// What it needs: each must be met.
    pub depends: Vec<Constraint>,
    /// What it does not stand beside.
    pub conflicts: Vec<Constraint>,
    /// What it takes the place of, beside older versions of its own.
    pub replaces: Vec<Constraint>,
    /// What it provides, beside its own name in its version.
    pub provides: Vec<Provide>,
    /// What it says that it goes with.
    pub compatible_with: Vec<Constraint>,
    /// Its tags, such as `driver`.
    pub tags: Vec<Box<str>>,
    /// When a host must be in maintenance mode.
    pub maintenance_mode: MaintenanceModeNeed,
    /// The hardware it is for; empty is any.
    pub hardware: Vec<HardwarePlatform>,
    /// The products it is for; empty is any.
    pub platforms: Vec<SoftwarePlatform>,
    /// The files it brings, without a leading `/`.
    pub files: Vec<Box<str>>,
    /// The acceptance level that it claims.
    pub acceptance_level: AcceptanceLevel,
    /// Whether it may be installed on a running host.
    pub live_install_allowed: bool,
    /// Whether it may be removed from a running host.
    pub live_remove_allowed: bool,
    /// Whether the CIM server must be started again afterwards.
    pub cimom_restart: bool,
    /// Whether it works on a host that keeps no state.
    pub stateless_ready: bool,
    /// Whether it may bring files that other VIBs bring too.
    pub overlay: bool,
    /// Its content.
    pub payloads: Vec<Payload>,
    /// When it was installed; only in the copy that an image keeps.
    pub installed_at: Option<DateTime<Utc>>,
}

impl Descriptor {
    /// Its id.
    pub fn id(&self) -> VibId {
        VibId::new(&format!("{}_{}_{}_{}", self.vendor, self.vib_type.word(), self.name, self.version))
    }
}
