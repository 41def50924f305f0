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
    r10_2_1_2 "EndTo may have to be NotifyTo": holds_here(the_end_may_be_told_elsewhere);
    r10_2_1_3 "deliveries may be insecure, or wsman:UnsupportedFeature": holds_here(events_come_to_who_subscribed);
    r10_2_1_4 "an unusable NotifyTo is wsman:EventDeliverToUnusable": holds_here(sinks_that_cannot_be_are_refused);
    r10_2_1_5 "reference parameters of NotifyTo are headers of each delivery":
        holds_here(reference_parameters_come_with_each_event);
    r10_2_1_6 "the language of events is a hint": holds_here(hints_are_taken);
    r10_2_1_7 "the encoding of events is a hint that should be followed": holds_here(hints_are_taken);
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
    r10_2_3_1 "ConnectionRetry is taken, or wsman:UnsupportedFeature": holds_here(a_sink_is_tried_again_as_often_as_asked_for);
    r10_2_3_2 "a subscription whose retries are used up expires":
        holds_here(a_subscription_ends_with_its_retries);
    r10_2_4_1 "the subscription's manager should be where Subscribe went": holds_here(the_manager_is_the_service);
    r10_2_4_2 "without Expires a subscription lasts": holds_here(a_subscription_may_last_for_ever);
}

fn events_come_to_who_subscribed(_: &mut Peer, own: &Own) {
    assert_eq!(own.deliveries().at("/plain")[0].indication().name, "LMI_SoftwareInstCreation");
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

fn the_end_may_be_told_elsewhere(peer: &mut Peer, own: &Own) {
    assert!(!own.deliveries().at("/failing/end").is_empty());
    for address in ["file:///etc/passwd", "http://169.254.169.254/", ANONYMOUS] {
        let subscribe = Subscribe::nowhere().ending_at(&format!("<a:Address>{address}</a:Address>"));
        subscribe.send(peer).refuses("wsman:EventDeliverToUnusable", "").names("EndTo");
    }
}

fn sinks_that_cannot_be_are_refused(peer: &mut Peer, _: &Own) {
    for sink in ["file:///etc/passwd", "http://169.254.169.254/", "nowhere at all", ANONYMOUS] {
        Subscribe::to(sink).send(peer).refuses("wsman:EventDeliverToUnusable", "").names("NotifyTo");
    }
}

fn reference_parameters_come_with_each_event(_: &mut Peer, own: &Own) {
    for (path, mark) in [("/parameters", "one"), ("/acknowledged", "two")] {
        for event in own.deliveries().envelopes(path) {
            let header = child(&event, "s:Header").unwrap();
            assert_eq!(child(header, "x:Mark").map(text).as_deref(), Some(mark));
        }
    }
}

fn hints_are_taken(_: &mut Peer, own: &Own) {
    let hinted = own.deliveries().at("/hints")[0];
    assert_eq!(hinted.content_type, "application/soap+xml;charset=UTF-16");
    assert_eq!(hinted.octets[..4], [0xff, 0xfe, b'<', 0], "UTF-16 with a byte order mark");
    assert_eq!(hinted.header("Locale").unwrap().attributes["lang"], "de");
    // Which language the texts are in is told as it is.
    assert_eq!(hinted.element().attributes["lang"], "en-US");
}

fn both_filter_elements_are_taken(_: &mut Peer, own: &Own) {
    assert!(!own.deliveries().at("/older_filter").is_empty() && !own.deliveries().at("/plain").is_empty());
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

fn a_sink_is_tried_again_as_often_as_asked_for(peer: &mut Peer, own: &Own) {
    let attempts = own.deliveries().at("/failing");
    assert_eq!(attempts.len(), 2, "one attempt, and one more");
    assert_eq!(attempts[0].envelope, attempts[1].envelope);
    for retry in
        ["<w:ConnectionRetry Total=\"0\">PT10S</w:ConnectionRetry>", "<w:ConnectionRetry>PT10S</w:ConnectionRetry>"]
    {
        let answer = Subscribe::with_delivery(retry).send(peer);
        answer.refuses("wsman:UnsupportedFeature", "DeliveryRetries").names("Total");
    }
}

fn a_subscription_ends_with_its_retries(peer: &mut Peer, own: &Own) {
    let ended = own.deliveries().subscription("/failing").send(peer, "GetStatus", "");
    ended.refuses("wsa:DestinationUnreachable", "");
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
