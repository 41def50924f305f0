//! `wsman subscribe`, `renew` and `unsubscribe`, in each of its modes.

use xmltree::Element;

use crate::names::{CQL, EVENTS, PULL, PUSH, PUSH_WITH_ACK, WQL, WSA, eventing, transfer};
use crate::peer::{Answer, Peer, elements, namespace, selectors};
use crate::shared_host::SharedHost;
use crate::support::server::PATIENCE;
use crate::support::sink::{Event, Sink};
use crate::support::wsman::{ALL_CLASSES, CIM, child, descendants, property, text_of};
use crate::wsmancli::{MANNERS, envelope};

const CIMV2: (&str, &str) = ("__cimnamespace", "root/cimv2");

/// Credentials for the sink, as it sends them beside wsman:Auth.
const ISSUED_TOKENS: &str = "<n1:IssuedTokens xmlns:n1=\"http://schemas.xmlsoap.org/ws/2005/02/trust\" \
    xmlns:n2=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\" \
    xmlns:n3=\"http://schemas.xmlsoap.org/ws/2004/09/policy\" s:mustUnderstand=\"true\"><n1:RequestSecurityTokenResponse>\
    <n1:TokenType>http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#UsernameToken\
    </n1:TokenType><n1:RequestedSecurityToken><n2:UsernameToken><n2:Username>sinks-user</n2:Username>\
    <n2:Password>sinks-password</n2:Password></n2:UsernameToken></n1:RequestedSecurityToken><n3:AppliesTo>\
    <wsa:EndpointReference><wsa:Address>http://127.0.0.1:9/</wsa:Address></wsa:EndpointReference></n3:AppliesTo>\
    </n1:RequestSecurityTokenResponse></n1:IssuedTokens>";

fn subscribe(resource: &str, header: &str, keys: &[(&str, &str)], body: &str) -> String {
    envelope(&eventing("Subscribe"), resource, header, keys, &format!("<wse:Subscribe>{body}</wse:Subscribe>"))
}

fn delivery(mode: &str, sink: &str, further: &str) -> String {
    let notify_to = if sink.is_empty() {
        String::new()
    } else {
        format!("<wse:NotifyTo><wsa:Address>{sink}</wsa:Address>{further}</wse:NotifyTo>")
    };
    format!("<wse:Delivery Mode=\"{mode}\">{notify_to}</wse:Delivery>")
}

fn filter(dialect: &str, query: &str) -> String {
    format!("<wsman:Filter Dialect=\"{dialect}\">{query}</wsman:Filter>")
}

fn creations_of_jobs() -> String {
    filter(WQL, "select * from CIM_InstCreation where SourceInstance isa CIM_ConcreteJob")
}

/// What it keeps of the reply: the identifier, which it sends back as a header with the resource of its command line.
fn identifier(answer: &Answer) -> String {
    let manager = child(answer.content(), "SubscriptionManager").unwrap();
    let parts: Vec<(&str, &str)> = elements(manager).map(|e| (namespace(e), e.name.as_str())).collect();
    assert_eq!(parts, [(WSA, "Address"), (WSA, "ReferenceParameters")], "{}", answer.text);
    let parameters = child(manager, "ReferenceParameters").unwrap();
    let held: Vec<&str> = elements(parameters).map(|e| e.name.as_str()).collect();
    assert_eq!(held.iter().filter(|name| **name == "Identifier").count(), 1, "{held:?}");
    property(parameters, "Identifier").unwrap()
}

fn managed(operation: &str, resource: &str, identifier: &str, body: &str) -> String {
    let header = format!("<wse:Identifier>{identifier}</wse:Identifier>");
    envelope(&eventing(operation), resource, &header, &[], &format!("<wse:{operation}>{body}</wse:{operation}>"))
}

/// The event of a job's making that came to this path.
fn creation(events: &[Event], path: &str, job: &str) -> Option<Event> {
    events.iter().find(|e| e.path == path && e.source("InstanceID").as_deref() == Some(job)).cloned()
}

fn header_of(event: &Event) -> Element {
    let envelope = Element::parse(event.envelope.as_bytes()).unwrap();
    child(&envelope, "Header").unwrap().clone()
}

/// `-G push -r 300 --event-reference-properties=…`: what stands there comes back with every event.
#[test]
fn wsman_subscribes_renews_and_unsubscribes() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let sink = Sink::new();
    let reference =
        "<wsa:ReferenceProperties><n4:token xmlns:n4=\"urn:example:token\">seven</n4:token></wsa:ReferenceProperties>";
    let all_jobs = filter(CQL, "select * from CIM_InstCreation where SourceInstance isa CIM_ConcreteJob");
    let class = format!("{CIM}/CIM_InstCreation");
    let mut subscriptions = Vec::new();
    for (path, resource, filter, keys) in [
        ("/of-a-class", class.as_str(), creations_of_jobs(), &[CIMV2][..]),
        ("/of-all-classes", ALL_CLASSES, all_jobs, &[][..]),
        ("/of-every-creation", class.as_str(), String::new(), &[][..]),
    ] {
        let body =
            format!("{}<wse:Expires>PT300.000000S</wse:Expires>{filter}", delivery(PUSH, &sink.url(path), reference));
        let answer = peer.ask(&subscribe(resource, "", keys, &body));
        assert_eq!(answer.action(), eventing("SubscribeResponse"));
        assert_eq!(property(answer.content(), "Expires").as_deref(), Some("PT5M"), "{}", answer.text);
        assert!(child(answer.content(), "EnumerationContext").is_none(), "nothing is to be pulled");
        subscriptions.push((path, resource, identifier(&answer)));
    }
    let job = host.ended_job();
    for (path, ..) in &subscriptions {
        let event = sink.wait_for("a job's creation", PATIENCE, |events| creation(events, path, &job));
        let token = child(&header_of(&event), "token").cloned().unwrap();
        assert_eq!((namespace(&token), text_of(&token)), ("urn:example:token", "seven".to_owned()));
    }
    for (_, resource, id) in &subscriptions {
        let renewed = peer.ask(&managed("Renew", resource, id, "<wse:Expires>PT60.000000S</wse:Expires>"));
        assert_eq!(property(renewed.content(), "Expires").as_deref(), Some("PT1M"), "{}", renewed.text);
        let ended = peer.ask(&managed("Unsubscribe", resource, id, ""));
        assert!(ended.is_empty() && ended.action() == eventing("UnsubscribeResponse"), "{}", ended.text);
        let gone = peer.refused(&managed("Unsubscribe", resource, id, ""));
        assert_eq!(gone.subcode, "wsa:DestinationUnreachable");
        let gone = peer.refused(&managed("Renew", resource, id, "<wse:Expires>PT60.000000S</wse:Expires>"));
        assert_eq!(gone.subcode, "wse:UnableToRenew");
    }
}

