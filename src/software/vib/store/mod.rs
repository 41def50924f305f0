//! Image stores: a folder with two boot banks, of which one holds the image that runs.
//!
//! A change is put together in a folder of its own, checked, written to the medium, and becomes valid by one rename; who is
//! stopped before it leaves the old image, who is stopped after it the new one.

mod acceptance;
mod arrangement;
mod banks;
mod boot_config;
mod boot_files;
mod creation;
mod damage;
mod database;
mod depot;
mod disk;
mod failure;
mod host;
mod layout;
mod lock;
mod names;
mod plain_file;
mod preparation;
mod reading;
mod recovery;
mod roll_back;
mod settings;
mod site;
mod source;
mod staging;
mod transaction;
mod watch;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use chrono::SubsecRound;

use self::disk::Disk;
use self::failure::cannot;
use self::layout::Layout;
use self::reading::read_snapshot;
use self::recovery::State;
use self::source::Source;
use self::transaction::{Coming, Transaction};
use self::watch::{StoreMarks, Watch};
use super::stop::{Stop, check_cancelled};
use super::{ImageError, ImageOperation, ImageOutcome, ImagePlan, ImageSnapshot, Rules};
use crate::software::{ApplyError, CancelToken, Phase, Progress};

pub use creation::NewImage;
pub use damage::{DamagedStore, OtherImage};
pub use host::HostSettings;
pub use settings::ImageSettings;

/// How far an operation is when it reads what there is to do, in percent.
const SCANNING: u8 = 10;

/// An image store.
///
/// The server reads snapshots, the worker makes changes; each opens the store for itself.
#[derive(Debug)]
pub struct ImageStore {
    layout: Layout,
    settings: ImageSettings,
    disk: Disk,
    snapshot: RwLock<Arc<ImageSnapshot>>,
    /// The marks of the files that the snapshot was read from.
    read: Mutex<StoreMarks>,
    watch: Mutex<Watch>,
}

impl ImageStore {
    /// Makes a store in a folder where there is none, with a first image that runs.
    pub fn create(folder: &Path, new: &NewImage, settings: ImageSettings) -> Result<Self, ImageError> {
        let disk = Disk::default();
        creation::create(&Layout::new(folder), new, &settings, &disk)?;
        Self::open_on(disk, folder, settings)
    }

    /// Whether there is a store in a folder, sound or not.
    pub fn is_in(folder: &Path) -> bool {
        let layout = Layout::new(folder);
        [layout.bootbank(), layout.altbootbank()].iter().any(|bank| bank.symlink_metadata().is_ok())
    }

    /// Opens the store in a folder and reads its snapshot. What somebody who was stopped left behind is put in order, if
    /// this process may and nobody else is at work there.
    pub fn open(folder: &Path, settings: ImageSettings) -> Result<Self, ImageError> {
        Self::open_on(Disk::default(), folder, settings)
    }

    fn open_on(disk: Disk, folder: &Path, settings: ImageSettings) -> Result<Self, ImageError> {
        let folder = folder.canonicalize().map_err(|error| failure::unreadable(folder, &error))?;
        let layout = Layout::new(&folder);
        // The watch and the marks come before the reading, so that no change falls between.
        let watch = Mutex::new(Watch::new(&layout));
        let (marks, snapshot) = read_snapshot(&layout, &settings, None)?;
        let (snapshot, read) = (RwLock::new(Arc::new(snapshot)), Mutex::new(marks));
        let store = Self { layout, settings, disk, snapshot, read, watch };
        store.recover_if_free();
        Ok(store)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.layout.folder()
    }

    /// What was read last. Answers from memory and never blocks.
    pub fn snapshot(&self) -> Arc<ImageSnapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the store again if it changed on disk, or if the host was booted; tells whether the snapshot was replaced.
    /// Blocks.
    pub fn refresh(&self) -> Result<bool, ImageError> {
        let mut read = locked(&self.read);
        if *read == watch::marks(&self.layout) {
            return Ok(false);
        }
        let old = self.snapshot();
        let (marks, new) = read_snapshot(&self.layout, &self.settings, Some(&old))?;
        *read = marks;
        if *old == new {
            return Ok(false);
        }
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        Ok(true)
    }

