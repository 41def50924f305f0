//! Indication filters (DSP1054): queries with a name, for subscriptions to use.

use std::sync::Arc;

use uuid::Uuid;

use super::eventing::{Eventing, FILTER, is_reserved, own_name};
use super::static_filters::StaticFilter;
use crate::access::Caller;
use crate::broker::{Change, Creation, Deletion, IMPLEMENTATION_NAMESPACE, INTEROP_NAMESPACE, Instances, Provider};
use crate::cim::query::Language;
use crate::cim::{CimError, CimStatus, Class, Instance, ObjectPath, PropertyError, Value};
use crate::events::{FilterError, IndicationFilter, Subscription};

/// What OpenLMI's static filters have as SystemCreationClassName: its clients may ask for them so.
const OPENLMI_SYSTEM_CLASS: &str = "CIM_ComputerSystem";

/// What a client may give of a filter; the rest is the service's.
const GIVEN: [&str; 10] = [
    "SystemCreationClassName",
    "SystemName",
    "CreationClassName",
    "Name",
    "Query",
    "QueryLanguage",
    "SourceNamespace",
    "SourceNamespaces",
    "ElementName",
    "IndividualSubscriptionSupported",
];

/// A filter that is there.
#[derive(Clone, Debug)]
enum Found {
    /// The service's own.
    Static(StaticFilter),
    /// One that a client made.
    Made(Arc<IndicationFilter>),
    /// The one that a subscription brought.
    Own(Box<Subscription>),
}

/// Serves the filters in root/interop.
#[derive(Clone, Debug)]
pub(super) struct Filters(Arc<Eventing>);

impl Filters {
    pub(super) fn new(eventing: Arc<Eventing>) -> Self {
        Self(eventing)
    }

    /// The filter of that name. A path of a subscription may leave out the keys that all filters have in common.
    fn find(&self, path: &ObjectPath) -> Result<Found, CimError> {
        let name = path.key_str("Name").unwrap_or_default();
        let is_ours = |(key, own): &(&str, Arc<str>)| {
            let is_own = |given| given == &**own || *key == "SystemCreationClassName" && given == OPENLMI_SYSTEM_CLASS;
            path.key_str(key).is_none_or(is_own)
        };
        let found = self.named(name).filter(|_| self.own_keys().iter().all(is_ours));
        found.ok_or_else(|| CimError::not_found(format!("There is no indication filter {name:?} of this system.")))
    }

    fn named(&self, name: &str) -> Option<Found> {
        let of_clients = || self.0.filters.find(name).map(Found::Made);
        let own = || self.0.owning(name).map(|subscription| Found::Own(Box::new(subscription)));
        self.0.systems.static_filter(name).map(Found::Static).or_else(of_clients).or_else(own)
    }

    /// The keys that all filters have in common.
    fn own_keys(&self) -> [(&'static str, Arc<str>); 3] {
        let system = self.0.system.name();
        [
            ("SystemCreationClassName", system.class.clone()),
            ("SystemName", system.name.clone()),
            ("CreationClassName", FILTER.into()),
        ]
    }

    fn instance(&self, class: &Arc<Class>, filter: &Found) -> Result<Instance, PropertyError> {
        let mut instance = Instance::new(class.clone());
        for (key, value) in self.own_keys() {
            instance.set(key, value)?;
        }
        match filter {
            Found::Made(filter) => made(&mut instance, filter)?,
            Found::Static(filter) => filter.describe(&mut instance)?,
            Found::Own(subscription) => own(&mut instance, subscription)?,
        }
        instance.set("IndividualSubscriptionSupported", true)?;
        Ok(instance)
    }

    fn wanted(&self, creation: &Creation<'_>) -> Result<IndicationFilter, CimError> {
        let given = creation.wanted;
        let properties = given.class().properties().iter().zip(given.values());
        if let Some((property, _)) = properties.filter(|(_, v)| !v.is_null()).find(|(p, _)| !GIVEN.contains(&&*p.name))
        {
            return Err(CimError::invalid_parameter(format!("{} of a filter cannot be set.", property.name)));
        }
        let text = |name: &str| match given.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        self.0.check_keys(given, FILTER)?;
        if given.get("IndividualSubscriptionSupported") == Some(&Value::Boolean(false)) {
            let why = "IndividualSubscriptionSupported is true for every filter; leave it out.";
            return Err(CimError::invalid_parameter(why));
        }
        let name = text("Name").unwrap_or_else(|| format!("Quartermaster:{}", Uuid::new_v4()).into());
        if is_reserved(&name) {
            let why = format!("Names like {name:?} are for the filters of subscriptions; give another Name, or none.");
            return Err(CimError::invalid_parameter(why));
        }
        if self.0.systems.static_filter(&name).is_some() {
            return Err(refused(FilterError::Exists(name)));
        }
        Ok(IndicationFilter {
            name,
            owner: creation.caller.clone(),
            query: text("Query").unwrap_or_default(),
            language: text("QueryLanguage").unwrap_or_default(),
            namespaces: namespaces(given)?,
            element_name: text("ElementName"),
        })
    }
}

impl Provider for Filters {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![FILTER.into()]
    }

    fn lives_in_interop(&self, _: &Class) -> bool {
        true
    }

    fn allows(&self, _: &Class, change: Change) -> bool {
        matches!(change, Change::Create | Change::Delete)
    }

