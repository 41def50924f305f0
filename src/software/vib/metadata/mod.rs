//! Metadata packages: what a vendor says of bulletins, VIBs and image profiles without giving the VIBs themselves. One
//! package is for one version of a product, or for a few.

mod bulletin;
mod collected;
mod consolidated;
mod document;
mod index;
mod profile;

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::sync::Arc;

use super::bulletin::Bulletin;
use super::container::{ContainerProblem, Zip};
use super::descriptor::{Descriptor, SoftwarePlatform, VibId};
use super::descriptor_xml::{DESCRIPTOR_LIMIT, attribute, checksum, descriptor, number, only};
use super::error::{ImageError, ImageErrorClass};
use super::profile::ImageProfile;
use crate::xml::{Element, ElementExt};
pub(super) use collected::Collected;
use document::{invalid, parse, rule};
pub(super) use index::{inside, metadata_rows, vendor_indexes};

/// How long a file of a package may be, in octets.
const FILE_LIMIT: u64 = DESCRIPTOR_LIMIT as u64;
/// How long `vmware.xml` may be, in octets: it has all bulletins and VIBs in one.
const CONSOLIDATED_LIMIT: u64 = 64 * 1024 * 1024;
/// How long all files of a package may be together, in octets.
const TOTAL_LIMIT: u64 = 512 * 1024 * 1024;

/// What metadata says, of one package or of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The products that it is for, as far as it tells.
    pub platforms: Vec<SoftwarePlatform>,
    /// The bulletins, in the order of their ids.
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
        read_package(package, "", &mut collected)?;
        Ok(collected.finish())
    }
}

/// Reads a package whose VIBs lie below `base` of their depot.
pub(super) fn read_package(package: impl Read + Seek, base: &str, collected: &mut Collected) -> Result<(), ImageError> {
    let zip = Zip::open(package).map_err(refuse)?;
    let files: Vec<String> = zip.names().map(str::to_owned).collect();
    let has = |name: &str| files.iter().any(|file| file == name);
    let in_folder = |folder: &str| {
        let is_in = |file: &&String| {
            file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')) && file.ends_with(".xml")
        };
        files.iter().filter(is_in).map(String::as_str).collect::<Vec<_>>()
    };
    let (bulletins, vibs) = (in_folder("bulletins"), in_folder("vibs"));
    if bulletins.is_empty() && vibs.is_empty() && !has("vmware.xml") {
        return Err(ImageError::new(
            ImageErrorClass::MetadataFormatError,
            "The ZIP is no metadata: it has neither vmware.xml nor bulletins or vibs. Name the metadata ZIP, which is \
             called by vendor-index.xml.",
        ));
    }
    let mut package = Package { zip, base, left: TOTAL_LIMIT };
    if has("vendor-index.xml") {
        for row in index::rows(&package.document("vendor-index.xml")?)? {
            collected.add_platform(row.platform);
        }
    }
    for file in vibs {
        let (id, vib) = read_vib(file, &package.document(file)?, base)?;
        collected.add_vib(id, vib)?;
    }
    for file in &bulletins {
        collected.add_bulletin(bulletin::read(file, &package.document(file)?)?);
    }
    if has("vmware.xml") && (bulletins.is_empty() || collected.lacks_vibs()) {
        package.consolidated(bulletins.is_empty(), collected)?;
    }
    for file in in_folder("profiles") {
        collected.add_profile(profile::read(&package.document(file)?).map_err(|why| invalid(file, &why))?);
    }
    Ok(())
}

/// Says that a package cannot be read.
fn refuse(problem: ContainerProblem) -> ImageError {
    let class = match problem {
        ContainerProblem::Io(_) => ImageErrorClass::FileIOError,
        _ => ImageErrorClass::MetadataFormatError,
    };
    ImageError::new(class, format!("The metadata ZIP cannot be read: {problem}. {}", class.advice()))
}

/// A package that is being read.
struct Package<'b, R> {
    zip: Zip<R>,
    base: &'b str,
    /// How many octets may still be read of it.
    left: u64,
}

impl<R: Read + Seek> Package<'_, R> {
    fn document(&mut self, file: &str) -> Result<Element, ImageError> {
        let octets = self.octets(file, FILE_LIMIT)?;
        parse(file, &octets)
    }

    fn octets(&mut self, file: &str, limit: u64) -> Result<Vec<u8>, ImageError> {
        let octets = self.zip.read(file, limit).map_err(refuse)?;
        self.left = self.left.checked_sub(octets.len() as u64).ok_or_else(|| {
            let why = format!("Its files are longer than the {TOTAL_LIMIT} octets that are allowed for all together");
            refuse(ContainerProblem::Refused(why))
        })?;
        Ok(octets)
    }

    /// Takes from `vmware.xml` what nothing better told.
    fn consolidated(&mut self, bulletins: bool, collected: &mut Collected) -> Result<(), ImageError> {
        let octets = self.octets("vmware.xml", CONSOLIDATED_LIMIT)?;
        consolidated::read(&octets, |element| {
            for (id, vib) in consolidated::vibs(element, self.base)? {
                collected.add_vib(id, vib)?;
            }
            if bulletins {
                collected.add_bulletin(bulletin::read("vmware.xml", element)?);
            }
            Ok(())
        })
    }
}

/// The VIB that a file of `vibs/` describes.
fn read_vib(file: &str, root: &Element, base: &str) -> Result<(VibId, MetadataVib), ImageError> {
    let descriptor = descriptor(root).map_err(|problem| document::vib_problem(file, problem))?;
    let id = descriptor.id();
    let vib = located(root, Arc::new(descriptor), base).map_err(|why| rule(&id, &why))?;
    Ok((id, vib))
}

fn located(root: &Element, descriptor: Arc<Descriptor>, base: &str) -> Result<MetadataVib, String> {
    let text = |tag| Ok::<_, String>(only(root, tag)?.map(ElementExt::text).unwrap_or_default());
    let sha256 = only(root, "checksum")?.filter(|element| attribute(element, "checksum-type") == Some("sha-256"));
    Ok(MetadataVib {
        descriptor,
        is_complete: true,
        relative_path: inside(base, text("relative-path")?)?.into(),
        packed_size: number("Element packed-size", text("packed-size")?)?,
        sha256: sha256.map(checksum).transpose()?.flatten().map(|checksum| checksum.digest),
    })
}

#[cfg(test)]
mod tests;
