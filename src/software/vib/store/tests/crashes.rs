//! Every change is stopped at every step, and inside of every writing; the old images or the new ones are there, whole.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::super::disk::{Allowed, Disk, Step, Steps};
use super::super::*;
use super::esxi;
use super::fixture::{check_whole, copy, install_bundle, octets, open_with, stocked, tools, vib};
use crate::software::vib::AcceptanceLevel;
use crate::software::vib::building::Bundle;

/// Counts steps, and stops at one for good.
#[derive(Debug, Default)]
struct Stopping {
    /// The steps that were asked for.
    asked: Mutex<Vec<Step>>,
    /// The step that is not done any more, and how many octets of it are written all the same, in eighths.
    stop: Option<(usize, usize)>,
}

impl Steps for Stopping {
    fn next(&self, step: Step, _: &Path, octets: usize) -> io::Result<Allowed> {
        let mut asked = locked(&self.asked);
        let now = asked.len();
        asked.push(step);
        match self.stop {
            Some((stop, eighths)) if now == stop && octets > 0 => Ok(Allowed::Part(octets * eighths / 8)),
            Some((stop, _)) if now >= stop => Err(io::Error::other("stopped")),
            // Nobody pulls the plug here; another test sees that the medium is waited for.
            _ if step == Step::Sync => Ok(Allowed::Pretended),
            _ => Ok(Allowed::Whole),
        }
    }
}

/// Opens a store whose steps are all done.
fn open(folder: &Path) -> ImageStore {
    open_with(folder, Disk::with_steps(Arc::new(Stopping::default()))).unwrap()
}

/// What people see of a store; when it was booted is not kept by a copy.
fn seen(store: &ImageStore) -> ImageSnapshot {
    let mut snapshot = ImageSnapshot::clone(&store.snapshot());
    snapshot.host.booted_at = None;
    snapshot
}

type Change = fn(&ImageStore) -> bool;

/// The bundles that changes take VIBs from; each copy of a store has them beside its banks.
const UPDATE: &str = "update.zip";
const LIVE_UPDATE: &str = "live-update.zip";

fn write_bundles(folder: &Path) {
    let update = vec![vib("esx-base", "5.5.0-1.16.1746018", false), tools("5.5.0-1.16.1746018")];
    let live = vec![vib("net-e1000", "8.0.3-3", true), vib("lsi-mr3", "0.255.03.01-1", true)];
    Bundle::of(update).write(&folder.join(UPDATE));
    Bundle::of(live).write(&folder.join(LIVE_UPDATE));
}

fn update(store: &ImageStore) -> bool {
    install_bundle(store, store.folder().join(UPDATE)).is_ok()
}

fn update_live(store: &ImageStore) -> bool {
    install_bundle(store, store.folder().join(LIVE_UPDATE)).is_ok()
}

fn remove(store: &ImageStore) -> bool {
    let operation = ImageOperation::Remove { vibs: vec!["tools-light".to_owned()] };
    store.apply(&operation, &mut super::fixture::Heard::default(), &CancelToken::default()).is_ok()
}

fn remove_live(store: &ImageStore) -> bool {
    let operation = ImageOperation::Remove { vibs: vec!["net-e1000".to_owned()] };
    store.apply(&operation, &mut super::fixture::Heard::default(), &CancelToken::default()).is_ok()
}

fn roll_back(store: &ImageStore) -> bool {
    store.roll_back().is_ok()
}

fn boot(store: &ImageStore) -> bool {
    store.mark_boot().is_ok()
}

fn raise(store: &ImageStore) -> bool {
    store.set_acceptance_level(AcceptanceLevel::Community).is_ok()
}

fn maintain(store: &ImageStore) -> bool {
    store.set_maintenance_mode(true).is_ok()
}

