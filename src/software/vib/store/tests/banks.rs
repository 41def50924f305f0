//! Which image runs, which waits, and which can be gone back to.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::lock::Lock;
use super::super::*;
use super::fixture::{Heard, are, check_whole, install, stocked, tools, versions, vib};
use crate::software::vib::building::Vib;
use crate::software::vib::{AcceptanceLevel, ImageErrorClass};

#[test]
fn what_is_live_runs_at_once_and_can_be_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    assert!(!install(&store, &[vib("net-e1000", "8.0.3-3", true)]).unwrap().needs_reboot);
    assert_eq!(versions(&store, "net-e1000"), are("8.0.3-3", None, Some("8.0.3-2")));
    let back = store.roll_back().unwrap();
    assert_eq!(versions(&store, "net-e1000"), are("8.0.3-2", None, Some("8.0.3-3")));
    assert_eq!((back.installed.len(), back.removed.len(), back.needs_reboot), (1, 1, false));
    store.roll_back().unwrap();
    assert_eq!(versions(&store, "net-e1000"), are("8.0.3-3", None, Some("8.0.3-2")));
    assert!(!store.mark_boot().unwrap());
    assert_eq!(versions(&store, "net-e1000"), are("8.0.3-3", None, Some("8.0.3-2")));
    check_whole(&store);
}

#[test]
fn what_is_not_live_waits_for_a_boot_and_further_changes_wait_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    let (old, new) = ("5.5.0-1.15.1623387", "5.5.0-1.16.1746018");
    assert!(install(&store, &[vib("esx-base", new, false)]).unwrap().needs_reboot);
    assert_eq!(versions(&store, "esx-base"), are(old, Some(new), None));
    assert!(install(&store, &[tools(new)]).unwrap().needs_reboot, "live by itself");
    assert_eq!(versions(&store, "tools-light"), are(old, Some(new), None));
    assert_eq!(versions(&store, "esx-base"), are(old, Some(new), None));
    check_whole(&store);

    let back = store.roll_back().unwrap();
    assert!(!back.needs_reboot && back.installed.len() == 2);
    assert_eq!(versions(&store, "esx-base"), are(old, None, Some(new)));
    assert!(!store.mark_boot().unwrap());
    assert_eq!(versions(&store, "esx-base"), are(old, None, Some(new)));
    assert!(store.roll_back().unwrap().needs_reboot);
    assert_eq!(versions(&store, "esx-base"), are(old, Some(new), None));
    assert!(store.mark_boot().unwrap());
    assert_eq!(versions(&store, "esx-base"), are(new, None, Some(old)));
    check_whole(&store);
}

#[test]
fn a_reader_sees_the_booted_image_before_anybody_exchanged_the_banks() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    let new = "5.5.0-1.16.1746018";
    install(&store, &[vib("esx-base", new, false)]).unwrap();
    let reader = ImageStore::open(dir.path(), super::settings()).unwrap();
    let lock = Lock::take(&store.layout.lock_file(), Duration::ZERO).unwrap();
    std::fs::write(dir.path().join("boot-marker"), "another boot").unwrap();
    assert!(reader.wait_for_change(Duration::from_secs(60)));
    assert!(reader.refresh().unwrap());
    let seen = are(new, None, Some("5.5.0-1.15.1623387"));
    assert_eq!(versions(&reader, "esx-base"), seen);
    assert!(dir.path().join("altbootbank/boot.cfg").metadata().unwrap().len() > 0);
    let is_exchanged = || std::fs::read_to_string(dir.path().join("bootbank/boot.cfg")).unwrap().contains(new);
    assert!(!is_exchanged());
    drop(lock);
    let opened = ImageStore::open(dir.path(), super::settings()).unwrap();
    assert!(is_exchanged());
    assert_eq!(versions(&opened, "esx-base"), seen);
    check_whole(&opened);
}

