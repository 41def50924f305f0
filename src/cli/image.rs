//! `quartermaster image`: ESXi-style image stores.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};

use super::{Failure, settings};
use crate::app;
use crate::clock::{SharedClock, SystemClock};
use crate::config::{AcceptanceLevel, Config};
use crate::software::vib::{
    HardwarePlatform, HostSettings, Image, ImageOperation, ImageOutcome, ImageSnapshot, ImageStore, NewImage,
};
use crate::software::{CancelToken, Phase, Progress};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Make an image store, empty or with what offline bundles have.
    Create(Box<Create>),
    /// Show the image that runs, the one that waits for a boot, and the one that can be gone back to.
    Show {
        #[command(flatten)]
        store: Store,
    },
    /// Make it as if the host was booted: an image that waits for it runs afterwards.
    Boot {
        #[command(flatten)]
        store: Store,
    },
    /// Tell whether the host is in maintenance mode.
    MaintenanceMode {
        #[command(flatten)]
        store: Store,
        /// Whether it is.
        mode: Mode,
    },
    /// Set the acceptance level that VIBs must have.
    Accept {
        #[command(flatten)]
        store: Store,
        /// The level.
        level: AcceptanceLevel,
    },
    /// Go back to the image before the last change.
    RollBack {
        #[command(flatten)]
        store: Store,
    },
}

/// An image store and how it is opened.
#[derive(Debug, Args)]
pub(super) struct Store {
    /// The folder of the image store.
    dir: PathBuf,
    /// The settings [default: /etc/quartermaster/quartermaster.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    store: Store,
    /// An offline bundle whose VIBs make the image; may be given several times.
    #[arg(long, value_name = "FILE")]
    bundle: Vec<PathBuf>,
    /// The name of the image's profile.
    #[arg(long, default_value = "Quartermaster")]
    name: String,
    /// The acceptance level that VIBs must have.
    #[arg(long, value_name = "LEVEL", default_value = "partner")]
    acceptance_level: AcceptanceLevel,
    /// The product line [default: embeddedEsx].
    #[arg(long, value_name = "NAME")]
    product_line: Option<Box<str>>,
    /// The version of the host [default: that of the VIB esx-base].
    #[arg(long, value_name = "VERSION")]
    host_version: Option<Box<str>>,
    /// The locale of the host [default: none].
    #[arg(long, value_name = "LOCALE")]
    locale: Option<Box<str>>,
    /// The vendor of the hardware; without it no VIB is refused for its hardware.
    #[arg(long, value_name = "NAME")]
    hardware_vendor: Option<Box<str>>,
    /// The model of the hardware.
    #[arg(long, value_name = "NAME", requires = "hardware_vendor")]
    hardware_model: Option<Box<str>>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Mode {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// Does it, also while a server runs on the same image.
pub(super) fn run(action: Action) -> Result<(), Failure> {
    let said = match action {
        Action::Create(create) => make(*create)?,
        Action::Show { store } => shown(&open(&store)?.snapshot())?,
        Action::Boot { store } => match open(&store)?.mark_boot()? {
            true => "booted: the image that waited runs now\n".to_owned(),
            false => "booted: the same image runs\n".to_owned(),
        },
        Action::MaintenanceMode { store, mode } => {
            open(&store)?.set_maintenance_mode(matches!(mode, Mode::On))?;
            match mode {
                Mode::On => "the host is in maintenance mode\n".to_owned(),
                Mode::Off => "the host is not in maintenance mode\n".to_owned(),
            }
        }
        Action::Accept { store, level } => {
            open(&store)?.set_acceptance_level(app::acceptance_level(level))?;
            format!("the acceptance level is {}\n", level.word())
        }
        Action::RollBack { store } => {
            let outcome = open(&store)?.roll_back()?;
            let mut text = "went back to the image before\n".to_owned();
            done(&mut text, &outcome)?;
            text
        }
    };
    std::io::stdout().write_all(said.as_bytes())?;
    Ok(())
}

fn open(store: &Store) -> Result<ImageStore, Failure> {
    let config = settings(store.config.as_deref(), None)?;
    Ok(ImageStore::open(&store.dir, app::image_settings(&of(config, &store.dir), &clock())?)?)
}

/// The settings for this store: which level is asked for, they say of the store alone that they name.
fn of(mut config: Config, dir: &Path) -> Config {
    if config.image.dir.as_deref() != Some(dir) {
        config.image.acceptance_level = None;
    }
    config
}

fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// Puts the store together beside its place, so that there is a whole one or none.
fn make(create: Create) -> Result<String, Failure> {
    let dir = &create.store.dir;
    let place = std::path::absolute(dir)?;
    let parent = place.parent().ok_or("an image store cannot be made in the root folder")?;
    if std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!("{} is not empty: choose another folder", dir.display()).into());
    }
    std::fs::create_dir_all(parent)?;
    let unready = tempfile::Builder::new().prefix(".image-").tempdir_in(parent)?;
    let mut config = settings(create.store.config.as_deref(), None)?;
    config.image.acceptance_level = None;
    let image_settings = app::image_settings(&config, &clock())?;
    let store = ImageStore::create(unready.path(), &new_image(&create), image_settings)?;
    if !create.bundle.is_empty() {
        let bundles = create.bundle.iter().map(std::path::absolute).collect::<Result<_, _>>()?;
        let operation = ImageOperation::Install { bundles, bulletins: None };
        store.apply(&operation, &mut Silent, &CancelToken::default())?;
        // Nothing ran before.
        store.mark_boot()?;
    }
    std::fs::rename(unready.path(), &place)?;
    // What was there has moved.
    let _ = unready.keep();
    let store = ImageStore::open(&place, app::image_settings(&config, &clock())?)?;
    Ok(format!("made an image store with {} VIBs in {}\n", store.snapshot().running.vibs.len(), dir.display()))
}

