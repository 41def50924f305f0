//! The secrets of users who prove by digests that they know their passwords: one row each.

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::StoreError;

/// Keeps a user's secret in place of the one before.
pub fn set(transaction: &Transaction<'_>, user: &str, sealed: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO user_digest (user, sealed) VALUES (?1, ?2) ON CONFLICT (user) DO UPDATE SET sealed = ?2";
    transaction.execute(sql, [user, sealed])?;
    Ok(())
}

/// Forgets a user's secret.
pub fn remove(transaction: &Transaction<'_>, user: &str) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM user_digest WHERE user = ?1", [user])?;
    Ok(())
}

/// The secret of a user.
pub fn find(connection: &Connection, user: &str) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT sealed FROM user_digest WHERE user = ?1")?;
    Ok(statement.query_row([user], |row| row.get(0)).optional()?)
}

/// Whether there is any.
pub fn any(connection: &Connection) -> Result<bool, StoreError> {
    Ok(connection.query_row("SELECT EXISTS (SELECT 1 FROM user_digest)", [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::store::Store;
    use crate::store::users::{self, UserRow};

    #[test]
    fn a_user_has_one_secret_which_goes_with_it() {
        let store = Store::in_memory().unwrap();
        let (name, role, hash) = ("ann".to_owned(), "viewer".to_owned(), "h".to_owned());
        store.write(|t| users::insert(t, &UserRow { name, role, hash, created: DateTime::UNIX_EPOCH })).unwrap();
        assert!(!store.read(any).unwrap());
        for sealed in ["one", "two"] {
            store.write(|t| set(t, "ann", sealed)).unwrap();
            assert_eq!(store.read(|c| find(c, "ann")).unwrap().as_deref(), Some(sealed));
        }
        assert!(store.read(any).unwrap());
        store.write(|t| users::remove(t, "ann")).unwrap();
        assert_eq!(store.read(|c| find(c, "ann")).unwrap(), None);
        assert!(store.write(|t| set(t, "ann", "three")).is_err());
    }
}
