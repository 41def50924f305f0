//! Shows the domain as CIM: one file per family of managed objects.

mod filters;
mod identities;
mod indications;
mod installation;
mod job_links;
mod jobs;
mod links;
mod model;
mod profiles;
mod service;
mod system;

use std::sync::Arc;

use crate::broker::Provider;
use crate::cim::CimError;
use crate::events::IndicationFilters;

#[cfg(test)]
mod tests;

pub use indications::Indications;
pub use model::{Model, SystemName};

/// The providers of one managed system and of the filters that its clients make, or the error that says what the schema lacks.
pub fn all(model: &Arc<Model>, filters: &Arc<IndicationFilters>) -> Result<Vec<Arc<dyn Provider>>, CimError> {
    let mut providers: Vec<Arc<dyn Provider>> = vec![
        Arc::new(system::Systems::new(model.clone())),
        Arc::new(identities::Identities::new(model.clone())?),
        Arc::new(service::Services::new(model.clone())),
        Arc::new(jobs::JobInstances::new(model.clone())),
        Arc::new(profiles::Profiles),
        Arc::new(filters::Filters::new(model.clone(), filters.clone())),
    ];
    providers.extend(identities::links(model));
    providers.extend(service::links(model));
    providers.extend(job_links::links(model));
    providers.extend(profiles::links(model));
    Ok(providers)
}
