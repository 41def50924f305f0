//! What is changed while the service runs, when its settings are read again.

use std::sync::Arc;

use super::{StartError, identity, worker_program};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::jobs::{Jobs, System};
use crate::server::{Presented, ServerError};

/// The parts of a running service that take other settings. No connection and no job is lost by it.
#[derive(Clone, Debug)]
pub struct Reload {
    pub(super) presented: Presented,
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
        self.presented.replace(&identity).map_err(ServerError::from)?;
        starts.into_iter().for_each(|(jobs, start)| jobs.start_worker_as(start));
        Ok(())
    }
}
