//! Brings the file from any earlier version to this one. A migration is never changed once it was released.

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// Migration n takes the file from version n to n + 1; SQLite's `user_version` keeps the version.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_changes.sql"),
    include_str!("migrations/0002_jobs.sql"),
    include_str!("migrations/0003_subscriptions.sql"),
    include_str!("migrations/0004_users.sql"),
    include_str!("migrations/0005_indication_filters.sql"),
    include_str!("migrations/0006_history.sql"),
    include_str!("migrations/0007_delivery.sql"),
    include_str!("migrations/0008_listener_destinations.sql"),
    include_str!("migrations/0009_systems.sql"),
    include_str!("migrations/0010_patch_assessment.sql"),
    include_str!("migrations/0011_identities.sql"),
];

pub(super) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    // The version is read inside the transaction: another process may be at the same file.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let done =
        usize::try_from(found).ok().filter(|&n| n <= MIGRATIONS.len()).ok_or(StoreError::TooNew { found, known })?;
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use crate::store::Store;

    #[test]
    fn several_processes_may_open_a_new_file_at_the_same_time() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let (file, barrier) = (folder.path().join("store.db"), Barrier::new(4));
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        barrier.wait();
                        Store::open(&file).unwrap();
                    });
                }
            });
        }
    }
}
