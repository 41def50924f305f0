//! Patching an image: metadata is fetched and kept, the host compared with it, what it lacks fetched and installed in one
//! transaction, and the host compared once more.

mod assessing;
mod fetching;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::craft::Task;
use super::depot::{Depot, Kept, Means};
use super::download::Downloads;
use super::images::Images;
use super::protocol::{Refusal, Reply, StagedId};
use super::spool::Spool;
use super::{Settings, durable, journal};
use crate::clock::SharedClock;
use crate::software::patch::{AssessmentFile, MetadataSource, PatchAssessment, PatchOperation};
use crate::software::vib::{ImageOperation, ImageOutcome, SeenBundles};
use crate::software::{ApplyError, CancelToken, Outcome, Phase, Progress};

/// The ending of what is fetched.
const ENDING: &str = "part";
/// How far a job is when its metadata is here, and when a deployment begins to install, in percent.
const METADATA_SHARE: u8 = 60;
const BUNDLE_SHARE: u8 = 30;
/// How far a change is when the host is compared once more.
const CHANGE_SHARE: u8 = 95;

/// What images are patched with.
#[derive(Debug)]
pub(super) struct Patching {
    depot: Depot,
    spool: Spool,
    downloads: Downloads,
    clock: SharedClock,
}

impl Patching {
    pub(super) fn open(settings: &Settings, clock: SharedClock) -> io::Result<Self> {
        let spool = Spool::with_ending(settings, ENDING)?;
        // No job keeps anything in it: what is there was left by a worker that died.
        spool.sweep(&[], Duration::ZERO, clock.now())?;
        for job in journal::all(&settings.worker_dir)? {
            fetching::clean_up(&journal::folder(&settings.worker_dir, job));
        }
        Ok(Self {
            depot: Depot::open(&settings.worker_dir, settings.max_metadata_octets)?,
            spool,
            downloads: settings.downloads.clone(),
            clock,
        })
    }

    pub(super) fn sweep(&self, keep: &[StagedId], older_than_seconds: u64) -> Result<Reply, Refusal> {
        self.spool.sweep_for_server(keep, older_than_seconds, self.clock.now()).map(|()| Reply::Discarded)
    }

    fn means(&self) -> Means<'_> {
        Means { downloads: &self.downloads, spool: &self.spool, clock: &self.clock }
    }

    /// The metadata at these URIs as it is now.
    fn obtain(
        &self,
        uris: &[String],
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Vec<Kept>, ApplyError> {
        let shares = Shares::new(METADATA_SHARE, uris.len());
        let mut kept = Vec::new();
        for (place, uri) in uris.iter().enumerate() {
            let mut part = shares.part(place, super::download::SHARE, progress);
            kept.push(self.depot.obtain(uri, &self.means(), &mut part, cancel)?);
        }
        Ok(kept)
    }

    /// The metadata of a scan, octet by octet as it was then.
    fn find(&self, sources: &[MetadataSource]) -> Result<Vec<Kept>, ApplyError> {
        sources.iter().map(|source| self.depot.find(source)).collect()
    }
}

/// A job that patches an image, or looks at what it lacks.
pub(super) struct PatchTask {
    images: Arc<Images>,
    operation: PatchOperation,
    folder: PathBuf,
}

impl PatchTask {
    pub(super) fn new(images: Arc<Images>, operation: PatchOperation, folder: &Path) -> Self {
        Self { images, operation, folder: folder.to_owned() }
    }

    fn scan(&self, uris: &[String], progress: &mut dyn Progress, cancel: &CancelToken) -> Result<Outcome, ApplyError> {
        progress.phase(Phase::Downloading, 0);
        let kept = self.images.patching.obtain(uris, progress, cancel)?;
        self.assessed(&kept, Outcome::default(), METADATA_SHARE, progress, cancel)
    }

