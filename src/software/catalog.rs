//! What repositories offer: an immutable snapshot of many thousand packages, compact enough to be kept while it is needed.
//!
//! Texts lie one behind the other in a few large blocks, and packages are made of them when they are asked for.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem::Finder;

use super::inventory::Lookup;
use super::version::{debian_order, rpm_order};
use super::{Family, Nevra, Package, PackageState};

/// The C library maps blocks of this size one by one, whatever it has learnt of the program, and so gives them back to the
/// system when they are freed. What is never written to takes no memory.
const BLOCK: usize = 33 * 1024 * 1024;

/// Between a package's name and its summary, and behind the summary, where texts are searched. Neither has one.
const SEPARATOR: char = '\n';

/// What the enabled repositories of a host offer, sorted by name parts.
#[derive(Debug)]
pub struct Catalog {
    family: Family,
    repositories: Vec<Arc<str>>,
    architectures: Vec<Arc<str>>,
    manufacturers: Vec<Arc<str>>,
    rows: Vec<Row>,
    /// By row: the repositories that have it.
    offers: Vec<(u32, u16)>,
    /// Versions, releases and descriptions.
    texts: String,
    /// Name and summary of each row, in the order of the rows.
    searched: String,
}

/// A part of a block of texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Stored {
    at: u32,
    length: u32,
}

impl Stored {
    fn of(self, block: &str) -> &str {
        let at = self.at as usize;
        block.get(at..at + self.length as usize).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    name: Stored,
    summary: Stored,
    version: Stored,
    release: Option<Stored>,
    description: Stored,
    epoch: u32,
    architecture: u32,
    manufacturer: Option<u32>,
    installed_size: Option<u64>,
    download_size: Option<u64>,
}

/// A package as a repository's index tells of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its epoch; 0 where it has none.
    pub epoch: u32,
    /// Its version, without epoch and release.
    pub version: &'a str,
    /// Its release or revision.
    pub release: Option<&'a str>,
    /// Its architecture.
    pub architecture: &'a str,
    /// One line about it.
    pub summary: &'a str,
    /// More about it, as [`CatalogBuilder::store`] kept it.
    pub description: Stored,
    /// Who makes it.
    pub manufacturer: Option<&'a str>,
    /// The size of its files, in octets.
    pub installed_size: Option<u64>,
    /// The size of the package file, in octets.
    pub download_size: Option<u64>,
}

/// There is more text than a catalog can hold, which is 4 GiB, or there are more repositories than 65,535.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the repositories offer more than can be kept")]
pub(super) struct CatalogFull;

/// A catalog that is being read.
#[derive(Debug)]
pub(super) struct CatalogBuilder {
    catalog: Catalog,
    /// Names and summaries in the order in which they were read.
    unsorted: String,
    architectures: Few,
    manufacturers: Few,
}

impl CatalogBuilder {
    /// A catalog of what these repositories offer, by their ids.
    pub(super) fn new(family: Family, repositories: Vec<Arc<str>>) -> Self {
        let catalog = Catalog {
            family,
            repositories,
            architectures: Vec::new(),
            manufacturers: Vec::new(),
            rows: Vec::with_capacity(BLOCK / size_of::<Row>()),
            offers: Vec::new(),
            texts: String::with_capacity(BLOCK),
            searched: String::new(),
        };
        let unsorted = String::with_capacity(BLOCK);
        Self { catalog, unsorted, architectures: Few::default(), manufacturers: Few::default() }
    }

    /// Keeps a description, for as many offers as have it.
    pub(super) fn store(&mut self, text: &str) -> Result<Stored, CatalogFull> {
        store(&mut self.catalog.texts, text)
    }

    /// Adds a package that the repository with this place in the list offers.
    pub(super) fn add(&mut self, repository: usize, offer: &Offer<'_>) -> Result<(), CatalogFull> {
        let Self { catalog, unsorted, architectures, manufacturers } = self;
        let row = Row {
            name: store(unsorted, offer.name)?,
            summary: store_line(unsorted, offer.summary)?,
            version: store(&mut catalog.texts, offer.version)?,
            release: offer.release.map(|release| store(&mut catalog.texts, release)).transpose()?,
            description: offer.description,
            epoch: offer.epoch,
            architecture: architectures.place_of(offer.architecture)?,
            manufacturer: offer.manufacturer.map(|m| manufacturers.place_of(m)).transpose()?,
            installed_size: offer.installed_size,
            download_size: offer.download_size,
        };
        let number = u32::try_from(catalog.rows.len()).map_err(|_| CatalogFull)?;
        catalog.rows.push(row);
        catalog.offers.push((number, u16::try_from(repository).map_err(|_| CatalogFull)?));
        Ok(())
    }

