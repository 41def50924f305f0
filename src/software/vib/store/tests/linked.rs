//! Stores whose banks are links, as on ESXi.

mod media;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::super::*;
use super::esxi::{self, BANKS, INSTALLED, OWN_FILES, bank, key, loaded};
use super::fixture::{Heard, are, check_whole, install, octets, tools, versions, vib};
use crate::software::vib::building::{Bundle, Vib};
use crate::software::vib::{AcceptanceLevel, ImageErrorClass};

const NEW: &str = "5.5.0-1.16.1746018";

fn host() -> (tempfile::TempDir, ImageStore) {
    let dir = tempfile::tempdir().unwrap();
    esxi::install(dir.path());
    let store = esxi::open(dir.path());
    (dir, store)
}

#[test]
fn a_host_that_quartermaster_did_not_make_is_opened_and_nothing_of_it_is_changed_by_that() {
    let dir = tempfile::tempdir().unwrap();
    esxi::install(dir.path());
    let before = octets(dir.path());
    let store = esxi::open(dir.path());
    assert!(before == octets(dir.path()), "there is neither a host.toml nor a boot-marker");
    let snapshot = store.snapshot();
    assert_eq!(versions(&store, "esx-base"), are(INSTALLED, None, None));
    assert_eq!((&*snapshot.host.version, snapshot.host.build), ("5.5.0", Some(1_623_387)));
    assert_eq!(&*snapshot.running.profile.creator, "VMware, Inc.");
    check_whole(&store);
    let again = ImageStore::create(dir.path(), &super::new_image(), super::settings()).unwrap_err();
    assert!(again.text.contains("There is an image store in "), "{again}");
}

#[test]
fn a_change_is_put_together_in_the_other_bank_and_comes_with_the_hosts_start() {
    let (dir, store) = host();
    assert!(install(&store, &[vib("esx-base", NEW, false)]).unwrap().needs_reboot);
    assert_eq!(versions(&store, "esx-base"), are(INSTALLED, Some(NEW), None));
    check_whole(&store);
    let [first, second] = BANKS.map(|bank| dir.path().join(bank));
    assert_eq!((key(&first, "bootstate"), key(&second, "bootstate")), ("0".to_owned(), "1".to_owned()));
    assert_eq!((key(&second, "updated"), key(&second, "build")), ("2".to_owned(), NEW.to_owned()));
    assert_eq!(key(&second, "kernelopt"), "installerDiskDumpSlotSize=2560 no-auto-partition");
    assert!(!fs::read_to_string(second.join("boot.cfg")).unwrap().contains("stagedunder"));
    let [before, after] = [&first, &second].map(|bank| loaded(bank));
    assert_eq!(
        after,
        ["esx.b00", "jumpstrt.gz", "useropts.gz", "net.b00", "esxdata.v00", "net-e1.v00", "imgdb.tgz", "state.tgz"]
    );
    assert_eq!(before.len(), after.len());
    for file in OWN_FILES {
        assert_eq!(fs::read(first.join(file)).unwrap(), fs::read(second.join(file)).unwrap());
    }

    assert!(store.mark_boot().unwrap_err().text.contains("Boot the host instead."));
    esxi::start(dir.path());
    assert!(store.wait_for_change(Duration::from_secs(60)));
    assert!(store.refresh().unwrap());
    assert_eq!(versions(&store, "esx-base"), are(NEW, None, Some(INSTALLED)));
    assert_eq!(bank(dir.path(), "bootbank"), second);
    check_whole(&store);
    esxi::start(dir.path());
    store.refresh().unwrap();
    assert_eq!(versions(&store, "esx-base"), are(NEW, None, Some(INSTALLED)));
}

