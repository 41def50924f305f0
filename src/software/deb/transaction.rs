//! Changes packages with apt-get: simulated first, then fetched, then done, and judged by the database afterwards.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::apt::{Apt, Extent, locks};
use super::locks::Patience;
use super::preparation::{Preparation, Preparing};
use super::request::{Deed, Request};
use super::work::{CHANGING, DOWNLOADING, Run, VERIFYING, Work};
use super::{Deb, database, refresh, report};
use crate::software::change::{check_cancelled, outcome, unreadable, unusable};
use crate::software::drive::Stage;
use crate::software::marks::Marks;
use crate::software::{
    ApplyError, CancelToken, Family, Inventory, Manager, Nevra, Operation, Outcome, PackageState, Phase, Progress,
};

/// Does an operation. Verification is not among those that apt-get does.
pub(super) fn apply(
    deb: &Deb,
    operation: &Operation,
    progress: &mut dyn Progress,
    cancel: &CancelToken,
) -> Result<Outcome, ApplyError> {
    if *operation == Operation::RefreshRepositories {
        return refresh::apply(deb, progress, cancel);
    }
    let Some(request) = Request::of(operation) else {
        return Err(ApplyError::Failed("apt-get does not compare the files of packages".to_owned()));
    };
    let mut work = Work::new(progress);
    work.enter(Phase::Checking, 0);
    let patience = Patience::new(locks(&deb.root, true), deb.settings.lock_timeout, cancel);
    let sign = Marks::of(reboot_signs(&deb.root));
    let outcome = patience.when_free(&mut work, &request.not_done(), |work| {
        work.enter(Phase::Checking, 0);
        Transaction { deb, request, cancel, work }.run()
    })?;
    // A sign that was there before tells of another change.
    let signs = reboot_signs(&deb.root);
    let needs_reboot = signs.iter().any(|sign| sign.symlink_metadata().is_ok()) && Marks::of(signs) != sign;
    Ok(Outcome { needs_reboot, ..outcome })
}

/// Debian's signs that a reboot is needed, which packages' scripts leave or add to.
fn reboot_signs(root: &Path) -> Vec<PathBuf> {
    // On most systems `/var/run` is a link to `/run`, which must not be followed out of the root.
    let is_folder = |path: &PathBuf| path.symlink_metadata().is_ok_and(|m| m.is_dir());
    let folders = ["run", "var/run"].into_iter().map(|folder| root.join(folder)).filter(is_folder);
    folders.flat_map(|folder| ["reboot-required", "reboot-required.pkgs"].map(|sign| folder.join(sign))).collect()
}

/// One attempt. It fails as busy only if nothing was changed.
struct Transaction<'t, 'a> {
    deb: &'t Deb,
    request: Request<'t>,
    cancel: &'t CancelToken,
    work: &'t mut Work<'a>,
}

/// How a run ended that changes packages.
struct Changed {
    failure: Option<ApplyError>,
    /// The packages (or files) on which dpkg failed, and why.
    errors: Vec<(String, String)>,
    after: Arc<Inventory>,
}

impl Transaction<'_, '_> {
    fn run(mut self) -> Result<Outcome, ApplyError> {
        let before = self.inventory()?;
        self.request.check(&before)?;
        let scratch = self.deb.settings.scratch_folder().map_err(|e| unusable("apt-get", &e))?;
        let apt = Apt::new(&self.deb.root, &self.deb.settings, scratch.path()).map_err(|e| unusable("apt-get", &e))?;
        check_cancelled(self.cancel)?;
        let cancel = self.cancel;
        if self.request.deed == Deed::Repair {
            if is_interrupted(self.deb)? {
                return self.finish(&apt, &before, scratch.path());
            }
            let preparing = Preparing { deb: self.deb, apt: &apt, scratch: scratch.path(), cancel };
            match preparing.completion(&self.request, &before)? {
                Some(completion) => self.request = completion,
                None if self.request.state_in(&before) == Some(PackageState::Unfinished) => {
                    return self.finish(&apt, &before, scratch.path());
                }
                None => {}
            }
        }
        self.put_in_place(&apt, &before, scratch.path(), cancel)
    }

    /// Finishes what an earlier run left unfinished; this repairs a build that was unpacked and not configured, if it lacks
    /// nothing. Any other is put in place again then.
    fn finish(mut self, apt: &Apt<'_>, before: &Arc<Inventory>, scratch: &Path) -> Result<Outcome, ApplyError> {
        let changed = self.change(before, Phase::Configuring, scratch, |fd| apt.finish(fd))?;
        // Something was changed by now, so it is too late for a cancellation.
        let cancel = CancelToken::default();
        if self.request.state_in(&changed.after) != Some(PackageState::Installed) {
            let preparing = Preparing { deb: self.deb, apt, scratch, cancel: &cancel };
            let Some(completion) = preparing.completion(&self.request, &changed.after)? else {
                return Err(self.failed(changed));
            };
            self.request = completion;
            return self.put_in_place(apt, before, scratch, &cancel);
        }
        changed.failure.iter().for_each(|f| self.work.note(&f.to_string()));
        if self.request.state_in(before) == Some(PackageState::Installed) {
            self.put_in_place(apt, before, scratch, &cancel)
        } else {
            Ok(outcome(before, &changed.after, Family::Deb))
        }
    }