    /// Waits until the store may be other than the snapshot, at most `limit`; tells whether it may be.
    /// Blocks: a thread of its own calls it.
    pub fn wait_for_change(&self, limit: Duration) -> bool {
        locked(&self.watch).wait(&self.layout, || locked(&self.read).clone(), limit)
    }

    /// What an operation would make of the image; changes nothing. Reads the bundles' metadata. Blocks.
    pub fn plan(&self, operation: &ImageOperation, cancel: &CancelToken) -> Result<ImagePlan, Stop> {
        self.refresh()?;
        Ok(self.prepare(operation, cancel)?.plan)
    }

    /// Makes the change that is planned: in the other bank, with a greater number than both have.
    fn carry_out(
        &self,
        State { banks, boot }: &State,
        plan: &ImagePlan,
        source: &dyn Source,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<ImageOutcome, Stop> {
        database::refuse_unknown(&banks.next().folder.join(database::FILE))?;
        let updated = banks.next_number()?;
        let waits = plan.needs_reboot || banks.is_pending;
        let (state, staged_under) = banks.places.arrangement.coming(waits, boot);
        let change = Transaction { layout: &self.layout, disk: &self.disk, banks: Some(banks), plan, source, cancel };
        change.make(Coming { updated, state, staged_under }, progress)
    }

    fn rules(&self, snapshot: &ImageSnapshot) -> Rules {
        Rules { level: snapshot.next().profile.acceptance_level, at: self.settings.clock.now().trunc_subsecs(6) }
    }

    /// Does an operation and tells what came of it. Blocks until it is done. When it fails, or is cancelled, the images are
    /// as they were; a bank that is a link may have lost its image if there was no room for both, which is noted and told.
    pub fn apply(
        &self,
        operation: &ImageOperation,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<ImageOutcome, ApplyError> {
        let made = self.change(|state| {
            progress.phase(Phase::Scanning, SCANNING);
            let prepared = self.prepare(operation, cancel)?;
            check_cancelled(cancel)?;
            let plan = &prepared.plan;
            prepared.notes.iter().for_each(|note| progress.note(note));
            match operation {
                ImageOperation::RollBack => Ok(roll_back::roll_back(self, state, plan)?),
                _ if !plan.changes() => Ok(plan.outcome()),
                _ => self.carry_out(state, plan, prepared.source(), progress, cancel),
            }
        });
        made.map_err(ApplyError::from)
    }

    /// Goes back to the image before: to the one that runs, if another waits for a boot, or else to the one that ran before
    /// the last change. What was gone back from can be gone back to. Blocks.
    pub fn roll_back(&self) -> Result<ImageOutcome, ImageError> {
        self.change(|state| {
            let snapshot = self.snapshot();
            roll_back::roll_back(self, state, &ImagePlan::roll_back(&snapshot, &self.rules(&snapshot))?)
        })
    }

    /// Tells whether the host is in maintenance mode. Blocks.
    pub fn set_maintenance_mode(&self, is_on: bool) -> Result<(), ImageError> {
        self.change(|_| {
            let file = self.layout.host_file();
            let text = HostSettings::with_maintenance_mode(&file, is_on)?;
            self.disk.replace_file(&file, text.as_bytes()).map_err(|error| cannot("write host.toml", &error))
        })
    }

    /// Makes it as if the host was booted: an image that waits for a boot runs afterwards. Tells whether there was one.
    /// A host whose banks are links, and the one of the folder `/`, are booted otherwise. Blocks.
    pub fn mark_boot(&self) -> Result<bool, ImageError> {
        self.change(|at| {
            let now = self.settings.clock.now();
            recovery::write_boot_marker(&self.layout, at.banks.places.arrangement, now, &self.disk)?;
            Ok(at.banks.is_pending)
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
