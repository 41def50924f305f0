//! Sinks that fail, and what becomes of their subscriptions.

use super::*;

#[test]
fn failed_attempts_are_repeated_and_redirects_are_failures() {
    let world = World::new();
    let events = world.open();
    let elsewhere = Sink::http(ok);
    let (sink, decide) = on_demand();
    events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 1);
    world.publish(CREATION, 2);
    let replies = [
        Reply::Answer(500, "later".to_owned()),
        Reply::Redirect(elsewhere.url()),
        Reply::Close,
        Reply::Answer(404, String::new()),
        Reply::Answer(204, String::new()),
        Reply::Answer(200, String::new()),
    ];
    for reply in replies {
        decide.send(reply).unwrap();
    }
    let messages: Vec<Received> = (0..6).map(|_| sink.next()).collect();
    assert_eq!(messages.iter().map(number).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 2]);
    assert_eq!(message_id(&messages[0]), message_id(&messages[4]));
    assert!(elsewhere.rest().is_empty());
}

#[test]
fn the_wait_for_the_next_attempt_survives_a_restart() {
    let mut world = World::new();
    world.settings.first_retry = Duration::from_secs(600);
    world.settings.longest_retry = Duration::from_secs(600);
    let events = world.open();
    let (sink, decide) = on_demand();
    events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 1);
    decide.send(Reply::Answer(503, String::new())).unwrap();
    sink.next();
    events.stop();
    let row = world.store.read(rows::all).unwrap().remove(0);
    assert_eq!(row.progress.failures, 1);
    assert_eq!(row.progress.next_attempt, Some(world.clock.now() + TimeDelta::seconds(600)));

    let events = world.open();
    let other = Sink::http(ok);
    events.subscribe(to(&other.url())).unwrap();
    world.publish(CREATION, 2);
    other.next();
    events.sweep().unwrap();
    assert!(sink.rest().is_empty(), "it is too early for the next attempt");
    world.clock.advance(TimeDelta::seconds(600));
    decide.send(Reply::Answer(200, String::new())).unwrap();
    decide.send(Reply::Answer(200, String::new())).unwrap();
    events.sweep().unwrap();
    assert_eq!(numbers(&sink, 2), [1, 2]);
}

#[test]
fn a_sink_that_fails_too_often_or_too_long_loses_its_subscription() {
    let mut world = World::new();
    world.settings.give_up_attempts = Some(3);
    let events = world.open();
    events.subscribe(to(&dead_url())).unwrap();
    world.publish(CREATION, 1);
    wait_for_running(&events, 0);
    assert!(events.subscriptions().is_empty());
    assert!(world.store.read(rows::all).unwrap().is_empty());

    world.settings.give_up_attempts = None;
    world.settings.give_up_after = Duration::from_secs(60);
    let events = world.open();
    let (sink, decide) = on_demand();
    events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 2);
    decide.send(Reply::Answer(500, String::new())).unwrap();
    sink.next();
    sink_waits_again(&sink, &decide);
    world.clock.advance(TimeDelta::seconds(61));
    decide.send(Reply::Answer(500, String::new())).unwrap();
    wait_for_running(&events, 0);
    assert!(events.subscriptions().is_empty());
}

/// The sink has got the next attempt, so the failure before it was counted.
fn sink_waits_again(sink: &Sink, decide: &Sender<Reply>) {
    decide.send(Reply::Answer(500, String::new())).unwrap();
    sink.next();
}

#[test]
fn a_sink_that_refuses_ends_its_subscription_at_once() {
    let world = World::new();
    let events = world.open();
    let fault = crate::soap::Fault::new(crate::soap::FaultKind::DeliveryRefused, "no more, please");
    let fault = String::from_utf8(fault.to_message(&crate::soap::Addressing::default())).unwrap();
    let sink = Sink::http(move |_| Reply::Answer(500, fault.clone()));
    events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 1);
    wait_for_running(&events, 0);
    assert!(events.subscriptions().is_empty());
    assert!(world.store.read(rows::all).unwrap().is_empty());
    assert_eq!(numbers(&sink, 1), [1]);
    assert!(sink.rest().is_empty());
}
