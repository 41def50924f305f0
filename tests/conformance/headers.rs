//! Clause 5: the headers of messages (5.4).

use crate::addressing::a_method_is_called_with_a_resource_uri;
use crate::answer::{Answer, all, text};
use crate::delivery::asks_for_acknowledgement;
use crate::peer::Peer;
use crate::rule::rules;
use crate::service::Own;
use crate::support::wsman::{ANONYMOUS, Message, without};

rules! {
    r5_4_1_1 "ReplyTo, FaultTo, MessageID, Action and RelatesTo are processed": holds(all_addressing_headers_are_taken);
    r5_4_2_1 "a request has a ReplyTo": holds(a_request_without_reply_to_is_refused);
    r5_4_2_2 "replies may be bound to the connection": holds(replies_to_elsewhere_are_refused);
    r5_4_2_3 "an event to be acknowledged has a ReplyTo": holds_here(an_event_to_be_acknowledged_says_where);
    r5_4_2_4 "the reply goes to ReplyTo's address as it was written": holds(replies_go_to_the_address_of_reply_to);
    r5_4_2_5 "reference parameters of ReplyTo become headers of the reply":
        holds(reference_parameters_of_reply_to_come_back);
    r5_4_2_6 "no reply to an unusable ReplyTo":
        deviates("the fault that R5.4.2-1 and R5.4.2-2 ask for says more than silence", an_unusable_reply_to_is_answered);
    r5_4_3_1 "a FaultTo of its own may be refused": holds(faults_to_elsewhere_are_refused);
    r5_4_3_2 "without FaultTo faults go to ReplyTo": holds(faults_go_to_the_address_of_reply_to);
    r5_4_3_3 "faults may be bound to the connection": holds(faults_to_elsewhere_are_refused);
    r5_4_3_4 "reference parameters of FaultTo become headers of the fault":
        holds(reference_parameters_of_fault_to_come_back);
    r5_4_3_5 "no fault to an unusable FaultTo":
        deviates("the fault that R5.4.3-3 asks for says more than silence", an_unusable_fault_to_is_answered);
    r5_4_3_6 "the fault goes to FaultTo's address as it was written": holds(reference_parameters_of_fault_to_come_back);
    r5_4_4_1 "a MessageID is any URI, and its case counts": holds(message_ids_come_back_as_they_were);
    r5_4_4_2 "the service gives no MessageID twice": holds(no_two_messages_have_one_id);
    r5_4_4_3 "RelatesTo repeats the MessageID in replies and faults": holds(message_ids_come_back_as_they_were);
    r5_4_4_4 "a missing MessageID is wsa:InvalidMessageInformationHeader": holds(a_request_without_id_is_refused);
    r5_4_5_1 "the Action does not say which resource": holds(one_action_serves_several_resources);
    r5_4_5_2 "an unsupported action is wsa:ActionNotSupported": holds(unknown_actions_are_not_supported);
    r5_4_5_3 "the operations have the Actions of table 1": holds(replies_have_the_actions_of_the_standard);
    r5_4_5_4 "methods may have Actions of their own": holds_here(a_method_is_called_with_a_resource_uri);
    r5_4_5_5 "the Action of a delivery tells the type of event": holds_here(an_event_has_the_action_of_events);
    r5_4_6_1 "wsa:From may be there": holds(from_is_taken);
    r5_4_6_2 "wsa:From is never a reason for a fault": holds(from_is_taken);
}

fn all_addressing_headers_are_taken(peer: &mut Peer) {
    let headers = format!(
        "<a:FaultTo><a:Address>{ANONYMOUS}</a:Address></a:FaultTo>\
         <a:RelatesTo>uuid:00000000-0000-0000-0000-000000000001</a:RelatesTo>"
    );
    peer.send(&peer.get().header(&headers)).succeeds();
    let get = without(&peer.get().envelope(), "a:Action");
    peer.send_text(&get).refuses("wsa:MessageInformationHeaderRequired", "").element("wsa:Action");
}

fn a_request_without_reply_to_is_refused(peer: &mut Peer) {
    let get = without(&peer.get().envelope(), "a:ReplyTo");
    peer.send_text(&get).refuses("wsa:MessageInformationHeaderRequired", "").element("wsa:ReplyTo");
}

fn replies_to_elsewhere_are_refused(peer: &mut Peer) {
    let get = peer.get().envelope().replace(ANONYMOUS, "http://127.0.0.1:9/replies");
    peer.send_text(&get).refuses("wsman:UnsupportedFeature", "AddressingMode").names("ReplyTo");
}

fn replies_go_to_the_address_of_reply_to(peer: &mut Peer) {
    let answer = peer.send(&peer.get());
    answer.succeeds();
    assert_eq!(answer.header_text("wsa:To"), ANONYMOUS);
}

/// A request with `parameters` in an endpoint reference called `name`.
fn with_parameters(message: &Message, name: &str, parameters: &str) -> String {
    let endpoint = format!(
        "<a:{name}><a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters>{parameters}</a:ReferenceParameters></a:{name}>"
    );
    match name {
        "ReplyTo" => without(&message.clone().header(&endpoint).envelope(), "a:ReplyTo"),
        _ => message.clone().header(&endpoint).envelope(),
    }
}

const MARK: &str = "<x:Mark xmlns:x=\"urn:example:header\" x:colour=\"red\">one &amp; <x:Two/></x:Mark>";

fn is_marked(answer: &Answer) {
    let mark = answer.header("x:Mark").unwrap_or_else(|| panic!("no mark: {answer:?}"));
    assert_eq!(text(&mark), "one &");
    assert_eq!(all(&mark, "x:Two").len(), 1);
    assert_eq!(mark.attributes["colour"], "red");
}

