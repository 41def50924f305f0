//! The SQLite file: migrations, and one small repository per kind of row.
//!
//! The server is its only writer, but for the user table (`access::Users`). The store does not know what the rows mean.

pub mod assessments;
pub mod changes;
pub mod digests;
pub mod history;
pub mod identities;
pub mod installed;
pub mod jobs;
mod migrations;
pub mod named;
pub mod subscriptions;
pub mod users;

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::watch;

/// How often the write-ahead log is tried to be set while other processes open the same new file.
const WRITE_AHEAD_ATTEMPTS: usize = 100;

/// The store. Reads and writes block: call them off the event loop.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    latest_change: watch::Sender<i64>,
}

/// The store cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says no.
    #[error("the store failed")]
    Sqlite(#[from] rusqlite::Error),
    /// The file was written by a later version of this program.
    #[error(
        "the store is of version {found}, this program knows versions up to {known}: install the version that wrote it"
    )]
    TooNew {
        /// The file's version.
        found: i64,
        /// The latest version this program knows.
        known: i64,
    },
    /// A row does not hold what this program wrote.
    #[error("a row of {table} is damaged: {message}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl StoreError {
    /// A row of the table does not hold what this program wrote.
    pub fn damaged(table: &'static str, what: impl fmt::Display) -> Self {
        Self::Damaged { table, message: what.to_string() }
    }
}

impl Store {
    /// Opens the file, makes it if it is not there, and brings it to this program's version.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        Self::prepare(Connection::open(file)?)
    }

    /// A store that lives as long as this value; for tests.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(mut connection: Connection) -> Result<Self, StoreError> {
        connection.busy_timeout(Duration::from_secs(10))?;
        write_ahead(&connection)?;
        // FULL: a commit that was answered survives a power loss.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        migrations::run(&mut connection)?;
        let latest = changes::latest(&connection)?;
        Ok(Self { connection: Mutex::new(connection), latest_change: watch::Sender::new(latest) })
    }

    /// Reads.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        work(&self.lock())
    }

    /// Writes in one durable transaction; nothing is written if `work` fails.
    pub fn write<T, E: From<StoreError>>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut connection = self.lock();
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let value = work(&transaction)?;
        let latest = changes::latest(&transaction)?;
        transaction.commit().map_err(StoreError::from)?;
        self.latest_change.send_if_modified(|known| std::mem::replace(known, latest) != latest);
        Ok(value)
    }

    /// Whether something could be written now.
    pub fn check(&self) -> Result<(), StoreError> {
        // A new transaction waits for whoever writes, and is refused where the file cannot be written.
        self.write(|transaction| Ok(transaction.pragma_query_value(None, "user_version", |_| Ok(()))?))
    }

    /// Tells the sequence number of the latest change record, each time one is committed.
    pub fn watch_changes(&self) -> watch::Receiver<i64> {
        self.latest_change.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held rolled its transaction back; the connection is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets the write-ahead log. For that SQLite waits for nobody, not even for the busy time-out; for a transaction it does.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    for _ in 0..WRITE_AHEAD_ATTEMPTS {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
            }
            other => return other,
        }
    }
    connection.pragma_update(None, "journal_mode", "WAL")
}