#[test]
fn a_store_without_another_bank_has_nothing_to_go_back_to_and_a_damaged_bank_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = super::create(dir.path());
    assert_eq!(store.roll_back().unwrap_err().class, ImageErrorClass::NoMatchError);
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    std::fs::write(dir.path().join("altbootbank/boot.new"), "updated=x").unwrap();
    std::fs::rename(dir.path().join("altbootbank/boot.new"), dir.path().join("altbootbank/boot.cfg")).unwrap();
    assert!(store.refresh().unwrap() && store.snapshot().previous.is_none());
    install(&store, &[vib("net-e1000", "8.0.3-3", true)]).unwrap();
    assert_eq!(versions(&store, "net-e1000"), are("8.0.3-3", None, Some("8.0.3-2")));
    check_whole(&store);
}

#[test]
fn live_changes_need_maintenance_mode_where_a_vib_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    let careful = Vib { maintenance_mode: (true, true), ..vib("lsi-mr3", "1.0-1", true) };
    let Err(Stop::Failed(error)) = install(&store, std::slice::from_ref(&careful)) else { panic!("it was installed") };
    assert_eq!(error.class, ImageErrorClass::MaintenanceModeError);
    store.set_maintenance_mode(true).unwrap();
    install(&store, &[careful]).unwrap();
    store.set_maintenance_mode(false).unwrap();
    assert_eq!(store.roll_back().unwrap_err().class, ImageErrorClass::MaintenanceModeError);
    let remove = ImageOperation::Remove { vibs: vec!["lsi-mr3".to_owned()] };
    assert!(store.apply(&remove, &mut Heard::default(), &CancelToken::default()).is_err());
    store.set_maintenance_mode(true).unwrap();
    let removed = store.apply(&remove, &mut Heard::default(), &CancelToken::default()).unwrap();
    assert_eq!((removed.removed.len(), removed.needs_reboot), (1, false));
    check_whole(&store);
}

#[test]
fn going_back_keeps_the_acceptance_level() {
    let dir = tempfile::tempdir().unwrap();
    let new = NewImage { acceptance_level: Some(AcceptanceLevel::Community), ..super::new_image() };
    let store = ImageStore::create(dir.path(), &new, super::settings()).unwrap();
    let level = || store.snapshot().next().profile.acceptance_level;
    // The image before and the one that runs have no VIB that would be below the level.
    let certified = Vib { acceptance_level: "certified".to_owned(), ..vib("net-e1000", "8.0.3-2", true) };
    install(&store, &[certified]).unwrap();
    store.set_acceptance_level(AcceptanceLevel::Certified).unwrap();
    store.roll_back().unwrap();
    assert_eq!(level(), AcceptanceLevel::Certified);
    store.set_acceptance_level(AcceptanceLevel::Accepted).unwrap();
    store.roll_back().unwrap();
    assert_eq!(level(), AcceptanceLevel::Accepted);
    assert!(store.snapshot().running.named("net-e1000").is_some());
    check_whole(&store);
}

#[test]
fn only_a_whole_image_is_gone_back_to() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    let payload = dir.path().join("altbootbank/esx.b00");
    let content = std::fs::read(&payload).unwrap();
    std::fs::remove_file(&payload).unwrap();
    let before = store.snapshot();
    let turned = [&[content[0] ^ 1], &content[1..]].concat();
    for damage in [None, Some(&content[1..]), Some(&*turned)] {
        damage.iter().for_each(|content| std::fs::write(&payload, content).unwrap());
        let error = store.roll_back().unwrap_err();
        assert_eq!(error.class, ImageErrorClass::DatabaseFormatError);
        assert!(error.text.contains("altbootbank/esx.b00: payload esx of VIB Acme_bootbank_esx-base_"), "{error}");
        assert_eq!(store.snapshot(), before);
    }
    std::fs::write(&payload, &content).unwrap();
    store.roll_back().unwrap();
}

#[test]
fn a_boot_marker_that_is_gone_or_empty_is_no_boot() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    install(&store, &[vib("esx-base", "5.5.0-1.16.1746018", false)]).unwrap();
    let marker = dir.path().join("boot-marker");
    let is_pending = || {
        store.refresh().unwrap();
        store.snapshot().pending.is_some()
    };
    std::fs::write(&marker, "\n").unwrap();
    assert!(is_pending());
    std::fs::remove_file(&marker).unwrap();
    assert!(is_pending());
    std::fs::write(&marker, "another boot\n").unwrap();
    assert!(!is_pending());
}

