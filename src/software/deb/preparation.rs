//! Finds out what an operation would change, or why it cannot be done. Changes nothing.

use std::path::{Path, PathBuf};

use super::apt::{Apt, Demand, Extent};
use super::request::{Deed, Request};
use super::simulation::Simulation;
use super::{Deb, architectures, archive, cache, open_root, report};
use crate::software::change::{check_cancelled, outcome, unreadable, unusable};
use crate::software::drive::Stage;
use crate::software::{ApplyError, CancelToken, Change, Family, Inventory, Nevra, PackageState};

/// An operation that was found possible.
#[derive(Debug)]
pub(super) struct Preparation {
    /// What apt-get is asked for.
    pub demand: Demand,
    /// The file that dpkg puts in place itself, where apt-get would not put this very file there.
    pub by_dpkg: Option<PathBuf>,
    /// The packages that would not stay as they are.
    pub changes: Vec<Change>,
    /// The build that is to be there afterwards; `None` after a removal.
    pub target: Option<Nevra>,
    /// Whether packages are taken from repositories.
    pub needs_fetching: bool,
}

/// Prepares operations with one apt-get.
pub(super) struct Preparing<'a> {
    pub deb: &'a Deb,
    pub apt: &'a Apt<'a>,
    pub scratch: &'a Path,
    pub cancel: &'a CancelToken,
}

impl Preparing<'_> {
    /// Finds out what `request` would change in what is installed.
    pub(super) fn prepare(&self, request: &Request<'_>, before: &Inventory) -> Result<Preparation, ApplyError> {
        let architectures = architectures::ask_dpkg(&self.deb.root).map_err(|e| unusable("dpkg", &e))?;
        let file = self.file(request, &architectures)?;
        let demand = match &file {
            Some(file) => request.demand().with(file),
            None => request.demand(),
        };
        let (demand, simulation, file) = self.simulate_with_cache(request, before, demand, file)?;
        let native = architectures.first().map_or("", |a| a);
        let after = simulation.applied_to(before, native);
        let changes = outcome(before, &after, Family::Deb).changes;
        let target = match request.deed {
            Deed::Remove { force } => {
                check_dependents(request, force, &changes)?;
                None
            }
            Deed::Update => Some(successor(request, &simulation)?),
            Deed::Install { .. } | Deed::Repair | Deed::Complete => Some(request.nevra.clone()),
        };
        let needs_fetching = match &file {
            Some(_) => simulation.installs_others(request.nevra),
            None => target.is_some(),
        };
        let is_unfinished = request.state_in(before) == Some(PackageState::Unfinished);
        let is_ambiguous = simulation.is_offered(request.nevra);
        let by_dpkg = file.filter(|_| !needs_fetching && (is_unfinished || is_ambiguous));
        Ok(Preparation { demand, by_dpkg, changes, target, needs_fetching })
    }

    /// How a repair goes on that finds its build unpacked and not configured: by apt-get where that lacks packages which
    /// repositories have. `None` where dpkg finishes what is there, or knows better what is lacking.
    pub(super) fn completion<'r>(
        &self,
        request: &Request<'r>,
        inventory: &Inventory,
    ) -> Result<Option<Request<'r>>, ApplyError> {
        if request.state_in(inventory) != Some(PackageState::Unfinished) {
            return Ok(None);
        }
        let complete = Request { deed: Deed::Complete, ..*request };
        match self.simulate(&complete, &complete.demand()) {
            Ok(simulation) => {
                let completes = simulation.configures(request.nevra) && simulation.installs_others(request.nevra);
                Ok(completes.then_some(complete))
            }
            Err(ApplyError::Cancelled) => Err(ApplyError::Cancelled),
            Err(_) => Ok(None),
        }
    }

    /// The file that is installed from, by a name that apt-get takes for a file's.
    fn file(&self, request: &Request<'_>, architectures: &[String]) -> Result<Option<PathBuf>, ApplyError> {
        let Deed::Install { file: Some(file), .. } = request.deed else { return Ok(None) };
        check_architecture(request.nevra, architectures)?;
        self.apt.link(file).map(Some).map_err(|e| unusable("apt-get", &e))
    }

    /// Simulates; a build that no repository offers any more is looked for among those that apt fetched earlier.
    fn simulate_with_cache(
        &self,
        request: &Request<'_>,
        before: &Inventory,
        demand: Demand,
        file: Option<PathBuf>,
    ) -> Result<(Demand, Simulation, Option<PathBuf>), ApplyError> {
        let simulated = self.simulate(request, &demand);
        if !request.needs_this_build(before) {
            return simulated.map(|simulation| (demand, simulation, file));
        }
        match simulated {
            Ok(simulation) if simulation.installs(request.nevra) => Ok((demand, simulation, file)),
            Ok(_) | Err(ApplyError::NotFound(_)) => {
                let root = open_root(&self.deb.root).map_err(|e| unreadable(&e))?;
                let kept = cache::locate(&root, request.nevra).map_err(|e| unusable("apt-get", &e))?;
                let is_it =
                    |file: &PathBuf| archive::inspect(file).is_ok_and(|package| package.nevra == *request.nevra);
                let kept = kept.filter(is_it).ok_or_else(|| request.not_offered())?;
                let link = self.apt.link(&kept).map_err(|e| unusable("apt-get", &e))?;
                let demand = demand.with(&link);
                let simulation = self.simulate(request, &demand)?;
                Ok((demand, simulation, Some(link)))
            }
            Err(other) => Err(other),
        }
    }

    fn simulate(&self, request: &Request<'_>, demand: &Demand) -> Result<Simulation, ApplyError> {
        let mut simulation = Simulation::default();
        let mut command = self.apt.get(demand, Extent::Simulate);
        let ended = Stage::new(self.scratch)
            .and_then(|stage| stage.run(&mut command, &mut simulation, Some(self.cancel)))
            .map_err(|e| unusable("apt-get", &e))?;
        check_cancelled(self.cancel)?;
        if ended.status.success() {
            return Ok(simulation);
        }
        let of = report::Failing { name: &request.nevra.name, not_done: &request.not_done() };
        Err(report::failure(of, &ended.said, &[]))
    }
}

