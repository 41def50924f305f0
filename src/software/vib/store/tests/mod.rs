//! An image store as its users see it.

mod bad_input;
mod banks;
mod bundles;
mod crashes;
mod damage;
mod esxi;
mod failures;
mod fixture;
mod hostile;
mod kills;
mod linked;
mod right_input;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeZone, Utc};

use super::*;
use crate::clock::ManualClock;
use crate::software::vib::{AcceptanceLevel, ImageErrorClass};

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
fn files_that_people_edit_can_still_be_written_by_their_owner() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let mode = |file: &str| dir.path().join(file).metadata().unwrap().permissions().mode() & 0o777;
    store.set_maintenance_mode(true).unwrap();
    store.mark_boot().unwrap();
    assert_eq!((mode("host.toml"), mode("boot-marker")), (0o644, 0o644));
    fs::set_permissions(dir.path().join("host.toml"), fs::Permissions::from_mode(0o660)).unwrap();
    store.set_maintenance_mode(false).unwrap();
    store.set_acceptance_level(AcceptanceLevel::Community).unwrap();
    assert_eq!((mode("host.toml"), mode("bootbank/imgdb.tgz")), (0o660, 0o444));
}

#[test]
fn files_that_are_none_or_too_long_are_told_of_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let host = dir.path().join("host.toml");
    let long = format!("version = \"5.5.0\"\n{}locale = \"en\"\n", "#\n".repeat(32 * 1024));
    fs::write(&host, &long).unwrap();
    let error = store.set_maintenance_mode(true).unwrap_err();
    assert!(error.text.contains("host.toml: it has more than 65536 octets. "), "{error}");
    assert_eq!(fs::read_to_string(&host).unwrap(), long);
    for file in ["host.toml", "boot-marker", "bootbank/boot.cfg", "bootbank/imgdb.tgz"] {
        let dir = tempfile::tempdir().unwrap();
        drop(create(dir.path()));
        fs::remove_file(dir.path().join(file)).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join(file), 0o600.into()).unwrap();
        let error = ImageStore::open(dir.path(), settings()).unwrap_err();
        assert_eq!(error.class, ImageErrorClass::DatabaseIOError);
        assert!(error.text.contains(&format!("{file}: it is not a plain file. ")), "{error}");
    }
}

#[test]
fn a_lock_that_is_a_link_is_not_written_through() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(&dir.path().join("image")));
    let (lock, other) = (dir.path().join("image/image.lock"), dir.path().join("other"));
    fs::write(&other, "precious").unwrap();
    fs::remove_file(&lock).unwrap();
    symlink(&other, &lock).unwrap();
    let store = ImageStore::open(&dir.path().join("image"), settings()).unwrap();
    assert_eq!(store.set_maintenance_mode(true).unwrap_err().class, ImageErrorClass::FileIOError);
    assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
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
    let told = "host.toml: line 1: invalid type: integer `5`, expected a string. Correct the file; the rest of the image is as it was.";
    assert!(error.text.ends_with(told), "{error}");
    assert_eq!(store.snapshot(), before);
    assert!(!store.wait_for_change(Duration::ZERO), "it is told of once");
}
