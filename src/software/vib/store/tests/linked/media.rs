//! What linked banks ask of their file systems: room, short names, an order of steps.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::super::super::disk::{Allowed, Disk, Step, Steps};
use super::super::super::*;
use super::super::esxi::{self, BANKS, INSTALLED, bank};
use super::super::failures::Free;
use super::super::fixture::{Heard, are, check_whole, install, octets, open_with, versions, vib};
use super::{NEW, host};
use crate::software::vib::AcceptanceLevel;
use crate::software::vib::building::Bundle;

#[test]
fn where_there_is_no_room_for_both_the_other_image_is_given_up_and_that_is_told() {
    let (dir, store) = host();
    install(&store, &[vib("esx-base", NEW, false)]).unwrap();
    esxi::start(dir.path());
    drop(store);
    let (damaged, sound) = (dir.path().join("damaged.vib"), dir.path().join("bundle.zip"));
    let mut parts = vib("esx-base", "5.5.0-2", false).parts();
    parts.payloads[1].1[20] ^= 1;
    fs::write(&damaged, parts.to_file()).unwrap();
    Bundle::of(vec![vib("esx-base", "5.5.0-3", false)]).write(&sound);
    let with_free = |octets| open_with(dir.path(), Disk::with_steps(Arc::new(Free(octets)))).unwrap();
    let mut heard = Heard::default();
    let mut apply = |store: &ImageStore, bundle: &Path| {
        let operation = ImageOperation::Install { bundles: vec![bundle.to_owned()], bulletins: None };
        store.apply(&operation, &mut heard, &CancelToken::default())
    };

    let before = octets(dir.path());
    assert!(apply(&esxi::open(dir.path()), &damaged).is_err());
    assert!(before == octets(dir.path()), "where there is room nothing is given up");
    let tight = with_free(4 << 20);
    let Err(ApplyError::Image(error)) = apply(&tight, &damaged) else { panic!("it was installed") };
    assert!(error.text.ends_with("The image that runs is as it was, and the other boot bank is empty now."), "{error}");
    assert_eq!(versions(&tight, "esx-base"), are(NEW, None, None));
    check_whole(&tight);

    let before = octets(dir.path());
    let Err(ApplyError::Image(error)) = apply(&with_free(1 << 20), &sound) else { panic!("it was installed") };
    assert!(error.text.starts_with("[Errno 28] No space left on device. The image is as it was. "), "{error}");
    assert!(before == octets(dir.path()));
    let roomy = with_free(5 << 20);
    apply(&roomy, &sound).unwrap();
    assert_eq!(versions(&roomy, "esx-base"), are(NEW, Some("5.5.0-3"), None));
    check_whole(&roomy);
    let given_up = heard.1.iter().filter(|note| note.starts_with("There was no room for the new image"));
    assert_eq!(given_up.count(), 1, "{:?}", heard.1);
}

/// VFAT: neither second names nor an exchange of names, and short names only.
#[derive(Debug)]
struct Fat;

impl Steps for Fat {
    fn next(&self, step: Step, path: &Path, _: usize) -> io::Result<Allowed> {
        let has_short_name = |name: &str| {
            let (stem, kind) = name.split_once('.').unwrap_or((name, ""));
            stem.len() <= 8 && kind.len() <= 3 && !kind.contains('.')
        };
        let is_in_bank = BANKS.iter().any(|bank| path.parent().unwrap().ends_with(bank));
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_refused = matches!(step, Step::Link | Step::Exchange) || (is_in_bank && !has_short_name(name));
        if is_refused { Err(rustix::io::Errno::PERM.into()) } else { Ok(Allowed::Whole) }
    }
}

#[test]
fn nothing_is_asked_of_the_banks_that_vfat_does_not_have() {
    let (dir, store) = host();
    drop(store);
    let store = open_with(dir.path(), Disk::with_steps(Arc::new(Fat))).unwrap();
    let mut named = vib("lsi-mr3", "1.0-1", true);
    named.payloads[0].vfat_name = Some("longer-than-eight.v00".to_owned());
    named.payloads[1].vfat_name = Some("lsi.data.v00".to_owned());
    install(&store, &[named]).unwrap();
    install(&store, &[vib("esx-base", NEW, false)]).unwrap();
    let remove = ImageOperation::Remove { vibs: vec!["net-e1000".to_owned()] };
    store.apply(&remove, &mut Heard::default(), &CancelToken::default()).unwrap();
    check_whole(&store);
    store.roll_back().unwrap();
    store.roll_back().unwrap();
    store.set_acceptance_level(AcceptanceLevel::Community).unwrap();
    esxi::start(dir.path());
    store.refresh().unwrap();
    assert_eq!(versions(&store, "esx-base"), are(NEW, None, Some(INSTALLED)));
    check_whole(&store);
}

/// Notes all steps.
#[derive(Debug, Default)]
struct Noting(Mutex<Vec<(Step, PathBuf)>>);

impl Steps for Noting {
    fn next(&self, step: Step, path: &Path, _: usize) -> io::Result<Allowed> {
        locked(&self.0).push((step, path.to_owned()));
        Ok(Allowed::Whole)
    }
}

#[test]
fn a_bank_says_that_it_is_empty_before_its_files_change_and_has_an_image_once_they_are_on_the_medium() {
    let (dir, store) = host();
    install(&store, &[vib("esx-base", NEW, false)]).unwrap();
    drop(store);
    let noting = Arc::new(Noting::default());
    let store = open_with(dir.path(), Disk::with_steps(Arc::clone(&noting) as _)).unwrap();
    locked(&noting.0).clear();
    install(&store, &[vib("esx-base", "5.5.0-3", false)]).unwrap();
    let steps = locked(&noting.0).clone();
    let other = bank(dir.path(), "altbootbank").canonicalize().unwrap();
    let config = (Step::Rename, other.join("boot.cfg"));
    let says: Vec<_> = (0..steps.len()).filter(|at| steps[*at] == config).collect();
    let [empty, full] = says[..] else { panic!("{steps:?}") };
    let is_change = |(step, path): &&(Step, PathBuf)| {
        path.parent() == Some(&other) && !path.ends_with("staging") && matches!(step, Step::Rename | Step::Remove)
    };
    assert_eq!(steps[..empty].iter().filter(is_change).count(), 0, "{steps:?}");
    assert_eq!(steps[empty + 1], (Step::Sync, other.clone()));
    assert_eq!(steps[full - 1], (Step::Sync, other.clone()));
    assert!(steps[empty..full].iter().filter(is_change).count() > 3);
    let written = steps[..full].iter().filter(|(step, _)| *step == Step::Create).count();
    let synced = steps[..empty].iter().filter(|(step, path)| *step == Step::Sync && path.extension().is_some()).count();
    assert!(synced >= written - 1, "each file is on the medium: {steps:?}");
    check_whole(&store);
}
