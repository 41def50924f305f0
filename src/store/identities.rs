//! What else than a password proves who a user is: one row each.

use chrono::{DateTime, TimeZone, Utc};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::StoreError;

/// One identity. The store does not read the kind and the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRow {
    /// What it is.
    pub kind: String,
    /// The text that is compared.
    pub value: String,
    /// The user that it means, who must be there.
    pub user: String,
    /// When it was added.
    pub created: DateTime<Utc>,
}

/// Adds an identity; tells `false`, and adds none, if it means somebody already.
pub fn insert(transaction: &Transaction<'_>, row: &IdentityRow) -> Result<bool, StoreError> {
    let added = transaction.execute(
        "INSERT INTO user_identity (kind, value, user, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        params![row.kind, row.value, row.user, row.created.timestamp_micros()],
    )?;
    Ok(added == 1)
}

/// Removes a user's identity; tells `false` if the user has no such one.
pub fn remove(transaction: &Transaction<'_>, user: &str, kind: &str, value: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM user_identity WHERE user = ?1 AND kind = ?2 AND value = ?3";
    Ok(transaction.execute(sql, [user, kind, value])? == 1)
}

/// The identity of that kind and value.
pub fn find(connection: &Connection, kind: &str, value: &str) -> Result<Option<IdentityRow>, StoreError> {
    let sql = "SELECT kind, value, user, created FROM user_identity WHERE kind = ?1 AND value = ?2";
    Ok(connection.prepare_cached(sql)?.query_row([kind, value], from_row).optional()?)
}

/// All identities, by user, kind and value.
pub fn all(connection: &Connection) -> Result<Vec<IdentityRow>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT kind, value, user, created FROM user_identity ORDER BY user, kind, value")?;
    let rows = statement.query_map([], from_row)?;
    rows.map(|row| row.map_err(StoreError::from)).collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<IdentityRow> {
    Ok(IdentityRow {
        kind: row.get(0)?,
        value: row.get(1)?,
        user: row.get(2)?,
        created: Utc.timestamp_micros(row.get(3)?).single().unwrap_or(DateTime::UNIX_EPOCH),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::users::{self, UserRow};

    #[test]
    fn an_identity_means_one_user_and_goes_with_it() {
        let store = Store::in_memory().unwrap();
        for name in ["ann", "bob"] {
            let (role, hash, created) = ("viewer".to_owned(), "h".to_owned(), DateTime::UNIX_EPOCH);
            store.write(|t| users::insert(t, &UserRow { name: name.to_owned(), role, hash, created })).unwrap();
        }
        let of = |user: &str| IdentityRow {
            kind: "dns".to_owned(),
            value: "a.example".to_owned(),
            user: user.to_owned(),
            created: DateTime::UNIX_EPOCH,
        };
        assert!(store.write(|t| insert(t, &of("ann"))).unwrap());
        assert!(!store.write(|t| insert(t, &of("bob"))).unwrap());
        assert_eq!(store.read(|c| find(c, "dns", "a.example")).unwrap(), Some(of("ann")));
        assert_eq!(store.read(|c| find(c, "email", "a.example")).unwrap(), None);
        assert!(!store.write(|t| remove(t, "bob", "dns", "a.example")).unwrap());
        assert!(store.write(|t| remove(t, "ann", "dns", "a.example")).unwrap());
        assert!(store.write(|t| insert(t, &of("bob"))).unwrap());
        assert!(store.write(|t| users::remove(t, "bob")).unwrap());
        assert!(store.read(all).unwrap().is_empty());
        // Nobody's identity cannot be added.
        assert!(store.write(|t| insert(t, &of("bob"))).is_err());
    }
}
