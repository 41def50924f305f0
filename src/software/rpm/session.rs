//! The tools at work for one operation: they wait for others, are heard, and are stopped while that is possible.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::report::{self, Step};
use super::tools::Tools;
use super::{Rpm, lock};
use crate::software::change::{check_cancelled, unreadable, unusable};
use crate::software::drive::{Ended, Listener, Stage};
use crate::software::tool::wait;
use crate::software::{ApplyError, CancelToken, Inventory, Manager, Phase, Progress};

/// Where each phase begins, in percent of the whole operation.
const DOWNLOADING: u8 = 5;
const CHANGING: u8 = 30;
const VERIFYING: u8 = 98;

/// How often a lock that somebody else holds is looked at.
const RETRY: Duration = Duration::from_millis(500);

/// How many lines of a dry run are read: far more than a whole distribution has packages.
const MOST_LINES: usize = 200_000;

/// What a dry run said, whole.
#[derive(Debug)]
pub(super) struct Told {
    /// How it ended.
    pub ended: Ended,
    lines: Vec<String>,
}

impl Told {
    /// Its lines, in order.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}

/// One operation's tools.
pub(super) struct Session<'a> {
    rpm: &'a Rpm,
    /// Their commands.
    pub tools: Tools<'a>,
    /// What an error begins with: that the change was not made.
    pub undone: String,
    /// Whether keys are taken that repositories are configured with, which is more than looking.
    pub takes_keys: bool,
    scratch: TempDir,
    cancel: &'a CancelToken,
    voice: Voice<'a>,
}

impl<'a> Session<'a> {
    /// Prepares the tools; fails if the operation was cancelled already.
    pub(super) fn open(
        rpm: &'a Rpm,
        progress: &'a mut dyn Progress,
        cancel: &'a CancelToken,
    ) -> Result<Self, ApplyError> {
        let mut voice = Voice { progress, told: (Phase::Checking, 0) };
        voice.phase(Phase::Checking, 0);
        check_cancelled(cancel)?;
        let scratch = rpm.settings.scratch_folder().map_err(|e| unusable("rpm", &e))?;
        let tools = Tools::new(&rpm.root, &rpm.dbpath, scratch.path()).map_err(|e| unusable("rpm", &e))?;
        let undone = "nothing was changed".to_owned();
        Ok(Self { rpm, tools, undone, takes_keys: true, scratch, cancel, voice })
    }

    /// Tells that the change can be made as far as the dry runs say.
    pub(super) fn checked(&mut self) {
        self.voice.phase(Phase::Checking, DOWNLOADING);
    }

    /// What is installed, when nobody else is changing it.
    pub(super) fn inventory(&mut self) -> Result<Arc<Inventory>, ApplyError> {
        self.wait_until_free(Instant::now() + self.rpm.settings.lock_timeout)?;
        self.rpm.refresh().map_err(|e| unreadable(&e))?;
        Ok(self.rpm.inventory())
    }

