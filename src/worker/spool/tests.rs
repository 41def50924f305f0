use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::sync::Barrier;
use std::thread;

use chrono::TimeDelta;

use super::super::testing::{ToldManager, package};
use super::*;
use crate::clock::{Clock, SystemClock};
use crate::software::leaves_reserve;

#[test]
fn what_goes_before_it_is_looked_at_or_deleted_is_passed_over() {
    let state = tempfile::tempdir().unwrap();
    let gone = state.path().join("gone.deb");
    assert!(!is_old(&gone, Duration::ZERO, SystemClock.now()).unwrap());
    remove(&gone).unwrap();
}

#[test]
fn a_sweep_and_whoever_gives_files_up_do_not_disturb_each_other() {
    let state = tempfile::tempdir().unwrap();
    let spool = Spool::open(&Settings::new(state.path().to_owned()), Family::Deb).unwrap();
    thread::scope(|scope| {
        let giving_up = scope.spawn(|| {
            for _ in 0..20 {
                let ids: Vec<StagedId> = (0..50).map(|_| StagedId::new()).collect();
                for id in &ids {
                    fs::write(spool.file(*id), "left").unwrap();
                }
                for id in ids {
                    spool.discard(id).unwrap();
                }
            }
        });
        while !giving_up.is_finished() {
            spool.sweep(&[], Duration::ZERO, SystemClock.now()).unwrap();
        }
    });
    assert_eq!(fs::read_dir(&spool.folder).unwrap().count(), 0);
}

fn spool(state: &Path) -> Spool {
    Spool::open(&Settings::new(state.to_owned()), Family::Deb).unwrap()
}

fn stage(spool: &Spool, path: &Path) -> Result<Staged, Refusal> {
    spool.stage(path, ToldManager::new().0.as_ref(), &CancelToken::default())
}

#[test]
fn what_a_server_has_swept_is_not_young() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    let left = spool.file(StagedId::new());
    fs::write(&left, "left").unwrap();
    spool.sweep_for_server(&[], 0, SystemClock.now()).unwrap();
    assert!(left.exists());
    spool.sweep_for_server(&[], 0, SystemClock.now() + TimeDelta::minutes(2)).unwrap();
    assert!(!left.exists());
}

#[test]
fn the_spool_takes_no_more_files_than_it_may_however_many_come_at_once() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    for _ in 0..MAX_STAGED - 2 {
        fs::write(spool.file(StagedId::new()), "").unwrap();
    }
    let file = package(state.path(), "hello");
    let (count, all) = (8, Barrier::new(8));
    let staged = thread::scope(|scope| {
        let stage = || {
            all.wait();
            stage(&spool, &file)
        };
        let stagings: Vec<_> = (0..count).map(|_| scope.spawn(stage)).collect();
        stagings.into_iter().map(|staging| staging.join().unwrap()).filter(Result::is_ok).count()
    });
    assert_eq!(staged, 2);
    assert_eq!(fs::read_dir(&spool.folder).unwrap().count(), MAX_STAGED);
}

/// A small file system of its own, which goes with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where the tests may not make one.
    fn new(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path());
        let is_there = rustix::process::geteuid().is_root() && mount.status().unwrap().success();
        is_there.then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn files_that_come_at_once_leave_the_reserve_free() {
    let Some(disk) = SmallDisk::new("size=100m") else { return };
    let spool = spool(disk.0.path());
    let files = tempfile::tempdir().unwrap();
    let large = files.path().join("large.deb");
    fs::write(&large, "package large\n").unwrap();
    // Each of them has room, and no two.
    OpenOptions::new().write(true).open(&large).unwrap().set_len(30 << 20).unwrap();
    let all = Barrier::new(4);
    let stage = || {
        all.wait();
        stage(&spool, &large)
    };
    let staged: Vec<_> = thread::scope(|scope| {
        let stagings: Vec<_> = (0..4).map(|_| scope.spawn(stage)).collect();
        stagings.into_iter().map(|staging| staging.join().unwrap()).collect()
    });
    let refused = staged.iter().filter(|staged| **staged == Err(Refusal::NoRoom)).count();
    assert_eq!(refused, 3, "{staged:?}");
    assert!(leaves_reserve(disk.0.path(), 0).unwrap());
    // What was promised and not used is free again.
    spool.discard(staged.into_iter().find_map(Result::ok).unwrap().id).unwrap();
    assert!(self::stage(&spool, &large).is_ok());
}

#[test]
fn a_file_that_grows_while_it_is_copied_is_cut_short() {
    let state = tempfile::tempdir().unwrap();
    let settings = Settings { max_package_octets: 1000, ..Settings::new(state.path().to_owned()) };
    let spool = Spool::open(&settings, Family::Deb).unwrap();
    let path = package(state.path(), "grows");
    let source = spool.open_readable(&path).unwrap();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&[b' '; 2000]).unwrap();
    let mut copy = spool.receive(None).unwrap();
    assert_eq!(copy.fill(source, &CancelToken::default()), Err(Refusal::TooLarge { limit: 1000 }));
}

#[test]
fn a_disk_without_names_for_files_is_full() {
    let Some(disk) = SmallDisk::new("size=200m,nr_inodes=200") else { return };
    assert!(!leaves_reserve(disk.0.path(), 0).unwrap());
}
