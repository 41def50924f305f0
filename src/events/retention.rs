//! How long change records are kept.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::Settings;
use crate::store::{Store, StoreError, changes, subscriptions};

/// How many records one transaction removes at most, so that nobody waits long for the store.
const AT_ONCE: i64 = 5_000;

/// Removes records that nobody waits for and nobody may want again, and then those beyond the hard bounds. Before any
/// record goes that subscriptions wait for, `leave` is called with the last sequence number that goes: it is to see that
/// nobody waits for it any more, durably, so that a crash in between loses nothing that is not told.
pub(super) fn trim(
    store: &Store,
    settings: &Settings,
    now: DateTime<Utc>,
    mut leave: impl FnMut(i64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    while let Some(step) = store.read(|c| step(c, settings, now))? {
        if !store.read(|c| subscriptions::behind(c, step))?.is_empty() {
            leave(step)?;
        }
        let removed = store.write(|t| {
            // Somebody may have subscribed at an old bookmark meanwhile.
            let is_free = subscriptions::behind(t, step)?.is_empty();
            if is_free {
                changes::remove_through(t, step)?;
            }
            Ok::<_, StoreError>(is_free)
        })?;
        if !removed {
            // The next sweep looks again.
            return Ok(());
        }
    }
    Ok(())
}

/// Through which record the log may be trimmed in one transaction; `None` if nothing is to go.
fn step(connection: &Connection, settings: &Settings, now: DateTime<Utc>) -> Result<Option<i64>, StoreError> {
    let Some(oldest) = changes::oldest(connection)? else { return Ok(None) };
    let latest = changes::latest(connection)?;
    let beyond = |age, count| -> Result<i64, StoreError> {
        let first = changes::first_since(connection, before(now, age))?;
        let too_old = first.map_or(latest, |first| first.saturating_sub(1));
        Ok(too_old.max(latest.saturating_sub(i64::from(count))))
    };
    let passed = subscriptions::lowest_cursor(connection)?.unwrap_or(latest);
    let too_large = changes::last_before(connection, settings.max_octets)?.unwrap_or_default();
    let kept = beyond(settings.keep_age, settings.keep_count)?.min(passed);
    let through = kept.max(beyond(settings.hard_age, settings.hard_count)?).max(too_large);
    Ok((through >= oldest).then(|| through.min(oldest.saturating_add(AT_ONCE))))
}

fn before(now: DateTime<Utc>, age: Duration) -> DateTime<Utc> {
    let age = TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX);
    now.checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::store::subscriptions::{Progress, SubscriptionRow};

    const MINUTE: Duration = Duration::from_secs(60);

    fn settings() -> Settings {
        Settings { keep_age: MINUTE, keep_count: 1000, hard_age: MINUTE * 10, hard_count: 1000, ..Settings::default() }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    /// A store with one record a second.
    fn store(records: i64) -> Store {
        let store = Store::in_memory().unwrap();
        store
            .write(|t| (0..records).try_for_each(|s| changes::append(t, at(s), "job", None, None).map(|_| ())))
            .unwrap();
        store
    }

    fn subscribe(store: &Store, cursor: i64) -> Uuid {
        let id = Uuid::new_v4();
        let row = SubscriptionRow {
            id,
            owner: "ada".to_owned(),
            owner_role: String::new(),
            class: None,
            filter: None,
            notify_to: String::new(),
            end_to: None,
            delivery: String::new(),
            security: None,
            manager: String::new(),
            made_of: None,
            created: at(0),
            expires: None,
            progress: Progress { cursor, ..Progress::default() },
        };
        store.write(|t| subscriptions::insert(t, &row)).unwrap();
        id
    }

    /// Trims with subscriptions that end where they would lose records, and tells which these were.
    fn trim_and_end(store: &Store, settings: &Settings, now: DateTime<Utc>) -> Vec<Uuid> {
        let mut lost = Vec::new();
        trim(store, settings, now, |step| {
            let behind = store.read(|c| subscriptions::behind(c, step))?;
            store.write(|t| behind.iter().try_for_each(|id| subscriptions::remove(t, *id).map(drop)))?;
            lost.extend(behind);
            Ok(())
        })
        .unwrap();
        lost
    }

    fn oldest(store: &Store) -> Option<i64> {
        store.read(changes::oldest).unwrap()
    }

    #[test]
    fn what_all_have_passed_goes_with_age() {
        let store = store(100);
        subscribe(&store, 30);
        assert!(trim_and_end(&store, &settings(), at(40)).is_empty());
        assert_eq!(oldest(&store), Some(1), "nothing is old yet");
        trim_and_end(&store, &settings(), at(80));
        assert_eq!(oldest(&store), Some(21), "records 1 to 20 are older than a minute");
        trim_and_end(&store, &settings(), at(200));
        assert_eq!(oldest(&store), Some(31), "the subscription waits for record 31");
    }

    #[test]
    fn without_subscriptions_age_alone_counts() {
        let store = store(100);
        trim_and_end(&store, &settings(), at(500));
        assert_eq!(oldest(&store), None);
        assert_eq!(store.read(changes::latest).unwrap(), 100);
    }

    #[test]
    fn a_clock_that_is_set_back_removes_nothing_that_somebody_waits_for() {
        let store = store(10);
        let slow = subscribe(&store, 3);
        store.write(|t| changes::append(t, at(-30), "job", None, None)).unwrap();
        assert_eq!(trim_and_end(&store, &settings(), at(-30)), [] as [Uuid; 0], "{slow} lost records");
        assert_eq!(oldest(&store), Some(1));
    }

    #[test]
    fn more_than_the_count_goes_before_its_age() {
        let store = store(100);
        trim_and_end(&store, &Settings { keep_count: 10, ..settings() }, at(0));
        assert_eq!(oldest(&store), Some(91));
    }

    #[test]
    fn a_log_that_is_too_large_is_cut() {
        let store = Store::in_memory().unwrap();
        let text = "x".repeat(10_000);
        store
            .write(|t| (0..10).try_for_each(|s| changes::append(t, at(s), "job", None, Some(&text)).map(|_| ())))
            .unwrap();
        let slow = subscribe(&store, 5);
        let lost = trim_and_end(&store, &Settings { max_octets: 35_000, ..settings() }, at(0));
        assert_eq!((lost, oldest(&store)), (vec![slow], Some(7)), "behind record 6 follow more than 35,000 octets");
    }

    #[test]
    fn the_hard_bounds_tell_who_lost_records() {
        let store = store(100);
        let (slow, fast) = (subscribe(&store, 30), subscribe(&store, 95));
        let lost = trim_and_end(&store, &Settings { hard_count: 10, keep_count: 10, ..settings() }, at(0));
        assert_eq!(lost, [slow]);
        assert_eq!(oldest(&store), Some(91));
        let lost = trim_and_end(&store, &settings(), at(5000));
        assert_eq!(lost, [fast], "who lost records before is gone");
    }

    #[test]
    fn many_records_go_in_several_steps() {
        let store = store(12_000);
        trim_and_end(&store, &Settings { keep_count: 10, ..settings() }, at(0));
        assert_eq!(oldest(&store), Some(11_991));
    }
}
