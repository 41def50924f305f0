//! What a system lacks, as the worker found it: taken over from the folder of the job that looked, into the store and into
//! memory, with a change record that subscribers are told.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rusqlite::Transaction;

use super::job::Job;
use super::request::JobRequest;
use super::{JobsError, System};
use crate::software::patch::{AssessmentFile, PatchAssessment, PatchIndex, PatchPart, PatchStatus, PatchSummary};
use crate::store::assessments::{self as rows, AssessmentRow};
use crate::store::{Store, StoreError, changes};
use crate::worker::journal;

/// The largest assessment that is taken, in octets: about that of 100,000 bulletins.
const MAX_OCTETS: u64 = 256 * 1024 * 1024;

/// The last assessment of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessed {
    /// In short.
    pub summary: PatchSummary,
    /// All of it.
    pub assessment: PatchAssessment,
    index: PatchIndex,
}

impl Assessed {
    fn new(summary: PatchSummary, assessment: PatchAssessment) -> Self {
        let index = PatchIndex::new(&assessment);
        Self { summary, assessment, index }
    }

    /// The bulletin with this id, in any case.
    pub fn bulletin(&self, id: &str) -> Option<&PatchStatus> {
        self.index.bulletin(&self.assessment, id)
    }

    /// The parts with this id, in any case, each with its bulletin.
    pub fn parts(&self, id: &str) -> impl Iterator<Item = (&PatchStatus, &PatchPart)> {
        self.index.parts(&self.assessment, id)
    }
}

/// An assessment that is to be taken over, with its row.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) assessed: Arc<Assessed>,
    pub(super) row: AssessmentRow,
}

/// Why an assessment cannot be taken over.
#[derive(Debug)]
pub(super) enum Lost {
    /// The file cannot be read now.
    Unreadable(io::Error),
    /// It is gone, or not what the worker wrote.
    ForGood(String),
}

impl System {
    /// The subject of the change records of its assessments; what is after is a [`PatchSummary`].
    pub fn assessment_subject(self) -> &'static str {
        match self {
            Self::Host => "patch_assessment",
            Self::Image => "image_patch_assessment",
        }
    }
}

/// The assessment that the store has of a system.
pub(super) fn stored(store: &Store, system: System) -> Result<Option<Arc<Assessed>>, JobsError> {
    let Some(row) = store.read(|connection| rows::find(connection, system.word()))? else { return Ok(None) };
    let wrong = |error: serde_json::Error| StoreError::damaged("patch_assessment", error);
    let summary = serde_json::from_str(&row.summary).map_err(wrong)?;
    let mut octets = Vec::new();
    GzDecoder::new(row.body.as_slice()).take(MAX_OCTETS).read_to_end(&mut octets)?;
    let assessment = serde_json::from_slice(&octets).map_err(wrong)?;
    Ok(Some(Arc::new(Assessed::new(summary, assessment))))
}

/// The assessment that a job ended with, out of its folder; `None` if it made none. One of another image than the one that is
/// managed is lost.
pub(super) fn taken(worker_dir: &Path, image: Option<&Path>, job: &Job) -> Result<Option<Taken>, Lost> {
    let Some(file) = job.outcome.as_ref().and_then(|outcome| outcome.assessment.as_ref()) else { return Ok(None) };
    let octets = octets_of(worker_dir, job, file)?;
    let wrong = |error: serde_json::Error| Lost::ForGood(error.to_string());
    let assessment: PatchAssessment = serde_json::from_slice(&octets).map_err(wrong)?;
    if let (Some(of), Some(image)) = (&assessment.host.image, image) {
        let image = image.display().to_string();
        if *of != image {
            return Err(Lost::ForGood(format!("it is of the image in {of}, and the one in {image} is managed now")));
        }
    }
    let operation = match &job.request {
        JobRequest::Patch(operation) => operation.word(),
        _ => "Assess",
    };
    let summary = assessment.summary(job.id.0, operation);
    let row = AssessmentRow {
        summary: serde_json::to_string(&summary).map_err(wrong)?,
        body: compressed(&octets).map_err(Lost::Unreadable)?,
    };
    Ok(Some(Taken { assessed: Arc::new(Assessed::new(summary, assessment)), row }))
}

