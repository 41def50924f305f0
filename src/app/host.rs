//! The managed host: its engine, its jobs, and what shows them.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use super::settings;
use super::watch::{Look, Watch};
use super::{StartError, essential};
use crate::access::Users;
use crate::broker::Provider;
use crate::cim::{CimError, Instance, Schema};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::events::{self, Describe, Destinations, Events, IndicationFilters};
use crate::jobs::{self, Jobs, Observed, WorkerProgram};
use crate::providers::{self, Eventing, Indications, Model, SystemName};
use crate::software::{self, Family};
use crate::store::Store;
use crate::store::changes::ChangeRecord;

/// The managed host, if there is one (`engine = "none"` leaves it away).
#[derive(Debug)]
pub(super) struct Host(Option<Managed>);

#[derive(Debug)]
struct Managed {
    model: Arc<Model>,
    jobs: Arc<Jobs>,
    filters: Arc<IndicationFilters>,
    destinations: Arc<Destinations>,
    _watch: Watch,
}

impl Host {
    /// Opens the engine, takes up the jobs and begins to watch the package database.
    pub(super) fn open(
        config: &Config,
        store: &Arc<Store>,
        schema: &Arc<Schema>,
        users: &Arc<Users>,
        clock: &SharedClock,
    ) -> Result<Self, StartError> {
        let Some(manager) =
            software::open_with(settings::engine(config.engine), &config.root, settings::at_work(&config.state_dir))?
        else {
            return Ok(Self(None));
        };
        let observed = Observed::new(store.clone(), clock.clone(), manager.root());
        let look = Arc::new(Look::new(manager.clone(), observed));
        let settings = jobs::Settings {
            before_end: Some(look.clone()),
            users: Some(users.clone()),
            ..jobs_settings(config, manager.family())?
        };
        let jobs = Arc::new(Jobs::open(store.clone(), clock.clone(), settings)?);
        let running = jobs.clone();
        essential::spawn("jobs", move || running.run()).map_err(StartError::Thread)?;
        let name = SystemName { class: config.system_class.as_str().into(), name: config.system_name().into() };
        let model = Model::new(schema.clone(), manager.clone(), jobs.clone(), clock.clone(), name);
        let takes_byte_streams = settings::takes_byte_streams(config);
        let model = Arc::new(if takes_byte_streams { model } else { model.without_byte_streams() });
        let filters = IndicationFilters::open(store.clone(), schema.clone()).map_err(events::OpenError::from)?;
        let destinations = Destinations::open(store.clone()).map_err(events::OpenError::from)?;
        let watch = Watch::start(look, config.jobs.catalog_idle).map_err(StartError::Thread)?;
        Ok(Self(Some(Managed {
            model,
            jobs,
            filters: Arc::new(filters),
            destinations: Arc::new(destinations),
            _watch: watch,
        })))
    }

    /// What shows the host, and the subscriptions to what happens on it.
    pub(super) fn providers(&self, events: &Arc<Events>) -> Result<Vec<Arc<dyn Provider>>, CimError> {
        let Some(Managed { model, filters, destinations, .. }) = &self.0 else { return Ok(Vec::new()) };
        let mut all = providers::all(model)?;
        let eventing = Eventing::new(model.clone(), events.clone(), filters.clone(), destinations.clone());
        all.extend(providers::indications(eventing));
        Ok(all)
    }

    pub(super) fn describe(&self) -> Arc<dyn Describe> {
        match &self.0 {
            Some(managed) => Arc::new(Indications::new(managed.model.clone())),
            None => Arc::new(NothingHappens),
        }
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        self.jobs.stop();
    }
}

/// Without a managed host there is nothing to tell of.
struct NothingHappens;

impl Describe for NothingHappens {
    fn describe(&self, _: &ChangeRecord) -> Result<Option<Instance>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(None)
    }
}

fn jobs_settings(config: &Config, family: Family) -> Result<jobs::Settings, StartError> {
    let worker = WorkerProgram {
        // Not the file's path: after an upgrade another version lies there.
        program: format!("/proc/{}/exe", std::process::id()).into(),
        arguments: worker_arguments(config, family)?,
        environment: Vec::new(),
        launcher: scope(),
    };
    Ok(jobs::Settings {
        time_before_removal_seconds: config.jobs.time_before_removal.as_secs(),
        history_records: config.jobs.history_records,
        ..jobs::Settings::new(config.state_dir.clone(), worker)
    })
}

/// What gives the worker a scope of its own where systemd runs, which ends everything of a service together with it.
fn scope() -> Vec<OsString> {
    // As sd_booted(3) tells it. Others than root may not make a scope.
    if Path::new("/run/systemd/system").is_dir() && rustix::process::geteuid().is_root() {
        ["systemd-run", "--scope", "--quiet", "--collect", "--"].map(Into::into).to_vec()
    } else {
        Vec::new()
    }
}

/// The worker gets the engine that was found, so that both speak of the same database.
fn worker_arguments(config: &Config, family: Family) -> Result<Vec<OsString>, settings::SettingError> {
    let engine = match family {
        Family::Deb => "deb",
        Family::Rpm => "rpm",
    };
    let mut arguments: Vec<OsString> = vec!["worker".into()];
    let mut give = |option: &str, value: OsString| arguments.extend([option.into(), value]);
    give("--state-dir", config.state_dir.clone().into());
    give("--root", config.root.clone().into());
    give("--engine", engine.into());
    give("--max-package-octets", config.jobs.max_package_octets.to_string().into());
    give("--idle-seconds", config.jobs.worker_idle.as_secs().to_string().into());
    if !config.jobs.readable_folders.iter().any(|folder| folder == Path::new("/")) {
        give("--limit-folders", "true".into());
        for folder in &config.jobs.readable_folders {
            give("--readable-folder", folder.clone().into());
        }
    }
    let downloads = &config.downloads;
    give("--allow-loopback", settings::allows_loopback(config).to_string().into());
    for entry in settings::download_entries(config)? {
        give("--allow", entry.into());
    }
    give("--silence-seconds", downloads.longest_silence.as_secs().to_string().into());
    give("--timeout-seconds", downloads.time_limit.as_secs().to_string().into());
    if let Some(file) = &downloads.trust_file {
        give("--trust-file", file.clone().into());
    }
    Ok(arguments)
}
