//! Changes what is installed with dnf or rpm: checked first, judged by the database afterwards.

use super::check::check;
use super::forecast::Forecast;
use super::report::{self, RepositoryFailure, failed_repositories};
use super::request::{Request, Verb};
use super::session::Session;
use super::tools::Extent;
use super::{Rpm, reboot};
use crate::software::change::{outcome, unusable};
use crate::software::drive::Ended;
use crate::software::{
    ApplyError, CancelToken, Change, ChangeKind, Family, Inventory, Operation, Outcome, Phase, Progress,
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
        let Some((request, failure)) = attempt(&mut session, operation, &before)? else { continue };
        let after = session.verify()?;
        let outcome = judge(&mut session, &request, failure, &before, &after)?;
        return Ok(Outcome { needs_reboot: reboot::is_needed(&rpm.root, &outcome.changes), ..outcome });
    }
    Err(ApplyError::Busy(format!(
        "{}: other tools changed this host's packages each time that the change had been checked; try again when they have \
         finished",
        session.undone
    )))
}

/// The change, and why it failed if the tool says so. `None`, with nothing changed, if somebody else changed what is
/// installed while the tools waited for them: what was checked is not what would be done.
fn attempt<'o>(
    session: &mut Session<'_>,
    operation: &'o Operation,
    before: &Inventory,
) -> Result<Option<(Request<'o>, Option<ApplyError>)>, ApplyError> {
    let request = match prepare(session, operation, before) {
        Ok(request) => request,
        Err(error) if error == ApplyError::Cancelled || session.is_current(before)? => return Err(error),
        Err(_) => return Ok(None),
    };
    let ended = change(session, &request, before)?;
    Ok(ended.map(|ended| {
        let failure = (!ended.status.success()).then(|| report::failure(&request, &ended.said));
        (request, failure)
    }))
}

/// Checks the change and fetches what it needs.
fn prepare<'o>(
    session: &mut Session<'_>,
    operation: &'o Operation,
    before: &Inventory,
) -> Result<Request<'o>, ApplyError> {
    let mut request = Request::new(operation, before, &session.tools)?;
    let forecast = check(session, &mut request, before)?;
    session.checked();
    fetch(session, &request, &forecast)?;
    Ok(request)
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
fn change(session: &mut Session<'_>, request: &Request<'_>, before: &Inventory) -> Result<Option<Ended>, ApplyError> {
    let phase = if request.verb == Verb::Remove { Phase::Removing } else { Phase::Unpacking };
    session.change(before, &phase, |tools| {
        if tools.has_dnf() { tools.dnf(request, Extent::Change) } else { tools.rpm(request, Extent::Change) }
    })
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
