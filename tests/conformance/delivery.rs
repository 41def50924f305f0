//! Clause 10: how events are delivered (10.2.5 to 10.2.9).

use crate::answer::{all, child, elements, is, text};
use crate::bookmarks::*;
use crate::peer::Peer;
use crate::pulled_events::*;
use crate::rule::rules;
use crate::service::Own;
use crate::subscription::{EVENTING, MANAGEMENT, Subscribe};
use crate::support::sink::Event;
use crate::support::wsman::ANONYMOUS;

rules! {
    r10_2_5_1 "heartbeats are supported, or wsman:UnsupportedFeature": holds_here(heartbeats_come);
    r10_2_5_2 "within each interval comes an event or a heartbeat": holds_here(heartbeats_come);
    r10_2_5_3 "heartbeats may come earlier, and never among events": holds_here(heartbeats_come_alone);
    r10_2_5_4 "heartbeats come in sequence": holds_here(heartbeats_are_acknowledged_like_events);
    r10_2_6_1 "bookmarks are supported, or wsman:UnsupportedFeature": holds_here(each_delivery_has_a_bookmark);
    r10_2_6_2 "a bookmark holds text or one element": holds_here(what_is_neither_text_nor_one_element_is_refused);
    r10_2_6_3 "each delivery carries a bookmark": holds_here(each_delivery_has_a_bookmark);
    r10_2_6_4 "delivery resumes behind the bookmark": holds_here(delivery_goes_on_behind_any_bookmark);
    r10_2_6_5 "the latest bookmark is good, others may be": holds_here(delivery_goes_on_behind_any_bookmark);
    r10_2_6_6 "a bookmark that is no good is wsman:InvalidBookmark": holds_here(bookmarks_of_others_are_refused);
    r10_2_6_7 "there may be a bookmark for everything": holds_here(everything_there_is_comes_from_the_earliest_on);
    r10_2_7_1 "one of the delivery modes is supported": holds_here(events_can_be_pushed);
    r10_2_7_2 "a subscription has one delivery mode": holds_here(a_delivery_has_one_mode);
    r10_2_9_2_1 "Push may be supported": holds_here(events_can_be_pushed);
    r10_2_9_2_2 "Push may have a MaxEnvelopeSize and a policy": holds_here(large_events_go_by_the_policy);
    r10_2_9_2_3 "no event is larger than MaxEnvelopeSize": holds_here(no_message_is_larger_than_asked_for);
    r10_2_9_3_1 "PushWithAck is supported, or wse:DeliveryModeRequestedUnavailable":
        holds_here(events_are_pushed_with_acknowledgement);
    r10_2_9_4_1 "Events is supported, or wse:DeliveryModeRequestedUnavailable": holds_here(events_come_in_batches);
    r10_2_9_4_2 "limits of a batch are supported, or wsman:UnsupportedFeature": holds_here(batches_have_limits);
    r10_2_9_4_3 "no batch is larger than MaxEnvelopeSize": holds_here(no_message_is_larger_than_asked_for);
    r10_2_9_4_4 "batches are acknowledged": holds_here(events_come_in_batches);
    r10_2_9_5_1 "Pull is supported, or wse:DeliveryModeRequestedUnavailable": holds_here(events_can_be_fetched);
    r10_2_9_5_2 "what does not go with Pull is wsman:UnsupportedFeature":
        holds_here(what_is_for_sinks_does_not_go_with_pull);
    r10_2_9_5_3 "a pulled subscription has a context": holds_here(only_a_subscription_to_be_fetched_has_a_context);
    r10_2_9_5_4 "events are pulled from the manager":
        holds_here(events_are_fetched_from_the_manager_by_their_owner);
    r10_2_9_5_5 "a Pull without events is wsman:TimedOut":
        deviates("it is answered with no items and the context, as Windows does: there are clients that fail without a context \
            (txwinrm) or take wsman:TimedOut for a failure (the MI client)", a_page_without_events_is_empty);
    r10_2_9_5_6 "a Pull may give another context": holds_here(a_page_says_where_to_go_on);
    r10_2_9_5_7 "events never end": holds_here(events_end_with_their_subscription_alone);
    r10_2_9_5_8 "MaxEnvelopeSize of a Pull limits its events": holds_here(a_page_of_events_is_as_large_as_the_client_takes);
}

const ALL_MODES: [&str; 4] = [
    "http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push",
    "http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck",
    "http://schemas.dmtf.org/wbem/wsman/1/wsman/Events",
    "http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull",
];

fn is_heartbeat(event: &Event) -> bool {
    event.header_text("Action") == format!("{MANAGEMENT}/Heartbeat")
}

fn heartbeats_come(peer: &mut Peer, own: &Own) {
    let beats = own.deliveries().at("/heartbeats");
    assert!(beats.len() >= 2);
    for beat in beats {
        assert!(is_heartbeat(beat) && beat.content().is_none(), "{beat:?}");
    }
    let often = Subscribe::with_delivery("<w:Heartbeats>PT0.5S</w:Heartbeats>").send(peer);
    often.refuses("wsman:UnsupportedFeature", "Heartbeats").names("PT1S");
}

fn heartbeats_come_alone(_: &mut Peer, own: &Own) {
    for message in own.deliveries().at("/tight") {
        let told: Vec<String> = batch(message).iter().map(|event| event.attributes["Action"].clone()).collect();
        assert_eq!(told.is_empty(), is_heartbeat(message), "{message:?}");
        assert!(!told.contains(&format!("{MANAGEMENT}/Heartbeat")), "{told:?}");
    }
}

