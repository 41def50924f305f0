//! Changes that fail, are cancelled or wait for others: every octet is as it was.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::super::disk::{Allowed, Disk, Step, Steps};
use super::super::lock::Lock;
use super::super::*;
use super::fixture::{check_whole, copy, install, install_until, octets, open_with, stocked, tools, vib};
use crate::software::vib::building::Vib;
use crate::software::vib::{AcceptanceLevel, ImageErrorClass};

fn update() -> [Vib; 2] {
    [vib("esx-base", "5.5.0-1.16.1746018", false), tools("5.5.0-1.16.1746018")]
}

/// A full disk, at one writing.
#[derive(Debug, Default)]
struct Full {
    writings: Mutex<usize>,
    full_at: usize,
}

impl Steps for Full {
    fn next(&self, step: Step, path: &Path, _: usize) -> io::Result<Allowed> {
        let is_of_image = path.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"staging-"));
        if step == Step::Write && is_of_image {
            let mut writings = locked(&self.writings);
            *writings += 1;
            if *writings > self.full_at {
                return Err(io::Error::from_raw_os_error(28));
            }
        }
        Ok(Allowed::Whole)
    }
}

#[test]
fn a_disk_that_becomes_full_leaves_every_octet_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    drop(stocked(dir.path()));
    let before = octets(dir.path());
    for full_at in 0.. {
        let steps = Arc::new(Full { full_at, ..Full::default() });
        let store = open_with(dir.path(), Disk::with_steps(steps)).unwrap();
        let Err(stop) = install(&store, &update()) else {
            assert!(full_at > 4, "some writings were refused");
            check_whole(&store);
            return;
        };
        let Stop::Failed(error) = stop else { panic!("{stop:?}") };
        assert_eq!(error.class, ImageErrorClass::InstallationError);
        assert!(error.text.starts_with("[Errno 28] No space left on device. "), "{error}");
        assert!(error.text.ends_with("Make room for the image and submit the job again."), "{error}");
        assert!(!error.vibs.is_empty());
        assert!(before == octets(dir.path()), "full at {full_at}");
    }
}

#[test]
fn what_does_not_fit_is_not_begun() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    let before = octets(dir.path());
    let mut large = vib("large", "1.0-1", false);
    large.payloads[0].size = 1 << 60;
    let Err(Stop::Failed(error)) = install(&store, &[large]) else { panic!("it was installed") };
    assert!(error.text.starts_with("[Errno 28] No space left on device. "), "{error}");
    assert_eq!(error.vibs.len(), 1);
    assert!(before == octets(dir.path()));
}

/// Cancels at a step.
#[derive(Debug)]
struct Cancelling {
    cancel: CancelToken,
    left: Mutex<usize>,
}

impl Steps for Cancelling {
    fn next(&self, _: Step, _: &Path, _: usize) -> io::Result<Allowed> {
        let mut left = locked(&self.left);
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.cancel.cancel();
        }
        Ok(Allowed::Whole)
    }
}

#[test]
fn a_change_that_is_cancelled_leaves_every_octet_as_it_was_unless_it_was_made_already() {
    let fixture = tempfile::tempdir().unwrap();
    drop(stocked(fixture.path()));
    let before: Vec<_> = octets(fixture.path()).into_values().collect();
    let mut outcomes = HashSet::new();
    for at in 1..60 {
        let dir = tempfile::tempdir().unwrap();
        copy(fixture.path(), dir.path());
        let cancel = CancelToken::default();
        let steps = Arc::new(Cancelling { cancel: cancel.clone(), left: Mutex::new(at) });
        let store = open_with(dir.path(), Disk::with_steps(steps)).unwrap();
        match install_until(&store, &update(), &cancel) {
            Ok(_) => assert!(store.snapshot().pending.is_some()),
            Err(Stop::Cancelled) => {
                assert!(before == octets(dir.path()).into_values().collect::<Vec<_>>(), "cancelled at {at}");
            }
            Err(Stop::Failed(error)) => panic!("{error}"),
        }
        outcomes.insert(store.snapshot().pending.is_some());
    }
    assert_eq!(outcomes.len(), 2);
}

/// Cancels what it hears of as soon as that is planned.
struct CancelsScanning(CancelToken);

impl Progress for CancelsScanning {
    fn started(&mut self, _: u32, _: u64) {}

    fn phase(&mut self, phase: Phase, _: u8) {
        assert_eq!(phase, Phase::Scanning, "nothing follows");
        self.0.cancel();
    }

    fn note(&mut self, text: &str) {
        panic!("{text}");
    }
}

