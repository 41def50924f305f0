//! Stores whose running image cannot be read, and what can be done with them: another image can be gone back to.

use std::path::Path;
use std::sync::Arc;

use super::arrangement::{Arrangement, Places};
use super::banks::{BOOT_CONFIG, Bank, Banks, DamagedBank, Found};
use super::boot_config::BootConfig;
use super::disk::Disk;
use super::failure::{cannot, malformed};
use super::host::Boot;
use super::layout::Layout;
use super::lock::Lock;
use super::recovery::{exchange, sweep, write_boot_marker};
use super::{ImageSettings, failure};
use crate::software::vib::{Image, ImageError, ImageErrorClass};

/// A store whose running image cannot be read.
#[derive(Debug)]
pub struct DamagedStore {
    layout: Layout,
    settings: ImageSettings,
    disk: Disk,
    damage: Damage,
}

/// What is left of a store whose running image cannot be read.
#[derive(Clone, Debug)]
pub(super) struct Damage {
    /// Where the banks lie.
    pub places: Places,
    /// The bank of the image that runs.
    pub running: Box<DamagedBank>,
    /// The other one.
    pub other: Option<Found>,
    /// Whether the other one waits for a boot.
    pub is_pending: bool,
    /// Whether the running one still has the name of the other.
    pub is_exchange_due: bool,
}

/// What the other bank of a damaged store has.
#[derive(Clone, Debug)]
pub enum OtherImage {
    /// Nothing.
    None,
    /// An image that is whole.
    Whole {
        /// The image.
        image: Arc<Image>,
        /// Whether it runs after the next boot.
        waits: bool,
    },
    /// An image that is damaged too.
    Damaged(ImageError),
}

impl DamagedStore {
    /// Opens the store in a folder; `None` if its running image can be read. Changes nothing.
    pub fn open(folder: &Path, settings: ImageSettings) -> Result<Option<Self>, ImageError> {
        Self::open_on(Disk::default(), folder, settings)
    }

    pub(super) fn open_on(disk: Disk, folder: &Path, settings: ImageSettings) -> Result<Option<Self>, ImageError> {
        let folder = folder.canonicalize().map_err(|error| failure::unreadable(folder, &error))?;
        let layout = Layout::new(&folder);
        let damage = Banks::find(&layout, &Boot::read(&layout)?, &[]).err();
        Ok(damage.map(|damage| Self { layout, settings, disk, damage: *damage }))
    }

    /// What is wrong with the image that runs, and what to do.
    pub fn error(&self) -> ImageError {
        self.damage.error(&self.layout)
    }

    /// What the other bank has. Reads all its payloads.
    pub fn other(&self) -> OtherImage {
        match &self.damage.other {
            None => OtherImage::None,
            Some(Err(bank)) => OtherImage::Damaged(bank.error.clone()),
            Some(Ok(bank)) => match bank.check_whole() {
                Ok(()) => OtherImage::Whole { image: Arc::clone(&bank.image), waits: self.damage.is_pending },
                Err(error) => OtherImage::Damaged(error),
            },
        }
    }

    /// Has the image of the other bank run after the next boot, if it is whole. Which VIBs run now nobody can tell, so it
    /// always takes a boot. Blocks.
    pub fn roll_back(&self) -> Result<(), ImageError> {
        self.change(|damage, boot| {
            let other = damage.whole(&self.layout)?;
            if damage.is_pending {
                return Ok(());
            }
            let (state, staged_under) = damage.places.arrangement.coming(true, boot);
            let updated = damage.next_number(other)?;
            let config = BootConfig { state, updated, staged_under, ..other.config.clone() };
            let written = self.disk.replace_file(&other.folder.join(BOOT_CONFIG), config.to_string().as_bytes());
            written.map_err(|error| cannot("write boot.cfg", &error))
        })
    }