    /// The catalog: sorted, and a package that several repositories offer is there once.
    pub(super) fn finish(self) -> Result<Catalog, CatalogFull> {
        let Self { mut catalog, unsorted, architectures, manufacturers } = self;
        (catalog.architectures, catalog.manufacturers) = (architectures.texts, manufacturers.texts);
        let mut order: Vec<u32> = catalog.offers.iter().map(|&(row, _)| row).collect();
        order.sort_by(|&a, &b| catalog.identity(a, &unsorted).cmp(&catalog.identity(b, &unsorted)));
        let mut rows: Vec<Row> = Vec::with_capacity(BLOCK / size_of::<Row>());
        let mut offers = Vec::with_capacity(order.len());
        let mut searched = String::with_capacity(BLOCK);
        let mut last: Option<u32> = None;
        for &read in &order {
            let Some(row) = catalog.rows.get(read as usize) else { continue };
            let is_new = last.is_none_or(|l| catalog.identity(l, &unsorted) != catalog.identity(read, &unsorted));
            if is_new {
                let name = store_line(&mut searched, row.name.of(&unsorted))?;
                searched.push(SEPARATOR);
                let summary = store_line(&mut searched, row.summary.of(&unsorted))?;
                searched.push(SEPARATOR);
                rows.push(Row { name, summary, ..*row });
            }
            last = Some(read);
            let number = u32::try_from(rows.len().saturating_sub(1)).map_err(|_| CatalogFull)?;
            // Read one row an offer, so they have the same numbers.
            offers.extend(catalog.offers.get(read as usize).map(|&(_, repository)| (number, repository)));
        }
        offers.sort_unstable();
        offers.dedup();
        (catalog.rows, catalog.offers, catalog.searched) = (rows, offers, searched);
        Ok(catalog)
    }
}

impl Catalog {
    /// A catalog of nothing.
    pub fn empty(family: Family) -> Self {
        Self {
            family,
            repositories: Vec::new(),
            architectures: Vec::new(),
            manufacturers: Vec::new(),
            rows: Vec::new(),
            offers: Vec::new(),
            texts: String::new(),
            searched: String::new(),
        }
    }

    /// How many packages are offered; they are numbered from 0, in the order of their name parts.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is offered.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The package with this number.
    pub fn package(&self, number: usize) -> Option<Package> {
        let row = self.rows.get(number)?;
        let manufacturer = row.manufacturer.and_then(|place| self.manufacturers.get(place as usize));
        Some(Package {
            nevra: self.nevra(number)?,
            state: PackageState::NotInstalled,
            summary: row.summary.of(&self.searched).into(),
            description: row.description.of(&self.texts).into(),
            manufacturer: manufacturer.cloned(),
            installed_at: None,
            installed_size: row.installed_size,
        })
    }

    /// The name parts of the package with this number.
    pub fn nevra(&self, number: usize) -> Option<Nevra> {
        let row = self.rows.get(number)?;
        Some(Nevra {
            name: row.name.of(&self.searched).into(),
            epoch: row.epoch,
            version: row.version.of(&self.texts).into(),
            release: row.release.map(|release| release.of(&self.texts).into()),
            architecture: self.architectures.get(row.architecture as usize)?.clone(),
        })
    }

    /// The size of the package file, in octets, where the index tells it.
    pub fn download_size(&self, number: usize) -> Option<u64> {
        self.rows.get(number)?.download_size
    }

    /// The number of the package with exactly these name parts.
    pub fn find(&self, nevra: &Nevra) -> Option<usize> {
        let mut named = self.named(&nevra.name);
        let release = nevra.release.as_deref();
        named.find(|&number| {
            self.rows.get(number).is_some_and(|row| {
                row.epoch == nevra.epoch
                    && row.version.of(&self.texts) == &*nevra.version
                    && row.release.map(|r| r.of(&self.texts)) == release
                    && self.architecture(row) == &*nevra.architecture
            })
        })
    }

