//! Software Inventory (DSP1023): packages as software identities, those that are installed and those that repositories
//! offer.

use std::sync::Arc;

use super::managed::ManagedSystem;
use super::model::Model;
use super::names::{COLLECTION, COLLECTION_ID, IDENTITY, IDENTITY_PREFIX, identity_id};
use crate::broker::{Candidates, Instances, Provider, all_candidates};
use crate::cim::query::{Compiled, Properties};
use crate::cim::{CimError, Class, DateTime, Instance, ObjectPath, PropertyError, Value};
use crate::software::{Catalog, Package};

/// Serves software identities and their collection.
#[derive(Debug)]
pub(super) struct Identities {
    model: Arc<Model>,
    form: Arc<IdentityForm>,
}

impl Identities {
    pub(super) fn new(model: Arc<Model>) -> Result<Self, CimError> {
        let form = Arc::new(IdentityForm::new(&model)?);
        Ok(Self { model, form })
    }

    fn collection(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        let mut collection = Instance::new(class.clone());
        collection
            .set("InstanceID", COLLECTION_ID)?
            // DSP1023 7.6.1 wants exactly this name.
            .set("ElementName", "Available Software")?
            .set("Caption", "System Software Collection")?;
        Ok(collection)
    }

    /// What is made of each package, when it is asked for: first of the installed ones, then of those that are offered only.
    fn of_each<T: Send + 'static>(
        &self,
        make: impl Fn(&IdentityForm, &Package) -> Result<T, CimError> + Send + 'static,
    ) -> Result<Box<dyn Iterator<Item = Result<T, CimError>> + Send>, CimError> {
        let (inventory, form) = (self.model.manager.inventory(), self.form.clone());
        let offered = offered_only(&self.model, self.model.any_catalog()?);
        let count = inventory.packages().len();
        let installed = (0..count).filter_map(move |index| inventory.packages().get(index).cloned());
        let all = installed.chain(offered.map(|(_, package)| Arc::new(package)));
        Ok(Box::new(all.map(move |package| make(&form, &package))))
    }
}

/// The packages that are offered and not installed, with their numbers in the catalog.
pub(super) fn offered_only(model: &Model, catalog: Arc<Catalog>) -> impl Iterator<Item = (usize, Package)> + use<> {
    let inventory = model.manager.inventory();
    let offered = (0..catalog.len()).filter_map(move |number| Some((number, catalog.package(number)?)));
    offered.filter(move |(_, package)| inventory.find(&package.nevra).is_none())
}

/// A package as a query sees it, before an instance is made of it.
struct Sketch<'a> {
    form: &'a IdentityForm,
    package: &'a Package,
}

impl Properties for Sketch<'_> {
    fn class(&self) -> &Arc<Class> {
        self.form.blank.class()
    }

    fn property(&self, name: &str) -> Option<Value> {
        let place = self.class().property_index(name)?;
        self.form.value(place, self.package).or_else(|| self.form.blank.values().get(place).cloned())
    }
}

impl Provider for Identities {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![IDENTITY.into(), COLLECTION.into()]
    }

    /// What is installed is in memory; what is offered may have to be read.
    fn is_ready(&self, class: &Class, path: Option<&ObjectPath>) -> bool {
        match path {
            _ if class.is_a(COLLECTION) => true,
            Some(path) => self.model.is_package_ready(path),
            None => self.model.manager.loaded_catalog().is_some(),
        }
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        if class.is_a(COLLECTION) {
            return match path.key_str("InstanceID") {
                Some(id) if id.eq_ignore_ascii_case(COLLECTION_ID) => self.collection(class),
                _ => Err(CimError::not_found(format!("The only collection is {COLLECTION_ID}."))),
            };
        }
        let package = self.model.package(path)?;
        Ok(self.form.identity(&package)?)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        if class.is_a(COLLECTION) {
            return Ok(Box::new(std::iter::once(self.collection(class))));
        }
        self.of_each(|form, package| Ok(form.identity(package)?))
    }

    fn candidates(&self, class: &Arc<Class>, query: &Arc<Compiled>) -> Result<Candidates, CimError> {
        if class.is_a(COLLECTION) {
            return self.enumerate(class).map(all_candidates);
        }
        let query = query.clone();
        self.of_each(move |form, package| {
            let found = query.matches(&Sketch { form, package }).then(|| form.identity(package));
            Ok(found.transpose()?)
        })
    }

    fn estimate(&self, class: &Class) -> Option<u64> {
        if class.is_a(COLLECTION) {
            return Some(1);
        }
        // What is both installed and offered counts twice: an estimate need not be exact.
        let offered = self.model.manager.offered_count()?;
        u64::try_from(self.model.manager.inventory().packages().len().checked_add(offered)?).ok()
    }
}

