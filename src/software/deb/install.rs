//! Installs a package file with apt-get: checked by a simulation first, judged by the database afterwards.

use std::path::Path;
use std::time::Duration;

use super::Deb;
use super::apt::Apt;
use super::report::{self, Status};
use crate::software::change::{check_cancelled, check_newer, outcome, unreadable, unusable};
use crate::software::drive::{Deaf, Listener, Stage};
use crate::software::tool::ask;
use crate::software::{
    ApplyError, CancelToken, Family, Manager, Nevra, Operation, Outcome, PackageState, Phase, Progress,
};

/// Where each phase begins, in percent of the whole operation.
const DOWNLOADING: u8 = 5;
const CHANGING: u8 = 30;
const VERIFYING: u8 = 98;

pub(super) fn apply(
    deb: &Deb,
    operation: &Operation,
    progress: &mut dyn Progress,
    cancel: &CancelToken,
) -> Result<Outcome, ApplyError> {
    let Operation::InstallFile { file, nevra } = operation;
    Installation { deb, file, nevra, cancel, progress }.run()
}

struct Installation<'a> {
    deb: &'a Deb,
    file: &'a Path,
    nevra: &'a Nevra,
    cancel: &'a CancelToken,
    progress: &'a mut dyn Progress,
}

impl Installation<'_> {
    fn run(mut self) -> Result<Outcome, ApplyError> {
        self.progress.phase(Phase::Checking, 0);
        check_cancelled(self.cancel)?;
        self.deb.refresh().map_err(|e| unreadable(&e))?;
        let before = self.deb.inventory();
        check_newer(&before, self.nevra, Family::Deb)?;
        let scratch = self.deb.settings.scratch_folder().map_err(|e| unusable("apt-get", &e))?;
        let apt = Apt::new(&self.deb.root, &self.deb.settings, scratch.path()).map_err(|e| unusable("apt-get", &e))?;
        let file =
            std::path::absolute(self.file).and_then(|file| apt.link(&file)).map_err(|e| unusable("apt-get", &e))?;
        self.check_architecture(&apt)?;
        if self.simulate(&apt, &file, scratch.path())? {
            self.download(&apt, &file, scratch.path())?;
        }
        check_cancelled(self.cancel)?;
        // Only an unfinished build passes the check above while it is in the inventory.
        let mends = before.find(self.nevra).is_some();
        let failure = self.change(&apt, &file, scratch.path(), mends)?;
        self.progress.phase(Phase::Verifying, VERIFYING);
        self.deb.refresh().map_err(|e| unreadable(&e))?;
        let after = self.deb.inventory();
        let state = after.find(self.nevra).map(|p| p.state);
        match (failure, state) {
            (failure, Some(PackageState::Installed)) => {
                // The tool complained of something else, such as another package left unfinished earlier.
                failure.iter().for_each(|f| self.progress.note(&f.to_string()));
                Ok(outcome(&before, &after, Family::Deb))
            }
            (failure, state) => Err(self.failed(failure, state)),
        }
    }

    /// Refuses packages of an architecture that dpkg does not know; apt-get would find out only after changes.
    fn check_architecture(&self, apt: &Apt<'_>) -> Result<(), ApplyError> {
        let wanted = &*self.nevra.architecture;
        if wanted == "all" {
            return Ok(());
        }
        let mut known = Vec::new();
        for question in ["--print-architecture", "--print-foreign-architectures"] {
            let answer =
                ask(apt.dpkg().arg(question), 4096, Duration::from_secs(60)).map_err(|e| unusable("dpkg", &e))?;
            let text = String::from_utf8_lossy(&answer.stdout).into_owned();
            known.extend(text.split_whitespace().map(str::to_owned));
        }
        if known.iter().any(|k| k == wanted) {
            return Ok(());
        }
        let name = &self.nevra.name;
        Err(ApplyError::Dependencies(format!(
            "{name} is built for {wanted} and this host runs {}: get the package for this architecture",
            known.join(", ")
        )))
    }

    /// Tells whether further packages come along; fails, with nothing changed, if the installation cannot be done.
    fn simulate(&mut self, apt: &Apt<'_>, file: &Path, scratch: &Path) -> Result<bool, ApplyError> {
        let ended = Stage::new(scratch)
            .and_then(|stage| stage.run(&mut apt.simulate(file), &mut Deaf, Some(self.cancel)))
            .map_err(|e| unusable("apt-get", &e))?;
        check_cancelled(self.cancel)?;
        if ended.status.success() {
            Ok(report::needs_others(&ended.said))
        } else {
            Err(report::failure(&self.nevra.name, &ended.said, &[]))
        }
    }

    /// Fetches everything first, so that it can be cancelled and a repository out of reach changes nothing.
    fn download(&mut self, apt: &Apt<'_>, file: &Path, scratch: &Path) -> Result<(), ApplyError> {
        self.progress.phase(Phase::Downloading, DOWNLOADING);
        let mut work = Work::new(self.progress, DOWNLOADING, false);
        let ended = Stage::new(scratch)
            .and_then(|stage| {
                let mut command = apt.download(file, stage.status_fd()?);
                stage.run(&mut command, &mut work, Some(self.cancel))
            })
            .map_err(|e| unusable("apt-get", &e))?;
        check_cancelled(self.cancel)?;
        if ended.status.success() { Ok(()) } else { Err(report::failure(&self.nevra.name, &ended.said, &work.errors)) }
    }

    /// The change itself, which nothing stops; tells why it failed if apt-get says so.
    fn change(
        &mut self,
        apt: &Apt<'_>,
        file: &Path,
        scratch: &Path,
        mends: bool,
    ) -> Result<Option<ApplyError>, ApplyError> {
        self.progress.phase(Phase::Unpacking, CHANGING);
        let mut work = Work::new(self.progress, CHANGING, true);
        let ended = Stage::new(scratch)
            .and_then(|stage| {
                let fd = stage.status_fd()?;
                let mut command = if mends { apt.mend(file, fd) } else { apt.change(file, fd) };
                stage.run(&mut command, &mut work, None)
            })
            .map_err(|e| unusable("apt-get", &e))?;
        let errors = std::mem::take(&mut work.errors);
        Ok((!ended.status.success()).then(|| report::failure(&self.nevra.name, &ended.said, &errors)))
    }

    /// The error of an operation after which the package is not installed, with what was left behind.
    fn failed(&self, failure: Option<ApplyError>, state: Option<PackageState>) -> ApplyError {
        let name = &self.nevra.name;
        let left = match state {
            Some(PackageState::Unfinished) => {
                ". It is unpacked but not configured: correct the cause and install it again"
            }
            _ => "",
        };
        match failure {
            Some(ApplyError::Failed(why)) => ApplyError::Failed(format!("{why}{left}")),
            Some(other) => other,
            None => ApplyError::Failed(format!("apt-get reported success, but {name} is not installed{left}")),
        }
    }
}

