//! Clause 10: subscribing (10.1 to 10.2.4).

use crate::answer::{child, is, text};
use crate::peer::Peer;
use crate::rule::rules;
use crate::service::Own;
use crate::subscription::{CQL, NEW_JOBS, Subscribe, Subscription, filter};
use crate::support::wsman::{ANONYMOUS, CIM, Message};

rules! {
    r10_1_1 "events are subscribed to by WS-Eventing": holds_here(events_come_to_who_subscribed);
    r10_1_2 "Subscribe, Renew and Unsubscribe are supported": holds_here(a_subscription_is_made_renewed_and_ended);
    r10_2_1_1 "the EPR says what the events are about": holds_here(the_resource_is_the_source_of_events);
    r10_2_1_2 "EndTo may have to be NotifyTo": holds_here(end_to_is_refused);
    r10_2_1_3 "deliveries may be insecure, or wsman:UnsupportedFeature": holds_here(events_come_to_who_subscribed);
    r10_2_1_4 "an unusable NotifyTo is wsman:EventDeliverToUnusable": holds_here(sinks_that_cannot_be_are_refused);
    r10_2_1_5 "reference parameters of NotifyTo are headers of each delivery":
        holds_here(reference_parameters_come_with_each_event);
    r10_2_1_6 "the language of events is a hint": holds_here(hints_are_taken);
    r10_2_1_7 "the encoding of events is a hint that should be followed":
        deviates("the hint is taken, and events are sent in UTF-8 all the same", hints_are_taken);
    r10_2_2_1 "who takes wse:Filter takes wsman:Filter": holds_here(both_filter_elements_are_taken);
    r10_2_2_2 "who takes wsman:Filter takes wse:Filter": holds_here(both_filter_elements_are_taken);
    r10_2_2_3 "two filters are wse:InvalidMessage": holds_here(two_filters_are_refused);
    r10_2_2_4 "XPath over events has a dialect of its own": not_applicable("events are not filtered by XPath");
    r10_2_2_5 "a filter holds text or one element": holds_here(mixed_filters_are_refused);
    r10_2_2_6 "a filter beyond the service is wsman:CannotProcessFilter with a text": holds_here(wrong_filters_are_explained);
    r10_2_2_7 "parameters of a filter are part of its dialect": not_applicable("no dialect that is served has parameters");
    r10_2_2_8 "parts of events come in XmlFragment":
        not_applicable("events come whole: a filter that picks properties is refused (R10.2.2-6)");
    r10_2_2_9 "what a source needs to begin is part of the filter": not_applicable("no source of events needs any");
    r10_2_3_1 "ConnectionRetry is taken, or wsman:UnsupportedFeature": holds_here(connection_retry_is_refused);
    r10_2_3_2 "a subscription whose retries are used up expires": not_applicable("ConnectionRetry is refused (R10.2.3-1)");
    r10_2_4_1 "the subscription's manager should be where Subscribe went": holds_here(the_manager_is_the_service);
    r10_2_4_2 "without Expires a subscription lasts": holds_here(a_subscription_may_last_for_ever);
}

fn events_come_to_who_subscribed(_: &mut Peer, own: &Own) {
    let event = &own.deliveries().plain[0];
    let body = child(event, "s:Body").unwrap();
    let indication = body.children.iter().find_map(|node| node.as_element()).unwrap();
    assert_eq!(indication.name, "LMI_SoftwareInstCreation");
}

fn a_subscription_is_made_renewed_and_ended(peer: &mut Peer, _: &Own) {
    let answer = Subscribe::nowhere().send(peer);
    assert!(is(&answer.succeeds(), "wse:SubscribeResponse"));
    let subscription = Subscription::of(&answer);
    for (operation, content, response) in
        [("Renew", "<e:Expires>PT2H</e:Expires>", Some("wse:RenewResponse")), ("Unsubscribe", "", None)]
    {
        let request = subscription.request(peer, operation, content);
        let answer = peer.send(&request);
        let body = answer.succeeds();
        assert!(response.is_none_or(|name| is(&body, name)), "{answer:?}");
        assert_eq!(answer.header_text("wsa:Action"), format!("{}Response", request.action));
    }
}

