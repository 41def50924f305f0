//! The modes in which events are pushed.

use super::*;

#[test]
fn an_acknowledged_event_is_repeated_until_it_is_acknowledged() {
    let world = World::new();
    let events = world.open();
    let attempts = Mutex::new(0);
    let sink = Sink::http(move |message| {
        let mut attempts = attempts.lock().unwrap();
        *attempts += 1;
        match *attempts {
            1 => Reply::Answer(200, String::new()),
            2 => Reply::Answer(200, "<not soap/>".to_owned()),
            3 => Reply::Answer(500, String::new()),
            // Its own name in place of the event's.
            4 => match acknowledge(message) {
                Reply::Answer(status, text) => Reply::Answer(status, text.replace(message_id(message), "uuid:1")),
                other => other,
            },
            // As openwsman writes it.
            5 => ack_of(message, "http://schemas.xmlsoap.org/wbmem/wsman/1/wsman/Ack"),
            _ => acknowledge(message),
        }
    });
    events.subscribe(in_mode(Mode::PushWithAck, &sink.url())).unwrap();
    for n in 1..=3 {
        world.publish(CREATION, n);
    }
    let messages: Vec<Received> = (0..7).map(|_| sink.next()).collect();
    assert_eq!(messages.iter().map(number).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 2, 3]);
    assert!(messages[..5].iter().all(|message| message_id(message) == message_id(&messages[0])));
    assert!(messages[0].body.contains("<wsman:AckRequested/>"), "{}", messages[0].body);
}

#[test]
fn a_pushed_event_asks_for_no_acknowledgement() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(ok);
    events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 1);
    assert!(!sink.next().body.contains("AckRequested"));
}

#[test]
fn what_waits_goes_in_batches_of_the_size_that_was_asked_for() {
    let world = World::new();
    let events = world.open();
    let (decide, decisions) = channel::<()>();
    let decisions = Mutex::new(decisions);
    let sink = Sink::http(move |message| {
        let _ = decisions.lock().unwrap().recv();
        acknowledge(message)
    });
    let mut new = in_mode(Mode::Events, &sink.url());
    new.delivery.max_elements = Some(4);
    events.subscribe(new).unwrap();
    world.publish(CREATION, 0);
    let other = Sink::http(ok);
    events.subscribe(to(&other.url())).unwrap();
    for n in 1..10 {
        world.publish([CREATION, MODIFICATION][usize::from(n == 5)], n);
    }
    // When the last one has reached somebody else, all wait for this sink.
    assert_eq!(numbers(&other, 8).last(), Some(&9));
    drop(decide);
    let mut told = Vec::new();
    while told.len() < 9 {
        let batch = sink.next();
        assert!(batch.body.contains("http://schemas.dmtf.org/wbem/wsman/1/wsman/Events<"), "{}", batch.body);
        assert!(batch.body.contains("<wsman:AckRequested/>"));
        let numbers = numbers_in(&batch);
        assert!((1..=4).contains(&numbers.len()), "{numbers:?}");
        told.extend(numbers);
    }
    assert_eq!(told, [0, 1, 2, 3, 4, 6, 7, 8, 9]);
}

#[test]
fn a_batch_waits_for_more_events_until_its_time_is_over() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(acknowledge);
    let mut new = in_mode(Mode::Events, &sink.url());
    new.delivery.max_time = Some(Duration::from_secs(3600));
    events.subscribe(new).unwrap();
    let other = Sink::http(ok);
    events.subscribe(to(&other.url())).unwrap();
    for n in 1..=3 {
        world.publish(CREATION, n);
        other.next();
    }
    assert!(sink.rest().is_empty(), "the hour is not over");
    world.clock.advance(TimeDelta::seconds(3600));
    events.sweep().unwrap();
    let mut told = numbers_in(&sink.next());
    while told.len() < 3 {
        // What came while the clock was set begins a time of its own.
        world.clock.advance(TimeDelta::seconds(3600));
        events.sweep().unwrap();
        told.extend(numbers_in(&sink.next()));
    }
    assert_eq!(told, [1, 2, 3]);
}

#[test]
fn a_batch_waits_no_longer_than_until_a_heartbeat_is_due() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(acknowledge);
    let mut new = in_mode(Mode::Events, &sink.url());
    new.delivery.max_time = Some(Duration::from_secs(86_400));
    new.delivery.heartbeat = Some(Duration::from_secs(3600));
    events.subscribe(new).unwrap();
    let other = Sink::http(ok);
    events.subscribe(to(&other.url())).unwrap();
    world.publish(CREATION, 1);
    other.next();
    world.clock.advance(TimeDelta::seconds(3600));
    events.sweep().unwrap();
    let first = sink.next();
    // Whether it is a heartbeat is up to which came first, the event or the end of the interval.
    if first.body.contains("/Heartbeat<") {
        world.clock.advance(TimeDelta::seconds(3600));
        events.sweep().unwrap();
        assert_eq!(numbers_in(&sink.next()), [1]);
    } else {
        assert_eq!(numbers_in(&first), [1]);
    }
}