fn octets_of(worker_dir: &Path, job: &Job, file: &AssessmentFile) -> Result<Vec<u8>, Lost> {
    let path = journal::folder(worker_dir, job.id.0).join(AssessmentFile::NAME);
    let opened = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Lost::ForGood("its file is gone".to_owned()),
        _ => Lost::Unreadable(error),
    })?;
    if file.octets > MAX_OCTETS {
        return Err(Lost::ForGood(format!("it is larger than {MAX_OCTETS} octets")));
    }
    let mut octets = Vec::new();
    opened.take(file.octets.saturating_add(1)).read_to_end(&mut octets).map_err(Lost::Unreadable)?;
    if AssessmentFile::of(&octets) == *file {
        Ok(octets)
    } else {
        Err(Lost::ForGood("its file was changed".to_owned()))
    }
}

fn compressed(octets: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(octets)?;
    encoder.finish()
}

/// Removes the assessment of a system from the store. No event tells of it: nothing was found out.
pub(super) fn remove(transaction: &Transaction<'_>, system: System) -> Result<(), StoreError> {
    rows::remove(transaction, system.word())
}

/// Puts an assessment into the store, with the change record of it.
pub(super) fn write(
    transaction: &Transaction<'_>,
    system: System,
    taken: &Taken,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    rows::replace(transaction, system.word(), &taken.row)?;
    changes::append(transaction, now, system.assessment_subject(), None, Some(&taken.row.summary))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::jobs::tests::queued_job;
    use crate::software::Outcome;
    use crate::software::patch::{PatchHost, PatchOperation};

    fn assessment() -> PatchAssessment {
        PatchAssessment {
            at: DateTime::UNIX_EPOCH,
            host: PatchHost::default(),
            metadata: Vec::new(),
            bulletins: Vec::new(),
        }
    }

    fn job(octets: &[u8]) -> Job {
        let file = AssessmentFile::of(octets);
        Job {
            request: JobRequest::Patch(PatchOperation::Scan { metadata: Vec::new() }),
            outcome: Some(Outcome { assessment: Some(file), ..Outcome::default() }),
            ..queued_job(7)
        }
    }

    #[test]
    fn what_the_worker_wrote_is_stored_and_read_again() {
        let (state, store) = (tempfile::tempdir().unwrap(), Store::in_memory().unwrap());
        let octets = serde_json::to_vec(&assessment()).unwrap();
        fs::create_dir_all(journal::folder(state.path(), 7)).unwrap();
        fs::write(journal::folder(state.path(), 7).join(AssessmentFile::NAME), &octets).unwrap();
        let taken = taken(state.path(), None, &job(&octets)).unwrap().unwrap();
        assert_eq!((taken.assessed.summary.job, taken.assessed.summary.operation.as_str()), (7, "Scan"));
        assert!(stored(&store, System::Image).unwrap().is_none());
        store.write(|t| write(t, System::Image, &taken, DateTime::UNIX_EPOCH)).unwrap();
        assert_eq!(stored(&store, System::Image).unwrap().unwrap(), taken.assessed);
        assert!(stored(&store, System::Host).unwrap().is_none());
        let told = store.read(|c| changes::after(c, 0, 10)).unwrap();
        assert_eq!(told.iter().map(|record| record.subject.as_str()).collect::<Vec<_>>(), ["image_patch_assessment"]);
        let none = Job { outcome: None, ..job(&octets) };
        assert!(super::taken(state.path(), None, &none).unwrap().is_none());
    }

    #[test]
    fn what_is_gone_or_was_changed_is_lost() {
        let state = tempfile::tempdir().unwrap();
        let octets = serde_json::to_vec(&assessment()).unwrap();
        let taken = |job: Job| taken(state.path(), None, &job);
        assert!(matches!(taken(job(&octets)), Err(Lost::ForGood(_))));
        fs::create_dir_all(journal::folder(state.path(), 7)).unwrap();
        fs::write(journal::folder(state.path(), 7).join(AssessmentFile::NAME), b"{}").unwrap();
        assert!(matches!(taken(job(&octets)), Err(Lost::ForGood(_))));
        assert!(matches!(taken(job(b"{}")), Err(Lost::ForGood(_))));
    }

    #[test]
    fn what_is_of_another_image_is_not_taken() {
        let state = tempfile::tempdir().unwrap();
        let host = PatchHost { image: Some("/image".to_owned()), ..PatchHost::default() };
        let octets = serde_json::to_vec(&PatchAssessment { host, ..assessment() }).unwrap();
        fs::create_dir_all(journal::folder(state.path(), 7)).unwrap();
        fs::write(journal::folder(state.path(), 7).join(AssessmentFile::NAME), &octets).unwrap();
        let taken = |image: &str| taken(state.path(), Some(Path::new(image)), &job(&octets));
        assert!(taken("/image").unwrap().is_some());
        let Err(Lost::ForGood(why)) = taken("/other") else { panic!("it is taken") };
        assert_eq!(why, "it is of the image in /image, and the one in /other is managed now");
    }
}