#[test]
fn what_could_be_changed_live_waits_too_and_is_noted_and_further_changes_wait_with_it() {
    let (dir, store) = host();
    let bundle = dir.path().join("bundle.zip");
    let careful = Vib { maintenance_mode: (true, true), ..vib("lsi-mr3", "1.0-1", true) };
    Bundle::of(vec![careful, tools(NEW)]).write(&bundle);
    let operation = ImageOperation::Install { bundles: vec![bundle], bulletins: None };
    let mut heard = Heard::default();
    let done = store.apply(&operation, &mut heard, &CancelToken::default()).unwrap();
    assert!(done.needs_reboot && done.installed.len() == 1, "{done:?}");
    assert!(heard.1.iter().any(|note| note.contains("the change waits for the next boot")), "{:?}", heard.1);
    let left_out = heard.1.iter().find(|note| note.contains("_locker_tools-light_")).unwrap();
    assert!(left_out.contains("is of the type locker."), "{left_out}");
    assert!(store.snapshot().pending.as_ref().unwrap().named("tools-light").is_none());

    assert!(install(&store, &[vib("esx-base", NEW, false)]).unwrap().needs_reboot);
    let remove = ImageOperation::Remove { vibs: vec!["net-e1000".to_owned()] };
    store.apply(&remove, &mut Heard::default(), &CancelToken::default()).unwrap();
    check_whole(&store);
    let waiting = store.snapshot().pending.clone().unwrap();
    assert_eq!(waiting.vibs.iter().map(|vib| &*vib.name).collect::<Vec<_>>(), ["esx-base", "lsi-mr3"]);
    assert_eq!(versions(&store, "esx-base"), are(INSTALLED, Some(NEW), None));
    esxi::start(dir.path());
    store.refresh().unwrap();
    assert_eq!(store.snapshot().running, waiting);
    assert_eq!(versions(&store, "net-e1000"), are("none", None, Some("8.0.3-2")));
    check_whole(&store);
}

#[test]
fn going_back_takes_a_boot_and_what_waits_can_be_taken_back() {
    let (dir, store) = host();
    assert_eq!(store.roll_back().unwrap_err().class, ImageErrorClass::NoMatchError);
    install(&store, &[vib("esx-base", NEW, false)]).unwrap();
    let back = store.roll_back().unwrap();
    assert!(!back.needs_reboot);
    assert_eq!(versions(&store, "esx-base"), are(INSTALLED, None, Some(NEW)));
    esxi::start(dir.path());
    store.refresh().unwrap();
    assert_eq!(versions(&store, "esx-base"), are(INSTALLED, None, Some(NEW)), "it was taken back");
    assert!(store.roll_back().unwrap().needs_reboot);
    assert_eq!(versions(&store, "esx-base"), are(INSTALLED, Some(NEW), None));
    esxi::start(dir.path());
    store.refresh().unwrap();
    assert_eq!(versions(&store, "esx-base"), are(NEW, None, Some(INSTALLED)));
    store.set_acceptance_level(AcceptanceLevel::Community).unwrap();
    assert!(store.roll_back().unwrap().needs_reboot);
    esxi::start(dir.path());
    store.refresh().unwrap();
    assert_eq!(versions(&store, "esx-base"), are(INSTALLED, None, Some(NEW)));
    check_whole(&store);
}

#[test]
fn an_image_whose_first_boot_failed_is_not_the_next_one() {
    let (dir, store) = host();
    install(&store, &[vib("esx-base", NEW, false)]).unwrap();
    let other = bank(dir.path(), "altbootbank");
    esxi::set_state(&other, 2);
    store.refresh().unwrap();
    assert_eq!(versions(&store, "esx-base"), are(INSTALLED, None, Some(NEW)));
    esxi::start(dir.path());
    store.refresh().unwrap();
    assert_eq!(versions(&store, "esx-base"), are(INSTALLED, None, None));
    install(&store, &[vib("esx-base", NEW, false)]).unwrap();
    esxi::start(dir.path());
    store.refresh().unwrap();
    assert_eq!(versions(&store, "esx-base"), are(NEW, None, Some(INSTALLED)));
    check_whole(&store);
}

#[test]
fn the_damaged_image_of_a_host_is_left_with_its_next_start() {
    let (dir, store) = host();
    install(&store, &[vib("esx-base", NEW, false)]).unwrap();
    esxi::start(dir.path());
    drop(store);
    let running = bank(dir.path(), "bootbank");
    fs::remove_file(running.join("imgdb.tgz")).unwrap();
    let error = ImageStore::open(dir.path(), super::settings()).unwrap_err();
    assert!(error.text.contains("`quartermaster image roll-back"), "{error}");
    let damaged = DamagedStore::open(dir.path(), super::settings()).unwrap().unwrap();
    assert!(matches!(damaged.other(), OtherImage::Whole { waits: false, .. }));
    damaged.roll_back().unwrap();
    assert!(damaged.mark_boot().unwrap_err().text.contains("Boot the host instead."));
    esxi::start(dir.path());
    let store = esxi::open(dir.path());
    assert_eq!(versions(&store, "esx-base"), are(INSTALLED, None, None));
    check_whole(&store);
}