fn new_image(create: &Create) -> NewImage {
    let hardware =
        create.hardware_vendor.clone().map(|vendor| HardwarePlatform { vendor, model: create.hardware_model.clone() });
    NewImage {
        host: HostSettings {
            product_line: create.product_line.clone(),
            version: create.host_version.clone(),
            locale: create.locale.clone(),
            maintenance_mode: false,
            hardware,
        },
        name: create.name.as_str().into(),
        creator: env!("CARGO_PKG_NAME").into(),
        description: "Made by quartermaster image create.".into(),
        acceptance_level: app::acceptance_level(create.acceptance_level),
    }
}

/// Nobody watches.
struct Silent;

impl Progress for Silent {
    fn started(&mut self, _: u32, _: u64) {}

    fn phase(&mut self, _: Phase, _: u8) {}

    fn note(&mut self, _: &str) {}
}

fn shown(snapshot: &ImageSnapshot) -> Result<String, std::fmt::Error> {
    let host = &snapshot.host;
    let mut text = String::new();
    writeln!(text, "product line:\t{}", host.product_line)?;
    writeln!(text, "version:\t{}", host.version)?;
    if let Some(build) = host.build {
        writeln!(text, "build:\t{build}")?;
    }
    if let Some(hardware) = &host.hardware {
        writeln!(text, "hardware:\t{} {}", hardware.vendor, hardware.model.as_deref().unwrap_or_default())?;
    }
    writeln!(text, "maintenance mode:\t{}", if host.maintenance_mode { "on" } else { "off" })?;
    image(&mut text, "the image that runs", &snapshot.running)?;
    if let Some(pending) = &snapshot.pending {
        image(&mut text, "the image that runs after the next boot", pending)?;
    }
    if let Some(previous) = &snapshot.previous {
        image(&mut text, "the image that can be gone back to", previous)?;
    }
    Ok(text)
}

/// An image, with a line for each VIB: name, version, vendor, acceptance level and when it was installed.
fn image(text: &mut String, what: &str, image: &Image) -> std::fmt::Result {
    let profile = &image.profile;
    writeln!(text, "\n{what}:\t{} ({})", profile.name, profile.acceptance_level.name())?;
    for vib in &image.vibs {
        let installed = vib.installed_at.map(|at| at.format("%Y-%m-%d").to_string()).unwrap_or_default();
        let level = vib.acceptance_level.name();
        writeln!(text, "{}\t{}\t{}\t{level}\t{installed}", vib.name, vib.version, vib.vendor)?;
    }
    Ok(())
}

fn done(text: &mut String, outcome: &ImageOutcome) -> std::fmt::Result {
    for vib in &outcome.installed {
        writeln!(text, "installed\t{vib}")?;
    }
    for vib in &outcome.removed {
        writeln!(text, "removed\t{vib}")?;
    }
    if outcome.needs_reboot {
        writeln!(text, "it runs after the next boot")?;
    }
    Ok(())
}
