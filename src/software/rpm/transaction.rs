//! Changes what is installed with dnf or rpm: checked first, judged by the database afterwards.

use super::check::check;
use super::forecast::Forecast;
use super::report::{self, RepositoryFailure, failed_repositories};
use super::request::{Request, Target, Verb};
use super::session::Session;
use super::tools::Extent;
use super::{Rpm, reboot};
use crate::software::change::{outcome, unusable};
use crate::software::{
    ApplyError, CancelToken, Change, ChangeKind, Family, Inventory, Operation, Outcome, Phase, Progress,
};

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
    let before = session.inventory()?;
    let mut request = Request::new(operation, &before, &session.tools)?;
    if let Target::File(file) = request.target {
        session.tools.link(file).map_err(|e| unusable("rpm", &e))?;
    }
    let forecast = check(&mut session, &mut request, &before)?;
    fetch(&mut session, &request, &forecast)?;
    // Somebody else may have changed something while the tools waited for them.
    let before = session.inventory()?;
    Request::new(operation, &before, &session.tools)?;
    let failure = change(&mut session, &request)?;
    let after = session.verify()?;
    let outcome = judge(&mut session, &request, failure, &before, &after)?;
    Ok(Outcome { needs_reboot: reboot::is_needed(&rpm.root, &outcome.changes), ..outcome })
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

/// The change itself; tells why it failed if the tool says so.
fn change(session: &mut Session<'_>, request: &Request<'_>) -> Result<Option<ApplyError>, ApplyError> {
    let phase = if request.verb == Verb::Remove { Phase::Removing } else { Phase::Unpacking };
    let ended = session.change(&phase, |tools| {
        if tools.has_dnf() { tools.dnf(request, Extent::Change) } else { tools.rpm(request, Extent::Change) }
    })?;
    Ok((!ended.status.success()).then(|| report::failure(request, &ended.said)))
}

/// What was done, if it is what was asked for; what the tool complains of is then a note.
fn judge(
    session: &mut Session<'_>,
    request: &Request<'_>,
    failure: Option<ApplyError>,
    before: &Inventory,
    after: &Inventory,
) -> Result<Outcome, ApplyError> {
    let mut outcome = outcome(before, after, Family::Rpm);
    let nevra = request.nevra;
    let touches = |change: &Change| change.before.as_ref() == Some(nevra) || change.after.as_ref() == Some(nevra);
    let is_touched = outcome.changes.iter().any(touches);
    let is_met = match request.verb {
        Verb::Install | Verb::InstallBeside | Verb::Downgrade => after.find(nevra).is_some(),
        // rpm keeps times in seconds: the same build may be there again with the time that it had.
        Verb::Reinstall => after.find(nevra).is_some() && (is_touched || failure.is_none()),
        Verb::Update => outcome.changes.iter().any(|change| touches(change) || is_newer(change, request)),
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
