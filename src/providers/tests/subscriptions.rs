//! The Indications profile: subscriptions as objects, to whom they are shown, and when they go.

use super::*;
use crate::cim::Interval;
use crate::events::{Delivery, Expiry, Mode, NewSubscription, Subscription};
use crate::soap::EndpointReference;
use crate::wire::SinkSecurity;

const QUERY: &str = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob";
const FILTER: &str = "CIM_IndicationFilter";
const DESTINATION: &str = "CIM_ListenerDestinationWSManagement";
const SUBSCRIPTION: &str = "CIM_IndicationSubscription";

impl Host {
    /// A subscription for an hour, as `wse:Subscribe` makes it, to where nobody listens.
    fn subscribe(&self, owner: &Caller, mode: Mode) -> Subscription {
        let sink = EndpointReference::new("http://127.0.0.1:9/sink?secret");
        let new = NewSubscription {
            owner: owner.clone(),
            class: None,
            filter: Some((Language::Cql, QUERY.to_owned())),
            delivery: Delivery::in_mode(mode),
            security: SinkSecurity::default(),
            notify_to: (mode != Mode::Pull).then_some(sink),
            end_to: None,
            expires: Some(Expiry::After(Interval::from_seconds(3600))),
            bookmark: None,
            asked_at: (String::new(), String::new()),
        };
        self.events.subscribe(new).unwrap()
    }

    /// The instances of a class that a caller sees, and every way to see them agrees.
    fn seen_by(&self, caller: &Caller, class: &str) -> Vec<Instance> {
        let known = self.broker.class(INTEROP_NAMESPACE, class).unwrap().clone();
        let all: Vec<Instance> =
            self.broker.enumerate(caller, INTEROP_NAMESPACE, &known).unwrap().0.map(Result::unwrap).collect();
        let query = parse(&format!("SELECT * FROM {class}"), Language::Cql).unwrap();
        let query = Arc::new(query.compile(self.broker.schema()).unwrap());
        let searched = self.broker.candidates(caller, INTEROP_NAMESPACE, query).unwrap();
        assert_eq!(searched.filter_map(Result::unwrap).collect::<Vec<_>>(), all);
        for instance in &all {
            assert_eq!(self.broker.get(caller, &self.broker.path_of(instance)).unwrap(), *instance);
        }
        all
    }

    /// The filters that belong to subscriptions, as a caller sees them.
    fn own_filters(&self, caller: &Caller) -> Vec<Instance> {
        let mut filters = self.seen_by(caller, FILTER);
        filters.retain(|filter| text(filter, "Name").starts_with("Quartermaster:Subscription:"));
        filters
    }

    /// What a caller finds from an instance by an association.
    fn found_by(&self, caller: &Caller, source: &Instance, association: &str) -> Vec<Instance> {
        let query = AssociationQuery {
            traversal: Traversal::AssociatedInstances,
            source: self.broker.path_of(source),
            association_class: Some(association.to_owned()),
            role: None,
            result_class: None,
            result_role: None,
        };
        self.broker.associations(caller, query).unwrap().filter_map(Result::unwrap).collect()
    }
}