    fn is_shown(&self, caller: &Caller, instance: &Instance) -> bool {
        self.0.shows_instance(caller, instance)
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        Ok(self.instance(class, &self.find(path)?)?)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let (filters, class) = (self.clone(), class.clone());
        // One that a client made before there was a static one of its name stays hidden behind that.
        let systems = self.0.systems.clone();
        let is_shown = move |filter: &Arc<IndicationFilter>| systems.static_filter(&filter.name).is_none();
        let made = self.0.filters.all().into_iter().filter(is_shown);
        let own = self.0.events.subscriptions().into_iter().filter(|subscription| subscription.made_of.is_none());
        let own = own.map(|subscription| Found::Own(Box::new(subscription)));
        let all = self.0.systems.static_filters().map(Found::Static).chain(made.map(Found::Made)).chain(own);
        Ok(Box::new(all.map(move |filter| Ok(filters.instance(&class, &filter)?))))
    }

    fn create(&self, creation: &Creation<'_>) -> Result<Instance, CimError> {
        let filter = self.wanted(creation)?;
        self.0.filters.add(filter.clone()).map_err(refused)?;
        Ok(self.instance(creation.class, &Found::Made(Arc::new(filter)))?)
    }

    fn delete(&self, deletion: &Deletion<'_>) -> Result<(), CimError> {
        match self.find(deletion.path)? {
            Found::Made(filter) => {
                let _changing = self.0.hold();
                self.0.check_unused(deletion.caller, "filter", |made_of| made_of.filter == filter.name)?;
                self.0.filters.remove(&filter.name, deletion.caller).map_err(refused)
            }
            Found::Static(filter) => Err(CimError::access_denied(format!(
                "The filter {:?} is one of the service's own, which nobody can delete.",
                filter.name
            ))),
            Found::Own(subscription) => Err(CimError::in_use(format!(
                "The filter belongs to subscription {}, and goes when that ends.",
                subscription.id
            ))),
        }
    }
}

fn made(instance: &mut Instance, filter: &IndicationFilter) -> Result<(), PropertyError> {
    instance
        .set("Name", filter.name.clone())?
        .set("ElementName", filter.element_name.clone())?
        .set("Query", filter.query.clone())?
        .set("QueryLanguage", filter.language.clone())?
        .set("SourceNamespace", filter.namespaces.first().cloned())?
        .set("SourceNamespaces", Value::array(filter.namespaces.iter().cloned()))?;
    Ok(())
}

/// What a subscription asked for, said as a filter.
fn own(instance: &mut Instance, subscription: &Subscription) -> Result<(), PropertyError> {
    let class = subscription.class.as_deref().unwrap_or("CIM_Indication");
    let (language, query) = match &subscription.filter {
        Some((Language::Cql, query)) => ("DMTF:CQL", query.clone()),
        Some((Language::Wql, query)) => ("WQL", query.clone()),
        None => ("DMTF:CQL", format!("SELECT * FROM {class}")),
    };
    instance
        .set("Name", own_name(subscription.id))?
        .set("ElementName", format!("Filter of subscription {}", subscription.id))?
        .set("Query", query)?
        .set("QueryLanguage", language)?
        .set("SourceNamespace", IMPLEMENTATION_NAMESPACE)?
        .set("SourceNamespaces", Value::array([IMPLEMENTATION_NAMESPACE]))?;
    Ok(())
}

/// Where indications come from: root/cimv2, whatever a client names beside it.
fn namespaces(given: &Instance) -> Result<Vec<Arc<str>>, CimError> {
    let several = given.get("SourceNamespaces").and_then(Value::as_array).unwrap_or_default();
    let one = given.get("SourceNamespace").map_or(&[][..], std::slice::from_ref);
    let named = if several.is_empty() { one } else { several };
    let mut namespaces: Vec<Arc<str>> = Vec::new();
    for name in named.iter().filter_map(Value::as_str) {
        let known = [IMPLEMENTATION_NAMESPACE, INTEROP_NAMESPACE].into_iter().find(|n| n.eq_ignore_ascii_case(name));
        let known = known.ok_or_else(|| {
            CimError::invalid_parameter(format!(
                "There is no CIM namespace {name:?} for SourceNamespaces; use {IMPLEMENTATION_NAMESPACE}."
            ))
        })?;
        if !namespaces.iter().any(|n| **n == *known) {
            namespaces.push(known.into());
        }
    }
    if namespaces.is_empty() {
        namespaces.push(IMPLEMENTATION_NAMESPACE.into());
    }
    if !namespaces.iter().any(|name| &**name == IMPLEMENTATION_NAMESPACE) {
        return Err(CimError::invalid_parameter(format!(
            "No indication comes from {INTEROP_NAMESPACE}; name {IMPLEMENTATION_NAMESPACE} in SourceNamespaces, or nothing."
        )));
    }
    Ok(namespaces)
}

fn refused(error: FilterError) -> CimError {
    let status = match error {
        FilterError::Language(_) | FilterError::Query(_) | FilterError::TooLong | FilterError::Name => {
            CimStatus::InvalidParameter
        }
        FilterError::Exists(_) => CimStatus::AlreadyExists,
        FilterError::NotFound => CimStatus::NotFound,
        FilterError::NotYours => CimStatus::AccessDenied,
        FilterError::TooMany | FilterError::TooManyOfOne => CimStatus::ServerLimitsExceeded,
        FilterError::Store(error) => {
            return CimError::internal("The filter could not be recorded; the operator's log says why.", error);
        }
    };
    CimError::new(status, error.to_string())
}