    /// The package that `name-[epoch:]version[-release].arch` names; without an epoch the one with epoch 0.
    pub fn find_text(&self, text: &str) -> Lookup {
        let found = Nevra::readings(text).into_iter().filter_map(|nevra| self.find(&nevra));
        Lookup::of(found.filter_map(|number| self.package(number)).map(Arc::new))
    }

    /// The numbers of all packages of this name.
    pub fn named(&self, name: &str) -> Range<usize> {
        let from = self.rows.partition_point(|row| row.name.of(&self.searched) < name);
        let to = self.rows.partition_point(|row| row.name.of(&self.searched) <= name);
        from..to
    }

    /// The numbers of the packages whose name or summary has this text in it, in order.
    pub fn containing(&self, text: &str) -> Vec<usize> {
        if text.is_empty() {
            return (0..self.len()).collect();
        }
        if text.contains(SEPARATOR) {
            return Vec::new();
        }
        let mut found: Vec<usize> = Vec::new();
        for at in Finder::new(text).find_iter(self.searched.as_bytes()) {
            let number = self.rows.partition_point(|row| row.name.at as usize <= at).saturating_sub(1);
            if found.last() != Some(&number) {
                found.push(number);
            }
        }
        found
    }

    /// Of the packages with these numbers, in order, the newest of each name and architecture.
    pub fn newest(&self, numbers: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut kept: Vec<usize> = Vec::new();
        for number in numbers {
            let Some(row) = self.rows.get(number) else { continue };
            let of_name = |other: &&mut usize| {
                self.rows.get(**other).is_some_and(|o| o.name.of(&self.searched) == row.name.of(&self.searched))
            };
            let same = kept
                .iter_mut()
                .rev()
                .take_while(of_name)
                .find(|other| self.rows.get(**other).is_some_and(|o| o.architecture == row.architecture));
            match same {
                Some(other) if self.version_order(*other, number).is_lt() => *other = number,
                Some(_) => {}
                None => kept.push(number),
            }
        }
        kept.sort_unstable();
        kept
    }

    /// Whether the first package's version is older or newer than the second's.
    pub fn version_order(&self, a: usize, b: usize) -> Ordering {
        let order = match self.family {
            Family::Deb => debian_order,
            Family::Rpm => rpm_order,
        };
        let (Some(a), Some(b)) = (self.rows.get(a), self.rows.get(b)) else { return Ordering::Equal };
        let release = |row: &Row| row.release.unwrap_or_default();
        let by = |a: Stored, b: Stored| order(a.of(&self.texts), b.of(&self.texts));
        a.epoch.cmp(&b.epoch).then_with(|| by(a.version, b.version)).then_with(|| by(release(a), release(b)))
    }

    /// The ids of the repositories that offer the package with this number.
    pub fn repositories_of(&self, number: usize) -> impl Iterator<Item = &Arc<str>> {
        let from = self.offers.partition_point(|&(row, _)| (row as usize) < number);
        let offers = self.offers.get(from..).unwrap_or_default().iter();
        offers
            .take_while(move |&&(row, _)| row as usize == number)
            .filter_map(|&(_, repository)| self.repositories.get(usize::from(repository)))
    }

    /// Whether the repository with this id offers the package with this number.
    pub fn is_offered_by(&self, number: usize, repository: &str) -> bool {
        self.repositories_of(number).any(|id| &**id == repository)
    }

    /// The numbers of the packages that the repository with this id offers, in order.
    pub fn offered_by(&self, repository: &str) -> impl Iterator<Item = usize> {
        let place = self.repositories.iter().position(|id| &**id == repository);
        let offers = self.offers.iter().filter(move |&&(_, of)| Some(usize::from(of)) == place);
        offers.map(|&(row, _)| row as usize)
    }

    fn architecture(&self, row: &Row) -> &str {
        self.architectures.get(row.architecture as usize).map_or("", |text| text)
    }

    /// What tells a row from all others, while its name lies in `names`.
    fn identity<'a>(&'a self, number: u32, names: &'a str) -> impl Ord {
        self.rows.get(number as usize).map(|row| {
            let release = row.release.map(|release| release.of(&self.texts));
            (row.name.of(names), row.epoch, row.version.of(&self.texts), release, self.architecture(row))
        })
    }
}

fn store(block: &mut String, text: &str) -> Result<Stored, CatalogFull> {
    let at = u32::try_from(block.len()).map_err(|_| CatalogFull)?;
    let length = u32::try_from(text.len()).map_err(|_| CatalogFull)?;
    block.push_str(text);
    Ok(Stored { at, length })
}

