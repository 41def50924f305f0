//! Clause 10: bookmarks (10.2.6).

use std::collections::HashSet;

use crate::answer::{child, elements, text};
use crate::peer::Peer;
use crate::service::Own;
use crate::subscription::{ALL_OF_JOBS, Subscribe, Subscription};
use crate::support::server::PATIENCE;
use crate::support::sink::{Event, Sink, distinct};
use crate::support::wsman::property;

/// The bookmark of the oldest event that there is.
pub(crate) const EARLIEST: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/bookmark/earliest";

/// A `wsman:Bookmark` for a subscription.
pub(crate) fn bookmark(content: &str) -> String {
    format!("<w:Bookmark>{content}</w:Bookmark>")
}

/// What the bookmark in a message's header says.
pub(crate) fn bookmark_of(event: &Event) -> String {
    event.header_text("Bookmark")
}

/// The name of the change that an event tells of.
fn change(event: &Event) -> String {
    property(&event.indication(), "IndicationIdentifier").unwrap()
}

/// The changes that events told of, each once.
fn changes(events: &[Event]) -> Vec<String> {
    distinct(events).iter().map(change).collect()
}

pub(crate) fn each_delivery_has_a_bookmark(_: &mut Peer, own: &Own) {
    let deliveries = own.deliveries();
    let mut known = HashSet::new();
    for event in deliveries.at("/bookmarks") {
        let envelope = event.element();
        let found = child(child(&envelope, "s:Header").unwrap(), "wsman:Bookmark").expect("an event without bookmark");
        assert!(elements(found).next().is_none() && !text(found).is_empty(), "{found:?}");
        known.insert(text(found));
    }
    assert_eq!(
        known.len(),
        changes(&owned(&deliveries.at("/bookmarks"))).len(),
        "each event has a bookmark of its own"
    );
    for without in ["/plain", "/failing/end", "/cancelled/end"] {
        assert!(deliveries.at(without).iter().all(|event| event.header("Bookmark").is_none()), "{without}");
    }
}

fn owned(events: &[&Event]) -> Vec<Event> {
    events.iter().map(|event| (*event).clone()).collect()
}

pub(crate) fn what_is_neither_text_nor_one_element_is_refused(peer: &mut Peer, own: &Own) {
    let good = bookmark_of(own.deliveries().at("/bookmarks")[0]);
    for content in [format!("{good}<x:Y xmlns:x=\"urn:example\"/>"), "<w:X/><w:Y/>".to_owned()] {
        let answer = Subscribe::nowhere().and(&bookmark(&content)).send(peer);
        answer.refuses("wsman:InvalidBookmark", "InvalidFormat").names("bookmark");
    }
}

/// Subscribes again with the bookmark of one of the first events, and hears of those behind it.
pub(crate) fn delivery_goes_on_behind_any_bookmark(peer: &mut Peer, own: &Own) {
    let before = owned(&own.deliveries().at("/bookmarks"));
    let before = distinct(&before);
    for last in [0, 1] {
        let expected = changes(&before[last + 1..]);
        let heard = heard_from(peer, &bookmark_of(&before[last]), expected.len());
        assert_eq!(heard[..expected.len()], expected, "behind {}", change(&before[last]));
    }
}

pub(crate) fn everything_there_is_comes_from_the_earliest_on(peer: &mut Peer, own: &Own) {
    let expected = changes(&owned(&own.deliveries().at("/bookmarks")));
    let sink = Sink::new();
    subscribe(peer, &sink, EARLIEST);
    sink.wait_for("all that there is", PATIENCE, |events| {
        let heard = changes(events);
        let begin = heard.iter().position(|change| *change == expected[0])?;
        let found = heard[begin..].get(..expected.len())?;
        assert_eq!(found, expected);
        Some(())
    });
}

fn heard_from(peer: &mut Peer, place: &str, count: usize) -> Vec<String> {
    let sink = Sink::new();
    subscribe(peer, &sink, place);
    sink.wait_for("the events behind a bookmark", PATIENCE, |events| {
        Some(changes(events)).filter(|heard| heard.len() >= count)
    })
}

fn subscribe(peer: &mut Peer, sink: &Sink, place: &str) {
    let again = Subscribe::to(&sink.url("/")).about(ALL_OF_JOBS).and(&bookmark(place));
    Subscription::of(&again.send(peer));
}

pub(crate) fn bookmarks_of_others_are_refused(peer: &mut Peer, own: &Own) {
    let good = bookmark_of(own.deliveries().at("/bookmarks")[0]);
    let (log, _) = good.split_once('/').unwrap();
    let of_the_future = format!("{log}/999999999");
    for wrong in ["somewhere", "00000000000000000000000000000000/1", &of_the_future] {
        let answer = Subscribe::nowhere().and(&bookmark(wrong)).send(peer);
        answer.refuses("wsman:InvalidBookmark", "InvalidFormat").names(EARLIEST);
    }
}
