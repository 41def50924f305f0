//! The Indications profile: subscriptions as objects, to whom they are shown, and when they go.

use super::*;
use crate::cim::Interval;
use crate::events::{Delivery, Expiry, Mode, NewSubscription, Subscription};
use crate::soap::EndpointReference;

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
