//! The two banks of an image store, and which of them runs.
//!
//! A bank is a folder with everything of one image: `boot.cfg`, the database, the files of its payloads. What a bank's
//! `boot.cfg` says decides what it is, not its name: a newer bank that needs no boot, or that was booted, is the running
//! one even before the two have exchanged their names. So one rename of a whole bank is all it takes to commit a change.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::boot_config::{self, BootConfig, BootState};
use super::database;
use super::failure::{malformed, unreadable};
use super::host::Boot;
use super::layout::Layout;
use crate::software::vib::{Image, ImageError};

/// The name of a bank's boot configuration.
pub(super) const BOOT_CONFIG: &str = "boot.cfg";

/// One bank.
#[derive(Clone, Debug)]
pub(super) struct Bank {
    /// Its folder, as it is named now.
    pub folder: PathBuf,
    /// Its boot configuration.
    pub config: BootConfig,
    /// The image in it.
    pub image: Arc<Image>,
}

impl Bank {
    /// Reads a bank; `None` if there is nothing in it.
    fn read(folder: PathBuf, known: &[Arc<Image>]) -> Result<Option<Self>, ImageError> {
        let Some(config) = read_config(&folder)? else { return Ok(None) };
        let image = Arc::new(database::read(&folder.join(database::FILE), known)?);
        Ok(Some(Self { folder, config, image }))
    }
}

/// The banks, by what they are for.
#[derive(Clone, Debug)]
pub(super) struct Banks {
    /// The bank of the image that runs.
    pub running: Bank,
    /// The other one.
    pub other: Option<Bank>,
    /// Whether the other one waits for a boot; else it is the image before.
    pub is_pending: bool,
    /// Whether the running one still has the name of the other.
    pub is_exchange_due: bool,
}

impl Banks {
    /// Reads both; `known` are images whose descriptors may be shared.
    pub(super) fn read(layout: &Layout, boot: &Boot, known: &[Arc<Image>]) -> Result<Self, ImageError> {
        let file = layout.bootbank().join(BOOT_CONFIG);
        let first = Bank::read(layout.bootbank(), known)?;
        let first = first.ok_or_else(|| unreadable(&file, &io::ErrorKind::NotFound.into()))?;
        let known: Vec<_> = known.iter().cloned().chain([Arc::clone(&first.image)]).collect();
        // An image that cannot be read cannot be booted or gone back to; the one that runs is none the worse for it.
        let second = Bank::read(layout.altbootbank(), &known).unwrap_or_else(|error| {
            tracing::warn!("the alternate boot bank is taken for empty: {error}");
            None
        });
        Ok(Self::of(first, second, boot))
    }

    fn of(first: Bank, second: Option<Bank>, boot: &Boot) -> Self {
        let Some(second) = second else {
            return Self { running: first, other: None, is_pending: false, is_exchange_due: false };
        };
        let is_newer = second.config.updated > first.config.updated;
        if is_newer && !waits(&second.config, boot) {
            return Self { running: second, other: Some(first), is_pending: false, is_exchange_due: true };
        }
        Self { running: first, other: Some(second), is_pending: is_newer, is_exchange_due: false }
    }

    /// The image that comes after the next boot, if that is another.
    pub(super) fn pending(&self) -> Option<&Bank> {
        self.other.as_ref().filter(|_| self.is_pending)
    }

    /// The image that was there before.
    pub(super) fn previous(&self) -> Option<&Bank> {
        self.other.as_ref().filter(|_| !self.is_pending)
    }

    /// The bank that changes are made from: the pending one, or else the one that runs.
    pub(super) fn next(&self) -> &Bank {
        self.pending().unwrap_or(&self.running)
    }
}

/// Whether a bank still waits for the boot that it was staged for.
fn waits(config: &BootConfig, boot: &Boot) -> bool {
    config.state == BootState::Waiting && config.staged_under.as_ref().is_none_or(|marker| *marker == boot.marker)
}

/// Reads a bank's boot configuration; `None` if there is nothing in the bank.
fn read_config(folder: &Path) -> Result<Option<BootConfig>, ImageError> {
    let file = folder.join(BOOT_CONFIG);
    let mut text = String::new();
    let read = File::open(&file).and_then(|file| file.take(boot_config::LONGEST).read_to_string(&mut text));
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&file, &error)),
    }
    let config: BootConfig = text.parse().map_err(|(line, what)| malformed(&file, format!("line {line}: {what}")))?;
    Ok((config.state != BootState::Empty).then_some(config))
}
