//! Operations with their plans, which must come true.

use std::path::Path;

use quartermaster::software::{
    ApplyError, CancelToken, Change, ChangeKind, Manager, Operation, Outcome, Phase, Progress,
};

use super::support::operations::{Kept, nevra};

/// Installs the package in a file.
pub(crate) fn install_file(engine: &dyn Manager, file: &Path, force: bool) -> Operation {
    Operation::InstallFile { file: file.to_owned(), nevra: engine.inspect(file).unwrap().nevra, force }
}

/// Installs a build from a repository.
pub(crate) fn install(build: &str, force: bool) -> Operation {
    Operation::Install { nevra: nevra(build), force }
}

/// Updates an installed build.
pub(crate) fn update(build: &str) -> Operation {
    Operation::Update { nevra: nevra(build) }
}

/// Puts an installed build in place again.
pub(crate) fn repair(build: &str) -> Operation {
    Operation::Repair { nevra: nevra(build) }
}

/// Removes an installed build.
pub(crate) fn remove(build: &str, force: bool) -> Operation {
    Operation::Remove { nevra: nevra(build), force }
}

/// Does an operation, and tells what was heard of it.
pub(crate) fn apply(engine: &dyn Manager, operation: &Operation) -> (Result<Outcome, ApplyError>, Kept) {
    let mut kept = Kept::default();
    let result = engine.apply(operation, &mut kept, &CancelToken::default());
    (result, kept)
}

/// Does an operation that must do exactly what was planned; tells its changes and what was heard of it.
pub(crate) fn as_planned(engine: &dyn Manager, operation: &Operation) -> (Vec<String>, Kept) {
    let plan = engine.plan(operation, &CancelToken::default()).unwrap();
    let before = size(engine);
    let (result, kept) = apply(engine, operation);
    let outcome = result.unwrap();
    assert_eq!(plan.needs_reboot, Some(outcome.needs_reboot));
    let changes = outcome.changes;
    let planned: Vec<Change> = plan.changes.iter().map(|p| p.change.clone()).collect();
    assert_eq!(planned, changes);
    assert_eq!(plan.disk_octets, Some(size(engine) - before), "{plan:?}");
    assert_eq!(plan.download_octets, plan.changes.iter().filter_map(|p| p.download_octets).sum::<u64>());
    (changes.iter().map(told).collect(), kept)
}

/// Why an operation is refused, which must be what its plan says too; nothing is changed.
pub(crate) fn refused(engine: &dyn Manager, operation: &Operation) -> ApplyError {
    let before = engine.inventory().packages().to_vec();
    let (result, kept) = apply(engine, operation);
    assert!(kept.started.is_empty(), "a change was begun: {result:?}");
    let planned = engine.plan(operation, &CancelToken::default());
    assert_eq!(without_times(&planned.unwrap_err()), without_times(&result.clone().unwrap_err()));
    engine.refresh().unwrap();
    assert_eq!(engine.inventory().packages(), before);
    result.unwrap_err()
}

/// An error without how long curl tried to connect, which it tells.
fn without_times(error: &ApplyError) -> String {
    let text = format!("{error:?}");
    let mut parts = text.split(" after ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + " after" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// Fetches the metadata anew.
pub(crate) fn refresh(engine: &dyn Manager) {
    apply(engine, &Operation::RefreshRepositories).0.unwrap();
}

/// `Updated alpha-0:1-1.noarch alpha-0:2-1.noarch`
fn told(change: &Change) -> String {
    let kind = match change.kind {
        ChangeKind::Installed => "Installed",
        ChangeKind::Updated => "Updated",
        ChangeKind::Downgraded => "Downgraded",
        ChangeKind::Reinstalled => "Reinstalled",
        ChangeKind::Removed => "Removed",
    };
    let parts = [change.before.as_ref(), change.after.as_ref()].into_iter().flatten();
    parts.fold(kind.to_owned(), |text, nevra| format!("{text} {nevra}"))
}

fn size(engine: &dyn Manager) -> i64 {
    engine.inventory().packages().iter().map(|p| i64::try_from(p.installed_size.unwrap()).unwrap()).sum()
}

/// Hears an operation, and acts on its phases.
pub(crate) struct Acting<F>(pub(crate) Kept, pub(crate) F);

impl<F: FnMut(&Phase)> Progress for Acting<F> {
    fn started(&mut self, pid: u32, start_ticks: u64) {
        self.0.started(pid, start_ticks);
    }

    fn phase(&mut self, phase: Phase, percent: u8) {
        (self.1)(&phase);
        self.0.phase(phase, percent);
    }

    fn note(&mut self, text: &str) {
        self.0.note(text);
    }
}

/// The size of a file.
pub(crate) fn octets(file: &Path) -> u64 {
    std::fs::metadata(file).unwrap().len()
}
