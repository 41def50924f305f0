//! Profile Registration (DSP1033): which profiles the system conforms to, and the objects that show it.

use std::sync::Arc;

use super::bundles;
use super::identities::offered_only;
use super::identity_links::installed;
use super::indication_service;
use super::job_links::named_job;
use super::links::{Link, Links, Pair, Pairs, each, if_there, later, none, one};
use super::model::Model;
use crate::broker::{INTEROP_NAMESPACE, Instances, Provider};
use crate::cim::{CimError, Class, Instance, ObjectPath, Value};

const PROFILE: &str = "CIM_RegisteredProfile";

/// A profile whose central instances the system has.
#[derive(Clone, Copy, Debug)]
struct RegisteredProfile {
    name: &'static str,
    version: &'static str,
    id: &'static str,
    /// What it is about here.
    about: &'static str,
    /// Whether the scoping profile `Base Server` refers to it.
    is_component: bool,
}

const BASE_SERVER: RegisteredProfile = RegisteredProfile {
    name: "Base Server",
    version: "1.0.0",
    id: "Quartermaster:BaseServer",
    about: "The system whose software is shown.",
    is_component: false,
};
const SOFTWARE_INVENTORY: RegisteredProfile = RegisteredProfile {
    name: "Software Inventory",
    version: "1.0.1",
    id: "Quartermaster:SoftwareInventory",
    about: "What software is installed and available, and what it needs and belongs to.",
    is_component: true,
};
const SOFTWARE_UPDATE: RegisteredProfile = RegisteredProfile {
    name: "Software Update",
    version: "1.0.0",
    id: "Quartermaster:SoftwareUpdate",
    about: "The service that installs, updates, verifies and removes software.",
    is_component: true,
};
const JOB_CONTROL: RegisteredProfile = RegisteredProfile {
    name: "Job Control",
    version: "1.0.0",
    id: "Quartermaster:JobControl",
    about: "The jobs in which software is changed.",
    is_component: true,
};
const INDICATIONS: RegisteredProfile = RegisteredProfile {
    name: "Indications",
    version: "1.2.0",
    id: "Quartermaster:Indications",
    about: "Who is told of which changes, and where.",
    is_component: true,
};
const PROFILE_REGISTRATION: RegisteredProfile = RegisteredProfile {
    name: "Profile Registration",
    version: "1.0.0",
    id: "Quartermaster:ProfileRegistration",
    about: "Which profiles are complied with, and which objects show it.",
    is_component: true,
};

const PROFILES: [RegisteredProfile; 6] =
    [BASE_SERVER, SOFTWARE_INVENTORY, SOFTWARE_UPDATE, JOB_CONTROL, INDICATIONS, PROFILE_REGISTRATION];

/// Serves the registered profiles in root/interop.
#[derive(Debug)]
pub(super) struct Profiles;

impl Provider for Profiles {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![PROFILE.into()]
    }

    fn lives_in_interop(&self, _: &Class) -> bool {
        true
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let id = path.key_str("InstanceID").unwrap_or_default();
        let profile =
            find(path).ok_or_else(|| CimError::not_found(format!("No profile {id:?} is registered here.")))?;
        instance(class, profile)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let class = class.clone();
        Ok(Box::new(PROFILES.into_iter().map(move |profile| instance(&class, profile))))
    }

    fn estimate(&self, _: &Class) -> Option<u64> {
        u64::try_from(PROFILES.len()).ok()
    }
}

fn instance(class: &Arc<Class>, profile: RegisteredProfile) -> Result<Instance, CimError> {
    let mut instance = Instance::new(class.clone());
    instance
        .set("InstanceID", profile.id)?
        .set("RegisteredName", profile.name)?
        .set("RegisteredVersion", profile.version)?
        // 2 Profile
        .set("SpecificationType", 2u16)?
        // 2 DMTF
        .set("RegisteredOrganization", 2u16)?
        // 2 Not Advertised
        .set("AdvertiseTypes", Value::array([2u16]))?
        .set("ElementName", profile.name)?
        .set("Caption", format!("{} Profile {}", profile.name, profile.version))?
        .set("Description", profile.about)?;
    Ok(instance)
}

fn find(path: &ObjectPath) -> Option<RegisteredProfile> {
    let id = path.key_str("InstanceID")?;
    PROFILES.into_iter().find(|profile| profile.id == id)
}

fn path(profile: RegisteredProfile) -> Arc<ObjectPath> {
    Arc::new(ObjectPath::new(INTEROP_NAMESPACE, PROFILE, vec![("InstanceID".into(), profile.id.into())]))
}

