//! The rows of the history of jobs.

use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::StoreError;

/// A record of the history. The jobs room knows how to read the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its number; larger is later, never given twice.
    pub number: i64,
    /// What happened, as JSON.
    pub body: String,
}

/// Appends a record and removes the oldest beyond `most`.
pub fn append(transaction: &Transaction<'_>, body: &str, most: u32) -> Result<(), StoreError> {
    transaction.prepare_cached("INSERT INTO history (body) VALUES (?1)")?.execute([body])?;
    let last = transaction.last_insert_rowid();
    transaction
        .prepare_cached("DELETE FROM history WHERE number <= ?1")?
        .execute([last.saturating_sub(i64::from(most))])?;
    Ok(())
}

/// The record with this number.
pub fn find(connection: &Connection, number: i64) -> Result<Option<HistoryRow>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT number, body FROM history WHERE number = ?1")?;
    Ok(statement.query_row([number], from_row).optional()?)
}

/// The records after `number`, oldest first, at most `limit`.
pub fn after(connection: &Connection, number: i64, limit: u32) -> Result<Vec<HistoryRow>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT number, body FROM history WHERE number > ?1 ORDER BY number LIMIT ?2")?;
    let rows = statement.query_map([number, i64::from(limit)], from_row)?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}

/// How many records there are.
pub fn count(connection: &Connection) -> Result<u64, StoreError> {
    let count: i64 = connection.prepare_cached("SELECT COUNT(*) FROM history")?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<HistoryRow> {
    Ok(HistoryRow { number: row.get(0)?, body: row.get(1)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn the_newest_records_are_kept_under_their_numbers() {
        let store = Store::in_memory().unwrap();
        for body in ["a", "b", "c"] {
            store.write(|t| append(t, body, 2)).unwrap();
        }
        let bodies: Vec<String> = store.read(|c| after(c, 0, 10)).unwrap().into_iter().map(|row| row.body).collect();
        assert_eq!(bodies, ["b", "c"]);
        assert_eq!(store.read(count).unwrap(), 2);
        assert_eq!(store.read(|c| find(c, 3)).unwrap().unwrap().body, "c");
        assert!(store.read(|c| find(c, 1)).unwrap().is_none());
    }
}
