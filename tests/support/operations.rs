//! Operations of an engine, with a listener that keeps what they told.

use std::path::Path;

use quartermaster::software::{ApplyError, CancelToken, Manager, Nevra, Operation, Outcome, Phase, Progress};

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
    engine.apply(&Operation::InstallFile { file: file.to_owned(), nevra }, kept, cancel)
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