fn heartbeats_are_acknowledged_like_events(_: &mut Peer, own: &Own) {
    let beats = own.deliveries().at("/heartbeats");
    for (beat, next) in beats.iter().zip(&beats[1..]) {
        asks_for_acknowledgement(beat);
        assert_ne!(beat.message_id(), next.message_id(), "what was acknowledged is not sent again");
        assert!(place(beat) <= place(next), "a heartbeat leads behind what was told before it");
    }
}

/// The place in the log to which its bookmark leads.
fn place(message: &Event) -> u64 {
    bookmark_of(message).rsplit('/').next().unwrap().parse().unwrap()
}

/// 10.7: it says so, and where to.
pub(crate) fn asks_for_acknowledgement(message: &Event) {
    let envelope = message.element();
    let header = child(&envelope, "s:Header").unwrap();
    let requested = child(header, "wsman:AckRequested").unwrap_or_else(|| panic!("no AckRequested: {message:?}"));
    assert!(requested.children.is_empty(), "{requested:?}");
    let reply_to = child(header, "wsa:ReplyTo").and_then(|to| child(to, "wsa:Address")).map(text);
    assert_eq!(reply_to.as_deref(), Some(ANONYMOUS));
}

fn events_can_be_pushed(peer: &mut Peer, own: &Own) {
    Subscribe::in_mode(&format!("{EVENTING}/DeliveryModes/Push")).send(peer).succeeds();
    let event = own.deliveries().at("/plain")[0];
    assert_eq!(event.header_text("Action"), format!("{MANAGEMENT}/Event"));
    assert!(event.header("AckRequested").is_none());
}

fn a_delivery_has_one_mode(peer: &mut Peer, _: &Own) {
    let both = ALL_MODES[..2].join(" ");
    let answer = Subscribe::in_mode(&both).send(peer);
    let fault = answer.refuses("wse:DeliveryModeRequestedUnavailable", "");
    let served: Vec<String> = fault.elements.iter().filter(|e| is(e, "wse:SupportedDeliveryMode")).map(text).collect();
    assert_eq!(served, ALL_MODES);
}

fn large_events_go_by_the_policy(peer: &mut Peer, own: &Own) {
    let deliveries = own.deliveries();
    for told in deliveries.at("/dropped") {
        assert!(is(&told.indication(), "wsman:DroppedEvents"), "{told:?}");
    }
    assert!(deliveries.at("/skipped").is_empty() && deliveries.at("/cancelled").is_empty());
    deliveries.subscription("/skipped").send(peer, "GetStatus", "").succeeds();
    let cancelled = deliveries.subscription("/cancelled").send(peer, "GetStatus", "");
    cancelled.refuses("wsa:DestinationUnreachable", "");
    let shrink = "<w:MaxEnvelopeSize Policy=\"Shrink\">10000</w:MaxEnvelopeSize>";
    Subscribe::with_delivery(shrink)
        .send(peer)
        .refuses("wsman:UnsupportedFeature", "MaxEnvelopePolicy")
        .names("Shrink");
}

fn no_message_is_larger_than_asked_for(peer: &mut Peer, own: &Own) {
    for path in ["/dropped", "/tight"] {
        let messages = own.deliveries().at(path);
        assert!(!messages.is_empty());
        for message in messages {
            assert!(message.octets.len() <= 8192, "{path}: {} octets", message.octets.len());
        }
    }
    let tiny = Subscribe::with_delivery("<w:MaxEnvelopeSize>8191</w:MaxEnvelopeSize>").send(peer);
    tiny.refuses("wsman:EncodingLimit", "MinimumEnvelopeLimit").names("8192");
}

fn events_are_pushed_with_acknowledgement(_: &mut Peer, own: &Own) {
    for message in own.deliveries().at("/acknowledged") {
        assert_eq!(message.header_text("Action"), format!("{MANAGEMENT}/Event"));
        assert!(message.indication().name.starts_with("LMI_SoftwareInst"), "{message:?}");
        asks_for_acknowledgement(message);
    }
}

/// What a message of the mode Events tells: each a `wsman:Event`.
pub(crate) fn batch(message: &Event) -> Vec<xmltree::Element> {
    let Some(content) = message.content() else { return Vec::new() };
    assert!(is(&content, "wsman:Events"), "{message:?}");
    assert_eq!(message.header_text("Action"), format!("{MANAGEMENT}/Events"));
    let events = all(&content, "wsman:Event");
    assert_eq!(events.len(), elements(&content).count(), "{message:?}");
    events.into_iter().cloned().collect()
}

fn events_come_in_batches(_: &mut Peer, own: &Own) {
    for message in own.deliveries().at("/batch") {
        asks_for_acknowledgement(message);
        for event in batch(message) {
            assert_eq!(event.attributes["Action"], format!("{MANAGEMENT}/Event"));
            let held: Vec<&str> = elements(&event).map(|indication| indication.name.as_str()).collect();
            assert!(held.len() == 1 && held[0].starts_with("LMI_SoftwareInst"), "{held:?}");
        }
    }
}

fn batches_have_limits(peer: &mut Peer, own: &Own) {
    let sizes: Vec<usize> = own.deliveries().at("/batch").into_iter().map(|message| batch(message).len()).collect();
    // An event waits for the next one, so that there are two.
    assert!(sizes.iter().all(|size| *size == 2), "{sizes:?}");
    for (limit, detail) in
        [("<w:MaxElements>10</w:MaxElements>", "MaxElements"), ("<w:MaxTime>PT10S</w:MaxTime>", "MaxTime")]
    {
        let alone = Subscribe::with_delivery(limit).send(peer);
        alone.refuses("wsman:UnsupportedFeature", detail).names(detail);
    }
}
