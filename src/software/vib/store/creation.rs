//! A store's first image.

use std::fs::File;
use std::io;

use super::banks::BOOT_CONFIG;
use super::boot_config::BootConfig;
use super::disk::Disk;
use super::failure::cannot;
use super::layout::Layout;
use super::lock::Lock;
use super::{HostSettings, ImageSettings, database};
use crate::software::vib::{AcceptanceLevel, Image, ImageError, ImageErrorClass, ImageProfile};

/// A store that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewImage {
    /// What the host is.
    pub host: HostSettings,
    /// The name of the image's profile.
    pub name: Box<str>,
    /// Who makes it.
    pub creator: Box<str>,
    /// What it is.
    pub description: Box<str>,
    /// The acceptance level that the host asks for.
    pub acceptance_level: AcceptanceLevel,
}

/// Makes the store: everything beside, and then the bank, whose name makes it one.
pub(super) fn create(layout: &Layout, new: &NewImage, settings: &ImageSettings, disk: &Disk) -> Result<(), ImageError> {
    let failed = |error: io::Error| cannot("make the image store", &error);
    std::fs::create_dir_all(layout.folder()).map_err(failed)?;
    let _lock = Lock::take(&layout.lock_file(), settings.lock_timeout)?;
    if layout.bootbank().exists() {
        let text = format!("There is an image store in {} already. Choose another folder.", layout.folder().display());
        return Err(ImageError::new(ImageErrorClass::ValueError, text));
    }
    let now = settings.clock.now();
    let profile = ImageProfile {
        name: new.name.clone(),
        creator: new.creator.clone(),
        created_at: Some(now),
        modified_at: Some(now),
        profile_id: uuid::Uuid::new_v4().to_string().into(),
        description: new.description.clone(),
        acceptance_level: new.acceptance_level,
        vibs: Vec::new(),
    };
    let image = Image { profile, vibs: Vec::new() };
    write(layout, new, &image, disk).map_err(failed)
}

fn write(layout: &Layout, new: &NewImage, image: &Image, disk: &Disk) -> io::Result<()> {
    for leftover in layout.leftovers()? {
        disk.remove_folder(&leftover)?;
    }
    disk.replace_file(&layout.host_file(), new.host.to_toml()?.as_bytes())?;
    if !layout.is_own_host() {
        disk.replace_file(&layout.boot_marker(), format!("{}\n", uuid::Uuid::new_v4()).as_bytes())?;
    }
    let staging = layout.new_staging();
    disk.create_folder(&staging)?;
    let config = BootConfig { title: "Loading VMware ESXi".to_owned(), updated: 1, ..BootConfig::default() };
    disk.write_file(&staging.join(BOOT_CONFIG), config.to_string().as_bytes())?;
    disk.write_file(&staging.join(database::FILE), &database::write(image, Vec::new())?)?;
    disk.sync_folder(&staging)?;
    disk.rename(&staging, &layout.bootbank())?;
    File::open(layout.folder())?.sync_all()
}
