//! Stores whose running image cannot be read: what the other bank has can be gone back to.

use std::fs;
use std::path::Path;

use super::super::*;
use super::fixture::{check_whole, install, octets, stocked, vib};

/// What makes a running image unreadable, and how its error begins behind the store's folder.
type Damage = fn(&Path);

const DAMAGES: [(Damage, &str); 4] = [
    (|bank| overwrite(&bank.join("imgdb.tgz"), b"no gzip"), "/bootbank/imgdb.tgz: "),
    (|bank| fs::remove_file(bank.join("imgdb.tgz")).unwrap(), "/bootbank/imgdb.tgz: "),
    (|bank| overwrite(&bank.join("boot.cfg"), b"updated=x\n"), "/bootbank/boot.cfg: line 1: updated is a number. "),
    (|bank| fs::remove_dir_all(bank).unwrap(), "/bootbank/boot.cfg: [Errno 2] "),
];

fn overwrite(file: &Path, content: &[u8]) {
    fs::remove_file(file).unwrap();
    fs::write(file, content).unwrap();
}

fn opened(folder: &Path) -> DamagedStore {
    DamagedStore::open(folder, super::settings()).unwrap().expect("its running image is damaged")
}

fn base(store: &ImageStore) -> String {
    store.snapshot().running.named("esx-base").unwrap().version.to_string()
}

#[test]
fn the_image_before_is_gone_back_to_whatever_is_wrong_with_the_one_that_runs() {
    for (damage, begin) in DAMAGES {
        let dir = tempfile::tempdir().unwrap();
        let before = stocked(dir.path()).snapshot().previous.clone().unwrap();
        damage(&dir.path().join("bootbank"));
        let error = ImageStore::open(dir.path(), super::settings()).unwrap_err();
        assert!(error.text.contains(begin), "{error}");
        let back = format!("`quartermaster image roll-back {}` goes back to it.", dir.path().display());
        assert!(error.text.ends_with(&back), "{error}");

        let damaged = opened(dir.path());
        assert_eq!(damaged.error(), error);
        let OtherImage::Whole { image, waits: false } = damaged.other() else { panic!("{:?}", damaged.other()) };
        assert_eq!(image, before);
        assert_eq!(damaged.mark_boot().unwrap_err(), error, "no image waits");
        damaged.roll_back().unwrap();
        damaged.roll_back().unwrap();
        let damaged = opened(dir.path());
        assert!(matches!(damaged.other(), OtherImage::Whole { waits: true, .. }));
        assert!(damaged.error().text.contains("has an image that runs after the next boot"), "{}", damaged.error());

        damaged.mark_boot().unwrap();
        let store = ImageStore::open(dir.path(), super::settings()).unwrap();
        let snapshot = store.snapshot();
        assert_eq!((&snapshot.running, &snapshot.pending, &snapshot.previous), (&before, &None, &None));
        assert!(DamagedStore::open(dir.path(), super::settings()).unwrap().is_none());
        check_whole(&store);
        install(&store, &[vib("lsi-mr3", "1.0-1", true)]).unwrap();
        assert_eq!(store.snapshot().previous.as_ref(), Some(&before));
        check_whole(&store);
    }
}

#[test]
fn an_image_that_waits_comes_with_the_boot_though_the_one_that_runs_is_damaged() {
    for (damage, _) in DAMAGES {
        let dir = tempfile::tempdir().unwrap();
        let new = "5.5.0-1.16.1746018";
        install(&stocked(dir.path()), &[vib("esx-base", new, false)]).unwrap();
        damage(&dir.path().join("bootbank"));
        let damaged = opened(dir.path());
        assert!(matches!(damaged.other(), OtherImage::Whole { waits: true, .. }));
        damaged.roll_back().unwrap();
        damaged.mark_boot().unwrap();
        let store = ImageStore::open(dir.path(), super::settings()).unwrap();
        assert_eq!(base(&store), new);
        check_whole(&store);
    }
}

#[test]
fn an_image_that_was_booted_and_is_damaged_is_the_one_that_runs() {
    let dir = tempfile::tempdir().unwrap();
    install(&stocked(dir.path()), &[vib("esx-base", "5.5.0-1.16.1746018", false)]).unwrap();
    overwrite(&dir.path().join("altbootbank/imgdb.tgz"), b"no gzip");
    fs::write(dir.path().join("boot-marker"), "another boot").unwrap();
    let error = ImageStore::open(dir.path(), super::settings()).unwrap_err();
    assert!(error.text.contains("/altbootbank/imgdb.tgz: "), "{error}");
    let damaged = opened(dir.path());
    damaged.roll_back().unwrap();
    opened(dir.path()).mark_boot().unwrap();
    let store = ImageStore::open(dir.path(), super::settings()).unwrap();
    assert_eq!(base(&store), "5.5.0-1.15.1623387");
    check_whole(&store);
}

#[test]
fn where_both_are_damaged_nothing_is_touched() {
    for file in ["imgdb.tgz", "esx.b00"] {
        let dir = tempfile::tempdir().unwrap();
        drop(stocked(dir.path()));
        overwrite(&dir.path().join("altbootbank").join(file), b"damaged");
        overwrite(&dir.path().join("bootbank/imgdb.tgz"), b"no gzip");
        let before = octets(dir.path());
        let damaged = opened(dir.path());
        assert!(matches!(damaged.other(), OtherImage::Damaged(_)), "{file}");
        let error = damaged.roll_back().unwrap_err();
        assert!(error.text.contains(&format!("/altbootbank/{file}: ")), "{error}");
        assert!(before == octets(dir.path()));
    }
    let dir = tempfile::tempdir().unwrap();
    drop(super::create(dir.path()));
    overwrite(&dir.path().join("bootbank/imgdb.tgz"), b"no gzip");
    let damaged = opened(dir.path());
    assert!(matches!(damaged.other(), OtherImage::None));
    let error = damaged.roll_back().unwrap_err();
    assert!(error.text.ends_with("or set the image up anew."), "{error}");
}

#[test]
fn what_is_wrong_beside_the_banks_is_no_damage_of_them() {
    let dir = tempfile::tempdir().unwrap();
    drop(stocked(dir.path()));
    assert!(DamagedStore::open(dir.path(), super::settings()).unwrap().is_none());
    fs::write(dir.path().join("host.toml"), "version = 5\n").unwrap();
    assert!(DamagedStore::open(dir.path(), super::settings()).unwrap().is_none());
    fs::remove_file(dir.path().join("boot-marker")).unwrap();
    fs::create_dir(dir.path().join("boot-marker")).unwrap();
    assert!(DamagedStore::open(dir.path(), super::settings()).is_err());
}