#[test]
fn links_are_followed_for_the_banks_alone() {
    let (dir, store) = host();
    let (first, other) = (bank(dir.path(), "bootbank"), bank(dir.path(), "altbootbank"));
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "precious").unwrap();

    // What lies in the place where an image is put together is removed, and not what it leads to.
    symlink(outside.path(), other.join("staging")).unwrap();
    symlink(outside.path().join("precious"), other.join("boot.new")).unwrap();
    symlink(outside.path(), other.join("link")).unwrap();
    install(&store, &[vib("esx-base", NEW, false)]).unwrap();
    assert_eq!(fs::read_to_string(outside.path().join("precious")).unwrap(), "precious");
    assert!(!other.join("staging").is_symlink() && !other.join("link").is_symlink());
    check_whole(&store);

    // A file of an image that is a link is none.
    for file in ["state.tgz", "s.v00"] {
        let (dir, store) = host();
        let first = bank(dir.path(), "bootbank");
        fs::rename(first.join(file), outside.path().join("file")).unwrap();
        symlink(outside.path().join("file"), first.join(file)).unwrap();
        let Err(Stop::Failed(error)) = install(&store, &[vib("lsi-mr3", "1.0-1", true)]) else { panic!("{file}") };
        assert!(error.text.contains(file), "{error}");
    }
    fs::rename(first.join("imgdb.tgz"), outside.path().join("imgdb.tgz")).unwrap();
    symlink(outside.path().join("imgdb.tgz"), first.join("imgdb.tgz")).unwrap();
    assert!(ImageStore::open(dir.path(), super::settings()).is_err());
}

#[test]
fn links_that_do_not_make_two_banks_are_told_of() {
    let wrong = |change: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        esxi::install(dir.path());
        change(dir.path());
        let opened = ImageStore::open(dir.path(), super::settings());
        opened.map(|store| store.roll_back().unwrap_err().text).map_err(|error| error.text)
    };
    let relink = |folder: &Path, link: &str, to: &str| {
        fs::remove_file(folder.join(link)).unwrap();
        symlink(to, folder.join(link)).unwrap();
    };
    let same = wrong(&|folder| relink(folder, "altbootbank", BANKS[0])).unwrap_err();
    assert!(same.contains("/altbootbank: it leads to the same place as bootbank. "), "{same}");
    let around = wrong(&|folder| relink(folder, "altbootbank", "vmfs")).unwrap_err();
    assert!(around.contains("/altbootbank: it leads to the same place as bootbank. "), "{around}");
    let nowhere = wrong(&|folder| relink(folder, "bootbank", "vmfs/none")).unwrap_err();
    assert!(nowhere.contains("/bootbank: [Errno 2] "), "{nowhere}");
    let no_other = wrong(&|folder| fs::remove_file(folder.join("altbootbank")).unwrap()).unwrap_err();
    assert!(no_other.contains("/bootbank: it is a link, and altbootbank is none; "), "{no_other}");
    let lost = wrong(&|folder| relink(folder, "altbootbank", "vmfs/none")).unwrap();
    assert!(lost.starts_with("There is no image to go back to."), "{lost}");
}

#[test]
fn a_database_with_more_in_it_than_is_known_is_not_written_anew() {
    let (dir, store) = host();
    let file = bank(dir.path(), "bootbank").join("imgdb.tgz");
    let before = esxi::database(&["var/db/esximg/bulletins/ESXi_7.0.0-1.0.1.xml"]);
    fs::remove_file(&file).unwrap();
    fs::write(&file, &before).unwrap();
    store.refresh().unwrap();
    let Err(Stop::Failed(error)) = install(&store, &[vib("lsi-mr3", "1.0-1", true)]) else {
        panic!("it was installed")
    };
    assert!(error.text.contains("imgdb.tgz: it has var/db/esximg/bulletins/"), "{error}");
    let error = store.set_acceptance_level(AcceptanceLevel::Community).unwrap_err();
    assert!(error.text.contains("with the host's own tools."), "{error}");
    assert!(fs::read(&file).unwrap() == before);
}
