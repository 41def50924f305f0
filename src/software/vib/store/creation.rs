//! A store's first image.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};

use super::boot_config::BootState;
use super::depot::Depot;
use super::disk::Disk;
use super::failure::cannot;
use super::host::BASE;
use super::layout::Layout;
use super::lock::Lock;
use super::transaction::{Coming, Transaction};
use super::{HostSettings, ImageSettings};
use crate::software::vib::{
    AcceptanceLevel, Candidate, Catalogue, Descriptor, ImageError, ImageErrorClass, ImagePlan, ImageProfile, Rules,
    Stop, VibId,
};
use crate::software::{CancelToken, Phase, Progress};

/// A store that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewImage {
    /// What the host is; where nothing of it is told, a `host.toml` that is there already stays.
    pub host: HostSettings,
    /// The bundles that the image's VIBs come from; without any there are none in it.
    pub bundles: Vec<PathBuf>,
    /// The image profile of the bundles that is installed; `None` is all VIBs that the bundles have for the host.
    pub profile: Option<String>,
    /// The name of the image's profile; empty is that of the bundles' profile.
    pub name: Box<str>,
    /// Who makes it.
    pub creator: Box<str>,
    /// What it is.
    pub description: Box<str>,
    /// The acceptance level that the host asks for, unless the settings tell one; `None` is that of the bundles' profile, and
    /// at least partner.
    pub acceptance_level: Option<AcceptanceLevel>,
}

/// Makes the store: everything beside, and then the bank, whose name makes it one.
pub(super) fn create(layout: &Layout, new: &NewImage, settings: &ImageSettings, disk: &Disk) -> Result<(), ImageError> {
    let failed = |error: io::Error| cannot("make the image store", &error);
    fs::create_dir_all(layout.folder()).map_err(failed)?;
    let _lock = Lock::take(&layout.lock_file(), settings.lock_timeout)?;
    if layout.bootbank().symlink_metadata().is_ok() {
        let text = format!("There is an image store in {} already. Choose another folder.", layout.folder().display());
        return Err(ImageError::new(ImageErrorClass::ValueError, text));
    }
    check_file_system(layout, disk)?;
    let told = (new.host != HostSettings::default()).then(|| new.host.clone());
    let host = told.clone().map_or_else(|| HostSettings::read(&layout.host_file()), Ok)?;
    let make = || -> Result<(), Stop> {
        let cancel = CancelToken::default();
        let depot = Depot::open(&new.bundles, &settings.trust, settings.clock.now(), &cancel)?;
        let plan = plan(new, host, &depot, settings, &cancel)?;
        write_host(layout, told.as_ref(), settings.clock.now(), disk).map_err(failed)?;
        let change = Transaction { layout, disk, banks: None, plan: &plan, source: &depot, cancel: &cancel };
        let first = Coming { updated: 1, state: BootState::Booted, staged_under: None };
        change.make(first, &mut Unheard).map(drop)
    };
    make().map_err(|stop| match stop {
        Stop::Failed(error) => error,
        Stop::Cancelled => failed(io::ErrorKind::Interrupted.into()),
    })
}

/// Refuses a file system on which no change could become valid at once.
fn check_file_system(layout: &Layout, disk: &Disk) -> Result<(), ImageError> {
    let (one, other) = (layout.new_staging(), layout.new_staging());
    let made = disk.create_folder(&one).and_then(|()| disk.create_folder(&other));
    let tried = made.and_then(|()| disk.exchange(&one, &other));
    for folder in [&one, &other].into_iter().filter(|folder| folder.exists()) {
        disk.remove_folder(folder).map_err(|error| cannot("make the image store", &error))?;
    }
    tried.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => {
            let folder = layout.folder().display();
            let text = format!(
                "The file system of {folder} cannot have two folders take each other's names at once. Choose a folder on \
                 another one, such as ext4, XFS, Btrfs or tmpfs."
            );
            ImageError::new(ImageErrorClass::FileIOError, text)
        }
        _ => cannot("make the image store", &error),
    })
}

