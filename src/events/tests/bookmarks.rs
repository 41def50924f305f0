//! Subscribers that come back with their bookmarks.

use super::*;

fn bookmarked(url: &str, bookmark: Option<Bookmark>) -> NewSubscription {
    let mut new = NewSubscription { bookmark, ..to(url) };
    new.delivery.bookmarks = true;
    new
}

fn bookmark(message: &Received) -> Bookmark {
    text_of(message, "wsman:Bookmark").expect("a bookmark").parse().unwrap()
}

#[test]
fn a_subscriber_that_comes_back_gets_everything_since() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(ok);
    let first = events.subscribe(bookmarked(&sink.url(), None)).unwrap();
    for n in 1..=3 {
        world.publish(CREATION, n);
    }
    let messages: Vec<Received> = (0..3).map(|_| sink.next()).collect();
    events.unsubscribe(first.id, &ada()).unwrap();
    for n in 4..=5 {
        world.publish(CREATION, n);
    }
    events.subscribe(bookmarked(&sink.url(), Some(bookmark(&messages[1])))).unwrap();
    assert_eq!(numbers(&sink, 3), [3, 4, 5]);
    world.publish(CREATION, 6);
    assert_eq!(numbers(&sink, 1), [6]);
}

#[test]
fn a_subscriber_may_begin_at_the_oldest_event() {
    let world = World::new();
    let events = world.open();
    for n in 1..=3 {
        world.publish(CREATION, n);
    }
    let sink = Sink::http(ok);
    events.subscribe(bookmarked(&sink.url(), Some(Bookmark::Earliest))).unwrap();
    assert_eq!(numbers(&sink, 3), [1, 2, 3]);
}

#[test]
fn a_gap_is_told_and_not_passed_over() {
    let mut world = World::new();
    (world.settings.keep_count, world.settings.hard_count) = (2, 2);
    let events = world.open();
    let sink = Sink::http(ok);
    let first = events.subscribe(bookmarked(&sink.url(), None)).unwrap();
    world.publish(CREATION, 1);
    let old = bookmark(&sink.next());
    events.unsubscribe(first.id, &ada()).unwrap();
    for n in 2..=5 {
        world.publish(CREATION, n);
    }
    events.sweep().unwrap();
    let refused = events.subscribe(bookmarked(&sink.url(), Some(old)));
    assert!(matches!(refused, Err(SubscribeError::Bookmark(BookmarkError::Expired))), "{refused:?}");
    let elsewhere = Bookmark::After(Place { log: Uuid::from_u128(1), sequence: 4 });
    let refused = events.subscribe(bookmarked(&sink.url(), Some(elsewhere)));
    assert!(matches!(refused, Err(SubscribeError::Bookmark(BookmarkError::Format))), "{refused:?}");
    assert!(events.subscriptions().is_empty());
}

#[test]
fn without_being_asked_no_bookmark_is_sent() {
    let world = World::new();
    let events = world.open();
    let sink = Sink::http(ok);
    events.subscribe(to(&sink.url())).unwrap();
    world.publish(CREATION, 1);
    assert_eq!(text_of(&sink.next(), "wsman:Bookmark"), None);
}
