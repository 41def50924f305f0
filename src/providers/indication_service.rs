//! The indication service (DSP1054), what it can do, and the collection of its own filters.

use std::sync::Arc;
use std::time::Duration;

use super::eventing::{DESTINATION, Eventing, FILTER};
use super::links::{FixedLink, Link, Links, Pairs, each, none};
use super::managed::{ManagedSystem, SystemName};
use super::single::Single;
use super::static_filters::StaticFilter;
use crate::access::Caller;
use crate::broker::{INTEROP_NAMESPACE, Invocation, MethodReply, Provider};
use crate::cim::{CimError, CimStatus, Class, Instance, ObjectPath, PropertyError, Value};
use crate::events::Destinations;

const SERVICE: &str = "CIM_IndicationService";
const SERVICE_NAME: &str = "Quartermaster:IndicationService";
const CAPABILITIES: &str = "CIM_IndicationServiceCapabilities";
const CAPABILITIES_ID: &str = "Quartermaster:IndicationServiceCapabilities";
const COLLECTION: &str = "CIM_FilterCollection";
const COLLECTION_ID: &str = "Quartermaster:JobFilters";

/// Serves the service, its capabilities and the collection.
#[derive(Debug)]
pub(super) struct IndicationServices(Arc<Eventing>);

impl IndicationServices {
    pub(super) fn new(eventing: Arc<Eventing>) -> Self {
        Self(eventing)
    }

    fn service(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        let (system, settings) = (self.0.system.name(), self.0.events.settings());
        let mut service = Instance::new(class.clone());
        service
            .set("CreationClassName", SERVICE)?
            .set("Name", SERVICE_NAME)?
            .set("SystemCreationClassName", system.class.clone())?
            .set("SystemName", system.name.clone())?
            .set("ElementName", "Indication Service")?
            .set("Caption", "Indications of changes to software")?
            .set("Description", "Delivers what happens to jobs and packages to whoever subscribed.")?
            // 2 Enabled, 12 Not Applicable
            .set("EnabledState", 2u16)?
            .set("RequestedState", 12u16)?
            // 5 OK, 2 OK
            .set("HealthState", 5u16)?
            .set("OperationalStatus", Value::array([2u16]))?
            .set("Started", true)?
            .set("FilterCreationEnabled", true)?
            .set("DeliveryRetryAttempts", u16::try_from(settings.retry_attempts()).unwrap_or(u16::MAX))?
            .set("DeliveryRetryInterval", seconds(settings.longest_retry))?
            // 2 Remove
            .set("SubscriptionRemovalAction", 2u16)?
            .set("SubscriptionRemovalTimeInterval", seconds(settings.give_up_after))?;
        Ok(service)
    }

    fn capabilities(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        let settings = self.0.events.settings();
        let mut capabilities = Instance::new(class.clone());
        for setting in [
            "FilterCreationEnabled",
            "DeliveryRetryAttempts",
            "DeliveryRetryInterval",
            "SubscriptionRemovalAction",
            "SubscriptionRemovalTimeInterval",
        ] {
            capabilities.set(&format!("{setting}IsSettable"), false)?;
        }
        capabilities
            .set("InstanceID", CAPABILITIES_ID)?
            .set("ElementName", "Indication Service Capabilities")?
            // Each subscription may bring its own, and clients make some beside.
            .set("MaxListenerDestinations", settings.max_subscriptions.saturating_add(most_destinations()))?
            .set("MaxActiveSubscriptions", settings.max_subscriptions)?
            .set("SubscriptionsPersisted", true)?;
        Ok(capabilities)
    }
}

impl Single for IndicationServices {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![SERVICE.into(), CAPABILITIES.into(), COLLECTION.into()]
    }

    fn path(&self, class: &Class) -> Arc<ObjectPath> {
        match &**class.name() {
            SERVICE => service_path(&*self.0.system),
            CAPABILITIES => by_id(CAPABILITIES, CAPABILITIES_ID),
            _ => by_id(COLLECTION, COLLECTION_ID),
        }
    }

    fn instance(&self, class: &Arc<Class>) -> Result<Instance, CimError> {
        match &**class.name() {
            SERVICE => self.service(class),
            CAPABILITIES => self.capabilities(class),
            _ => collection(class),
        }
    }

    fn lives_in_interop(&self) -> bool {
        true
    }

    fn invoke(&self, invocation: &Invocation<'_>) -> Result<MethodReply, CimError> {
        match &*invocation.method.name {
            // 1 Not Supported: the service is there as long as the server runs.
            "RequestStateChange" | "StartService" | "StopService" => Ok(MethodReply::code(1)),
            name => Err(CimError::new(CimStatus::MethodNotAvailable, format!("Method {name} is not served."))),
        }
    }
}

fn collection(class: &Arc<Class>) -> Result<Instance, CimError> {
    let mut collection = Instance::new(class.clone());
    collection
        .set("InstanceID", COLLECTION_ID)?
        .set("CollectionName", COLLECTION_ID)?
        .set("ElementName", "Filters for jobs")?
        .set("Description", "The filters that are always there, by the changes of jobs.")?;
    Ok(collection)
}

