//! Installs a package file with dnf or rpm: checked first, judged by the database afterwards.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::Rpm;
use super::report::{self, Step};
use super::tools::Tools;
use crate::software::change::{check_cancelled, check_newer, outcome, unreadable, unusable};
use crate::software::drive::{Deaf, Ended, Listener, Stage};
use crate::software::tool::wait;
use crate::software::{ApplyError, CancelToken, Family, Manager, Nevra, Operation, Outcome, Phase, Progress};

/// Where each phase begins, in percent of the whole operation.
const DOWNLOADING: u8 = 5;
const CHANGING: u8 = 30;
const VERIFYING: u8 = 98;

/// How long to wait before a tool that found a lock is run again.
const RETRY: Duration = Duration::from_millis(500);

pub(super) fn apply(
    rpm: &Rpm,
    operation: &Operation,
    progress: &mut dyn Progress,
    cancel: &CancelToken,
) -> Result<Outcome, ApplyError> {
    let Operation::InstallFile { file, nevra } = operation;
    Installation { rpm, file, nevra, cancel, progress }.run()
}

struct Installation<'a> {
    rpm: &'a Rpm,
    file: &'a Path,
    nevra: &'a Nevra,
    cancel: &'a CancelToken,
    progress: &'a mut dyn Progress,
}

impl Installation<'_> {
    fn run(mut self) -> Result<Outcome, ApplyError> {
        self.progress.phase(Phase::Checking, 0);
        check_cancelled(self.cancel)?;
        self.rpm.refresh().map_err(|e| unreadable(&e))?;
        let before = self.rpm.inventory();
        check_newer(&before, self.nevra, Family::Rpm)?;
        let scratch = self.rpm.settings.scratch_folder().map_err(|e| unusable("rpm", &e))?;
        let tools =
            Tools::new(&self.rpm.root, &self.rpm.dbpath, self.file, scratch.path()).map_err(|e| unusable("rpm", &e))?;
        let failure = if tools.has_dnf() {
            self.progress.phase(Phase::Downloading, DOWNLOADING);
            self.check("dnf", || tools.dnf_download(), scratch.path())?;
            self.change("dnf", || tools.dnf_change(), scratch.path())?
        } else {
            let same =
                before.named(&self.nevra.name).iter().filter(|p| p.nevra.architecture == self.nevra.architecture);
            let beside = same.count() > 1;
            self.check("rpm", || tools.rpm_test(beside), scratch.path())?;
            self.change("rpm", || tools.rpm_change(beside), scratch.path())?
        };
        self.progress.phase(Phase::Verifying, VERIFYING);
        self.rpm.refresh().map_err(|e| unreadable(&e))?;
        let after = self.rpm.inventory();
        let name = &self.nevra.name;
        match (failure, after.find(self.nevra).is_some()) {
            (failure, true) => {
                failure.iter().for_each(|f| self.progress.note(&f.to_string()));
                Ok(outcome(&before, &after, Family::Rpm))
            }
            (Some(failure), false) => Err(failure),
            (None, false) => Err(ApplyError::Failed(format!("the tool reported success, but {name} is not installed"))),
        }
    }

    /// Runs what changes nothing; fails, with nothing changed, if the installation cannot be done.
    fn check(&mut self, tool: &str, command: impl Fn() -> Command, scratch: &Path) -> Result<(), ApplyError> {
        let ended = self.when_free(|this| {
            Stage::new(scratch)
                .and_then(|stage| stage.run(&mut command(), &mut Deaf, Some(this.cancel)))
                .map_err(|e| unusable(tool, &e))
        })?;
        check_cancelled(self.cancel)?;
        if ended.status.success() { Ok(()) } else { Err(report::failure(&self.nevra.name, &ended)) }
    }

    /// The change itself, which nothing stops; tells why it failed if the tool says so.
    fn change(
        &mut self,
        tool: &str,
        command: impl Fn() -> Command,
        scratch: &Path,
    ) -> Result<Option<ApplyError>, ApplyError> {
        let ended = self.when_free(|this| {
            this.progress.phase(Phase::Unpacking, CHANGING);
            let mut work = Work { progress: this.progress, percent: CHANGING };
            Stage::new(scratch)
                .and_then(|stage| stage.run(&mut command(), &mut work, None))
                .map_err(|e| unusable(tool, &e))
        })?;
        Ok((!ended.status.success()).then(|| report::failure(&self.nevra.name, &ended)))
    }

    /// Runs a tool again as long as it finds the database locked, which changes nothing, until the limit.
    fn when_free(&mut self, mut run: impl FnMut(&mut Self) -> Result<Ended, ApplyError>) -> Result<Ended, ApplyError> {
        let deadline = Instant::now() + self.rpm.settings.lock_timeout;
        loop {
            check_cancelled(self.cancel)?;
            let ended = run(self)?;
            if !report::is_busy(&ended) || Instant::now() >= deadline {
                return Ok(ended);
            }
            wait(&mut [], RETRY).map_err(|e| unusable("rpm", &e))?;
        }
    }
}

/// Turns the tools' lines into progress and notes.
struct Work<'a> {
    progress: &'a mut dyn Progress,
    percent: u8,
}

impl Work<'_> {
    /// Tells the phase; the percentage never goes back.
    fn phase(&mut self, phase: Phase, part: f32) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let percent = CHANGING + (f32::from(VERIFYING - CHANGING) * part / 100.0) as u8;
        self.percent = self.percent.max(percent);
        self.progress.phase(phase, self.percent);
    }
}

impl Listener for Work<'_> {
    fn started(&mut self, pid: u32, start_ticks: u64) {
        self.progress.started(pid, start_ticks);
    }

    fn said(&mut self, line: &str) {
        if let Some(note) = report::note(line) {
            self.progress.note(&note);
        }
        match Step::parse(line) {
            Some(Step::Files(part)) => self.phase(Phase::Unpacking, part),
            Some(Step::Script(part)) => self.phase(Phase::Configuring, part),
            None => {}
        }
    }
}
