//! Bundles: metadata with the VIBs that it describes, in a ZIP (an offline bundle) or in a folder. A single VIB file is
//! taken as a bundle of that VIB and of no bulletins.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, open};

use super::container::{ContainerProblem, Folder, SharedFile, Zip};
use super::descriptor::{Descriptor, VibId};
use super::descriptor_xml::DESCRIPTOR_LIMIT;
use super::error::{ImageError, ImageErrorClass};
use super::metadata::{
    Collected, Metadata, MetadataRow, MetadataVib, metadata_rows, products, read_package, vendor_indexes,
};
use crate::software::ar::{ArError, ArReader};

/// How long an index may be, in octets.
const INDEX_LIMIT: u64 = 1024 * 1024;
/// The file that leads to everything else.
const INDEX: &str = "index.xml";
/// How many ZIPs in a ZIP are looked into for the bundle that may be meant, and how long they may be for that.
const MOST_NESTED: usize = 8;
const LONGEST_NESTED: u64 = 64 * 1024 * 1024;
/// How many rows the indexes of a bundle's vendors may have together.
const MOST_ROWS: usize = 1_000;
/// How long a metadata ZIP may be, in octets; it is held in memory while it is read.
const METADATA_LIMIT: u64 = 64 * 1024 * 1024;

/// A bundle that is open, with its metadata.
///
/// Its VIBs can be read by several threads at once. Nobody has looked at them yet: whoever reads a VIB compares it with
/// what the metadata says of it.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    source: Source,
    metadata: Arc<Metadata>,
}

/// A metadata package as the vendors' indexes name it.
#[derive(Debug)]
struct Package {
    /// The folder that its vendor's files lie in.
    base: String,
    /// The rows that name it.
    rows: Vec<MetadataRow>,
}

/// Where the files of a bundle lie.
#[derive(Debug)]
enum Source {
    Zip(Zip<SharedFile>),
    Folder(Folder),
    Vib(SharedFile),
}

impl Bundle {
    /// Opens a bundle: a ZIP, a folder of the same layout, a folder without an `index.xml` in which one ZIP lies, or a VIB
    /// file.
    ///
    /// # Errors
    /// As [`Self::of`]; `BundleIOError` if the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        // Opening a FIFO for reading would wait for its writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = open(path, flags, Mode::empty()).map_err(|error| unreadable(path, &error))?;
        Self::of(file.into(), path)
    }

    /// The bundle in a file or folder that is open; the path is for messages.
    ///
    /// # Errors
    /// `MetadataDownloadError` for what has no `index.xml`, in esximage's words; `BundleFormatError` for a ZIP or a folder
    /// that is not taken; `BundleIOError` for what cannot be read; `VibFormatError` and `VibValidationError` for a VIB file
    /// that is none; and what [`Metadata::read`] says of the metadata.
    pub fn of(file: File, path: &Path) -> Result<Self, ImageError> {
        match Source::of(file, path)? {
            Source::Vib(file) => Self::of_vib(path, file),
            Source::Folder(folder) => match folder.only_zip().map_err(|why| refused(path, &why))? {
                Some((name, zip)) => Self::of(zip, &path.join(name)),
                None => Self::with_index(path, Source::Folder(folder)),
            },
            source => Self::with_index(path, source),
        }
    }

    /// Looks whether a file or folder that is open may be a bundle, without reading its metadata: whether it has an
    /// `index.xml`, or begins as VIBs do.
    ///
    /// # Errors
    /// As [`Self::of`], without what it says of the metadata.
    pub fn check(file: File, path: &Path) -> Result<(), ImageError> {
        match Source::of(file, path)? {
            Source::Vib(_) => Ok(()),
            Source::Folder(folder) => match folder.only_zip().map_err(|why| refused(path, &why))? {
                Some((name, zip)) => Self::check(zip, &path.join(name)),
                None => Source::Folder(folder).index(path).map(|_| ()),
            },
            mut source => source.index(path).map(|_| ()),
        }
    }

    fn with_index(path: &Path, mut source: Source) -> Result<Self, ImageError> {
        let index = source.index(path)?;
        let lacks = |why: ContainerProblem| refused(path, &why);
        let mut collected = Collected::default();
        for (place, package) in source.packages(path, &index, &mut collected)? {
            let octets = source.read(&place, METADATA_LIMIT).map_err(lacks)?;
            collected.admit(&octets).map_err(lacks)?;
            read_package(Cursor::new(octets), &package.base, Some(products(package.rows)), &mut collected)?;
        }
        Ok(Self { path: path.to_owned(), source, metadata: Arc::new(collected.finish()) })
    }

    fn of_vib(path: &Path, file: SharedFile) -> Result<Self, ImageError> {
        let descriptor = read_descriptor(file.clone())?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let vib = MetadataVib {
            descriptor: Arc::new(descriptor),
            is_complete: true,
            relative_path: name.into(),
            packed_size: file.length(),
            sha256: None,
            products: Arc::default(),
        };
        let mut metadata = Metadata::default();
        metadata.vibs.insert(vib.descriptor.id(), vib);
        Ok(Self { path: path.to_owned(), source: Source::Vib(file), metadata: Arc::new(metadata) })
    }

    /// What it says of its bulletins and VIBs.
    pub fn metadata(&self) -> &Arc<Metadata> {
        &self.metadata
    }

    /// Gives the octets of a VIB to who reads them, from the first to the last.
    ///
    /// # Errors
    /// What the reader returns; `NoMatchError` if the metadata has no such VIB, `VibDownloadError` if the bundle has not its
    /// file, `BundleFormatError` and `BundleIOError` if it has it in a way that is not taken or cannot be read.
    pub fn open_vib<T, E: From<ImageError>>(
        &self,
        id: &VibId,
        read: impl FnOnce(&mut dyn Read) -> Result<T, E>,
    ) -> Result<T, E> {
        let vib = self.metadata.vibs.get(id).ok_or_else(|| no_match(id))?;
        let place = &*vib.relative_path;
        let missing = |problem: ContainerProblem| E::from(self.no_vib(id, place, &problem));
        match &self.source {
            Source::Zip(zip) => zip.clone().with(place, |_, octets| read(octets)).map_err(missing)?,
            Source::Folder(folder) => read(&mut folder.open(place).map_err(missing)?),
            Source::Vib(file) => read(&mut file.clone()),
        }
    }

    /// Says in esximage's form that a VIB is not where it should be, or that the bundle does not give it.
    fn no_vib(&self, id: &VibId, place: &str, problem: &ContainerProblem) -> ImageError {
        if !matches!(problem, ContainerProblem::Missing(_)) {
            return refused(&self.path, problem).of([id.clone()]);
        }
        let class = ImageErrorClass::VibDownloadError;
        let url = self.source.url(&self.path, place);
        ImageError::new(class, format!("('{url}', '', '{problem}'). {}", class.advice())).at(url).of([id.clone()])
    }
}

