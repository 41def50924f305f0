//! Software Inventory (DSP1023): installed packages as software identities, and what joins them with the system.

use std::sync::Arc;

use super::links::{FixedLink, Link, Links, Pairs, none, one};
use super::model::{COLLECTION_ID, IDENTITY_PREFIX, Model, identity_id};
use crate::broker::{Candidates, Instances, Provider, all_candidates};
use crate::cim::query::{Compiled, Properties};
use crate::cim::{CimError, Class, DateTime, Instance, ObjectPath, PropertyError, Value};
use crate::software::Package;

const IDENTITY: &str = "LMI_SoftwareIdentity";
const COLLECTION: &str = "LMI_SystemSoftwareCollection";

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

    /// What is made of each package of the snapshot, when it is asked for.
    fn of_each<T: 'static>(
        &self,
        make: impl Fn(&IdentityForm, &Package) -> Result<T, CimError> + Send + 'static,
    ) -> Box<dyn Iterator<Item = Result<T, CimError>> + Send> {
        let (inventory, form) = (self.model.manager.inventory(), self.form.clone());
        let count = inventory.packages().len();
        Box::new((0..count).filter_map(move |index| Some(make(&form, inventory.packages().get(index)?))))
    }
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
        Ok(self.of_each(|form, package| Ok(form.identity(package)?)))
    }

    fn candidates(&self, class: &Arc<Class>, query: &Arc<Compiled>) -> Result<Candidates, CimError> {
        if class.is_a(COLLECTION) {
            return self.enumerate(class).map(all_candidates);
        }
        let query = query.clone();
        Ok(self.of_each(move |form, package| {
            let found = query.matches(&Sketch { form, package }).then(|| form.identity(package));
            Ok(found.transpose()?)
        }))
    }

    fn estimate(&self, class: &Class) -> Option<u64> {
        if class.is_a(COLLECTION) {
            Some(1)
        } else {
            u64::try_from(self.model.manager.inventory().packages().len()).ok()
        }
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
            p if p == self.description => package.description.clone().into(),
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
            .set_at(self.description, package.description.clone())?
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

/// What joins identities, collection and system.
pub(super) fn links(model: &Arc<Model>) -> Vec<Arc<dyn Provider>> {
    vec![
        Links::provider(Installed(model.clone())),
        Links::provider(FixedLink {
            class: "LMI_HostedSoftwareCollection",
            ends: ["Dependent", "Antecedent"],
            pair: [model.collection_path(), model.system_path()],
            properties: Vec::new(),
        }),
    ]
}

/// What is installed on the system: one link for each installed package (DSP1023 7.2.1).
#[derive(Debug)]
struct Installed(Arc<Model>);

impl Link for Installed {
    fn class(&self) -> &'static str {
        "LMI_InstalledSoftwareIdentity"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["InstalledSoftware", "System"]
    }

    fn all(&self) -> Pairs {
        let (model, system, inventory) = (self.0.clone(), self.0.system_path(), self.0.manager.inventory());
        let count = inventory.packages().len();
        Box::new((0..count).filter_map(move |index| {
            let package = inventory.packages().get(index)?;
            Some([model.identity_path(&package.nevra), system.clone()])
        }))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Pairs {
        if end == 0 {
            return match self.0.package(source) {
                Ok(package) => one([self.0.identity_path(&package.nevra), self.0.system_path()]),
                Err(_) => none(),
            };
        }
        if self.0.is_system(source) { self.all() } else { none() }
    }

    fn count(&self) -> Option<u64> {
        u64::try_from(self.0.manager.inventory().packages().len()).ok()
    }
}
