//! Reads `primary.xml`, the list of a repository's packages.

mod relations;

use std::io::{self, BufRead};

use quick_xml::events::BytesStart;
use tracing::warn;

use super::elements::{Elements, Met, append, attribute};
use crate::software::rpm::relations::Relation;
use relations::Section;

/// The largest list that is read, in octets once it is decompressed; Fedora's whole list has some 250 million.
pub(super) const LARGEST: u64 = 2 * 1024 * 1024 * 1024;

/// How many packages of one list are read.
const MOST_PACKAGES: usize = 1_000_000;

/// How many octets of a package's texts are kept: those that name it must not be longer, of the others the rest is cut off.
const LONGEST_NAME: usize = 1024;
const LONGEST_LINE: usize = 4 * 1024;
const LONGEST_DESCRIPTION: usize = 64 * 1024;

/// How many relations of one package are read; a kernel's has some ten thousand.
const MOST_RELATIONS: usize = 100_000;

/// How much of each package is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// What it is.
    Packages,
    /// Also what it provides, without its files.
    Provides,
    /// Also what it needs and provides, which is most of a list.
    Relations,
}

/// Whether the one who is told of packages wants more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The next one, please.
    GoOn,
    /// No more.
    Stop,
}

/// What a list says of one package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Its name.
    pub name: String,
    /// Its architecture.
    pub architecture: String,
    /// Its epoch; 0 where it has none.
    pub epoch: u32,
    /// Its version.
    pub version: String,
    /// Its release.
    pub release: String,
    /// One line about it.
    pub summary: String,
    /// More about it.
    pub description: String,
    /// Who has built it; empty where that is not told.
    pub vendor: String,
    /// Who has packaged it; empty where that is not told.
    pub packager: String,
    /// The size of its installed files, in octets.
    pub installed_size: Option<u64>,
    /// The size of the package file, in octets.
    pub download_size: Option<u64>,
    /// What it needs and provides, as rpm writes it; its files among them, as far as the list has them.
    pub relations: Vec<(Relation, String)>,
}

/// Reads a list to its end and tells of each package that has a proper name. The list must not be damaged; what was told
/// before the damage was found is as it was in the list.
pub(super) fn read<R: BufRead>(
    mut elements: Elements<R>,
    extent: Extent,
    take: &mut dyn FnMut(&Told) -> Use,
) -> io::Result<()> {
    let mut package = Package { extent: Some(extent), ..Package::default() };
    let (mut packages, mut improper) = (0, 0);
    loop {
        let depth = elements.depth();
        match elements.next()? {
            Met::Start(tag) => package.start(depth, &tag)?,
            Met::Text(text) => package.text(depth, &text),
            Met::End if depth == 2 && package.is_open => {
                package.is_open = false;
                packages += 1;
                if packages > MOST_PACKAGES {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "it has more packages than any repository"));
                }
                if !package.told.is_proper() {
                    improper += 1;
                } else if take(&package.told) == Use::Stop {
                    return Ok(());
                }
            }
            Met::End => package.end(),
            Met::Nothing => {}
            Met::Finished if improper > 0 => {
                warn!(packages = improper, "packages without proper name, version or architecture are left out");
                return Ok(());
            }
            Met::Finished => return Ok(()),
        }
    }
}

/// A package of which a part was read.
#[derive(Default)]
struct Package {
    told: Told,
    is_open: bool,
    /// Whether its `format` element was begun, which holds what only RPM packages have.
    has_format: bool,
    field: Option<Field>,
    /// How much is read, and of which kind the relations are that follow.
    extent: Option<Extent>,
    relation: Option<Section>,
    file: String,
}

/// The element whose text is being read, and how many elements are open inside it.
#[derive(Clone, Copy)]
struct Field {
    depth: usize,
    tag: Tag,
}

#[derive(Clone, Copy)]
enum Tag {
    Name,
    Architecture,
    Summary,
    Description,
    Packager,
    Vendor,
    File,
}

