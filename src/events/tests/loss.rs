//! Events that are dropped, and how that is told (DSP0226 10.9).

use std::collections::HashSet;

use super::*;

/// A limit below which no event of these tests fits.
fn tiny(policy: Oversize) -> Option<EnvelopeLimit> {
    Some(EnvelopeLimit { octets: 3000, policy })
}

#[test]
fn an_event_too_large_for_its_sink_is_dropped_in_its_place() {
    let world = World::new();
    let events = world.open();
    let (sink, whole) = (Sink::http(acknowledge), Sink::http(ok));
    let mut new = in_mode(Mode::PushWithAck, &sink.url());
    new.delivery.envelope = tiny(Oversize::Notify);
    events.subscribe(new).unwrap();
    events.subscribe(to(&whole.url())).unwrap();
    world.publish(CREATION, 1);
    world.publish(CREATION, 2);
    for total in ["1", "2"] {
        let message = sink.next();
        assert!(message.body.contains("http://schemas.dmtf.org/wbem/wsman/1/wsman/DroppedEvents<"), "{}", message.body);
        assert_eq!(text_of(&message, "wsman:DroppedEvents "), Some(total));
    }
    assert_eq!(numbers(&whole, 2), [1, 2]);
}

#[test]
fn an_event_too_large_is_left_out_or_ends_the_subscription_as_its_owner_wants() {
    let world = World::new();
    let events = world.open();
    let (skipped, cancelled, end, whole) = (Sink::http(ok), Sink::http(ok), Sink::http(ok), Sink::http(ok));
    let mut new = to(&skipped.url());
    new.delivery.envelope = tiny(Oversize::Skip);
    let kept = events.subscribe(new).unwrap();
    let mut new = NewSubscription { end_to: Some(EndpointReference::new(end.url())), ..to(&cancelled.url()) };
    new.delivery.envelope = tiny(Oversize::CancelSubscription);
    events.subscribe(new).unwrap();
    let other = events.subscribe(to(&whole.url())).unwrap();
    world.publish(CREATION, 1);
    assert!(end.next().body.contains("SourceCancelling"));
    whole.next();
    wait_for_running(&events, 2);
    let left: HashSet<Uuid> = events.subscriptions().iter().map(|s| s.id).collect();
    assert_eq!(left, HashSet::from([kept.id, other.id]));
    events.stop();
    assert!(skipped.rest().is_empty() && cancelled.rest().is_empty());
}

#[test]
fn where_loss_is_allowed_a_full_log_tells_how_much_was_lost() {
    let mut world = World::new();
    (world.settings.keep_count, world.settings.hard_count) = (5, 5);
    world.settings.overflow = Overflow::Drop;
    let events = world.open();
    let (sink, decide) = on_demand();
    let healthy = Sink::http(ok);
    events.subscribe(to(&sink.url())).unwrap();
    events.subscribe(to(&healthy.url())).unwrap();
    world.publish(CREATION, 0);
    assert_eq!(numbers(&healthy, 1), [0]);
    for n in 1..20 {
        world.publish([CREATION, MODIFICATION][usize::from(n == 3)], n);
    }
    assert_eq!(numbers(&healthy, 18).last(), Some(&19));
    // The first event is under way; when its answer comes, it was not lost after all.
    events.sweep().unwrap();
    for _ in 0..7 {
        decide.send(Reply::Answer(200, String::new())).unwrap();
    }
    assert_eq!(number(&sink.next()), 0);
    let note = sink.next();
    // Of the events 1 to 14 one did not match.
    assert_eq!(text_of(&note, "wsman:DroppedEvents "), Some("13"), "{}", note.body);
    assert_eq!(numbers(&sink, 5), [15, 16, 17, 18, 19]);
    assert_eq!(events.subscriptions().len(), 2);
}

#[test]
fn a_loss_that_was_not_told_yet_is_told_after_a_restart() {
    let mut world = World::new();
    (world.settings.keep_count, world.settings.hard_count) = (2, 2);
    world.settings.overflow = Overflow::Drop;
    world.settings.stop_grace = Duration::ZERO;
    let events = world.open();
    let (sink, decide) = on_demand();
    events.subscribe(to(&sink.url())).unwrap();
    for n in 1..=6 {
        world.publish(CREATION, n);
    }
    let first = sink.rest();
    events.sweep().unwrap();
    events.stop();
    drop(first);
    let events = world.open();
    for _ in 0..8 {
        decide.send(Reply::Answer(200, String::new())).unwrap();
    }
    let mut message = sink.next();
    // The attempt that was cut off may have been received.
    while text_of(&message, "wsman:DroppedEvents ").is_none() {
        assert_eq!(number(&message), 1);
        message = sink.next();
    }
    assert_eq!(text_of(&message, "wsman:DroppedEvents "), Some("4"));
    assert_eq!(numbers(&sink, 2), [5, 6]);
    drop(events);
}

