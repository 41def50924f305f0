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
use crate::jobs::{Jobs, System};
use crate::providers::{self, Eventing, Indications, ManagedSystems};
use crate::store::Store;
use crate::store::changes::ChangeRecord;

/// The managed systems, if there are any.
#[derive(Debug)]
pub(super) struct Systems(Option<Open>);

#[derive(Debug)]
struct Open {
    shown: ManagedSystems,
    filters: Arc<IndicationFilters>,
    destinations: Arc<Destinations>,
    host: Option<Host>,
    image: Option<Image>,
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
        let host = Host::open(config, store, schema, users, clock)?;
        let image = Image::open(config, store, schema, users, clock)?;
        let models =
            (host.as_ref().map(|host| host.model().clone()), image.as_ref().map(|image| image.model().clone()));
        let Some(shown) = ManagedSystems::new(models.0, models.1) else { return Ok(Self(None)) };
        let filters = IndicationFilters::open(store.clone(), schema.clone()).map_err(events::OpenError::from)?;
        let destinations = Destinations::open(store.clone()).map_err(events::OpenError::from)?;
        let (filters, destinations) = (Arc::new(filters), Arc::new(destinations));
        Ok(Self(Some(Open { shown, filters, destinations, host, image })))
    }

    /// What shows each system, and the subscriptions to what happens on them.
    pub(super) fn providers(&self, events: &Arc<Events>) -> Result<Vec<Vec<Arc<dyn Provider>>>, CimError> {
        let Some(Open { shown, filters, destinations, .. }) = &self.0 else { return Ok(Vec::new()) };
        let mut lists = providers::all(shown)?;
        let eventing = Eventing::new(shown.clone(), events.clone(), filters.clone(), destinations.clone());
        lists.push(providers::indications(eventing));
        Ok(lists)
    }

    /// The jobs of each.
    pub(super) fn jobs(&self) -> Vec<(System, Arc<Jobs>)> {
        let Some(Open { host, image, .. }) = &self.0 else { return Vec::new() };
        let host = host.as_ref().map(|host| (System::Host, host.jobs().clone()));
        host.into_iter().chain(image.as_ref().map(|image| (System::Image, image.jobs().clone()))).collect()
    }

    pub(super) fn describe(&self) -> Arc<dyn Describe> {
        match &self.0 {
            Some(open) => Arc::new(Indications::new(open.shown.clone())),
            None => Arc::new(NothingHappens),
        }
    }
}

/// Without a managed system there is nothing to tell of.
struct NothingHappens;

impl Describe for NothingHappens {
    fn describe(&self, _: &ChangeRecord) -> Result<Option<Instance>, Box<dyn Error + Send + Sync>> {
        Ok(None)
    }
}
