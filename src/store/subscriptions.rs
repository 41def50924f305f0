//! Subscriptions: who is told of which changes, where, and how far the telling got.

use chrono::{DateTime, TimeZone, Utc};
use rusqlite::{Connection, Row, Transaction, params};
use uuid::Uuid;

use super::StoreError;

/// A subscription as it is stored. The store does not read the texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// Its identity.
    pub id: Uuid,
    /// The name of the user who made it.
    pub owner: String,
    /// The role the user had.
    pub owner_role: String,
    /// The indication class; `None` for all classes.
    pub class: Option<String>,
    /// The filter's language and text.
    pub filter: Option<(String, String)>,
    /// Where events go.
    pub notify_to: String,
    /// Where the end is told.
    pub end_to: Option<String>,
    /// How events are delivered.
    pub delivery: String,
    /// How to authenticate at the sink, sealed; `None` for not at all.
    pub security: Option<String>,
    /// The endpoint by which it is renewed and ended, as its subscriber was told.
    pub manager: String,
    /// The filter and the destination that it was made of; `None` if it brought its own.
    pub made_of: Option<String>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it ends; `None` for never.
    pub expires: Option<DateTime<Utc>>,
    /// How far it got.
    pub progress: Progress,
}

/// How far a subscription got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last change record that was dealt with.
    pub cursor: i64,
    /// Failed attempts in a row since then.
    pub failures: u32,
    /// When the first of them failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// No attempt is made before this time.
    pub next_attempt: Option<DateTime<Utc>>,
    /// How many events were dropped since the subscription was made.
    pub dropped: u64,
    /// How many of them the subscriber was told of.
    pub dropped_told: u64,
    /// The last change record of the batch that was sent last; whether it arrived is told by the cursor.
    pub attempted: i64,
}

/// Adds a subscription.
pub fn insert(transaction: &Transaction<'_>, row: &SubscriptionRow) -> Result<(), StoreError> {
    let (language, filter) = row.filter.as_ref().map(|(l, f)| (l, f)).unzip();
    transaction
        .prepare_cached(
            "INSERT INTO subscription (id, owner, owner_role, class, language, filter, notify_to, end_to, delivery, \
             created, expires, cursor, failures, failing_since, next_attempt, dropped, dropped_told, security, manager, \
             made_of, attempted) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
        )?
        .execute(params![
            key(row.id),
            row.owner,
            row.owner_role,
            row.class,
            language,
            filter,
            row.notify_to,
            row.end_to,
            row.delivery,
            row.created.timestamp_micros(),
            micros(row.expires),
            row.progress.cursor,
            row.progress.failures,
            micros(row.progress.failing_since),
            micros(row.progress.next_attempt),
            number(row.progress.dropped),
            number(row.progress.dropped_told),
            row.security,
            row.manager,
            row.made_of,
            row.progress.attempted,
        ])?;
    Ok(())
}

/// All subscriptions, oldest first.
pub fn all(connection: &Connection) -> Result<Vec<SubscriptionRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, owner, owner_role, class, language, filter, notify_to, end_to, delivery, created, expires, \
         cursor, failures, failing_since, next_attempt, dropped, dropped_told, security, manager, made_of, \
         attempted FROM subscription ORDER BY created, id",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(from_row(row)?);
    }
    Ok(found)
}

/// How many subscriptions there are: of this owner, and in all.
pub fn count(connection: &Connection, owner: &str) -> Result<(u32, u32), StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT (SELECT COUNT(*) FROM subscription WHERE owner = ?1), (SELECT COUNT(*) FROM subscription)",
        )?
        .query_row([owner], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Whether there are subscriptions with sealed credentials.
pub fn any_sealed(connection: &Connection) -> Result<bool, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM subscription WHERE security NOT NULL)")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Removes a subscription; `false` if there was none.
pub fn remove(transaction: &Transaction<'_>, id: Uuid) -> Result<bool, StoreError> {
    Ok(transaction.prepare_cached("DELETE FROM subscription WHERE id = ?1")?.execute([key(id)])? > 0)
}

/// Sets when a subscription ends; `false` if there is none.
pub fn set_expiry(transaction: &Transaction<'_>, id: Uuid, expires: Option<DateTime<Utc>>) -> Result<bool, StoreError> {
    let mut statement = transaction.prepare_cached("UPDATE subscription SET expires = ?2 WHERE id = ?1")?;
    Ok(statement.execute(params![key(id), micros(expires)])? > 0)
}

/// Sets how far a subscription got; a subscription that is gone is no error.
pub fn set_progress(transaction: &Transaction<'_>, id: Uuid, progress: &Progress) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE subscription SET cursor = ?2, failures = ?3, failing_since = ?4, next_attempt = ?5, dropped = ?6, \
             dropped_told = ?7, attempted = ?8 WHERE id = ?1",
        )?
        .execute(params![
            key(id),
            progress.cursor,
            progress.failures,
            micros(progress.failing_since),
            micros(progress.next_attempt),
            number(progress.dropped),
            number(progress.dropped_told),
            progress.attempted,
        ])?;
    Ok(())
}

/// The smallest cursor; `None` if nobody subscribed.
pub fn lowest_cursor(connection: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(connection.prepare_cached("SELECT MIN(cursor) FROM subscription")?.query_row([], |row| row.get(0))?)
}

/// The subscriptions whose cursor is before `sequence`.
pub fn behind(connection: &Connection, sequence: i64) -> Result<Vec<Uuid>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM subscription WHERE cursor < ?1")?;
    let mut rows = statement.query([sequence])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(id(row)?);
    }
    Ok(found)
}

