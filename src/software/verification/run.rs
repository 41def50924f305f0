//! Verifies an installed package: all of its files, one after the other.

use std::io;
use std::ops::ControlFlow;

use super::state::Found;
use super::{BLOCK, FailedCheck, FileRecord, FileState, Finding, compare};
use crate::software::change::{check_cancelled, unreadable};
use crate::software::root::Root;
use crate::software::{ApplyError, CancelToken, Manager, Nevra, Outcome, Phase, Progress};

/// How many findings an outcome holds; what differs beyond is only counted.
const MOST_FINDINGS: usize = 2_000;
/// The most octets of their paths, which a package may make as long as it likes: an outcome goes into one journal line.
const MOST_PATH_OCTETS: usize = 1 << 20;

/// What a file counts beside its octets, so that many small files are a way too.
const PER_FILE: u64 = 4096;

/// Compares the files of an installed package with how they were installed. Changes nothing; can be cancelled at any
/// time. Blocks.
///
/// Fails with [`ApplyError::NotFound`] if exactly this build is not installed. What could not be read is no finding and
/// is told in a note.
pub(in crate::software) fn verify(
    manager: &dyn Manager,
    nevra: &Nevra,
    progress: &mut dyn Progress,
    cancel: &CancelToken,
) -> Result<Outcome, ApplyError> {
    progress.phase(Phase::Verifying, 0);
    check_cancelled(cancel)?;
    manager.refresh().map_err(|error| unreadable(&error))?;
    if manager.inventory().find(nevra).is_none() {
        return Err(not_installed(nevra));
    }
    let records = manager.files_to_verify(nevra, progress, cancel)?;
    let root = Root::open(manager.root()).map_err(|error| no_root(&error))?;
    let mut verification = Verification::new(&root, progress, cancel);
    let weights = verification.weigh(&records)?;
    for (record, weight) in records.iter().zip(weights) {
        verification.judge(record, weight)?;
    }
    Ok(verification.finish(&records))
}

fn not_installed(nevra: &Nevra) -> ApplyError {
    let (name, evr, architecture) = (&nevra.name, nevra.evr(), &nevra.architecture);
    ApplyError::NotFound(format!(
        "{name} {evr} for {architecture} is not installed: only the files of installed packages can be verified"
    ))
}

fn no_root(error: &io::Error) -> ApplyError {
    tracing::error!("the managed root cannot be opened: {error}");
    ApplyError::Failed("the managed root cannot be opened; the service's log tells more".to_owned())
}

struct Verification<'a> {
    root: &'a Root,
    cancel: &'a CancelToken,
    way: Way<'a>,
    block: Vec<u8>,
    findings: Vec<Finding>,
    path_octets: usize,
    more_findings: usize,
    unread: Unread,
}

/// The files that could not be read.
#[derive(Default)]
struct Unread {
    count: usize,
    first: Option<String>,
}

impl<'a> Verification<'a> {
    fn new(root: &'a Root, progress: &'a mut dyn Progress, cancel: &'a CancelToken) -> Self {
        let way = Way { progress, total: 0, done: 0, percent: 0 };
        let (findings, block) = (Vec::new(), vec![0; BLOCK]);
        Self { root, cancel, way, block, findings, path_octets: 0, more_findings: 0, unread: Unread::default() }
    }

    /// What each file counts.
    fn weigh(&mut self, records: &[FileRecord]) -> Result<Vec<u64>, ApplyError> {
        let weight = |record| check_cancelled(self.cancel).map(|()| weight(self.root, record));
        let weights = records.iter().map(weight).collect::<Result<Vec<u64>, ApplyError>>()?;
        self.way.total = weights.iter().fold(0, |sum: u64, weight| sum.saturating_add(*weight));
        Ok(weights)
    }

    fn judge(&mut self, record: &FileRecord, weight: u64) -> Result<(), ApplyError> {
        check_cancelled(self.cancel)?;
        let end = self.way.done.saturating_add(weight);
        match self.state(record, end) {
            Ok(state) => self.find(record, compare(record, state.as_ref())),
            Err(error) => self.unread.add(record, &error),
        }
        // A file whose reading was stopped is not judged.
        check_cancelled(self.cancel)?;
        self.way.go_to(end);
        Ok(())
    }

