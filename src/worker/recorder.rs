//! Writes a journal beside the work, so that the work never waits for the disk.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::journal::{Entry, Journal, Record};
use super::watchers::Watchers;
use crate::clock::SharedClock;
use crate::software::{Outcome, Phase, Progress};

/// Entries that only tell a new percentage wait this long for the next one.
const PACE: Duration = Duration::from_millis(100);
/// How long to wait before a write that failed, such as on a full disk, is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How many notes a job may have, and how long one may be in octets.
const MAX_NOTES: usize = 50;
const MAX_NOTE: usize = 500;

/// Takes what the work tells and gives it to the thread that writes the journal.
#[derive(Debug)]
pub(super) struct Recorder {
    shared: Arc<Shared>,
    clock: SharedClock,
    writer: Option<JoinHandle<()>>,
    last_phase: Option<(Phase, u8)>,
    notes: usize,
}

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    records: VecDeque<Record>,
    /// Whether there is more than new percentages.
    urgent: bool,
    /// Whether nothing more will come.
    closed: bool,
}

impl Recorder {
    /// Starts the thread that writes `journal` and tells `watchers` after each write.
    pub(super) fn start(
        job: u64,
        mut journal: Journal,
        watchers: Arc<Watchers>,
        clock: SharedClock,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let writer = thread::Builder::new().name("journal".into()).spawn(move || {
            while let Some(mut records) = theirs.take() {
                let is_end = records.back().is_some_and(|record| record.entry.is_end());
                // Nobody else knows what happened, so there is nothing better than to try until it is written.
                while let Err(error) = journal.append(&mut records) {
                    tracing::error!(%error, job, "the journal cannot be written");
                    theirs.wait(RETRY);
                }
                watchers.grew(job);
                if is_end {
                    return;
                }
                theirs.wait_for_urgent(PACE);
            }
        })?;
        Ok(Self { shared, clock, writer: Some(writer), last_phase: None, notes: 0 })
    }

    /// Writes the last entry; it is on disk, and the journal given up, when this returns.
    pub(super) fn finish(mut self, end: Entry) {
        self.push(end);
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the journal's writer panicked");
        }
    }

    /// Tells what was changed before the work failed.
    pub(super) fn changed(&mut self, outcome: Outcome) {
        self.push(Entry::Changed { outcome });
    }

    fn push(&mut self, entry: Entry) {
        let is_percentage =
            matches!((&entry, &self.last_phase), (Entry::Phase { phase: now, .. }, Some((last, _))) if now == last);
        let record = Record { at: self.clock.now(), entry };
        let mut pending = self.shared.lock();
        match pending.records.back_mut() {
            Some(last) if is_percentage && matches!(last.entry, Entry::Phase { .. }) => *last = record,
            _ => pending.records.push_back(record),
        }
        pending.urgent |= !is_percentage;
        self.shared.changed.notify_all();
    }
}

impl Drop for Recorder {
    /// A journal that gets no end is given up, so that nobody waits for one.
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl Progress for Recorder {
    fn started(&mut self, pid: u32, start_ticks: u64) {
        self.push(Entry::ToolStarted { pid, start_ticks });
    }

    fn phase(&mut self, phase: Phase, percent: u8) {
        let current = (phase, percent);
        if self.last_phase.as_ref() != Some(&current) {
            self.push(Entry::Phase { phase: current.0.clone(), percent });
            self.last_phase = Some(current);
        }
    }

    fn note(&mut self, text: &str) {
        self.notes += 1;
        if self.notes < MAX_NOTES {
            self.push(Entry::Note { text: shorten(text, MAX_NOTE) });
        } else if self.notes == MAX_NOTES {
            self.push(Entry::Note { text: "There were more notes; they were left out.".to_owned() });
        }
    }
}

impl Shared {
    /// Waits until there is something to write and takes it; `None` when nothing more will come.
    fn take(&self) -> Option<VecDeque<Record>> {
        let mut pending = self
            .changed
            .wait_while(self.lock(), |pending| pending.records.is_empty() && !pending.closed)
            .unwrap_or_else(PoisonError::into_inner);
        pending.urgent = false;
        Some(std::mem::take(&mut pending.records)).filter(|records| !records.is_empty())
    }

    fn wait_for_urgent(&self, limit: Duration) {
        let waited = self.changed.wait_timeout_while(self.lock(), limit, |pending| !pending.urgent);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn wait(&self, limit: Duration) {
        let waited = self.changed.wait_timeout_while(self.lock(), limit, |_| true);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The beginning of a text that is too long, cut between two characters.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!("{}…", text.get(..text.floor_char_boundary(limit)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::journal;
    use super::*;
    use crate::clock::SystemClock;

    fn recorded(tell: impl FnOnce(&mut Recorder)) -> Vec<Entry> {
        let state = tempfile::tempdir().unwrap();
        let journal = Journal::begin(state.path(), 1).unwrap().unwrap();
        let mut recorder = Recorder::start(1, journal, Arc::default(), Arc::new(SystemClock)).unwrap();
        tell(&mut recorder);
        recorder.finish(Entry::Finished { outcome: Outcome::default() });
        let path = journal::path(state.path(), 1);
        assert!(!journal::is_held(&path).unwrap());
        journal::read(&path, 0).unwrap().records.into_iter().map(|record| record.entry).collect()
    }

    #[test]
    fn every_phase_and_the_last_percentage_are_kept_in_order() {
        let entries = recorded(|recorder| {
            recorder.started(5, 6);
            for percent in 0..90 {
                recorder.phase(Phase::Unpacking, percent / 2);
                recorder.phase(Phase::Unpacking, percent / 2);
            }
            recorder.phase(Phase::Configuring, 90);
            recorder.note("kept");
        });
        assert_eq!(entries[0], Entry::ToolStarted { pid: 5, start_ticks: 6 });
        let percents: Vec<u8> = entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Phase { phase: Phase::Unpacking, percent } => Some(*percent),
                _ => None,
            })
            .collect();
        assert!(percents.is_sorted_by(|a, b| a < b), "{percents:?}");
        assert_eq!(percents.last(), Some(&44));
        let end = [
            Entry::Phase { phase: Phase::Configuring, percent: 90 },
            Entry::Note { text: "kept".into() },
            Entry::Finished { outcome: Outcome::default() },
        ];
        assert_eq!(entries[entries.len() - 3..], end);
    }

    #[test]
    fn a_journal_that_gets_no_end_is_given_up() {
        let state = tempfile::tempdir().unwrap();
        let journal = Journal::begin(state.path(), 1).unwrap().unwrap();
        let mut recorder = Recorder::start(1, journal, Arc::default(), Arc::new(SystemClock)).unwrap();
        let writer = recorder.writer.take().unwrap();
        drop(recorder);
        writer.join().unwrap();
        assert!(!journal::is_held(&journal::path(state.path(), 1)).unwrap());
    }

    #[test]
    fn notes_are_bounded_in_number_and_length() {
        let long = "ä".repeat(10_000);
        let entries = recorded(|recorder| (0..1000).for_each(|_| recorder.note(&long)));
        assert_eq!(entries.len(), MAX_NOTES + 1);
        let total: usize = entries.iter().map(|entry| format!("{entry:?}").len()).sum();
        assert!(total < MAX_NOTES * (MAX_NOTE + 100), "{total}");
    }
}
