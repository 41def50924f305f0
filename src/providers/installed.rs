//! What is installed on the system: one link for each installed package (DSP1023 7.2.1). To make a link is to install the
//! package, to delete it is to remove the package.

use std::sync::Arc;
use std::time::Instant;

use super::identity_links::{installed, installed_of};
use super::installation::not_submitted;
use super::links::{Link, Links};
use super::managed::ManagedSystem;
use super::model::Model;
use super::names::INSTALLED;
use crate::access::Caller;
use crate::broker::{Change, Creation, Deletion, Instances, Provider};
use crate::cim::{CimError, CimStatus, Class, Instance, ObjectPath, Value};
use crate::jobs::{Asked, InstallAction, InstallOptions, JobError, JobFailure, JobState, PackageRequest};
use crate::software::Nevra;

/// Serves the links between the system and what is installed on it.
#[derive(Debug)]
pub(super) struct Installed {
    model: Arc<Model>,
    links: Links<Pairs>,
}

impl Installed {
    pub(super) fn new(model: Arc<Model>) -> Self {
        Self { links: Links::new(Pairs(model.clone())), model }
    }

    /// Runs the change as a job and waits for its end, until the caller waits no longer.
    fn change(&self, nevra: &Nevra, action: InstallAction, caller: &Caller, until: Instant) -> Result<(), CimError> {
        let options = InstallOptions { action, ..InstallOptions::default() };
        let request = PackageRequest::ChangeIdentity { nevra: nevra.clone(), options, asked: Asked::ByLink }.into();
        let job = self.model.jobs().submit(request, caller).map_err(not_submitted)?;
        let path = self.model.job_path(&job);
        let ended = self.model.jobs().wait_for_end(job.id, until).map_err(|_| {
            CimError::new(
                CimStatus::Failed,
                format!("The job {path} was removed before its end was seen; look at the package."),
            )
        })?;
        match (ended.state, &ended.error) {
            (state, _) if !state.is_final() => Err(CimError::timed_out(format!(
                "The operation did not end within its OperationTimeout and goes on as the job {path}; look there what becomes of it."
            ))),
            (JobState::Completed, _) => Ok(()),
            (_, Some(error)) => Err(failed(error)),
            _ => Err(CimError::new(CimStatus::Failed, format!("The job {path} was cancelled."))),
        }
    }
}

impl Provider for Installed {
    fn classes(&self) -> Vec<Arc<str>> {
        self.links.classes()
    }

    fn allows(&self, _: &Class, change: Change) -> bool {
        matches!(change, Change::Create | Change::Delete)
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        self.links.get(class, path)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        self.links.enumerate(class)
    }

    fn estimate(&self, class: &Class) -> Option<u64> {
        self.links.estimate(class)
    }

    fn references(&self, class: &Arc<Class>, source: &ObjectPath, role: Option<&str>) -> Result<Instances, CimError> {
        self.links.references(class, source, role)
    }

    /// Installs the package.
    fn create(&self, creation: &Creation<'_>) -> Result<Instance, CimError> {
        let end = |name: &str| {
            let path = creation.wanted.get(name).and_then(Value::as_reference);
            path.ok_or_else(|| {
                CimError::invalid_parameter(format!("{name} is missing; both ends of the link are needed."))
            })
        };
        if !self.model.is_system(end("System")?) {
            return Err(CimError::not_found("System is not this system."));
        }
        let nevra = self.model.package(end("InstalledSoftware")?)?.nevra.clone();
        if self.model.manager.inventory().find(&nevra).is_some() {
            return Err(CimError::new(CimStatus::AlreadyExists, format!("{nevra} is installed already.")));
        }
        self.change(&nevra, InstallAction::Install, creation.caller, creation.deadline)?;
        let mut made = Instance::new(creation.class.clone());
        made.set("InstalledSoftware", self.model.identity_path(&nevra))?.set("System", self.model.system_path())?;
        Ok(made)
    }

    /// Removes the package.
    fn delete(&self, deletion: &Deletion<'_>) -> Result<(), CimError> {
        let identity = deletion.path.key("InstalledSoftware").and_then(Value::as_reference);
        let identity = identity.ok_or_else(|| CimError::not_found("The link names no software."))?;
        let nevra = self.model.installed(identity)?.nevra.clone();
        self.change(&nevra, InstallAction::Uninstall, deletion.caller, deletion.deadline)
    }
}

fn failed(error: &JobError) -> CimError {
    let message = error.message.clone();
    match error.cause {
        JobFailure::NotFound => CimError::not_found(message),
        JobFailure::NotNewer => CimError::new(CimStatus::AlreadyExists, message),
        JobFailure::Busy => CimError::in_use(message),
        JobFailure::NotAllowed => CimError::access_denied(message),
        _ => CimError::new(CimStatus::Failed, message),
    }
}

/// The links themselves.
#[derive(Debug)]
struct Pairs(Arc<Model>);

impl Link for Pairs {
    fn class(&self) -> &'static str {
        INSTALLED
    }

    fn ends(&self) -> [&'static str; 2] {
        ["InstalledSoftware", "System"]
    }

    fn all(&self) -> Result<super::links::Pairs, CimError> {
        Ok(installed(&self.0))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<super::links::Pairs, CimError> {
        installed_of(&self.0, end, source)
    }

    fn count(&self) -> Option<u64> {
        u64::try_from(self.0.manager.inventory().packages().len()).ok()
    }
}
