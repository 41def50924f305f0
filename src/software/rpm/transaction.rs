//! Changes what is installed with dnf or rpm: checked first, judged by the database afterwards.

use super::check::check;
use super::forecast::Forecast;
use super::report::{self, RepositoryFailure, failed_repositories};
use super::request::{Request, Verb};
use super::session::Session;
use super::table::Table;
use super::tools::Extent;
use super::{Rpm, reboot};
use crate::software::change::{outcome, unusable};
use crate::software::drive::Ended;
use crate::software::{
    ApplyError, CancelToken, Change, ChangeKind, Family, Inventory, Nevra, Operation, Outcome, Phase, Progress,
};

/// How often a change is checked anew because others changed packages meanwhile, before it is given up.
const MOST_ATTEMPTS: usize = 5;

/// Does an operation that changes packages, or refreshes what is known of repositories.
pub(super) fn apply(
    rpm: &Rpm,
    operation: &Operation,
    progress: &mut dyn Progress,
    cancel: &CancelToken,
) -> Result<Outcome, ApplyError> {
    let mut session = Session::open(rpm, progress, cancel)?;
    if *operation == Operation::RefreshRepositories {
        return refresh(&mut session).map(|()| Outcome::default());
    }
    if let Operation::InstallFile { file, .. } = operation {
        session.tools.link(file).map_err(|e| unusable("rpm", &e))?;
    }
    for _ in 0..MOST_ATTEMPTS {
        let before = session.inventory()?;
        let Some(attempt) = attempt(&mut session, operation, &before)? else { continue };
        let after = session.verify()?;
        let outcome = judge(&mut session, attempt, &before, &after)?;
        return Ok(Outcome { needs_reboot: reboot::is_needed(&rpm.root, &outcome.changes), ..outcome });
    }
    Err(ApplyError::Busy(format!(
        "{}: other tools changed this host's packages each time that the change had been checked; try again when they have \
         finished",
        session.undone
    )))
}

/// A change that a tool has made, or tried to make.
struct Attempt<'o> {
    request: Request<'o>,
    /// What was to change by the check.
    forecast: Forecast,
    /// What the tool itself said that it would remove.
    removed: Vec<Nevra>,
    /// Why it failed, if the tool says so.
    failure: Option<ApplyError>,
}

/// Checks and makes the change. `None`, with nothing changed, if somebody else changed what is installed while the tools
/// waited for them: what was checked is not what would be done.
fn attempt<'o>(
    session: &mut Session<'_>,
    operation: &'o Operation,
    before: &Inventory,
) -> Result<Option<Attempt<'o>>, ApplyError> {
    let (request, forecast) = match prepare(session, operation, before) {
        Ok(prepared) => prepared,
        Err(error) if error == ApplyError::Cancelled || session.is_current(before)? => return Err(error),
        Err(_) => return Ok(None),
    };
    let Some(ended) = change(session, &request, before)? else { return Ok(None) };
    let failure = (!ended.status.success()).then(|| report::failure(&request, &ended.said));
    // rpm removes nothing if others need it, and these came after the check.
    let is_refused = failure.is_some() && !report::dependents(ended.said.lines()).is_empty();
    if request.verb == Verb::Remove && is_refused && !session.is_current(before)? {
        return Ok(None);
    }
    let removed = Table::parse(ended.said.lines()).removed;
    Ok(Some(Attempt { request, forecast, removed, failure }))
}

/// Checks the change and fetches what it needs.
fn prepare<'o>(
    session: &mut Session<'_>,
    operation: &'o Operation,
    before: &Inventory,
) -> Result<(Request<'o>, Forecast), ApplyError> {
    let mut request = Request::new(operation, before, &session.tools)?;
    let forecast = check(session, &mut request, before)?;
    session.checked();
    fetch(session, &request, &forecast)?;
    Ok((request, forecast))
}

/// Fetches everything first, so that it can be cancelled and a repository out of reach changes nothing.
fn fetch(session: &mut Session<'_>, request: &Request<'_>, forecast: &Forecast) -> Result<(), ApplyError> {
    let comes = forecast.changes.iter().any(|change| change.after.is_some());
    if !comes || !session.tools.has_dnf() {
        return Ok(());
    }
    let ended = session.fetch(|tools| tools.dnf(request, Extent::Fetch))?;
    if ended.status.success() { Ok(()) } else { Err(report::failure(request, &ended.said)) }
}