impl Package {
    /// Takes the beginning of an element inside of `depth` others.
    fn start(&mut self, depth: usize, tag: &BytesStart<'_>) -> io::Result<()> {
        if depth < 3 {
            self.relation = None;
        }
        // Most of a list are relations and files of packages, which lie deeper.
        if depth == 1 {
            self.file.clear();
            self.field = None;
            self.has_format = false;
            self.told.clear();
            self.is_open = tag.local_name().as_ref() == "package";
        } else if depth == 2 && self.is_open {
            self.has_format = false;
            self.field = None;
            let field = match tag.local_name().as_ref() {
                "name" => Tag::Name,
                "arch" => Tag::Architecture,
                "summary" => Tag::Summary,
                "description" => Tag::Description,
                "packager" => Tag::Packager,
                "version" => return self.told.take_version(tag),
                "size" => return self.told.take_sizes(tag),
                "format" => {
                    self.has_format = true;
                    return Ok(());
                }
                _ => return Ok(()),
            };
            self.field = Some(Field { depth: depth + 1, tag: field });
        } else if depth == 3 && self.has_format {
            self.field = match tag.local_name().as_ref() {
                "vendor" => Some(Field { depth: depth + 1, tag: Tag::Vendor }),
                "file" if self.extent == Some(Extent::Relations) => Some(Field { depth: depth + 1, tag: Tag::File }),
                _ => None,
            };
            self.relation = self.extent.and_then(|extent| Section::of(tag, extent));
        } else if depth == 4
            && let Some(section) = self.relation
            && self.told.relations.len() < MOST_RELATIONS
        {
            self.told.relations.extend(section.entry(tag)?);
        }
        Ok(())
    }

    /// Takes the end of an element inside of a package.
    fn end(&mut self) {
        let ended = self.field.take();
        if ended.is_some_and(|field| matches!(field.tag, Tag::File)) && self.told.relations.len() < MOST_RELATIONS {
            self.told.relations.push((Relation::Provides, std::mem::take(&mut self.file)));
        }
    }

    /// Takes a piece of text inside of `depth` elements.
    fn text(&mut self, depth: usize, piece: &str) {
        let Some(field) = self.field.filter(|field| field.depth == depth) else { return };
        let (text, most) = match field.tag {
            // One octet more shows that the name is too long.
            Tag::Name => (&mut self.told.name, LONGEST_NAME + 1),
            Tag::Architecture => (&mut self.told.architecture, LONGEST_NAME + 1),
            Tag::Summary => (&mut self.told.summary, LONGEST_LINE),
            Tag::Description => (&mut self.told.description, LONGEST_DESCRIPTION),
            Tag::Packager => (&mut self.told.packager, LONGEST_LINE),
            Tag::Vendor => (&mut self.told.vendor, LONGEST_LINE),
            Tag::File => (&mut self.file, LONGEST_LINE),
        };
        append(text, piece, most);
    }
}

impl Told {
    fn take_version(&mut self, tag: &BytesStart<'_>) -> io::Result<()> {
        self.version = attribute(tag, "ver")?.unwrap_or_default();
        self.release = attribute(tag, "rel")?.unwrap_or_default();
        match attribute(tag, "epoch")?.as_deref().unwrap_or("0").parse() {
            Ok(epoch) => self.epoch = epoch,
            // A package without version is left out.
            Err(_) => self.version.clear(),
        }
        Ok(())
    }

    fn take_sizes(&mut self, tag: &BytesStart<'_>) -> io::Result<()> {
        self.installed_size = attribute(tag, "installed")?.and_then(|size| size.parse().ok());
        self.download_size = attribute(tag, "package")?.and_then(|size| size.parse().ok());
        Ok(())
    }

    /// Whether name parts can be made of it that tell it from all others.
    fn is_proper(&self) -> bool {
        let is_proper = |part: &str, without: &[char]| {
            !part.is_empty()
                && part.len() <= LONGEST_NAME
                && !part.contains(without)
                && !part.contains(char::is_control)
        };
        is_proper(&self.name, &[':'])
            && is_proper(&self.version, &['-', ':'])
            && is_proper(&self.release, &['-', ':'])
            && is_proper(&self.architecture, &['-', ':', '.'])
    }

    /// Forgets everything and keeps the room for the next.
    fn clear(&mut self) {
        let Self { name, architecture, epoch, version, release, summary, description, vendor, packager, .. } = self;
        for text in [name, architecture, version, release, summary, description, vendor, packager] {
            text.clear();
        }
        *epoch = 0;
        (self.installed_size, self.download_size) = (None, None);
        self.relations.clear();
    }
}

#[cfg(test)]
mod tests;
