//! Clause 10: how events are delivered (10.2.5 to 10.2.9).

use crate::peer::Peer;
use crate::rule::rules;
use crate::service::Own;
use crate::subscription::{EVENTING, Subscribe};

rules! {
    r10_2_5_1 "heartbeats are supported, or wsman:UnsupportedFeature": holds_here(heartbeats_are_refused);
    r10_2_5_2 "within each interval comes an event or a heartbeat": not_applicable("heartbeats are refused (R10.2.5-1)");
    r10_2_5_3 "heartbeats may come earlier, and never among events": not_applicable("heartbeats are refused (R10.2.5-1)");
    r10_2_5_4 "heartbeats come in sequence": not_applicable("heartbeats are refused (R10.2.5-1)");
    r10_2_6_1 "bookmarks are supported, or wsman:UnsupportedFeature": holds_here(bookmarks_are_refused);
    r10_2_6_2 "a bookmark holds text or one element": not_applicable("bookmarks are refused (R10.2.6-1)");
    r10_2_6_3 "each delivery carries a bookmark": not_applicable("bookmarks are refused (R10.2.6-1)");
    r10_2_6_4 "delivery resumes behind the bookmark": not_applicable("bookmarks are refused (R10.2.6-1)");
    r10_2_6_5 "the latest bookmark is good, others may be": not_applicable("bookmarks are refused (R10.2.6-1)");
    r10_2_6_6 "a bookmark that is no good is wsman:InvalidBookmark": not_applicable("bookmarks are refused (R10.2.6-1)");
    r10_2_6_7 "there may be a bookmark for everything": not_applicable("bookmarks are refused (R10.2.6-1)");
    r10_2_7_1 "one of the delivery modes is supported": holds_here(events_can_be_pushed);
    r10_2_7_2 "a subscription has one delivery mode": holds_here(a_delivery_has_one_mode);
    r10_2_9_2_1 "Push may be supported": holds_here(events_can_be_pushed);
    r10_2_9_2_2 "Push may have a MaxEnvelopeSize and a policy": holds_here(limits_of_deliveries_are_refused);
    r10_2_9_2_3 "no event is larger than MaxEnvelopeSize":
        not_applicable("MaxEnvelopeSize of a delivery is refused (R10.2.9.2-2)");
    r10_2_9_3_1 "PushWithAck is supported, or wse:DeliveryModeRequestedUnavailable": holds_here(other_modes_are_refused);
    r10_2_9_4_1 "Events is supported, or wse:DeliveryModeRequestedUnavailable": holds_here(other_modes_are_refused);
    r10_2_9_4_2 "limits of a batch are supported, or wsman:UnsupportedFeature": holds_here(limits_of_deliveries_are_refused);
    r10_2_9_4_3 "no batch is larger than MaxEnvelopeSize": not_applicable("batches are refused (R10.2.9.4-1)");
    r10_2_9_4_4 "batches are acknowledged": not_applicable("batches are refused (R10.2.9.4-1)");
    r10_2_9_5_1 "Pull is supported, or wse:DeliveryModeRequestedUnavailable": holds_here(other_modes_are_refused);
    r10_2_9_5_2 "what does not go with Pull is wsman:UnsupportedFeature":
        not_applicable("pulling events is refused (R10.2.9.5-1)");
    r10_2_9_5_3 "a pulled subscription has a context": not_applicable("pulling events is refused (R10.2.9.5-1)");
    r10_2_9_5_4 "events are pulled from the manager": not_applicable("pulling events is refused (R10.2.9.5-1)");
    r10_2_9_5_5 "a Pull without events is wsman:TimedOut": not_applicable("pulling events is refused (R10.2.9.5-1)");
    r10_2_9_5_6 "a Pull may give another context": not_applicable("pulling events is refused (R10.2.9.5-1)");
    r10_2_9_5_7 "events never end": not_applicable("pulling events is refused (R10.2.9.5-1)");
    r10_2_9_5_8 "MaxEnvelopeSize of a Pull limits its events": not_applicable("pulling events is refused (R10.2.9.5-1)");
}

fn heartbeats_are_refused(peer: &mut Peer, _: &Own) {
    let answer = Subscribe::with_delivery("<w:Heartbeats>PT60S</w:Heartbeats>").send(peer);
    answer.refuses("wsman:UnsupportedFeature", "Heartbeats").names("Heartbeats");
}

fn bookmarks_are_refused(peer: &mut Peer, _: &Own) {
    let earliest = "<w:Bookmark>http://schemas.dmtf.org/wbem/wsman/1/wsman/bookmark/earliest</w:Bookmark>";
    for option in ["<w:SendBookmarks/>", earliest] {
        let options = format!("{}{option}", Subscribe::nowhere().options);
        let answer = Subscribe::with_options(&options).send(peer);
        answer.refuses("wsman:UnsupportedFeature", "Bookmarks").names("bookmarks");
    }
}

fn events_can_be_pushed(peer: &mut Peer, own: &Own) {
    Subscribe::in_mode(&format!("{EVENTING}/DeliveryModes/Push")).send(peer).succeeds();
    let event = &own.deliveries().plain[0];
    assert_eq!(event.name, "Envelope");
}

fn a_delivery_has_one_mode(peer: &mut Peer, _: &Own) {
    let push = format!("{EVENTING}/DeliveryModes/Push");
    let both = format!("{push} http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck");
    Subscribe::in_mode(&both).send(peer).refuses("wse:DeliveryModeRequestedUnavailable", "");
}

fn limits_of_deliveries_are_refused(peer: &mut Peer, _: &Own) {
    for (limit, detail) in [
        ("<w:MaxElements>10</w:MaxElements>", "MaxElements"),
        ("<w:MaxTime>PT10S</w:MaxTime>", "MaxTime"),
        ("<w:MaxEnvelopeSize Policy=\"Skip\">10000</w:MaxEnvelopeSize>", "MaxEnvelopeSize"),
        ("<w:MaxEnvelopeSize Policy=\"Shrink\">10000</w:MaxEnvelopeSize>", "MaxEnvelopePolicy"),
    ] {
        Subscribe::with_delivery(limit).send(peer).refuses("wsman:UnsupportedFeature", detail).names(&limit[3..10]);
    }
}

fn other_modes_are_refused(peer: &mut Peer, _: &Own) {
    for mode in ["PushWithAck", "Events", "Pull"] {
        let answer = Subscribe::in_mode(&format!("http://schemas.dmtf.org/wbem/wsman/1/wsman/{mode}")).send(peer);
        let fault = answer.refuses("wse:DeliveryModeRequestedUnavailable", "");
        let served = fault.names(mode).element("wse:SupportedDeliveryMode");
        assert_eq!(crate::answer::text(served), format!("{EVENTING}/DeliveryModes/Push"));
    }
}