/// `wsman subscribe …/CIM_IndicationFilter?…`: to a filter that is there, without one in the body.
#[test]
fn wsman_subscribes_to_a_filter_that_is_there() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let uri = format!("{CIM}/CIM_IndicationFilter");
    let name = host.new_name("wsmancli:subscribed");
    let body = format!(
        "<f:CIM_IndicationFilter xmlns:f=\"{uri}\"><f:Name>{name}</f:Name><f:Query>SELECT * FROM CIM_InstCreation \
         WHERE SourceInstance ISA CIM_ConcreteJob</f:Query><f:QueryLanguage>DMTF:CQL</f:QueryLanguage>\
         </f:CIM_IndicationFilter>"
    );
    let created = peer.ask(&envelope(&transfer("Create"), &uri, "", &[("__cimnamespace", "root/interop")], &body));
    let keys = selectors(child(created.content(), "ReferenceParameters").unwrap());
    let keys: Vec<(&str, &str)> = keys.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let sink = Sink::new();
    let pushed = delivery(PUSH, &sink.url("/named"), "");
    let answer = peer.ask(&subscribe(&uri, "", &keys, &pushed));
    let job = host.ended_job();
    sink.wait_for("a job's creation", PATIENCE, |events| creation(events, "/named", &job));
    let both = format!("{pushed}{}", creations_of_jobs());
    assert_eq!(peer.refused(&subscribe(&uri, "", &keys, &both)).subcode, "wsman:InvalidParameter");
    peer.ask(&managed("Unsubscribe", &uri, &identifier(&answer), ""));
    // `wsman subscribe …/CIM_IndicationFilter?Name=…`, as the manual has it.
    let answer = peer.ask(&subscribe(&uri, "", &[("Name", &name)], &pushed));
    peer.ask(&managed("Unsubscribe", &uri, &identifier(&answer), ""));
    let nameless = peer.refused(&subscribe(&uri, "", &[("SystemName", "x")], &pushed));
    assert_eq!(nameless.subcode, "wsman:InvalidSelectors");
}

/// `-G pushwithack`, `-G events`, `-G pull`: not served yet, and what is served is told.
#[test]
fn wsman_is_told_which_modes_there_are() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    for (mode, sink) in [(PUSH_WITH_ACK, "http://127.0.0.1:9/"), (EVENTS, "http://127.0.0.1:9/"), (PULL, "")] {
        let body =
            format!("{}<wse:Expires>PT300.000000S</wse:Expires>{}", delivery(mode, sink, ""), creations_of_jobs());
        let answer = peer.send(&subscribe(ALL_CLASSES, "", &[CIMV2], &body));
        assert_eq!(answer.verdict().unwrap().subcode, "wse:DeliveryModeRequestedUnavailable", "{mode}");
        let supported: Vec<String> =
            descendants(answer.content(), "SupportedDeliveryMode").into_iter().map(text_of).collect();
        assert_eq!(supported, [PUSH], "{mode}");
    }
}

/// `-H 60`, `-l`, `-s httpsbasic -n … -z …`: each is refused by its own name and not passed over. With `-s` and `-H` the
/// heartbeats stand inside wsman:Auth.
#[test]
fn wsman_is_told_what_a_subscription_cannot_have() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let notify_to = "<wse:NotifyTo><wsa:Address>http://127.0.0.1:9/</wsa:Address></wse:NotifyTo>";
    let heartbeats = "<wsman:Heartbeats>PT60.000000S</wsman:Heartbeats>";
    let auth = |inside: &str| {
        let profile = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/basic";
        format!("<wsman:Auth Profile=\"{profile}\">{inside}</wsman:Auth>")
    };
    let pushed = |inside: &str| format!("<wse:Delivery Mode=\"{PUSH}\">{notify_to}{inside}</wse:Delivery>");
    for (header, delivery, behind, verdict) in [
        ("", pushed(heartbeats), "", "wsman:UnsupportedFeature [Heartbeats]"),
        (ISSUED_TOKENS, pushed(&auth(heartbeats)), "", "wsman:UnsupportedFeature [Heartbeats]"),
        (ISSUED_TOKENS, pushed(&auth("")), "", "wsman:UnsupportedFeature"),
        ("", pushed(""), "<wsman:SendBookmarks/>", "wsman:UnsupportedFeature [Bookmarks]"),
    ] {
        let body = format!("{delivery}<wse:Expires>PT300.000000S</wse:Expires>{}{behind}", creations_of_jobs());
        let refused = peer.refused(&subscribe(ALL_CLASSES, header, &[CIMV2], &body));
        assert_eq!(refused.short(), verdict, "{header}{delivery}{behind}: {}", refused.reason);
    }
}
