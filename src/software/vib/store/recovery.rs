//! Putting a store in order, before a change and after it: what somebody left behind is swept away, and the running bank gets
//! its name.

use std::io;

use super::ImageStore;
use super::banks::{BOOT_CONFIG, Bank, Banks};
use super::boot_config::{BootConfig, BootState};
use super::database;
use super::failure::cannot;
use super::host::Boot;
use super::lock::Lock;
use super::reading::images;
use crate::software::vib::ImageError;

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
        self.sweep().map_err(done)?;
        let boot = Boot::read(&self.layout)?;
        let snapshot = self.snapshot();
        let known = images(&snapshot);
        let banks = Banks::read(&self.layout, &boot, &known)?;
        if banks.is_exchange_due {
            self.exchange(&banks.running).map_err(done)?;
        } else if let Some(pending) = banks.pending().filter(|bank| bank.config.staged_under.is_none()) {
            self.note_boot(pending, &boot).map_err(done)?;
        } else {
            return Ok(State { boot, banks });
        }
        let banks = Banks::read(&self.layout, &boot, &known)?;
        Ok(State { boot, banks })
    }

    /// Removes what somebody left behind who was stopped.
    fn sweep(&self) -> io::Result<()> {
        let leftovers = self.layout.leftovers()?;
        if !leftovers.is_empty() {
            // What lost its name may have it again after a power cut, unless its loss is on the medium.
            self.disk.sync_folder(self.layout.folder())?;
        }
        leftovers.iter().try_for_each(|folder| self.disk.remove_folder(folder))?;
        let banks = [self.layout.bootbank(), self.layout.altbootbank()].into_iter().filter(|bank| !bank.is_symlink());
        let in_banks = banks.flat_map(|bank| [bank.join(BOOT_CONFIG), bank.join(database::FILE)]);
        let mut files = in_banks.chain([self.layout.host_file(), self.layout.boot_marker()]);
        files.try_for_each(|file| self.disk.sweep_replacement(&file))
    }

    /// Notes for a bank that somebody else staged which boot it is now; it waits for another one.
    fn note_boot(&self, pending: &Bank, boot: &Boot) -> io::Result<()> {
        let config = BootConfig { staged_under: Some(boot.mark()), ..pending.config.clone() };
        self.disk.replace_file(&pending.folder.join(BOOT_CONFIG), config.to_string().as_bytes())
    }

    /// Gives the running bank its name.
    fn exchange(&self, running: &Bank) -> io::Result<()> {
        let config = BootConfig { state: BootState::Booted, staged_under: None, ..running.config.clone() };
        if config != running.config {
            self.disk.replace_file(&running.folder.join(BOOT_CONFIG), config.to_string().as_bytes())?;
        }
        self.disk.exchange(&self.layout.altbootbank(), &self.layout.bootbank())?;
        self.disk.sync_renamed(self.layout.folder());
        Ok(())
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
