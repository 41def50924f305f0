//! The managed image: its store, its jobs, and what shows them.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::image_settings::{self, image_settings, open_image};
use super::settings::SettingError;
use super::watch::Noted;
use super::{StartError, essential, worker_program};
use crate::access::{Users, private_file};
use crate::cim::Schema;
use crate::clock::SharedClock;
use crate::config::{Config, IMAGE_SYSTEM_CLASS};
use crate::jobs::{self, BeforeEnd, Jobs, Observed, System};
use crate::providers::{ImageModel, SystemName};
use crate::software::vib::{ImageManager, ImageSnapshot};
use crate::store::Store;

/// How long the watch waits before it looks whether it is still wanted.
const PATIENCE: Duration = Duration::from_secs(5);

/// The managed image.
#[derive(Debug)]
pub(super) struct Image {
    model: Arc<ImageModel>,
    jobs: Arc<Jobs>,
    _watch: Watch,
}

impl Image {
    /// Opens the image store, takes up its jobs and begins to watch it; `None` if the settings name no image.
    pub(super) fn open(
        config: &Config,
        store: &Arc<Store>,
        schema: &Arc<Schema>,
        users: &Arc<Users>,
        clock: &SharedClock,
    ) -> Result<Option<Self>, StartError> {
        let Some(dir) = &config.image.dir else { return Ok(None) };
        let manager: Arc<dyn ImageManager> = Arc::new(open_image(dir, image_settings(config, clock)?)?);
        let state_dir = config.state_dir.join("image");
        private_file::make_folder(&state_dir)
            .map_err(|source| StartError::State { folder: state_dir.clone(), source })?;
        let observed = Observed::new(store.clone(), clock.clone(), dir);
        let look = Arc::new(Look { manager: manager.clone(), observed, noted: Noted::default() });
        let settings = jobs::Settings {
            system: System::Image,
            time_before_removal_seconds: config.jobs.time_before_removal.as_secs(),
            history_records: config.jobs.history_records,
            before_end: Some(look.clone()),
            users: Some(users.clone()),
            ..jobs::Settings::new(state_dir.clone(), worker_program::with(worker_arguments(config, &state_dir)?))
        };
        let jobs = Arc::new(Jobs::open(store.clone(), clock.clone(), settings)?);
        let running = jobs.clone();
        essential::spawn("image-jobs", move || running.run()).map_err(StartError::Thread)?;
        let name = SystemName { class: IMAGE_SYSTEM_CLASS.into(), name: config.image_system_name().into() };
        let model = ImageModel::new(schema.clone(), manager, jobs.clone(), clock.clone(), name);
        let watch = Watch::start(look).map_err(StartError::Thread)?;
        Ok(Some(Self { model: Arc::new(model), jobs, _watch: watch }))
    }

    pub(super) fn model(&self) -> &Arc<ImageModel> {
        &self.model
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        self.jobs.stop();
    }
}

/// Looks at the image store, and has recorded which VIBs came, went or stand otherwise.
#[derive(Debug)]
struct Look {
    manager: Arc<dyn ImageManager>,
    observed: Observed,
    noted: Noted<ImageSnapshot>,
}

impl Look {
    fn look(&self) {
        if let Err(error) = self.manager.refresh() {
            tracing::error!(error = &error as &dyn std::error::Error, "the image store cannot be read");
        }
        self.noted.note(|| self.manager.snapshot(), |snapshot| self.observed.note_image(snapshot));
    }
}

impl BeforeEnd for Look {
    /// Whoever hears of a job's end finds the image as it left it.
    fn about_to_end(&self) {
        self.look();
    }
}

/// A thread that watches an image store until this is dropped.
#[derive(Debug)]
struct Watch(Arc<AtomicBool>);

impl Watch {
    fn start(look: Arc<Look>) -> io::Result<Self> {
        let wanted = Arc::new(AtomicBool::new(true));
        let still_wanted = wanted.clone();
        essential::spawn("image", move || {
            while still_wanted.load(Ordering::Relaxed) {
                look.look();
                look.manager.wait_for_change(PATIENCE);
            }
        })?;
        Ok(Self(wanted))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The worker opens the same store with the same settings.
fn worker_arguments(config: &Config, state_dir: &Path) -> Result<Vec<OsString>, SettingError> {
    let mut arguments = worker_program::arguments(config, state_dir)?;
    let mut give = |option: &str, value: OsString| arguments.extend([option.into(), value]);
    let orders = image_settings::orders(config);
    give("--image", orders.dir.into());
    if let Some(level) = orders.acceptance_level {
        give("--acceptance-level", level.word().into());
    }
    let files = [
        ("--vmware-trust-file", orders.vmware_trust_file),
        ("--partner-trust-file", orders.partner_trust_file),
        ("--revocation-file", orders.revocation_file),
    ];
    for (option, file) in files {
        file.into_iter().for_each(|file| give(option, file.into()));
    }
    Ok(arguments)
}
