//! Putting a new image together beside the banks.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::banks::{BOOT_CONFIG, Bank, check_size};
use super::boot_config::{BootConfig, BootState};
use super::database;
use super::disk::Disk;
use super::failure::malformed;
use super::host::BASE;
use super::layout::Layout;
use super::names::{self, LOCKER, Names};
use crate::software::vib::{Descriptor, Image, ImageError, ImageProfile, Payload, ProfileVib, VibId};

/// A bank that is being put together; it is gone when this is dropped, unless it took a bank's name.
#[derive(Debug)]
pub(super) struct Staging<'a> {
    disk: &'a Disk,
    folder: PathBuf,
    is_committed: bool,
}

impl<'a> Staging<'a> {
    /// One without files, with the folders that an image has.
    pub(super) fn begin(layout: &Layout, disk: &'a Disk, image: &Image) -> io::Result<Self> {
        let staging = Self { disk, folder: layout.new_staging(), is_committed: false };
        for folder in folders(image) {
            disk.create_folder(&staging.folder.join(folder))?;
        }
        Ok(staging)
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes over the payloads of a VIB that stays. They are known to be right since they came; only that they are there is
    /// looked at again.
    pub(super) fn keep(&self, from: &Bank, vib: &Descriptor, names: &ProfileVib) -> Result<(), ImageError> {
        for (payload, file) in &names.payloads {
            let Some(path) = names::path(vib, file) else { continue };
            let old = from.folder.join(&path);
            let wanted = vib.payloads.iter().find(|known| known.name == *payload).map(|known| known.size);
            let kept = self.keep_file(&old, &path, wanted);
            kept.map_err(|error| malformed(&old, format!("payload {payload} of VIB {}: {error}", names.id)))?;
        }
        Ok(())
    }

    fn keep_file(&self, old: &Path, path: &Path, wanted: Option<u64>) -> io::Result<()> {
        check_size(old, wanted)?;
        self.disk.link_file(old, &self.folder.join(path))
    }

    /// Writes what tells of the image, and has all of it written to the medium.
    pub(super) fn finish(&self, image: &Image, config: &BootConfig) -> io::Result<()> {
        self.disk.write_file(&self.folder.join(database::FILE), &database::written(image)?)?;
        self.disk.write_file(&self.folder.join(BOOT_CONFIG), config.to_string().as_bytes())?;
        let folders = folders(image);
        folders.iter().rev().try_for_each(|folder| self.disk.sync_folder(&self.folder.join(folder)))
    }

    /// Makes it a bank: what had that name before is swept away later.
    pub(super) fn commit(mut self, bank: &Path) -> io::Result<()> {
        match bank.symlink_metadata() {
            Ok(_) => self.disk.exchange(&self.folder, bank)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.disk.rename(&self.folder, bank)?,
            Err(error) => return Err(error),
        }
        self.is_committed = true;
        Ok(())
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if self.is_committed {
            return;
        }
        if let Err(error) = self.disk.remove_folder(&self.folder) {
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
/// others are those that the profile has already, if they can be used.
pub(super) fn with_file_names(image: &Image, base: &Image, incoming: &[Arc<Descriptor>]) -> ImageProfile {
    let coming: BTreeSet<VibId> = incoming.iter().map(|vib| vib.id()).collect();
    let kept: HashMap<&VibId, &ProfileVib> =
        base.profile.vibs.iter().filter(|vib| !coming.contains(&vib.id)).map(|vib| (&vib.id, vib)).collect();
    let mut names = Names::new();
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

/// What of an image is booted: the first kernel, then other parts for the boot loader, then everything else.
pub(super) fn boot_config(image: &Image, updated: u64, staged_under: Option<String>) -> BootConfig {
    let mut files = boot_files(image);
    // Stable: within each half they stay in the order of their VIBs, the base first.
    files.sort_by_key(|(vib, payload, _)| (&*payload.payload_type != "boot", &*vib.name != BASE));
    let kernel = files.first().filter(|(_, payload, _)| &*payload.payload_type == "boot").map(|(_, _, file)| *file);
    let modules = files.iter().map(|(_, _, file)| *file).skip(usize::from(kernel.is_some())).chain([database::FILE]);
    BootConfig {
        state: if staged_under.is_some() { BootState::Waiting } else { BootState::Booted },
        title: "Loading VMware ESXi".to_owned(),
        kernel: kernel.unwrap_or_default().to_owned(),
        modules: modules.map(str::to_owned).collect(),
        build: image.named(BASE).map(|vib| vib.version.to_string()).unwrap_or_default(),
        updated,
        staged_under,
        ..BootConfig::default()
    }
}

/// The payloads that the boot loader loads, each with its VIB and its file.
fn boot_files(image: &Image) -> Vec<(&Descriptor, &Payload, &str)> {
    let names: HashMap<&VibId, &ProfileVib> = image.profile.vibs.iter().map(|vib| (&vib.id, vib)).collect();
    let mut files = Vec::new();
    for vib in &image.vibs {
        let Some(named) = names.get(&vib.id()) else { continue };
        for (name, file) in &named.payloads {
            let is_loaded = names::path(vib, file).is_some_and(|path| !path.starts_with(LOCKER));
            let payload = vib.payloads.iter().find(|payload| payload.name == *name);
            files.extend(payload.filter(|_| is_loaded).map(|payload| (&**vib, payload, &**file)));
        }
    }
    files
}
