//! What every managed system has, whichever software it is about: a name, an installation service, jobs and their history.
//!
//! Providers that do the same for all systems are written against [`ManagedSystem`]; what differs is in its [`Terms`] and
//! methods.

use std::fmt::Debug;
use std::sync::Arc;

use super::job_instance;
use super::job_parameters::return_value;
use super::names::parse_job_id;
use crate::broker::{IMPLEMENTATION_NAMESPACE, INTEROP_NAMESPACE};
use crate::cim::{CimError, Class, Instance, ObjectPath, Schema, Value};
use crate::clock::SharedClock;
use crate::jobs::{Job, JobFailure, JobRequest, Jobs};

/// The keys of a scoping system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemName {
    /// Its leaf class, such as `PG_ComputerSystem`.
    pub class: Arc<str>,
    /// Its name, such as a host's fully qualified name.
    pub name: Arc<str>,
}

/// What a system calls the things that every system has.
#[derive(Debug)]
pub(super) struct Terms {
    /// What it is, for people.
    pub system_description: &'static str,
    /// Whose names its InstanceIDs begin with.
    pub organization: &'static str,
    /// The class of its installation service.
    pub service: &'static str,
    /// That service's name.
    pub service_name: &'static str,
    /// The classes of its jobs.
    pub jobs: &'static [&'static str],
    /// The class of the links between the service and its jobs.
    pub owning_job: &'static str,
    /// The class of what jobs came to.
    pub method_result: &'static str,
    /// The class of the links between jobs and what they came to.
    pub job_method_result: &'static str,
    /// The classes of indications: something new, another than before, gone.
    pub indications: [&'static str; 3],
    /// The InstanceID of its history.
    pub log_id: &'static str,
    /// The name of its history.
    pub log_name: &'static str,
    /// What InstanceIDs of its registered profiles begin with.
    pub profile_prefix: &'static str,
}

/// What every managed system is made of.
#[derive(Debug)]
pub(super) struct Common {
    /// What it calls things.
    pub terms: &'static Terms,
    /// The classes.
    pub schema: Arc<Schema>,
    /// Its jobs.
    pub jobs: Arc<Jobs>,
    /// The time.
    pub clock: SharedClock,
    /// Its keys.
    pub name: SystemName,
}

/// Paths one after the other, and in place of those that cannot be told why not.
pub(super) type Paths = Box<dyn Iterator<Item = Result<Arc<ObjectPath>, CimError>> + Send>;

