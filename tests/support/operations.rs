//! Operations of an engine, with a listener that keeps what they told.

use std::path::Path;

use quartermaster::software::{ApplyError, CancelToken, Manager, Nevra, Operation, Outcome, Phase, Plan, Progress};

/// Installs the package in a file.
pub fn install(engine: &dyn Manager, file: &Path) -> (Result<Outcome, ApplyError>, Kept) {
    let mut kept = Kept::default();
    let result = install_with(engine, file, &mut kept, &CancelToken::default());
    (result, kept)
}

/// The same with a listener and a token of the test's own.
pub fn install_with(
    engine: &dyn Manager,
    file: &Path,
    kept: &mut Kept,
    cancel: &CancelToken,
) -> Result<Outcome, ApplyError> {
    let nevra = engine.inspect(file).unwrap().nevra;
    engine.apply(&Operation::InstallFile { file: file.to_owned(), nevra, force: false }, kept, cancel)
}

/// Does an operation with a listener that only keeps.
pub fn apply(engine: &dyn Manager, operation: &Operation) -> (Result<Outcome, ApplyError>, Kept) {
    let mut kept = Kept::default();
    let result = engine.apply(operation, &mut kept, &CancelToken::default());
    (result, kept)
}

/// Plans an operation and then does it: the plan is what happens.
pub fn apply_as_planned(engine: &dyn Manager, operation: &Operation) -> (Plan, Outcome, Kept) {
    let before = installed(engine);
    let plan = engine.plan(operation, &CancelToken::default()).unwrap();
    assert!(!engine.refresh().unwrap());
    assert_eq!(installed(engine), before, "a plan changes nothing");
    let (result, kept) = apply(engine, operation);
    let outcome = result.unwrap();
    let planned: Vec<_> = plan.changes.iter().map(|planned| planned.change.clone()).collect();
    assert_eq!(planned, outcome.changes);
    (plan, outcome, kept)
}

/// Plans an operation and then does it, and both fail for the same reason, with nothing changed.
pub fn refused(engine: &dyn Manager, operation: &Operation) -> ApplyError {
    let before = installed(engine);
    let planned = engine.plan(operation, &CancelToken::default()).unwrap_err();
    let (result, kept) = apply(engine, operation);
    assert_eq!(result.unwrap_err(), planned);
    assert!(kept.started.is_empty());
    assert_eq!(installed(engine), before);
    planned
}

/// What an outcome tells, a line each: `Updated alpha-0:1.all alpha-0:2.all`.
pub fn told(outcome: &Outcome) -> Vec<String> {
    let text = |nevra: &Option<Nevra>| nevra.as_ref().map_or("-".to_owned(), ToString::to_string);
    outcome.changes.iter().map(|c| format!("{:?} {} {}", c.kind, text(&c.before), text(&c.after))).collect()
}

/// What is installed, as the engine's snapshot has it.
pub fn installed(engine: &dyn Manager) -> Vec<String> {
    engine.inventory().packages().iter().map(|p| p.nevra.to_string()).collect()
}

/// The name parts that a text gives.
pub fn nevra(text: &str) -> Nevra {
    text.parse().unwrap()
}

/// Everything that was told, in order.
#[derive(Debug, Default)]
pub struct Kept {
    pub started: Vec<(u32, u64)>,
    pub phases: Vec<(Phase, u8)>,
    pub notes: Vec<String>,
    /// Cancelled as soon as this phase is told.
    pub cancel_at: Option<(Phase, CancelToken)>,
}

impl Kept {
    /// The phases without repetitions.
    pub fn phase_order(&self) -> Vec<Phase> {
        let mut order: Vec<Phase> = self.phases.iter().map(|(phase, _)| phase.clone()).collect();
        order.dedup();
        order
    }
}

impl Progress for Kept {
    fn started(&mut self, pid: u32, start_ticks: u64) {
        self.started.push((pid, start_ticks));
    }

    fn phase(&mut self, phase: Phase, percent: u8) {
        self.phases.push((phase.clone(), percent));
        if let Some((at, token)) = &self.cancel_at
            && *at == phase
        {
            token.cancel();
        }
    }

    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }
}
