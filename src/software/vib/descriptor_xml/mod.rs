//! A VIB's descriptor as XML: `descriptor.xml` of the VIB, its copy in metadata, and its copy in an image's database.

mod payloads;
mod read;
mod write;

pub(super) use payloads::{checksum, digest, payload_name};
pub use read::{DESCRIPTOR_LIMIT, DescriptorProblem};
pub(super) use read::{
    attribute, constraints, descriptor, name, not_empty, number, only, provides, safe_path, software_platform, texts,
    version, vib_type,
};

#[cfg(test)]
mod tests;
