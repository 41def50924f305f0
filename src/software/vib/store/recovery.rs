//! Putting a store in order, before a change and after it: what somebody left behind is swept away, and the running bank gets
//! its name.

use std::io;

use chrono::{DateTime, Utc};

use super::ImageStore;
use super::arrangement::{Arrangement, Places};
use super::banks::{BOOT_CONFIG, Bank, Banks};
use super::boot_config::{BootConfig, BootState};
use super::database;
use super::disk::Disk;
use super::failure::cannot;
use super::host::Boot;
use super::layout::Layout;
use super::lock::Lock;
use super::reading::images;
use super::site;
use crate::software::vib::{ImageError, ImageErrorClass};

/// A store as it is while its lock is held.
#[derive(Debug)]
pub(super) struct State {
    pub boot: Boot,
    pub banks: Banks,
}

impl ImageStore {
    /// Makes a change while nobody else does, from banks that are in order, and leaves them in order.
    pub(super) fn change<T, E: From<ImageError>>(&self, make: impl FnOnce(&State) -> Result<T, E>) -> Result<T, E> {
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
        sweep(&self.layout, &Places::find(&self.layout)?, &self.disk).map_err(done)?;
        let boot = Boot::read(&self.layout)?;
        let snapshot = self.snapshot();
        let known = images(&snapshot);
        let read = || Banks::read(&self.layout, &boot, &known);
        let mut banks = read()?;
        if banks.is_exchange_due {
            exchange(&self.layout, &self.disk).map_err(done)?;
            banks = read()?;
        }
        if let Some((bank, config)) = unsettled(&banks, &boot) {
            let written = self.disk.replace_file(&bank.folder.join(BOOT_CONFIG), config.to_string().as_bytes());
            written.map_err(done)?;
            banks = read()?;
        }
        Ok(State { boot, banks })
    }

    /// Puts the store in order if this process may; a reader may not, and sees the right banks all the same.
    pub(super) fn recover_if_free(&self) {
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

/// Removes what somebody left behind who was stopped.
pub(super) fn sweep(layout: &Layout, places: &Places, disk: &Disk) -> io::Result<()> {
    let leftovers = layout.leftovers()?;
    if !leftovers.is_empty() {
        // What lost its name may have it again after a power cut, unless its loss is on the medium.
        disk.sync_folder(layout.folder())?;
    }
    let within = site::leftover(places);
    leftovers.iter().chain(&within).try_for_each(|folder| disk.remove_folder(folder))?;
    let banks = [&places.first, &places.second].into_iter().filter(|bank| !bank.is_symlink());
    let in_banks = banks.flat_map(|bank| [bank.join(BOOT_CONFIG), bank.join(database::FILE)]);
    let mut files = in_banks.chain([layout.host_file(), layout.boot_marker()]);
    files.try_for_each(|file| disk.sweep_replacement(&file))
}

/// Gives the running bank its name. From then on it runs whatever its boot configuration says of a boot.
pub(super) fn exchange(layout: &Layout, disk: &Disk) -> io::Result<()> {
    let (running, name) = (layout.altbootbank(), layout.bootbank());
    match name.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => disk.rename(&running, &name)?,
        _ => disk.exchange(&running, &name)?,
    }
    disk.sync_renamed(layout.folder());
    Ok(())
}

/// Tells of another boot, which was then.
pub(super) fn write_boot_marker(
    layout: &Layout,
    arrangement: Arrangement,
    booted: DateTime<Utc>,
    disk: &Disk,
) -> Result<(), ImageError> {
    let refused = match arrangement {
        _ if layout.is_own_host() => "This image store is the host's own. Boot the host instead.",
        Arrangement::Linked => {
            "The boot banks of this store are links, which the start of its host makes. Boot the host instead."
        }
        Arrangement::Exchanged => {
            let marker = format!("{}\n", uuid::Uuid::new_v4());
            let written = disk.replace_file_at(&layout.boot_marker(), marker.as_bytes(), booted);
            return written.map_err(|error| cannot("write the boot marker", &error));
        }
    };
    Err(ImageError::new(ImageErrorClass::ValueError, refused))
}

/// A bank whose boot configuration should say something else: the one that runs was booted, and one that somebody else staged
/// waits for another boot than the one that it is now. Where links tell of boots nothing needs to be said.
fn unsettled<'a>(banks: &'a Banks, boot: &Boot) -> Option<(&'a Bank, BootConfig)> {
    if banks.places.arrangement == Arrangement::Linked {
        return None;
    }
    let Bank { config, .. } = &banks.running;
    if config.state != BootState::Booted || config.staged_under.is_some() {
        let settled = BootConfig { state: BootState::Booted, staged_under: None, ..config.clone() };
        return Some((&banks.running, settled));
    }
    let pending = banks.pending().filter(|bank| bank.config.staged_under.is_none())?;
    Some((pending, BootConfig { staged_under: Some(boot.mark()), ..pending.config.clone() }))
}
