//! Events on their way to a sink (DSP0226 10.2.8).

use super::write::{Style, write_instance};
use crate::cim::Instance;
use crate::soap::{EndpointReference, Message, MessageId, Outgoing};
use crate::wire::names::{EVENTING_PREFIXES, action};

/// The whole message that brings one indication to a sink: Action `…/wsman/Event`, what the sink's endpoint carries as
/// headers, and the indication in its own class's namespace. With `wants_ack` the sink is asked to acknowledge it.
pub fn write_event(sink: &EndpointReference, indication: &Instance, id: MessageId, wants_ack: bool) -> Vec<u8> {
    let outgoing = Outgoing { message_id: id, ..Outgoing::request(action::EVENT, sink) };
    let mut message = Message::new(EVENTING_PREFIXES, &outgoing, usize::MAX);
    if wants_ack {
        message.header().empty("wsman:AckRequested");
    }
    write_instance(message.body(), indication, &Style::default());
    message.finish()
}
