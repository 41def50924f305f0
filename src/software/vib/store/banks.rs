//! The two banks of an image store, and which of them runs.
//!
//! A bank is a folder with everything of one image: `boot.cfg`, the database, the files of its payloads. What a bank's
//! `boot.cfg` says decides what it is, not its name: a newer bank that needs no boot, or that was booted, is the running
//! one even before the two have exchanged their names. So one rename of a whole bank is all it takes to commit a change.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::boot_config::{self, BootConfig, BootState};
use super::database;
use super::failure::{malformed, unreadable};
use super::host::Boot;
use super::layout::Layout;
use super::{names, plain_file};
use crate::software::vib::digest::Digests;
use crate::software::vib::{Checksummed, Image, ImageError, Payload};

/// The name of a bank's boot configuration.
pub(super) const BOOT_CONFIG: &str = "boot.cfg";

/// How much of a payload is in memory at a time, in octets.
const PART: usize = 256 * 1024;

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
        // What is behind a link is not swept, and may lie on another file system.
        if folder.is_symlink() {
            return Err(malformed(&folder, "a boot bank is a folder, and this is a link"));
        }
        let Some(config) = read_config(&folder)? else { return Ok(None) };
        let image = Arc::new(database::read(&folder.join(database::FILE), known)?);
        Ok(Some(Self { folder, config, image }))
    }

    /// Fails unless the payloads of every VIB are there as they were installed. Reads them all.
    pub(super) fn check_whole(&self) -> Result<(), ImageError> {
        let vibs: HashMap<_, _> = self.image.vibs.iter().map(|vib| (vib.id(), vib)).collect();
        for named in &self.image.profile.vibs {
            let Some(vib) = vibs.get(&named.id) else { continue };
            for (payload, file) in &named.payloads {
                let Some(path) = names::path(vib, file).map(|path| self.folder.join(path)) else { continue };
                let described = vib.payloads.iter().find(|known| known.name == *payload);
                let checked = check_size(&path, described.map(|payload| payload.size))
                    .and_then(|()| described.map_or(Ok(()), |payload| check_digests(&path, payload)));
                checked.map_err(|error| malformed(&path, format!("payload {payload} of VIB {}: {error}", named.id)))?;
            }
        }
        Ok(())
    }
}

/// Fails unless a payload's file has the digests that its VIB tells.
fn check_digests(file: &Path, payload: &Payload) -> io::Result<()> {
    let mut digests = Digests::of(&payload.checksums, Checksummed::Stored)?;
    let mut content = BufReader::with_capacity(PART, plain_file::open(file)?);
    loop {
        let part = content.fill_buf()?;
        if part.is_empty() {
            break;
        }
        digests.update(part)?;
        let octets = part.len();
        content.consume(octets);
    }
    match digests.mismatch()? {
        None => Ok(()),
        Some(wrong) => Err(io::Error::other(format!(
            "its digest is {}, and it was installed with {}",
            wrong.calculated, wrong.expected
        ))),
    }
}

/// Fails unless a payload is a file with as many octets as it was installed with.
pub(super) fn check_size(file: &Path, installed: Option<u64>) -> io::Result<()> {
    let metadata = file.symlink_metadata()?;
    match metadata.is_file() && installed == Some(metadata.len()) {
        true => Ok(()),
        false => {
            Err(io::Error::other(format!("it has {} octets, and not as many as it was installed with", metadata.len())))
        }
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

    /// A greater number than both banks have, so that the bank that gets it is the newer one.
    pub(super) fn next_number(&self) -> Result<u64, ImageError> {
        let mut newest = &self.running;
        if let Some(other) = self.other.as_ref().filter(|other| other.config.updated > newest.config.updated) {
            newest = other;
        }
        newest.config.updated.checked_add(1).ok_or_else(|| {
            malformed(&newest.folder.join(BOOT_CONFIG), "updated is the greatest number there is, write a smaller one")
        })
    }

    /// The bank that changes are made from: the pending one, or else the one that runs.
    pub(super) fn next(&self) -> &Bank {
        self.pending().unwrap_or(&self.running)
    }
}

/// Whether a bank still waits for the boot that it was staged for. While either marker is missing nobody can tell of a boot.
fn waits(config: &BootConfig, boot: &Boot) -> bool {
    config.state == BootState::Waiting
        && match (&config.staged_under, &boot.marker) {
            (Some(then), Some(now)) => then == now,
            _ => true,
        }
}

/// Reads a bank's boot configuration; `None` if there is nothing in the bank.
fn read_config(folder: &Path) -> Result<Option<BootConfig>, ImageError> {
    let file = folder.join(BOOT_CONFIG);
    let read = plain_file::read(&file, boot_config::LONGEST)
        .and_then(|content| String::from_utf8(content).map_err(|_| io::ErrorKind::InvalidData.into()));
    let text = match read {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&file, &error)),
    };
    let config: BootConfig = text.parse().map_err(|(line, what)| malformed(&file, format!("line {line}: {what}")))?;
    Ok((config.state != BootState::Empty).then_some(config))
}
