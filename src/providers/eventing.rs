//! What the providers of the Indications profile (DSP1054) have in common: the subscriptions, and how the objects are named
//! that show them.
//!
//! A subscription that brought its own filter and destination is shown with both, which are called after it and go with it.
//! What belongs to a subscription is shown to its owner and to administrators.

use std::sync::Arc;

use uuid::Uuid;

use super::model::Model;
use super::static_filters;
use crate::access::{Caller, Role};
use crate::broker::INTEROP_NAMESPACE;
use crate::cim::{Instance, ObjectPath, PropertyError, Value};
use crate::events::{Events, IndicationFilters, Subscription};

pub(super) const FILTER: &str = "CIM_IndicationFilter";
pub(super) const DESTINATION: &str = "CIM_ListenerDestinationWSManagement";

/// What the names begin with of what belongs to one subscription.
const OWN: &str = "Quartermaster:Subscription:";

/// What indications are subscribed to with.
#[derive(Clone, Debug)]
pub struct Eventing {
    pub(super) model: Arc<Model>,
    pub(super) events: Arc<Events>,
    pub(super) filters: Arc<IndicationFilters>,
}

impl Eventing {
    /// The subscriptions to what happens on one system.
    pub fn new(model: Arc<Model>, events: Arc<Events>, filters: Arc<IndicationFilters>) -> Self {
        Self { model, events, filters }
    }

    /// The keys of a filter or destination.
    pub(super) fn keys(&self, class: &'static str, name: Arc<str>) -> [(&'static str, Arc<str>); 4] {
        let system = &self.model.system;
        [
            ("SystemCreationClassName", system.class.clone()),
            ("SystemName", system.name.clone()),
            ("CreationClassName", class.into()),
            ("Name", name),
        ]
    }

    /// Sets the keys of a filter or destination.
    pub(super) fn name(
        &self,
        instance: &mut Instance,
        class: &'static str,
        name: Arc<str>,
    ) -> Result<(), PropertyError> {
        self.keys(class, name).into_iter().try_for_each(|(key, value)| instance.set(key, value).map(drop))
    }

    /// The path of a filter or destination.
    pub(super) fn path(&self, class: &'static str, name: Arc<str>) -> Arc<ObjectPath> {
        let keys = self.keys(class, name).into_iter().map(|(key, value)| (key.into(), Value::String(value)));
        Arc::new(ObjectPath::new(INTEROP_NAMESPACE, class, keys.collect()))
    }

    /// The filter and the destination of a subscription.
    pub(super) fn ends_of(&self, subscription: &Subscription) -> [Arc<ObjectPath>; 2] {
        let own = own_name(subscription.id);
        [self.path(FILTER, own.clone()), self.path(DESTINATION, own)]
    }

    /// The subscription that a filter or destination of that name belongs to.
    pub(super) fn owning(&self, name: &str) -> Option<Subscription> {
        self.events.subscription(own_id(name)?)
    }

    /// Whether the caller may know of a subscription.
    pub(super) fn shows(&self, caller: &Caller, id: Uuid) -> bool {
        let is_own = |subscription: Subscription| subscription.owner.name == caller.name;
        caller.role == Role::Admin || self.events.subscription(id).is_some_and(is_own)
    }

    /// Whether the caller may know of what a path names.
    pub(super) fn shows_path(&self, caller: &Caller, path: &ObjectPath) -> bool {
        path.key_str("Name").and_then(own_id).is_none_or(|id| self.shows(caller, id))
    }

    /// Whether the caller may know of a filter or destination.
    pub(super) fn shows_instance(&self, caller: &Caller, instance: &Instance) -> bool {
        self.shows_path(caller, &instance.path(&INTEROP_NAMESPACE.into()))
    }

    /// Whether there is a filter of that name.
    pub(super) fn has_filter(&self, name: &str) -> bool {
        static_filters::find(name).is_some() || self.filters.find(name).is_some() || self.owning(name).is_some()
    }

    /// Whether there is a destination of that name.
    pub(super) fn has_destination(&self, name: &str) -> bool {
        self.owning(name).is_some()
    }

    /// The names of all filters.
    pub(super) fn filter_names(&self) -> Vec<Arc<str>> {
        let fixed = static_filters::all().map(|filter| Arc::from(filter.name));
        let mut names: Vec<Arc<str>> = fixed.collect();
        names.extend(self.filters.all().iter().map(|filter| filter.name.clone()).filter(is_no_static));
        names.extend(self.own_names());
        names
    }

    /// The names of all destinations.
    pub(super) fn destination_names(&self) -> Vec<Arc<str>> {
        self.own_names()
    }

    /// The names of the filters and destinations that belong to subscriptions.
    fn own_names(&self) -> Vec<Arc<str>> {
        self.events.subscriptions().iter().map(|subscription| own_name(subscription.id)).collect()
    }
}

/// What the filter and the destination of a subscription are called that brought its own.
pub(super) fn own_name(id: Uuid) -> Arc<str> {
    format!("{OWN}{}", id.hyphenated()).into()
}

/// The subscription that a name is called after.
pub(super) fn own_id(name: &str) -> Option<Uuid> {
    name.strip_prefix(OWN)?.parse().ok()
}

/// Whether a name is not for clients to give.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with(OWN)
}

fn is_no_static(name: &Arc<str>) -> bool {
    static_filters::find(name).is_none()
}