#[test]
fn a_batch_is_no_larger_than_the_sink_takes() {
    let world = World::new();
    let events = world.open();
    let (decide, decisions) = channel::<()>();
    let decisions = Mutex::new(decisions);
    let sink = Sink::http(move |message| {
        let _ = decisions.lock().unwrap().recv();
        acknowledge(message)
    });
    let mut new = in_mode(Mode::Events, &sink.url());
    new.delivery.envelope = Some(EnvelopeLimit { octets: 20_000, policy: Oversize::Notify });
    events.subscribe(new).unwrap();
    let other = Sink::http(ok);
    events.subscribe(to(&other.url())).unwrap();
    for n in 0..60 {
        world.publish(CREATION, n);
    }
    assert_eq!(numbers(&other, 60).len(), 60);
    drop(decide);
    let (mut told, mut messages) = (Vec::new(), 0);
    while told.len() < 60 {
        let batch = sink.next();
        assert!(batch.octets.len() <= 20_000, "{} octets", batch.octets.len());
        told.extend(numbers_in(&batch));
        messages += 1;
    }
    assert_eq!(told, (0..60).collect::<Vec<_>>());
    assert!(messages < 60, "several go into one message");
}

#[test]
fn a_windows_collector_gets_utf16_with_a_mark() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(ok);
    let mut new = to(&sink.url());
    new.delivery.utf16 = true;
    events.subscribe(new).unwrap();
    world.publish(CREATION, 7);
    let message = sink.next();
    assert_eq!(message.header("content-type"), Some("application/soap+xml;charset=UTF-16"));
    assert_eq!(message.octets[..4], [0xFF, 0xFE, b'<', 0]);
    let text = crate::soap::Encoding::Utf16Le.decode(&message.octets).unwrap().into_owned();
    assert!(text.contains("job:7;"), "{text}");
}

#[test]
fn a_heartbeat_is_sent_where_there_is_nothing_to_tell() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(acknowledge);
    let mut new = in_mode(Mode::Events, &sink.url());
    new.delivery.heartbeat = Some(Duration::from_secs(3600));
    new.delivery.bookmarks = true;
    events.subscribe(new).unwrap();
    world.clock.advance(TimeDelta::seconds(3600));
    events.sweep().unwrap();
    let heartbeat = sink.next();
    assert!(heartbeat.body.contains("http://schemas.dmtf.org/wbem/wsman/1/wsman/Heartbeat<"), "{}", heartbeat.body);
    assert!(heartbeat.body.contains("<s:Body></s:Body>") || heartbeat.body.contains("<s:Body/>"));
    assert!(heartbeat.body.contains("<wsman:AckRequested/>"));
    world.publish(CREATION, 1);
    let event = sink.next();
    assert_eq!(numbers_in(&event), [1]);
    assert_ne!(message_id(&event), message_id(&heartbeat));
    // A heartbeat leads behind what was told before it.
    let sequence = |message| match text_of(message, "wsman:Bookmark").unwrap().parse().unwrap() {
        Bookmark::After(place) => place.sequence,
        Bookmark::Earliest => panic!("a place of its own"),
    };
    assert_eq!((sequence(&heartbeat), sequence(&event)), (0, 1));
}

#[test]
fn a_heartbeat_that_failed_gives_way_to_an_event() {
    let world = World::new();
    let events = world.open();
    let (sink, decide) = on_demand();
    let mut new = to(&sink.url());
    new.delivery.heartbeat = Some(Duration::from_secs(3600));
    events.subscribe(new).unwrap();
    world.clock.advance(TimeDelta::seconds(3600));
    events.sweep().unwrap();
    decide.send(Reply::Answer(500, String::new())).unwrap();
    assert!(sink.next().body.contains("/Heartbeat<"));
    world.publish(CREATION, 1);
    for _ in 0..3 {
        decide.send(Reply::Answer(200, String::new())).unwrap();
    }
    let mut message = sink.next();
    while message.body.contains("/Heartbeat<") {
        message = sink.next();
    }
    assert_eq!(number(&message), 1);
}

#[test]
fn a_subscriber_says_how_often_it_is_tried_again() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(|_| Reply::Answer(503, String::new()));
    let mut new = to(&sink.url());
    new.delivery.retry = Some(Retry { interval: Duration::from_millis(1), total: 2 });
    events.subscribe(new).unwrap();
    world.publish(CREATION, 1);
    wait_for_running(&events, 0);
    assert_eq!(numbers(&sink, 3), [1, 1, 1]);
    assert!(sink.rest().is_empty() && events.subscriptions().is_empty());
}

#[test]
fn a_batch_that_may_have_arrived_before_a_crash_is_made_again_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let (tell, came) = channel();
    let tell = Mutex::new(tell);
    // It takes messages and never says so.
    let silent = Sink::http(move |_| {
        let _ = tell.lock().unwrap().send(());
        Reply::Hang
    });
    let mut world = World::at(&file);
    world.settings.stop_grace = Duration::ZERO;
    for n in 1..=3 {
        world.publish(CREATION, n);
    }
    let events = world.open();
    let mut new = NewSubscription { bookmark: Some(Bookmark::Earliest), ..in_mode(Mode::Events, &silent.url()) };
    new.delivery.bookmarks = true;
    events.subscribe(new).unwrap();
    came.recv_timeout(PATIENCE).unwrap();
    let first = silent.next();
    events.stop();
    drop(events);
    for n in 4..=6 {
        world.publish(CREATION, n);
    }
    let world = World::at(&file);
    let _events = world.open();
    came.recv_timeout(PATIENCE).unwrap();
    let again = silent.next();
    assert_eq!((numbers_in(&first), numbers_in(&again)), (vec![1, 2, 3], vec![1, 2, 3]));
    assert_eq!(message_id(&first), message_id(&again));
    assert_eq!(text_of(&first, "wsman:Bookmark"), text_of(&again, "wsman:Bookmark"));
}
