//! A listener that keeps what an operation told.

use quartermaster::software::{CancelToken, Phase, Progress};

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