/// Keeps a text that is searched: as one line.
fn store_line(block: &mut String, text: &str) -> Result<Stored, CatalogFull> {
    if text.contains(SEPARATOR) { store(block, &text.replace(SEPARATOR, " ")) } else { store(block, text) }
}

/// Texts of which there are usually few, each kept once.
#[derive(Debug, Default)]
struct Few {
    texts: Vec<Arc<str>>,
    places: HashMap<Arc<str>, u32>,
}

impl Few {
    fn place_of(&mut self, text: &str) -> Result<u32, CatalogFull> {
        if let Some(place) = self.places.get(text) {
            return Ok(*place);
        }
        let place = u32::try_from(self.texts.len()).map_err(|_| CatalogFull)?;
        let text: Arc<str> = text.into();
        self.texts.push(text.clone());
        self.places.insert(text, place);
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer<'a>(name: &'a str, version: &'a str, summary: &'a str) -> Offer<'a> {
        Offer {
            name,
            epoch: 0,
            version,
            release: Some("1"),
            architecture: "all",
            summary,
            description: Stored::default(),
            manufacturer: Some("somebody"),
            installed_size: Some(7),
            download_size: Some(3),
        }
    }

    fn catalog(offers: &[(usize, Offer<'_>)]) -> Catalog {
        let mut builder = CatalogBuilder::new(Family::Deb, vec!["one".into(), "two".into()]);
        for (repository, offer) in offers {
            builder.add(*repository, offer).unwrap();
        }
        builder.finish().unwrap()
    }

    fn names(catalog: &Catalog, numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
        numbers.into_iter().map(|n| catalog.nevra(n).unwrap().to_string()).collect()
    }

    fn sample() -> Catalog {
        catalog(&[
            (0, offer("zoo", "1", "a menagerie")),
            (0, offer("ant", "1.10", "builds\nthings")),
            (1, offer("ant", "1.9", "builds things")),
            (1, offer("zoo", "1", "a menagerie")),
            (1, offer("antelope", "2", "runs, is no ant")),
        ])
    }

    #[test]
    fn what_several_offer_is_there_once() {
        let catalog = sample();
        assert_eq!(
            names(&catalog, 0..catalog.len()),
            ["ant-0:1.10-1.all", "ant-0:1.9-1.all", "antelope-0:2-1.all", "zoo-0:1-1.all"]
        );
        let of = |number| catalog.repositories_of(number).map(|r| r.to_string()).collect::<Vec<_>>();
        assert_eq!((of(0), of(3)), (vec!["one".to_owned()], vec!["one".to_owned(), "two".to_owned()]));
        assert_eq!(catalog.offered_by("two").collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(catalog.offered_by("three").count(), 0);
        let package = catalog.package(0).unwrap();
        assert_eq!((&*package.summary, package.installed_size), ("builds things", Some(7)));
        assert_eq!(package.state, PackageState::NotInstalled);
    }

    #[test]
    fn packages_are_found_by_name_parts_and_by_text() {
        let catalog = sample();
        assert_eq!(catalog.named("ant"), 0..2);
        assert!(catalog.named("an").is_empty());
        let Lookup::Found(package) = catalog.find_text("ant-1.9-1.all") else { panic!("it is there") };
        assert_eq!(catalog.find(&package.nevra), Some(1));
        assert_eq!(catalog.find_text("ant-1:1.9-1.all"), Lookup::NotFound);
        assert_eq!(
            names(&catalog, catalog.containing("ant")),
            ["ant-0:1.10-1.all", "ant-0:1.9-1.all", "antelope-0:2-1.all"]
        );
        assert_eq!(names(&catalog, catalog.containing("menagerie")), ["zoo-0:1-1.all"]);
        assert_eq!(catalog.containing("zoo\na"), Vec::<usize>::new());
        assert_eq!(catalog.containing("A"), Vec::<usize>::new());
        assert_eq!(catalog.containing("").len(), 4);
    }

    #[test]
    fn the_newest_is_newest_by_the_rules_of_the_family() {
        let catalog = sample();
        assert_eq!(names(&catalog, catalog.newest(0..4)), ["ant-0:1.10-1.all", "antelope-0:2-1.all", "zoo-0:1-1.all"]);
        assert_eq!(catalog.version_order(0, 1), Ordering::Greater);
    }
}