/// A sink that tells when a message has come, and answers when the test decides what.
fn gated() -> (Sink, Receiver<()>, Sender<u16>) {
    let ((tell, came), (decide, decisions)) = (channel(), channel());
    let gate = Mutex::new((tell, decisions));
    let sink = Sink::http(move |message| {
        let gate = gate.lock().unwrap();
        let _ = gate.0.send(());
        match gate.1.recv() {
            Ok(200) => acknowledge(message),
            Ok(status) => Reply::Answer(status, String::new()),
            Err(_) => acknowledge(message),
        }
    });
    (sink, came, decide)
}

#[test]
fn what_is_under_way_is_not_lost_when_the_log_gives_up_what_was_before_it() {
    let mut world = World::new();
    (world.settings.keep_count, world.settings.hard_count) = (5, 5);
    world.settings.overflow = Overflow::Drop;
    let events = world.open();
    for n in 1..10 {
        world.publish(MODIFICATION, n);
    }
    world.publish(CREATION, 10);
    let (sink, came, decide) = gated();
    events.subscribe(NewSubscription { bookmark: Some(Bookmark::Earliest), ..to(&sink.url()) }).unwrap();
    came.recv_timeout(PATIENCE).unwrap();
    events.sweep().unwrap();
    assert_eq!(world.store.read(changes::oldest).unwrap(), Some(6));
    decide.send(500).unwrap();
    decide.send(200).unwrap();
    assert_eq!(numbers(&sink, 2), [10, 10]);
    decide.send(200).unwrap();
    world.publish(CREATION, 11);
    assert_eq!(numbers(&sink, 1), [11]);
}

#[test]
fn a_batch_of_which_a_part_was_given_up_is_told_as_what_is_left_of_it() {
    let mut world = World::new();
    (world.settings.keep_count, world.settings.hard_count) = (12, 12);
    world.settings.overflow = Overflow::Drop;
    let events = world.open();
    for n in 1..=22 {
        world.publish(CREATION, n);
    }
    let (sink, came, decide) = gated();
    let new = NewSubscription { bookmark: Some(Bookmark::Earliest), ..in_mode(Mode::Events, &sink.url()) };
    events.subscribe(new).unwrap();
    came.recv_timeout(PATIENCE).unwrap();
    events.sweep().unwrap();
    assert_eq!(world.store.read(changes::oldest).unwrap(), Some(11));
    decide.send(500).unwrap();
    assert_eq!(numbers_in(&sink.next()), (1..=20).collect::<Vec<_>>());
    decide.send(200).unwrap();
    let note = sink.next();
    assert_eq!((text_of(&note, "wsman:DroppedEvents "), numbers_in(&note)), (Some("10"), vec![]));
    drop(decide);
    // What was sent before is made again no larger than it was.
    let mut told = Vec::new();
    while told.len() < 12 {
        told.extend(numbers_in(&sink.next()));
    }
    assert_eq!(told, (11..=22).collect::<Vec<_>>());
}

#[test]
fn who_loses_records_to_the_hard_bound_loses_the_subscription() {
    let mut world = World::new();
    (world.settings.keep_count, world.settings.hard_count) = (5, 5);
    let events = world.open();
    let (hanging, decide) = on_demand();
    let healthy = Sink::http(ok);
    let lost = events.subscribe(to(&hanging.url())).unwrap();
    let kept = events.subscribe(to(&healthy.url())).unwrap();
    for n in 0..20 {
        world.publish(CREATION, n);
        // The sweeper has runs of its own; who keeps up with the log is never behind the bound.
        assert_eq!(number(&healthy.next()), n);
    }
    // The last answer may not have been dealt with yet, so the one before it is what counts.
    events.sweep().unwrap();
    let left: Vec<Uuid> = events.subscriptions().iter().map(|s| s.id).collect();
    assert_eq!(left, [kept.id], "{} is gone", lost.id);
    assert_eq!(world.store.read(|c| changes::after(c, 0, 100)).unwrap().len(), 5);
    drop(decide);
}
