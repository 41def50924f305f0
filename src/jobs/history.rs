//! What jobs did, kept longer than the jobs: who asked, from where, for what, and what came of it.

use super::JobsError;
use super::job::Job;
use super::table::Jobs;
use crate::store::StoreError;
use crate::store::history::{self as rows, HistoryRow};

/// A job as it was when it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRecord {
    /// Its number in the history; larger is later.
    pub number: i64,
    /// The job, in a final state.
    pub job: Job,
}

impl Jobs {
    /// The record with this number. Blocks.
    pub fn history_record(&self, number: i64) -> Result<Option<HistoryRecord>, JobsError> {
        let row = self.store.read(|connection| rows::find(connection, self.settings.system.word(), number))?;
        row.map(record).transpose()
    }

    /// The records after `number`, oldest first, at most `limit`. Blocks.
    pub fn history_after(&self, number: i64, limit: u32) -> Result<Vec<HistoryRecord>, JobsError> {
        let rows = self.store.read(|connection| rows::after(connection, self.settings.system.word(), number, limit))?;
        rows.into_iter().map(record).collect()
    }

    /// How many records there are. Blocks.
    pub fn history_count(&self) -> Result<u64, JobsError> {
        Ok(self.store.read(|connection| rows::count(connection, self.settings.system.word()))?)
    }

    /// How many records there are at most.
    pub fn history_limit(&self) -> u32 {
        self.settings.history_records
    }
}

fn record(row: HistoryRow) -> Result<HistoryRecord, JobsError> {
    let job = serde_json::from_str(&row.body).map_err(|error| StoreError::damaged("history", error))?;
    Ok(HistoryRecord { number: row.number, job })
}
