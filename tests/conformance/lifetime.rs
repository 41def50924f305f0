//! Clause 10: how subscriptions go on and end (10.3 to 10.9).

use xmltree::Element;

use crate::answer::{child, is, text};
use crate::delivery::{asks_for_acknowledgement, batch};
use crate::peer::Peer;
use crate::pulled_events::{an_event_that_fits_no_page_is_told_to_be_dropped, who_fetches_has_no_end_to};
use crate::rule::rules;
use crate::service::{Own, VIEWER};
use crate::subscription::{EVENTING, Subscribe, Subscription};
use crate::support::eventually;
use crate::support::server::PATIENCE;
use crate::support::sink::{Event, Sink, distinct};

rules! {
    r10_3_1 "GetStatus may be supported": holds_here(the_status_is_told);
    r10_4_1 "Unsubscribe ends the deliveries": holds_here(nothing_is_delivered_after_unsubscribe);
    r10_4_2 "the service may cancel a subscription": holds_here(a_sink_that_refuses_ends_its_subscription);
    r10_5_1 "Renew is taken": holds_here(a_subscription_is_renewed);
    r10_6_1 "SubscriptionEnd may be sent": holds_here(the_end_is_told_to_who_wants_to_know);
    r10_6_2 "SubscriptionEnd is not sent to who pulls": holds_here(who_fetches_has_no_end_to);
    r10_6_3 "SubscriptionEnd carries the parameters of EndTo": holds_here(the_end_carries_the_parameters_of_end_to);
    r10_6_4 "SubscriptionEnd goes before UnsubscribeResponse":
        deviates("whoever ends a subscription is not told by a message of its own: UnsubscribeResponse says it",
            who_unsubscribes_knows);
    r10_7_1 "the next event waits for the acknowledgement": holds_here(the_next_event_waits);
    r10_7_2 "an event to be acknowledged says so": holds_here(deliveries_ask_for_acknowledgement);
    r10_7_3 "a subscription may end for want of an acknowledgement": holds_here(a_deaf_sink_ends_its_subscription);
    r10_8_1 "wsman:DeliveryRefused ends a subscription at once": holds_here(a_sink_that_refuses_ends_its_subscription);
    r10_9_1 "dropped events are told": holds_here(dropped_events_are_told);
    r10_9_2 "DroppedEvents stands where the event would have": holds_here(a_note_stands_in_the_place_of_the_event);
    r10_9_3 "who cannot tell of dropped events ends the subscription":
        not_applicable("dropped events are told (R10.9-1)");
}

fn the_status_is_told(peer: &mut Peer, _: &Own) {
    let subscription = Subscription::of(&Subscribe::nowhere().send(peer));
    let status = subscription.send(peer, "GetStatus", "").succeeds();
    assert!(is(&status, "wse:GetStatusResponse"), "{status:?}");
    assert!(child(&status, "wse:Expires").is_some_and(|expires| text(expires).starts_with("PT")), "{status:?}");
}

fn nothing_is_delivered_after_unsubscribe(peer: &mut Peer, own: &Own) {
    assert!(own.deliveries().at("/ended").is_empty(), "{:?}", own.deliveries().at("/ended"));
    let subscription = Subscription::of(&Subscribe::nowhere().send(peer));
    subscription.send(peer, "Unsubscribe", "").succeeds();
    for operation in ["Unsubscribe", "GetStatus"] {
        subscription.send(peer, operation, "").refuses("wsa:DestinationUnreachable", "");
    }
}

fn a_subscription_is_renewed(peer: &mut Peer, _: &Own) {
    let subscription = Subscription::of(&Subscribe::nowhere().send(peer));
    let renewed = subscription.send(peer, "Renew", "<e:Expires>PT3H</e:Expires>").succeeds();
    assert_eq!(child(&renewed, "wse:Expires").map(text).as_deref(), Some("PT3H"));
    let lasting = subscription.send(peer, "Renew", "").succeeds();
    assert!(child(&lasting, "wse:Expires").is_none_or(|expires| text(expires).starts_with('P')), "{lasting:?}");
    subscription.send(peer, "Unsubscribe", "").succeeds();
    subscription.send(peer, "Renew", "").refuses("wse:UnableToRenew", "");
}

fn a_sink_that_refuses_ends_its_subscription(peer: &mut Peer, own: &Own) {
    has_ended(peer, own, "/refused");
    assert_eq!(own.deliveries().at("/refused").len(), 1, "a refused event is not sent again");
}

/// The subscription may have one more moment to live, since its sink hears of it first.
fn has_ended(peer: &mut Peer, own: &Own, path: &str) {
    eventually("the subscription to end", PATIENCE, || {
        let answer = own.deliveries().subscription(path).send(peer, "GetStatus", "");
        (answer.status != 200).then(|| answer.refuses("wsa:DestinationUnreachable", ""))
    });
}

