//! What was read so far, put together: one VIB and one bulletin of each id.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::super::bulletin::Bulletin;
use super::super::descriptor::{Descriptor, SoftwarePlatform, VibId};
use super::super::error::{ImageError, ImageErrorClass};
use super::super::profile::ImageProfile;
use super::{Metadata, MetadataVib};

/// Metadata as it grows.
#[derive(Debug, Default)]
pub(in super::super) struct Collected {
    platforms: Vec<SoftwarePlatform>,
    bulletins: BTreeMap<Box<str>, Bulletin>,
    vibs: BTreeMap<VibId, MetadataVib>,
    profiles: Vec<ImageProfile>,
}

impl Collected {
    /// Adds a product that the metadata is for.
    pub(in super::super) fn add_platform(&mut self, platform: SoftwarePlatform) {
        if !self.platforms.contains(&platform) {
            self.platforms.push(platform);
        }
    }

    /// Adds a VIB. One that is there already must be the same; a whole descriptor stands in place of a summary.
    pub(in super::super) fn add_vib(&mut self, id: VibId, vib: MetadataVib) -> Result<(), ImageError> {
        let mut known = match self.vibs.entry(id) {
            Entry::Occupied(known) => known,
            Entry::Vacant(place) => {
                place.insert(vib);
                return Ok(());
            }
        };
        if let Some(attribute) = difference(known.get(), &vib) {
            return Err(unequal(known.key(), attribute));
        }
        if vib.is_complete && !known.get().is_complete {
            known.insert(vib);
        }
        Ok(())
    }

    /// Adds a bulletin. Several of one id, of packages for several products, are for all those products and have all
    /// those VIBs; else the one that was released last counts.
    pub(super) fn add_bulletin(&mut self, bulletin: Bulletin) {
        match self.bulletins.entry(bulletin.id.clone()) {
            Entry::Vacant(place) => {
                place.insert(bulletin);
            }
            Entry::Occupied(mut known) => {
                let newer = bulletin.release_date > known.get().release_date;
                let (mut kept, other) =
                    if newer { (bulletin, known.get().clone()) } else { (known.get().clone(), bulletin) };
                extend(&mut kept.platforms, other.platforms);
                extend(&mut kept.vibs, other.vibs);
                known.insert(kept);
            }
        }
    }

    /// Adds an image profile.
    pub(super) fn add_profile(&mut self, profile: ImageProfile) {
        self.profiles.push(profile);
    }

    /// Whether a bulletin names a VIB that is not here.
    pub(super) fn lacks_vibs(&self) -> bool {
        self.bulletins.values().flat_map(|bulletin| &bulletin.vibs).any(|id| !self.vibs.contains_key(id))
    }

    /// All of it.
    pub(in super::super) fn finish(self) -> Metadata {
        let bulletins = self.bulletins.into_values().collect();
        Metadata { platforms: self.platforms, bulletins, vibs: self.vibs, profiles: self.profiles }
    }
}

fn extend<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
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
