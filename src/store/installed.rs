//! The packages that were installed when the package database was last looked at, by managed root.

use std::collections::HashSet;

use rusqlite::{Connection, Transaction, params};

use super::StoreError;

/// The names that were noted for the root.
pub fn all(connection: &Connection, root: &str) -> Result<HashSet<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name FROM installed_package WHERE root = ?1")?;
    let rows = statement.query_map([root], |row| row.get(0))?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}

/// Notes a name.
pub fn add(transaction: &Transaction<'_>, root: &str, name: &str) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT INTO installed_package (root, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![root, name])?;
    Ok(())
}

/// Notes that a name is gone.
pub fn remove(transaction: &Transaction<'_>, root: &str, name: &str) -> Result<(), StoreError> {
    transaction
        .prepare_cached("DELETE FROM installed_package WHERE root = ?1 AND name = ?2")?
        .execute(params![root, name])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn each_root_has_its_own() {
        let store = Store::in_memory().unwrap();
        store.write(|t| add(t, "/", "a").and_then(|()| add(t, "/", "a")).and_then(|()| add(t, "/r", "b"))).unwrap();
        assert_eq!(store.read(|c| all(c, "/")).unwrap(), HashSet::from(["a".to_owned()]));
        store.write(|t| remove(t, "/", "a").and_then(|()| remove(t, "/", "b"))).unwrap();
        assert_eq!(store.read(|c| all(c, "/")).unwrap().len(), 0);
        assert_eq!(store.read(|c| all(c, "/r")).unwrap().len(), 1);
    }
}
