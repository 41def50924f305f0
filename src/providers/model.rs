//! What the providers of one system share: the schema, the engine, the jobs, and the names of things.

use std::sync::Arc;

use super::identities::offered_only;
use super::identity_links::installed;
use super::links::{if_there, later};
use super::managed::{Common, ManagedSystem, Paths, SystemName, Terms};
use super::names::{
    AD_HOC, CAPABILITIES, CAPABILITIES_ID, COLLECTION, COLLECTION_ID, EXECUTABLE, FILE_CHECK, IDENTITY,
    IDENTITY_PREFIX, INSTALLATION_JOB, RESOURCE, SERVICE, SERVICE_NAME, VERIFICATION_JOB, identity_id, job_class,
    strip_prefix_ignoring_case,
};
use super::{bundles, operating_system};
use super::{job_instance, job_parameters};
use crate::broker::IMPLEMENTATION_NAMESPACE;
use crate::cim::{CimError, Instance, ObjectPath, Schema};
use crate::clock::SharedClock;
use crate::jobs::{Job, JobFailure, JobRequest, Jobs};
use crate::software::{Catalog, Family, Lookup, Manager, ManagerError, Nevra, Package, Repository};

/// What a host whose software are packages calls things: as OpenLMI does.
pub(super) static TERMS: Terms = Terms {
    system_description: "The system whose software this service shows and changes.",
    organization: "LMI",
    service: SERVICE,
    service_name: SERVICE_NAME,
    jobs: &[INSTALLATION_JOB, VERIFICATION_JOB],
    owning_job: "LMI_OwningSoftwareJobElement",
    method_result: "LMI_SoftwareMethodResult",
    job_method_result: "LMI_AssociatedSoftwareJobMethodResult",
    indications: ["LMI_SoftwareInstCreation", "LMI_SoftwareInstModification", "LMI_SoftwareInstDeletion"],
    log_id: "Quartermaster:SoftwareHistory",
    log_name: "Software History",
    profile_prefix: "Quartermaster:",
};

/// One host whose software are packages, as the providers see it.
#[derive(Debug)]
pub struct Model {
    common: Common,
    pub(super) manager: Arc<dyn Manager>,
    /// Whether packages may come inside of calls.
    pub(super) takes_byte_streams: bool,
    namespace: Arc<str>,
    identity_class: Arc<str>,
    operating_system: u16,
    instance_id: Arc<str>,
}

impl Model {
    /// The system whose software `manager` handles and whose changes `jobs` makes.
    pub fn new(
        schema: Arc<Schema>,
        manager: Arc<dyn Manager>,
        jobs: Arc<Jobs>,
        clock: SharedClock,
        name: SystemName,
    ) -> Self {
        let operating_system = operating_system::of(manager.root());
        Self {
            operating_system,
            common: Common { terms: &TERMS, schema, jobs, clock, name },
            manager,
            takes_byte_streams: true,
            namespace: IMPLEMENTATION_NAMESPACE.into(),
            identity_class: IDENTITY.into(),
            instance_id: "InstanceID".into(),
        }
    }

    /// The same where packages may not come inside of calls.
    pub fn without_byte_streams(self) -> Self {
        Self { takes_byte_streams: false, ..self }
    }

    pub(super) fn collection_path(&self) -> Arc<ObjectPath> {
        self.path_by_id(COLLECTION, COLLECTION_ID.into())
    }

    pub(super) fn capabilities_path(&self) -> Arc<ObjectPath> {
        self.path_by_id(CAPABILITIES, CAPABILITIES_ID.into())
    }

    pub(super) fn identity_path(&self, nevra: &Nevra) -> Arc<ObjectPath> {
        // There are many of them, so the names are shared.
        let keys = vec![(self.instance_id.clone(), identity_id(nevra).into())];
        Arc::new(ObjectPath::new(self.namespace.clone(), self.identity_class.clone(), keys))
    }

    /// A path of the job that an InstanceID names, whichever kind of job it is.
    pub(super) fn job_reference(&self, id: &str) -> Arc<ObjectPath> {
        self.path_by_id(INSTALLATION_JOB, id.into())
    }

