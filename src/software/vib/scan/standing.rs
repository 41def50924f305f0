//! How an image stands to a VIB.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::descriptor::Descriptor;
use super::super::image::Image;
use super::super::matching::{ConstraintIndex, ProvideIndex};
use super::super::relation::Constraint;

/// How an image stands to a VIB that may be installed.
#[derive(Debug)]
pub(super) enum Standing<'a> {
    /// It is there: this one.
    Present(&'a Descriptor),
    /// This one is there in its place: a newer version, or what replaces it.
    Obsoleted(&'a Descriptor),
    /// It is not there; these would go for it.
    Absent(Vec<&'a Descriptor>),
}

impl<'a> Standing<'a> {
    /// What is there for it.
    pub(super) fn there(&self) -> Option<&'a Descriptor> {
        match self {
            Self::Present(vib) | Self::Obsoleted(vib) => Some(vib),
            Self::Absent(_) => None,
        }
    }

    /// The other VIBs that stand in its place or would go for it.
    pub(super) fn others(&self) -> &[&'a Descriptor] {
        match self {
            Self::Present(_) => &[],
            Self::Obsoleted(vib) => std::slice::from_ref(vib),
            Self::Absent(goes) => goes,
        }
    }
}

/// An image, so that much can be asked of it fast.
#[derive(Debug)]
pub(super) struct Stand<'a> {
    image: &'a Image,
    provides: ProvideIndex<'a>,
    replaces: ConstraintIndex<'a>,
    conflicts: ConstraintIndex<'a>,
    needs: Vec<Need<'a>>,
    needs_of: HashMap<&'a str, Vec<usize>>,
}

/// What a VIB of an image needs and which of its VIBs have that, by name.
#[derive(Debug)]
struct Need<'a> {
    of: &'a str,
    met_by: Vec<&'a str>,
}

impl<'a> Stand<'a> {
    pub(super) fn new(image: &'a Image) -> Self {
        let vibs = || image.vibs.iter().map(|vib| &**vib);
        let provides = ProvideIndex::new(vibs());
        let needs: Vec<_> = vibs()
            .flat_map(|vib| vib.depends.iter().map(move |needed| (vib, needed)))
            .map(|(vib, needed)| Need {
                of: &vib.name,
                met_by: provides.matching(needed).map(|met| &*met.name).collect(),
            })
            .collect();
        let mut needs_of: HashMap<_, Vec<_>> = HashMap::new();
        for (place, need) in needs.iter().enumerate() {
            for name in &need.met_by {
                needs_of.entry(*name).or_default().push(place);
            }
        }
        Self {
            image,
            provides,
            replaces: ConstraintIndex::new(vibs(), |vib| &vib.replaces),
            conflicts: ConstraintIndex::new(vibs(), |vib| &vib.conflicts),
            needs,
            needs_of,
        }
    }

    /// How the image stands to a VIB.
    pub(super) fn standing(&self, vib: &'a Descriptor) -> Standing<'a> {
        let same_name: Option<&'a Descriptor> = self.image.named(&vib.name).map(Arc::as_ref);
        match same_name.map(|there| (there, there.version.compare(&vib.version))) {
            Some((there, order)) if order.is_eq() => return Standing::Present(there),
            Some((there, order)) if order.is_gt() => return Standing::Obsoleted(there),
            _ => {}
        }
        if let Some((replacing, _)) = self.replaces.meaning(vib).find(|(replacing, _)| !vib.obsoletes(replacing)) {
            return Standing::Obsoleted(replacing);
        }
        let replaced = vib.replaces.iter().flat_map(|constraint| self.provides.matching(constraint));
        let mut goes: Vec<&Descriptor> = same_name.into_iter().collect();
        for replaced in replaced.filter(|replaced| replaced.name != vib.name) {
            if !goes.iter().any(|known| known.name == replaced.name) {
                goes.push(replaced);
            }
        }
        Standing::Absent(goes)
    }

    /// Whether the image has what is needed.
    pub(super) fn meets(&self, needed: &Constraint) -> bool {
        self.provides.matching(needed).next().is_some()
    }

    /// The VIBs of the image that exclude this one or that it excludes, except other versions of it.
    pub(super) fn conflicting(&self, vib: &'a Descriptor) -> Vec<&'a Descriptor> {
        let excluded = vib.conflicts.iter().flat_map(|constraint| self.provides.matching(constraint));
        let excluded = excluded.filter(|excluded| excluded.name != vib.name);
        let mut conflicting: Vec<&Descriptor> = Vec::new();
        for other in excluded.chain(self.conflicts.meaning(vib).map(|(other, _)| other)) {
            if !conflicting.iter().any(|known| known.name == other.name) {
                conflicting.push(other);
            }
        }
        conflicting
    }

    /// Whether a VIB of the image that is none of these needs them.
    pub(super) fn is_needed(&self, names: &HashSet<&str>) -> bool {
        let needs = names.iter().filter_map(|name| self.needs_of.get(name)).flatten();
        needs
            .filter_map(|&place| self.needs.get(place))
            .any(|need| !names.contains(need.of) && need.met_by.iter().all(|met_by| names.contains(met_by)))
    }
}
