//! A package database on disk: its snapshot in memory, and how its changes are noticed.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use inotify::{EventMask, Inotify, WatchMask};
use rustix::event::{PollFd, PollFlags};

use super::marks::Marks;
use super::tool::wait;
use super::{Inventory, ManagerError};

/// After a first sign of change, how long without another sign ends the wait; tools change databases in bursts.
const QUIET: Duration = Duration::from_millis(500);

/// The longest wait for quiet: a tool at work for minutes still shows its progress.
const LONGEST_BURST: Duration = Duration::from_secs(3);

/// How often the database is looked at where the kernel does not tell of changes.
const POLL: Duration = Duration::from_secs(1);

/// How an engine's database lies on disk.
pub(super) trait Format: Send + Sync + Debug {
    /// The folder in which changes show.
    fn folder(&self) -> &Path;

    /// The files that are different after a change.
    fn files(&self) -> Result<Vec<PathBuf>, ManagerError>;

    /// Reads all of it.
    fn read(&self) -> Result<Inventory, ManagerError>;

    /// What it means that a file of the folder was written or replaced.
    fn sign(&self, file: &OsStr) -> Sign;
}

/// What an event on a file of the database's folder means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing: reading alone causes it too.
    None,
    /// The database changes.
    Changing,
    /// The tool that changed it has finished.
    Finished,
}

/// A database with its snapshot.
#[derive(Debug)]
pub(super) struct Database<F> {
    format: F,
    inventory: RwLock<Arc<Inventory>>,
    /// The marks of the files that the snapshot was read from.
    read: Mutex<Marks>,
    watch: Mutex<Watch>,
}

#[derive(Debug, Default)]
struct Watch {
    inotify: Option<Inotify>,
    /// The marks that were last told to be new, so that a database that cannot be read is not told of in a loop.
    told: Option<Marks>,
}

impl<F: Format> Database<F> {
    /// Reads the database for the first time and starts to watch it.
    pub(super) fn open(format: F) -> Result<Self, ManagerError> {
        // The watch and the marks come before the reading, so that no change falls between.
        let inotify = watch_folder(format.folder());
        let marks = marks(&format)?;
        let inventory = RwLock::new(Arc::new(format.read()?));
        let watch = Mutex::new(Watch { inotify, told: None });
        Ok(Self { format, inventory, read: Mutex::new(marks), watch })
    }

