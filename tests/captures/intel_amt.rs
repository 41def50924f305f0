//! Clients that were made for Intel's AMT: go-wsman-messages and MeshCommander. Their MessageIDs are numbers, and SOAP is
//! their default namespace.

use crate::names::{PUSH, SOAP, WSA, WSE, WSEN, WSMAN, enumeration, eventing, transfer};
use crate::peer::{Manners, Peer};
use crate::shared_host::{ALPHA, SharedHost};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, CIM, child, property};

const MANNERS: Manners = Manners::new(&[("Content-Type", "application/soap+xml; charset=utf-8")]);

fn envelope(id: usize, action: &str, resource: &str, header: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Envelope xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:a=\"{WSA}\" xmlns:w=\"{WSMAN}\" xmlns=\"{SOAP}\" \
         xmlns:e=\"{WSE}\" xmlns:m=\"http://example.org/amt\"><Header><a:Action>{action}</a:Action><a:To>/wsman</a:To>\
         <w:ResourceURI>{resource}</w:ResourceURI><a:MessageID>{id}</a:MessageID>\
         <a:ReplyTo><a:Address>{ANONYMOUS}</a:Address></a:ReplyTo><w:OperationTimeout>PT60S</w:OperationTimeout>{header}\
         </Header><Body>{body}</Body></Envelope>"
    )
}

fn software() -> String {
    format!("{CIM}/CIM_SoftwareIdentity")
}

/// Enumerate without anything, then Pull with the two bounds that the program has.
#[test]
fn an_enumeration_is_numbered_from_nought() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let begun =
        peer.ask(&envelope(0, &enumeration("Enumerate"), &software(), "", &format!("<Enumerate xmlns=\"{WSEN}\" />")));
    let mut context = begun.page_or_context();
    let mut count = 0;
    let mut id = 1;
    while let Some(known) = context {
        let body = format!(
            "<Pull xmlns=\"{WSEN}\"><EnumerationContext>{known}</EnumerationContext><MaxElements>999</MaxElements>\
             <MaxCharacters>99999</MaxCharacters></Pull>"
        );
        let answer = peer.ask(&envelope(id, &enumeration("Pull"), &software(), "", &body));
        let page = answer.page();
        count += page.items.len();
        context = page.context;
        id += 1;
    }
    assert!(count >= 152 && id > 2, "{count} in {id}");
}

/// MeshCommander pulls without bounds: one at a time.
#[test]
fn a_pull_without_bounds_gets_one_item() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let system = format!("{CIM}/CIM_RegisteredProfile");
    let interop = "<w:SelectorSet><w:Selector Name=\"__cimnamespace\">root/interop</w:Selector></w:SelectorSet>";
    let body = format!("<Enumerate xmlns=\"{WSEN}\" />");
    let begun = peer.ask(&envelope(7, &enumeration("Enumerate"), &system, interop, &body));
    let context = begun.page_or_context().unwrap();
    let body = format!("<Pull xmlns=\"{WSEN}\"><EnumerationContext>{context}</EnumerationContext></Pull>");
    let answer = peer.ask(&envelope(8, &enumeration("Pull"), &system, "", &body));
    assert_eq!(answer.page().items.len(), 1);
}

#[test]
fn an_instance_is_got_and_a_method_called() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let of = |key: &str| format!("<w:SelectorSet><w:Selector Name=\"InstanceID\">{key}</w:Selector></w:SelectorSet>");
    let got = peer.ask(&envelope(3, &transfer("Get"), &software(), &of(ALPHA), ""));
    assert_eq!(property(got.content(), "InstanceID").as_deref(), Some(ALPHA));
    let class = format!("{CIM}/CIM_ConcreteJob");
    let body = format!(
        "<r:RequestStateChange_INPUT xmlns:r=\"{class}\"><r:RequestedState>4</r:RequestedState></r:RequestStateChange_INPUT>"
    );
    let action = format!("{class}/RequestStateChange");
    let answer = peer.ask(&envelope(4, &action, &class, &of(&host.ended_job()), &body));
    assert_eq!(answer.content().name, "RequestStateChange_OUTPUT");
    assert_eq!(property(answer.content(), "ReturnValue").as_deref(), Some("4097"));
}

/// Its Subscribe has neither an end nor a filter, and an argument for the sink; its Unsubscribe names nothing at all.
#[test]
fn a_subscription_is_to_one_class() {
    let host = SharedHost::get();
    let mut peer = Peer::new(&host, MANNERS);
    let class = format!("{CIM}/CIM_InstCreation");
    let body = format!(
        "<e:Subscribe><e:Delivery Mode=\"{PUSH}\"><e:NotifyTo><a:Address>http://127.0.0.1:9/events</a:Address>\
         <a:ReferenceParameters><m:arg>console 1</m:arg></a:ReferenceParameters></e:NotifyTo></e:Delivery></e:Subscribe>"
    );
    let answer = peer.ask(&envelope(9, &eventing("Subscribe"), &class, "", &body));
    let manager = child(answer.content(), "SubscriptionManager").unwrap();
    let identifier = property(child(manager, "ReferenceParameters").unwrap(), "Identifier").unwrap();
    let unsubscribe = |header: &str| envelope(10, &eventing("Unsubscribe"), &class, header, "<e:Unsubscribe/>");
    assert_eq!(peer.refused(&unsubscribe("")).subcode, "wsa:MessageInformationHeaderRequired");
    assert!(peer.ask(&unsubscribe(&format!("<e:Identifier>{identifier}</e:Identifier>"))).is_empty());
    let verdict = peer.refused(&envelope(11, &eventing("Subscribe"), ALL_CLASSES, "", &body));
    assert_eq!(verdict.subcode, "wse:InvalidMessage", "{}", verdict.reason);
}