#[test]
fn a_subscription_is_seen_as_filter_destination_and_link_until_it_ends() {
    let host = host();
    let (ann, granted) = (&host.caller, host.subscribe(&host.caller, Mode::PushWithAck));
    let [filter] = &host.own_filters(ann)[..] else { panic!() };
    assert_eq!((text(filter, "Query"), text(filter, "QueryLanguage")), (QUERY, "DMTF:CQL"));
    let [destination] = &host.seen_by(ann, DESTINATION)[..] else { panic!() };
    assert_eq!(text(destination, "Destination"), "http://127.0.0.1:9/sink?secret");
    assert_eq!(destination.get("DeliveryMode"), Some(&Value::Uint16(3)));
    assert_eq!(destination.get("Protocol"), Some(&Value::Uint16(4)));
    let [link] = &host.seen_by(ann, SUBSCRIPTION)[..] else { panic!() };
    assert_eq!(text(link, "SubscriptionInfo"), granted.id.to_string());
    assert_eq!(link.get("SubscriptionDuration"), Some(&Value::Uint64(3600)));
    assert_eq!(link.get("SubscriptionState"), Some(&Value::Uint16(2)));
    assert_eq!(host.found_by(ann, filter, SUBSCRIPTION), std::slice::from_ref(destination));
    assert_eq!(host.found_by(ann, destination, SUBSCRIPTION), std::slice::from_ref(filter));
    let service = host.enumerate(INTEROP_NAMESPACE, "CIM_IndicationService").remove(0);
    let affected = host.found_by(ann, &service, "CIM_ServiceAffectsElement");
    assert!(affected.contains(filter) && affected.contains(destination));
    assert_eq!(host.found_by(ann, filter, "CIM_ServiceAffectsElement"), [service]);
    let refusal = host.broker.delete(ann, &host.broker.path_of(filter), soon()).unwrap_err();
    assert!(refusal.message.contains(&granted.id.to_string()), "{refusal}");

    host.events.unsubscribe(granted.id, ann).unwrap();
    assert!(host.own_filters(ann).is_empty() && host.seen_by(ann, DESTINATION).is_empty());
    assert!(host.seen_by(ann, SUBSCRIPTION).is_empty());
    for gone in [filter, destination, link] {
        let missing = host.broker.get(ann, &host.broker.path_of(gone)).unwrap_err();
        assert_eq!(missing.status, CimStatus::NotFound);
    }
}

/// What is pulled has no address, and nothing that fails.
#[test]
fn events_that_are_pulled_go_the_way_of_the_request() {
    let host = host();
    host.subscribe(&host.caller, Mode::Pull);
    let destination = host.seen_by(&host.caller, DESTINATION).remove(0);
    assert_eq!(text(&destination, "Destination"), EndpointReference::anonymous().address);
    assert_eq!(destination.get("DeliveryMode"), Some(&Value::Uint16(5)));
    let link = host.seen_by(&host.caller, SUBSCRIPTION).remove(0);
    assert_eq!(link.get("FailureTriggerTimeInterval"), Some(&Value::Null));
}

/// Decision by roles: an administrator has to do with everybody's subscriptions, everybody else with their own.
#[test]
fn subscriptions_are_shown_to_their_owners_and_to_administrators() {
    let host = host();
    let vic = Caller::new("vic", Role::Viewer);
    let granted = host.subscribe(&vic, Mode::Push);
    let service = host.enumerate(INTEROP_NAMESPACE, "CIM_IndicationService").remove(0);
    let affected = |caller: &Caller| {
        let found = host.found_by(caller, &service, "CIM_ServiceAffectsElement").len();
        let links = host.seen_by(caller, "CIM_ServiceAffectsElement");
        // The installation service's links are of a subclass.
        let own = links.iter().filter(|link| &**link.class().name() == "CIM_ServiceAffectsElement");
        assert_eq!(own.count(), found);
        found
    };
    for (caller, seen) in [(&vic, 1), (&Caller::new("root", Role::Admin), 1), (&host.caller, 0)] {
        for class in [DESTINATION, SUBSCRIPTION] {
            assert_eq!(host.seen_by(caller, class).len(), seen, "{class} for {}", caller.name);
        }
        assert_eq!(host.own_filters(caller).len(), seen);
        // The collection and its filters, and what belongs to the subscription.
        assert_eq!(affected(caller), 13 + 2 * seen);
    }
    let hidden = [host.own_filters(&vic), host.seen_by(&vic, DESTINATION), host.seen_by(&vic, SUBSCRIPTION)].concat();
    assert_eq!(hidden.len(), 3);
    for instance in hidden {
        let path = host.broker.path_of(&instance);
        let refusal = host.broker.get(&host.caller, &path).unwrap_err();
        assert_eq!(refusal.status, CimStatus::NotFound);
        assert!(!refusal.message.contains("vic"), "{refusal}");
        let query = AssociationQuery {
            traversal: Traversal::AssociationInstances,
            source: path,
            association_class: None,
            role: None,
            result_class: None,
            result_role: None,
        };
        assert!(host.broker.associations(&host.caller, query).is_err());
    }
    host.events.unsubscribe(granted.id, &vic).unwrap();
}

