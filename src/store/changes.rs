//! Change records: what changed, in sequence, before and after.
//!
//! A record is appended in the transaction that makes the change, so there is never one without the other.

use chrono::{DateTime, TimeZone, Utc};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::StoreError;

/// One change. `before` is `None` for a creation, `after` for a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRecord {
    /// Its place in the log; larger is later, gaps are possible.
    pub sequence: i64,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// What kind of thing changed; the room that owns the kind knows how to read the texts.
    pub subject: String,
    /// The thing before, as JSON.
    pub before: Option<String>,
    /// The thing after, as JSON.
    pub after: Option<String>,
}

/// About what a record takes besides its texts, in octets.
const RECORD: usize = 64;

/// Appends a record and returns its sequence number.
pub fn append(
    transaction: &Transaction<'_>,
    time: DateTime<Utc>,
    subject: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<i64, StoreError> {
    let octets = [Some(subject), before, after].into_iter().flatten().map(str::len).sum::<usize>() + RECORD;
    transaction
        .prepare_cached(
            "INSERT INTO change_record (time, subject, before, after, grown) \
             VALUES (?1, ?2, ?3, ?4, ?5 + (SELECT COALESCE(MAX(grown), 0) FROM change_record))",
        )?
        .execute(params![
            time.timestamp_micros(),
            subject,
            before,
            after,
            i64::try_from(octets).unwrap_or(i64::MAX / 2)
        ])?;
    Ok(transaction.last_insert_rowid())
}

/// The records after `sequence`, oldest first, at most `limit`.
pub fn after(connection: &Connection, sequence: i64, limit: u32) -> Result<Vec<ChangeRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT sequence, time, subject, before, after FROM change_record WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
    )?;
    let rows = statement.query_map(params![sequence, limit], from_row)?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}

/// The name of this log: that of another store, or of a store made anew, is another.
pub fn log_id(connection: &Connection) -> Result<Uuid, StoreError> {
    let text: String = connection.prepare_cached("SELECT id FROM change_log")?.query_row([], |row| row.get(0))?;
    text.parse().map_err(|_| StoreError::damaged("change_log", format!("{text:?} is no UUID")))
}

/// The largest sequence number ever given; 0 if there was none. Removed records count.
pub fn latest(connection: &Connection) -> Result<i64, StoreError> {
    let latest = connection
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'change_record'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(latest.unwrap_or(0))
}

/// The smallest sequence number that is still there; `None` if no record is.
pub fn oldest(connection: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(connection.prepare_cached("SELECT MIN(sequence) FROM change_record")?.query_row([], |row| row.get(0))?)
}

/// The first record, in sequence, that is not older than `time`.
pub fn first_since(connection: &Connection, time: DateTime<Utc>) -> Result<Option<i64>, StoreError> {
    Ok(connection
        // In the order of the sequence, not of the times: the host's clock may have been set back in between. The plus
        // keeps SQLite from the index of times, by which it would have to sort.
        .prepare_cached("SELECT sequence FROM change_record WHERE +time >= ?1 ORDER BY sequence LIMIT 1")?
        .query_row([time.timestamp_micros()], |row| row.get(0))
        .optional()?)
}

/// The last record, in sequence, behind which so many octets or more follow; `None` if the log is not that large.
pub fn last_before(connection: &Connection, octets: u64) -> Result<Option<i64>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT sequence FROM change_record WHERE grown <= (SELECT MAX(grown) FROM change_record) - ?1 \
             ORDER BY grown DESC, sequence DESC LIMIT 1",
        )?
        .query_row([i64::try_from(octets).unwrap_or(i64::MAX)], |row| row.get(0))
        .optional()?)
}