#[test]
fn an_image_that_was_staged_without_a_marker_comes_with_the_next_boot() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    install(&store, &[vib("esx-base", "5.5.0-1.16.1746018", false)]).unwrap();
    drop(store);
    let file = dir.path().join("altbootbank/boot.cfg");
    let text = std::fs::read_to_string(&file).unwrap();
    let (without, _) = text.split_once("stagedunder=").unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, without).unwrap();
    let store = ImageStore::open(dir.path(), super::settings()).unwrap();
    assert!(store.snapshot().pending.is_some());
    assert!(store.mark_boot().unwrap());
    assert!(store.snapshot().pending.is_none());
    assert_eq!(store.snapshot().running.named("esx-base").unwrap().version.as_str(), "5.5.0-1.16.1746018");
    check_whole(&store);
}

#[test]
fn a_number_that_cannot_grow_is_told_of_before_anything_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    let file = dir.path().join("bootbank/boot.cfg");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, _) = text.split_once("updated=").unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, format!("{before}updated={}\n", u64::MAX)).unwrap();
    let Err(Stop::Failed(error)) = install(&store, &[vib("lsi-mr3", "1.0-1", true)]) else {
        panic!("it was installed")
    };
    assert_eq!(error.class, ImageErrorClass::DatabaseFormatError);
    assert!(error.text.contains("bootbank/boot.cfg: updated is the greatest number there is"), "{error}");
    assert_eq!(store.roll_back().unwrap_err().class, ImageErrorClass::DatabaseFormatError);
}

#[test]
fn a_bank_that_is_a_link_is_none_and_nothing_is_left_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(&dir.path().join("image"));
    let (bank, outside) = (dir.path().join("image/altbootbank"), dir.path().join("outside"));
    std::fs::rename(&bank, &outside).unwrap();
    std::os::unix::fs::symlink(&outside, &bank).unwrap();
    drop(store);
    let store = ImageStore::open(&dir.path().join("image"), super::settings()).unwrap();
    assert!(store.snapshot().previous.is_none());
    install(&store, &[vib("lsi-mr3", "1.0-1", true)]).unwrap();
    assert!(!bank.is_symlink() && outside.join("boot.cfg").exists());
    assert_eq!(store.layout.leftovers().unwrap(), Vec::<std::path::PathBuf>::new());
    let left = std::fs::read_dir(store.folder()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_symlink());
    assert_eq!(left.count(), 0);
    check_whole(&store);

    std::fs::remove_dir_all(&outside).unwrap();
    std::fs::rename(store.folder().join("bootbank"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, store.folder().join("bootbank")).unwrap();
    let error = ImageStore::open(store.folder(), super::settings()).unwrap_err();
    assert!(
        error.text.contains("/bootbank: it is a link, and altbootbank is none; boot banks are two folders"),
        "{error}"
    );
}

/// A change of a store with one VIB, `net`.
#[derive(Clone, Debug)]
enum Change {
    Install { live: bool },
    RollBack,
    Boot,
}

/// The versions of `net` in the images of a store, as they should be.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    running: u32,
    pending: Option<u32>,
    previous: Option<u32>,
}

impl Model {
    /// What a change makes of it; `versions` tells which ones may come and go live.
    fn change(&mut self, change: &Change, versions: &mut Vec<bool>) {
        match change {
            Change::Install { live } => {
                let base = self.pending.unwrap_or(self.running);
                versions.push(*live);
                let new = u32::try_from(versions.len()).unwrap() - 1;
                self.bring(new, self.pending.is_none() && *live && versions[base as usize]);
            }
            Change::RollBack => match (self.pending.take(), self.previous) {
                (Some(pending), _) => self.previous = Some(pending),
                (None, Some(previous)) => {
                    let is_live = versions[self.running as usize] && versions[previous as usize];
                    self.bring(previous, is_live);
                }
                (None, None) => {}
            },
            Change::Boot => {
                if let Some(pending) = self.pending.take() {
                    *self = Self { running: pending, pending: None, previous: Some(self.running) };
                }
            }
        }
    }