#[test]
fn the_indications_profile_leads_to_the_service_and_what_it_has() {
    let host = host();
    let profile = host.profile("Indications");
    let service = host.walk(&profile, "CIM_ElementConformsToProfile", None).remove(0);
    assert_eq!(&**service.class().name(), "CIM_IndicationService");
    assert_eq!(host.walk(&service, "CIM_ElementConformsToProfile", None), [profile]);
    // 1 to 256 seconds, and 300 up to 14 days.
    assert_eq!(service.get("DeliveryRetryAttempts"), Some(&Value::Uint16(9 + 4031)));
    assert_eq!(service.get("SubscriptionRemovalTimeInterval"), Some(&Value::Uint32(14 * 86_400)));
    let capabilities = host.walk(&service, "CIM_ElementCapabilities", None);
    assert_eq!(capabilities, host.enumerate(INTEROP_NAMESPACE, "CIM_IndicationServiceCapabilities"));
    let systems = host.walk(&service, "CIM_HostedService", None);
    assert_eq!(systems, host.enumerate("root/cimv2", "CIM_ComputerSystem"));
    let collections = host.walk(&service, "CIM_OwningCollectionElement", None);
    let members = host.walk(&collections[0], "CIM_MemberOfCollection", None);
    assert_eq!(members, host.enumerate(INTEROP_NAMESPACE, FILTER));
    assert_eq!(members.len(), 12);
    assert_eq!(host.walk(&members[0], "CIM_MemberOfCollection", None), collections);
}

/// What lives in root/interop alone hides none of its subclasses' instances in root/cimv2.
#[test]
fn a_class_is_addressed_wherever_one_of_its_subclasses_is() {
    let host = host();
    let capabilities = |namespace| host.enumerate(namespace, "CIM_ElementCapabilities").len();
    assert_eq!([capabilities("root/cimv2"), capabilities(INTEROP_NAMESPACE)], [1, 2]);
    let hosted = host.enumerate("root/cimv2", "CIM_HostedService");
    assert_eq!(hosted.len(), 2);
}

const CREATED: &str = "LMI:LMI_SoftwareInstallationJob:Created";

impl Host {
    fn create(&self, caller: &Caller, class: &str, properties: &[(&str, Value)]) -> Result<Instance, CimError> {
        let class = self.broker.class(INTEROP_NAMESPACE, class).unwrap();
        let mut wanted = Instance::new(class.clone());
        for (name, value) in properties {
            wanted.set(name, value.clone()).unwrap();
        }
        self.broker.create(caller, &wanted, soon())
    }

    /// The path of a filter of that name, with all of its keys.
    fn filter_named(&self, name: &str) -> ObjectPath {
        let filter = self.broker.get(&self.caller, &filter_path(&[("Name", name)])).unwrap();
        self.broker.path_of(&filter)
    }

    fn destination(&self, caller: &Caller, name: &str) -> ObjectPath {
        let properties = [("Name", name.into()), ("Destination", "http://127.0.0.1:9/sink".into())];
        self.broker.path_of(&self.create(caller, DESTINATION, &properties).unwrap())
    }

    fn link(&self, caller: &Caller, filter: &ObjectPath, destination: &ObjectPath) -> Result<Instance, CimError> {
        let ends = [("Filter", filter.clone().into()), ("Handler", destination.clone().into())];
        self.create(caller, SUBSCRIPTION, &ends)
    }
}