    fn put_in_place(
        mut self,
        apt: &Apt<'_>,
        before: &Arc<Inventory>,
        scratch: &Path,
        cancel: &CancelToken,
    ) -> Result<Outcome, ApplyError> {
        let prepared = Preparing { deb: self.deb, apt, scratch, cancel }.prepare(&self.request, before)?;
        apt.make_folders().map_err(|e| unusable("apt-get", &e))?;
        if prepared.needs_fetching {
            self.fetch(apt, &prepared, scratch, cancel)?;
        }
        check_cancelled(cancel)?;
        let phase = if prepared.target.is_some() { Phase::Unpacking } else { Phase::Removing };
        let force = self.request.forces();
        let changed = self.change(before, phase, scratch, |fd| match &prepared.by_dpkg {
            Some(file) => apt.put(file, force, fd),
            None => apt.get(&prepared.demand, Extent::Change(fd)),
        })?;
        self.judge(&prepared, before, changed)
    }

    /// Fetches everything first, so that it can be cancelled and a repository out of reach changes nothing.
    fn fetch(
        &mut self,
        apt: &Apt<'_>,
        prepared: &Preparation,
        scratch: &Path,
        cancel: &CancelToken,
    ) -> Result<(), ApplyError> {
        self.work.enter(Phase::Downloading, DOWNLOADING);
        let mut run = Run::fetching(self.work, CHANGING);
        let ended = Stage::new(scratch)
            .and_then(|stage| {
                let mut command = apt.get(&prepared.demand, Extent::Download(stage.status_fd()?));
                stage.run(&mut command, &mut run, Some(cancel))
            })
            .map_err(|e| unusable("apt-get", &e))?;
        let errors = run.into_errors();
        check_cancelled(cancel)?;
        if ended.status.success() {
            return Ok(());
        }
        Err(report::failure(self.failing(&self.request.not_done()), &ended.said, &errors))
    }

    /// The change itself, which nothing stops.
    fn change(
        &mut self,
        before: &Inventory,
        phase: Phase,
        scratch: &Path,
        command: impl FnOnce(i32) -> Command,
    ) -> Result<Changed, ApplyError> {
        self.work.enter(phase, CHANGING);
        let mut run = Run::changing(self.work);
        let ended = Stage::new(scratch)
            .and_then(|stage| {
                let mut command = command(stage.status_fd()?);
                stage.run(&mut command, &mut run, None)
            })
            .map_err(|e| unusable("apt-get", &e))?;
        let errors = run.into_errors();
        let not_done = self.request.not_done();
        let failure = (!ended.status.success()).then(|| report::failure(self.failing(&not_done), &ended.said, &errors));
        let after = self.inventory()?;
        match failure {
            Some(ApplyError::Busy(why)) if after.packages() == before.packages() => Err(ApplyError::Busy(why)),
            failure => Ok(Changed { failure, errors, after }),
        }
    }

    /// It succeeded if the database says so; what the tool complained of then is something else, such as another package
    /// that was left unfinished earlier.
    fn judge(self, prepared: &Preparation, before: &Inventory, changed: Changed) -> Result<Outcome, ApplyError> {
        self.work.enter(Phase::Verifying, VERIFYING);
        let outcome = outcome(before, &changed.after, Family::Deb);
        let is_done = match &prepared.target {
            Some(target) => {
                let is_installed = state_of(target, &changed.after) == Some(PackageState::Installed);
                let was_touched = || outcome.changes.iter().any(|change| change.after.as_ref() == Some(target));
                is_installed && (changed.failure.is_none() || was_touched())
            }
            None => self.request.state_in(&changed.after).is_none() && !changed.failed_on(&self.request.nevra.name),
        };
        if !is_done {
            return Err(self.failed(changed));
        }
        changed.failure.iter().for_each(|f| self.work.note(&f.to_string()));
        Ok(outcome)
    }

    /// The error of an operation after which the package is not as it should be, with what was left behind.
    fn failed(&self, changed: Changed) -> ApplyError {
        let name = &self.request.nevra.name;
        let is_unfinished = changed.after.named(name).iter().any(|p| p.state == PackageState::Unfinished);
        let left = match self.request.deed {
            _ if is_unfinished => {
                format!(". It is unpacked but not configured: correct the cause and {}", self.request.again())
            }
            Deed::Remove { .. } if self.request.state_in(&changed.after).is_none() => format!(
                ". Its files are gone, but its removal is not finished: correct the cause and run apt-get remove {name} on \
                 the host"
            ),
            _ => String::new(),
        };
        match changed.failure {
            Some(ApplyError::Failed(why)) => ApplyError::Failed(format!("{why}{left}")),
            Some(other) => other,
            None => ApplyError::Failed(format!(
                "apt-get reported success, but {} is not as it should be{left}",
                self.request.nevra
            )),
        }
    }

    fn failing<'f>(&'f self, not_done: &'f str) -> report::Failing<'f> {
        report::Failing { name: &self.request.nevra.name, not_done }
    }

    fn inventory(&self) -> Result<Arc<Inventory>, ApplyError> {
        self.deb.refresh().map_err(|e| unreadable(&e))?;
        Ok(self.deb.inventory())
    }
}

impl Changed {
    fn failed_on(&self, name: &str) -> bool {
        self.errors.iter().any(|(item, _)| item.split(':').next() == Some(name))
    }
}

/// Whether a run of dpkg was interrupted, which it has to finish before apt-get does anything.
fn is_interrupted(deb: &Deb) -> Result<bool, ApplyError> {
    let journal = database::journal(&deb.root.join(super::FOLDER)).map_err(|e| unreadable(&e))?;
    Ok(!journal.is_empty())
}

fn state_of(build: &Nevra, inventory: &Inventory) -> Option<PackageState> {
    inventory.find(build).map(|p| p.state)
}
