//! What a sink answers to a delivery (DSP0226 10.7).

use super::names::{EVENTING_PREFIXES, action};
use crate::soap::{Addressing, Envelope, Message, MessageId, Outgoing};

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
    use crate::xml::Limits;

    fn answer(action: &str, relates_to: &str) -> Envelope {
        let outgoing = Outgoing { relates_to: Some(relates_to), ..Outgoing::new(action) };
        let text = String::from_utf8(Message::new(EVENTING_PREFIXES, &outgoing, usize::MAX).finish()).unwrap();
        Envelope::read(&text, &Limits::default()).unwrap()
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
