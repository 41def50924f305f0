//! The messages of delivery: the event out, the sink's answer in, and endpoint references as they are stored.

use actix_web::web::Bytes;
use uuid::Uuid;

use super::active::Active;
use crate::cim::Instance;
use crate::client::{ClientError, Response};
use crate::soap::names::WSE;
use crate::soap::{Encoding, EndpointReference, Envelope, FaultKind, MessageId, ReceivedFault};
use crate::wire::write_event;
use crate::xml::{self, Limits, Writer};

/// How events are sent.
pub(super) const ENCODING: Encoding = Encoding::Utf8;

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The event has arrived.
    Delivered,
    /// The sink wants no events any more.
    Refused,
    /// It may arrive another time.
    Failed(String),
}

/// The message that tells a subscriber of an event.
pub(super) fn event(active: &Active, sequence: i64, indication: &Instance) -> Bytes {
    write_event(&active.granted().notify_to, indication, message_id(active.id, sequence), false).into()
}

/// The name of an event's message: the same at every attempt, also after a restart, so that a sink knows an event again.
fn message_id(subscription: Uuid, sequence: i64) -> MessageId {
    Uuid::new_v5(&subscription, &sequence.to_be_bytes()).into()
}

/// Judges a sink's answer: any 2xx delivers, `wsman:DeliveryRefused` ends, everything else is worth another attempt.
pub(super) fn verdict(answer: Result<Response, ClientError>) -> Verdict {
    match answer {
        Ok(response) if refuses(&response) => Verdict::Refused,
        Ok(response) if (200..300).contains(&response.status) => Verdict::Delivered,
        Ok(response) => Verdict::Failed(format!("the sink answered HTTP status {}", response.status)),
        Err(error) => Verdict::Failed(error.to_string()),
    }
}

fn refuses(response: &Response) -> bool {
    if response.body.is_empty() {
        return false;
    }
    let charset = response.content_type.as_deref().and_then(charset);
    let Ok(encoding) = Encoding::detect(&response.body, charset) else { return false };
    let Ok(text) = encoding.decode(&response.body) else { return false };
    let Ok(envelope) = Envelope::read(&text, &Limits::default()) else { return false };
    ReceivedFault::read(&envelope).is_some_and(|fault| fault.kind == Some(FaultKind::DeliveryRefused))
}

fn charset(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1);
    let mut pairs = parameters.filter_map(|p| p.split_once('='));
    pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset")).map(|(_, value)| value.trim().trim_matches('"'))
}

/// An endpoint reference as it is stored.
pub(super) fn store_reference(reference: &EndpointReference) -> String {
    let mut w = Writer::new(usize::MAX);
    w.element(&reference.to_element(WSE, "NotifyTo"));
    String::from_utf8(w.finish()).unwrap_or_default()
}

/// The same read again; `None` if it is damaged.
pub(super) fn stored_reference(text: &str) -> Option<EndpointReference> {
    EndpointReference::read(&xml::read(text, &Limits::default()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::names::WSMAN;
    use crate::xml::{ElementExt, element};

    fn answer(status: u16, body: &str) -> Result<Response, ClientError> {
        Ok(Response { status, content_type: None, body: Bytes::copy_from_slice(body.as_bytes()) })
    }

    fn fault(subcode: &str) -> String {
        format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:w=\"{WSMAN}\"><s:Body><s:Fault><s:Code>\
             <s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code><s:Reason>\
             <s:Text xml:lang=\"en\">no</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"
        )
    }

    #[test]
    fn answers_are_judged() {
        for status in [200, 202, 204, 299] {
            assert_eq!(verdict(answer(status, "")), Verdict::Delivered);
        }
        for status in [307, 400, 401, 404, 500, 503] {
            assert!(matches!(verdict(answer(status, "no")), Verdict::Failed(_)));
        }
        assert!(matches!(verdict(Err(ClientError::TimedOut)), Verdict::Failed(_)));
        assert_eq!(verdict(answer(500, &fault("w:DeliveryRefused"))), Verdict::Refused);
        assert_eq!(verdict(answer(200, &fault("w:DeliveryRefused"))), Verdict::Refused);
        assert!(matches!(verdict(answer(500, &fault("w:InternalError"))), Verdict::Failed(_)));
    }

    #[test]
    fn a_message_id_is_of_one_event_of_one_subscription() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(message_id(one, 7), message_id(one, 7));
        assert_ne!(message_id(one, 7), message_id(one, 8));
        assert_ne!(message_id(one, 7), message_id(two, 7));
    }

    #[test]
    fn a_reference_is_stored_with_all_it_carries() {
        let mut reference = EndpointReference::new("http://sink/?a=1&b=2")
            .with_parameter(element("urn:x", "Id").with_attribute("urn:y", "a", "1").with_text("5 < 6"));
        reference.properties.push(element("", "Old").with_child(element("urn:z", "Deep")));
        assert_eq!(stored_reference(&store_reference(&reference)), Some(reference));
        assert_eq!(stored_reference("<broken"), None);
    }
}
