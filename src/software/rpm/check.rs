//! Whether a change can be made, and what it would bring along, by the tools' own dry runs.

use super::forecast::Forecast;
use super::name_lists;
use super::report::{self, RepositoryFailure, failed_repositories};
use super::request::{Request, Target, Verb};
use super::session::{Session, Told};
use super::table::Table;
use super::tools::Extent;
use crate::software::{ApplyError, Inventory, Lookup, Nevra};

/// Where packages name what must not be removed, under the root. rpm reads none of them.
pub(super) const PROTECTED_FOLDERS: [&str; 2] = ["etc/dnf/protected.d", "etc/yum/protected.d"];

/// What the request would change; fails, with nothing changed, if it cannot be done or was not asked for so.
/// A removal by rpm learns here what else it has to name.
pub(super) fn check(
    session: &mut Session<'_>,
    request: &mut Request<'_>,
    before: &Inventory,
) -> Result<Forecast, ApplyError> {
    session.undone = request.undone();
    let forecast = if session.tools.has_dnf() {
        with_dnf(session, request, before)?
    } else if request.verb == Verb::Remove {
        removal_with_rpm(session, request, before)?
    } else {
        let told = session.ask(|tools| tools.rpm(request, Extent::Tell))?;
        succeeded(request, &told)?;
        Forecast::of_rpm(before, told.lines(), Some(request.nevra))
    };
    check_others(request, &forecast)?;
    check_protected(session, request, &forecast)?;
    check_target(request, &forecast)?;
    Ok(forecast)
}

fn with_dnf(session: &mut Session<'_>, request: &Request<'_>, before: &Inventory) -> Result<Forecast, ApplyError> {
    let mut told = session.ask(|tools| tools.dnf(request, Extent::Tell))?;
    // A dry run answers no to a repository's key, too, and then does without the repository.
    let needs_key = told.lines().any(|line| line.starts_with("Importing GPG key"));
    if needs_key && session.takes_keys {
        session.ask(|tools| tools.dnf_read_metadata())?;
        told = session.ask(|tools| tools.dnf(request, Extent::Tell))?;
    }
    let table = Table::parse(told.lines());
    let failures = failed_repositories(&told.ended.said);
    if !table.is_empty() {
        for failure in &failures {
            session.note(&format!("{}; it was done without", failure.sentence()));
        }
        return Ok(Forecast::of_dnf(before, &table));
    }
    if needs_key && !session.takes_keys {
        Err(ApplyError::Untrusted(format!(
            "{}: a repository's key was not taken on this host yet, and looking ahead takes none: refresh the repositories, \
             which takes the keys that they are configured with",
            session.undone
        )))
    } else if !told.ended.status.success() {
        Err(report::failure(request, &told.ended.said))
    } else if failures.is_empty() {
        Err(request.nothing_to_do())
    } else {
        Err(RepositoryFailure::error(&session.undone, &failures))
    }
}

/// rpm removes only what it is told by name: with force, what needs a package is named too.
fn removal_with_rpm(
    session: &mut Session<'_>,
    request: &mut Request<'_>,
    before: &Inventory,
) -> Result<Forecast, ApplyError> {
    loop {
        let told = session.ask(|tools| tools.rpm(request, Extent::Tell))?;
        let needing = report::dependents(told.lines()).into_iter().filter_map(|text| match before.find_text(text) {
            Lookup::Found(package) => Some(package.nevra.clone()),
            Lookup::Ambiguous(_) | Lookup::NotFound => None,
        });
        let further: Vec<Nevra> = needing.filter(|n| n != request.nevra && !request.along.contains(n)).collect();
        if told.ended.status.success() || further.is_empty() {
            succeeded(request, &told)?;
            return Ok(Forecast::of_rpm(before, told.lines(), None));
        }
        if !request.force {
            return Err(needed(request, &further));
        }
        request.along.extend(further);
    }
}

fn succeeded(request: &Request<'_>, told: &Told) -> Result<(), ApplyError> {
    if told.ended.status.success() { Ok(()) } else { Err(report::failure(request, &told.ended.said)) }
}

/// Nothing else is removed unless that was asked for; an older build of what comes may go, as kernels do.
fn check_others(request: &Request<'_>, forecast: &Forecast) -> Result<(), ApplyError> {
    let comes =
        |name: &str| forecast.changes.iter().any(|c| c.after.as_ref().is_some_and(|after| &*after.name == name));
    let is_other = |n: &&Nevra| if request.verb == Verb::Remove { *n != request.nevra } else { !comes(&n.name) };
    let others: Vec<Nevra> = forecast.removed.iter().filter(is_other).cloned().collect();
    let is_asked_for = request.verb == Verb::Remove && request.force;
    if others.is_empty() || is_asked_for { Ok(()) } else { Err(needed(request, &others)) }
}

fn needed(request: &Request<'_>, others: &[Nevra]) -> ApplyError {
    let names: Vec<String> = others.iter().map(ToString::to_string).collect();
    let advice = if request.verb == Verb::Remove { "; with force they are removed too" } else { "" };
    ApplyError::Dependencies(format!(
        "{}: other installed packages would have to go as well, which need it as it is: {}{advice}",
        request.undone(),
        names.join(", ")
    ))
}

fn check_protected(session: &Session<'_>, request: &Request<'_>, forecast: &Forecast) -> Result<(), ApplyError> {
    let protected: Vec<String> =
        PROTECTED_FOLDERS.iter().flat_map(|folder| name_lists::read(&session.root().join(folder))).collect();
    let gone = forecast.changes.iter().filter(|c| c.after.is_none()).filter_map(|c| c.before.as_ref());
    let names: Vec<&str> = gone.map(|n| &*n.name).filter(|name| protected.iter().any(|p| p == name)).collect();
    if names.is_empty() { Ok(()) } else { Err(report::protected(&request.undone(), &names.join(", "))) }
}

/// dnf looks for more than exact builds, and does what it finds.
fn check_target(request: &Request<'_>, forecast: &Forecast) -> Result<(), ApplyError> {
    let goes = |nevra: &Nevra| forecast.changes.iter().any(|c| c.before.as_ref() == Some(nevra) && c.after.is_none());
    let is_met = match request.verb {
        Verb::Install | Verb::InstallBeside | Verb::Reinstall | Verb::Downgrade => forecast.brings(request.nevra),
        Verb::Update => !forecast.changes.is_empty(),
        Verb::Remove => goes(request.nevra),
    };
    match request.target {
        _ if is_met => Ok(()),
        Target::Build => Err(request.unknown()),
        Target::File(_) | Target::Name(_) => Err(request.nothing_to_do()),
    }
}
