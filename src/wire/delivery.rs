//! What a sink reads of a delivery (DSP0226 10.2.8, 10.2.9, 10.9), and what it answers (10.7).

use super::PlainInstance;
use super::names::{EVENTING_PREFIXES, WSE, WSMAN, action};
use crate::soap::{Addressing, Envelope, Fault, Message, MessageId, Outgoing};
use crate::xml::{Element, ElementExt};

/// One thing that a delivery tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// An indication.
    Event(Box<PlainInstance>),
    /// Events were dropped here; so many since the subscription was made (R10.9-1).
    Dropped(u64),
    /// The subscription has ended, for this reason.
    Ended(String),
}

impl Delivered {
    /// Reads what stands where an event stands: in the body, in a batch, or among the items of a Pull.
    pub fn read(element: &Element) -> Result<Self, Fault> {
        if element.is(WSMAN, "DroppedEvents") {
            return Ok(Self::Dropped(element.text().parse().unwrap_or(0)));
        }
        if element.is(WSE, "SubscriptionEnd") {
            let reason = element.child(WSE, "Reason").or_else(|| element.child(WSE, "Status"));
            return Ok(Self::Ended(reason.map(ElementExt::text).unwrap_or_default().to_owned()));
        }
        Ok(Self::Event(Box::new(PlainInstance::read(element)?)))
    }

    /// Reads all that a message tells; a heartbeat tells nothing.
    pub fn all_of(message: &Envelope) -> Result<Vec<Self>, Fault> {
        match &message.body {
            None => Ok(Vec::new()),
            Some(batch) if batch.is(WSMAN, "Events") => {
                batch.children_named(WSMAN, "Event").flat_map(ElementExt::elements).map(Self::read).collect()
            }
            Some(one) => Ok(vec![Self::read(one)?]),
        }
    }
}

/// Whether the sender of a delivery waits for an acknowledgement (10.7).
pub fn wants_ack(delivery: &Envelope) -> bool {
    delivery.header(WSMAN, "AckRequested").is_some()
}

/// Whether an answer acknowledges the delivery of that name: Action `…/wsman/Ack`, also as other implementations misspell
/// it, and RelatesTo (R10.7-2, R10.7-3).
pub fn is_ack(answer: &Envelope, delivery: MessageId) -> bool {
    let Addressing { action, relates_to, .. } = &answer.addressing;
    action.as_deref().is_some_and(|found| action::is(found, action::ACK))
        && relates_to.as_deref().is_some_and(|id| bare(id).eq_ignore_ascii_case(bare(&delivery.to_string())))
}

/// The acknowledgement of a delivery, in UTF-8.
pub fn write_ack(delivery: &Addressing) -> Vec<u8> {
    Message::new(EVENTING_PREFIXES, &Outgoing::reply(action::ACK, delivery), usize::MAX).finish()
}

/// An identifier without what stands before it: `uuid:…`, `urn:uuid:…`.
fn bare(id: &str) -> &str {
    id.trim().rsplit(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::EndpointReference;
    use crate::wire::eventing::{EndStatus, write_subscription_end};
    use crate::wire::{DeliveryHeaders, Told, write_event, write_events, write_heartbeat};
    use crate::xml::Limits;

    fn answer(action: &str, relates_to: &str) -> Envelope {
        let outgoing = Outgoing { relates_to: Some(relates_to), ..Outgoing::new(action) };
        let text = String::from_utf8(Message::new(EVENTING_PREFIXES, &outgoing, usize::MAX).finish()).unwrap();
        Envelope::read(&text, &Limits::default()).unwrap()
    }

    fn read_back(message: Vec<u8>) -> Envelope {
        Envelope::read(&String::from_utf8(message).unwrap(), &Limits::default()).unwrap()
    }

    #[test]
    fn what_is_delivered_is_read_alone_and_in_batches() {
        let sink = EndpointReference::new("http://console/events");
        let headers =
            DeliveryHeaders { sink: &sink, id: MessageId::random(), wants_ack: true, bookmark: None, locale: None };
        let xml = "<p:CIM_InstCreation xmlns:p='urn:c'><p:IndicationTime>now</p:IndicationTime></p:CIM_InstCreation>";
        let event = |told: &Delivered| match told {
            Delivered::Event(event) => event.text("IndicationTime").map(str::to_owned),
            _ => None,
        };
        let one = read_back(write_event(&headers, Told::Event(xml)));
        assert!(wants_ack(&one));
        assert_eq!(Delivered::all_of(&one).unwrap().iter().map(event).collect::<Vec<_>>(), [Some("now".to_owned())]);
        let batch = read_back(write_events(&headers, [Told::Event(xml), Told::Dropped(7), Told::Event(xml)]));
        let told = Delivered::all_of(&batch).unwrap();
        assert_eq!((told.len(), &told[1], event(&told[2])), (3, &Delivered::Dropped(7), Some("now".to_owned())));
        let dropped = read_back(write_event(&headers, Told::Dropped(3)));
        assert_eq!(Delivered::all_of(&dropped).unwrap(), [Delivered::Dropped(3)]);
        assert_eq!(Delivered::all_of(&read_back(write_heartbeat(&headers))).unwrap(), []);
    }

    #[test]
    fn the_end_of_a_subscription_is_told_with_its_reason() {
        let sink = EndpointReference::new("http://console/events");
        let mut message =
            Message::new(EVENTING_PREFIXES, &Outgoing::request(action::SUBSCRIPTION_END, &sink), usize::MAX);
        write_subscription_end(message.body(), &sink, EndStatus::SourceCancelling, "it is over");
        let told = Delivered::all_of(&read_back(message.finish())).unwrap();
        assert_eq!(told, [Delivered::Ended("it is over".to_owned())]);
    }

    #[test]
    fn an_ack_names_the_delivery_in_any_spelling() {
        let id = MessageId::random();
        let text = id.to_string();
        for spelt in [text.clone(), text.to_lowercase(), text.replace("uuid:", "urn:uuid:"), text.replace("uuid:", "")]
        {
            assert!(is_ack(&answer(action::ACK, &spelt), id), "{spelt}");
        }
        assert!(is_ack(&answer("http://schemas.xmlsoap.org/wbmem/wsman/1/wsman/Ack", &text), id));
        assert!(!is_ack(&answer(action::ACK, &MessageId::random().to_string()), id));
        assert!(!is_ack(&answer(action::ACK, ""), id));
        assert!(!is_ack(&answer(action::EVENT, &text), id));
    }

    #[test]
    fn what_a_sink_writes_is_an_ack() {
        let id = MessageId::random();
        let delivery = Addressing { message_id: Some(id.to_string()), ..Addressing::default() };
        let text = String::from_utf8(write_ack(&delivery)).unwrap();
        assert!(is_ack(&Envelope::read(&text, &Limits::default()).unwrap(), id));
    }
}
