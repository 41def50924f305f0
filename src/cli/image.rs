//! `quartermaster image`: ESXi-style image stores.

mod damaged;

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
    HardwarePlatform, HostSettings, Image, ImageOperation, ImageOutcome, ImageSettings, ImageSnapshot, ImageStore,
    NewImage,
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
    /// Install what offline bundles have, or update to it, as a job of the service would.
    Install {
        #[command(flatten)]
        store: Store,
        /// Offline bundles: ZIP files, or folders with the same content. Single VIB files are taken too.
        #[arg(required = true, value_name = "BUNDLE")]
        bundles: Vec<PathBuf>,
        /// A bulletin whose VIBs are meant; may be given several times [default: all VIBs of the bundles].
        #[arg(long, value_name = "ID")]
        bulletin: Vec<String>,
    },
    /// Remove VIBs.
    Remove {
        #[command(flatten)]
        store: Store,
        /// The VIBs, by their names or their ids.
        #[arg(required = true, value_name = "VIB")]
        vibs: Vec<String>,
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
    /// The image profile of the bundles that is installed [default: all VIBs that they have for the host].
    #[arg(long, value_name = "NAME", requires = "bundle")]
    profile: Option<String>,
    /// The name of the image [default: that of the profile].
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    /// The acceptance level that VIBs must have [default: that of the profile, and at least partner].
    #[arg(long, value_name = "LEVEL")]
    acceptance_level: Option<AcceptanceLevel>,
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
        Action::Show { store } => match open(&store) {
            Ok(opened) => shown(&opened.snapshot())?,
            Err(failure) => damaged::show(&store, failure)?,
        },
        Action::Boot { store } => match open(&store).map(|opened| opened.mark_boot()) {
            Ok(Ok(true)) => "booted: the image that waited runs now\n".to_owned(),
            Ok(Ok(false)) => "booted: the same image runs\n".to_owned(),
            Ok(Err(error)) => return Err(error.into()),
            Err(failure) => damaged::boot(&store, failure)?,
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
        Action::Install { store, bundles, bulletin } => {
            let bundles = bundles.iter().map(std::path::absolute).collect::<Result<_, _>>()?;
            let bulletins = Some(bulletin).filter(|named| !named.is_empty());
            change(&open(&store)?, &ImageOperation::Install { bundles, bulletins })?
        }
        Action::Remove { store, vibs } => change(&open(&store)?, &ImageOperation::Remove { vibs })?,
        Action::RollBack { store } => match open(&store) {
            Ok(opened) => {
                let mut text = "went back to the image before\n".to_owned();
                done(&mut text, &opened.roll_back()?)?;
                text
            }
            Err(failure) => damaged::roll_back(&store, failure)?,
        },
    };
    std::io::stdout().write_all(said.as_bytes())?;
    Ok(())
}

fn change(store: &ImageStore, operation: &ImageOperation) -> Result<String, Failure> {
    let (mut text, mut notes) = (String::new(), Notes::default());
    done(&mut text, &store.apply(operation, &mut notes, &CancelToken::default())?)?;
    for note in notes.0 {
        writeln!(text, "note\t{note}")?;
    }
    Ok(if text.is_empty() { "the image has it all\n".to_owned() } else { text })
}

/// What somebody should know of a change; nobody waits for its steps.
#[derive(Default)]
struct Notes(Vec<String>);

impl Progress for Notes {
    fn started(&mut self, _: u32, _: u64) {}

    fn phase(&mut self, _: Phase, _: u8) {}

    fn note(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

fn open(store: &Store) -> Result<ImageStore, Failure> {
    Ok(app::open_image(&store.dir, settings_of(store)?)?)
}

fn settings_of(store: &Store) -> Result<ImageSettings, Failure> {
    let config = settings(store.config.as_deref(), None)?;
    Ok(app::image_settings(&of(config, &store.dir), &clock())?)
}

/// The settings for this store: which level is asked for, they say of the store alone that they name.
fn of(mut config: Config, dir: &Path) -> Config {
    // A relative path, or one with a link, may mean the same folder.
    let real = |dir: &Path| dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    if config.image.dir.as_deref().map(real) != Some(real(dir)) {
        config.image.acceptance_level = None;
    }
    config
}

fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

fn make(create: Create) -> Result<String, Failure> {
    let mut config = settings(create.store.config.as_deref(), None)?;
    // It is told here, and else by the bundles' profile.
    config.image.acceptance_level = None;
    let image_settings = app::image_settings(&config, &clock())?;
    let dir = create.store.dir.clone();
    let store = ImageStore::create(&dir, &new_image(create)?, image_settings)?;
    let vibs = store.snapshot().running.vibs.len();
    Ok(format!("made an image store with {vibs} VIBs in {}\n", dir.display()))
}

fn new_image(create: Create) -> Result<NewImage, Failure> {
    let Create { bundle, profile, name, acceptance_level, product_line, host_version, locale, .. } = create;
    let model = create.hardware_model;
    let hardware = create.hardware_vendor.map(|vendor| HardwarePlatform { vendor, model });
    Ok(NewImage {
        host: HostSettings { product_line, version: host_version, locale, maintenance_mode: false, hardware },
        bundles: bundle.iter().map(std::path::absolute).collect::<Result<_, _>>()?,
        profile,
        name: name.into(),
        creator: env!("CARGO_PKG_NAME").into(),
        description: "Made by quartermaster image create.".into(),
        acceptance_level: acceptance_level.map(app::acceptance_level),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_level_is_for_the_store_that_they_name_however_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (store, link) = (folder.path().join("image"), folder.path().join("link"));
        std::fs::create_dir(&store).unwrap();
        std::os::unix::fs::symlink(&store, &link).unwrap();
        let mut config = Config::default();
        config.image.dir = Some(store.clone());
        config.image.acceptance_level = Some(AcceptanceLevel::Community);
        let level = |dir: &Path| of(config.clone(), dir).image.acceptance_level;
        for dir in [store.clone(), store.join("../image"), link] {
            assert_eq!(level(&dir), Some(AcceptanceLevel::Community), "{dir:?}");
        }
        assert_eq!(level(folder.path()), None);
    }
}