impl Source {
    /// What a file or folder that is open is by its beginning.
    fn of(mut file: File, path: &Path) -> Result<Self, ImageError> {
        let failed = |error: std::io::Error| unreadable(path, &error);
        let found = file.metadata().map_err(failed)?;
        if found.is_dir() {
            return Ok(Self::Folder(Folder::new(file)));
        }
        if !found.is_file() {
            return Err(unreadable(path, &"it is neither a file nor a folder"));
        }
        let is_vib = starts_as_ar(&mut file).map_err(failed)?;
        let shared = SharedFile::new(file).map_err(failed)?;
        if is_vib {
            return Ok(Self::Vib(shared));
        }
        Zip::open(shared)
            .map(Self::Zip)
            .map_err(|problem| no_index(path, &format!("zip:{}?index.xml", path.display()), &problem, &[]))
    }

    /// `index.xml`
    fn index(&mut self, path: &Path) -> Result<Vec<u8>, ImageError> {
        let read = self.read(INDEX, INDEX_LIMIT);
        read.map_err(|why| no_index(path, &self.url(path, INDEX), &why, &self.nested_zips()))
    }

    fn read(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, ContainerProblem> {
        match self {
            Self::Zip(zip) => zip.read(name, limit),
            Self::Folder(folder) => folder.read(name, limit),
            Self::Vib(_) => Err(ContainerProblem::Missing(name.to_owned())),
        }
    }

    /// The metadata packages by their places, in the order in which they are named.
    fn packages(
        &mut self,
        path: &Path,
        index: &[u8],
        collected: &mut Collected,
    ) -> Result<Vec<(String, Package)>, ImageError> {
        let lacks = |why: ContainerProblem| refused(path, &why);
        let too_many =
            |what: &str| lacks(ContainerProblem::Refused(format!("It has more than the {what} that are allowed")));
        let mut seen = HashSet::new();
        let mut packages: Vec<(String, Package)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut rows = 0;
        for vendor in vendor_indexes(index)?.into_iter().filter(|vendor| seen.insert(vendor.path.clone())) {
            let octets = self.read(&vendor.path, INDEX_LIMIT).map_err(lacks)?;
            collected.admit(&octets).map_err(lacks)?;
            for row in metadata_rows(&vendor.path, &octets, &vendor.base)? {
                rows += 1;
                if rows > MOST_ROWS {
                    return Err(too_many(&format!("{MOST_ROWS} rows in the indexes of its vendors")));
                }
                let place = *places.entry(row.url.clone()).or_insert(packages.len());
                if place == packages.len() {
                    packages.push((row.url.clone(), Package { base: vendor.base.clone(), rows: Vec::new() }));
                }
                if let Some((_, package)) = packages.get_mut(place) {
                    package.rows.push(row);
                }
            }
        }
        Ok(packages)
    }

    /// A ZIP in the ZIP that has an index, and so may be the bundle that was meant.
    fn nested_zip(&self) -> Option<String> {
        let Self::Zip(zip) = self else { return None };
        let names: Vec<&str> = zip.names().filter(|name| name.ends_with(".zip")).take(MOST_NESTED).collect();
        let mut zip = zip.clone();
        let mut is_bundle = |name: &str| {
            let inner = zip.read(name, LONGEST_NESTED).ok().and_then(|octets| Zip::open(Cursor::new(octets)).ok());
            inner.is_some_and(|inner| inner.names().any(|name| name == INDEX))
        };
        names.into_iter().find(|name| is_bundle(name)).map(str::to_owned)
    }

    /// The ZIPs in it, one of which may be the bundle that was meant.
    fn nested_zips(&self) -> Vec<String> {
        match self {
            Self::Zip(_) => self.nested_zip().into_iter().collect(),
            Self::Folder(folder) => folder.zips().unwrap_or_default(),
            Self::Vib(_) => Vec::new(),
        }
    }

    /// The address of a file as esximage writes it.
    fn url(&self, path: &Path, name: &str) -> String {
        match self {
            Self::Zip(_) => format!("zip:{}?{name}", path.display()),
            Self::Folder(_) => format!("file://{}/{name}", path.display()),
            Self::Vib(_) => format!("file://{}", path.display()),
        }
    }
}

/// Says in esximage's words that there is no index.
fn no_index(path: &Path, url: &str, problem: &ContainerProblem, nested: &[String]) -> ImageError {
    if matches!(problem, ContainerProblem::Refused(_) | ContainerProblem::Io(_)) {
        return refused(path, problem);
    }
    let class = ImageErrorClass::MetadataDownloadError;
    let path = path.display();
    let advice = match nested {
        [inner] => format!("It holds {inner}, which may be the bundle: unpack that and name it instead."),
        [_, _, ..] => format!("It holds {}: name the one that is meant.", nested.join(", ")),
        [] => "Name an offline bundle, complete as its vendor published it.".to_owned(),
    };
    let why = format!("Error extracting index.xml from {path}: {problem}");
    ImageError::new(
        class,
        format!("Could not download from depot at {url}, skipping (('{url}', '', '{why}')). {advice}"),
    )
    .at(url)
}

/// Says that a bundle is not taken or cannot be read.
fn refused(path: &Path, problem: &ContainerProblem) -> ImageError {
    let class = match problem {
        ContainerProblem::Io(_) => ImageErrorClass::BundleIOError,
        _ => ImageErrorClass::BundleFormatError,
    };
    ImageError::new(class, format!("The bundle {} cannot be read: {problem}. {}", path.display(), class.advice()))
}

fn unreadable(path: &Path, why: &impl std::fmt::Display) -> ImageError {
    let class = ImageErrorClass::BundleIOError;
    ImageError::new(class, format!("The bundle {} cannot be read: {why}. {}", path.display(), class.advice()))
}

fn no_match(id: &VibId) -> ImageError {
    let class = ImageErrorClass::NoMatchError;
    let text = format!("No VIB matching VIB search specification '{id}'. {}", class.advice());
    ImageError::new(class, text).of([id.clone()])
}

/// Whether a file begins as `ar` archives do.
fn starts_as_ar(file: &mut File) -> std::io::Result<bool> {
    let mut start = Vec::new();
    (&mut *file).take(8).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(start == b"!<arch>\n")
}

/// The descriptor of a VIB file, which is its first member.
fn read_descriptor(file: SharedFile) -> Result<Descriptor, ImageError> {
    let class = ImageErrorClass::VibFormatError;
    let wrong = |why: &dyn std::fmt::Display| {
        ImageError::new(class, format!("The VIB cannot be read: {why}. {}", class.advice()))
    };
    let damaged = |error: ArError| wrong(&error);
    let mut archive = ArReader::open(file, 4).map_err(damaged)?;
    let member = archive.next_member().map_err(damaged)?.filter(|member| member.name == "descriptor.xml");
    let member = member.ok_or_else(|| wrong(&"its first member is not descriptor.xml"))?;
    if member.size > DESCRIPTOR_LIMIT as u64 {
        return Err(wrong(&format!("its descriptor.xml has more than {DESCRIPTOR_LIMIT} octets")));
    }
    let mut text = String::new();
    archive.read_to_string(&mut text).map_err(|error| wrong(&error))?;
    Descriptor::from_xml(&text)
}

#[cfg(test)]
mod tests;