    /// How a file is now, its contents read only if there is something to learn from them.
    fn state(&mut self, record: &FileRecord, end: u64) -> io::Result<Option<FileState>> {
        let Some(found) = Found::of(self.root, record)? else { return Ok(None) };
        let has_other_length = record.size.is_some_and(|size| size != found.state.size);
        if has_other_length || !record.is_judged(FailedCheck::Checksum) {
            return Ok(Some(found.state));
        }
        let (way, cancel) = (&mut self.way, self.cancel);
        let mut heard = |octets| {
            way.go_to(way.done.saturating_add(octets).min(end));
            if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let checksum = match found.checksum(record, &mut self.block, &mut heard) {
            Ok(checksum) => checksum,
            // What can be told without reading is still judged.
            Err(error) => {
                self.unread.add(record, &error);
                None
            }
        };
        Ok(Some(FileState { checksum, ..found.state }))
    }

    fn find(&mut self, record: &FileRecord, failed: Vec<FailedCheck>) {
        if failed.is_empty() {
            return;
        }
        let octets = record.path.len() + record.link_target.as_ref().map_or(0, String::len);
        let is_full = self.findings.len() == MOST_FINDINGS || self.path_octets + octets > MOST_PATH_OCTETS;
        if is_full || self.more_findings > 0 {
            self.more_findings += 1;
            return;
        }
        self.path_octets += octets;
        let (path, is_configuration) = (record.path.clone(), record.is_configuration);
        self.findings.push(Finding { path, is_configuration, failed, original: Some(record.clone()) });
    }

    fn finish(self, records: &[FileRecord]) -> Outcome {
        let progress = self.way.progress;
        if self.more_findings > 0 {
            let more = self.more_findings;
            let listed = self.findings.len();
            progress.note(&format!("{more} more files differ; only the first {listed} are listed"));
        }
        if let Some(first) = &self.unread.first {
            let count = self.unread.count;
            progress.note(&format!("{count} files could not be read and were not judged; the first is {first}"));
        }
        if !records.is_empty() && records.iter().all(|record| record.size.is_none() && record.modified.is_none()) {
            progress.note(
                "the package database knows no more than the contents of this package's files: their sizes, modes, \
                 owners and times were not judged",
            );
        }
        Outcome { findings: self.findings, ..Outcome::default() }
    }
}

impl Unread {
    fn add(&mut self, record: &FileRecord, error: &io::Error) {
        self.count += 1;
        self.first.get_or_insert_with(|| format!("{}: {error}", record.path));
    }
}

/// What a file counts. Where its size is not recorded, the one that it has now is taken.
fn weight(root: &Root, record: &FileRecord) -> u64 {
    let octets = match (&record.checksum, record.size) {
        (None, _) => 0,
        (Some(_), Some(size)) => size,
        (Some(_), None) => Found::of(root, record).ok().flatten().map_or(0, |found| found.state.size),
    };
    octets.saturating_add(PER_FILE)
}

/// How far the verification is.
struct Way<'a> {
    progress: &'a mut dyn Progress,
    total: u64,
    done: u64,
    percent: u8,
}