#[test]
fn who_links_a_filter_with_a_destination_subscribes_and_who_deletes_the_link_unsubscribes() {
    let host = host();
    let vic = Caller::new("vic", Role::Viewer);
    let destination = host
        .create(
            &vic,
            DESTINATION,
            &[
                ("Destination", "http://127.0.0.1:9/sink".into()),
                ("DestinationEndTo", "http://127.0.0.1:9/end".into()),
                ("DeliveryMode", 4u16.into()),
                ("MaxTime", 30u64.into()),
                ("Heartbeat", 60u64.into()),
                ("SendBookmark", true.into()),
                ("ContentEncoding", "UTF-16".into()),
                ("Locale", "de".into()),
            ],
        )
        .unwrap();
    assert_eq!(destination.get("PersistenceType"), Some(&Value::Uint16(2)));
    let filter = host.filter_named(CREATED);
    let ends = [
        ("Filter", filter.clone().into()),
        ("Handler", host.broker.path_of(&destination).into()),
        ("SubscriptionDuration", 3600u64.into()),
    ];
    let link = host.create(&vic, SUBSCRIPTION, &ends).unwrap();
    let [granted] = &host.events.subscriptions()[..] else { panic!() };
    assert_eq!((&*granted.owner.name, granted.delivery.mode), ("vic", Mode::Events));
    assert_eq!(
        granted.filter.as_ref().unwrap().1,
        "SELECT * FROM LMI_SoftwareInstCreation WHERE SourceInstance ISA LMI_SoftwareInstallationJob"
    );
    assert_eq!(granted.end_to.as_ref().unwrap().address, "http://127.0.0.1:9/end");
    assert_eq!(granted.delivery.heartbeat, Some(std::time::Duration::from_secs(60)));
    assert!(granted.delivery.bookmarks && granted.delivery.utf16);
    assert_eq!(link.get("SubscriptionDuration"), Some(&Value::Uint64(3600)));
    assert_eq!(host.seen_by(&vic, SUBSCRIPTION), std::slice::from_ref(&link));
    assert_eq!(host.seen_by(&vic, DESTINATION), std::slice::from_ref(&destination));
    assert!(host.own_filters(&vic).is_empty());
    assert_eq!(host.found_by(&vic, &destination, SUBSCRIPTION).len(), 1);
    let again = host.create(&vic, SUBSCRIPTION, &ends).unwrap_err();
    assert_eq!(again.status, CimStatus::AlreadyExists);
    assert!(again.message.contains(&granted.id.to_string()), "{again}");
    // Another user sees neither.
    assert!(host.seen_by(&host.caller, SUBSCRIPTION).is_empty() && host.seen_by(&host.caller, DESTINATION).is_empty());
    let hidden = host.broker.delete(&host.caller, &host.broker.path_of(&link), soon()).unwrap_err();
    assert_eq!(hidden.status, CimStatus::NotFound);
    let borrowed = host.link(&host.caller, &filter, &host.broker.path_of(&destination)).unwrap_err();
    assert_eq!(borrowed.status, CimStatus::NotFound);

    host.broker.delete(&vic, &host.broker.path_of(&link), soon()).unwrap();
    assert!(host.events.subscriptions().is_empty());
    assert_eq!(host.seen_by(&vic, DESTINATION).len(), 1);
}