    /// The current snapshot.
    pub(super) fn inventory(&self) -> Arc<Inventory> {
        Arc::clone(&self.inventory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The marks that its files have now.
    pub(super) fn marks(&self) -> Result<Marks, ManagerError> {
        marks(&self.format)
    }

    /// Reads again if the files changed; tells whether there is another snapshot now.
    pub(super) fn refresh(&self) -> Result<bool, ManagerError> {
        let mut read = lock(&self.read);
        let marks = marks(&self.format)?;
        if *read == marks {
            return Ok(false);
        }
        let new = self.format.read()?;
        *read = marks;
        let mut inventory = self.inventory.write().unwrap_or_else(PoisonError::into_inner);
        if inventory.packages() == new.packages() {
            return Ok(false);
        }
        *inventory = Arc::new(new);
        Ok(true)
    }

    /// Waits until the files are other than those of the snapshot, at most `limit`.
    pub(super) fn wait_for_change(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut watch = lock(&self.watch);
        if self.is_news(&mut watch) {
            return true;
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                watch.told = None;
                return self.is_news(&mut watch);
            }
            if watch.inotify.is_none() {
                watch.inotify = watch_folder(self.format.folder());
            }
            let signs = self.next_signs(&mut watch, left.min(LONGEST_BURST.max(POLL)));
            if signs == Sign::Changing {
                self.wait_for_quiet(&mut watch);
            }
            // Looked at without a sign too: a file system may tell of no changes.
            if self.is_news(&mut watch) {
                return true;
            }
        }
    }

    /// Whether the files differ from those of the snapshot in a way that was not told yet.
    fn is_news(&self, watch: &mut Watch) -> bool {
        // A database that cannot be looked at is for `refresh` to report; it counts as one state.
        let now = marks(&self.format).unwrap_or_default();
        if *lock(&self.read) == now || watch.told.as_ref() == Some(&now) {
            return false;
        }
        watch.told = Some(now);
        true
    }

    fn wait_for_quiet(&self, watch: &mut Watch) {
        let deadline = Instant::now() + LONGEST_BURST;
        while Instant::now() < deadline {
            let from = Instant::now();
            match self.next_signs(watch, QUIET) {
                Sign::Finished => return,
                Sign::None if from.elapsed() >= QUIET => return,
                Sign::None | Sign::Changing => {}
            }
        }
    }

    /// Waits for events and tells what they mean together: the last sign that means something.
    fn next_signs(&self, watch: &mut Watch, limit: Duration) -> Sign {
        let Some(inotify) = &mut watch.inotify else {
            // Nobody tells of changes here: this is the pace of looking.
            let _ = wait(&mut [], limit.min(POLL));
            return Sign::None;
        };
        let readable = wait(&mut [PollFd::new(inotify, PollFlags::IN)], limit);
        let mut buffer = [0; 4096];
        let events = match readable.and_then(|()| inotify.read_events(&mut buffer)) {
            Ok(events) => events,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Sign::None,
            Err(_) => {
                watch.inotify = None;
                return Sign::Changing;
            }
        };
        let mut last = Sign::None;
        let mut gone = false;
        for event in events {
            gone |= event.mask.intersects(EventMask::IGNORED | EventMask::MOVE_SELF);
            let sign = match event.name {
                Some(name) => self.format.sign(name),
                None => Sign::Changing,
            };
            if sign != Sign::None {
                last = sign;
            }
        }
        if gone {
            watch.inotify = None;
        }
        last
    }
}

/// Starts to watch a folder; `None` where that is not possible (too many watches, an odd file system).
fn watch_folder(folder: &Path) -> Option<Inotify> {
    let mask = WatchMask::MODIFY
        | WatchMask::CLOSE_WRITE
        | WatchMask::MOVED_TO
        | WatchMask::DELETE_SELF
        | WatchMask::MOVE_SELF;
    let inotify = Inotify::init().and_then(|inotify| inotify.watches().add(folder, mask).map(|_| inotify));
    inotify.inspect_err(|error| tracing::debug!("the package database is looked at every second: {error}")).ok()
}

fn marks(format: &impl Format) -> Result<Marks, ManagerError> {
    Ok(Marks::of(format.files()?))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// One file, `status`, whose lines are package names.
    #[derive(Debug)]
    struct Lines(PathBuf);

    impl Format for Lines {
        fn folder(&self) -> &Path {
            &self.0
        }

        fn files(&self) -> Result<Vec<PathBuf>, ManagerError> {
            Ok(vec![self.0.join("status")])
        }

        fn read(&self) -> Result<Inventory, ManagerError> {
            let path = self.0.join("status");
            let text = fs::read_to_string(&path).map_err(|source| ManagerError::Read { path, source })?;
            Ok(Inventory::new(text.lines().map(|name| {
                crate::software::Package::bare(
                    crate::software::Nevra::from_debian(name, "1", "all").unwrap(),
                    crate::software::PackageState::Installed,
                )
            })))
        }

        fn sign(&self, file: &OsStr) -> Sign {
            match file.as_encoded_bytes() {
                b"status" => Sign::Changing,
                b"lock" => Sign::Finished,
                _ => Sign::None,
            }
        }
    }

    fn replace(dir: &Path, text: &str) {
        fs::write(dir.join("status-new"), text).unwrap();
        fs::rename(dir.join("status-new"), dir.join("status")).unwrap();
        fs::write(dir.join("lock"), "").unwrap();
    }

    #[test]
    fn a_change_is_noticed_and_read_once() {
        let dir = tempfile::tempdir().unwrap();
        replace(dir.path(), "a\n");
        let database = Database::open(Lines(dir.path().into())).unwrap();
        assert!(!database.wait_for_change(Duration::ZERO));
        assert!(!database.refresh().unwrap());
        replace(dir.path(), "a\nb\n");
        assert!(database.wait_for_change(Duration::from_secs(60)));
        assert!(database.refresh().unwrap());
        assert_eq!(database.inventory().packages().len(), 2);
        assert!(!database.refresh().unwrap());
        replace(dir.path(), "b\na\n");
        assert!(!database.refresh().unwrap(), "the same packages are no change");
    }

    #[test]
    fn a_waiting_thread_is_woken() {
        let dir = tempfile::tempdir().unwrap();
        replace(dir.path(), "a\n");
        let database = Database::open(Lines(dir.path().into())).unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| database.wait_for_change(Duration::from_secs(60)));
            replace(dir.path(), "b\n");
            assert!(waiter.join().unwrap());
        });
    }

    #[test]
    fn an_unreadable_database_keeps_the_snapshot_and_is_told_of_once() {
        let dir = tempfile::tempdir().unwrap();
        replace(dir.path(), "a\n");
        let database = Database::open(Lines(dir.path().into())).unwrap();
        fs::remove_file(dir.path().join("status")).unwrap();
        assert!(database.wait_for_change(Duration::from_secs(60)));
        assert!(database.refresh().is_err());
        assert!(lock(&database.watch).told.is_some());
        assert!(!database.is_news(&mut lock(&database.watch)));
        assert_eq!(database.inventory().packages().len(), 1);
        replace(dir.path(), "c\nd\n");
        assert!(database.wait_for_change(Duration::from_secs(60)));
        assert!(database.refresh().unwrap());
    }
}