    fn bring(&mut self, version: u32, is_live: bool) {
        *self = match is_live {
            true => Self { running: version, pending: None, previous: Some(self.running) },
            false => Self { running: self.running, pending: Some(version), previous: None },
        }
    }

    /// What the store has of it.
    fn of(store: &ImageStore) -> Self {
        let [running, pending, previous] = versions(store, "net")
            .map(|version| version.map(|version| version.split('.').next().unwrap().parse::<u32>().unwrap_or(0)));
        Self { running: running.unwrap(), pending, previous }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn images_come_and_go_as_they_should(
        changes in prop::collection::vec(
            prop_oneof![
                any::<bool>().prop_map(|live| Change::Install { live }),
                Just(Change::RollBack),
                Just(Change::Boot),
            ],
            1..10,
        )
    ) {
        let dir = tempfile::tempdir().unwrap();
        let new = NewImage { acceptance_level: Some(AcceptanceLevel::Community), ..super::new_image() };
        let store = ImageStore::create(dir.path(), &new, super::settings()).unwrap();
        // Version 0 is the image without the VIB.
        let (mut model, mut versions) = (Model::default(), vec![true]);
        for change in &changes {
            model.change(change, &mut versions);
            match change {
                Change::Install { live } => {
                    let version = format!("{}.0-1", versions.len() - 1);
                    install(&store, &[vib("net", &version, *live)]).unwrap();
                }
                Change::RollBack => drop(store.roll_back()),
                Change::Boot => drop(store.mark_boot().unwrap()),
            }
            prop_assert_eq!(Model::of(&store), model.clone(), "{:?} of {:?}", change, changes);
        }
        check_whole(&store);
    }
}

#[test]
fn payloads_have_names_of_their_own_and_keep_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = stocked(dir.path());
    let named = |name: &str, told: Option<&str>| {
        let mut vib = vib(name, "1.0-1", true);
        vib.payloads[0].name = "net".to_owned();
        vib.payloads[0].vfat_name = told.map(str::to_owned);
        vib.payloads[1].name = "../boot.cfg".replace("../", "");
        vib
    };
    let vibs =
        [named("abc", None), named("bcd", Some("NET.b00")), named("cde", Some("x.gz")), named("def", Some("boot.cfg"))];
    install(&store, &vibs).unwrap();
    check_whole(&store);
    let files = |store: &ImageStore| {
        let image = Arc::clone(&store.snapshot().running);
        let files = image.profile.vibs.iter().flat_map(|vib| vib.payloads.clone()).map(|(_, file)| file.to_string());
        files.collect::<Vec<_>>()
    };
    let names = files(&store);
    let expected =
        ["net.b01", "bootcfg.v00", "net.b02", "bootcfg.v01", "x.gz", "bootcfg.v02", "net.b03", "bootcfg.v03"];
    assert_eq!(names[..8], expected.map(str::to_owned));
    assert!(names.contains(&"net.b00".to_owned()), "it was there before");
    install(&store, &[vib("xyz", "1.0-1", true)]).unwrap();
    assert_eq!(files(&store)[..8], expected.map(str::to_owned));
    check_whole(&store);
    let number = |file: &str| dir.path().join(file).metadata().unwrap().ino();
    assert_eq!(number("bootbank/x.gz"), number("altbootbank/x.gz"), "both banks have what did not change once");
    let config = std::fs::read_to_string(dir.path().join("bootbank/boot.cfg")).unwrap();
    assert!(config.contains("\nkernel=esx.b00\nkernelopt=\nmodules=net.b00 --- net.b01 --- "), "{config}");
    assert!(config.contains(" --- imgdb.tgz\nbuild=5.5.0-1.15.1623387\n"), "{config}");
}
