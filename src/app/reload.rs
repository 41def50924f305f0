//! What is changed while the service runs, when its settings are read again.

use std::sync::Arc;

use super::{StartError, identity, settings, worker_program};
use crate::access::Users;
use crate::client::Client;
use crate::clock::SharedClock;
use crate::config::{Config, Live};
use crate::events::Events;
use crate::jobs::{Jobs, System};
use crate::server::{self, Presented};
use crate::wsman;

/// The parts of a running service that take other settings. No connection and no job is lost by it.
#[derive(Clone, Debug)]
pub struct Reload {
    pub(super) presented: Presented,
    pub(super) server: Live<server::Settings>,
    pub(super) service: Arc<wsman::Service>,
    pub(super) users: Arc<Users>,
    pub(super) events: Arc<Events>,
    pub(super) jobs: Vec<(System, Arc<Jobs>)>,
    pub(super) clock: SharedClock,
}

impl Reload {
    /// Has these settings hold: all of them, or none if one cannot be used. Certificates are read anew also where their settings
    /// are the same. Blocks.
    pub fn apply(&self, config: &Config) -> Result<(), StartError> {
        let starts = self.jobs.iter().map(|(system, jobs)| Ok((jobs, worker_program::start(config, *system)?)));
        let starts = starts.collect::<Result<Vec<_>, StartError>>()?;
        let (identity, _) = identity(config, &self.clock)?;
        let server = settings::server(config);
        let client = Client::start(settings::client(config), settings::sink_rules(config)?)?;
        self.presented.replace(&identity, &server)?;
        let sealing_key = self.events.settings().sealing_key.clone();
        self.events.take(settings::events(config, sealing_key), client);
        self.users.take(settings::users(config));
        self.service.take(settings::wsman(config));
        self.service.tell_security_profiles(settings::security_profiles(config));
        self.server.replace(server);
        starts.into_iter().for_each(|(jobs, start)| jobs.start_worker_as(start));
        Ok(())
    }
}