    /// Makes a change and compares the host with the metadata of the scan, if there was one.
    fn change(
        &self,
        operation: &ImageOperation,
        seen: &SeenBundles,
        sources: &[MetadataSource],
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Outcome, ApplyError> {
        let done = {
            let mut part = Part { inner: &mut *progress, from: BUNDLE_SHARE, to: CHANGE_SHARE, whole: 100 };
            self.images.apply(operation, seen, Some(&fetching::folder(&self.folder)), &mut part, cancel)?
        };
        let outcome = changed(done);
        if sources.is_empty() {
            return Ok(outcome);
        }
        // What was changed stays changed, whatever becomes of the comparison; it cannot be cancelled any more.
        let compared =
            self.images.patching.find(sources).and_then(|kept| {
                self.assessed(&kept, outcome.clone(), CHANGE_SHARE, progress, &CancelToken::default())
            });
        compared.or_else(|error| {
            progress.note(&format!("The host was changed, but not compared with the metadata again: {error}"));
            Ok(outcome)
        })
    }

    fn deploy(
        &self,
        bulletins: &[String],
        bundles: &[String],
        seen: &SeenBundles,
        sources: &[MetadataSource],
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Outcome, ApplyError> {
        progress.phase(Phase::Downloading, 0);
        let kept = self.images.patching.find(sources)?;
        let wanted = fetching::Deployment { images: &self.images, folder: &self.folder, kept: &kept, bulletins, seen };
        let operation = if bundles.is_empty() {
            wanted.by_depots(progress, cancel)?
        } else {
            wanted.by_bundles(bundles, progress, cancel)?
        };
        match operation {
            Some(operation) => self.change(&operation, seen, sources, progress, cancel),
            // Everything of the bulletins is there.
            None => self.assessed(&kept, changed(ImageOutcome::default()), BUNDLE_SHARE, progress, cancel),
        }
    }

    /// Compares the host with metadata and writes down what came of it, durably, before the job can end.
    fn assessed(
        &self,
        kept: &[Kept],
        outcome: Outcome,
        percent: u8,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Outcome, ApplyError> {
        progress.phase(Phase::Scanning, percent);
        let assessment = assessing::assess(&self.images, kept, self.images.patching.clock.now(), cancel)?;
        if cancel.is_cancelled() {
            return Err(ApplyError::Cancelled);
        }
        let file = write(&self.folder, &assessment, progress)?;
        Ok(Outcome { assessment: Some(file), ..outcome })
    }
}

impl Task for PatchTask {
    fn carry_out(&mut self, progress: &mut dyn Progress, cancel: &CancelToken) -> Result<Outcome, ApplyError> {
        let none = SeenBundles::new();
        match &self.operation {
            PatchOperation::Scan { metadata } => self.scan(metadata, progress, cancel),
            PatchOperation::Assess { metadata } => {
                let kept = self.images.patching.find(metadata)?;
                self.assessed(&kept, Outcome::default(), 0, progress, cancel)
            }
            PatchOperation::Deploy { bulletins, bundles, seen, metadata } => {
                self.deploy(bulletins, bundles, seen, metadata, progress, cancel)
            }
            PatchOperation::Remove { vibs, metadata } => {
                self.change(&ImageOperation::Remove { vibs: vibs.clone() }, &none, metadata, progress, cancel)
            }
            PatchOperation::RollBack { metadata } => {
                self.change(&ImageOperation::RollBack, &none, metadata, progress, cancel)
            }
        }
    }

    fn after_a_fault(&self) -> &'static str {
        "The image is whole: it is as before the job, or as the job was to make it. Assess the host to see which."
    }

    fn clean_up(&self) {
        fetching::clean_up(&self.folder);
    }
}

fn changed(done: ImageOutcome) -> Outcome {
    Outcome { needs_reboot: done.needs_reboot, image: Some(done), ..Outcome::default() }
}

/// Writes an assessment beside the job's journal; it is on disk when this returns.
pub(super) fn write(
    folder: &Path,
    assessment: &PatchAssessment,
    progress: &mut dyn Progress,
) -> Result<AssessmentFile, ApplyError> {
    let octets = serde_json::to_vec(assessment).map_err(io::Error::other);
    let written =
        octets.and_then(|octets| durable::write(&folder.join(AssessmentFile::NAME), &octets).map(|()| octets));
    let octets = written.map_err(|error| {
        tracing::error!(%error, "an assessment cannot be written");
        match error.kind() {
            io::ErrorKind::StorageFull => ApplyError::NoSpace("there is no room for the assessment".to_owned()),
            kind => ApplyError::Failed(format!("the assessment cannot be written: {kind}")),
        }
    })?;
    let summary = assessment.summary(0, "");
    progress.note(&format!(
        "{} of {} bulletins are missing, {} of them critical.",
        summary.counts.by_state[0],
        assessment.bulletins.len(),
        summary.counts.missing_by_severity[0]
    ));
    Ok(AssessmentFile::of(&octets))
}

/// A part of a job that several files share.
struct Shares {
    whole: u8,
    count: usize,
}

impl Shares {
    fn new(whole: u8, count: usize) -> Self {
        Self { whole, count: count.max(1) }
    }

    /// The part of one of the files, whose own progress goes up to `whole`.
    fn part<'p>(&self, place: usize, whole: u8, progress: &'p mut dyn Progress) -> Part<'p> {
        let at = |place: usize| u8::try_from(usize::from(self.whole) * place / self.count).unwrap_or(self.whole);
        Part { inner: progress, from: at(place), to: at(place + 1), whole }
    }
}

/// Tells the progress of a part of a job as that of the whole.
struct Part<'p> {
    inner: &'p mut dyn Progress,
    from: u8,
    to: u8,
    /// What the part tells at its end.
    whole: u8,
}

impl Progress for Part<'_> {
    fn started(&mut self, pid: u32, start_ticks: u64) {
        self.inner.started(pid, start_ticks);
    }

    fn phase(&mut self, phase: Phase, percent: u8) {
        let span = u32::from(self.to.saturating_sub(self.from));
        let done = span * u32::from(percent.min(self.whole)) / u32::from(self.whole.max(1));
        self.inner.phase(phase, self.from.saturating_add(u8::try_from(done).unwrap_or(0)));
    }

    fn note(&mut self, text: &str) {
        self.inner.note(text);
    }
}
