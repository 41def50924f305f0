//! Image stores: a folder with two boot banks, of which one holds the image that runs.
//!
//! A change is put together in a folder of its own, checked, written to the medium, and becomes valid by one rename; who is
//! stopped before it leaves the old image, who is stopped after it the new one.

mod banks;
mod boot_config;
mod creation;
mod database;
mod depot;
mod disk;
mod failure;
mod host;
mod layout;
mod lock;
mod names;
mod roll_back;
mod settings;
mod source;
mod staging;
mod transaction;
mod watch;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use chrono::SubsecRound;

use self::banks::{BOOT_CONFIG, Bank, Banks};
use self::boot_config::{BootConfig, BootState};
use self::depot::Depot;
use self::disk::Disk;
use self::failure::cannot;
use self::host::{BASE, Boot};
use self::layout::Layout;
use self::lock::Lock;
use self::source::{NoSource, Source};
use self::transaction::{Stop, Transaction, check_cancelled};
use self::watch::Watch;
use super::{
    AcceptanceLevel, Candidate, Descriptor, Image, ImageError, ImageErrorClass, ImageOperation, ImageOutcome,
    ImagePlan, ImageSnapshot, Rules,
};
use crate::software::marks::Marks;
use crate::software::{ApplyError, CancelToken, Phase, Progress};

pub use creation::NewImage;
pub use host::HostSettings;
pub use settings::ImageSettings;

/// How far an operation is when it reads what there is to do, in percent.
const SCANNING: u8 = 10;

