//! How changes of an image store are noticed.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use super::banks::BOOT_CONFIG;
use super::database;
use super::layout::Layout;
use crate::software::marks::Marks;

/// How often the store is looked at where the kernel does not tell of changes.
const POLL: Duration = Duration::from_secs(1);

/// How often it is looked at all the same: a file system may tell of no changes.
const LONGEST_TRUST: Duration = Duration::from_secs(3);

/// What is another for every other state of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StoreMarks {
    /// The marks of all files that a snapshot is read from.
    files: Marks,
    /// Where banks that are links lead to: their files may be marked alike.
    links: [Option<PathBuf>; 2],
}

/// The marks that a store has now.
pub(super) fn marks(layout: &Layout) -> StoreMarks {
    let (first, second) = (layout.bootbank(), layout.altbootbank());
    let files = Marks::of(vec![
        first.join(BOOT_CONFIG),
        first.join(database::FILE),
        second.join(BOOT_CONFIG),
        second.join(database::FILE),
        layout.host_file(),
        layout.boot_marker(),
    ]);
    StoreMarks { files, links: [first, second].map(|bank| bank.read_link().ok()) }
}

/// A watch on the folder of an image store.
#[derive(Debug, Default)]
pub(super) struct Watch {
    inotify: Option<OwnedFd>,
    /// The marks that were last told to be new, so that a store that cannot be read is not told of in a loop.
    told: Option<StoreMarks>,
}

impl Watch {
    /// Starts to watch.
    pub(super) fn new(layout: &Layout) -> Self {
        Self { inotify: watch_folder(layout.folder()), told: None }
    }

    /// Waits until the files are other than those that `read` gives the marks of, at most `limit`.
    pub(super) fn wait(&mut self, layout: &Layout, read: impl Fn() -> StoreMarks, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let now = marks(layout);
            if now != read() && self.told.as_ref() != Some(&now) {
                self.told = Some(now);
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.told = None;
                return false;
            }
            if self.inotify.is_none() {
                self.inotify = watch_folder(layout.folder());
            }
            self.next_signs(left);
        }
    }

    /// Waits for something to happen in the folder.
    fn next_signs(&mut self, limit: Duration) {
        let Some(inotify) = &self.inotify else {
            let _ = ready(&mut [], limit.min(POLL));
            return;
        };
        let is_ready = ready(&mut [PollFd::new(inotify, PollFlags::IN)], limit.min(LONGEST_TRUST));
        if is_ready.and_then(|()| take_events(inotify)).is_err() {
            self.inotify = None;
        }
    }
}

/// Reads what happened; an error if the folder is watched no longer.
fn take_events(inotify: &OwnedFd) -> io::Result<()> {
    let mut buffer = [const { MaybeUninit::uninit() }; 4096];
    let mut events = inotify::Reader::new(inotify, &mut buffer);
    loop {
        match events.next() {
            Ok(event) if event.events().intersects(ReadFlags::IGNORED | ReadFlags::MOVE_SELF) => {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(_) => {}
            Err(rustix::io::Errno::AGAIN) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn ready(of: &mut [PollFd<'_>], limit: Duration) -> io::Result<()> {
    let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
    match poll(of, Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Starts to watch a folder; `None` where that is not possible (too many watches, an odd file system).
fn watch_folder(folder: &Path) -> Option<OwnedFd> {
    // What is created there may be a link that leads to another bank.
    let flags = WatchFlags::CLOSE_WRITE
        | WatchFlags::CREATE
        | WatchFlags::MOVED_TO
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF;
    let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
    let watched = inotify::add_watch(&inotify, folder, flags);
    watched.inspect_err(|error| tracing::debug!("the image store is looked at every second: {error}")).ok()?;
    Some(inotify)
}
