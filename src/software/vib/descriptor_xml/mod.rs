//! A VIB's descriptor as XML: `descriptor.xml` of the VIB, its copy in metadata, and its copy in an image's database.

mod read;
mod write;

pub use read::{DESCRIPTOR_LIMIT, DescriptorProblem};
pub(super) use read::{
    attribute, checksum, constraints, descriptor, digest, name, not_empty, number, only, payload_name, provides,
    safe_path, software_platform, texts, version, vib_type,
};

#[cfg(test)]
mod tests;
