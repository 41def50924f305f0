//! Scan, deploy, assess: what a system lacks of what a vendor published, and the service that installs it.

mod bulletins;
mod indication;
mod instances;
mod links;
mod paths;
mod service;
mod system;

use std::sync::Arc;

use system::PatchSystem;

use super::single::Singles;
use crate::broker::Provider;

pub(super) use indication::indication;
pub(super) use system::{of_host, of_image};

/// The providers of the patch side of one system.
pub(super) fn all(system: &Arc<PatchSystem>) -> Vec<Arc<dyn Provider>> {
    let mut providers: Vec<Arc<dyn Provider>> = vec![
        Singles::provider(service::PatchServices::new(system.clone())),
        Arc::new(bulletins::BulletinInstances::new(system.clone())),
    ];
    providers.extend(links::links(system));
    providers
}