fn from_row(row: &Row<'_>) -> Result<SubscriptionRow, StoreError> {
    let language: Option<String> = row.get(4)?;
    let filter: Option<String> = row.get(5)?;
    let time = |index| row.get::<_, Option<i64>>(index).map(|micros| micros.map(instant));
    Ok(SubscriptionRow {
        id: id(row)?,
        owner: row.get(1)?,
        owner_role: row.get(2)?,
        class: row.get(3)?,
        filter: language.zip(filter),
        notify_to: row.get(6)?,
        end_to: row.get(7)?,
        delivery: row.get(8)?,
        security: row.get(17)?,
        manager: row.get(18)?,
        made_of: row.get(19)?,
        created: instant(row.get(9)?),
        expires: time(10)?,
        progress: Progress {
            cursor: row.get(11)?,
            failures: row.get(12)?,
            failing_since: time(13)?,
            next_attempt: time(14)?,
            dropped: count_in(row, 15)?,
            dropped_told: count_in(row, 16)?,
            attempted: row.get(20)?,
        },
    })
}

fn id(row: &Row<'_>) -> Result<Uuid, StoreError> {
    let text: String = row.get(0)?;
    text.parse().map_err(|_| StoreError::damaged("subscription", format!("{text:?} is no UUID")))
}

fn key(id: Uuid) -> String {
    id.hyphenated().to_string()
}

/// SQLite's numbers have a sign.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count_in(row: &Row<'_>, index: usize) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.get::<_, i64>(index)?).unwrap_or_default())
}

fn micros(time: Option<DateTime<Utc>>) -> Option<i64> {
    time.map(|t| t.timestamp_micros())
}

fn instant(micros: i64) -> DateTime<Utc> {
    Utc.timestamp_micros(micros).single().unwrap_or(DateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn row(number: u128, owner: &str, cursor: i64) -> SubscriptionRow {
        SubscriptionRow {
            id: Uuid::from_u128(number),
            owner: owner.to_owned(),
            owner_role: "viewer".to_owned(),
            class: Some("CIM_InstCreation".to_owned()),
            filter: Some(("cql".to_owned(), "SELECT * FROM CIM_InstCreation".to_owned())),
            notify_to: "<to/>".to_owned(),
            end_to: None,
            delivery: "{}".to_owned(),
            security: None,
            manager: "<manager/>".to_owned(),
            made_of: None,
            created: instant(i64::try_from(number).unwrap()),
            expires: Some(instant(1_000_000 * i64::try_from(number).unwrap())),
            progress: Progress { cursor, ..Progress::default() },
        }
    }

    #[test]
    fn rows_come_back_as_they_were_written() {
        let store = Store::in_memory().unwrap();
        let mut first = row(1, "ada", 7);
        first.progress.failures = 3;
        first.progress.failing_since = Some(instant(5));
        first.progress.next_attempt = Some(instant(9));
        (first.progress.dropped, first.progress.dropped_told) = (8, 6);
        first.progress.attempted = 11;
        (first.security, first.made_of) = (Some("sealed".to_owned()), Some("{}".to_owned()));
        let mut second = row(2, "bob", 5);
        (second.class, second.filter, second.expires, second.end_to) = (None, None, None, Some("<end/>".to_owned()));
        store.write(|t| insert(t, &second).and_then(|()| insert(t, &first))).unwrap();
        assert_eq!(store.read(all).unwrap(), [first, second]);
    }

    #[test]
    fn sealed_credentials_are_known_of() {
        let store = Store::in_memory().unwrap();
        store.write(|t| insert(t, &row(1, "ada", 1))).unwrap();
        assert!(!store.read(any_sealed).unwrap());
        let sealed = SubscriptionRow { security: Some("sealed".to_owned()), ..row(2, "ada", 1) };
        store.write(|t| insert(t, &sealed)).unwrap();
        assert!(store.read(any_sealed).unwrap());
    }

    #[test]
    fn progress_expiry_and_removal_touch_their_row_only() {
        let store = Store::in_memory().unwrap();
        let (one, two) = (row(1, "ada", 1), row(2, "ada", 2));
        store.write(|t| insert(t, &one).and_then(|()| insert(t, &two))).unwrap();
        assert_eq!(store.read(|c| count(c, "ada")).unwrap(), (2, 2));
        assert_eq!(store.read(|c| count(c, "bob")).unwrap(), (0, 2));
        assert_eq!(store.read(lowest_cursor).unwrap(), Some(1));

        let progress = Progress { cursor: 9, failures: 1, failing_since: Some(instant(1)), ..Progress::default() };
        store.write(|t| set_progress(t, one.id, &progress)).unwrap();
        assert!(store.write(|t| set_expiry(t, one.id, None)).unwrap());
        assert_eq!(store.read(lowest_cursor).unwrap(), Some(2));
        assert_eq!(store.read(|c| behind(c, 9)).unwrap(), [two.id]);
        let rows = store.read(all).unwrap();
        assert_eq!((rows[0].progress, rows[0].expires), (progress, None));
        assert_eq!(rows[1], two);

        assert!(store.write(|t| remove(t, two.id)).unwrap());
        assert!(!store.write(|t| remove(t, two.id)).unwrap());
        assert!(!store.write(|t| set_expiry(t, two.id, None)).unwrap());
        store.write(|t| set_progress(t, two.id, &progress)).unwrap();
        assert_eq!(store.read(all).unwrap().len(), 1);
    }
}
