//! For tests of other rooms: an engine whose packages never change, and an image that never does.

mod image;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::catalog::{CatalogBuilder, Offer, Stored};
use super::relations::{RelationsBuilder, Told};
use super::{
    Abilities, ApplyError, Bundle, Bundles, CancelToken, Catalog, Dependency, DependencyKind, Family, FileRecord,
    InspectError, Inventory, Manager, ManagerError, Nevra, Operation, Outcome, Package, PackageState, Plan, Progress,
    Relations, Repository,
};

pub(crate) use image::{FixedImage, image_snapshot};

/// An engine that shows these packages and changes nothing.
#[derive(Debug)]
pub(crate) struct FixedPackages {
    inventory: Arc<Inventory>,
    catalog: Arc<Catalog>,
    installed_relations: Arc<Relations>,
    offered_relations: Arc<Relations>,
    bundles: Arc<Bundles>,
    abilities: Abilities,
    is_readable: bool,
}

impl FixedPackages {
    pub(crate) fn new(packages: impl IntoIterator<Item = Package>) -> Self {
        let nothing = Arc::new(Relations::empty(Family::Deb));
        Self {
            inventory: Arc::new(Inventory::new(packages)),
            catalog: Arc::new(Catalog::empty(Family::Deb)),
            installed_relations: nothing.clone(),
            offered_relations: nothing,
            bundles: Arc::default(),
            abilities: Abilities { changes: true, repositories: true },
            is_readable: true,
        }
    }

    /// Offers these packages, by name, version and architecture.
    pub(crate) fn offering(mut self, packages: &[(&str, &str, &str)]) -> Self {
        self.catalog = Arc::new(catalog(packages));
        self
    }

    /// With what the installed packages and those that are offered need and provide.
    pub(crate) fn relating(mut self, installed: &[Related<'_>], offered: &[Related<'_>]) -> Self {
        (self.installed_relations, self.offered_relations) = (relations(installed), relations(offered));
        self
    }

    /// Able to do no more than this.
    pub(crate) fn able(mut self, abilities: Abilities) -> Self {
        self.abilities = abilities;
        self
    }

    /// With these bundles.
    pub(crate) fn bundling(mut self, bundles: impl IntoIterator<Item = Bundle>) -> Self {
        self.bundles = Arc::new(Bundles::new(Family::Deb, "amd64", bundles));
        self
    }

    /// With nothing that can be read but what is in memory, which is what is installed.
    pub(crate) fn unreadable(self) -> Self {
        Self { is_readable: false, ..self }
    }

    fn read<T>(&self, value: T) -> Result<T, ManagerError> {
        if self.is_readable {
            return Ok(value);
        }
        Err(ManagerError::Tool { tool: "the engine", message: "/secret/place cannot be read".to_owned() })
    }
}

/// A package by its name parts, its `Depends`, one dependency each, and what it provides.
pub(crate) type Related<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

fn relations(packages: &[Related<'_>]) -> Arc<Relations> {
    let mut builder = RelationsBuilder::new(Family::Deb);
    for (nevra, needs, provides) in packages {
        let alternatives = |text: &&str| text.split(" | ").map(|part| part.parse().unwrap()).collect();
        let kind = DependencyKind::Depends;
        let told = Told {
            dependencies: needs.iter().map(|text| Dependency { kind, alternatives: alternatives(text) }).collect(),
            provides: provides.iter().map(|text| text.parse().unwrap()).collect(),
            for_all_architectures: false,
        };
        builder.add(&nevra.parse().unwrap(), &told).unwrap();
    }
    Arc::new(builder.finish())
}

/// A catalog of these packages of Debian's kind: name, version and architecture.
pub(crate) fn catalog(offers: &[(&str, &str, &str)]) -> Catalog {
    let mut builder = CatalogBuilder::new(Family::Deb, vec!["one".into()]);
    for (name, version, architecture) in offers {
        let offer = Offer {
            name,
            epoch: 0,
            version,
            release: None,
            architecture,
            summary: "",
            description: Stored::default(),
            manufacturer: None,
            installed_size: None,
            download_size: None,
        };
        builder.add(0, &offer).unwrap();
    }
    builder.finish().unwrap()
}

/// An installed package of Debian's kind.
pub(crate) fn package(name: &str, version: &str, description: &str) -> Package {
    Package {
        nevra: Nevra::from_debian(name, version, "all").unwrap(),
        state: PackageState::Installed,
        summary: format!("the package {name}").into(),
        description: description.into(),
        manufacturer: Some("somebody".into()),
        installed_at: None,
        installed_size: Some(1),
    }
}

impl Manager for FixedPackages {
    fn family(&self) -> Family {
        Family::Deb
    }

    fn abilities(&self) -> Abilities {
        self.abilities
    }

    fn inventory(&self) -> Arc<Inventory> {
        self.inventory.clone()
    }

    fn catalog(&self) -> Result<Arc<Catalog>, ManagerError> {
        self.read(self.catalog.clone())
    }

    fn installed_relations(&self) -> Result<Arc<Relations>, ManagerError> {
        self.read(self.installed_relations.clone())
    }

    fn offered_relations(&self) -> Result<Arc<Relations>, ManagerError> {
        self.read(self.offered_relations.clone())
    }

    fn bundles(&self) -> Result<Arc<Bundles>, ManagerError> {
        self.read(self.bundles.clone())
    }

    fn refresh(&self) -> Result<bool, ManagerError> {
        Ok(false)
    }

    fn wait_for_change(&self, _: Duration) -> bool {
        false
    }

    fn inspect(&self, _: &Path) -> Result<Package, InspectError> {
        Err(InspectError::NotAPackage("nothing is".to_owned()))
    }

    fn plan(&self, _: &Operation, _: &CancelToken) -> Result<Plan, ApplyError> {
        Ok(Plan::default())
    }

    fn repositories(&self) -> Result<Vec<Repository>, ManagerError> {
        self.read(Vec::new())
    }

    fn files(&self, _: &Nevra) -> Result<Vec<FileRecord>, ManagerError> {
        self.read(Vec::new())
    }

    fn root(&self) -> &Path {
        Path::new("/")
    }

    fn apply(&self, _: &Operation, _: &mut dyn Progress, _: &CancelToken) -> Result<Outcome, ApplyError> {
        Err(ApplyError::Failed("nothing is changed here".to_owned()))
    }
}