/// Turns apt-get's lines into progress and notes.
struct Work<'a> {
    progress: &'a mut dyn Progress,
    percent: u8,
    /// Whether this run changes the system, so that its process matters after a restart.
    changes: bool,
    /// The configuration file that dpkg speaks of.
    file: Option<String>,
    waited: bool,
    errors: Vec<(String, String)>,
}

impl<'a> Work<'a> {
    fn new(progress: &'a mut dyn Progress, percent: u8, changes: bool) -> Self {
        Self { progress, percent, changes, file: None, waited: false, errors: Vec::new() }
    }

    /// Tells the phase; the percentage never goes back.
    fn phase(&mut self, phase: Phase, from: u8, to: u8, part: f32) {
        // In range: part is 0 to 100, and the bounds are percentages.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let percent = from + (f32::from(to - from) * part / 100.0) as u8;
        self.percent = self.percent.max(percent);
        self.progress.phase(phase, self.percent);
    }
}

impl Listener for Work<'_> {
    fn started(&mut self, pid: u32, start_ticks: u64) {
        if self.changes {
            self.progress.started(pid, start_ticks);
        }
    }

    fn said(&mut self, line: &str) {
        if report::is_waiting(line) && !self.waited {
            self.waited = true;
            self.progress.note("waiting for another package tool on this host to finish");
        }
        if let Some(note) = report::kept_configuration(line, &mut self.file) {
            self.progress.note(&note);
        }
    }

    fn status(&mut self, line: &str) {
        match Status::parse(line) {
            // In the run that changes, everything was fetched before.
            Some(Status::Download(part)) if !self.changes => {
                self.phase(Phase::Downloading, DOWNLOADING, CHANGING, part)
            }
            Some(Status::Package(part, text)) => {
                let phase = if report::is_configuring(text) { Phase::Configuring } else { Phase::Unpacking };
                self.phase(phase, CHANGING, VERIFYING, part);
            }
            Some(Status::Error(item, why)) => self.errors.push((item.to_owned(), why.to_owned())),
            Some(Status::Download(_)) | None => {}
        }
    }
}