#[test]
fn a_change_that_is_cancelled_while_it_is_planned_is_not_planned_to_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    let before = octets(dir.path());
    let unreadable = ImageOperation::Install { bundles: vec![dir.path().join("none.zip")], bulletins: None };
    let needed = ImageOperation::Remove { vibs: vec!["esx-base".to_owned()] };
    for operation in [unreadable, needed] {
        let cancel = CancelToken::default();
        let stopped = store.apply(&operation, &mut CancelsScanning(cancel.clone()), &cancel);
        assert_eq!(stopped, Err(ApplyError::Cancelled), "{operation:?}");
    }
    assert!(before == octets(dir.path()));
}

#[test]
fn one_change_is_made_at_a_time_and_readers_do_not_wait() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    let lock = Lock::take(&store.layout.lock_file(), Duration::ZERO).unwrap();
    let error = store.set_maintenance_mode(true).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::LockingError);
    let Err(Stop::Failed(error)) = install(&store, &update()) else { panic!("it was installed") };
    assert_eq!(error.class, ImageErrorClass::LockingError);
    assert_eq!(ImageStore::open(dir.path(), super::settings()).unwrap().snapshot(), store.snapshot());
    drop(lock);
    install(&store, &update()).unwrap();
}

#[test]
fn a_payload_that_is_gone_stops_the_change_that_would_keep_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    std::fs::remove_file(dir.path().join("bootbank/netdata.v00")).unwrap();
    let Err(Stop::Failed(error)) = install(&store, &update()) else { panic!("it was installed") };
    assert_eq!(error.class, ImageErrorClass::DatabaseFormatError);
    assert!(error.text.contains("bootbank/netdata.v00: payload net-data of VIB Acme_bootbank_net-e1000_8.0.3-2: "));
    assert!(store.snapshot().pending.is_none());
}

/// A disk with this many octets free.
#[derive(Debug)]
pub(super) struct Free(pub(super) u64);

impl Steps for Free {
    fn next(&self, _: Step, _: &Path, _: usize) -> io::Result<Allowed> {
        Ok(Allowed::Whole)
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0)
    }
}

#[test]
fn room_is_made_on_a_disk_that_is_nearly_full() {
    let dir = tempfile::tempdir().unwrap();
    drop(stocked(dir.path()));
    let with_free = |octets| open_with(dir.path(), Disk::with_steps(Arc::new(Free(octets)))).unwrap();
    let Err(Stop::Failed(error)) = install(&with_free(5 << 20), &update()) else { panic!("it was installed") };
    assert!(error.text.starts_with("[Errno 28] No space left on device. "), "{error}");
    let remove = |store: &ImageStore| {
        let operation = ImageOperation::Remove { vibs: vec!["net-e1000".to_owned()] };
        store.apply(&operation, &mut super::fixture::Heard::default(), &CancelToken::default())
    };
    assert!(remove(&with_free(1 << 20)).is_err(), "not even a database fits");
    remove(&with_free(5 << 20)).unwrap();
}

/// A step that fails for a path.
#[derive(Debug)]
struct Failing(Step, PathBuf);

impl Steps for Failing {
    fn next(&self, step: Step, path: &Path, _: usize) -> io::Result<Allowed> {
        if step == self.0 && path == self.1 { Err(io::Error::from_raw_os_error(5)) } else { Ok(Allowed::Whole) }
    }
}

fn failing(folder: &Path, step: Step, at: &str) -> ImageStore {
    let steps = Failing(step, folder.join(at));
    open_with(folder, Disk::with_steps(Arc::new(steps))).unwrap()
}

#[test]
fn what_counts_already_is_told_as_made_though_the_folder_cannot_be_synchronized() {
    let dir = tempfile::tempdir().unwrap();
    let before = stocked(dir.path()).snapshot();
    failing(dir.path(), Step::Sync, "altbootbank").roll_back().unwrap();
    failing(dir.path(), Step::Sync, "bootbank").set_acceptance_level(AcceptanceLevel::Community).unwrap();
    let store = failing(dir.path(), Step::Sync, "");
    store.set_maintenance_mode(true).unwrap();
    assert!(!store.mark_boot().unwrap());
    let after = ImageStore::open(dir.path(), super::settings()).unwrap().snapshot();
    assert_eq!(after.next().vibs, before.previous.as_ref().unwrap().vibs);
    assert!(after.host.maintenance_mode);
}

