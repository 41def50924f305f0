//! What was read so far, put together: one VIB and one bulletin of each id.

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::super::bulletin::Bulletin;
use super::super::container::ContainerProblem;
use super::super::descriptor::{Descriptor, SoftwarePlatform, VibId};
use super::super::error::{ImageError, ImageErrorClass};
use super::super::profile::ImageProfile;
use super::{Metadata, MetadataVib};

/// How long everything that is read of a bundle's metadata may be together, in octets.
const TOTAL_LIMIT: u64 = 128 * 1024 * 1024;
/// How many bulletins there may be, counting copies. Those of all versions of ESXi are some thousand.
const MOST_BULLETINS: usize = 20_000;
/// How many VIBs there may be.
const MOST_VIBS: usize = 20_000;
/// How many metadata packages a bundle may have.
const MOST_PACKAGES: usize = 64;
/// How many products a package may be for.
const MOST_PRODUCTS: usize = 32;

/// Metadata as it grows.
#[derive(Debug)]
pub(in super::super) struct Collected {
    /// How many octets may still be read.
    left: u64,
    /// The products of each package so far.
    packages: Vec<Vec<SoftwarePlatform>>,
    /// The copies of each bulletin.
    bulletins: BTreeMap<Box<str>, Vec<Bulletin>>,
    copies: usize,
    vibs: BTreeMap<VibId, Known>,
    profiles: Vec<ImageProfile>,
}

/// A VIB, and which packages tell of it: a bit for each.
#[derive(Debug)]
struct Known {
    vib: MetadataVib,
    packages: u64,
}

impl Default for Collected {
    fn default() -> Self {
        Self {
            left: TOTAL_LIMIT,
            packages: Vec::new(),
            bulletins: BTreeMap::new(),
            copies: 0,
            vibs: BTreeMap::new(),
            profiles: Vec::new(),
        }
    }
}

impl Collected {
    /// Counts what was read. All packages of a bundle share one limit.
    pub(in super::super) fn admit(&mut self, octets: &[u8]) -> Result<(), ContainerProblem> {
        self.left = self.left.checked_sub(octets.len() as u64).ok_or_else(|| {
            let why = format!("Its metadata is longer than the {TOTAL_LIMIT} octets that are allowed for all together");
            ContainerProblem::Refused(why)
        })?;
        Ok(())
    }

    /// Begins a package that is for these products; none is any. What is added from now on is of it.
    pub(super) fn begin_package(&mut self, products: Vec<SoftwarePlatform>) -> Result<(), ContainerProblem> {
        if self.packages.len() == MOST_PACKAGES {
            return too_many("metadata packages", MOST_PACKAGES);
        }
        if products.len() > MOST_PRODUCTS {
            return too_many("products of a metadata package", MOST_PRODUCTS);
        }
        self.packages.push(products);
        Ok(())
    }

    /// Adds a VIB. One that is there already must be the same; a whole descriptor stands in place of a summary.
    pub(in super::super) fn add_vib(&mut self, id: VibId, vib: MetadataVib) -> Result<(), ImageError> {
        let package = 1_u64.checked_shl(self.packages.len().saturating_sub(1).try_into().unwrap_or(0)).unwrap_or(0);
        let count = self.vibs.len();
        let known = match self.vibs.entry(id) {
            Entry::Occupied(known) => known,
            Entry::Vacant(_) if count == MOST_VIBS => {
                let class = ImageErrorClass::MetadataFormatError;
                let text = format!("The metadata has more than the {MOST_VIBS} VIBs that are allowed.");
                return Err(ImageError::new(class, format!("{text} {}", class.advice())));
            }
            Entry::Vacant(place) => {
                place.insert(Known { vib, packages: package });
                return Ok(());
            }
        };
        if let Some(attribute) = difference(&known.get().vib, &vib) {
            return Err(unequal(known.key(), attribute));
        }
        let known = known.into_mut();
        known.packages |= package;
        if vib.is_complete && !known.vib.is_complete {
            known.vib = vib;
        }
        Ok(())
    }

    /// Adds a bulletin. Several of one id, of packages for several products, are for all those products and have all
    /// those VIBs; else the one that was released last counts.
    pub(super) fn add_bulletin(&mut self, mut bulletin: Bulletin) -> Result<(), ContainerProblem> {
        if self.copies == MOST_BULLETINS {
            return too_many("bulletins", MOST_BULLETINS);
        }
        self.copies += 1;
        if bulletin.platforms.is_empty() {
            bulletin.platforms = self.packages.last().cloned().unwrap_or_default();
        }
        self.bulletins.entry(bulletin.id.clone()).or_default().push(bulletin);
        Ok(())
    }