impl Way<'_> {
    /// Goes on to a place and tells it, if it is another in percent.
    fn go_to(&mut self, done: u64) {
        self.done = done;
        let percent = u128::from(self.done) * 100 / u128::from(self.total.max(1));
        let percent = u8::try_from(percent).unwrap_or(u8::MAX).min(99);
        if percent > self.percent {
            self.percent = percent;
            self.progress.phase(Phase::Verifying, percent);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use super::*;
    use crate::software::testing::package;
    use crate::software::{
        Abilities, ChecksumKind, Family, InspectError, Inventory, ManagerError, Operation, Package, Plan,
    };

    /// One installed package with these files.
    #[derive(Debug)]
    struct Files<'a> {
        root: &'a Path,
        records: Vec<FileRecord>,
    }

    impl Manager for Files<'_> {
        fn family(&self) -> Family {
            Family::Deb
        }

        fn abilities(&self) -> Abilities {
            Abilities { changes: true, repositories: true }
        }

        fn inventory(&self) -> std::sync::Arc<Inventory> {
            Inventory::new([package("a", "1", "")]).into()
        }

        fn refresh(&self) -> Result<bool, ManagerError> {
            Ok(false)
        }

        fn wait_for_change(&self, _: std::time::Duration) -> bool {
            false
        }

        fn inspect(&self, _: &Path) -> Result<Package, InspectError> {
            Err(InspectError::NotAPackage("nothing is".to_owned()))
        }

        fn plan(&self, _: &Operation, _: &CancelToken) -> Result<Plan, ApplyError> {
            Ok(Plan::default())
        }

        fn files(&self, _: &Nevra) -> Result<Vec<FileRecord>, ManagerError> {
            Ok(self.records.clone())
        }

        fn root(&self) -> &Path {
            self.root
        }

        fn apply(&self, _: &Operation, _: &mut dyn Progress, _: &CancelToken) -> Result<Outcome, ApplyError> {
            Err(ApplyError::Failed("nothing is changed here".to_owned()))
        }
    }

    #[derive(Default)]
    struct Heard {
        percents: Vec<u8>,
        notes: Vec<String>,
        cancel_above: Option<(u8, CancelToken)>,
    }

    impl Progress for Heard {
        fn started(&mut self, _: u32, _: u64) {}

        fn phase(&mut self, phase: Phase, percent: u8) {
            assert_eq!(phase, Phase::Verifying);
            self.percents.push(percent);
            if let Some((above, token)) = &self.cancel_above
                && percent > *above
            {
                token.cancel();
            }
        }

        fn note(&mut self, text: &str) {
            self.notes.push(text.to_owned());
        }
    }

    fn record(path: &str, size: Option<u64>) -> FileRecord {
        let checksum = Some((ChecksumKind::Md5, "00".to_owned()));
        FileRecord { size, checksum, ..FileRecord::at(path.to_owned()) }
    }

    fn run(files: &Files<'_>, heard: &mut Heard, token: &CancelToken) -> Result<Outcome, ApplyError> {
        verify(files, &package("a", "1", "").nevra, heard, token)
    }

    #[test]
    fn progress_goes_on_within_a_file_and_the_file_can_be_given_up() {
        let dir = tempfile::tempdir().unwrap();
        File::create(dir.path().join("large")).unwrap().set_len(8 * BLOCK as u64).unwrap();
        let files = Files { root: dir.path(), records: vec![record("/large", None)] };
        let mut heard = Heard::default();
        let outcome = run(&files, &mut heard, &CancelToken::default()).unwrap();
        assert_eq!(outcome.findings.len(), 1);
        assert!(heard.percents.len() > 8 && heard.percents.is_sorted(), "{:?}", heard.percents);
        assert_eq!((heard.percents.first(), heard.percents.last()), (Some(&0), Some(&99)));

        let token = CancelToken::default();
        let mut heard = Heard { cancel_above: Some((0, token.clone())), ..Heard::default() };
        assert_eq!(run(&files, &mut heard, &token), Err(ApplyError::Cancelled));
        assert_eq!(heard.percents, [0, 12]);
    }

    #[test]
    fn a_file_of_another_length_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        // It would take days to read.
        File::create(dir.path().join("huge")).unwrap().set_len(1 << 42).unwrap();
        let files = Files { root: dir.path(), records: vec![record("/huge", Some(7))] };
        let outcome = run(&files, &mut Heard::default(), &CancelToken::default()).unwrap();
        assert_eq!(outcome.findings[0].failed, [FailedCheck::Size, FailedCheck::Checksum]);
    }

    #[test]
    fn findings_are_bounded_and_what_cannot_be_read_is_told() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("there"), "x").unwrap();
        let mut records: Vec<FileRecord> = (0..MOST_FINDINGS + 3).map(|i| record(&format!("/{i}"), Some(1))).collect();
        records.push(record("/nul\0", Some(1)));
        records.push(FileRecord::at("/there".to_owned()));
        let files = Files { root: dir.path(), records };
        let mut heard = Heard::default();
        let outcome = run(&files, &mut heard, &CancelToken::default()).unwrap();
        assert_eq!(outcome.findings.len(), MOST_FINDINGS);
        assert_eq!(heard.notes.len(), 2);
        assert_eq!(heard.notes[0], "3 more files differ; only the first 2000 are listed");
        assert!(heard.notes[1].starts_with("1 files could not be read and were not judged; the first is /nul"));
    }

    #[test]
    fn long_paths_fill_an_outcome_sooner() {
        let dir = tempfile::tempdir().unwrap();
        let long = |i: usize| record(&format!("/{i:04}{}", "/x".repeat(2_000)), Some(1));
        let mut records: Vec<FileRecord> = (0..MOST_FINDINGS).map(long).collect();
        records.push(record("/short", Some(1)));
        let files = Files { root: dir.path(), records };
        let mut heard = Heard::default();
        let outcome = run(&files, &mut heard, &CancelToken::default()).unwrap();
        let octets: usize = outcome.findings.iter().map(|finding| finding.path.len()).sum();
        assert!(octets <= MOST_PATH_OCTETS && octets + 4_005 > MOST_PATH_OCTETS, "{octets}");
        let listed = outcome.findings.len();
        let more = MOST_FINDINGS + 1 - listed;
        assert_eq!(heard.notes[0], format!("{more} more files differ; only the first {listed} are listed"));
    }

    #[test]
    fn only_exactly_the_installed_build_is_verified() {
        let files = Files { root: Path::new("/"), records: Vec::new() };
        let other = package("a", "2", "").nevra;
        let result = verify(&files, &other, &mut Heard::default(), &CancelToken::default());
        let Err(ApplyError::NotFound(why)) = result else { panic!("{result:?}") };
        assert_eq!(why, "a 2 for all is not installed: only the files of installed packages can be verified");
    }
}