    /// The installed package that an identity's path names. Without an epoch it must be
    /// unambiguous: a guess would be somebody else's package.
    pub(super) fn installed(&self, path: &ObjectPath) -> Result<Arc<Package>, CimError> {
        let text = identity_text(path)?;
        found(self.manager.inventory().find_text(text), text)
    }

    /// The package that an identity's path names, installed or offered by a repository. Blocks unless
    /// [`Self::is_package_ready`].
    pub(super) fn package(&self, path: &ObjectPath) -> Result<Arc<Package>, CimError> {
        let text = identity_text(path)?;
        match self.manager.inventory().find_text(text) {
            Lookup::NotFound => found(self.any_catalog()?.find_text(text), text),
            lookup => found(lookup, text),
        }
    }

    /// Whether the package that the path names can be told without waiting.
    pub(super) fn is_package_ready(&self, path: &ObjectPath) -> bool {
        let installed = |text| self.manager.inventory().find_text(text) != Lookup::NotFound;
        identity_text(path).is_ok_and(installed) || self.manager.loaded_catalog().is_some()
    }

    /// The name parts that an identity's path names, known or not. Without an epoch it must be a known package. Blocks.
    pub(super) fn nevra(&self, path: &ObjectPath) -> Result<Nevra, CimError> {
        match identity_text(path)?.parse() {
            Ok(nevra) => Ok(nevra),
            Err(_) => self.package(path).map(|package| package.nevra.clone()),
        }
    }

    /// What repositories offer, as it is now. Blocks.
    pub(super) fn catalog(&self) -> Result<Arc<Catalog>, CimError> {
        self.manager.catalog().map_err(unreadable)
    }

    /// What repositories offer, as it was a moment ago if it is in memory; else blocks.
    pub(super) fn any_catalog(&self) -> Result<Arc<Catalog>, CimError> {
        self.manager.loaded_catalog().map_or_else(|| self.catalog(), Ok)
    }

    /// The configured repositories. Blocks.
    pub(super) fn repositories(&self) -> Result<Vec<Repository>, CimError> {
        self.manager.repositories().map_err(unreadable)
    }

    /// The repository that a path names. Blocks.
    pub(super) fn repository(&self, path: &ObjectPath) -> Result<Repository, CimError> {
        let id = path.key_str("Name").unwrap_or_default();
        let named = self.repositories()?.into_iter().find(|repository| *repository.id == *id);
        named.filter(|repository| path.same_keys(&self.repository_path(&repository.id))).ok_or_else(|| {
            CimError::not_found(format!(
                "There is no repository {id:?} with these keys; enumerate {RESOURCE} to see all."
            ))
        })
    }

    /// The id of the repository that a path names, whose packages are offered. Blocks.
    pub(super) fn enabled_repository(&self, path: &ObjectPath) -> Result<Arc<str>, CimError> {
        if path.key_str("Name").is_none() {
            return Err(CimError::invalid_parameter("Repository is no reference to a repository."));
        }
        let repository = self.repository(path)?;
        if repository.enabled {
            return Ok(repository.id);
        }
        Err(CimError::not_found(format!("Repository {:?} is disabled; enable it to search in it.", repository.id)))
    }

    pub(super) fn repository_path(&self, id: &Arc<str>) -> Arc<ObjectPath> {
        self.part_path(RESOURCE, id.clone().into())
    }

    /// Whether the path names the collection of this system's software.
    pub(super) fn is_collection(&self, path: &ObjectPath) -> bool {
        let names_it = |id: &str| id.eq_ignore_ascii_case(COLLECTION_ID);
        let is_class = self.schema().class(COLLECTION).is_some_and(|c| c.is_a(path.class()));
        is_class && path.key_str("InstanceID").is_some_and(names_it)
    }

    /// The words the engine's packages are known by: the same in TargetTypes and SupportedTargetTypes.
    pub(super) fn target_types(&self) -> [&'static str; 2] {
        match self.manager.family() {
            Family::Deb => ["deb", "apt"],
            Family::Rpm => ["rpm", "yum"],
        }
    }

