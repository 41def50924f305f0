//! Faults for subscriptions.

use crate::answer::Answer;
use crate::bookmarks::bookmark;
use crate::peer::Peer;
use crate::service::Own;
use crate::subscription::{CQL, EVENTING, Subscribe, filter};
use crate::support::wsman::{ALL_CLASSES, Message};

pub(crate) fn events_of_an_unknown_class(peer: &mut Peer, _: &Own) -> Answer {
    Subscribe::with_options(&filter("w:Filter", CQL, "SELECT * FROM CIM_Unicorn")).send(peer)
}

pub(crate) fn an_unknown_delivery_mode(peer: &mut Peer, _: &Own) -> Answer {
    Subscribe::in_mode("urn:example:pigeon").send(peer)
}

pub(crate) fn a_sink_that_is_a_file(peer: &mut Peer, _: &Own) -> Answer {
    Subscribe::to("file:///etc/passwd").send(peer)
}

pub(crate) fn events_of_a_class_that_is_no_indication(peer: &mut Peer, _: &Own) -> Answer {
    Subscribe::with_options(&filter("w:Filter", CQL, "SELECT * FROM CIM_ComputerSystem")).send(peer)
}

pub(crate) fn an_unknown_dialect_for_events(peer: &mut Peer, _: &Own) -> Answer {
    Subscribe::with_options(&filter("w:Filter", "urn:example:poetry", "roses")).send(peer)
}

pub(crate) fn a_subscription_that_has_ended(peer: &mut Peer, _: &Own) -> Answer {
    let options = Subscribe::nowhere().options.replace("PT1H", "2001-01-01T00:00:00Z");
    Subscribe::with_options(&options).send(peer)
}

pub(crate) fn a_subscription_without_delivery(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.request(&format!("{EVENTING}/Subscribe"), "<e:Subscribe/>"))
}

pub(crate) fn renew_of_no_subscription(peer: &mut Peer, _: &Own) -> Answer {
    let renew =
        Message { resource_uri: ALL_CLASSES.to_owned(), ..peer.request(&format!("{EVENTING}/Renew"), "<e:Renew/>") };
    peer.send(&renew.header("<e:Identifier>00000000-0000-0000-0000-000000000000</e:Identifier>"))
}

pub(crate) fn a_bookmark_of_another_service(peer: &mut Peer, _: &Own) -> Answer {
    Subscribe::nowhere().and(&bookmark("here")).send(peer)
}

pub(crate) fn retries_without_a_number(peer: &mut Peer, _: &Own) -> Answer {
    Subscribe::with_delivery("<w:ConnectionRetry>PT10S</w:ConnectionRetry>").send(peer)
}

pub(crate) fn heartbeats_too_often(peer: &mut Peer, _: &Own) -> Answer {
    Subscribe::with_delivery("<w:Heartbeats>PT0.1S</w:Heartbeats>").send(peer)
}

pub(crate) fn a_subscription_with_max_elements(peer: &mut Peer, _: &Own) -> Answer {
    Subscribe::with_delivery("<w:MaxElements>10</w:MaxElements>").send(peer)
}

pub(crate) fn an_unknown_policy(peer: &mut Peer, _: &Own) -> Answer {
    Subscribe::with_delivery("<w:MaxEnvelopeSize Policy=\"Shrink\">10000</w:MaxEnvelopeSize>").send(peer)
}

pub(crate) fn a_pull_subscription_with_limits(peer: &mut Peer, _: &Own) -> Answer {
    let delivery = "<w:MaxEnvelopeSize>10000</w:MaxEnvelopeSize>".to_owned();
    Subscribe { delivery, ..Subscribe::pulled() }.send(peer)
}

pub(crate) fn a_subscription_with_max_time(peer: &mut Peer, _: &Own) -> Answer {
    Subscribe::with_delivery("<w:MaxTime>PT10S</w:MaxTime>").send(peer)
}