/// The change itself, if `before` is still installed.
///
/// dnf looks anew for what depends on what it removes. Unless that was asked for with force, rpm removes, which refuses if
/// anything has come that does.
fn change(session: &mut Session<'_>, request: &Request<'_>, before: &Inventory) -> Result<Option<Ended>, ApplyError> {
    let phase = if request.verb == Verb::Remove { Phase::Removing } else { Phase::Unpacking };
    let is_alone = request.verb == Verb::Remove && !request.force;
    session.change(before, &phase, |tools| {
        if tools.has_dnf() && !is_alone {
            tools.dnf(request, Extent::Change)
        } else {
            tools.rpm(request, Extent::Change)
        }
    })
}

/// What was done, if it is what was asked for; what the tool complains of is then a note, as is what else was changed.
fn judge(
    session: &mut Session<'_>,
    attempt: Attempt<'_>,
    before: &Inventory,
    after: &Inventory,
) -> Result<Outcome, ApplyError> {
    let mut outcome = outcome(before, after, Family::Rpm);
    let besides = besides(&attempt, &outcome, before, after);
    if !besides.is_empty() {
        session.note(&format!("packages were changed that the check did not name: {}", besides.join(", ")));
    }
    let Attempt { request, failure, .. } = attempt;
    let nevra = request.nevra;
    let touches = |change: &Change| change.before.as_ref() == Some(nevra) || change.after.as_ref() == Some(nevra);
    let is_touched = outcome.changes.iter().any(touches);
    let is_met = match request.verb {
        Verb::Install | Verb::InstallBeside | Verb::Downgrade => after.find(nevra).is_some(),
        // rpm keeps times in seconds: the same build may be there again with the time that it had.
        Verb::Reinstall => after.find(nevra).is_some() && (is_touched || failure.is_none()),
        Verb::Update => outcome.changes.iter().any(|change| touches(change) || is_newer(change, &request)),
        Verb::Remove => after.find(nevra).is_none(),
    };
    match (failure, is_met) {
        (failure, true) => {
            failure.iter().for_each(|f| session.note(&f.to_string()));
            if request.verb == Verb::Reinstall && !is_touched {
                let there = Some(nevra.clone());
                outcome.changes.push(Change { kind: ChangeKind::Reinstalled, before: there.clone(), after: there });
            }
            Ok(outcome)
        }
        (Some(failure), false) => Err(failure),
        (None, false) => Err(ApplyError::Failed(format!("{}, although the tool reported success", request.undone()))),
    }
}

/// What was changed and is not in the forecast, by the tool, which looks for itself again, or by others meanwhile.
fn besides(attempt: &Attempt<'_>, outcome: &Outcome, before: &Inventory, after: &Inventory) -> Vec<String> {
    let is_foreseen =
        |change: &Change| attempt.forecast.changes.iter().any(|c| c.before == change.before && c.after == change.after);
    let changed = outcome.changes.iter().filter(|change| !is_foreseen(change));
    let changed = changed.filter_map(|change| match (&change.before, &change.after) {
        (Some(before), Some(after)) if before == after => Some(format!("{after} was put in place again")),
        (Some(before), Some(after)) => Some(format!("{after} took the place of {before}")),
        (Some(gone), None) => Some(format!("{gone} was removed")),
        (None, Some(new)) => Some(format!("{new} was installed")),
        (None, None) => None,
    });
    // What came after the check and went again is in no comparison.
    let passing = attempt.removed.iter().filter(|gone| before.find(gone).is_none() && after.find(gone).is_none());
    changed.chain(passing.map(|gone| format!("{gone} was removed"))).collect()
}

/// Whether a newer build of the package came, beside the one that was to be updated or in its place.
fn is_newer(change: &Change, request: &Request<'_>) -> bool {
    change.after.as_ref().is_some_and(|after| {
        after.name == request.nevra.name && after.version_order(request.nevra, Family::Rpm).is_gt()
    })
}

/// Fetches the metadata of all enabled repositories anew; those that fail are named, and do not keep it from the others.
fn refresh(session: &mut Session<'_>) -> Result<(), ApplyError> {
    if !session.tools.has_dnf() {
        return Ok(());
    }
    session.undone = "the repositories were not refreshed".to_owned();
    let ended = session.fetch(|tools| tools.dnf_refresh())?;
    let failures = failed_repositories(&ended.said);
    if !failures.is_empty() {
        return Err(RepositoryFailure::error("not all repositories were refreshed", &failures));
    }
    let is_none = ended.said.lines().any(|line| line.contains("no enabled repositories"));
    if ended.status.success() || is_none {
        return Ok(());
    }
    Err(ApplyError::Failed(format!("{}: {}", session.undone, report::last_words(&ended.said))))
}
