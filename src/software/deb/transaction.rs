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
    ApplyError, CancelToken, Change, Family, Inventory, Manager, Nevra, Operation, Outcome, PackageState, Phase,
    Progress,
};

/// How often a change is prepared anew because others changed packages meanwhile, before it is given up.
const MOST_ATTEMPTS: usize = 5;

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
        Transaction { deb, request, cancel: cancel.clone(), work, done: Vec::new() }.run()
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

/// One operation. It fails as busy only if nothing was changed.
struct Transaction<'t, 'a> {
    deb: &'t Deb,
    request: Request<'t>,
    /// Replaced when it is too late for a cancellation.
    cancel: CancelToken,
    work: &'t mut Work<'a>,
    /// What was changed in attempts that had to be begun anew.
    done: Vec<Change>,
}

/// How a run ended that changes packages.
struct Changed {
    failure: Option<ApplyError>,
    /// The packages (or files) on which dpkg failed, and why.
    errors: Vec<(String, String)>,
    after: Arc<Inventory>,
}

impl<'t> Transaction<'t, '_> {
    /// Does it, from the beginning again where others changed packages meanwhile: nothing holds their tools off while packages
    /// are fetched, and what was found possible and wanted before may be neither then.
    fn run(mut self) -> Result<Outcome, ApplyError> {
        let request = self.request;
        for _ in 0..MOST_ATTEMPTS {
            self.request = request;
            if let Some(outcome) = self.attempt()? {
                return Ok(Outcome { changes: joined(self.done, outcome.changes), ..outcome });
            }
            self.work.enter(Phase::Checking, 0);
        }
        Err(ApplyError::Busy(format!("{}: other tools keep changing this host's packages", request.not_done())))
    }

    /// `None` if others changed packages before it was done.
    fn attempt(&mut self) -> Result<Option<Outcome>, ApplyError> {
        let before = self.inventory()?;
        self.request.check(&before)?;
        let (root, settings) = (&self.deb.root, &self.deb.settings);
        let scratch = settings.scratch_folder().map_err(|e| unusable("apt-get", &e))?;
        let apt = Apt::new(root, settings, scratch.path()).map_err(|e| unusable("apt-get", &e))?;
        check_cancelled(&self.cancel)?;
        if self.request.deed == Deed::Repair {
            if is_interrupted(self.deb)? {
                return self.finish(&apt, &before, scratch.path());
            }
            match self.completion(&apt, &before, scratch.path())? {
                Some(completion) => self.request = completion,
                None if self.request.state_in(&before) == Some(PackageState::Unfinished) => {
                    return self.finish(&apt, &before, scratch.path());
                }
                None => {}
            }
        }
        self.put_in_place(&apt, &before, &before, scratch.path())
    }

    /// Finishes what an earlier run left unfinished; this repairs a build that was unpacked and not configured, if it lacks
    /// nothing. Any other is put in place again then.
    fn finish(
        &mut self,
        apt: &Apt<'_>,
        before: &Arc<Inventory>,
        scratch: &Path,
    ) -> Result<Option<Outcome>, ApplyError> {
        let changed = self.change(before, Phase::Configuring, scratch, |fd| apt.finish(fd))?;
        // Something was changed by now, so it is too late for a cancellation.
        self.cancel = CancelToken::default();
        let finished = changed.after.clone();
        if self.request.state_in(&finished) != Some(PackageState::Installed) {
            let Some(completion) = self.completion(apt, &finished, scratch)? else {
                return Err(self.failed(changed));
            };
            self.request = completion;
            return self.put_in_place(apt, before, &finished, scratch);
        }
        changed.failure.iter().for_each(|f| self.work.note(&f.to_string()));
        if self.request.state_in(before) == Some(PackageState::Installed) {
            self.put_in_place(apt, before, &finished, scratch)
        } else {
            Ok(Some(outcome(before, &finished, Family::Deb)))
        }
    }

    /// How a repair of what is unpacked goes on.
    fn completion(
        &self,
        apt: &Apt<'_>,
        inventory: &Inventory,
        scratch: &Path,
    ) -> Result<Option<Request<'t>>, ApplyError> {
        Preparing { deb: self.deb, apt, scratch, cancel: &self.cancel }.completion(&self.request, inventory)
    }

    /// Does what is asked for if only `now` is still installed when it is prepared; what was changed is counted from `before`.
    fn put_in_place(
        &mut self,
        apt: &Apt<'_>,
        before: &Arc<Inventory>,
        now: &Arc<Inventory>,
        scratch: &Path,
    ) -> Result<Option<Outcome>, ApplyError> {
        let prepared = self.prepare(apt, now, scratch);
        let is_cancelled = matches!(prepared, Err(ApplyError::Cancelled));
        if !is_cancelled && self.inventory()?.packages() != now.packages() {
            self.done = joined(std::mem::take(&mut self.done), outcome(before, now, Family::Deb).changes);
            return Ok(None);
        }
        let prepared = prepared?;
        check_cancelled(&self.cancel)?;
        let phase = if prepared.target.is_some() { Phase::Unpacking } else { Phase::Removing };
        let force = self.request.forces();
        let changed = self.change(before, phase, scratch, |fd| match &prepared.by_dpkg {
            Some(file) => apt.put(file, force, fd),
            None => apt.get(&prepared.demand, Extent::Change(fd)),
        })?;
        self.judge(&prepared, before, changed).map(Some)
    }

    /// Finds out what is to be done, and fetches what that needs.
    fn prepare(&mut self, apt: &Apt<'_>, now: &Inventory, scratch: &Path) -> Result<Preparation, ApplyError> {
        let preparing = Preparing { deb: self.deb, apt, scratch, cancel: &self.cancel };
        let prepared = preparing.prepare(&self.request, now)?;
        apt.make_folders().map_err(|e| unusable("apt-get", &e))?;
        if prepared.needs_fetching {
            self.fetch(apt, &prepared, scratch)?;
        }
        Ok(prepared)
    }

    /// Fetches everything first, so that it can be cancelled and a repository out of reach changes nothing.
    fn fetch(&mut self, apt: &Apt<'_>, prepared: &Preparation, scratch: &Path) -> Result<(), ApplyError> {
        self.work.enter(Phase::Downloading, DOWNLOADING);
        let mut run = Run::fetching(self.work, CHANGING);
        let ended = Stage::new(scratch)
            .and_then(|stage| {
                let mut command = apt.get(&prepared.demand, Extent::Download(stage.status_fd()?));
                stage.run(&mut command, &mut run, Some(&self.cancel))
            })
            .map_err(|e| unusable("apt-get", &e))?;
        let errors = run.into_errors();
        check_cancelled(&self.cancel)?;
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
    fn judge(&mut self, prepared: &Preparation, before: &Inventory, changed: Changed) -> Result<Outcome, ApplyError> {
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

/// What was changed at first and later on: what the later change begins with is what the earlier one ended with.
fn joined(mut changes: Vec<Change>, later: Vec<Change>) -> Vec<Change> {
    for change in later {
        match changes.iter_mut().find(|earlier| change.before.is_some() && earlier.after == change.before) {
            Some(earlier) => (earlier.kind, earlier.after) = (change.kind, change.after),
            None => changes.push(change),
        }
    }
    changes
}

/// Whether a run of dpkg was interrupted, which it has to finish before apt-get does anything.
fn is_interrupted(deb: &Deb) -> Result<bool, ApplyError> {
    let journal = database::journal(&deb.root.join(super::FOLDER)).map_err(|e| unreadable(&e))?;
    Ok(!journal.is_empty())
}

fn state_of(build: &Nevra, inventory: &Inventory) -> Option<PackageState> {
    inventory.find(build).map(|p| p.state)
}
