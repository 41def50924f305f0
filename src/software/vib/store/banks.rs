//! The two banks of an image store, and which of them runs.
//!
//! A bank is a folder with everything of one image: `boot.cfg`, the database, the files of its payloads. What a bank's
//! `boot.cfg` says decides what it is, not its name: a newer bank that needs no boot, or that was booted, is the running
//! one even before the two have exchanged their names. So one rename of a whole bank is all it takes to commit a change.
//! Where banks are links, `bootbank` leads to the one that runs.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arrangement::{Arrangement, Places, Standing};
use super::boot_config::{self, BootConfig, BootState};
use super::damage::Damage;
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

/// A bank whose image cannot be read.
#[derive(Clone, Debug)]
pub(super) struct DamagedBank {
    /// Its folder.
    pub folder: PathBuf,
    /// What its boot configuration says, if that can be read.
    pub config: Option<BootConfig>,
    /// Why the image cannot be read.
    pub error: ImageError,
}

/// A bank that is there.
pub(super) type Found = Result<Bank, Box<DamagedBank>>;

impl Bank {
    /// Reads a bank; `None` if there is nothing in it, or if what its boot configuration says does not count.
    fn read(folder: PathBuf, known: &[Arc<Image>], counts: impl Fn(&BootConfig) -> bool) -> Option<Found> {
        let config = match read_config(&folder) {
            Ok(config) => config.filter(counts)?,
            Err(error) => return Some(Err(Box::new(DamagedBank { folder, config: None, error }))),
        };
        Some(match database::read(&folder.join(database::FILE), known) {
            Ok(image) => Ok(Self { folder, config, image: Arc::new(image) }),
            Err(error) => Err(Box::new(DamagedBank { folder, config: Some(config), error })),
        })
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
pub(super) fn check_digests(file: &Path, payload: &Payload) -> io::Result<()> {
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
    /// Where they lie.
    pub places: Places,
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
    /// Reads both; `known` are images whose descriptors may be shared. Fails if the image that runs cannot be read.
    pub(super) fn read(layout: &Layout, boot: &Boot, known: &[Arc<Image>]) -> Result<Self, ImageError> {
        Self::find(layout, boot, known).map_err(|damage| damage.error(layout))
    }

    /// The same, with what is left if the image that runs cannot be read.
    pub(super) fn find(layout: &Layout, boot: &Boot, known: &[Arc<Image>]) -> Result<Self, Box<Damage>> {
        let places = Places::find(layout).map_err(|error| Damage::of_links(layout, error))?;
        let first = read_first(&places, known);
        let own = first.as_ref().ok().map(|bank| Arc::clone(&bank.image));
        let known: Vec<_> = known.iter().cloned().chain(own).collect();
        let second = read_second(&places, &known);
        Self::of(places, first, second, boot)
    }

    fn of(places: Places, first: Found, second: Option<Found>, boot: &Boot) -> Result<Self, Box<Damage>> {
        let standing = places.arrangement.standing(config(&first), second.as_ref().and_then(config), boot);
        let (running, other) = match second {
            Some(second) if standing == Standing::Runs => (second, Some(first)),
            second => (first, second),
        };
        let (is_pending, is_exchange_due) = (standing == Standing::Waits, standing == Standing::Runs);
        match running {
            Ok(running) => {
                let other = other.and_then(sound);
                Ok(Self { places, running, is_pending: is_pending && other.is_some(), other, is_exchange_due })
            }
            Err(running) => Err(Box::new(Damage { places, running, other, is_pending, is_exchange_due })),
        }
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

/// The bank that runs unless the other one is newer. It must be there.
fn read_first(places: &Places, known: &[Arc<Image>]) -> Found {
    let folder = places.first.clone();
    // Where links tell what runs, its boot configuration need not let it be booted once more.
    let runs_in_any_state = places.arrangement == Arrangement::Linked;
    let counts = |config: &BootConfig| runs_in_any_state || config.state != BootState::Empty;
    Bank::read(folder.clone(), known, counts).unwrap_or_else(|| {
        let error = unreadable(&folder.join(BOOT_CONFIG), &rustix::io::Errno::NOENT.into());
        Err(Box::new(DamagedBank { folder, config: None, error }))
    })
}

/// The other one. What is behind a link is not swept, and may lie on another file system.
fn read_second(places: &Places, known: &[Arc<Image>]) -> Option<Found> {
    let folder = Some(places.second.clone()).filter(|folder| !folder.is_symlink())?;
    Bank::read(folder, known, |config| config.state != BootState::Empty)
}

/// An image that cannot be read cannot be booted or gone back to; the one that runs is none the worse for it.
fn sound(found: Found) -> Option<Bank> {
    found.inspect_err(|bank| tracing::warn!("the alternate boot bank is taken for empty: {}", bank.error)).ok()
}

/// What a bank's boot configuration says, if it can be read.
fn config(found: &Found) -> Option<&BootConfig> {
    match found {
        Ok(bank) => Some(&bank.config),
        Err(bank) => bank.config.as_ref(),
    }
}

/// Reads a bank's boot configuration; `None` if there is none.
fn read_config(folder: &Path) -> Result<Option<BootConfig>, ImageError> {
    let file = folder.join(BOOT_CONFIG);
    let read = plain_file::read(&file, boot_config::LONGEST)
        .and_then(|content| String::from_utf8(content).map_err(|_| io::ErrorKind::InvalidData.into()));
    let text = match read {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&file, &error)),
    };
    text.parse().map(Some).map_err(|(line, what)| malformed(&file, format!("line {line}: {what}")))
}
