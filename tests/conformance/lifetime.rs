//! Clause 10: how subscriptions go on and end (10.3 to 10.9).

use crate::answer::{child, is, text};
use crate::peer::Peer;
use crate::rule::rules;
use crate::service::Own;
use crate::subscription::{Subscribe, Subscription};
use crate::support::eventually;
use crate::support::server::PATIENCE;

rules! {
    r10_3_1 "GetStatus may be supported": holds_here(the_status_is_told);
    r10_4_1 "Unsubscribe ends the deliveries": holds_here(nothing_is_delivered_after_unsubscribe);
    r10_4_2 "the service may cancel a subscription": holds_here(a_sink_that_refuses_ends_its_subscription);
    r10_5_1 "Renew is taken": holds_here(a_subscription_is_renewed);
    r10_6_1 "SubscriptionEnd may be sent": not_applicable("SubscriptionEnd is not sent, and EndTo is refused (R10.2.1-2)");
    r10_6_2 "SubscriptionEnd is not sent to who pulls": not_applicable("SubscriptionEnd is not sent");
    r10_6_3 "SubscriptionEnd carries the parameters of EndTo": not_applicable("SubscriptionEnd is not sent");
    r10_6_4 "SubscriptionEnd goes before UnsubscribeResponse": not_applicable("SubscriptionEnd is not sent");
    r10_7_1 "the next event waits for the acknowledgement":
        not_applicable("the modes with acknowledgement are refused (R10.2.9.3-1)");
    r10_7_2 "an event to be acknowledged says so":
        not_applicable("the modes with acknowledgement are refused (R10.2.9.3-1)");
    r10_7_3 "a subscription may end for want of an acknowledgement":
        not_applicable("the modes with acknowledgement are refused (R10.2.9.3-1)");
    r10_8_1 "wsman:DeliveryRefused ends a subscription at once": holds_here(a_sink_that_refuses_ends_its_subscription);
    r10_9_1 "dropped events are told":
        not_applicable("no event is dropped: only one of more than 512,000 octets would be, and none is nearly so large");
    r10_9_2 "DroppedEvents stands where the event would have": not_applicable("DroppedEvents is not sent");
    r10_9_3 "who cannot tell of dropped events ends the subscription":
        not_applicable("no event is dropped (R10.9-1); a subscription that falls more than 100,000 events behind ends");
}

fn the_status_is_told(peer: &mut Peer, _: &Own) {
    let subscription = Subscription::of(&Subscribe::nowhere().send(peer));
    let status = subscription.send(peer, "GetStatus", "").succeeds();
    assert!(is(&status, "wse:GetStatusResponse"), "{status:?}");
    assert!(child(&status, "wse:Expires").is_some_and(|expires| text(expires).starts_with("PT")), "{status:?}");
}

fn nothing_is_delivered_after_unsubscribe(peer: &mut Peer, own: &Own) {
    assert!(own.deliveries().ended.is_empty(), "{:?}", own.deliveries().ended);
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
    let deliveries = own.deliveries();
    eventually("the subscription to end", PATIENCE, || {
        let answer = deliveries.refusing.send(peer, "GetStatus", "");
        (answer.status != 200).then(|| answer.refuses("wsa:DestinationUnreachable", ""))
    });
    assert_eq!(deliveries.refused.len(), 1, "a refused event is not sent again");
}
