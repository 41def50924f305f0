//! What subscribers get, and that nobody holds up another.

use super::*;

#[test]
fn events_arrive_in_order_and_addressed_to_the_subscriber() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(ok);
    world.publish(CREATION, 0);
    let mut new = to(&sink.url());
    let ticket = element("urn:test", "Ticket").with_text("t-5");
    new.notify_to = new.notify_to.map(|notify_to| notify_to.with_parameter(ticket));
    events.subscribe(new).unwrap();
    for n in 1..=40 {
        world.publish(CREATION, n);
    }
    let first = sink.next();
    assert_eq!(number(&first), 1, "what was before the subscription is not told");
    assert_eq!(first.header("content-type"), Some("application/soap+xml;charset=UTF-8"));
    for part in ["http://schemas.dmtf.org/wbem/wsman/1/wsman/Event<", &format!("To>{}<", sink.url()), "t-5"] {
        assert!(first.body.contains(part), "{part} in {}", first.body);
    }
    let second = sink.next();
    assert_ne!(message_id(&first), message_id(&second));
    assert_eq!(numbers(&sink, 38), (3..=40).collect::<Vec<_>>());
}

#[test]
fn only_what_matches_arrives() {
    let world = World::new();
    let events = world.open();
    let (by_class, by_filter, everything) = (Sink::http(ok), Sink::http(ok), Sink::http(ok));
    events.subscribe(to(&by_class.url())).unwrap();
    let query = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob";
    events.subscribe(filtered(&by_filter.url(), query)).unwrap();
    events.subscribe(NewSubscription { class: Some("cim_instindication".into()), ..to(&everything.url()) }).unwrap();
    for n in 0..6 {
        world.publish([CREATION, MODIFICATION, "LMI_SoftwareInstModification"][n % 3], u32::try_from(n).unwrap());
    }
    assert_eq!(numbers(&by_class, 2), [0, 3]);
    assert_eq!(numbers(&by_filter, 4), [1, 2, 4, 5]);
    assert_eq!(numbers(&everything, 6), [0, 1, 2, 3, 4, 5]);
    let query = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ComputerSystem";
    events.subscribe(filtered(&by_filter.url(), query)).unwrap();
    world.publish(MODIFICATION, 6);
    assert_eq!(numbers(&everything, 1), [6]);
    assert_eq!(numbers(&by_filter, 1), [6]);
    events.stop();
    assert!(by_filter.rest().is_empty(), "the second filter lets nothing through");
}

#[test]
fn a_change_that_cannot_be_described_holds_nothing_up() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(ok);
    events.subscribe(to(&sink.url())).unwrap();
    world.store.write(|t| changes::append(t, world.clock.now(), "job", None, None)).unwrap();
    world.store.write(|t| changes::append(t, world.clock.now(), "job", None, Some("quiet"))).unwrap();
    world.store.write(|t| changes::append(t, world.clock.now(), "job", None, Some("broken"))).unwrap();
    world.publish(CREATION, 1);
    assert_eq!(numbers(&sink, 1), [1]);
}

#[test]
fn sinks_that_hang_or_are_gone_delay_nobody_else() {
    let world = World::new();
    let events = world.open();
    let (hanging, healthy) = (Sink::http(|_| Reply::Hang), Sink::http(ok));
    let dead = dead_url();
    for _ in 0..50 {
        events.subscribe(to(&hanging.url())).unwrap();
        events.subscribe(to(&dead)).unwrap();
    }
    events.subscribe(to(&healthy.url())).unwrap();
    for n in 0..20 {
        world.publish(CREATION, n);
    }
    assert_eq!(numbers(&healthy, 20), (0..20).collect::<Vec<_>>());
    assert_eq!(events.subscriptions().len(), 101);
    drop(hanging);
}

#[test]
fn who_falls_behind_what_is_kept_in_memory_gets_all_the_same() {
    let world = World::new();
    let events = world.open();
    let (sink, decide) = on_demand();
    events.subscribe(to(&sink.url())).unwrap();
    let fast = Sink::http(ok);
    events.subscribe(to(&fast.url())).unwrap();
    for n in 0..600 {
        world.publish(CREATION, n);
    }
    assert_eq!(numbers(&fast, 600).len(), 600);
    for _ in 0..600 {
        decide.send(Reply::Answer(202, String::new())).unwrap();
    }
    assert_eq!(numbers(&sink, 600), (0..600).collect::<Vec<_>>());
}

#[test]
fn a_restart_goes_on_at_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let (sink, decide) = on_demand();
    let (cut_off, subscription) = {
        let world = World {
            settings: Settings { stop_grace: Duration::ZERO, ..World::at(&file).settings },
            ..World::at(&file)
        };
        let events = world.open();
        let subscription = events
            .subscribe(NewSubscription { expires: Some(Expiry::After(Interval::from_seconds(60))), ..to(&sink.url()) })
            .unwrap();
        for n in 1..=4 {
            world.publish(CREATION, n);
        }
        decide.send(Reply::Answer(200, String::new())).unwrap();
        decide.send(Reply::Answer(200, String::new())).unwrap();
        assert_eq!(numbers(&sink, 2), [1, 2]);
        // The message is received, but its answer is cut off.
        decide.send(Reply::Hang).unwrap();
        let cut_off = sink.next();
        world.publish(MODIFICATION, 5);
        (cut_off, subscription)
    };
    let world = World::at(&file);
    world.publish(CREATION, 6);
    let events = world.open();
    let resumed = events.status(subscription.id, &ada()).unwrap();
    assert_eq!((resumed.expires, resumed.created), (subscription.expires, subscription.created));
    assert_eq!(resumed.notify_to, subscription.notify_to);
    for _ in 0..3 {
        decide.send(Reply::Answer(200, String::new())).unwrap();
    }
    let again = sink.next();
    assert_eq!((number(&cut_off), number(&again)), (3, 3));
    assert_eq!(message_id(&cut_off), message_id(&again), "a sink can tell that it has the event");
    assert_eq!(numbers(&sink, 2), [4, 6]);
}

#[test]
fn events_go_over_tls_to_a_trusted_sink_only() {
    let identity = Identity::new();
    let mut world = World::new();
    let sink = Sink::https(&identity, ok);
    let events = world.open();
    let subscription = events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 1);
    // The failed attempts are seen in the store; the sink itself gets nothing.
    let other = Sink::http(ok);
    events.subscribe(to(&other.url())).unwrap();
    world.publish(CREATION, 2);
    other.next();
    events.stop();
    let row = world.store.read(rows::all).unwrap().into_iter().find(|r| r.id == subscription.id).unwrap();
    assert!(row.progress.failures > 0);
    assert!(sink.rest().is_empty());

    let trusting = ClientSettings { trust_file: Some(identity.trust_file.clone()), ..ClientSettings::default() };
    world.client = Client::start(trusting, AddressRules::new(true)).unwrap();
    let _events = world.open();
    assert_eq!(numbers(&sink, 2), [1, 2]);
}