    /// Makes it as if the host was booted: the image that waits for it runs afterwards. Fails if none does. Blocks.
    pub fn mark_boot(&self) -> Result<(), ImageError> {
        self.change(|damage, _| {
            if !damage.is_pending {
                return Err(damage.error(&self.layout));
            }
            damage.whole(&self.layout)?;
            let now = self.settings.clock.now();
            write_boot_marker(&self.layout, damage.places.arrangement, now, &self.disk)
        })
    }

    /// Makes a change while nobody else does, of banks that have the names that they should have.
    fn change(&self, make: impl FnOnce(&Damage, &Boot) -> Result<(), ImageError>) -> Result<(), ImageError> {
        let _lock = Lock::take(&self.layout.lock_file(), self.settings.lock_timeout)?;
        // Where there are not two banks nothing is put in order.
        Places::find(&self.layout)?;
        let in_order = |error| cannot("put the image store in order", &error);
        let boot = Boot::read(&self.layout)?;
        let Err(damage) = Banks::find(&self.layout, &boot, &[]) else { return Err(sound_again()) };
        sweep(&self.layout, &damage.places, &self.disk).map_err(in_order)?;
        let damage = match damage.is_exchange_due {
            true => {
                exchange(&self.layout, &self.disk).map_err(in_order)?;
                let Err(damage) = Banks::find(&self.layout, &boot, &[]) else { return Err(sound_again()) };
                damage
            }
            false => damage,
        };
        make(&damage, &boot)
    }
}

impl Damage {
    /// That of a store whose links cannot be followed.
    pub(super) fn of_links(layout: &Layout, error: ImageError) -> Box<Self> {
        let (first, second) = (layout.bootbank(), layout.altbootbank());
        let running = Box::new(DamagedBank { folder: first.clone(), config: None, error });
        let places = Places { arrangement: Arrangement::Linked, first, second };
        Box::new(Self { places, running, other: None, is_pending: false, is_exchange_due: false })
    }

    /// What is wrong with the image that runs, and what to do.
    pub(super) fn error(&self, layout: &Layout) -> ImageError {
        let error = self.running.error.clone();
        let Some(Ok(_)) = &self.other else { return error };
        let class = error.class;
        let folder = layout.folder().display();
        let is_booted_by_us = !layout.is_own_host() && self.places.arrangement == Arrangement::Exchanged;
        let advice = match self.is_pending {
            true if !is_booted_by_us => "The other boot bank has an image that runs after the next boot.".to_owned(),
            true => format!(
                "The other boot bank has an image that runs after the next boot, which `quartermaster image boot {folder}` \
                 tells of."
            ),
            false => format!(
                "The other boot bank has the image before: `quartermaster image roll-back {folder}` goes back to it."
            ),
        };
        error.map_text(|text| format!("{} {advice}", text.strip_suffix(class.advice()).unwrap_or(&text).trim_end()))
    }

    /// The other bank, if everything of its image is there.
    fn whole(&self, layout: &Layout) -> Result<&Bank, ImageError> {
        match &self.other {
            Some(Ok(other)) => other.check_whole().map(|()| other),
            Some(Err(other)) => Err(other.error.clone()),
            None => Err(self.error(layout)),
        }
    }

    /// A greater number than both banks have, as far as that can be read.
    fn next_number(&self, other: &Bank) -> Result<u64, ImageError> {
        let damaged = self.running.config.as_ref().map_or(0, |config| config.updated);
        let newest = if damaged > other.config.updated { &self.running.folder } else { &other.folder };
        damaged.max(other.config.updated).checked_add(1).ok_or_else(|| {
            malformed(&newest.join(BOOT_CONFIG), "updated is the greatest number there is, write a smaller one")
        })
    }
}

/// Somebody else was quicker.
fn sound_again() -> ImageError {
    let class = ImageErrorClass::DatabaseIOError;
    ImageError::new(class, "The image that runs can be read again. Look at the image store once more.")
}
