//! What the providers of the Indications profile (DSP1054) have in common: the subscriptions, and how the objects are named
//! that show them.
//!
//! A subscription that brought its own filter and destination is shown with both, which are called after it and go with it.
//! One that was made of a filter and a destination that were there is the link between these two. Subscriptions and
//! destinations are shown to their owners and to administrators.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::managed::ManagedSystem;
use super::managed_systems::ManagedSystems;
use crate::access::{Caller, Role};
use crate::broker::INTEROP_NAMESPACE;
use crate::cim::{CimError, Instance, ObjectPath, PropertyError, Value};
use crate::events::{Destinations, Events, IndicationFilters, ListenerDestination, MadeOf, Subscription};

pub(super) const FILTER: &str = "CIM_IndicationFilter";
pub(super) const DESTINATION: &str = "CIM_ListenerDestinationWSManagement";

/// What the names begin with of what belongs to one subscription.
const OWN: &str = "Quartermaster:Subscription:";

/// What indications are subscribed to with.
#[derive(Debug)]
pub struct Eventing {
    /// The system that has the service.
    pub(super) system: Arc<dyn ManagedSystem>,
    pub(super) systems: ManagedSystems,
    pub(super) events: Arc<Events>,
    pub(super) filters: Arc<IndicationFilters>,
    pub(super) destinations: Arc<Destinations>,
    changing: Mutex<()>,
}

impl Eventing {
    /// The subscriptions to what happens on these systems.
    pub fn new(
        systems: ManagedSystems,
        events: Arc<Events>,
        filters: Arc<IndicationFilters>,
        destinations: Arc<Destinations>,
    ) -> Self {
        Self { system: systems.home(), systems, events, filters, destinations, changing: Mutex::default() }
    }

    /// As long as it is held, no filter and no destination goes that a subscription is just made of.
    pub(super) fn hold(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of a filter or destination.
    pub(super) fn keys(&self, class: &'static str, name: Arc<str>) -> [(&'static str, Arc<str>); 4] {
        let system = self.system.name();
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
        if let Some(MadeOf { filter, destination }) = &subscription.made_of {
            return [self.path(FILTER, filter.clone()), self.path(DESTINATION, destination.clone())];
        }
        let own = own_name(subscription.id);
        [self.path(FILTER, own.clone()), self.path(DESTINATION, own)]
    }

    /// The subscription that a filter or destination of that name belongs to.
    pub(super) fn owning(&self, name: &str) -> Option<Subscription> {
        self.events.subscription(own_id(name)?).filter(|subscription| subscription.made_of.is_none())
    }

    /// The subscriptions that were made of what is wanted.
    pub(super) fn made_of(&self, is_wanted: impl Fn(&MadeOf) -> bool) -> Vec<Subscription> {
        let mut all = self.events.subscriptions();
        all.retain(|subscription| subscription.made_of.as_ref().is_some_and(&is_wanted));
        all
    }

    /// Refuses to remove what a subscription was made of and needs still.
    pub(super) fn check_unused(
        &self,
        caller: &Caller,
        what: &str,
        is_it: impl Fn(&MadeOf) -> bool,
    ) -> Result<(), CimError> {
        let Some(user) = self.made_of(is_it).into_iter().next() else { return Ok(()) };
        let how = if self.shows(caller, user.id) {
            "end that first, by deleting its CIM_IndicationSubscription"
        } else {
            "it is another user's, which an administrator can end"
        };
        Err(CimError::in_use(format!("The {what} is in use by subscription {}; {how}.", user.id)))
    }

    /// Checks the keys that a client gave of a new filter or destination; all but the name are the service's.
    pub(super) fn check_keys(&self, wanted: &Instance, class: &'static str) -> Result<(), CimError> {
        for (key, own) in self.keys(class, "".into()).into_iter().filter(|(key, _)| *key != "Name") {
            let given = wanted.get(key).and_then(Value::as_str).filter(|given| !given.is_empty());
            if given.is_some_and(|given| given != &*own) {
                return Err(CimError::invalid_parameter(format!("{key} is {own:?} here; leave it out.")));
            }
        }
        Ok(())
    }

