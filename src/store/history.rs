//! The rows of the history of jobs.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::StoreError;

/// A record of the history. The jobs room knows how to read the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its number; larger is later, never given twice.
    pub number: i64,
    /// What happened, as JSON.
    pub body: String,
}

/// Appends a record of a managed system and removes its oldest beyond `most`.
pub fn append(transaction: &Transaction<'_>, system: &str, body: &str, most: u32) -> Result<(), StoreError> {
    transaction.prepare_cached("INSERT INTO history (system, body) VALUES (?1, ?2)")?.execute(params![system, body])?;
    // The first of those that are too many; none if there are not so many.
    transaction
        .prepare_cached(
            "DELETE FROM history WHERE system = ?1 AND number <= \
             (SELECT number FROM history WHERE system = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![system, i64::from(most)])?;
    Ok(())
}

/// The record of a managed system with this number.
pub fn find(connection: &Connection, system: &str, number: i64) -> Result<Option<HistoryRow>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT number, body FROM history WHERE system = ?1 AND number = ?2")?;
    Ok(statement.query_row(params![system, number], from_row).optional()?)
}

/// The records of a managed system after `number`, oldest first, at most `limit`.
pub fn after(connection: &Connection, system: &str, number: i64, limit: u32) -> Result<Vec<HistoryRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, body FROM history WHERE system = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
    )?;
    let rows = statement.query_map(params![system, number, i64::from(limit)], from_row)?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}

/// How many records of a managed system there are.
pub fn count(connection: &Connection, system: &str) -> Result<u64, StoreError> {
    let count: i64 = connection
        .prepare_cached("SELECT COUNT(*) FROM history WHERE system = ?1")?
        .query_row([system], |row| row.get(0))?;
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
            store.write(|t| append(t, "host", body, 2)).unwrap();
        }
        let bodies = |system| -> Vec<String> {
            store.read(|c| after(c, system, 0, 10)).unwrap().into_iter().map(|row| row.body).collect()
        };
        assert_eq!(bodies("host"), ["b", "c"]);
        assert_eq!(store.read(|c| count(c, "host")).unwrap(), 2);
        assert_eq!(store.read(|c| find(c, "host", 3)).unwrap().unwrap().body, "c");
        assert!(store.read(|c| find(c, "host", 1)).unwrap().is_none());
        for body in ["x", "y"] {
            store.write(|t| append(t, "image", body, 1)).unwrap();
        }
        assert_eq!((bodies("host").len(), bodies("image")), (2, vec!["y".to_owned()]), "each system has its own");
        assert!(store.read(|c| find(c, "image", 3)).unwrap().is_none());
        store.write(|t| append(t, "image", "z", 0)).unwrap();
        assert_eq!(bodies("image").len(), 0);
    }
}