pub(super) fn links(model: &Arc<Model>) -> Vec<Arc<dyn Provider>> {
    vec![Links::provider(Conforms(model.clone())), Links::provider(Referenced)]
}

/// Which objects show that the system conforms to a profile: its central instances, computed.
#[derive(Debug)]
struct Conforms(Arc<Model>);

impl Conforms {
    fn central(&self, profile: RegisteredProfile) -> Pairs {
        let standard = path(profile);
        let model = self.0.clone();
        match profile.id {
            id if id == BASE_SERVER.id => one([model.system_path(), standard]),
            id if id == SOFTWARE_UPDATE.id => one([model.service_path(), standard]),
            id if id == INDICATIONS.id => one([indication_service::service_path(&model.system), standard]),
            id if id == SOFTWARE_INVENTORY.id => software(&model, &standard),
            id if id == JOB_CONTROL.id => {
                let jobs = model.jobs.jobs();
                each(jobs.into_iter().map(move |job| [model.job_path(&job), standard.clone()]))
            }
            // Were every profile an element of this one, a walk from any profile would lead here too.
            _ => one([standard.clone(), standard]),
        }
    }

    /// The object, if there is one of that name, and the profile whose central class it is of.
    fn conforming(&self, named: &ObjectPath) -> Result<Option<Pair>, CimError> {
        let model = &self.0;
        if model.is_system(named) {
            return Ok(Some([model.system_path(), path(BASE_SERVER)]));
        }
        if named.same_keys(&model.service_path()) {
            return Ok(Some([model.service_path(), path(SOFTWARE_UPDATE)]));
        }
        let indications = indication_service::service_path(&model.system);
        if named.same_keys(&indications) {
            return Ok(Some([indications, path(INDICATIONS)]));
        }
        if let Some(package) = if_there(model.package(named))? {
            return Ok(Some([model.identity_path(&package.nevra), path(SOFTWARE_INVENTORY)]));
        }
        if let Some(bundle) = bundles::path_of(model, named)? {
            return Ok(Some([bundle, path(SOFTWARE_INVENTORY)]));
        }
        if let Some(job) = named_job(model, named) {
            return Ok(Some([model.job_path(&job), path(JOB_CONTROL)]));
        }
        let itself = find(named).filter(|profile| profile.id == PROFILE_REGISTRATION.id);
        Ok(itself.map(|itself| [path(itself), path(itself)]))
    }
}

/// Every software identity that can be enumerated (DSP1023 clause 6: each is a central instance): what is installed, what is
/// offered, and bundles. What must be read first is read when the walk comes to it.
fn software(model: &Arc<Model>, standard: &Arc<ObjectPath>) -> Pairs {
    let (offering, bundling, standard) = (model.clone(), model.clone(), standard.clone());
    let installed = installed(model).map(|pair| pair.map(|[identity, _]| identity));
    let offered = later(move || {
        let packages = offered_only(&offering, offering.any_catalog()?);
        Ok(packages.map(move |(_, package)| offering.identity_path(&package.nevra)))
    });
    let bundles = later(move || bundles::paths(&bundling));
    Box::new(installed.chain(offered).chain(bundles).map(move |element| Ok([element?, standard.clone()])))
}

impl Link for Conforms {
    fn class(&self) -> &'static str {
        "CIM_ElementConformsToProfile"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["ManagedElement", "ConformantStandard"]
    }

    fn is_ready(&self) -> bool {
        let manager = &self.0.manager;
        manager.loaded_catalog().is_some() && manager.loaded_bundles().is_some()
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let all: Vec<Pairs> = PROFILES.into_iter().map(|profile| self.central(profile)).collect();
        Ok(Box::new(all.into_iter().flatten()))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 0 {
            return Ok(each(self.conforming(source)?));
        }
        Ok(find(source).map_or_else(none, |profile| self.central(profile)))
    }

    fn is_cross_namespace(&self) -> bool {
        true
    }
}

/// `Base Server` refers to the component profiles (DSP1033: the referencing profile is the Dependent).
#[derive(Debug)]
struct Referenced;

impl Link for Referenced {
    fn class(&self) -> &'static str {
        "CIM_ReferencedProfile"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Antecedent", "Dependent"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let components = PROFILES.into_iter().filter(|profile| profile.is_component);
        Ok(each(components.map(|profile| [path(profile), path(BASE_SERVER)])))
    }

    fn lives_in_interop(&self) -> bool {
        true
    }
}
