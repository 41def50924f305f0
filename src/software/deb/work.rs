//! Turns what the tools say into an operation's progress and notes.

use super::report::{self, Status};
use crate::software::drive::Listener;
use crate::software::{Phase, Progress};

/// Where each phase begins, in percent of the whole operation.
pub(super) const DOWNLOADING: u8 = 5;
pub(super) const CHANGING: u8 = 30;
pub(super) const VERIFYING: u8 = 98;

/// How far an operation is; its percentage never goes back.
pub(super) struct Work<'a> {
    progress: &'a mut dyn Progress,
    phase: Phase,
    percent: u8,
    /// Who is waited for, if that is what was told last.
    waits_on: Option<String>,
    /// Who held a lock that a tool found, by the tool's word.
    holder: Option<String>,
}

impl<'a> Work<'a> {
    /// An operation that begins with checking.
    pub(super) fn new(progress: &'a mut dyn Progress) -> Self {
        Self { progress, phase: Phase::Checking, percent: 0, waits_on: None, holder: None }
    }

    /// Enters a phase, or goes on in it.
    pub(super) fn enter(&mut self, phase: Phase, percent: u8) {
        self.phase = phase;
        self.percent = self.percent.max(percent);
        self.resume();
    }

    /// Tells that nothing goes on until this holder lets go.
    pub(super) fn wait_on(&mut self, holder: &str) {
        if self.waits_on.as_deref() != Some(holder) {
            self.waits_on = Some(holder.to_owned());
            self.progress.phase(Phase::Waiting { holder: holder.to_owned() }, self.percent);
        }
    }

    /// Tells that it goes on after a wait.
    pub(super) fn resume(&mut self) {
        self.waits_on = None;
        self.progress.phase(self.phase.clone(), self.percent);
    }

    /// Tells the operator something.
    pub(super) fn note(&mut self, text: &str) {
        self.progress.note(text);
    }

    /// Who held the lock that the last tool found.
    pub(super) fn take_holder(&mut self) -> Option<String> {
        self.holder.take()
    }

    /// A part of the way from one percentage to another.
    fn advance(&mut self, phase: Phase, (from, to): (u8, u8), part: f32) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let percent = from + (f32::from(to - from) * part / 100.0) as u8;
        self.enter(phase, percent);
    }
}

/// Hears one run of a tool.
pub(super) struct Run<'w, 'a> {
    work: &'w mut Work<'a>,
    /// Whether this run changes packages, so that its process matters after a restart.
    changes: bool,
    /// Between which percentages it lies.
    span: (u8, u8),
    /// The configuration file that dpkg speaks of.
    file: Option<String>,
    errors: Vec<(String, String)>,
}

impl<'w, 'a> Run<'w, 'a> {
    /// A run that fetches packages or lists, up to this percentage.
    pub(super) fn fetching(work: &'w mut Work<'a>, to: u8) -> Self {
        Self { work, changes: false, span: (DOWNLOADING, to), file: None, errors: Vec::new() }
    }

    /// A run that changes packages.
    pub(super) fn changing(work: &'w mut Work<'a>) -> Self {
        Self { work, changes: true, span: (CHANGING, VERIFYING), file: None, errors: Vec::new() }
    }

    /// The packages (or files) on which dpkg failed, and why.
    pub(super) fn into_errors(self) -> Vec<(String, String)> {
        self.errors
    }
}

impl Listener for Run<'_, '_> {
    fn started(&mut self, pid: u32, start_ticks: u64) {
        if self.changes {
            self.work.progress.started(pid, start_ticks);
        }
    }

    fn said(&mut self, line: &str) {
        if let Some(holder) = report::holder(line) {
            self.work.holder = Some(holder);
        }
        if let Some(note) = report::configuration_note(line, &mut self.file) {
            self.work.note(&note);
        }
    }

    fn status(&mut self, line: &str) {
        match Status::parse(line) {
            // In the run that changes, everything was fetched before.
            Some(Status::Download(part)) if !self.changes => self.work.advance(Phase::Downloading, self.span, part),
            Some(Status::Package(part, text)) => {
                let phase = report::phase_of(text).unwrap_or_else(|| self.work.phase.clone());
                self.work.advance(phase, self.span, part);
            }
            Some(Status::Stage(phase)) => self.work.enter(phase, 0),
            Some(Status::Error(item, why)) => self.errors.push((item.to_owned(), why.to_owned())),
            Some(Status::Download(_)) | None => {}
        }
    }
}
