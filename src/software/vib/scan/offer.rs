//! What a catalogue has for a host: which of its VIBs fit, which bulletins have them, and which are the newest.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::bulletin::Bulletin;
use super::super::catalogue::Catalogue;
use super::super::descriptor::{Descriptor, VibId};
use super::super::image::ImageHost;
use super::super::matching::ConstraintIndex;

/// The bulletins of a catalogue and its VIBs, each known by its place there.
#[derive(Debug)]
pub(super) struct Offer<'a> {
    /// The bulletins, those that were released last first, then by id.
    pub(super) bulletins: Vec<OfferedBulletin<'a>>,
    /// The VIBs.
    pub(super) vibs: Vec<OfferedVib<'a>>,
    places: HashMap<*const Descriptor, usize>,
    catalogue: &'a Catalogue<'a>,
}

/// A bulletin of a catalogue.
#[derive(Debug)]
pub(super) struct OfferedBulletin<'a> {
    pub(super) bulletin: &'a Bulletin,
    /// Whether it is for the host's product.
    pub(super) fits: bool,
    /// The places of its VIBs; none where the catalogue lacks it.
    pub(super) vibs: Vec<Option<usize>>,
}

/// A VIB of a catalogue.
#[derive(Debug)]
pub(super) struct OfferedVib<'a> {
    pub(super) vib: &'a Descriptor,
    /// Whether only an outline of it is there.
    pub(super) is_outline: bool,
    /// Whether it is for the host's product.
    pub(super) fits_platform: bool,
    /// Whether it is for the host's hardware.
    pub(super) fits_hardware: bool,
    /// The places of the bulletins for this host that have it, in order.
    pub(super) bulletins: Vec<usize>,
    /// Whether it may come to the host: it is for the host, and not only in bulletins for others.
    pub(super) may_come: bool,
    /// The place of the newest VIB that comes in its place, if there is one.
    pub(super) superseded_by: Option<usize>,
}

impl OfferedVib<'_> {
    /// Whether it is for the host.
    pub(super) fn fits(&self) -> bool {
        self.fits_platform && self.fits_hardware
    }

    /// Whether it is for the host and in a bulletin for it.
    fn is_published(&self) -> bool {
        self.may_come && !self.bulletins.is_empty()
    }
}

impl<'a> Offer<'a> {
    pub(super) fn new(catalogue: &'a Catalogue<'a>, host: &ImageHost) -> Self {
        let bulletins = bulletins(catalogue, host);
        let mut vibs: Vec<_> = catalogue.vibs().iter().map(|vib| offered(vib, host)).collect();
        let mut elsewhere = vec![false; vibs.len()];
        for (place, bulletin) in bulletins.iter().enumerate() {
            for &vib in bulletin.vibs.iter().flatten() {
                let (Some(vib), Some(elsewhere)) = (vibs.get_mut(vib), elsewhere.get_mut(vib)) else { continue };
                *elsewhere |= !bulletin.fits;
                if bulletin.fits && vib.bulletins.last() != Some(&place) {
                    vib.bulletins.push(place);
                }
            }
        }
        for (place, (vib, elsewhere)) in vibs.iter_mut().zip(elsewhere).enumerate() {
            let is_here = || !elsewhere && catalogue.offers_to(host, place);
            vib.may_come = vib.fits() && (!vib.bulletins.is_empty() || is_here());
            vib.is_outline = catalogue.is_outline(place);
        }
        let places = vibs.iter().enumerate().map(|(place, vib)| (std::ptr::from_ref(vib.vib), place)).collect();
        let mut offer = Self { bulletins, vibs, places, catalogue };
        offer.supersede();
        offer
    }

    /// The VIB of this id.
    pub(super) fn vib(&self, id: &VibId) -> Option<&OfferedVib<'a>> {
        self.catalogue.vib_place(id).and_then(|place| self.vibs.get(place))
    }

    /// The place of a VIB.
    pub(super) fn place(&self, vib: &Descriptor) -> Option<usize> {
        self.places.get(&std::ptr::from_ref(vib)).copied()
    }

    /// Finds what supersedes what among the VIBs of bulletins for this host.
    fn supersede(&mut self) {
        let in_bulletins = || self.vibs.iter().filter(|vib| vib.is_published()).map(|vib| vib.vib);
        let mut newest: HashMap<&str, &Descriptor> = HashMap::new();
        for vib in in_bulletins() {
            let known = newest.entry(&vib.name).or_insert(vib);
            if vib.version.compare(&known.version).is_gt() {
                *known = vib;
            }
        }
        let replaces = ConstraintIndex::new(in_bulletins(), |vib| &vib.replaces);
        let superseding: Vec<_> = self
            .vibs
            .iter()
            .map(|vib| superseding(vib.vib, &newest, &replaces).and_then(|vib| self.place(vib)))
            .collect();
        for (vib, superseding) in self.vibs.iter_mut().zip(superseding) {
            vib.superseded_by = superseding;
        }
    }
}

fn bulletins<'a>(catalogue: &'a Catalogue<'a>, host: &ImageHost) -> Vec<OfferedBulletin<'a>> {
    let mut bulletins: Vec<_> = catalogue
        .bulletins()
        .map(|bulletin| OfferedBulletin {
            bulletin,
            fits: bulletin.fits_platform(host),
            vibs: bulletin.vibs.iter().map(|id| catalogue.vib_place(id)).collect(),
        })
        .collect();
    bulletins.sort_by(|one, other| {
        let (one, other) = (one.bulletin, other.bulletin);
        other.release_date.cmp(&one.release_date).then_with(|| one.id.cmp(&other.id))
    });
    bulletins
}

fn offered<'a>(vib: &'a Arc<Descriptor>, host: &ImageHost) -> OfferedVib<'a> {
    OfferedVib {
        vib,
        is_outline: false,
        fits_platform: vib.fits_platform(host),
        fits_hardware: vib.fits_hardware(host),
        bulletins: Vec::new(),
        may_come: false,
        superseded_by: None,
    }
}

/// How often one VIB replaces the next before that counts as a circle.
const LONGEST_CHAIN: usize = 64;

/// The newest VIB that comes in the place of this one: the newest of its name, then what replaces that one, and so on.
fn superseding<'a>(
    vib: &'a Descriptor,
    newest: &HashMap<&str, &'a Descriptor>,
    replaces: &ConstraintIndex<'a>,
) -> Option<&'a Descriptor> {
    let mut last = vib;
    for _ in 0..LONGEST_CHAIN {
        let newer = newest.get(&*last.name).copied().filter(|newest| newest.version.compare(&last.version).is_gt());
        let replacing = || {
            let others = replaces.meaning(last).map(|(other, _)| other).filter(|other| !last.obsoletes(other));
            others.max_by_key(|other| other.release_date)
        };
        let Some(next) = newer.or_else(replacing) else {
            return (!std::ptr::eq(last, vib)).then_some(last);
        };
        last = next;
    }
    None
}
