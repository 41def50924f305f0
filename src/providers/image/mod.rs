//! Shows a host with an image of VIBs as VMware's classes: what differs from hosts with packages.

mod affected;
mod identities;
mod model;
mod service;

use std::sync::Arc;

use super::single::Singles;
use crate::broker::Provider;

pub(super) use identities::standing_link;
pub use model::ImageModel;
#[cfg(test)]
pub(super) use model::TERMS;

/// The providers that only a host with an image has.
pub(super) fn own(model: &Arc<ImageModel>) -> Vec<Arc<dyn Provider>> {
    let mut providers: Vec<Arc<dyn Provider>> = vec![
        Arc::new(identities::Identities::new(model.clone())),
        Singles::provider(service::Services::new(model.clone())),
    ];
    providers.extend(identities::links(model));
    providers.extend(service::links(model));
    providers.extend(affected::links(model));
    providers
}
