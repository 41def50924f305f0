//! What the providers of one system share: the schema, the engine, the jobs, and the names of things.

use std::sync::Arc;

use crate::broker::{IMPLEMENTATION_NAMESPACE, INTEROP_NAMESPACE};
use crate::cim::{CimError, Class, ObjectPath, Schema, Value};
use crate::clock::SharedClock;
use crate::jobs::{JobId, Jobs};
use crate::software::{Family, Lookup, Manager, Nevra, Package};

pub(super) const COLLECTION_ID: &str = "LMI:LMI_SystemSoftwareCollection";
pub(super) const SERVICE_NAME: &str = "LMI:LMI_SoftwareInstallationService";
pub(super) const CAPABILITIES_ID: &str = "LMI:LMI_SoftwareInstallationServiceCapabilities";
pub(super) const IDENTITY_PREFIX: &str = "LMI:LMI_SoftwareIdentity:";
/// Nearly every InstanceID of an identity fits in.
const LIKELY_LENGTH: usize = 96;
const JOB_PREFIX: &str = "LMI:LMI_SoftwareInstallationJob:";

/// The keys of the scoping system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemName {
    /// Its leaf class, `PG_ComputerSystem` unless set otherwise.
    pub class: Arc<str>,
    /// Its name, the host's fully qualified name unless set otherwise.
    pub name: Arc<str>,
}

/// One managed system as the providers see it.
#[derive(Debug)]
pub struct Model {
    pub(super) schema: Arc<Schema>,
    pub(super) manager: Arc<dyn Manager>,
    pub(super) jobs: Arc<Jobs>,
    pub(super) clock: SharedClock,
    pub(super) system: SystemName,
    namespace: Arc<str>,
    identity_class: Arc<str>,
    instance_id: Arc<str>,
}

impl Model {
    /// The system whose software `manager` handles and whose changes `jobs` makes.
    pub fn new(
        schema: Arc<Schema>,
        manager: Arc<dyn Manager>,
        jobs: Arc<Jobs>,
        clock: SharedClock,
        system: SystemName,
    ) -> Self {
        Self {
            schema,
            manager,
            jobs,
            clock,
            system,
            namespace: IMPLEMENTATION_NAMESPACE.into(),
            identity_class: "LMI_SoftwareIdentity".into(),
            instance_id: "InstanceID".into(),
        }
    }

    pub(super) fn class(&self, name: &str) -> Result<Arc<Class>, CimError> {
        self.schema.class(name).cloned().ok_or_else(|| {
            CimError::internal("The server's schema is incomplete.", format!("class {name} is missing from schemas/"))
        })
    }

    pub(super) fn system_path(&self) -> Arc<ObjectPath> {
        let keys = vec![
            ("CreationClassName".into(), self.system.class.clone().into()),
            ("Name".into(), self.system.name.clone().into()),
        ];
        self.path(&self.system.class, keys)
    }

    pub(super) fn service_path(&self) -> Arc<ObjectPath> {
        let class: Arc<str> = "LMI_SoftwareInstallationService".into();
        let keys = vec![
            ("CreationClassName".into(), class.clone().into()),
            ("Name".into(), SERVICE_NAME.into()),
            ("SystemCreationClassName".into(), self.system.class.clone().into()),
            ("SystemName".into(), self.system.name.clone().into()),
        ];
        self.path(&class, keys)
    }

    pub(super) fn collection_path(&self) -> Arc<ObjectPath> {
        self.path_by_id(&"LMI_SystemSoftwareCollection".into(), COLLECTION_ID.into())
    }

    pub(super) fn capabilities_path(&self) -> Arc<ObjectPath> {
        self.path_by_id(&"LMI_SoftwareInstallationServiceCapabilities".into(), CAPABILITIES_ID.into())
    }

    pub(super) fn identity_path(&self, nevra: &Nevra) -> Arc<ObjectPath> {
        self.path_by_id(&self.identity_class, identity_id(nevra).into())
    }

    pub(super) fn job_path(&self, id: JobId) -> Arc<ObjectPath> {
        self.path_by_id(&"LMI_SoftwareInstallationJob".into(), job_id(id).into())
    }

    /// The installed package that an identity's path names. Without an epoch it must be
    /// unambiguous: a guess would be somebody else's package.
    pub(super) fn package(&self, path: &ObjectPath) -> Result<Arc<Package>, CimError> {
        let id = path.key_str("InstanceID").unwrap_or_default();
        let nevra = strip_prefix_ignoring_case(id, IDENTITY_PREFIX)
            .ok_or_else(|| CimError::not_found(format!("{id:?} names no software identity.")))?;
        match self.manager.inventory().find_text(nevra) {
            Lookup::Found(package) => Ok(package),
            Lookup::NotFound => Err(CimError::not_found(format!("No installed package is named {nevra:?}."))),
            Lookup::Ambiguous(_) => Err(CimError::invalid_parameter(format!(
                "Several installed packages are named {nevra:?}; write the epoch, as in name-0:version-release.arch."
            ))),
        }
    }

    /// Whether the path names this system, seen as any of its classes and in either namespace that shows it.
    pub(super) fn is_system(&self, path: &ObjectPath) -> bool {
        let is_known =
            [IMPLEMENTATION_NAMESPACE, INTEROP_NAMESPACE].iter().any(|n| path.namespace().eq_ignore_ascii_case(n));
        is_known
            && self.schema.class(&self.system.class).is_some_and(|c| c.is_a(path.class()))
            && path.same_keys(&self.system_path())
    }

    /// The words the engine's packages are known by: the same in TargetTypes and SupportedTargetTypes.
    pub(super) fn target_types(&self) -> [&'static str; 2] {
        match self.manager.family() {
            Family::Deb => ["deb", "apt"],
            Family::Rpm => ["rpm", "yum"],
        }
    }

    /// ExtendedResourceType of the engine's packages.
    pub(super) fn resource_type(&self) -> u16 {
        match self.manager.family() {
            Family::Rpm => 3,
            Family::Deb => 8,
        }
    }

    fn path_by_id(&self, class: &Arc<str>, id: Value) -> Arc<ObjectPath> {
        self.path(class, vec![(self.instance_id.clone(), id)])
    }

    fn path(&self, class: &Arc<str>, keys: Vec<(Arc<str>, Value)>) -> Arc<ObjectPath> {
        Arc::new(ObjectPath::new(self.namespace.clone(), class.clone(), keys))
    }
}

/// The InstanceID of a software identity.
pub(super) fn identity_id(nevra: &Nevra) -> String {
    let mut id = String::with_capacity(LIKELY_LENGTH);
    id.push_str(IDENTITY_PREFIX);
    nevra.push_to(&mut id);
    id
}

pub(super) fn job_id(id: JobId) -> String {
    format!("{JOB_PREFIX}{id}")
}

/// The job that an InstanceID names.
pub(super) fn parse_job_id(text: &str) -> Option<JobId> {
    strip_prefix_ignoring_case(text, JOB_PREFIX)?.parse().ok().map(JobId)
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..))?
}
