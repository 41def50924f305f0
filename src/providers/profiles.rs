//! Profile Registration (DSP1033): which profiles the system conforms to, and the objects that show it.

use std::sync::Arc;

use super::indication_service;
use super::links::{Link, Links, Pair, Pairs, each, none, one};
use super::managed::ManagedSystem;
use crate::broker::{INTEROP_NAMESPACE, Instances, Provider};
use crate::cim::{CimError, Class, Instance, ObjectPath, Value};

const PROFILE: &str = "CIM_RegisteredProfile";

/// A profile whose central instances a system has.
#[derive(Clone, Copy, Debug)]
struct RegisteredProfile {
    name: &'static str,
    version: &'static str,
    /// What its InstanceID ends with.
    id: &'static str,
    /// What it is about here.
    about: &'static str,
    /// Whether the scoping profile `Base Server` refers to it.
    is_component: bool,
}

const BASE_SERVER: RegisteredProfile = RegisteredProfile {
    name: "Base Server",
    version: "1.0.0",
    id: "BaseServer",
    about: "The system whose software is shown.",
    is_component: false,
};
const SOFTWARE_INVENTORY: RegisteredProfile = RegisteredProfile {
    name: "Software Inventory",
    version: "1.0.1",
    id: "SoftwareInventory",
    about: "What software is installed and available, and what it needs and belongs to.",
    is_component: true,
};
const SOFTWARE_UPDATE: RegisteredProfile = RegisteredProfile {
    name: "Software Update",
    version: "1.0.0",
    id: "SoftwareUpdate",
    about: "The service that installs, updates, verifies and removes software.",
    is_component: true,
};
const JOB_CONTROL: RegisteredProfile = RegisteredProfile {
    name: "Job Control",
    version: "1.0.0",
    id: "JobControl",
    about: "The jobs in which software is changed.",
    is_component: true,
};
const INDICATIONS: RegisteredProfile = RegisteredProfile {
    name: "Indications",
    version: "1.2.0",
    id: "Indications",
    about: "Who is told of which changes, and where.",
    is_component: true,
};
const PROFILE_REGISTRATION: RegisteredProfile = RegisteredProfile {
    name: "Profile Registration",
    version: "1.0.0",
    id: "ProfileRegistration",
    about: "Which profiles are complied with, and which objects show it.",
    is_component: true,
};

const PROFILES: [RegisteredProfile; 6] =
    [BASE_SERVER, SOFTWARE_INVENTORY, SOFTWARE_UPDATE, JOB_CONTROL, INDICATIONS, PROFILE_REGISTRATION];

/// Serves the registered profiles of a system in root/interop.
#[derive(Debug)]
pub(super) struct Profiles(Arc<dyn ManagedSystem>);

impl Profiles {
    pub(super) fn new(system: Arc<dyn ManagedSystem>) -> Self {
        Self(system)
    }
}

impl Provider for Profiles {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![PROFILE.into()]
    }

    fn lives_in_interop(&self, _: &Class) -> bool {
        true
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let id = path.key_str("InstanceID").unwrap_or_default();
        let profile = find(&*self.0, path)
            .ok_or_else(|| CimError::not_found(format!("No profile {id:?} is registered here.")))?;
        instance(&*self.0, class, profile)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let (system, class) = (self.0.clone(), class.clone());
        Ok(Box::new(PROFILES.into_iter().map(move |profile| instance(&*system, &class, profile))))
    }

    fn estimate(&self, _: &Class) -> Option<u64> {
        u64::try_from(PROFILES.len()).ok()
    }
}

