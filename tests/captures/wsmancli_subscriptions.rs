//! `wsman subscribe`, `renew` and `unsubscribe`, in each of its modes.

use crate::names::{CQL, EVENTS, PULL, PUSH, PUSH_WITH_ACK, WQL, WSA, enumeration, eventing, transfer};
use crate::peer::{Answer, Peer, elements, namespace, selectors};
use crate::shared_host::SharedHost;
use crate::support::server::PATIENCE;
use crate::support::sink::{Event, Sink, acknowledged};
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
    <wsa:EndpointReference><wsa:Address>https://127.0.0.1:9/</wsa:Address></wsa:EndpointReference></n3:AppliesTo>\
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
        let token = event.header("token").unwrap();
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

/// `-G pushwithack -H 60 -l` and `-G events -H 60 -l`: each message asks for an acknowledgement and has a bookmark, with
/// which it may go on.
#[test]
fn wsman_subscribes_with_acknowledgement() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let sink = Sink::answering(acknowledged);
    let class = format!("{CIM}/CIM_InstCreation");
    let mut identifiers = Vec::new();
    for (path, mode) in [("/single", PUSH_WITH_ACK), ("/batch", EVENTS)] {
        let url = sink.url(path);
        let body = format!(
            "<wse:Delivery Mode=\"{mode}\"><wse:NotifyTo><wsa:Address>{url}</wsa:Address></wse:NotifyTo>\
             <wsman:Heartbeats>PT60.000000S</wsman:Heartbeats></wse:Delivery><wse:Expires>PT300.000000S</wse:Expires>{}\
             <wsman:SendBookmarks/>",
            creations_of_jobs()
        );
        identifiers.push(identifier(&peer.ask(&subscribe(&class, "", &[CIMV2], &body))));
    }
    let job = host.ended_job();
    let tells = |event: &Event, path: &str| {
        let jobs: Vec<String> = descendants(&event.element(), "InstanceID").into_iter().map(text_of).collect();
        event.path == path && jobs.contains(&job)
    };
    for (path, action, holder) in [("/single", "Event", "LMI_SoftwareInstCreation"), ("/batch", "Events", "Events")] {
        let message = sink
            .wait_for("a job's creation", PATIENCE, |events| events.iter().find(|event| tells(event, path)).cloned());
        assert_eq!(message.header_text("Action"), format!("http://schemas.dmtf.org/wbem/wsman/1/wsman/{action}"));
        assert_eq!(message.indication().name, holder);
        assert!(message.header("AckRequested").is_some() && !message.header_text("Bookmark").is_empty());
    }
    for id in identifiers {
        peer.ask(&managed("Unsubscribe", &class, &id, ""));
    }
}

/// `-G pull`, then `wsman pull … -U CONTEXT`: the context is a direct child of the reply.
#[test]
fn wsman_fetches_events() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let class = format!("{CIM}/CIM_InstCreation");
    let body = format!("{}<wse:Expires>PT300.000000S</wse:Expires>{}", delivery(PULL, "", ""), creations_of_jobs());
    let answer = peer.ask(&subscribe(&class, "", &[CIMV2], &body));
    let mut context = property(answer.content(), "EnumerationContext").unwrap();
    let job = host.ended_job();
    let mut found = false;
    while !found {
        let body = format!("<wsen:Pull><wsen:EnumerationContext>{context}</wsen:EnumerationContext></wsen:Pull>");
        let answer = peer.ask(&envelope(&enumeration("Pull"), &class, "", &[CIMV2], &body));
        let page = answer.page();
        // It asks for no number and gets one at a time, as long as there is one.
        let [event] = page.items.as_slice() else { panic!("{}", answer.text) };
        let source = child(event, "SourceInstance").unwrap();
        found = property(source, "InstanceID").as_deref() == Some(&job);
        context = page.context.expect("events have no end");
    }
    peer.ask(&managed("Unsubscribe", &class, &identifier(&answer), ""));
}

/// `-s httpsbasic -n … -z … -Z https://…`: with `-H` the heartbeats stand inside wsman:Auth.
#[test]
fn wsman_has_deliveries_authenticate() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let heartbeats = "<wsman:Heartbeats>PT60.000000S</wsman:Heartbeats>";
    let message = |sink: &str, header: &str, inside: &str| {
        let profile = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/basic";
        let body = format!(
            "<wse:Delivery Mode=\"{PUSH}\"><wse:NotifyTo><wsa:Address>{sink}</wsa:Address></wse:NotifyTo>\
             <wsman:Auth Profile=\"{profile}\">{inside}</wsman:Auth></wse:Delivery>\
             <wse:Expires>PT300.000000S</wse:Expires>{}",
            creations_of_jobs()
        );
        subscribe(ALL_CLASSES, header, &[CIMV2], &body)
    };
    for inside in [heartbeats, ""] {
        let answer = peer.ask(&message("https://127.0.0.1:9/", ISSUED_TOKENS, inside));
        peer.ask(&managed("Unsubscribe", ALL_CLASSES, &identifier(&answer), ""));
    }
    let often =
        peer.refused(&message("https://127.0.0.1:9/", ISSUED_TOKENS, &heartbeats.replace("60.000000", "0.500000")));
    assert_eq!(often.short(), "wsman:UnsupportedFeature [Heartbeats]");
    // A password goes over no connection that is not encrypted, and there must be one.
    let open = ISSUED_TOKENS.replace("https://127.0.0.1:9/", "http://127.0.0.1:9/");
    for refused in [message("http://127.0.0.1:9/", &open, ""), message("https://127.0.0.1:9/", "", "")] {
        assert_eq!(peer.refused(&refused).subcode, "wsman:EventDeliverToUnusable");
    }
}
