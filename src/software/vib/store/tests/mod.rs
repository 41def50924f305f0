//! An image store as its users see it.

mod banks;
mod bundles;
mod crashes;
mod failures;
mod fixture;
mod kills;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeZone, Utc};

use super::*;
use crate::clock::ManualClock;

/// Settings with a clock that stands still, and without patience for locks.
pub(super) fn settings() -> ImageSettings {
    let clock = ManualClock::new(Utc.with_ymd_and_hms(2014, 4, 19, 12, 0, 0).unwrap());
    ImageSettings { lock_timeout: Duration::ZERO, ..ImageSettings::new(Arc::new(clock)) }
}

fn new_image() -> NewImage {
    NewImage {
        host: HostSettings { version: Some("5.5.0".into()), ..HostSettings::default() },
        name: "ESXi-5.5.0-standard".into(),
        acceptance_level: Some(AcceptanceLevel::Partner),
        ..NewImage::default()
    }
}

fn create(folder: &Path) -> ImageStore {
    ImageStore::create(folder, &new_image(), settings()).unwrap()
}

#[test]
fn a_store_is_made_once_and_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let made = create(&dir.path().join("image"));
    let opened = ImageStore::open(&dir.path().join("image"), settings()).unwrap();
    assert_eq!(made.snapshot(), opened.snapshot());
    let snapshot = opened.snapshot();
    assert_eq!(&*snapshot.running.profile.name, "ESXi-5.5.0-standard");
    assert_eq!((&*snapshot.host.product_line, &*snapshot.host.version), ("embeddedEsx", "5.5.0"));
    assert!(snapshot.host.booted_at.is_some() && snapshot.pending.is_none() && snapshot.previous.is_none());

    let again = ImageStore::create(made.folder(), &new_image(), settings()).unwrap_err();
    assert_eq!(again.class, ImageErrorClass::ValueError);
    let none = ImageStore::open(dir.path(), settings()).unwrap_err();
    assert_eq!(none.class, ImageErrorClass::DatabaseIOError);
    assert!(none.text.contains("bootbank/boot.cfg: "), "{none}");
}

#[test]
fn maintenance_mode_and_level_are_kept_and_others_hear_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let other = ImageStore::open(dir.path(), settings()).unwrap();
    assert!(!other.wait_for_change(Duration::ZERO));
    store.set_maintenance_mode(true).unwrap();
    assert!(other.wait_for_change(Duration::from_secs(60)));
    assert!(other.refresh().unwrap() && !other.refresh().unwrap());
    assert!(other.snapshot().host.maintenance_mode);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| other.wait_for_change(Duration::from_secs(60)));
        store.set_acceptance_level(AcceptanceLevel::Certified).unwrap();
        assert!(waiter.join().unwrap());
    });
    assert!(other.refresh().unwrap());
    assert_eq!(other.snapshot().running.profile.acceptance_level, AcceptanceLevel::Certified);
    assert_eq!(other.snapshot(), store.snapshot());

    let told = ImageSettings { acceptance_level: Some(AcceptanceLevel::Community), ..settings() };
    let told = ImageStore::open(dir.path(), told).unwrap();
    assert_eq!(told.snapshot().running.profile.acceptance_level, AcceptanceLevel::Community);
    assert!(told.set_acceptance_level(AcceptanceLevel::Partner).is_err());
    fixture::install(&told, &[fixture::vib("lsi-mr3", "1.0-1", true)]).unwrap();
    assert_eq!(told.snapshot().running.profile.acceptance_level, AcceptanceLevel::Community);
    assert!(other.refresh().unwrap());
    assert_eq!(other.snapshot().running.profile.acceptance_level, AcceptanceLevel::Certified);
    assert!(fixture::install(&other, &[fixture::vib("net-e1000", "1.0-1", true)]).is_err());
}

#[test]
fn a_store_that_cannot_be_read_keeps_its_snapshot_and_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let before = store.snapshot();
    fs::write(dir.path().join("host.toml"), "version = 5\n").unwrap();
    assert!(store.wait_for_change(Duration::from_secs(60)));
    let error = store.refresh().unwrap_err();
    assert_eq!(error.class, ImageErrorClass::DatabaseFormatError);
    assert!(error.text.contains("host.toml: line 1: "), "{error}");
    assert_eq!(store.snapshot(), before);
    assert!(!store.wait_for_change(Duration::ZERO), "it is told of once");
}
