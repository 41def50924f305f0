//! The managed image: its store, its jobs, and what shows them.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, io};

use super::image_settings::{image_settings, open_image};
use super::watch::Noted;
use super::{StartError, essential, worker_program};
use crate::access::{Users, private_file};
use crate::cim::Schema;
use crate::clock::SharedClock;
use crate::config::{self, Config, IMAGE_SYSTEM_CLASS};
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
        let Some(dir) = &config.image.dir else {
            return if config.image == config::Image::default() { Ok(None) } else { Err(StartError::NoImage) };
        };
        let manager: Arc<dyn ImageManager> = Arc::new(open_image(dir, image_settings(config, clock)?)?);
        let state_dir = config.state_dir.join("image");
        private_file::make_folder(&state_dir)
            .map_err(|source| StartError::State { folder: state_dir.clone(), source })?;
        let observed = Observed::new(store.clone(), clock.clone(), dir);
        let noted = Noted::default();
        let look = Arc::new(Look { manager: manager.clone(), is_unreadable: Arc::default(), observed, noted });
        let settings = jobs::Settings {
            system: System::Image,
            time_before_removal_seconds: config.jobs.time_before_removal.as_secs(),
            history_records: config.jobs.history_records,
            before_end: Some(look.clone()),
            users: Some(users.clone()),
            ..jobs::Settings::new(
                worker_program::folder(config, System::Image),
                worker_program::start(config, System::Image)?,
            )
        };
        let jobs = Arc::new(Jobs::open(store.clone(), clock.clone(), settings)?);
        give_up_those_of_another(&jobs, dir, &state_dir)?;
        let running = jobs.clone();
        essential::spawn("image-jobs", move || running.run()).map_err(StartError::Thread)?;
        let name = SystemName { class: IMAGE_SYSTEM_CLASS.into(), name: config.image_system_name().into() };
        let model = ImageModel::new(schema.clone(), manager, jobs.clone(), clock.clone(), name)
            .told_by(look.is_unreadable.clone());
        let watch = Watch::start(look, jobs.clone()).map_err(StartError::Thread)?;
        Ok(Some(Self { model: Arc::new(model), jobs, _watch: watch }))
    }

    pub(super) fn jobs(&self) -> &Arc<Jobs> {
        &self.jobs
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

/// Jobs that wait were asked for of the image that the folder had then: if another is managed now, they are not done to it.
fn give_up_those_of_another(jobs: &Jobs, dir: &Path, state_dir: &Path) -> Result<(), StartError> {
    let (file, failed) = (state_dir.join("store"), |source| StartError::State { folder: state_dir.to_owned(), source });
    let dir = fs::canonicalize(dir).map_err(failed)?;
    let before = match fs::read(&file) {
        Ok(before) => Some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    let now = dir.as_os_str().as_bytes();
    if before.as_deref() == Some(now) {
        return Ok(());
    }
    if let Some(before) = before {
        let (before, now) = (String::from_utf8_lossy(&before), dir.display());
        let message = format!(
            "The job waited for the image in {before} when the service was restarted with the image in {now}. Submit it again \
             if it is meant for that one."
        );
        let count = jobs.give_up_waiting(&message)?;
        tracing::warn!(count, %before, %now, "another image is managed: jobs that waited for the one before were given up");
    }
    // Last, so that a start that fails in between does all of it again.
    private_file::write(&file, now).map_err(failed)
}

/// Looks at the image store, and has recorded which VIBs came, went or stand otherwise.
#[derive(Debug)]
struct Look {
    manager: Arc<dyn ImageManager>,
    /// Whether the last look failed.
    is_unreadable: Arc<AtomicBool>,
    observed: Observed,
    noted: Noted<ImageSnapshot>,
}

impl Look {
    /// Tells whether the image is another than at the last look.
    fn look(&self) -> bool {
        let found = self.manager.refresh();
        // Each is logged once, not at every look.
        match &found {
            Ok(_) if self.is_unreadable.swap(false, Ordering::Relaxed) => {
                tracing::info!("the image store can be read again");
            }
            Err(error) if !self.is_unreadable.swap(true, Ordering::Relaxed) => {
                tracing::error!(error = error as &dyn std::error::Error, "the image store cannot be read");
            }
            _ => {}
        }
        self.noted.note(|| self.manager.snapshot(), |snapshot| self.observed.note_image(snapshot));
        found.unwrap_or(false)
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
    fn start(look: Arc<Look>, jobs: Arc<Jobs>) -> io::Result<Self> {
        let wanted = Arc::new(AtomicBool::new(true));
        let still_wanted = wanted.clone();
        essential::spawn("image", move || {
            // It may have been booted while no server was there.
            let mut may_be_booted = true;
            while still_wanted.load(Ordering::Relaxed) {
                may_be_booted |= look.look();
                may_be_booted &= look.manager.snapshot().pending.is_none();
                may_be_booted = may_be_booted && !jobs.assess_after_boot();
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
