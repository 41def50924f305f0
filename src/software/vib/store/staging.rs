//! Putting a new image together.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::banks::{BOOT_CONFIG, Bank};
use super::boot_config::BootConfig;
use super::boot_files::own_files;
use super::database;
use super::disk::Disk;
use super::failure::malformed;
use super::names::{self, Names};
use super::site::Site;
use crate::software::vib::{Descriptor, Image, ImageError, ImageProfile, Payload, ProfileVib, VibId};

/// A bank that is being put together; it is gone when this is dropped, unless it was committed.
#[derive(Debug)]
pub(super) struct Staging<'a> {
    disk: &'a Disk,
    site: Site<'a>,
    is_committed: bool,
}

impl<'a> Staging<'a> {
    /// One without files, with the folders that an image has.
    pub(super) fn begin(site: Site<'a>, disk: &'a Disk, image: &Image) -> io::Result<Self> {
        let staging = Self { disk, site, is_committed: false };
        for folder in folders(image) {
            disk.create_folder(&staging.folder().join(folder))?;
        }
        Ok(staging)
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        self.site.folder()
    }

    /// Takes over the payloads of a VIB that stays. Where a file has a second name in another bank only that it is there is
    /// looked at; one that is copied is compared with its digests.
    pub(super) fn keep(&self, from: &Bank, vib: &Descriptor, names: &ProfileVib) -> Result<(), ImageError> {
        for (payload, file) in &names.payloads {
            let Some(path) = names::path(vib, file) else { continue };
            let old = from.folder.join(&path);
            let described = vib.payloads.iter().find(|known| known.name == *payload);
            let kept = self.site.keep(&old, &path, described);
            kept.map_err(|error| malformed(&old, format!("payload {payload} of VIB {}: {error}", names.id)))?;
        }
        Ok(())
    }

    /// Copies the files of the host's own that are loaded with the base: as the bank that runs has them, where it has them.
    pub(super) fn keep_own(&self, base: &Bank, running: &Bank) -> Result<(), ImageError> {
        for file in own_files(base) {
            let (current, staged) = (running.folder.join(file), base.folder.join(file));
            let old = if current.symlink_metadata().is_ok() { current } else { staged };
            let kept = match names::is_plain(file) {
                true => self.disk.copy_file(&old, &self.folder().join(file)),
                false => Err(io::Error::other("it is not named as files of a boot bank are")),
            };
            kept.map_err(|error| malformed(&base.folder.join(BOOT_CONFIG), format!("module {file}: {error}")))?;
        }
        Ok(())
    }

    /// Writes what tells of the image, and has all of it written to the medium.
    pub(super) fn finish(&self, image: &Image, config: &BootConfig) -> io::Result<()> {
        self.disk.write_file(&self.folder().join(database::FILE), &database::written(image)?)?;
        self.disk.write_file(&self.folder().join(BOOT_CONFIG), config.to_string().as_bytes())?;
        let folders = folders(image);
        folders.iter().rev().try_for_each(|folder| self.disk.sync_folder(&self.folder().join(folder)))
    }

    /// Makes it the image of its bank.
    pub(super) fn commit(mut self) -> Result<(), Uncommitted> {
        let committed = self.site.commit();
        self.is_committed = committed.is_ok();
        committed.map_err(|error| Uncommitted { error, is_cleared: self.site.is_cleared() })
    }
}

/// Why an image did not become that of its bank.
#[derive(Debug)]
pub(super) struct Uncommitted {
    pub error: io::Error,
    /// Whether the bank has lost the image that it had.
    pub is_cleared: bool,
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if self.is_committed || self.folder().symlink_metadata().is_err() {
            return;
        }
        if let Err(error) = self.disk.remove_folder(self.folder()) {
            tracing::warn!("what was put together of an image is removed at the next change: {error}");
        }
    }
}

/// The folders of a bank, the bank itself first and each before those in it.
fn folders(image: &Image) -> Vec<PathBuf> {
    let mut folders = BTreeSet::from([PathBuf::new()]);
    for vib in &image.vibs {
        let path = names::path(vib, "payload");
        folders.extend(path.iter().flat_map(|path| path.ancestors().skip(1)).map(Path::to_owned));
    }
    folders.into_iter().collect()
}

/// The image's profile with a file name for every payload: those of VIBs that stay are the ones they had in `base`, the
/// others are those that the profile has already, if they can be used. `own` are names of files that are no payloads.
pub(super) fn with_file_names(image: &Image, base: &Image, incoming: &[Arc<Descriptor>], own: &[&str]) -> ImageProfile {
    let coming: BTreeSet<VibId> = incoming.iter().map(|vib| vib.id()).collect();
    let kept: HashMap<&VibId, &ProfileVib> =
        base.profile.vibs.iter().filter(|vib| !coming.contains(&vib.id)).map(|vib| (&vib.id, vib)).collect();
    let mut names = Names::new(own);
    for vib in &image.vibs {
        for (_, file) in kept.get(&vib.id()).iter().flat_map(|kept| &kept.payloads) {
            names.keep(vib, file);
        }
    }
    let told: HashMap<&VibId, &ProfileVib> = image.profile.vibs.iter().map(|vib| (&vib.id, vib)).collect();
    let mut named = |vib: &Arc<Descriptor>| {
        let id = vib.id();
        if let Some(kept) = kept.get(&id) {
            return ProfileVib::clone(kept);
        }
        let told = |payload: &Payload| {
            let mut payloads = told.get(&id).into_iter().flat_map(|vib| &vib.payloads);
            payloads.find(|(name, _)| *name == payload.name).map(|(_, file)| &**file).filter(|file| !file.is_empty())
        };
        let named = |payload: &Payload| (payload.name.clone(), names.give(vib, payload, told(payload)));
        let payloads = vib.payloads.iter().map(named).collect();
        ProfileVib { id, payloads }
    };
    ImageProfile { vibs: image.vibs.iter().map(&mut named).collect(), ..image.profile.clone() }
}
