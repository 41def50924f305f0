//! What an operation would change, and how much that is.

use std::collections::HashMap;

use super::check::check;
use super::request::{Request, Target};
use super::session::Session;
use super::{Rpm, inspect, reboot, report};
use crate::software::change::unusable;
use crate::software::{
    ApplyError, CancelToken, Change, ChangeKind, Inventory, Nevra, Operation, Phase, Plan, PlannedChange, Progress,
};

/// The plan of an operation, by the tools' own dry runs; empty for what changes no package.
///
/// The sizes are those that the repositories tell. What dnf has in its cache from an operation that was given up counts as
/// if it were fetched again.
pub(super) fn plan(rpm: &Rpm, operation: &Operation, cancel: &CancelToken) -> Result<Plan, ApplyError> {
    if matches!(operation, Operation::Verify { .. } | Operation::RefreshRepositories) {
        return Ok(Plan::default());
    }
    let mut silent = Silent;
    let mut session = Session::open(rpm, &mut silent, cancel)?;
    session.takes_keys = false;
    let before = session.inventory()?;
    let mut request = Request::new(operation, &before, &session.tools)?;
    if let Target::File(file) = request.target {
        session.tools.link(file).map_err(|e| unusable("rpm", &e))?;
    }
    let forecast = check(&mut session, &mut request, &before)?;
    let sizes = Sizes::of(&mut session, &request, &forecast.changes)?;
    let needs_reboot = Some(reboot::is_expected(&rpm.root, &forecast.changes));
    let changes: Vec<PlannedChange> = forecast.changes.into_iter().map(|change| sizes.planned(change)).collect();
    Ok(Plan {
        download_octets: changes.iter().filter_map(|c| c.download_octets).fold(0, u64::saturating_add),
        disk_octets: sizes.disk(&changes, &before),
        changes,
        needs_reboot,
    })
}

/// The sizes of what would come.
#[derive(Debug, Default)]
struct Sizes(HashMap<Nevra, Size>);

#[derive(Clone, Copy, Debug)]
struct Size {
    /// Of the package file, if it comes from a repository.
    download: Option<u64>,
    /// Of the files in it.
    installed: Option<u64>,
}

impl Sizes {
    fn of(session: &mut Session<'_>, request: &Request<'_>, changes: &[Change]) -> Result<Self, ApplyError> {
        let mut sizes = Self::default();
        let given = match request.target {
            Target::File(file) => {
                let installed = inspect(file).ok().and_then(|package| package.installed_size);
                sizes.0.insert(request.nevra.clone(), Size { download: None, installed });
                Some(request.nevra)
            }
            Target::Build | Target::Name(_) => None,
        };
        let fetched: Vec<&Nevra> =
            changes.iter().filter_map(|c| c.after.as_ref()).filter(|n| Some(*n) != given).collect();
        if !fetched.is_empty() {
            let told = session.ask(|tools| tools.dnf_sizes(&fetched))?;
            sizes.0.extend(told.lines().filter_map(report::sizes).filter_map(|(build, download, installed)| {
                Some((build.parse().ok()?, Size { download: Some(download), installed: Some(installed) }))
            }));
        }
        Ok(sizes)
    }

    fn planned(&self, change: Change) -> PlannedChange {
        let size = change.after.as_ref().and_then(|after| self.0.get(after));
        PlannedChange { download_octets: size.and_then(|size| size.download), change }
    }

    /// How much more of the disk would be used; not known if one of the sizes is not.
    fn disk(&self, changes: &[PlannedChange], before: &Inventory) -> Option<i64> {
        let mut sum: i64 = 0;
        for PlannedChange { change, .. } in changes {
            // The same build takes the same room, whatever is missing of it now.
            if change.kind == ChangeKind::Reinstalled {
                continue;
            }
            if let Some(after) = &change.after {
                sum = sum.checked_add_unsigned(self.0.get(after)?.installed?)?;
            }
            if let Some(gone) = &change.before {
                sum = sum.checked_sub_unsigned(before.find(gone)?.installed_size?)?;
            }
        }
        Some(sum)
    }
}

/// Tells nobody.
#[derive(Debug)]
struct Silent;

impl Progress for Silent {
    fn started(&mut self, _pid: u32, _start_ticks: u64) {}
    fn phase(&mut self, _phase: Phase, _percent: u8) {}
    fn note(&mut self, _text: &str) {}
}