/// How often a store that changes while it is read is read anew.
const MOST_ATTEMPTS: usize = 10;

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
    read: Mutex<Marks>,
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
        layout.bootbank().exists() || layout.altbootbank().exists()
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
    pub fn plan(&self, operation: &ImageOperation) -> Result<ImagePlan, ImageError> {
        self.refresh()?;
        Ok(self.prepare(operation)?.plan)
    }

    fn prepare(&self, operation: &ImageOperation) -> Result<Prepared, ImageError> {
        let snapshot = self.snapshot();
        let rules = self.rules(&snapshot);
        let (plan, depot) = match operation {
            ImageOperation::RollBack => (ImagePlan::roll_back(&snapshot, &rules)?, None),
            ImageOperation::Remove { vibs } => (ImagePlan::remove(&snapshot, vibs, &rules)?, None),
            ImageOperation::Install { bundles, bulletins } => {
                let depot = Depot::open(bundles, &self.settings.trust, rules.at)?;
                let candidates = Candidate::select(&snapshot.host, &depot.catalogue()?, bulletins.as_deref())?;
                (ImagePlan::install(&snapshot, &candidates, &rules)?, Some(depot))
            }
        };
        Ok(Prepared { plan, depot })
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
        let newest = banks.other.iter().chain([&banks.running]).map(|bank| bank.config.updated).max().unwrap_or(0);
        let waits = plan.needs_reboot || banks.is_pending;
        let change =
            Transaction { layout: &self.layout, disk: &self.disk, base: Some(banks.next()), plan, source, cancel };
        let staged_under = waits.then(|| boot.marker.clone());
        change.make(&self.layout.altbootbank(), newest.saturating_add(1), staged_under, progress)
    }

    fn rules(&self, snapshot: &ImageSnapshot) -> Rules {
        Rules {
            level: snapshot.next().profile.acceptance_level,
            at: self.settings.clock.now().trunc_subsecs(6),
            allow_downgrades: false,
            force: false,
        }
    }

    /// Does an operation and tells what came of it. Blocks until it is done. When it fails, or is cancelled, the images are
    /// as they were.
    pub fn apply(
        &self,
        operation: &ImageOperation,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<ImageOutcome, ApplyError> {
        let made = self.change(|state| {
            progress.phase(Phase::Scanning, SCANNING);
            let prepared = self.prepare(operation)?;
            check_cancelled(cancel)?;
            let plan = &prepared.plan;
            match operation {
                ImageOperation::RollBack => Ok(roll_back::roll_back(self, state, plan)?),
                _ if !plan.changes() => Ok(plan.outcome()),
                _ => self.carry_out(state, plan, prepared.source(), progress, cancel),
            }
        });
        made.map_err(|stop| match stop {
            Stop::Cancelled => ApplyError::Cancelled,
            Stop::Failed(error) => ApplyError::Image(error),
        })
    }

    /// Goes back to the image before: to the one that runs, if another waits for a boot, or else to the one that ran before
    /// the last change. What was gone back from can be gone back to. Blocks.
    pub fn roll_back(&self) -> Result<ImageOutcome, ImageError> {
        self.change(|state| roll_back::roll_back(self, state, &self.prepare(&ImageOperation::RollBack)?.plan))
    }

    /// Sets which acceptance level the host asks for. It may not be above that of a VIB that is installed. Blocks.
    pub fn set_acceptance_level(&self, level: AcceptanceLevel) -> Result<(), ImageError> {
        if self.settings.acceptance_level.is_some() {
            let text = "The acceptance level is told in this service's settings. Change it there.";
            return Err(ImageError::new(ImageErrorClass::AcceptanceConfigError, text));
        }
        self.change(|at| {
            let banks = [Some(&at.banks.running), at.banks.pending()];
            for bank in banks.iter().flatten() {
                bank.image.vibs.iter().try_for_each(|vib| check_level(vib, level))?;
            }
            // The one that counts for the next change comes first.
            banks.iter().rev().flatten().try_for_each(|bank| self.write_level(bank, level))
        })
    }

    fn write_level(&self, bank: &Bank, level: AcceptanceLevel) -> Result<(), ImageError> {
        let mut image = Image::clone(&bank.image);
        image.profile.acceptance_level = level;
        let written = database::write(&image, Vec::new())
            .and_then(|content| self.disk.replace_file(&bank.folder.join(database::FILE), &content));
        written.map_err(|error| cannot("write the image's database", &error))
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
    /// The folder `/` is the host's own, which is booted otherwise. Blocks.
    pub fn mark_boot(&self) -> Result<bool, ImageError> {
        if self.layout.is_own_host() {
            let text = "This image store is the host's own. Boot the host instead.";
            return Err(ImageError::new(ImageErrorClass::ValueError, text));
        }
        self.change(|at| {
            let marker = format!("{}\n", uuid::Uuid::new_v4());
            let written = self.disk.replace_file(&self.layout.boot_marker(), marker.as_bytes());
            written.map_err(|error| cannot("write the boot marker", &error))?;
            Ok(at.banks.is_pending)
        })
    }

    /// Makes a change while nobody else does, from banks that are in order, and leaves them in order.
    fn change<T, E: From<ImageError>>(&self, make: impl FnOnce(&State) -> Result<T, E>) -> Result<T, E> {
        let _lock = Lock::take(&self.layout.lock_file(), self.settings.lock_timeout)?;
        let state = self.recover()?;
        self.refresh()?;
        let made = make(&state);
        // A change that is valid stays so even if its remains cannot be put in order now; the next one does it.
        if let Err(error) = self.recover() {
            tracing::warn!("the image store is put in order at its next change: {error}");
        }
        // As with others who read the store, so with this one: the next reading tells what is wrong.
        if let Err(error) = self.refresh() {
            tracing::warn!("the image store cannot be read again: {error}");
        }
        made
    }

    /// Sweeps away what was left behind and gives banks the names that they should have. Only who holds the lock may.
    fn recover(&self) -> Result<State, ImageError> {
        let done = |error| cannot("put the image store in order", &error);
        for folder in self.layout.leftovers().map_err(done)? {
            self.disk.remove_folder(&folder).map_err(done)?;
        }
        let (first, second) = (self.layout.bootbank(), self.layout.altbootbank());
        let in_banks =
            [&first, &second].into_iter().flat_map(|bank| [bank.join(BOOT_CONFIG), bank.join(database::FILE)]);
        for file in in_banks.chain([self.layout.host_file(), self.layout.boot_marker()]) {
            self.disk.sweep_replacement(&file).map_err(done)?;
        }
        let boot = Boot::read(&self.layout)?;
        let snapshot = self.snapshot();
        let known = images(&snapshot);
        let banks = Banks::read(&self.layout, &boot, &known)?;
        if !banks.is_exchange_due {
            return Ok(State { boot, banks });
        }
        self.exchange(&banks.running).map_err(done)?;
        let banks = Banks::read(&self.layout, &boot, &known)?;
        Ok(State { boot, banks })
    }

    /// Gives the running bank its name.
    fn exchange(&self, running: &Bank) -> std::io::Result<()> {
        let config = BootConfig { state: BootState::Booted, staged_under: None, ..running.config.clone() };
        if config != running.config {
            self.disk.replace_file(&running.folder.join(BOOT_CONFIG), config.to_string().as_bytes())?;
        }
        self.disk.exchange(&self.layout.altbootbank(), &self.layout.bootbank())?;
        self.disk.sync_folder(self.layout.folder())
    }

    /// Puts the store in order if this process may; a reader may not, and sees the right banks all the same.
    fn recover_if_free(&self) {
        match Lock::try_take(&self.layout.lock_file()) {
            Ok(Some(_lock)) => {
                if let Err(error) = self.recover() {
                    tracing::debug!("the image store is put in order at its next change: {error}");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::debug!("the image store is not put in order: {error}"),
        }
    }
}

/// An operation that is planned.
#[derive(Debug)]
struct Prepared {
    plan: ImagePlan,
    /// Where its VIBs come from.
    depot: Option<Depot>,
}

impl Prepared {
    fn source(&self) -> &dyn Source {
        match &self.depot {
            Some(depot) => depot,
            None => &NoSource,
        }
    }
}

/// A store as it is while its lock is held.
#[derive(Debug)]
struct State {
    boot: Boot,
    banks: Banks,
}

/// Reads a snapshot, and the marks of the files that it was read from.
fn read_snapshot(
    layout: &Layout,
    settings: &ImageSettings,
    old: Option<&ImageSnapshot>,
) -> Result<(Marks, ImageSnapshot), ImageError> {
    let known = old.map(images).unwrap_or_default();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let marks = watch::marks(layout);
        let snapshot = read_once(layout, settings, &known);
        // A change while it was read may have shown it half of the one image and half of the other.
        if attempts == MOST_ATTEMPTS || marks == watch::marks(layout) {
            return Ok((marks, snapshot?));
        }
    }
}

fn read_once(layout: &Layout, settings: &ImageSettings, known: &[Arc<Image>]) -> Result<ImageSnapshot, ImageError> {
    let boot = Boot::read(layout)?;
    let facts = HostSettings::read(&layout.host_file())?;
    let banks = Banks::read(layout, &boot, known)?;
    let shown = |bank: &Bank| with_level(&bank.image, settings.acceptance_level);
    Ok(ImageSnapshot {
        host: facts.host(banks.running.image.named(BASE).map(|vib| &**vib), boot.at),
        running: shown(&banks.running),
        pending: banks.pending().map(shown),
        previous: banks.previous().map(|bank| Arc::clone(&bank.image)),
    })
}

/// The image with the acceptance level that the settings tell, if they do.
fn with_level(image: &Arc<Image>, level: Option<AcceptanceLevel>) -> Arc<Image> {
    match level.filter(|level| *level != image.profile.acceptance_level) {
        Some(level) => {
            let mut image = Image::clone(image);
            image.profile.acceptance_level = level;
            Arc::new(image)
        }
        None => Arc::clone(image),
    }
}

fn images(snapshot: &ImageSnapshot) -> Vec<Arc<Image>> {
    let others = snapshot.pending.iter().chain(&snapshot.previous);
    [&snapshot.running].into_iter().chain(others).map(Arc::clone).collect()
}

/// Refuses a level that an installed VIB does not reach.
fn check_level(vib: &Arc<Descriptor>, level: AcceptanceLevel) -> Result<(), ImageError> {
    if vib.acceptance_level >= level {
        return Ok(());
    }
    let class = ImageErrorClass::AcceptanceConfigError;
    let text = format!(
        "VIB {}'s acceptance level is {}, which is not compliant with the ImageProfile acceptance level {level}. \
         Remove the VIB first, or choose a lower level.",
        vib.id(),
        vib.acceptance_level
    );
    Err(ImageError::new(class, text).of([vib.id()]))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
