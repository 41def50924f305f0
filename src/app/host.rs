//! The managed host: its engine, its jobs, and what shows them.

use std::sync::Arc;

use super::settings;
use super::watch::{Look, Watch};
use super::{StartError, essential, worker_program};
use crate::access::Users;
use crate::cim::Schema;
use crate::clock::SharedClock;
use crate::config::Config;
use crate::jobs::{self, Jobs, Observed, System};
use crate::providers::{Model, SystemName};
use crate::software;
use crate::store::Store;

/// The managed host.
#[derive(Debug)]
pub(super) struct Host {
    model: Arc<Model>,
    jobs: Arc<Jobs>,
    _watch: Watch,
}

impl Host {
    /// Opens the engine, takes up the jobs and begins to watch the package database; `None` if the settings want no host
    /// (`engine = "none"`).
    pub(super) fn open(
        config: &Config,
        store: &Arc<Store>,
        schema: &Arc<Schema>,
        users: &Arc<Users>,
        clock: &SharedClock,
    ) -> Result<Option<Self>, StartError> {
        let Some(manager) =
            software::open_with(settings::engine(config.engine), &config.root, settings::at_work(&config.state_dir))?
        else {
            return Ok(None);
        };
        let observed = Observed::new(store.clone(), clock.clone(), manager.root());
        let look = Arc::new(Look::new(manager.clone(), observed));
        let settings = jobs::Settings {
            time_before_removal_seconds: config.jobs.time_before_removal.as_secs(),
            history_records: config.jobs.history_records,
            before_end: Some(look.clone()),
            users: Some(users.clone()),
            ..jobs::Settings::new(
                worker_program::folder(config, System::Host),
                worker_program::start(config, System::Host)?,
            )
        };
        let jobs = Arc::new(Jobs::open(store.clone(), clock.clone(), settings)?);
        let running = jobs.clone();
        essential::spawn("jobs", move || running.run()).map_err(StartError::Thread)?;
        let name = SystemName { class: config.system_class.as_str().into(), name: config.system_name().into() };
        let model = Model::new(schema.clone(), manager.clone(), jobs.clone(), clock.clone(), name);
        let takes_byte_streams = settings::takes_byte_streams(config);
        let model = Arc::new(if takes_byte_streams { model } else { model.without_byte_streams() });
        let watch = Watch::start(look, config.jobs.catalog_idle).map_err(StartError::Thread)?;
        Ok(Some(Self { model, jobs, _watch: watch }))
    }

    pub(super) fn jobs(&self) -> &Arc<Jobs> {
        &self.jobs
    }

    pub(super) fn model(&self) -> &Arc<Model> {
        &self.model
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.jobs.stop();
    }
}
