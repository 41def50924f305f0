//! The rows of jobs.

use rusqlite::{Connection, Row, Transaction, params};

use super::StoreError;

/// A job's row. The jobs room knows how to read the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// The job's number; never given twice.
    pub id: i64,
    /// The job, as JSON.
    pub body: String,
    /// Whether a worker may have been asked to run it.
    pub dispatched: bool,
    /// How many octets of its journal the body already tells of.
    pub journal_offset: i64,
}

/// Takes the next number for a new job of a managed system; numbers are unique over all of them. The row's body is empty until
/// [`update`] fills it, in the same transaction.
pub fn insert(transaction: &Transaction<'_>, system: &str) -> Result<i64, StoreError> {
    transaction.prepare_cached("INSERT INTO job (system, body) VALUES (?1, '')")?.execute([system])?;
    Ok(transaction.last_insert_rowid())
}

/// From now on the numbers of new jobs are not below this one.
pub fn number_from(transaction: &Transaction<'_>, next: i64) -> Result<(), StoreError> {
    let last = next.saturating_sub(1);
    let is_known =
        transaction
            .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'job')", [], |row| row.get(0))?;
    let set = if is_known {
        "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'job' AND seq < ?1"
    } else {
        "INSERT INTO sqlite_sequence (name, seq) VALUES ('job', max(?1, 0))"
    };
    transaction.execute(set, [last])?;
    Ok(())
}

/// Writes all columns of the row with this number.
pub fn update(transaction: &Transaction<'_>, row: &JobRow) -> Result<(), StoreError> {
    let changed = transaction
        .prepare_cached("UPDATE job SET body = ?2, dispatched = ?3, journal_offset = ?4 WHERE id = ?1")?
        .execute(params![row.id, row.body, row.dispatched, row.journal_offset])?;
    if changed == 1 { Ok(()) } else { Err(missing(row.id)) }
}

/// Removes the row with this number.
pub fn remove(transaction: &Transaction<'_>, id: i64) -> Result<(), StoreError> {
    let changed = transaction.prepare_cached("DELETE FROM job WHERE id = ?1")?.execute([id])?;
    if changed == 1 { Ok(()) } else { Err(missing(id)) }
}

/// All rows of a managed system, by number.
pub fn all(connection: &Connection, system: &str) -> Result<Vec<JobRow>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id, body, dispatched, journal_offset FROM job WHERE system = ?1 ORDER BY id")?;
    let rows = statement.query_map([system], from_row)?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}

fn missing(id: i64) -> StoreError {
    StoreError::damaged("job", format!("there is no row {id}"))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    Ok(JobRow { id: row.get(0)?, body: row.get(1)?, dispatched: row.get(2)?, journal_offset: row.get(3)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn rows_come_back_and_numbers_are_never_given_twice() {
        let store = Store::in_memory().unwrap();
        let row = store
            .write(|t| {
                let row = JobRow {
                    id: insert(t, "host")?,
                    body: "{\"a\":1}".to_owned(),
                    dispatched: true,
                    journal_offset: 77,
                };
                update(t, &row)?;
                Ok::<_, StoreError>(row)
            })
            .unwrap();
        assert_eq!(store.read(|c| all(c, "host")).unwrap(), std::slice::from_ref(&row));
        assert_eq!(store.read(|c| all(c, "image")).unwrap(), []);
        store.write(|t| remove(t, row.id)).unwrap();
        assert!(store.write(|t| insert(t, "image")).unwrap() > row.id, "numbers are unique over all systems");
    }

    #[test]
    fn numbers_begin_where_they_are_told_and_never_before_the_last() {
        let store = Store::in_memory().unwrap();
        let numbered = |next| {
            let insert = |t: &Transaction<'_>| number_from(t, next).and_then(|()| insert(t, "host"));
            store.write(insert).unwrap()
        };
        assert_eq!([0, 7, 3, 20].map(numbered), [1, 7, 8, 20]);
    }

    #[test]
    fn a_row_that_is_not_there_is_an_error() {
        let store = Store::in_memory().unwrap();
        let row = JobRow { id: 5, body: String::new(), dispatched: false, journal_offset: 0 };
        assert!(matches!(store.write(|t| update(t, &row)), Err(StoreError::Damaged { .. })));
        assert!(matches!(store.write(|t| remove(t, 5)), Err(StoreError::Damaged { .. })));
    }
}
