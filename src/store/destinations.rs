//! The rows of listener destinations.

use rusqlite::{Connection, Transaction, params};

use super::StoreError;

/// Adds a destination; `false` if there is one of that name. The events room knows how to read the body.
pub fn insert(transaction: &Transaction<'_>, name: &str, body: &str) -> Result<bool, StoreError> {
    let added = transaction
        .prepare_cached("INSERT INTO listener_destination (name, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![name, body])?;
    Ok(added == 1)
}

/// Removes a destination; `false` if there is none of that name.
pub fn remove(transaction: &Transaction<'_>, name: &str) -> Result<bool, StoreError> {
    Ok(transaction.prepare_cached("DELETE FROM listener_destination WHERE name = ?1")?.execute([name])? == 1)
}

/// The bodies of all destinations, by name.
pub fn all(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT body FROM listener_destination ORDER BY name")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_name_is_taken_once_and_free_again_after_the_removal() {
        let store = Store::in_memory().unwrap();
        let add = |body: &'static str| store.write(|t| insert(t, "a", body)).unwrap();
        assert!(add("1") && !add("2"));
        assert_eq!(store.read(all).unwrap(), ["1"]);
        assert!(store.write(|t| remove(t, "a")).unwrap());
        assert!(!store.write(|t| remove(t, "a")).unwrap());
        assert!(add("3"));
    }
}