#[test]
fn what_lost_its_name_is_not_swept_before_that_is_on_the_medium() {
    let dir = tempfile::tempdir().unwrap();
    drop(stocked(dir.path()));
    let staged = || Layout::new(dir.path()).leftovers().unwrap().len();
    install(&failing(dir.path(), Step::Sync, ""), &update()).unwrap();
    assert_eq!(staged(), 1, "the bank that had the name before");
    let store = ImageStore::open(dir.path(), super::settings()).unwrap();
    assert_eq!(staged(), 0);
    assert!(store.snapshot().pending.is_some());
    check_whole(&store);
}

#[test]
fn a_level_that_one_bank_does_not_get_the_other_does_not_keep() {
    let dir = tempfile::tempdir().unwrap();
    let new = NewImage { acceptance_level: Some(AcceptanceLevel::Community), ..super::new_image() };
    let store = ImageStore::create(dir.path(), &new, super::settings()).unwrap();
    let signed = Vib { acceptance_level: "certified".to_owned(), ..vib("esx-base", "5.5.0-1", false) };
    install(&store, &[signed]).unwrap();
    assert!(store.snapshot().pending.is_some());
    let store = failing(dir.path(), Step::Rename, "bootbank/imgdb.tgz");
    let error = store.set_acceptance_level(AcceptanceLevel::Certified).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::FileIOError);
    let snapshot = store.snapshot();
    let levels = [&snapshot.running, snapshot.next()].map(|image| image.profile.acceptance_level);
    assert_eq!(levels, [AcceptanceLevel::Community; 2]);
    check_whole(&store);
}

/// A file system on which no two folders can take each other's names, as on NFS.
#[derive(Debug)]
struct NoExchange;

impl Steps for NoExchange {
    fn next(&self, step: Step, _: &Path, _: usize) -> io::Result<Allowed> {
        if step == Step::Exchange { Err(io::Error::from_raw_os_error(22)) } else { Ok(Allowed::Whole) }
    }
}

#[test]
fn a_store_is_not_made_where_no_change_could_become_valid_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::with_steps(Arc::new(NoExchange));
    let made = creation::create(&Layout::new(dir.path()), &super::new_image(), &super::settings(), &disk);
    let error = made.unwrap_err();
    assert_eq!(error.class, ImageErrorClass::FileIOError);
    assert!(error.text.ends_with("Choose a folder on another one, such as ext4, XFS, Btrfs or tmpfs."), "{error}");
    assert!(octets(dir.path()).is_empty());
}

/// Watches that nothing becomes valid before it is on the medium.
#[derive(Debug, Default)]
struct Syncs(Mutex<HashSet<PathBuf>>);

impl Steps for Syncs {
    fn next(&self, step: Step, path: &Path, _: usize) -> io::Result<Allowed> {
        let mut dirty = locked(&self.0);
        let folder = path.parent().unwrap().to_owned();
        match step {
            Step::Folder | Step::Create => dirty.extend([path.to_owned(), folder]),
            Step::Write => drop(dirty.insert(path.to_owned())),
            Step::Sync => drop(dirty.remove(path)),
            Step::Link => drop(dirty.insert(folder)),
            Step::Remove => drop(dirty.remove(path)),
            Step::Rename | Step::Exchange => {
                let names = dirty.iter().filter(|dirty| **dirty != folder).map(|dirty| dirty.to_string_lossy());
                let early: Vec<_> = names.filter(|name| name.contains("staging-") || name.ends_with(".new")).collect();
                assert!(early.is_empty(), "{path:?} becomes valid before {early:?} are on the medium");
                dirty.insert(folder);
            }
        }
        Ok(Allowed::Whole)
    }
}

#[test]
fn what_becomes_valid_is_on_the_medium_before() {
    let dir = tempfile::tempdir().unwrap();
    drop(stocked(dir.path()));
    let syncs = Arc::new(Syncs::default());
    let store = open_with(dir.path(), Disk::with_steps(Arc::clone(&syncs) as _)).unwrap();
    let after = |what: &str| {
        let left: Vec<_> = locked(&syncs.0).drain().filter(|path| path.exists()).collect();
        assert!(left.is_empty(), "after {what} these are not on the medium: {left:?}");
    };
    install(&store, &[vib("lsi-mr3", "1.0-1", true)]).unwrap();
    after("a live change");
    install(&store, &update()).unwrap();
    after("a change");
    store.mark_boot().unwrap();
    after("a boot");
    store.roll_back().unwrap();
    after("rolling back");
    store.set_acceptance_level(AcceptanceLevel::Community).unwrap();
    after("setting the level");
    store.set_maintenance_mode(true).unwrap();
    after("setting the maintenance mode");
}