/// Stops a change of the store in a folder at every step that it has.
fn stop_everywhere(fixture: &Path, change: Change) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str, stop| {
        let folder = dir.path().join(name);
        copy(fixture, &folder);
        let steps = Arc::new(Stopping { stop, ..Stopping::default() });
        let store = open_with(&folder, Disk::with_steps(Arc::clone(&steps) as _)).unwrap();
        (change(&store), folder, locked(&steps.asked).clone())
    };
    let old = seen(&open(fixture));
    let (is_done, folder, steps) = run("whole", None);
    assert!(is_done);
    let new = seen(&open(&folder));
    // A bank in which the new image is put together has no image at the very end of that.
    let lost =
        folder.join("bootbank").is_symlink().then(|| ImageSnapshot { pending: None, previous: None, ..old.clone() });

    let mut outcomes = BTreeSet::new();
    let stops = steps.iter().enumerate().flat_map(|(stop, step)| match step {
        Step::Write => vec![(stop, 0), (stop, 5)],
        _ => vec![(stop, 0)],
    });
    for (stop, eighths) in stops {
        let (is_done, folder, _) = run(&format!("{stop}.{eighths}"), Some((stop, eighths)));
        let store = open(&folder);
        let after = seen(&store);
        let is_old = after == old || lost.as_ref() == Some(&after);
        assert!(after == new || (is_old && !is_done), "stopped at {stop} of {steps:?}: {after:#?}");
        outcomes.insert(after == new);
        check_whole(&store);
        let left: Vec<_> = octets(&folder).into_keys().filter(|path| is_leftover(&folder, path)).collect();
        assert_eq!(left, Vec::<PathBuf>::new(), "stopped at {stop} of {steps:?}");
        // Wherever it was stopped the store is the same again, so some of these runs tell for all.
        if after == old && stop % 5 == 0 {
            assert!(change(&store), "stopped at {stop} of {steps:?}");
            assert_eq!(seen(&store), new);
            check_whole(&store);
        }
    }
    assert_eq!(outcomes.len(), if old == new { 1 } else { 2 }, "it was stopped before and after");
    steps.len()
}

fn is_leftover(folder: &Path, path: &Path) -> bool {
    let inside = path.strip_prefix(folder).unwrap().to_str().unwrap();
    inside.starts_with("staging-") || inside.contains("/staging/") || inside.ends_with(".new")
}

/// A store whose running image has one before, and perhaps one that waits.
fn fixture(folder: &Path, is_pending: bool) {
    let store = stocked(folder);
    write_bundles(folder);
    if is_pending {
        assert!(update(&store));
    }
}

/// The same of a host with linked banks.
fn linked_fixture(folder: &Path, is_pending: bool) {
    esxi::install(folder);
    let store = esxi::open(folder);
    write_bundles(folder);
    assert!(update_live(&store));
    esxi::start(folder);
    if is_pending {
        assert!(update(&store));
    }
}

fn stop_each(make: fn(&Path, bool), changes: &[Change], is_pending: bool) {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), is_pending);
    changes.iter().for_each(|change| assert!(stop_everywhere(dir.path(), *change) > 3));
}

#[test]
fn an_update_that_is_stopped_leaves_the_old_image_or_the_new_one() {
    stop_each(fixture, &[update], false);
}

#[test]
fn a_live_update_that_is_stopped_leaves_the_old_image_or_the_new_one() {
    stop_each(fixture, &[update_live], false);
}

#[test]
fn another_change_that_is_stopped_leaves_the_old_image_or_the_new_one() {
    stop_each(fixture, &[remove, roll_back, boot, raise, maintain], false);
}

#[test]
fn a_change_of_an_image_that_waits_leaves_it_or_the_new_one() {
    stop_each(fixture, &[update_live, roll_back, boot, raise], true);
}

#[test]
fn a_change_of_linked_banks_that_is_stopped_leaves_the_image_that_runs() {
    stop_each(linked_fixture, &[update, remove_live, roll_back, raise, maintain], false);
}

#[test]
fn a_change_of_an_image_that_waits_in_linked_banks_leaves_the_one_that_runs() {
    stop_each(linked_fixture, &[remove_live, roll_back, raise], true);
}
