//! The systems that one service manages: a host, an image beside it, both or none.

use std::error::Error;
use std::sync::Arc;

use super::StartError;
use super::host::Host;
use super::image::Image;
use crate::access::Users;
use crate::broker::Provider;
use crate::cim::{CimError, Instance, Schema};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::events::{self, Describe, Destinations, Events, IndicationFilters};
use crate::providers::{self, Eventing, SystemName};
use crate::store::Store;
use crate::store::changes::ChangeRecord;

/// The managed systems.
#[derive(Debug)]
pub(super) struct Systems {
    host: Option<Host>,
    image: Option<Image>,
    filters: Arc<IndicationFilters>,
    destinations: Arc<Destinations>,
    clock: SharedClock,
}

impl Systems {
    /// Opens those that the settings name.
    pub(super) fn open(
        config: &Config,
        store: &Arc<Store>,
        schema: &Arc<Schema>,
        users: &Arc<Users>,
        clock: &SharedClock,
    ) -> Result<Self, StartError> {
        let filters = IndicationFilters::open(store.clone(), schema.clone()).map_err(events::OpenError::from)?;
        let destinations = Destinations::open(store.clone()).map_err(events::OpenError::from)?;
        Ok(Self {
            host: Host::open(config, store, schema, users, clock)?,
            image: Image::open(config, store, schema, users, clock)?,
            filters: Arc::new(filters),
            destinations: Arc::new(destinations),
            clock: clock.clone(),
        })
    }

    /// What shows each system, and the subscriptions to what happens on them.
    pub(super) fn providers(&self, events: &Arc<Events>) -> Result<Vec<Vec<Arc<dyn Provider>>>, CimError> {
        let host = self.host.as_ref().map(Host::providers).transpose()?;
        let image = self.image.as_ref().map(Image::providers).transpose()?;
        let mut systems: Vec<_> = host.into_iter().chain(image).collect();
        if let (Some(name), Some(first)) = (self.name(), systems.first_mut()) {
            let (filters, destinations) = (self.filters.clone(), self.destinations.clone());
            let eventing = Eventing::new(name.clone(), self.clock.clone(), events.clone(), filters, destinations);
            first.extend(providers::indications(eventing));
        }
        Ok(systems)
    }

    /// The system that the service itself belongs to: the host, if it is managed.
    fn name(&self) -> Option<&SystemName> {
        self.host.as_ref().map(Host::name).or_else(|| self.image.as_ref().map(Image::name))
    }

    pub(super) fn describe(&self) -> Arc<dyn Describe> {
        let (host, image) = (self.host.as_ref().map(Host::describe), self.image.as_ref().map(Image::describe));
        Arc::new(Described(host.into_iter().chain(image).collect()))
    }
}

/// Each system describes what happens on it, which it knows by the subject of the record.
struct Described(Vec<Arc<dyn Describe>>);

impl Describe for Described {
    fn describe(&self, record: &ChangeRecord) -> Result<Option<Instance>, Box<dyn Error + Send + Sync>> {
        for system in &self.0 {
            if let Some(indication) = system.describe(record)? {
                return Ok(Some(indication));
            }
        }
        Ok(None)
    }
}
