//! Where a new image is put together, and how it becomes the image of a bank.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::arrangement::{Arrangement, Places};
use super::banks::{BOOT_CONFIG, Bank, Banks, check_digests, check_size};
use super::boot_config::{BootConfig, BootState};
use super::disk::Disk;
use super::layout::Layout;
use super::names;
use crate::software::disk::fits;
use crate::software::vib::{Descriptor, Image, Payload, ProfileVib};

/// The folder in a linked bank in which an image is put together.
const STAGING: &str = "staging";

/// What the database of an image may grow by, and other small files, in octets.
const SMALL_FILES: u64 = 4 * 1024 * 1024;

/// The bank that a new image is for, and what of it stays.
#[derive(Debug)]
pub(super) struct Site<'a> {
    disk: &'a Disk,
    arrangement: Arrangement,
    /// The bank's folder.
    bank: PathBuf,
    /// The folder that the image is put together in.
    folder: PathBuf,
    /// The folder that names are given to banks in.
    store: PathBuf,
    /// The files of the bank that stay where they are, by their names in small letters.
    staying: HashSet<String>,
    is_cleared: bool,
}

/// A folder in which somebody who was stopped put an image together within a bank.
pub(super) fn leftover(places: &Places) -> Option<PathBuf> {
    let is_linked = places.arrangement == Arrangement::Linked;
    is_linked.then(|| places.second.join(STAGING)).filter(|folder| folder.symlink_metadata().is_ok())
}

impl<'a> Site<'a> {
    /// The bank of a first image.
    pub(super) fn first(layout: &Layout, disk: &'a Disk) -> Self {
        Self::beside(layout, disk, layout.bootbank())
    }

    /// The bank that is not the running one's, for an image that changes another one.
    pub(super) fn other(layout: &Layout, disk: &'a Disk, banks: &Banks, image: &Image) -> Self {
        let bank = banks.places.second.clone();
        match banks.places.arrangement {
            Arrangement::Exchanged => Self::beside(layout, disk, bank),
            Arrangement::Linked => Self {
                folder: bank.join(STAGING),
                staying: banks.other.iter().flat_map(|old| staying(old, image)).collect(),
                arrangement: Arrangement::Linked,
                ..Self::beside(layout, disk, bank)
            },
        }
    }

    fn beside(layout: &Layout, disk: &'a Disk, bank: PathBuf) -> Self {
        Self {
            disk,
            arrangement: Arrangement::Exchanged,
            bank,
            folder: layout.new_staging(),
            store: layout.folder().to_owned(),
            staying: HashSet::new(),
            is_cleared: false,
        }
    }

    /// The folder that the image is put together in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the bank has no image any more, and has not got the new one yet.
    pub(super) fn is_cleared(&self) -> bool {
        self.is_cleared
    }

    /// How many octets can still be written there.
    pub(super) fn free(&self) -> io::Result<u64> {
        self.disk.free(self.folder.parent().unwrap_or(&self.store))
    }

    /// How many octets of an image are written there, without what comes.
    pub(super) fn copied(&self, image: &Image, is_coming: impl Fn(&ProfileVib) -> bool) -> u64 {
        if self.arrangement == Arrangement::Exchanged {
            return 0;
        }
        let kept = image.vibs.iter().zip(&image.profile.vibs).filter(|(_, named)| !is_coming(named));
        let files = kept.flat_map(|(vib, named)| files(vib, named));
        let copied = files.filter(|(path, _)| !self.stays(path)).map(|(_, payload)| payload.size);
        copied.fold(0, u64::saturating_add)
    }

    /// Whether so many octets can be written where so many are free.
    pub(super) fn has_room(&self, free: u64, octets: u64) -> bool {
        let written = octets.saturating_add(SMALL_FILES);
        match self.arrangement {
            // Who makes room may use the reserve for it. A partition for a bank alone needs none.
            Arrangement::Exchanged if octets > 0 => fits(free, written),
            _ => free >= written,
        }
    }

    /// How many octets of the bank are free once it is cleared.
    pub(super) fn removable(&self) -> io::Result<u64> {
        let removed = self.removed()?;
        removed.iter().map(|file| file.symlink_metadata().map(|metadata| metadata.len())).sum()
    }