/// Refuses packages of an architecture that dpkg does not know; apt-get would find out only after changes.
fn check_architecture(nevra: &Nevra, known: &[String]) -> Result<(), ApplyError> {
    let wanted = &*nevra.architecture;
    if wanted == "all" || known.iter().any(|k| k == wanted) {
        return Ok(());
    }
    Err(ApplyError::Dependencies(format!(
        "{} is built for {wanted} and this host runs {}: get the package for this architecture",
        nevra.name,
        known.join(", ")
    )))
}

/// Refuses a removal that takes other packages along, unless that is asked for.
fn check_dependents(request: &Request<'_>, force: bool, changes: &[Change]) -> Result<(), ApplyError> {
    let is_other = |change: &&Change| change.after.is_none() && change.before.as_ref() != Some(request.nevra);
    let others: Vec<&str> =
        changes.iter().filter(is_other).filter_map(|c| c.before.as_ref()).map(|nevra| &*nevra.name).collect();
    if force || others.is_empty() {
        return Ok(());
    }
    Err(ApplyError::Dependencies(format!(
        "{}: other installed packages depend on it and would go too: {}. Remove them first, or ask for their removal too",
        request.not_done(),
        others.join(", ")
    )))
}

/// The build that an update puts in place.
fn successor(request: &Request<'_>, simulation: &Simulation) -> Result<Nevra, ApplyError> {
    simulation.successor(request.nevra).cloned().ok_or_else(|| {
        let Nevra { name, .. } = request.nevra;
        ApplyError::NotNewer(format!(
            "{name} {} is up to date: no repository of this host offers a newer build that may be installed",
            request.nevra.evr()
        ))
    })
}
