//! The craft of packages: a package engine, and the spool of the files that it installs.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::advisories;
use super::craft::{Craft, Task};
use super::download::{AfterDownload, Downloads, SHARE, download};
use super::protocol::{Refusal, Reply, Request, Staged, Work};
use super::spool::{Spool, inspect};
use super::work::{bounded, internal};
use crate::client::Url;
use crate::clock::SharedClock;
use crate::software::{
    ApplyError, CancelToken, InspectError, Inventory, Manager, Operation, Outcome, Phase, Plan, Progress,
    RepositoryError, outcome,
};

/// What packages are changed with.
#[derive(Debug)]
pub(super) struct Packages {
    manager: Arc<dyn Manager>,
    spool: Spool,
    downloads: Downloads,
    clock: SharedClock,
    /// Held by whoever changes how repositories are configured.
    repositories: Mutex<()>,
}

impl Packages {
    pub(super) fn new(manager: Arc<dyn Manager>, spool: Spool, downloads: Downloads, clock: SharedClock) -> Self {
        Self { manager, spool, downloads, clock, repositories: Mutex::default() }
    }

    fn kind(&self, work: Work) -> Result<Kind, Refusal> {
        match work {
            Work::InstallStaged { staged, force } => {
                let file = self.spool.check(&staged)?;
                // What the copy says counts, not what the server says of it.
                let nevra = inspect(self.manager.as_ref(), &file).map_err(not_staged)?;
                if nevra != staged.nevra {
                    return Err(Refusal::StagedChanged);
                }
                Ok(Kind::Staged { operation: Operation::InstallFile { file, nevra, force }, staged })
            }
            // No tool shall take a name for an option, nor for a path.
            Work::Change(operation) if operation.nevra().is_some_and(|nevra| !nevra.is_plain()) => {
                Err(Refusal::Malformed)
            }
            // Files are installed out of the spool only; images have a worker of their own.
            Work::Change(Operation::InstallFile { .. }) | Work::Patch(_) | Work::Image { .. } => {
                Err(Refusal::Malformed)
            }
            Work::Change(operation) => Ok(Kind::Direct(operation)),
            Work::InstallRemote { url, force } => {
                let url = Url::parse(&url).map_err(|_| Refusal::Malformed)?;
                Ok(Kind::Remote { url, force })
            }
        }
    }

    /// What is installed now.
    fn refreshed(&self) -> Arc<Inventory> {
        if let Err(error) = self.manager.refresh() {
            tracing::error!(error = &error as &dyn std::error::Error, "the package database cannot be read");
        }
        self.manager.inventory()
    }

    /// What was fetched is deleted when this returns.
    fn install_remote(
        &self,
        url: &Url,
        force: bool,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Outcome, ApplyError> {
        let file = download(&self.downloads, url, &self.spool, progress, cancel)?;
        progress.phase(Phase::Checking, SHARE);
        let nevra = inspect(self.manager.as_ref(), &file.path()).map_err(|error| match error {
            InspectError::NotAPackage(why) => {
                ApplyError::NotAPackage(format!("what is at {url} is no package of this system: {why}"))
            }
            InspectError::Read(error) => {
                ApplyError::Failed(format!("what was fetched cannot be read: {}", error.kind()))
            }
        })?;
        let operation = Operation::InstallFile { file: file.path(), nevra, force };
        self.manager.apply(&operation, &mut AfterDownload(progress), cancel)
    }

    fn plan(&self, work: Work, given_up: &CancelToken) -> Result<Plan, Refusal> {
        // Nothing is fetched for a plan.
        let (Kind::Direct(operation) | Kind::Staged { operation, .. }) = self.kind(work)? else {
            return Err(Refusal::Malformed);
        };
        let plan = || self.manager.plan(&operation, given_up);
        let planned =
            catch_unwind(AssertUnwindSafe(plan)).map_err(|_| internal("the engine hit a fault of its own"))?;
        planned.map_err(|error| Refusal::NotPossible { error: bounded(error) })
    }

    fn set_repository(&self, id: &str, enabled: bool) -> Result<Reply, Refusal> {
        // Two repositories may stand in one file, which is read, changed and written as a whole.
        let _one_at_a_time = self.repositories.lock().unwrap_or_else(PoisonError::into_inner);
        match self.manager.set_repository(id, enabled) {
            Ok(()) => Ok(Reply::RepositorySet),
            Err(RepositoryError::NotFound(_)) => Err(Refusal::NoRepository),
            Err(RepositoryError::Overridden(message)) => Err(Refusal::Overridden { message }),
            Err(error @ RepositoryError::Configuration { .. }) => {
                tracing::error!(error = &error as &dyn std::error::Error, id, "a repository cannot be changed");
                Err(internal("the repository's configuration cannot be written"))
            }
        }
    }
}

fn not_staged(error: InspectError) -> Refusal {
    match error {
        InspectError::Read(error) => internal(error.kind()),
        InspectError::NotAPackage(_) => Refusal::StagedChanged,
    }
}

impl Craft for Packages {
    fn task(self: Arc<Self>, work: Work, folder: &Path) -> Result<Box<dyn Task>, Refusal> {
        if let Work::Patch(operation) = work {
            return advisories::task(Arc::clone(&self.manager), &operation, folder, Arc::clone(&self.clock));
        }
        let kind = self.kind(work)?;
        Ok(Box::new(PackageTask { packages: self, kind, before: None }))
    }