    /// The files of the bank that do not stay. Its folders are somebody else's.
    fn removed(&self) -> io::Result<Vec<PathBuf>> {
        let mut removed = Vec::new();
        if self.arrangement == Arrangement::Linked {
            for entry in self.bank.read_dir()? {
                let entry = entry?;
                let name = PathBuf::from(entry.file_name());
                let stays = in_small_letters(&name) == BOOT_CONFIG || self.stays(&name);
                if !stays && !entry.file_type()?.is_dir() {
                    removed.push(entry.path());
                }
            }
        }
        Ok(removed)
    }

    fn stays(&self, path: &Path) -> bool {
        self.staying.contains(&in_small_letters(path))
    }

    /// Takes over a payload's file of another bank, unless it is in its place already.
    pub(super) fn keep(&self, old: &Path, path: &Path, payload: Option<&Payload>) -> io::Result<()> {
        if self.stays(path) {
            return Ok(());
        }
        check_size(old, payload.map(|payload| payload.size))?;
        match (self.arrangement, payload) {
            (Arrangement::Exchanged, _) => self.disk.link_file(old, &self.folder.join(path)),
            (Arrangement::Linked, payload) => {
                payload.map_or(Ok(()), |payload| check_digests(old, payload))?;
                self.disk.copy_file(old, &self.folder.join(path))
            }
        }
    }

    /// Takes the image out of the bank, and the files that do not stay, so that there is room for the new one. Nothing is
    /// done where the new one needs no room in the bank.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        if self.arrangement == Arrangement::Exchanged || self.is_cleared {
            return Ok(());
        }
        let empty = BootConfig { state: BootState::Empty, ..BootConfig::default() };
        self.is_cleared = true;
        self.disk.replace_file(&self.bank.join(BOOT_CONFIG), empty.to_string().as_bytes())?;
        // From here on the bank's files are changed: nobody may take it for an image, also after a power cut.
        self.disk.sync_folder(&self.bank)?;
        self.removed()?.iter().try_for_each(|file| self.disk.remove_file(file))
    }

    /// Makes what was put together the image of the bank.
    pub(super) fn commit(&mut self) -> io::Result<()> {
        match self.arrangement {
            Arrangement::Exchanged => self.exchange(),
            Arrangement::Linked => self.move_in(),
        }
    }

    /// Gives the folder the bank's name. What had that name before is swept away later.
    fn exchange(&self) -> io::Result<()> {
        match self.bank.symlink_metadata() {
            Ok(_) => self.disk.exchange(&self.folder, &self.bank)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.disk.rename(&self.folder, &self.bank)?,
            Err(error) => return Err(error),
        }
        self.disk.sync_renamed(&self.store);
        Ok(())
    }

    /// Moves all files into the bank, the one last that says there is an image.
    fn move_in(&mut self) -> io::Result<()> {
        self.clear()?;
        for entry in self.folder.read_dir()? {
            let name = entry?.file_name();
            if name != BOOT_CONFIG {
                self.disk.rename(&self.folder.join(&name), &self.bank.join(&name))?;
            }
        }
        self.disk.sync_folder(&self.bank)?;
        self.disk.rename(&self.folder.join(BOOT_CONFIG), &self.bank.join(BOOT_CONFIG))?;
        self.is_cleared = false;
        self.disk.sync_renamed(&self.bank);
        if let Err(error) = self.disk.remove_folder(&self.folder) {
            tracing::warn!("an empty folder is removed at the next change of the image: {error}");
        }
        Ok(())
    }
}

/// The files of a bank that a new image has too, under the same names, and that are as they were installed.
fn staying(old: &Bank, image: &Image) -> Vec<String> {
    let has = |named: &&ProfileVib| old.image.profile.vibs.contains(named);
    let kept = image.vibs.iter().zip(&image.profile.vibs).filter(|(_, named)| has(named));
    let files = kept.flat_map(|(vib, named)| files(vib, named));
    let is_whole = |path: &Path, payload: &Payload| {
        let file = old.folder.join(path);
        check_size(&file, Some(payload.size)).and_then(|()| check_digests(&file, payload)).is_ok()
    };
    files.filter(|(path, payload)| is_whole(path, payload)).map(|(path, _)| in_small_letters(&path)).collect()
}

/// A name as FAT compares it.
fn in_small_letters(path: &Path) -> String {
    path.to_string_lossy().to_lowercase()
}

/// The files of a VIB, each with its payload.
fn files<'a>(vib: &'a Descriptor, named: &'a ProfileVib) -> impl Iterator<Item = (PathBuf, &'a Payload)> {
    named.payloads.iter().filter_map(|(name, file)| {
        let payload = vib.payloads.iter().find(|payload| payload.name == *name)?;
        Some((names::path(vib, file)?, payload))
    })
}