    /// The check of one file of a package: as it is now, or as a verification job found it.
    pub(super) fn file_check_path(&self, nevra: &Nevra, file: &str, job: Option<&Job>) -> Arc<ObjectPath> {
        let check = job.map_or_else(|| AD_HOC.to_owned(), |job| self.job_id(job));
        let keys = vec![
            ("Name".into(), file.into()),
            ("CheckID".into(), check.into()),
            ("SoftwareElementID".into(), nevra.to_string().into()),
            ("SoftwareElementState".into(), EXECUTABLE.into()),
            ("TargetOperatingSystem".into(), self.operating_system().into()),
            ("Version".into(), nevra.evra().into()),
        ];
        Arc::new(ObjectPath::new(self.namespace.clone(), FILE_CHECK, keys))
    }

    /// TargetOSTypes and TargetOperatingSystem: what the managed root says that it runs.
    pub(super) fn operating_system(&self) -> u16 {
        self.operating_system
    }

    /// ExtendedResourceType of the engine's packages.
    pub(super) fn resource_type(&self) -> u16 {
        match self.manager.family() {
            Family::Rpm => 3,
            Family::Deb => 8,
        }
    }
}

impl ManagedSystem for Model {
    fn common(&self) -> &Common {
        &self.common
    }

    fn job_class(&self, request: &JobRequest) -> &'static str {
        job_class(request)
    }

    fn describe_job(&self, job: &Job, instance: &mut Instance) -> Result<(), CimError> {
        let [caption, description] = job_parameters::descriptions(job);
        instance
            .set("Caption", caption)?
            .set("Description", description)?
            .set("MethodName", job_parameters::method(&job.request))?;
        Ok(())
    }

    fn error_code(&self, cause: JobFailure) -> u16 {
        job_instance::error_code(cause)
    }

    fn parameters(&self, request: &JobRequest, ending: &str) -> Result<Option<Instance>, CimError> {
        job_parameters::parameters(self, request, ending)
    }

    /// What is installed, what is offered, and bundles. What must be read first is read when the walk comes to it.
    fn software(self: Arc<Self>) -> Paths {
        let (offering, bundling) = (self.clone(), self.clone());
        let installed = installed(&self).map(|pair| pair.map(|[identity, _]| identity));
        let offered = later(move || {
            let packages = offered_only(&offering, offering.any_catalog()?);
            Ok(packages.map(move |(_, package)| offering.identity_path(&package.nevra)))
        });
        let bundles = later(move || bundles::paths(&bundling));
        Box::new(installed.chain(offered).chain(bundles))
    }

    fn is_software_ready(&self) -> bool {
        self.manager.loaded_catalog().is_some() && self.manager.loaded_bundles().is_some()
    }

    fn software_named(&self, path: &ObjectPath) -> Result<Option<Arc<ObjectPath>>, CimError> {
        match if_there(self.package(path))? {
            Some(package) => Ok(Some(self.identity_path(&package.nevra))),
            None => bundles::path_of(self, path),
        }
    }
}

/// What follows the prefix in an identity's InstanceID.
pub(super) fn identity_text(path: &ObjectPath) -> Result<&str, CimError> {
    let id = path.key_str("InstanceID").unwrap_or_default();
    strip_prefix_ignoring_case(id, IDENTITY_PREFIX)
        .ok_or_else(|| CimError::not_found(format!("{id:?} names no software identity.")))
}

fn found(lookup: Lookup, text: &str) -> Result<Arc<Package>, CimError> {
    match lookup {
        Lookup::Found(package) => Ok(package),
        Lookup::NotFound => Err(CimError::not_found(format!("No package is named {text:?}."))),
        Lookup::Ambiguous(_) => Err(CimError::invalid_parameter(format!(
            "Several packages are named {text:?}; write the epoch, as in name-0:version-release.arch."
        ))),
    }
}

pub(super) fn unreadable(error: ManagerError) -> CimError {
    CimError::internal("What the host's repositories offer cannot be read; the operator's log says why.", error)
}