    /// Runs what changes nothing, to hear all that it says.
    pub(super) fn ask(&mut self, command: impl Fn(&Tools<'a>) -> Command) -> Result<Told, ApplyError> {
        let mut heard = Heard::default();
        let ended = self.when_free(|this| {
            heard.0.clear();
            Stage::new(this.scratch.path())?.run(&mut command(&this.tools), &mut heard, Some(this.cancel))
        })?;
        self.stopped(&ended)?;
        Ok(Told { ended, lines: heard.0 })
    }

    /// Fetches what a change needs.
    pub(super) fn fetch(&mut self, command: impl Fn(&Tools<'a>) -> Command) -> Result<Ended, ApplyError> {
        self.voice.phase(Phase::Downloading, DOWNLOADING);
        let ended = self.when_free(|this| {
            let mut fetching = Fetching(&mut this.voice);
            Stage::new(this.scratch.path())?.run(&mut command(&this.tools), &mut fetching, Some(this.cancel))
        })?;
        self.stopped(&ended)?;
        Ok(ended)
    }

    /// Makes the change, which nothing stops; `phase` is what it mostly does. What the tool says becomes notes. `None`, with
    /// nothing begun, if `before` is no longer what is installed: then the check has to be made again.
    pub(super) fn change(
        &mut self,
        before: &Inventory,
        phase: &Phase,
        command: impl Fn(&Tools<'a>) -> Command,
    ) -> Result<Option<Ended>, ApplyError> {
        let deadline = Instant::now() + self.rpm.settings.lock_timeout;
        let mut run = |this: &mut Self| {
            let mut work = Work { voice: &mut this.voice, phase };
            work.tell(phase, 0.0);
            Stage::new(this.scratch.path())?.run(&mut command(&this.tools), &mut work, None)
        };
        loop {
            self.wait_until_free(deadline)?;
            if !self.is_current(before)? {
                return Ok(None);
            }
            if let Some(ended) = self.run_once(deadline, &mut run)? {
                return Ok(Some(ended));
            }
        }
    }

    /// Whether exactly this is installed now.
    pub(super) fn is_current(&self, inventory: &Inventory) -> Result<bool, ApplyError> {
        self.rpm.refresh().map_err(|e| unreadable(&e))?;
        Ok(self.rpm.inventory().packages() == inventory.packages())
    }

    /// What is installed after the change.
    pub(super) fn verify(&mut self) -> Result<Arc<Inventory>, ApplyError> {
        self.voice.phase(Phase::Verifying, VERIFYING);
        self.rpm.refresh().map_err(|e| unreadable(&e))?;
        Ok(self.rpm.inventory())
    }

    /// Tells the operator something.
    pub(super) fn note(&mut self, text: &str) {
        self.voice.progress.note(text);
    }

    /// The managed root.
    pub(super) fn root(&self) -> &'a Path {
        &self.rpm.root
    }

    /// What a tool that was stopped says is of no use.
    fn stopped(&self, ended: &Ended) -> Result<(), ApplyError> {
        if ended.status.success() { Ok(()) } else { check_cancelled(self.cancel) }
    }

    /// Runs a tool when nobody holds the locks, and again if it finds them held, which changes nothing.
    fn when_free(&mut self, mut run: impl FnMut(&mut Self) -> io::Result<Ended>) -> Result<Ended, ApplyError> {
        let deadline = Instant::now() + self.rpm.settings.lock_timeout;
        loop {
            self.wait_until_free(deadline)?;
            if let Some(ended) = self.run_once(deadline, &mut run)? {
                return Ok(ended);
            }
        }
    }

    /// Runs a tool; `None`, after a while, if it found a lock held and so changed nothing.
    fn run_once(
        &mut self,
        deadline: Instant,
        run: &mut dyn FnMut(&mut Self) -> io::Result<Ended>,
    ) -> Result<Option<Ended>, ApplyError> {
        check_cancelled(self.cancel)?;
        let ended = run(self).map_err(|e| unusable(if self.tools.has_dnf() { "dnf" } else { "rpm" }, &e))?;
        if !report::is_locked(&ended) {
            return Ok(Some(ended));
        }
        let before = self.voice.told.clone();
        self.wait_for(report::lock_holder(&ended), deadline)?;
        self.voice.phase(before.0, before.1);
        Ok(None)
    }

    /// Waits as long as somebody holds a lock that a tool would run into. rpm from 4.19 on and dnf 5 would wait for it
    /// themselves, and could not be stopped while they do.
    fn wait_until_free(&mut self, deadline: Instant) -> Result<(), ApplyError> {
        let before = self.voice.told.clone();
        let mut waited = false;
        while let Some(holder) = self.holder() {
            self.wait_for(Some(holder), deadline)?;
            waited = true;
        }
        if waited {
            self.voice.phase(before.0, before.1);
        }
        Ok(())
    }

    fn holder(&self) -> Option<u32> {
        let of_dnf = if self.tools.has_dnf() { lock::of_dnf(&self.rpm.root) } else { None };
        of_dnf.or_else(|| lock::of_rpm(&self.rpm.database_folder()))
    }

    fn wait_for(&mut self, holder: Option<u32>, deadline: Instant) -> Result<(), ApplyError> {
        check_cancelled(self.cancel)?;
        let holder = lock::describe(holder);
        if Instant::now() >= deadline {
            return Err(ApplyError::Busy(format!(
                "{}: {holder} is at work on this host's packages; try again when it has finished",
                self.undone
            )));
        }
        let waiting = Phase::Waiting { holder };
        if self.voice.told.0 != waiting {
            self.voice.phase(waiting, 0);
        }
        wait(&mut [], RETRY).map_err(|e| unusable("rpm", &e))?;
        check_cancelled(self.cancel)
    }
}

/// Tells how the operation goes on.
struct Voice<'a> {
    progress: &'a mut (dyn Progress + 'a),
    told: (Phase, u8),
}

impl Voice<'_> {
    /// Tells the phase; the percentage never goes back.
    fn phase(&mut self, phase: Phase, percent: u8) {
        self.told = (phase, self.told.1.max(percent));
        self.progress.phase(self.told.0.clone(), self.told.1);
    }

    fn part(&mut self, phase: Phase, from: u8, to: u8, part: f32) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let percent = from + (f32::from(to - from) * part / 100.0) as u8;
        self.phase(phase, percent);
    }
}

/// Keeps the lines of a dry run.
#[derive(Debug, Default)]
struct Heard(Vec<String>);

impl Listener for Heard {
    fn said(&mut self, line: &str) {
        if self.0.len() < MOST_LINES {
            self.0.push(line.to_owned());
        }
    }
}

/// Turns dnf's lines about what it fetched into progress.
struct Fetching<'v, 'a>(&'v mut Voice<'a>);

impl Listener for Fetching<'_, '_> {
    fn said(&mut self, line: &str) {
        if let Some(Step::Fetched(part)) = Step::parse(line) {
            self.0.part(Phase::Downloading, DOWNLOADING, CHANGING, part);
        }
    }
}

/// Turns the lines of a change into progress and notes.
struct Work<'v, 'a> {
    voice: &'v mut Voice<'a>,
    phase: &'v Phase,
}

impl Work<'_, '_> {
    fn tell(&mut self, phase: &Phase, part: f32) {
        self.voice.part(phase.clone(), CHANGING, VERIFYING, part);
    }
}

impl Listener for Work<'_, '_> {
    fn started(&mut self, pid: u32, start_ticks: u64) {
        self.voice.progress.started(pid, start_ticks);
    }

    fn said(&mut self, line: &str) {
        if let Some(note) = report::note(line) {
            self.voice.progress.note(&note);
        }
        match Step::parse(line) {
            Some(Step::Files(part)) => self.tell(self.phase, part),
            Some(Step::Script(part)) => self.tell(&Phase::Configuring, part),
            Some(Step::Removal(part)) => self.tell(&Phase::Removing, part),
            // Everything was fetched before.
            Some(Step::Fetched(_)) | None => {}
        }
    }
}