/// Removes the records up to and including `sequence` and tells how many there were.
pub fn remove_through(transaction: &Transaction<'_>, sequence: i64) -> Result<usize, StoreError> {
    Ok(transaction.execute("DELETE FROM change_record WHERE sequence <= ?1", [sequence])?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ChangeRecord> {
    Ok(ChangeRecord {
        sequence: row.get(0)?,
        time: Utc.timestamp_micros(row.get(1)?).single().unwrap_or(DateTime::UNIX_EPOCH),
        subject: row.get(2)?,
        before: row.get(3)?,
        after: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn records_come_back_in_order_and_numbers_are_never_reused() {
        let store = Store::in_memory().unwrap();
        let time = Utc.timestamp_micros(1_700_000_000_123_456).unwrap();
        let first = store.write(|t| append(t, time, "job", None, Some("{}"))).unwrap();
        store.write(|t| remove_through(t, first)).unwrap();
        let second = store.write(|t| append(t, time, "job", Some("{}"), None)).unwrap();
        assert!(second > first);
        assert_eq!(*store.watch_changes().borrow(), second);
        let rest = store.read(|c| after(c, 0, 10)).unwrap();
        assert_eq!(rest.iter().map(|r| r.sequence).collect::<Vec<_>>(), [second]);
        assert_eq!(rest[0].time, time);
    }

    #[test]
    fn every_log_has_a_name_of_its_own() {
        let (one, two) = (Store::in_memory().unwrap(), Store::in_memory().unwrap());
        assert_eq!(one.read(log_id).unwrap(), one.read(log_id).unwrap());
        assert_ne!(one.read(log_id).unwrap(), two.read(log_id).unwrap());
    }

    #[test]
    fn the_oldest_and_the_first_since_a_time_are_found() {
        let store = Store::in_memory().unwrap();
        assert_eq!(store.read(oldest).unwrap(), None);
        let at = |second| Utc.timestamp_opt(second, 0).unwrap();
        let one = store.write(|t| append(t, at(10), "job", None, None)).unwrap();
        let two = store.write(|t| append(t, at(20), "job", None, None)).unwrap();
        assert_eq!(store.read(oldest).unwrap(), Some(one));
        assert_eq!(store.read(|c| first_since(c, at(10))).unwrap(), Some(one));
        assert_eq!(store.read(|c| first_since(c, at(11))).unwrap(), Some(two));
        assert_eq!(store.read(|c| first_since(c, at(21))).unwrap(), None);
    }

    #[test]
    fn the_size_of_the_log_is_known() {
        let store = Store::in_memory().unwrap();
        let append = || {
            let text = "x".repeat(1000 - RECORD - 3);
            store.write(|t| append(t, DateTime::UNIX_EPOCH, "job", None, Some(&text))).unwrap()
        };
        assert_eq!(store.read(|c| last_before(c, 0)).unwrap(), None);
        let all: Vec<i64> = (0..5).map(|_| append()).collect();
        let before = |octets| store.read(|c| last_before(c, octets)).unwrap();
        assert_eq!([before(0), before(1), before(1000), before(1001)], [all[4], all[3], all[3], all[2]].map(Some));
        assert_eq!([before(4000), before(4001)], [Some(all[0]), None]);
        store.write(|t| remove_through(t, all[2])).unwrap();
        assert_eq!([before(1000), before(2000)], [Some(all[3]), None]);
        store.write(|t| remove_through(t, all[4])).unwrap();
        let next = append();
        assert_eq!([before(0), before(1)], [Some(next), None]);
    }

    #[test]
    fn a_clock_that_was_set_back_hides_no_earlier_record() {
        let store = Store::in_memory().unwrap();
        let at = |second| Utc.timestamp_opt(second, 0).unwrap();
        let before = store.write(|t| append(t, at(1000), "job", None, None)).unwrap();
        store.write(|t| append(t, at(400), "job", None, None)).unwrap();
        assert_eq!(store.read(|c| first_since(c, at(100))).unwrap(), Some(before));
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let store = Store::in_memory().unwrap();
        let failed: Result<(), StoreError> = store.write(|t| {
            append(t, DateTime::UNIX_EPOCH, "job", None, None)?;
            Err(StoreError::damaged("job", "for the test"))
        });
        assert!(failed.is_err());
        assert_eq!(store.read(latest).unwrap(), 0);
    }
}