fn the_resource_is_the_source_of_events(peer: &mut Peer, _: &Own) {
    let about = |class: &str, subscribe: Subscribe| Message {
        resource_uri: format!("{CIM}/{class}"),
        ..subscribe.message(&Peer::new())
    };
    let all_of_a_class = Subscribe::with_options("<e:Expires>PT1H</e:Expires>");
    peer.send(&about("CIM_InstCreation", all_of_a_class.clone())).succeeds();
    let other = about("CIM_InstDeletion", Subscribe::nowhere());
    peer.send(&other).refuses("wse:EventSourceUnableToProcess", "").names("CIM_InstDeletion");
    let silent = about("CIM_ComputerSystem", all_of_a_class);
    peer.send(&silent).refuses("wse:EventSourceUnableToProcess", "").names("CIM_ComputerSystem");
}

fn end_to_is_refused(peer: &mut Peer, _: &Own) {
    let before = format!("<e:EndTo><a:Address>{ANONYMOUS}</a:Address></e:EndTo>");
    let subscribe = Subscribe { before, ..Subscribe::nowhere() };
    subscribe.send(peer).refuses("wsman:UnsupportedFeature", "AddressingMode").names("EndTo");
}

fn sinks_that_cannot_be_are_refused(peer: &mut Peer, _: &Own) {
    for sink in ["file:///etc/passwd", "http://169.254.169.254/", "nowhere at all", ANONYMOUS] {
        Subscribe::to(sink).send(peer).refuses("wsman:EventDeliverToUnusable", "").names("NotifyTo");
    }
}

fn reference_parameters_come_with_each_event(_: &mut Peer, own: &Own) {
    for event in &own.deliveries().parameters {
        let header = child(event, "s:Header").unwrap();
        assert_eq!(child(header, "x:Mark").map(text).as_deref(), Some("one"));
    }
}

fn hints_are_taken(_: &mut Peer, own: &Own) {
    let hinted = &own.deliveries().hints[0];
    // What is not UTF-8 would not have been read as one.
    assert_eq!(hinted.name, "Envelope");
    assert_eq!(hinted.attributes["lang"], "en-US");
}

fn both_filter_elements_are_taken(_: &mut Peer, own: &Own) {
    assert!(!own.deliveries().older_filter.is_empty() && !own.deliveries().plain.is_empty());
}

fn two_filters_are_refused(peer: &mut Peer, _: &Own) {
    let both = [filter("e:Filter", CQL, NEW_JOBS), filter("w:Filter", CQL, NEW_JOBS)].concat();
    Subscribe::with_options(&both).send(peer).refuses("wse:InvalidMessage", "");
}

fn mixed_filters_are_refused(peer: &mut Peer, _: &Own) {
    for content in [format!("{NEW_JOBS}<w:SelectorSet/>"), "<w:SelectorSet/><w:SelectorSet/>".to_owned()] {
        let subscribe = Subscribe::with_options(&filter("w:Filter", CQL, &content));
        subscribe.send(peer).refuses("wse:EventSourceUnableToProcess", "");
    }
}

fn wrong_filters_are_explained(peer: &mut Peer, _: &Own) {
    for (query, word) in [
        ("SELECT * FROM", "class"),
        ("SELECT * FROM CIM_Unicorn", "CIM_Unicorn"),
        ("SELECT SourceInstance FROM CIM_InstCreation", "SELECT *"),
    ] {
        let subscribe = Subscribe::with_options(&filter("w:Filter", CQL, query));
        subscribe.send(peer).refuses("wsman:CannotProcessFilter", "").names(word);
    }
}

fn connection_retry_is_refused(peer: &mut Peer, _: &Own) {
    let retry = "<w:ConnectionRetry Total=\"3\">PT10S</w:ConnectionRetry>";
    let answer = Subscribe::with_delivery(retry).send(peer);
    answer.refuses("wsman:UnsupportedFeature", "DeliveryRetries").names("ConnectionRetry");
}

fn the_manager_is_the_service(peer: &mut Peer, _: &Own) {
    let subscribe = Subscribe::nowhere().message(peer);
    let subscription = Subscription::of(&peer.send(&subscribe));
    assert_eq!(text(child(&subscription.manager, "wsa:Address").unwrap()), subscribe.to);
}

fn a_subscription_may_last_for_ever(peer: &mut Peer, _: &Own) {
    let lasting = Subscribe::with_options(&filter("w:Filter", CQL, NEW_JOBS)).send(peer);
    assert_eq!(Subscription::of(&lasting).expires, None);
    let ending = Subscribe::nowhere().send(peer);
    assert_eq!(Subscription::of(&ending).expires.as_deref(), Some("PT1H"));
}
