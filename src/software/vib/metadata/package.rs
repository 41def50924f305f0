//! Reads a metadata package file by file.

use std::io::{Read, Seek};
use std::sync::Arc;

use super::super::container::{ContainerProblem, Zip};
use super::super::descriptor::{Descriptor, SoftwarePlatform, VibId};
use super::super::descriptor_xml::{attribute, checksum, descriptor, number, only};
use super::super::error::{ImageError, ImageErrorClass};
use super::collected::Collected;
use super::document::{self, invalid, parse, rule};
use super::{MetadataVib, bulletin, consolidated, index, inside, profile};
use crate::xml::{Element, ElementExt};

/// How long the file of a VIB, of an image profile or of the products may be, in octets. The longest that VMware publishes
/// list some thousand files in less than half of it.
const FILE_LIMIT: u64 = 2 * 1024 * 1024;
/// How long the file of a bulletin may be, in octets.
const BULLETIN_LIMIT: u64 = 1024 * 1024;
/// How long `vmware.xml` may be, in octets: it has all bulletins and VIBs in one.
const CONSOLIDATED_LIMIT: u64 = 64 * 1024 * 1024;

/// The file that has all bulletins and VIBs in one.
const CONSOLIDATED: &str = "vmware.xml";
/// The file that tells of the products.
const INDEX: &str = "vendor-index.xml";

/// Reads a package whose VIBs lie below `base` of their depot, and which is for these products; `None` is those that it
/// tells itself.
pub(in super::super) fn read_package(
    package: impl Read + Seek,
    base: &str,
    products: Option<Vec<SoftwarePlatform>>,
    collected: &mut Collected,
) -> Result<(), ImageError> {
    let zip = Zip::open(package).map_err(refuse)?;
    let files = PackageFiles::of(zip.names())?;
    Package { zip, base, collected }.read(&files, products)
}

/// The files of a package that are read.
#[derive(Debug, Default)]
struct PackageFiles {
    bulletins: Vec<String>,
    vibs: Vec<String>,
    profiles: Vec<String>,
    has_consolidated: bool,
    has_index: bool,
}

impl PackageFiles {
    /// Those among these names, which must tell of bulletins or VIBs.
    fn of<'n>(names: impl Iterator<Item = &'n str>) -> Result<Self, ImageError> {
        let mut files = Self::default();
        for name in names {
            let folder = name.split_once('/').filter(|_| name.ends_with(".xml")).map(|(folder, _)| folder);
            match (name, folder) {
                (CONSOLIDATED, _) => files.has_consolidated = true,
                (INDEX, _) => files.has_index = true,
                (_, Some("bulletins")) => files.bulletins.push(name.to_owned()),
                (_, Some("vibs")) => files.vibs.push(name.to_owned()),
                (_, Some("profiles")) => files.profiles.push(name.to_owned()),
                _ => {}
            }
        }
        if files.bulletins.is_empty() && files.vibs.is_empty() && !files.has_consolidated {
            return Err(ImageError::new(
                ImageErrorClass::MetadataFormatError,
                "The ZIP is no metadata: it has neither vmware.xml nor bulletins or vibs. Name the metadata ZIP, which is \
                 called by vendor-index.xml.",
            ));
        }
        Ok(files)
    }
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
struct Package<'c, R> {
    zip: Zip<R>,
    base: &'c str,
    collected: &'c mut Collected,
}

impl<R: Read + Seek> Package<'_, R> {
    fn read(&mut self, files: &PackageFiles, products: Option<Vec<SoftwarePlatform>>) -> Result<(), ImageError> {
        let products = match products {
            Some(products) => products,
            None if files.has_index => index::products(index::rows(&self.document(INDEX, FILE_LIMIT)?)?),
            None => Vec::new(),
        };
        self.collected.begin_package(products).map_err(refuse)?;
        for file in &files.vibs {
            let (id, vib) = read_vib(file, &self.document(file, FILE_LIMIT)?, self.base)?;
            self.collected.add_vib(id, vib)?;
        }
        for file in &files.bulletins {
            let read = bulletin::read(file, &self.document(file, BULLETIN_LIMIT)?)?;
            self.collected.add_bulletin(read).map_err(refuse)?;
        }
        if files.has_consolidated && (files.bulletins.is_empty() || self.collected.lacks_vibs()) {
            self.consolidated(files.bulletins.is_empty())?;
        }
        for file in &files.profiles {
            let read = profile::read(&self.document(file, FILE_LIMIT)?).map_err(|why| invalid(file, &why))?;
            self.collected.add_profile(read);
        }
        Ok(())
    }

    fn document(&mut self, file: &str, limit: u64) -> Result<Element, ImageError> {
        let octets = self.octets(file, limit)?;
        parse(file, &octets)
    }

    fn octets(&mut self, file: &str, limit: u64) -> Result<Vec<u8>, ImageError> {
        let octets = self.zip.read(file, limit).map_err(refuse)?;
        self.collected.admit(&octets).map_err(refuse)?;
        Ok(octets)
    }

    /// Takes from `vmware.xml` what nothing better told.
    fn consolidated(&mut self, bulletins: bool) -> Result<(), ImageError> {
        let octets = self.octets(CONSOLIDATED, CONSOLIDATED_LIMIT)?;
        consolidated::read(&octets, |element| {
            for (id, vib) in consolidated::vibs(element, self.base)? {
                self.collected.add_vib(id, vib)?;
            }
            if bulletins {
                self.collected.add_bulletin(bulletin::read(CONSOLIDATED, element)?).map_err(refuse)?;
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
        products: Arc::default(),
    })
}
