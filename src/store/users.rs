//! Users: one row each.

use chrono::{DateTime, TimeZone, Utc};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::StoreError;

/// One user. The store does not read the role and the hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// The name.
    pub name: String,
    /// The role.
    pub role: String,
    /// The password's hash.
    pub hash: String,
    /// When the user was added.
    pub created: DateTime<Utc>,
}

/// Adds a user; tells `false`, and adds none, if the name is taken.
pub fn insert(transaction: &Transaction<'_>, user: &UserRow) -> Result<bool, StoreError> {
    let added = transaction.execute(
        "INSERT OR IGNORE INTO user (name, role, hash, created) VALUES (?1, ?2, ?3, ?4)",
        params![user.name, user.role, user.hash, user.created.timestamp_micros()],
    )?;
    Ok(added == 1)
}

/// Replaces a user's hash; tells `false` if there is no such user.
pub fn set_hash(transaction: &Transaction<'_>, name: &str, hash: &str) -> Result<bool, StoreError> {
    Ok(transaction.execute("UPDATE user SET hash = ?2 WHERE name = ?1", [name, hash])? == 1)
}

/// Replaces one hash by another; tells `false` if the user has another one by now.
pub fn replace_hash(transaction: &Transaction<'_>, name: &str, old: &str, new: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE user SET hash = ?3 WHERE name = ?1 AND hash = ?2";
    Ok(transaction.execute(sql, [name, old, new])? == 1)
}

/// Removes a user; tells `false` if there is no such user.
pub fn remove(transaction: &Transaction<'_>, name: &str) -> Result<bool, StoreError> {
    Ok(transaction.execute("DELETE FROM user WHERE name = ?1", [name])? == 1)
}

/// The user of that name.
pub fn find(connection: &Connection, name: &str) -> Result<Option<UserRow>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name, role, hash, created FROM user WHERE name = ?1")?;
    Ok(statement.query_row([name], from_row).optional()?)
}

/// The user that was added first.
pub fn oldest(connection: &Connection) -> Result<Option<UserRow>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT name, role, hash, created FROM user ORDER BY created, name LIMIT 1")?;
    Ok(statement.query_row([], from_row).optional()?)
}

/// All users, by name.
pub fn all(connection: &Connection) -> Result<Vec<UserRow>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name, role, hash, created FROM user ORDER BY name")?;
    let rows = statement.query_map([], from_row)?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}

/// How many users have this role.
pub fn count_role(connection: &Connection, role: &str) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM user WHERE role = ?1")?;
    Ok(statement.query_row([role], |row| row.get(0))?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        name: row.get(0)?,
        role: row.get(1)?,
        hash: row.get(2)?,
        created: Utc.timestamp_micros(row.get(3)?).single().unwrap_or(DateTime::UNIX_EPOCH),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn user(name: &str, role: &str, created: i64) -> UserRow {
        let created = Utc.timestamp_micros(created).unwrap();
        UserRow { name: name.to_owned(), role: role.to_owned(), hash: format!("hash of {name}"), created }
    }

    #[test]
    fn users_are_added_once_found_changed_and_removed() {
        let store = Store::in_memory().unwrap();
        let (bob, ann) = (user("bob", "viewer", 1), user("ann", "admin", 2));
        for user in [&bob, &ann] {
            assert!(store.write(|t| insert(t, user)).unwrap());
        }
        assert!(!store.write(|t| insert(t, &UserRow { role: "admin".to_owned(), ..bob.clone() })).unwrap());
        assert_eq!(store.read(all).unwrap(), [ann, bob.clone()]);
        assert_eq!(store.read(oldest).unwrap(), Some(bob.clone()));
        assert_eq!(store.read(|c| find(c, "bob")).unwrap(), Some(bob));
        assert_eq!(store.read(|c| find(c, "BOB")).unwrap(), None);
        assert_eq!(store.read(|c| count_role(c, "admin")).unwrap(), 1);
        assert!(store.write(|t| set_hash(t, "bob", "new")).unwrap());
        assert_eq!(store.read(|c| find(c, "bob")).unwrap().unwrap().hash, "new");
        assert!(!store.write(|t| replace_hash(t, "bob", "old", "newer")).unwrap());
        assert!(store.write(|t| replace_hash(t, "bob", "new", "newer")).unwrap());
        assert_eq!(store.read(|c| find(c, "bob")).unwrap().unwrap().hash, "newer");
        assert!(store.write(|t| remove(t, "bob")).unwrap());
        assert!(!store.write(|t| remove(t, "bob")).unwrap() && !store.write(|t| set_hash(t, "bob", "x")).unwrap());
    }
}
