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
mod image;
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
mod managed;
mod managed_systems;
mod model;
mod names;
mod operating_system;
mod patch;
mod planning;
mod profiles;
mod repositories;
mod requirements;
mod service;
mod single;
mod static_filters;
mod subscriptions;
mod system;
mod updates;

use std::sync::Arc;

use crate::broker::Provider;
use crate::cim::CimError;

#[cfg(test)]
mod tests;

use managed::ManagedSystem;
use single::Singles;

pub use eventing::Eventing;
pub use image::ImageModel;
pub use indications::Indications;
pub use managed::SystemName;
pub use managed_systems::ManagedSystems;
pub use model::Model;

/// The providers of each system, or the error that says what the schema lacks.
pub fn all(systems: &ManagedSystems) -> Result<Vec<Vec<Arc<dyn Provider>>>, CimError> {
    let home = systems.home();
    let mut lists = Vec::new();
    if let Some(model) = &systems.host {
        let system: Arc<dyn ManagedSystem> = model.clone();
        let patches = patch::of_host(model).map(|system| patch::all(&system)).unwrap_or_default();
        lists.push(of_every_system(&system, &home).into_iter().chain(of_packages(model)?).chain(patches).collect());
    }
    if let Some(model) = &systems.image {
        let system: Arc<dyn ManagedSystem> = model.clone();
        let patches = patch::all(&patch::of_image(model));
        lists.push(of_every_system(&system, &home).into_iter().chain(image::own(model)).chain(patches).collect());
    }
    Ok(lists)
}

/// The providers that every system has; `home` has the indication service.
fn of_every_system(system: &Arc<dyn ManagedSystem>, home: &Arc<dyn ManagedSystem>) -> Vec<Arc<dyn Provider>> {
    let mut providers: Vec<Arc<dyn Provider>> = vec![
        Arc::new(system::ScopingSystem::new(system.clone())),
        Arc::new(jobs::JobInstances::new(system.clone())),
        Arc::new(job_results::JobResults::new(system.clone())),
        Arc::new(log::History::new(system.clone())),
        Arc::new(profiles::Profiles::new(system.clone())),
    ];
    providers.extend(job_links::links(system));
    providers.extend(job_results::links(system));
    providers.extend(log::links(system));
    providers.extend(profiles::links(system, home));
    providers
}

/// The providers that only a host with packages has.
fn of_packages(model: &Arc<Model>) -> Result<Vec<Arc<dyn Provider>>, CimError> {
    let mut providers: Vec<Arc<dyn Provider>> = vec![
        Arc::new(identities::Identities::new(model.clone())?),
        Arc::new(installed::Installed::new(model.clone())),
        Arc::new(dependencies::Dependencies::new(model.clone())),
        Arc::new(requirements::Requirements::new(model.clone())),
        Arc::new(bundles::BundleInstances::new(model.clone())),
        Arc::new(repositories::Repositories::new(model.clone())),
        Singles::provider(service::Services::new(model.clone())),
    ];
    providers.extend(identity_links::links(model));
    providers.extend(repositories::links(model));
    providers.extend(bundles::links(model));
    providers.extend(service::links(model));
    providers.extend(file_checks::providers(model));
    providers.extend(affected::links(model));
    Ok(providers)
}

/// The providers of what indications are subscribed to with.
pub fn indications(eventing: Eventing) -> Vec<Arc<dyn Provider>> {
    let eventing = Arc::new(eventing);
    let mut providers: Vec<Arc<dyn Provider>> = vec![
        Singles::provider(indication_service::IndicationServices::new(eventing.clone())),
        Arc::new(filters::Filters::new(eventing.clone())),
        Arc::new(destinations::Listeners::new(eventing.clone())),
        Arc::new(subscriptions::Subscriptions::new(eventing.clone())),
    ];
    providers.extend(indication_service::links(&eventing));
    providers
}