/// How identities are made: what all have in common, and where the rest stands.
#[derive(Debug)]
struct IdentityForm {
    blank: Instance,
    instance_id: usize,
    element_name: usize,
    name: usize,
    caption: usize,
    description: usize,
    version_string: usize,
    epoch: usize,
    version: usize,
    release: usize,
    architecture: usize,
    manufacturer: usize,
    install_date: usize,
}

impl IdentityForm {
    fn new(model: &Model) -> Result<Self, CimError> {
        let class = model.class(IDENTITY)?;
        let mut blank = Instance::new(class.clone());
        blank
            .set("TargetTypes", Value::array(model.target_types()))?
            // 0 Unknown: neither dpkg nor rpm says what kind of software a package is.
            .set("Classifications", Value::array([0u16]))?
            .set("ExtendedResourceType", model.resource_type())?
            .set("TargetOSTypes", Value::array([model.operating_system()]))?
            .set("IsEntity", true)?;
        let at = |name: &str| {
            class.property_index(name).ok_or_else(|| {
                CimError::internal("The server's schema is incomplete.", format!("{IDENTITY} has no property {name}"))
            })
        };
        Ok(Self {
            instance_id: at("InstanceID")?,
            element_name: at("ElementName")?,
            name: at("Name")?,
            caption: at("Caption")?,
            description: at("Description")?,
            version_string: at("VersionString")?,
            epoch: at("Epoch")?,
            version: at("Version")?,
            release: at("Release")?,
            architecture: at("Architecture")?,
            manufacturer: at("Manufacturer")?,
            install_date: at("InstallDate")?,
            blank,
        })
    }

    /// The value of one property; `None` of those that all identities have in common.
    fn value(&self, place: usize, package: &Package) -> Option<Value> {
        let nevra = &package.nevra;
        Some(match place {
            p if p == self.name => nevra.name.clone().into(),
            p if p == self.version_string => nevra.evra().into(),
            p if p == self.architecture => nevra.architecture.clone().into(),
            p if p == self.instance_id => identity_id(nevra).into(),
            p if p == self.element_name => nevra.to_string().into(),
            p if p == self.caption => package.summary.clone().into(),
            p if p == self.description => description(package).into(),
            p if p == self.epoch => nevra.epoch.into(),
            p if p == self.version => nevra.version.clone().into(),
            p if p == self.release => nevra.release.clone().into(),
            p if p == self.manufacturer => package.manufacturer.clone().into(),
            p if p == self.install_date => package.installed_at.map(DateTime::utc).into(),
            _ => return None,
        })
    }

    fn identity(&self, package: &Package) -> Result<Instance, PropertyError> {
        let nevra = &package.nevra;
        // All three texts are parts of the first: `prefix` `name-` `epoch:version-release.arch`.
        let id = identity_id(nevra);
        let element_name = id.get(IDENTITY_PREFIX.len()..).unwrap_or_default();
        let version_string = element_name.get(nevra.name.len() + 1..).unwrap_or_default();
        let mut identity = self.blank.clone();
        identity
            .set_at(self.instance_id, id.as_str())?
            .set_at(self.element_name, element_name)?
            .set_at(self.name, nevra.name.clone())?
            .set_at(self.caption, package.summary.clone())?
            .set_at(self.description, description(package))?
            .set_at(self.version_string, version_string)?
            .set_at(self.epoch, nevra.epoch)?
            .set_at(self.version, nevra.version.clone())?
            .set_at(self.release, nevra.release.clone())?
            .set_at(self.architecture, nevra.architecture.clone())?
            .set_at(self.manufacturer, package.manufacturer.clone())?
            .set_at(self.install_date, package.installed_at.map(DateTime::utc))?;
        Ok(identity)
    }
}

/// The longer text; NULL where there is none, as where apt has fetched no translations.
fn description(package: &Package) -> Option<Arc<str>> {
    Some(package.description.clone()).filter(|text| !text.is_empty())
}