/// One managed system, as those providers see it that all systems share.
pub(super) trait ManagedSystem: Debug + Send + Sync + 'static {
    /// What it is made of as every system.
    fn common(&self) -> &Common;
    /// The class that a job for this request is shown as.
    fn job_class(&self, request: &JobRequest) -> &'static str;
    /// Sets what of a job only this system's classes have, and its texts for people.
    fn describe_job(&self, job: &Job, instance: &mut Instance) -> Result<(), CimError>;
    /// Sets what of the system itself only its kind has.
    fn describe_system(&self, instance: &mut Instance) -> Result<(), CimError> {
        let _ = instance;
        Ok(())
    }
    /// `ErrorCode` of a job that failed by this.
    fn error_code(&self, cause: JobFailure) -> u16;
    /// What a person can do about it.
    fn advice(&self, cause: JobFailure) -> &'static str {
        job_instance::advice(cause)
    }
    /// What a job's method was called with, in an instance of the method's class of parameters whose name ends so; none of what
    /// was no method with parameters.
    fn parameters(&self, request: &JobRequest, ending: &str) -> Result<Option<Instance>, CimError>;
    /// All of its software identities.
    fn software(self: Arc<Self>) -> Paths;
    /// Whether [`Self::software`] can be had without waiting.
    fn is_software_ready(&self) -> bool;
    /// The software identity of these keys, if there is one. Blocks.
    fn software_named(&self, path: &ObjectPath) -> Result<Option<Arc<ObjectPath>>, CimError>;

    /// What it calls things.
    fn terms(&self) -> &'static Terms {
        self.common().terms
    }

    /// The classes.
    fn schema(&self) -> &Arc<Schema> {
        &self.common().schema
    }

    /// Its jobs.
    fn jobs(&self) -> &Arc<Jobs> {
        &self.common().jobs
    }

    /// The time.
    fn clock(&self) -> &SharedClock {
        &self.common().clock
    }

    /// Its keys.
    fn name(&self) -> &SystemName {
        &self.common().name
    }

    /// What a job's method was called with.
    fn given(&self, request: &JobRequest) -> Result<Option<Instance>, CimError> {
        self.parameters(request, "")
    }

    /// The same with the job and the return value, once the job has ended.
    fn results(&self, job: &Job) -> Result<Option<Instance>, CimError> {
        let Some(value) = return_value(job) else { return Ok(None) };
        let Some(mut parameters) = self.parameters(&job.request, "_Result")? else { return Ok(None) };
        parameters.set("Job", self.job_path(job))?.set("__ReturnValue", value)?;
        Ok(Some(parameters))
    }

    /// A class of the schema.
    fn class(&self, name: &str) -> Result<Arc<Class>, CimError> {
        self.schema().class(name).cloned().ok_or_else(|| {
            CimError::internal("The server's schema is incomplete.", format!("class {name} is missing from schemas/"))
        })
    }

    /// The path of the system.
    fn system_path(&self) -> Arc<ObjectPath> {
        let SystemName { class, name } = self.name();
        let keys = vec![("CreationClassName".into(), class.clone().into()), ("Name".into(), name.clone().into())];
        Arc::new(ObjectPath::new(IMPLEMENTATION_NAMESPACE, &**class, keys))
    }

    /// Whether the path names this system, seen as any of its classes and in either namespace that shows it.
    fn is_system(&self, path: &ObjectPath) -> bool {
        let is_known =
            [IMPLEMENTATION_NAMESPACE, INTEROP_NAMESPACE].iter().any(|n| path.namespace().eq_ignore_ascii_case(n));
        is_known
            && self.schema().class(&self.name().class).is_some_and(|class| class.is_a(path.class()))
            && path.same_keys(&self.system_path())
    }

    /// The path of something that the system has by its name.
    fn part_path(&self, class: &str, name: Value) -> Arc<ObjectPath> {
        let system = self.name();
        let keys = vec![
            ("CreationClassName".into(), class.into()),
            ("Name".into(), name),
            ("SystemCreationClassName".into(), system.class.clone().into()),
            ("SystemName".into(), system.name.clone().into()),
        ];
        Arc::new(ObjectPath::new(IMPLEMENTATION_NAMESPACE, class, keys))
    }

    /// The path of its installation service.
    fn service_path(&self) -> Arc<ObjectPath> {
        self.part_path(self.terms().service, self.terms().service_name.into())
    }

    /// The path of something that has an InstanceID.
    fn path_by_id(&self, class: &str, id: Value) -> Arc<ObjectPath> {
        Arc::new(ObjectPath::new(IMPLEMENTATION_NAMESPACE, class, vec![("InstanceID".into(), id)]))
    }

    /// The InstanceID of a job: numbers are unique over all classes of jobs.
    fn job_id(&self, job: &Job) -> String {
        format!("{}:{}:{}", self.terms().organization, self.job_class(&job.request), job.id)
    }

    /// The path of a job.
    fn job_path(&self, job: &Job) -> Arc<ObjectPath> {
        self.path_by_id(self.job_class(&job.request), self.job_id(job).into())
    }

    /// The job that a path names, if there still is one.
    fn named_job(&self, path: &ObjectPath) -> Option<Arc<Job>> {
        let id = path.key_str("InstanceID")?;
        parse_job_id(id)
            .and_then(|number| self.jobs().job(number))
            .filter(|job| self.job_id(job).eq_ignore_ascii_case(id))
    }
}
