//! Rows that are a name and a text: indication filters and listener destinations. The events room knows how to read them.

use rusqlite::{Connection, Transaction, params};

use super::StoreError;

/// A table of such rows.
#[derive(Debug)]
pub struct Named {
    insert: &'static str,
    remove: &'static str,
    all: &'static str,
}

/// Indication filters.
pub const INDICATION_FILTERS: Named = Named {
    insert: "INSERT INTO indication_filter (name, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    remove: "DELETE FROM indication_filter WHERE name = ?1",
    all: "SELECT body FROM indication_filter ORDER BY name",
};

/// Listener destinations.
pub const LISTENER_DESTINATIONS: Named = Named {
    insert: "INSERT INTO listener_destination (name, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    remove: "DELETE FROM listener_destination WHERE name = ?1",
    all: "SELECT body FROM listener_destination ORDER BY name",
};

impl Named {
    /// Adds a row; `false` if there is one of that name.
    pub fn insert(&self, transaction: &Transaction<'_>, name: &str, body: &str) -> Result<bool, StoreError> {
        Ok(transaction.prepare_cached(self.insert)?.execute(params![name, body])? == 1)
    }

    /// Removes a row; `false` if there is none of that name.
    pub fn remove(&self, transaction: &Transaction<'_>, name: &str) -> Result<bool, StoreError> {
        Ok(transaction.prepare_cached(self.remove)?.execute([name])? == 1)
    }

    /// The bodies of all rows, by name.
    pub fn all(&self, connection: &Connection) -> Result<Vec<String>, StoreError> {
        let mut statement = connection.prepare_cached(self.all)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.map(|row| row.map_err(StoreError::from)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_name_is_taken_once_and_free_again_after_the_removal() {
        let store = Store::in_memory().unwrap();
        for rows in [INDICATION_FILTERS, LISTENER_DESTINATIONS] {
            let add = |body: &'static str| store.write(|t| rows.insert(t, "a", body)).unwrap();
            assert!(add("1") && !add("2"));
            assert_eq!(store.read(|c| rows.all(c)).unwrap(), ["1"]);
            assert!(store.write(|t| rows.remove(t, "a")).unwrap());
            assert!(!store.write(|t| rows.remove(t, "a")).unwrap());
            assert!(add("3"));
        }
    }
}