/// The Status of the SubscriptionEnd that came to a path.
fn status_of(own: &Own, path: &str) -> String {
    let ends = own.deliveries().at(&format!("{path}/end"));
    let [end] = ends.as_slice() else { panic!("{path}: {ends:?}") };
    let told = end.indication();
    assert!(is(&told, "wse:SubscriptionEnd"), "{told:?}");
    assert_eq!(end.header_text("Action"), format!("{EVENTING}/SubscriptionEnd"));
    let identifier = |manager: &Element| {
        let parameters = child(manager, "wsa:ReferenceParameters").unwrap();
        text(child(parameters, "wse:Identifier").unwrap())
    };
    let manager = child(&told, "wse:SubscriptionManager").unwrap();
    assert_eq!(identifier(manager), identifier(&own.deliveries().subscription(path).manager));
    assert!(child(&told, "wse:Reason").is_some_and(|reason| !text(reason).is_empty()), "{told:?}");
    text(child(&told, "wse:Status").unwrap())
}

fn the_end_is_told_to_who_wants_to_know(peer: &mut Peer, own: &Own) {
    assert_eq!(status_of(own, "/failing"), format!("{EVENTING}/DeliveryFailure"));
    assert_eq!(status_of(own, "/cancelled"), format!("{EVENTING}/SourceCancelling"));
    // An administrator ends another's subscription.
    let sink = Sink::new();
    let subscribe = Subscribe::nowhere().ending_at(&format!("<a:Address>{}</a:Address>", sink.url("/end")));
    let theirs = Subscription::of(&subscribe.send(&mut Peer::of_user(Some(VIEWER))));
    theirs.send(peer, "Unsubscribe", "").succeeds();
    let told = sink.wait_for("the end", PATIENCE, |events| events.first().map(Event::indication));
    assert_eq!(child(&told, "wse:Status").map(text), Some(format!("{EVENTING}/SourceCancelling")));
}

fn the_end_carries_the_parameters_of_end_to(_: &mut Peer, own: &Own) {
    for path in ["/failing/end", "/deaf/end"] {
        let end = &own.deliveries().envelopes(path)[0];
        let header = child(end, "s:Header").unwrap();
        assert_eq!(child(header, "x:Mark").map(text).as_deref(), Some("end"), "{path}");
    }
}

fn who_unsubscribes_knows(_: &mut Peer, own: &Own) {
    assert!(own.deliveries().at("/ended/end").is_empty());
}

fn the_next_event_waits(_: &mut Peer, own: &Own) {
    let messages = own.deliveries().at("/unacknowledged");
    assert_eq!(messages[0].envelope, messages[1].envelope, "what is not acknowledged is sent again");
    assert_ne!(messages[1].message_id(), messages[2].message_id());
}

fn deliveries_ask_for_acknowledgement(_: &mut Peer, own: &Own) {
    for path in ["/acknowledged", "/batch", "/dropped", "/heartbeats"] {
        own.deliveries().at(path).into_iter().for_each(asks_for_acknowledgement);
    }
}

fn a_deaf_sink_ends_its_subscription(peer: &mut Peer, own: &Own) {
    let attempts = own.deliveries().at("/deaf");
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0].envelope, attempts[1].envelope);
    assert_eq!(status_of(own, "/deaf"), format!("{EVENTING}/DeliveryFailure"));
    has_ended(peer, own, "/deaf");
}

fn dropped_events_are_told(_: &mut Peer, own: &Own) {
    let mut total = 0;
    for message in distinct_of(own, "/dropped") {
        total += 1;
        assert_eq!(message.header_text("Action"), DROPPED);
        let told = message.indication();
        assert!(is(&told, "wsman:DroppedEvents"), "{told:?}");
        assert_eq!((told.attributes["Action"].as_str(), text(&told)), (EVENT, total.to_string()));
        // It is an event like any other.
        assert!(message.header("Mark").is_some() && message.header("Bookmark").is_some(), "{message:?}");
        asks_for_acknowledgement(&message);
    }
}

/// Changes of jobs are larger than a message of 8,192 octets may be, their creation is not.
fn a_note_stands_in_the_place_of_the_event(peer: &mut Peer, own: &Own) {
    let told: Vec<Element> = distinct_of(own, "/tight").iter().flat_map(batch).collect();
    let (notes, events): (Vec<_>, Vec<_>) = told.iter().partition(|event| event.attributes["Action"] == DROPPED);
    let totals: Vec<String> = notes.iter().map(|note| text(child(note, "wsman:DroppedEvents").unwrap())).collect();
    let expected: Vec<String> = (1..=notes.len()).map(|total| total.to_string()).collect();
    assert_eq!(totals, expected);
    assert!(events.iter().all(|event| event.attributes["Action"] == EVENT), "{events:?}");
    let follows = |pair: &[Element]| pair[0].attributes["Action"] == EVENT && pair[1].attributes["Action"] == DROPPED;
    assert!(told.windows(2).any(follows), "no note behind an event: {told:?}");
    an_event_that_fits_no_page_is_told_to_be_dropped(peer, own);
}

fn distinct_of(own: &Own, path: &str) -> Vec<Event> {
    let events: Vec<Event> = own.deliveries().at(path).into_iter().cloned().collect();
    distinct(&events)
}

/// The Action of events.
const EVENT: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Event";
/// The Action of what stands in their place.
const DROPPED: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/DroppedEvents";