/// What the first image is.
fn plan(
    new: &NewImage,
    host: HostSettings,
    depot: &Depot,
    settings: &ImageSettings,
    cancel: &CancelToken,
) -> Result<ImagePlan, Stop> {
    let catalogue = depot.catalogue()?;
    let theirs = new.profile.as_deref().map(|name| depot.profile(name)).transpose()?;
    depot.refuse_damaged(|id| theirs.is_none_or(|profile| profile.vibs.iter().any(|vib| vib.id == *id)))?;
    let at = settings.clock.now().trunc_subsecs(6);
    let own = theirs.cloned().unwrap_or_else(|| ImageProfile {
        name: "ESXi".into(),
        creator: Box::default(),
        created_at: Some(at),
        modified_at: Some(at),
        profile_id: uuid::Uuid::new_v4().to_string().into(),
        description: Box::default(),
        acceptance_level: AcceptanceLevel::default(),
        vibs: Vec::new(),
    });
    let told = |text: &str, other: Box<str>| if text.trim().is_empty() { other } else { text.trim().into() };
    let profile = ImageProfile {
        name: told(&new.name, own.name),
        creator: told(&new.creator, own.creator),
        description: told(&new.description, own.description),
        // Nobody signs a profile: it may ask for more than is usual, and not for less.
        acceptance_level: settings
            .acceptance_level
            .or(new.acceptance_level)
            .unwrap_or(own.acceptance_level.max(AcceptanceLevel::default())),
        ..own
    };
    let rules = Rules { level: profile.acceptance_level, at };
    let host = host.host(newest_base(&catalogue), None);
    let candidates = match theirs {
        Some(profile) => of_profile(profile, &catalogue)?,
        None if new.bundles.is_empty() => Vec::new(),
        None => Candidate::select(&host, &catalogue, None)?,
    };
    ImagePlan::initial(&host, profile, &candidates, &rules, cancel)
}

/// The VIBs of a profile.
fn of_profile(profile: &ImageProfile, catalogue: &Catalogue<'_>) -> Result<Vec<Candidate>, ImageError> {
    let candidate = |id: &VibId| {
        let vib = catalogue.vib(id).ok_or_else(|| {
            let class = ImageErrorClass::ProfileValidationError;
            let text = format!(
                "Image profile {} has VIB {id}, which no bundle has. Add the bundle that has it.",
                profile.name
            );
            ImageError::new(class, text).of([id.clone()])
        })?;
        Ok(Candidate { descriptor: Arc::clone(vib), wanted: true })
    };
    profile.vibs.iter().map(|vib| candidate(&vib.id)).collect()
}

/// The newest base there is: the one that the image gets, so that its version is the host's.
fn newest_base<'a>(catalogue: &Catalogue<'a>) -> Option<&'a Descriptor> {
    let bases = catalogue.vibs().iter().filter(|vib| &*vib.name == BASE);
    bases.max_by(|one, other| one.version.compare(&other.version)).map(|vib| &***vib)
}

/// What the host is, and that it was booted from the image that is about to come: not before its VIBs were installed.
fn write_host(layout: &Layout, told: Option<&HostSettings>, booted: DateTime<Utc>, disk: &Disk) -> io::Result<()> {
    for leftover in layout.leftovers()? {
        disk.remove_folder(&leftover)?;
    }
    if let Some(host) = told {
        disk.replace_file(&layout.host_file(), host.to_toml()?.as_bytes())?;
    }
    if !layout.is_own_host() {
        disk.replace_file_at(&layout.boot_marker(), format!("{}\n", uuid::Uuid::new_v4()).as_bytes(), booted)?;
    }
    Ok(())
}

/// Nobody hears how far it is.
struct Unheard;

impl Progress for Unheard {
    fn started(&mut self, _: u32, _: u64) {}

    fn phase(&mut self, _: Phase, _: u8) {}

    fn note(&mut self, _: &str) {}
}
