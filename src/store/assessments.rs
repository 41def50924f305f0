//! The last patch assessment of each managed system. The jobs room knows how to read it.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::StoreError;

/// A patch assessment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssessmentRow {
    /// What it says in short, as JSON.
    pub summary: String,
    /// All that it says, compressed.
    pub body: Vec<u8>,
}

/// Puts an assessment in the place of the one before.
pub fn replace(transaction: &Transaction<'_>, system: &str, row: &AssessmentRow) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO patch_assessment (system, summary, body) VALUES (?1, ?2, ?3) \
             ON CONFLICT (system) DO UPDATE SET summary = excluded.summary, body = excluded.body",
        )?
        .execute(params![system, row.summary, row.body])?;
    Ok(())
}

/// The assessment of a system, if there was one.
pub fn find(connection: &Connection, system: &str) -> Result<Option<AssessmentRow>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT summary, body FROM patch_assessment WHERE system = ?1")?;
    let row = statement.query_row([system], |row| Ok(AssessmentRow { summary: row.get(0)?, body: row.get(1)? }));
    Ok(row.optional()?)
}

/// Removes the assessment of a system, if there was one.
pub fn remove(transaction: &Transaction<'_>, system: &str) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM patch_assessment WHERE system = ?1")?.execute([system])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn each_system_has_its_last_assessment() {
        let store = Store::in_memory().unwrap();
        let row = |summary: &str| AssessmentRow { summary: summary.to_owned(), body: vec![0, 1] };
        assert_eq!(store.read(|c| find(c, "image")).unwrap(), None);
        for (system, summary) in [("image", "a"), ("host", "b"), ("image", "c")] {
            store.write(|t| replace(t, system, &row(summary))).unwrap();
        }
        assert_eq!(store.read(|c| find(c, "image")).unwrap(), Some(row("c")));
        assert_eq!(store.read(|c| find(c, "host")).unwrap(), Some(row("b")));
        store.write(|t| remove(t, "image")).unwrap();
        store.write(|t| remove(t, "image")).unwrap();
        assert_eq!(store.read(|c| find(c, "image")).unwrap(), None);
        assert_eq!(store.read(|c| find(c, "host")).unwrap(), Some(row("b")));
    }
}
