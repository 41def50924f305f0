//! Subscriptions that are made of a filter and a destination which were there before (DSP1054).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Expiry, ListenerDestination, NewSubscription};
use crate::access::Caller;
use crate::cim::Interval;
use crate::cim::query::Language;
use crate::soap::EndpointReference;
use crate::wire::{SinkSecurity, UriForm};

/// The filter and the destination that a subscription was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeOf {
    /// The name of the filter.
    pub filter: Arc<str>,
    /// The name of the destination.
    pub destination: Arc<str>,
}

/// A filter to make a subscription of, whoever keeps it.
#[derive(Clone, Debug)]
pub struct NamedFilter {
    /// Its name.
    pub name: Arc<str>,
    /// The language of its query.
    pub language: Language,
    /// Its query.
    pub query: String,
}

/// What is asked for by making a subscription of a filter and a destination. It is managed as an instance, or by its id.
pub(super) fn asked(
    owner: &Caller,
    filter: NamedFilter,
    destination: &ListenerDestination,
    lasting: Option<Interval>,
) -> (NewSubscription, MadeOf) {
    let new = NewSubscription {
        owner: owner.clone(),
        class: None,
        filter: Some((filter.language, filter.query)),
        delivery: destination.delivery.clone(),
        notify_to: Some(EndpointReference::new(destination.address.as_str())),
        security: SinkSecurity::default(),
        end_to: destination.end_to.as_deref().map(EndpointReference::new),
        expires: lasting.map(Expiry::After),
        bookmark: None,
        asked_at: (EndpointReference::anonymous().address, UriForm::Vendor.class_uri("CIM_IndicationSubscription")),
    };
    (new, MadeOf { filter: filter.name, destination: destination.name.clone() })
}