    fn answer(&self, request: Request, file: Option<File>, given_up: &CancelToken) -> Result<Reply, Refusal> {
        match request {
            Request::Stage { path, .. } => self.spool.stage(&path, self.manager.as_ref(), given_up).map(Reply::Staged),
            Request::StageUpload { .. } => {
                let file = file.ok_or(Refusal::Malformed)?;
                self.spool.stage_upload(file, self.manager.as_ref(), given_up).map(Reply::Staged)
            }
            Request::Plan { work, .. } => self.plan(work, given_up).map(Reply::Planned),
            Request::SetRepository { id, enabled, .. } => self.set_repository(&id, enabled),
            Request::Discard { staged, .. } => self.spool.discard(staged).map_err(internal).map(|()| Reply::Discarded),
            Request::Sweep { keep, older_than_seconds, .. } => {
                let swept = self.spool.sweep_for_server(&keep, older_than_seconds, self.clock.now());
                swept.map(|()| Reply::Discarded)
            }
            _ => Err(Refusal::Malformed),
        }
    }
}

/// A job that changes packages, or looks at them.
struct PackageTask {
    packages: Arc<Packages>,
    kind: Kind,
    /// What was installed before it began.
    before: Option<Arc<Inventory>>,
}

#[derive(Debug)]
enum Kind {
    /// An operation that needs no file.
    Direct(Operation),
    /// An operation on a file of the spool.
    Staged { operation: Operation, staged: Staged },
    /// The installation of a file that is to be fetched.
    Remote { url: Url, force: bool },
}

impl Task for PackageTask {
    fn carry_out(&mut self, progress: &mut dyn Progress, cancel: &CancelToken) -> Result<Outcome, ApplyError> {
        self.before = Some(self.packages.refreshed());
        match &self.kind {
            Kind::Direct(operation) | Kind::Staged { operation, .. } => {
                self.packages.manager.apply(operation, progress, cancel)
            }
            Kind::Remote { url, force } => self.packages.install_remote(url, *force, progress, cancel),
        }
    }

    fn changed_all_the_same(&self) -> Option<Outcome> {
        if matches!(self.kind, Kind::Direct(Operation::Verify { .. } | Operation::RefreshRepositories)) {
            return None;
        }
        let outcome = outcome(self.before.as_ref()?, &self.packages.refreshed(), self.packages.manager.family());
        (!outcome.changes.is_empty()).then_some(outcome)
    }

    fn after_a_fault(&self) -> &'static str {
        "Look at the package with the system's tools: it may be installed in part."
    }

    fn clean_up(&self) {
        if let Kind::Staged { staged, .. } = &self.kind
            && let Err(error) = self.packages.spool.discard(staged.id)
        {
            tracing::warn!(%error, "a staged file cannot be deleted");
        }
    }
}
