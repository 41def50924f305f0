//! Ends of subscriptions that their owners did not make, and how they are told.

use super::*;

fn with_end(sink: &Sink, end: &Sink) -> NewSubscription {
    let end_to = EndpointReference::new(end.url()).with_parameter(element("urn:test", "Ticket").with_text("t-9"));
    NewSubscription { end_to: Some(end_to), ..to(&sink.url()) }
}

#[test]
fn a_sink_that_fails_for_too_long_has_its_end_told_elsewhere() {
    let mut world = World::new();
    world.settings.give_up_attempts = Some(2);
    let events = world.open();
    let (sink, end) = (Sink::http(|_| Reply::Close), Sink::http(ok));
    let subscription = events.subscribe(with_end(&sink, &end)).unwrap();
    world.publish(CREATION, 1);
    let told = end.next();
    for part in [
        "http://schemas.xmlsoap.org/ws/2004/08/eventing/SubscriptionEnd<",
        "http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryFailure<",
        "could not be delivered",
        "t-9",
        "https://host/wsman",
        &subscription.id.to_string(),
    ] {
        assert!(told.body.contains(part), "{part} in {}", told.body);
    }
    assert!(events.subscriptions().is_empty());
}

#[test]
fn the_end_is_told_again_until_it_is_taken() {
    let mut world = World::new();
    world.settings.give_up_attempts = Some(1);
    let events = world.open();
    let (end, decide) = on_demand();
    events.subscribe(with_end(&Sink::http(|_| Reply::Close), &end)).unwrap();
    world.publish(CREATION, 1);
    decide.send(Reply::Answer(503, String::new())).unwrap();
    decide.send(Reply::Answer(200, String::new())).unwrap();
    assert!(end.next().body.contains("SubscriptionEnd"));
    assert!(end.next().body.contains("SubscriptionEnd"));
}

#[test]
fn a_user_who_may_not_read_any_more_hears_nothing_more() {
    let world = World::new();
    let events = world.open();
    let (sink, end, other) = (Sink::http(ok), Sink::http(ok), Sink::http(ok));
    events.subscribe(with_end(&sink, &end)).unwrap();
    events.subscribe(NewSubscription { owner: Caller::new("bob", Role::Operator), ..to(&other.url()) }).unwrap();
    world.publish(CREATION, 1);
    assert_eq!((numbers(&sink, 1), numbers(&other, 1)), (vec![1], vec![1]));
    world.users.remove("ada").unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    world.publish(CREATION, 2);
    assert!(end.next().body.contains("eventing/SourceCancelling<"));
    assert_eq!(numbers(&other, 1), [2]);
    wait_for_running(&events, 1);
    assert!(sink.rest().is_empty());
    assert_eq!(world.store.read(rows::all).unwrap().len(), 1);
}

#[test]
fn an_administrator_that_ends_anothers_subscription_has_it_told() {
    let world = World::new();
    let events = world.open();
    let (sink, end) = (Sink::http(ok), Sink::http(ok));
    let theirs = events.subscribe(with_end(&sink, &end)).unwrap();
    events.unsubscribe(theirs.id, &Caller::new("eve", Role::Admin)).unwrap();
    assert!(end.next().body.contains("an administrator ended the subscription"));
    let own = events.subscribe(with_end(&sink, &end)).unwrap();
    events.unsubscribe(own.id, &ada()).unwrap();
    wait_for_running(&events, 0);
    events.stop();
    assert!(end.rest().is_empty(), "who ends a subscription knows");
}
