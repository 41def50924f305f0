//! What is subscribed to, by whom and for how long.

use super::*;

#[test]
fn unusable_sinks_are_refused_at_once() {
    let mut world = World::new();
    world.client = Client::start(ClientSettings::default(), AddressRules::new(false)).unwrap();
    let events = world.open();
    let unusable = [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://[::1]:9/",
        "http://169.254.169.254/latest",
        "http://nowhere.invalid/",
        "ftp://10.0.0.1/",
        "http://me:secret@10.0.0.1/",
        "",
    ];
    for url in unusable {
        let refused = events.subscribe(to(url));
        assert!(matches!(refused, Err(SubscribeError::NotifyTo(_))), "{url}: {refused:?}");
        let end_to = Some(EndpointReference::new(url));
        let refused = events.subscribe(NewSubscription { end_to, ..to("http://10.0.0.1/") });
        assert!(matches!(refused, Err(SubscribeError::EndTo(_))), "{url}: {refused:?}");
    }
    assert!(events.subscribe(to("http://10.0.0.1/")).is_ok());
    assert_eq!(world.store.read(rows::all).unwrap().len(), 1);
}

#[test]
fn unusable_classes_and_filters_are_told_apart() {
    let world = World::new();
    let events = world.open();
    let url = "http://127.0.0.1:9/";
    let subscribe = |class: Option<&str>, filter: Option<&str>| {
        let filter = filter.map(|text| (Language::Cql, text.to_owned()));
        events.subscribe(NewSubscription { class: class.map(Into::into), filter, ..to(url) })
    };
    let good = "SELECT * FROM CIM_InstCreation";
    let missing = subscribe(None, None);
    assert!(matches!(missing, Err(SubscribeError::FilterMissing)), "{missing:?}");
    for class in ["CIM_ConcreteJob", "CIM_Nothing"] {
        let refused = subscribe(Some(class), None);
        assert!(matches!(refused, Err(SubscribeError::NoIndication(_))), "{refused:?}");
    }
    let refused = subscribe(None, Some("SELECT * FROM CIM_ConcreteJob"));
    assert!(matches!(refused, Err(SubscribeError::NoIndication(_))), "{refused:?}");
    let refused = subscribe(Some(MODIFICATION), Some(good));
    assert!(matches!(refused, Err(SubscribeError::ClassesDiffer { .. })), "{refused:?}");
    for filter in
        ["nonsense", "SELECT * FROM CIM_InstCreation WHERE", "SELECT * FROM CIM_InstCreation WHERE Nothing = 1"]
    {
        let refused = subscribe(None, Some(filter));
        assert!(matches!(refused, Err(SubscribeError::Filter { .. })), "{filter}: {refused:?}");
    }
    let long = format!("{good} WHERE {}", "(".repeat(20_000));
    assert!(matches!(subscribe(None, Some(&long)), Err(SubscribeError::Filter { .. })));
    assert!(subscribe(Some("cim_instcreation"), Some(good)).is_ok());
    assert!(subscribe(None, Some(good)).is_ok());
}

#[test]
fn a_subscription_ends_when_its_time_is_over() {
    let world = World::new();
    let events = world.open();
    let (short, long) = (Sink::http(ok), Sink::http(ok));
    let minute = Some(Expiry::After(Interval::from_seconds(60)));
    let subscription = events.subscribe(NewSubscription { expires: minute, ..to(&short.url()) }).unwrap();
    assert_eq!(subscription.expires, Some(world.clock.now() + TimeDelta::seconds(60)));
    events.subscribe(to(&long.url())).unwrap();
    world.clock.advance(TimeDelta::seconds(60));
    assert!(matches!(events.status(subscription.id, &ada()), Err(ManageError::NotFound)));
    assert!(matches!(events.renew(subscription.id, &ada(), minute), Err(ManageError::NotFound)));
    world.publish(CREATION, 1);
    long.next();
    events.sweep().unwrap();
    wait_for_running(&events, 1);
    assert_eq!(world.store.read(rows::all).unwrap().len(), 1);
    assert!(short.rest().is_empty(), "nothing is delivered after the end");
}

#[test]
fn a_subscription_is_renewed_and_ended_by_its_owner_or_an_admin() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(ok);
    let minutes = |n: u64| Some(Expiry::After(Interval::from_seconds(60 * n)));
    let subscription = events.subscribe(NewSubscription { expires: minutes(1), ..to(&sink.url()) }).unwrap();
    let (bob, admin) = (Caller::new("bob", Role::Operator), Caller::new("eve", Role::Admin));
    for result in [events.renew(subscription.id, &bob, None).map(|_| ()), events.unsubscribe(subscription.id, &bob)] {
        assert!(matches!(result, Err(ManageError::NotYours)), "{result:?}");
    }
    let past = Some(Expiry::At(world.clock.now()));
    assert!(matches!(events.renew(subscription.id, &ada(), past), Err(ManageError::InvalidExpirationTime)));
    let renewed = events.renew(subscription.id, &ada(), minutes(5)).unwrap();
    assert_eq!(renewed, Some(world.clock.now() + TimeDelta::seconds(300)));
    world.clock.advance(TimeDelta::seconds(120));
    events.sweep().unwrap();
    assert_eq!(events.status(subscription.id, &admin).unwrap().expires, renewed);
    assert_eq!(world.store.read(rows::all).unwrap()[0].expires, renewed);

    events.unsubscribe(subscription.id, &admin).unwrap();
    assert!(matches!(events.unsubscribe(subscription.id, &admin), Err(ManageError::NotFound)));
    wait_for_running(&events, 0);
    world.publish(CREATION, 1);
    events.stop();
    assert!(sink.rest().is_empty());
    assert!(world.store.read(rows::all).unwrap().is_empty());
}

#[test]
fn quotas_hold_for_a_user_and_for_all() {
    let mut world = World::new();
    (world.settings.max_per_owner, world.settings.max_subscriptions) = (2, 3);
    let events = world.open();
    let subscribe = |name: &str| {
        let owner = Caller::new(name, Role::Viewer);
        events.subscribe(NewSubscription { owner, ..to("http://127.0.0.1:9/") })
    };
    let first = subscribe("ada").unwrap();
    subscribe("ada").unwrap();
    let refused = subscribe("ada");
    assert!(matches!(refused, Err(SubscribeError::Quota { limit: 2, whose: QuotaOf::Owner })), "{refused:?}");
    subscribe("bob").unwrap();
    let refused = subscribe("bob");
    assert!(matches!(refused, Err(SubscribeError::Quota { limit: 3, whose: QuotaOf::All })), "{refused:?}");
    events.unsubscribe(first.id, &ada()).unwrap();
    subscribe("bob").unwrap();
}