fn reference_parameters_of_reply_to_come_back(peer: &mut Peer) {
    let answer = peer.send_text(&with_parameters(&peer.get(), "ReplyTo", MARK));
    answer.succeeds();
    is_marked(&answer);
    let answer = peer.send_text(&with_parameters(&peer.request("urn:example:dance", ""), "ReplyTo", MARK));
    answer.refuses("wsa:ActionNotSupported", "");
    is_marked(&answer);
}

fn an_unusable_reply_to_is_answered(peer: &mut Peer, _: &Own) {
    a_request_without_reply_to_is_refused(peer);
    replies_to_elsewhere_are_refused(peer);
}

fn faults_to_elsewhere_are_refused(peer: &mut Peer) {
    let elsewhere = "<a:FaultTo><a:Address>http://127.0.0.1:9/faults</a:Address></a:FaultTo>";
    let get = peer.get().header(elsewhere);
    peer.send(&get).refuses("wsman:UnsupportedFeature", "AddressingMode").names("FaultTo");
}

fn faults_go_to_the_address_of_reply_to(peer: &mut Peer) {
    let answer = peer.send(&peer.request("urn:example:dance", ""));
    answer.refuses("wsa:ActionNotSupported", "");
    assert_eq!(answer.header_text("wsa:To"), ANONYMOUS);
}

fn reference_parameters_of_fault_to_come_back(peer: &mut Peer) {
    let request = peer.request("urn:example:dance", "");
    let answer = peer.send_text(&with_parameters(&request, "FaultTo", MARK));
    answer.refuses("wsa:ActionNotSupported", "");
    is_marked(&answer);
    assert_eq!(answer.header_text("wsa:To"), ANONYMOUS);
    let answer = peer.send_text(&with_parameters(&peer.get(), "FaultTo", MARK));
    answer.succeeds();
    assert_eq!(answer.header("x:Mark"), None, "a reply goes to ReplyTo");
}

fn an_unusable_fault_to_is_answered(peer: &mut Peer, _: &Own) {
    faults_to_elsewhere_are_refused(peer);
    // The connection stays open.
    peer.send(&peer.get()).succeeds();
}

fn message_ids_come_back_as_they_were(peer: &mut Peer) {
    for id in [
        "urn:uuid:d9726315-BC91-430b-9ed8-ce5ffb858a91",
        "uuid:D9726315-bc91-430b-9ed8-ce5ffb858a92",
        "anotherScheme:ID/12310/1231/16607/25",
    ] {
        for request in [peer.get(), peer.request("urn:example:dance", "")] {
            let envelope = without(&request.envelope(), "a:MessageID");
            let envelope = envelope.replace("</s:Header>", &format!("<a:MessageID>{id}</a:MessageID></s:Header>"));
            assert_eq!(peer.send_text(&envelope).header_text("wsa:RelatesTo"), id);
        }
    }
}

fn no_two_messages_have_one_id(peer: &mut Peer) {
    let requests = [peer.get(), peer.get(), peer.enumerate(""), peer.request("urn:example:dance", "")];
    let mut ids: Vec<String> =
        requests.iter().map(|r| peer.send(r).header_text("wsa:MessageID").to_ascii_lowercase()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), requests.len(), "{ids:?}");
}

fn a_request_without_id_is_refused(peer: &mut Peer) {
    let get = without(&peer.get().envelope(), "a:MessageID");
    peer.send_text(&get).refuses("wsa:InvalidMessageInformationHeader", "").element("wsa:MessageID");
    let empty = get.replace("</s:Header>", "<a:MessageID/></s:Header>");
    peer.send_text(&empty).refuses("wsa:InvalidMessageInformationHeader", "");
}

fn one_action_serves_several_resources(peer: &mut Peer) {
    let (one, other) = (peer.get_instance(0), peer.get_instance(1));
    assert_eq!(one.action, other.action);
    assert_ne!(peer.send(&one).succeeds(), peer.send(&other).succeeds());
}

fn unknown_actions_are_not_supported(peer: &mut Peer) {
    for action in ["urn:example:dance", "http://schemas.xmlsoap.org/ws/2004/09/transfer/Dance"] {
        let fault = peer.send(&peer.request(action, "")).refuses("wsa:ActionNotSupported", "");
        assert_eq!(text(fault.element("wsa:Action")), action);
    }
}

fn replies_have_the_actions_of_the_standard(peer: &mut Peer) {
    let context = peer.open("");
    for request in [peer.get(), peer.enumerate(""), peer.pull(&context, ""), peer.release(&context)] {
        let answer = peer.send(&request);
        answer.succeeds();
        assert_eq!(answer.header_text("wsa:Action"), format!("{}Response", request.action));
    }
}

fn an_event_has_the_action_of_events(_: &mut Peer, own: &Own) {
    let event = own.deliveries().at("/plain")[0];
    assert_eq!(event.header_text("Action"), "http://schemas.dmtf.org/wbem/wsman/1/wsman/Event");
}

fn an_event_to_be_acknowledged_says_where(_: &mut Peer, own: &Own) {
    own.deliveries().at("/acknowledged").into_iter().for_each(asks_for_acknowledgement);
}

fn from_is_taken(peer: &mut Peer) {
    let from = "<a:From s:mustUnderstand=\"true\"><a:Address>http://somebody.example.org/</a:Address></a:From>";
    peer.send(&peer.get().header(from)).succeeds();
}