    /// Adds an image profile.
    pub(super) fn add_profile(&mut self, profile: ImageProfile) {
        self.profiles.push(profile);
    }

    /// Whether a bulletin names a VIB that is not here.
    pub(super) fn lacks_vibs(&self) -> bool {
        let bulletins = self.bulletins.values().flatten();
        bulletins.flat_map(|bulletin| &bulletin.vibs).any(|id| !self.vibs.contains_key(id))
    }

    /// All of it.
    pub(in super::super) fn finish(self) -> Metadata {
        let Self { packages, bulletins, vibs, profiles, .. } = self;
        let mut products = HashMap::new();
        let of_packages = |(id, Known { vib, packages: told_by }): (VibId, Known)| {
            let products = products.entry(told_by).or_insert_with(|| products_of(&packages, told_by));
            (id, MetadataVib { products: Arc::clone(products), ..vib })
        };
        let vibs = vibs.into_iter().map(of_packages).collect();
        Metadata { bulletins: bulletins.into_values().filter_map(merged).collect(), vibs, profiles }
    }
}

fn too_many(what: &str, most: usize) -> Result<(), ContainerProblem> {
    Err(ContainerProblem::Refused(format!("It has more than the {most} {what} that are allowed")))
}

/// The products of several packages, each once; none is any.
fn products_of(packages: &[Vec<SoftwarePlatform>], told_by: u64) -> Arc<[SoftwarePlatform]> {
    let is_of =
        |place: usize| u32::try_from(place).ok().and_then(|place| told_by.checked_shr(place)).unwrap_or(0) & 1 == 1;
    let theirs = packages.iter().enumerate().filter(|(place, _)| is_of(*place)).map(|(_, products)| products);
    if theirs.clone().any(Vec::is_empty) {
        return Arc::default();
    }
    let mut seen = HashSet::new();
    theirs.flatten().filter(|product| seen.insert(*product)).cloned().collect()
}

/// The bulletin that copies of it are together: the one that was released last, with the products and VIBs of all.
fn merged(mut copies: Vec<Bulletin>) -> Option<Bulletin> {
    // The first of those that were released last.
    copies.sort_by_key(|copy| Reverse(copy.release_date));
    let mut copies = copies.into_iter();
    let mut kept = copies.next()?;
    if copies.len() == 0 {
        return Some(kept);
    }
    let mut is_for_any = kept.platforms.is_empty();
    for other in copies {
        is_for_any |= other.platforms.is_empty();
        kept.platforms.extend(other.platforms);
        kept.vibs.extend(other.vibs);
    }
    kept.platforms = if is_for_any { Vec::new() } else { each_once(kept.platforms) };
    kept.vibs = each_once(kept.vibs);
    Some(kept)
}

fn each_once<T: Clone + Eq + std::hash::Hash>(mut list: Vec<T>) -> Vec<T> {
    let mut seen = HashSet::with_capacity(list.len());
    list.retain(|item| seen.insert(item.clone()));
    list
}

/// What two VIBs of one id have not in common, by the name that VMware's tools have for it.
fn difference(one: &MetadataVib, other: &MetadataVib) -> Option<&'static str> {
    if one.packed_size != other.packed_size {
        return Some("packedsize");
    }
    if one.sha256.is_some() && other.sha256.is_some() && one.sha256 != other.sha256 {
        return Some("checksum");
    }
    if one.is_complete && other.is_complete { descriptor_difference(&one.descriptor, &other.descriptor) } else { None }
}

fn descriptor_difference(one: &Descriptor, other: &Descriptor) -> Option<&'static str> {
    if one == other {
        return None;
    }
    let relations = one.depends == other.depends
        && one.conflicts == other.conflicts
        && one.replaces == other.replaces
        && one.provides == other.provides;
    let of = [
        ("payloads", one.payloads == other.payloads),
        ("filelist", one.files == other.files),
        ("relationships", relations),
        ("acceptancelevel", one.acceptance_level == other.acceptance_level),
        ("releasedate", one.release_date == other.release_date),
        ("swtags", one.tags == other.tags),
        ("summary", one.summary == other.summary),
        ("description", one.description == other.description),
    ];
    Some(of.into_iter().find(|(_, same)| !same).map_or("other", |(name, _)| name))
}

/// The words are those of VMware's tools.
fn unequal(id: &VibId, attribute: &str) -> ImageError {
    let text = format!(
        "Cannot merge VIBs {id}, {id} with unequal {attribute} attributes. One id is one content: get the files again from \
         their vendor, and do not use them together."
    );
    ImageError::new(ImageErrorClass::ValueError, text).of([id.clone()])
}