    /// Whether the caller may know of a subscription.
    pub(super) fn shows(&self, caller: &Caller, id: Uuid) -> bool {
        let is_own = |subscription: Subscription| subscription.owner.name == caller.name;
        caller.role == Role::Admin || self.events.subscription(id).is_some_and(is_own)
    }

    /// Whether the caller may know of what a path names.
    pub(super) fn shows_path(&self, caller: &Caller, path: &ObjectPath) -> bool {
        let name = path.key_str("Name").unwrap_or_default();
        match own_id(name) {
            Some(id) => self.shows(caller, id),
            None if path.key_str("CreationClassName") != Some(DESTINATION) => true,
            None => {
                let is_own = |destination: Arc<ListenerDestination>| destination.owner.name == caller.name;
                caller.role == Role::Admin || self.destinations.find(name).is_some_and(is_own)
            }
        }
    }

    /// Whether the caller may know of a filter or destination.
    pub(super) fn shows_instance(&self, caller: &Caller, instance: &Instance) -> bool {
        self.shows_path(caller, &instance.path(&INTEROP_NAMESPACE.into()))
    }

    /// Whether there is a filter of that name.
    pub(super) fn has_filter(&self, name: &str) -> bool {
        self.systems.static_filter(name).is_some() || self.filters.find(name).is_some() || self.owning(name).is_some()
    }

    /// Whether there is a destination of that name.
    pub(super) fn has_destination(&self, name: &str) -> bool {
        self.destinations.find(name).is_some() || self.owning(name).is_some()
    }

    /// The names of all filters.
    pub(super) fn filter_names(&self) -> Vec<Arc<str>> {
        let is_no_static = |name: &Arc<str>| self.systems.static_filter(name).is_none();
        let fixed = self.systems.static_filters().map(|filter| Arc::from(filter.name));
        let mut names: Vec<Arc<str>> = fixed.collect();
        names.extend(self.filters.all().iter().map(|filter| filter.name.clone()).filter(is_no_static));
        names.extend(self.own_names());
        names
    }

    /// The names of all destinations.
    pub(super) fn destination_names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = self.destinations.all().iter().map(|known| known.name.clone()).collect();
        names.extend(self.own_names());
        names
    }

    /// The names of the filters and destinations that belong to subscriptions.
    fn own_names(&self) -> Vec<Arc<str>> {
        let all = self.events.subscriptions();
        all.iter().filter(|one| one.made_of.is_none()).map(|subscription| own_name(subscription.id)).collect()
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

/// Checks that a client gives nothing but what it may, or what is so anyway.
pub(super) fn check_given(wanted: &Instance, may: &[&str], fixed: &[(&str, &[u16])]) -> Result<(), CimError> {
    let is_so = |name: &str, value: &Value| {
        let own = fixed.iter().find(|(known, _)| *known == name);
        own.is_some_and(|(_, values)| values.iter().any(|own| *value == Value::Uint16(*own)))
    };
    let given = wanted.class().properties().iter().zip(wanted.values()).filter(|(_, value)| !value.is_null());
    let mut wrong = given.filter(|(property, value)| !may.contains(&&*property.name) && !is_so(&property.name, value));
    let Some((property, _)) = wrong.next() else { return Ok(()) };
    let (class, name) = (wanted.class().name(), &property.name);
    Err(CimError::invalid_parameter(match fixed.iter().find(|(known, _)| **known == **name) {
        Some((_, [.., own])) => format!("{name} of a {class} is {own} here; leave it out."),
        _ => format!("{name} of a {class} cannot be set; leave it out."),
    }))
}

/// Whether a name is not for clients to give.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with(OWN)
}