fn instance(system: &dyn ManagedSystem, class: &Arc<Class>, profile: RegisteredProfile) -> Result<Instance, CimError> {
    let mut instance = Instance::new(class.clone());
    instance
        .set("InstanceID", id(system, profile))?
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

fn id(system: &dyn ManagedSystem, profile: RegisteredProfile) -> String {
    format!("{}{}", system.terms().profile_prefix, profile.id)
}

fn find(system: &dyn ManagedSystem, path: &ObjectPath) -> Option<RegisteredProfile> {
    let named = path.key_str("InstanceID")?.strip_prefix(system.terms().profile_prefix)?;
    PROFILES.into_iter().find(|profile| profile.id == named)
}

fn path(system: &dyn ManagedSystem, profile: RegisteredProfile) -> Arc<ObjectPath> {
    Arc::new(ObjectPath::new(INTEROP_NAMESPACE, PROFILE, vec![("InstanceID".into(), id(system, profile).into())]))
}

/// What joins a system's profiles with each other and with what conforms to them; `home` has the indication service.
pub(super) fn links(system: &Arc<dyn ManagedSystem>, home: &Arc<dyn ManagedSystem>) -> Vec<Arc<dyn Provider>> {
    vec![
        Links::provider(Conforms { system: system.clone(), home: home.clone() }),
        Links::provider(Referenced(system.clone())),
    ]
}

/// Which objects show that the system conforms to a profile: its central instances, computed.
#[derive(Debug)]
struct Conforms {
    system: Arc<dyn ManagedSystem>,
    /// The system that has the indication service of all.
    home: Arc<dyn ManagedSystem>,
}

impl Conforms {
    fn central(&self, profile: RegisteredProfile) -> Pairs {
        let system = self.system.clone();
        let standard = path(&*system, profile);
        match profile.id {
            id if id == BASE_SERVER.id => one([system.system_path(), standard]),
            id if id == SOFTWARE_UPDATE.id => one([system.service_path(), standard]),
            id if id == INDICATIONS.id => one([indication_service::service_path(&*self.home), standard]),
            // Every software identity that can be enumerated: each is a central instance (DSP1023 clause 6).
            id if id == SOFTWARE_INVENTORY.id => {
                Box::new(system.software().map(move |element| Ok([element?, standard.clone()])))
            }
            id if id == JOB_CONTROL.id => {
                let jobs = system.jobs().jobs();
                each(jobs.into_iter().map(move |job| [system.job_path(&job), standard.clone()]))
            }
            // Were every profile an element of this one, a walk from any profile would lead here too.
            _ => one([standard.clone(), standard]),
        }
    }

    /// The object, if there is one of that name, and the profile whose central class it is of.
    fn conforming(&self, named: &ObjectPath) -> Result<Option<Pair>, CimError> {
        let system = &*self.system;
        let pair = |element: Arc<ObjectPath>, profile| Ok(Some([element, path(system, profile)]));
        if system.is_system(named) {
            return pair(system.system_path(), BASE_SERVER);
        }
        if named.same_keys(&system.service_path()) {
            return pair(system.service_path(), SOFTWARE_UPDATE);
        }
        let indications = indication_service::service_path(&*self.home);
        if named.same_keys(&indications) {
            return pair(indications, INDICATIONS);
        }
        if let Some(identity) = system.software_named(named)? {
            return pair(identity, SOFTWARE_INVENTORY);
        }
        if let Some(job) = system.named_job(named) {
            return pair(system.job_path(&job), JOB_CONTROL);
        }
        let itself = find(system, named).filter(|profile| profile.id == PROFILE_REGISTRATION.id);
        itself.map_or(Ok(None), |itself| pair(path(system, itself), itself))
    }
}

impl Link for Conforms {
    fn class(&self) -> &'static str {
        "CIM_ElementConformsToProfile"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["ManagedElement", "ConformantStandard"]
    }

    fn is_ready(&self) -> bool {
        self.system.is_software_ready()
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let all: Vec<Pairs> = PROFILES.into_iter().map(|profile| self.central(profile)).collect();
        Ok(Box::new(all.into_iter().flatten()))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        if end == 0 {
            return Ok(each(self.conforming(source)?));
        }
        Ok(find(&*self.system, source).map_or_else(none, |profile| self.central(profile)))
    }

    fn is_cross_namespace(&self) -> bool {
        true
    }
}

/// `Base Server` refers to the component profiles (DSP1033: the referencing profile is the Dependent).
#[derive(Debug)]
struct Referenced(Arc<dyn ManagedSystem>);

impl Link for Referenced {
    fn class(&self) -> &'static str {
        "CIM_ReferencedProfile"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Antecedent", "Dependent"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let components = PROFILES.into_iter().filter(|profile| profile.is_component);
        let system = self.0.clone();
        Ok(each(components.map(move |profile| [path(&*system, profile), path(&*system, BASE_SERVER)])))
    }

    fn lives_in_interop(&self) -> bool {
        true
    }
}