#[test]
fn what_a_subscription_was_made_of_stays_as_long_as_it() {
    let host = host();
    let ann = &host.caller;
    let made = host.create_filter(&[("Name", "mine".into())]).unwrap();
    let (filter, destination) = (host.broker.path_of(&made), host.destination(ann, "sink"));
    let link = host.link(ann, &filter, &destination).unwrap();
    let id = host.events.subscriptions()[0].id.to_string();
    for path in [&filter, &destination] {
        let refusal = host.broker.delete(ann, path, soon()).unwrap_err();
        assert!(refusal.message.contains(&id), "{refusal}");
    }
    let bob = Caller::new("bob", Role::Operator);
    let (borrowed, own) = (host.filter_named("mine"), host.destination(&bob, "other"));
    host.link(&bob, &borrowed, &own).unwrap();
    host.events.unsubscribe(id.parse().unwrap(), ann).unwrap();
    let refusal = host.broker.delete(ann, &filter, soon()).unwrap_err();
    assert!(refusal.message.contains("another user's"), "{refusal}");
    host.events.unsubscribe(host.events.subscriptions()[0].id, &bob).unwrap();
    assert!(host.broker.get(ann, &host.broker.path_of(&link)).is_err());
    for path in [&filter, &destination] {
        host.broker.delete(ann, path, soon()).unwrap();
        assert_eq!(host.broker.get(ann, path).unwrap_err().status, CimStatus::NotFound);
    }
}

#[test]
fn what_can_be_neither_destination_nor_subscription_is_refused_with_what_to_change() {
    let host = host();
    let ann = &host.caller;
    let url = ("Destination", Value::from("http://127.0.0.1:9/"));
    for (properties, word) in [
        (vec![], "Destination is missing"),
        (vec![("Destination", "file:///etc/passwd".into())], "Destination cannot be used"),
        (vec![("Destination", "http://169.254.169.254/".into())], "metadata service"),
        (vec![("Destination", "http://a:b@127.0.0.1:9/".into())], "neither user name nor password"),
        (vec![url.clone(), ("DestinationEndTo", "nowhere".into())], "DestinationEndTo cannot be used"),
        (vec![url.clone(), ("DeliveryMode", 5u16.into())], "wse:Subscribe"),
        (vec![url.clone(), ("MaxTime", 5u64.into())], "DeliveryMode 4"),
        (vec![url.clone(), ("Heartbeat", 0u64.into())], "1 or more"),
        (vec![url.clone(), ("Protocol", 6u16.into())], "Protocol of a CIM_ListenerDestinationWSManagement is 4 here"),
        (vec![url.clone(), ("DeliveryAuth", "x".into())], "leave DeliveryAuth out"),
        (vec![url.clone(), ("SystemName", "other.example".into())], "SystemName is \"host.example\" here"),
        (vec![url.clone(), ("Name", "Quartermaster:Subscription:1".into())], "give another"),
    ] {
        let refusal = host.create(ann, DESTINATION, &properties).unwrap_err();
        assert_eq!(refusal.status, CimStatus::InvalidParameter, "{refusal}");
        assert!(refusal.message.contains(word), "{refusal}");
    }
    assert!(host.seen_by(ann, DESTINATION).is_empty());

    let (filter, destination) = (host.filter_named(CREATED), host.destination(ann, "sink"));
    host.subscribe(ann, Mode::Push);
    let own = host.broker.path_of(&host.own_filters(ann)[0]);
    let ends = |filter: &ObjectPath| vec![("Filter", filter.clone().into()), ("Handler", destination.clone().into())];
    let with = |name, value| [ends(&filter), vec![(name, value)]].concat();
    for (properties, word) in [
        (vec![("Filter", filter.clone().into())], "Handler is missing"),
        (vec![("Filter", filter.clone().into()), ("Handler", own.clone().into())], "Handler is no reference"),
        (ends(&own), "belongs to another subscription"),
        (with("SubscriptionDuration", 0u64.into()), "expiration time"),
        (with("OnFatalErrorPolicy", 2u16.into()), "OnFatalErrorPolicy of a CIM_IndicationSubscription is 4 here"),
        (with("SubscriptionInfo", "x".into()), "SubscriptionInfo of a CIM_IndicationSubscription cannot be set"),
    ] {
        let refusal = host.create(ann, SUBSCRIPTION, &properties).unwrap_err();
        assert_eq!(refusal.status, CimStatus::InvalidParameter, "{refusal}");
        assert!(refusal.message.contains(word), "{refusal}");
    }
    assert_eq!(host.events.subscriptions().len(), 1);
}
