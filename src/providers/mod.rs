//! Shows the domain as CIM: one file per family of managed objects.

mod affected;
mod bundles;
mod dependencies;
mod destinations;
mod eventing;
mod file_checks;
mod filters;
mod find;
mod identities;
mod identity_links;
pub mod image;
mod indication_service;
mod indications;
mod install_options;
mod installation;
mod installed;
mod job_instance;
mod job_links;
mod job_parameters;
mod job_results;
mod jobs;
mod links;
mod log;
mod log_entry;
mod model;
mod names;
mod operating_system;
mod planning;
mod profiles;
mod repositories;
mod requirements;
mod service;
mod static_filters;
mod subscriptions;
mod system;

use std::sync::Arc;

use crate::broker::Provider;
use crate::cim::CimError;

#[cfg(test)]
mod tests;

pub use eventing::Eventing;
pub use indications::Indications;
use log::SystemLog;
pub use model::{Model, SystemName};

/// The providers of one managed system, or the error that says what the schema lacks.
pub fn all(model: &Arc<Model>) -> Result<Vec<Arc<dyn Provider>>, CimError> {
    let mut providers: Vec<Arc<dyn Provider>> = vec![
        Arc::new(system::Systems::new(model.system.clone())),
        Arc::new(identities::Identities::new(model.clone())?),
        Arc::new(installed::Installed::new(model.clone())),
        Arc::new(dependencies::Dependencies::new(model.clone())),
        Arc::new(requirements::Requirements::new(model.clone())),
        Arc::new(bundles::BundleInstances::new(model.clone())),
        Arc::new(repositories::Repositories::new(model.clone())),
        Arc::new(service::Services::new(model.clone())),
        Arc::new(jobs::JobInstances::new(model.clone())),
        Arc::new(job_results::JobResults::new(model.clone())),
        Arc::new(profiles::Profiles),
    ];
    providers.extend(identity_links::links(model));
    providers.extend(repositories::links(model));
    providers.extend(bundles::links(model));
    providers.extend(service::links(model));
    providers.extend(file_checks::providers(model));
    providers.extend(affected::links(model));
    providers.extend(job_links::links(model));
    providers.extend(job_results::links(model));
    providers.extend(log::providers(&SystemLog::of_host(model.jobs.clone(), model.system.clone())));
    providers.extend(profiles::links(model));
    Ok(providers)
}

/// The providers of what indications of one system are subscribed to with.
pub fn indications(eventing: Eventing) -> Vec<Arc<dyn Provider>> {
    let eventing = Arc::new(eventing);
    let mut providers: Vec<Arc<dyn Provider>> = vec![
        Arc::new(indication_service::IndicationServices::new(eventing.clone())),
        Arc::new(filters::Filters::new(eventing.clone())),
        Arc::new(destinations::Listeners::new(eventing.clone())),
        Arc::new(subscriptions::Subscriptions::new(eventing.clone())),
    ];
    providers.extend(indication_service::links(&eventing));
    providers
}
