//! The bundles of a host, and what they consist of there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::{Bundle, BundleKind, BundleState, Part};
use crate::software::{Catalog, Family, Inventory, Nevra};

/// The longest id of a bundle, in octets; real ones have some twenty.
const LONGEST_ID: usize = 256;

/// How many bundles are kept; a distribution of many years has some ten thousand advisories.
const MOST_BUNDLES: usize = 200_000;

/// All bundles that a host knows, in the order of their kinds and ids.
#[derive(Debug, Default)]
pub struct Bundles {
    bundles: Vec<Bundle>,
    family: Option<Family>,
    /// The host's architecture: of a package for several it is the one that counts.
    native: String,
}

impl Bundles {
    /// What several sources tell of bundles; of one with the same kind and id it becomes one. An id that could not be part of
    /// a name is left out.
    pub(in crate::software) fn new(family: Family, native: &str, told: impl IntoIterator<Item = Bundle>) -> Self {
        let mut bundles: BTreeMap<(BundleKind, Arc<str>), Bundle> = BTreeMap::new();
        let mut left_out = 0_usize;
        for bundle in told {
            let is_id = !bundle.id.is_empty() && bundle.id.len() <= LONGEST_ID && !bundle.id.contains(char::is_control);
            if !is_id || bundles.len() >= MOST_BUNDLES {
                left_out += 1;
                continue;
            }
            match bundles.entry((bundle.kind, bundle.id.clone())) {
                Entry::Occupied(mut known) => known.get_mut().merge(bundle),
                Entry::Vacant(place) => {
                    place.insert(bundle);
                }
            }
        }
        if left_out > 0 {
            tracing::warn!(left_out, "left out groups or advisories that have no proper id, or are too many");
        }
        Self { bundles: bundles.into_values().collect(), family: Some(family), native: native.to_owned() }
    }

    /// All of them.
    pub fn all(&self) -> &[Bundle] {
        &self.bundles
    }

    /// The one of this kind with this id.
    pub fn find(&self, kind: BundleKind, id: &str) -> Option<&Bundle> {
        let key = |bundle: &Bundle| bundle.kind.cmp(&kind).then_with(|| (*bundle.id).cmp(id));
        self.bundles.binary_search_by(key).ok().and_then(|place| self.bundles.get(place))
    }

    /// The packages of a bundle: each as it is installed, else the newest that is offered. What is neither is left out.
    pub fn packages(&self, bundle: &Bundle, inventory: &Inventory, catalog: &Catalog) -> Vec<Nevra> {
        let mut packages: Vec<Nevra> =
            bundle.parts.iter().filter_map(|part| self.package(part, inventory, catalog)).collect();
        packages.sort();
        packages.dedup();
        packages
    }

    /// The package that a part of a bundle stands for.
    pub fn package(&self, part: &Part, inventory: &Inventory, catalog: &Catalog) -> Option<Nevra> {
        match part {
            Part::Build(nevra) => {
                let is_known = inventory.find(nevra).is_some() || catalog.find(nevra).is_some();
                is_known.then(|| nevra.clone())
            }
            Part::Package { names, .. } => {
                let installed = names.iter().find_map(|name| self.installed(name, inventory));
                installed.or_else(|| names.iter().find_map(|name| self.offered(name, catalog)))
            }
        }
    }

    /// Whether this package is one of those that [`Self::packages`] gives.
    pub fn contains(&self, bundle: &Bundle, nevra: &Nevra, inventory: &Inventory, catalog: &Catalog) -> bool {
        let may_be = |part: &Part| match part {
            Part::Build(build) => build == nevra,
            Part::Package { names, .. } => names.contains(&nevra.name),
        };
        let is_it = |part: &Part| may_be(part) && self.package(part, inventory, catalog).as_ref() == Some(nevra);
        bundle.parts.iter().any(is_it)
    }

    /// How much of a bundle is installed. What can neither be found installed nor offered does not count.
    pub fn state(&self, bundle: &Bundle, inventory: &Inventory, catalog: &Catalog) -> BundleState {
        let is_there: Vec<bool> = if bundle.kind == BundleKind::Advisory {
            let builds = bundle.parts.iter().filter_map(|part| match part {
                Part::Build(nevra) => self.has_at_least(nevra, inventory),
                Part::Package { .. } => None,
            });
            builds.collect()
        } else {
            let known = |part: &&Part| self.package(part, inventory, catalog);
            let needed = bundle.parts.iter().filter(|part| !matches!(part, Part::Package { is_optional: true, .. }));
            let known = needed.filter_map(|part| known(&part));
            known.map(|nevra| inventory.find(&nevra).is_some()).collect()
        };
        match (is_there.iter().any(|there| *there), is_there.iter().all(|there| *there)) {
            _ if is_there.is_empty() && bundle.kind == BundleKind::Advisory => BundleState::NotApplicable,
            (true, true) => BundleState::Installed,
            (true, false) => BundleState::InPart,
            (false, _) => BundleState::NotInstalled,
        }
    }

    /// Whether the package is installed in this version or a newer one; `None` if it is not installed at all.
    fn has_at_least(&self, nevra: &Nevra, inventory: &Inventory) -> Option<bool> {
        let family = self.family?;
        let same = inventory.named(&nevra.name).iter().filter(|p| p.nevra.architecture == nevra.architecture);
        let mut orders = same.map(|package| package.nevra.version_order(nevra, family).is_ge()).peekable();
        orders.peek().is_some().then(|| orders.any(|is_enough| is_enough))
    }

    fn installed(&self, name: &str, inventory: &Inventory) -> Option<Nevra> {
        self.best(inventory.named(name).iter().map(|package| package.nevra.clone()))
    }

    fn offered(&self, name: &str, catalog: &Catalog) -> Option<Nevra> {
        self.best(catalog.newest(catalog.named(name)).into_iter().filter_map(|number| catalog.nevra(number)))
    }

    /// Of builds of one name the one for this machine, and of several the newest.
    fn best(&self, builds: impl Iterator<Item = Nevra>) -> Option<Nevra> {
        let family = self.family?;
        let rank = |nevra: &Nevra| match &*nevra.architecture {
            own if own == self.native => 2,
            "all" | "noarch" => 1,
            _ => 0,
        };
        builds.max_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.version_order(b, family)))
    }
}