fn most_destinations() -> u32 {
    u32::try_from(Destinations::MOST).unwrap_or(u32::MAX)
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// The path of the service.
pub(super) fn service_path(system: &dyn ManagedSystem) -> Arc<ObjectPath> {
    let SystemName { class, name } = system.name();
    let keys = vec![
        ("CreationClassName".into(), SERVICE.into()),
        ("Name".into(), SERVICE_NAME.into()),
        ("SystemCreationClassName".into(), class.clone().into()),
        ("SystemName".into(), name.clone().into()),
    ];
    Arc::new(ObjectPath::new(INTEROP_NAMESPACE, SERVICE, keys))
}

fn by_id(class: &str, id: &str) -> Arc<ObjectPath> {
    Arc::new(ObjectPath::new(INTEROP_NAMESPACE, class, vec![("InstanceID".into(), id.into())]))
}

/// What joins the service with the system, its capabilities, and what it works on.
pub(super) fn links(eventing: &Arc<Eventing>) -> Vec<Arc<dyn Provider>> {
    let system = &*eventing.system;
    vec![
        Links::provider(FixedLink {
            class: "CIM_HostedService",
            ends: ["Dependent", "Antecedent"],
            pair: [service_path(system), system.system_path()],
            properties: Vec::new(),
        }),
        Links::provider(FixedLink {
            class: "CIM_ElementCapabilities",
            ends: ["Capabilities", "ManagedElement"],
            pair: [by_id(CAPABILITIES, CAPABILITIES_ID), service_path(system)],
            // 2 Default, 3 Current
            properties: vec![("Characteristics", Value::array([2u16, 3]))],
        }),
        Links::provider(FixedLink {
            class: "CIM_OwningCollectionElement",
            ends: ["OwnedElement", "OwningElement"],
            pair: [by_id(COLLECTION, COLLECTION_ID), service_path(system)],
            properties: Vec::new(),
        }),
        Links::provider(Members(eventing.clone())),
        Links::provider(Affects(eventing.clone())),
    ]
}

/// The collection has the static filters.
#[derive(Debug)]
struct Members(Arc<Eventing>);

impl Link for Members {
    fn class(&self) -> &'static str {
        "CIM_MemberOfCollection"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["Member", "Collection"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (eventing, collection) = (self.0.clone(), by_id(COLLECTION, COLLECTION_ID));
        let member = move |filter: StaticFilter| eventing.path(FILTER, filter.name.into());
        Ok(each(self.0.systems.static_filters().map(move |filter| [member(filter), collection.clone()])))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        let collection = by_id(COLLECTION, COLLECTION_ID);
        if end == 1 {
            return if source.same_keys(&collection) { self.all() } else { Ok(none()) };
        }
        let filter = source.key_str("Name").and_then(|name| self.0.systems.static_filter(name));
        let path = filter.map(|filter| self.0.path(FILTER, filter.name.into())).filter(|path| path.same_keys(source));
        Ok(each(path.map(|path| [path, collection])))
    }

    fn count(&self) -> Option<u64> {
        u64::try_from(self.0.systems.static_filters().count()).ok()
    }

    fn lives_in_interop(&self) -> bool {
        true
    }
}

/// The service works on the filters, their collection and the destinations.
#[derive(Debug)]
struct Affects(Arc<Eventing>);

impl Affects {
    /// What a path names, if it is an element that the service works on.
    fn affected(&self, path: &ObjectPath) -> Option<Arc<ObjectPath>> {
        let collection = by_id(COLLECTION, COLLECTION_ID);
        if path.same_keys(&collection) {
            return Some(collection);
        }
        let name = path.key_str("Name")?;
        let known = [(FILTER, self.0.has_filter(name)), (DESTINATION, self.0.has_destination(name))];
        let named =
            known.into_iter().filter(|(_, is_there)| *is_there).map(|(class, _)| self.0.path(class, name.into()));
        named.into_iter().find(|element| path.same_keys(element))
    }
}

impl Link for Affects {
    fn class(&self) -> &'static str {
        "CIM_ServiceAffectsElement"
    }

    fn ends(&self) -> [&'static str; 2] {
        ["AffectedElement", "AffectingElement"]
    }

    fn all(&self) -> Result<Pairs, CimError> {
        let (eventing, service) = (self.0.clone(), service_path(&*self.0.system));
        let collection = std::iter::once(by_id(COLLECTION, COLLECTION_ID));
        let filters = eventing.filter_names().into_iter().map({
            let eventing = eventing.clone();
            move |name| eventing.path(FILTER, name)
        });
        let destinations = eventing.destination_names().into_iter().map(move |name| eventing.path(DESTINATION, name));
        Ok(each(collection.chain(filters).chain(destinations).map(move |path| [path, service.clone()])))
    }

    fn of(&self, end: usize, source: &ObjectPath) -> Result<Pairs, CimError> {
        let service = service_path(&*self.0.system);
        if end == 1 {
            return if source.same_keys(&service) { self.all() } else { Ok(none()) };
        }
        Ok(each(self.affected(source).map(|element| [element, service])))
    }

    fn describe(&self, link: &mut Instance) -> Result<(), PropertyError> {
        // 5 Manages
        link.set("ElementEffects", Value::array([5u16])).map(drop)
    }

    fn is_shown(&self, caller: &Caller, link: &Instance) -> bool {
        let element = link.get("AffectedElement").and_then(Value::as_reference);
        element.is_none_or(|element| self.0.shows_path(caller, element))
    }

    fn lives_in_interop(&self) -> bool {
        true
    }
}
