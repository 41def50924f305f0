//! The messages of delivery: events out, the sink's answer in, and endpoint references as they are stored.

use actix_web::web::Bytes;
use uuid::Uuid;

use super::active::Active;
use super::bookmark::Place;
use super::parcel::Parcel;
use super::{Mode, Subscription};
use crate::client::{ClientError, Response};
use crate::soap::names::WSE;
use crate::soap::{Encoding, EndpointReference, Envelope, FaultKind, Message, MessageId, Outgoing, ReceivedFault};
use crate::wire::delivery::is_ack;
use crate::wire::eventing::{EndStatus, write_subscription_end};
use crate::wire::names::{EVENTING_PREFIXES, action};
use crate::wire::{DeliveryHeaders, write_event, write_events, write_heartbeat};
use crate::xml::{self, Limits, Writer};

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

/// The message of a parcel, with its name, encoded as the subscriber wants it.
pub(super) fn parcel(active: &Active, parcel: &Parcel, log: Uuid) -> (MessageId, Bytes) {
    let granted = active.granted();
    let delivery = &granted.delivery;
    let bookmark = delivery.bookmarks.then(|| Place { log, sequence: parcel.through }.to_string());
    let nobody = EndpointReference::anonymous();
    let headers = DeliveryHeaders {
        sink: granted.notify_to.as_ref().unwrap_or(&nobody),
        id: if parcel.is_heartbeat() { MessageId::random() } else { message_id(active.id, parcel) },
        wants_ack: delivery.mode.is_acknowledged(),
        bookmark: bookmark.as_deref(),
        locale: delivery.locale.as_deref(),
    };
    let mut told = parcel.told();
    let text = match (delivery.mode, parcel.is_heartbeat()) {
        (_, true) => write_heartbeat(&headers),
        (Mode::Events, false) => write_events(&headers, told),
        (_, false) => told.next().map(|told| write_event(&headers, told)).unwrap_or_default(),
    };
    (headers.id, delivery.encoding().encode(text).into())
}

/// The name of a message: the same at every attempt, also after a restart, so that a sink knows it again.
fn message_id(subscription: Uuid, parcel: &Parcel) -> MessageId {
    let (first, last) = parcel.span;
    let mut name = [first.to_be_bytes(), last.to_be_bytes()].concat();
    if let Some(dropped) = parcel.tells_dropped() {
        name.extend(dropped.to_be_bytes());
    }
    Uuid::new_v5(&subscription, &name).into()
}

/// The message that tells the end of a subscription, in UTF-8 (DSP0226 R10.6-3).
pub(super) fn end(subscription: &Subscription, end_to: &EndpointReference, status: EndStatus, reason: &str) -> Vec<u8> {
    let outgoing = Outgoing { wants_reply: false, ..Outgoing::request(action::SUBSCRIPTION_END, end_to) };
    let mut message = Message::new(EVENTING_PREFIXES, &outgoing, usize::MAX);
    write_subscription_end(message.body(), &subscription.manager, status, reason);
    message.finish()
}

/// Judges a sink's answer: any 2xx delivers, with the acknowledgement of the message where one is `expected`;
/// `wsman:DeliveryRefused` ends, everything else is worth another attempt.
pub(super) fn verdict(answer: Result<Response, ClientError>, expected: Option<MessageId>) -> Verdict {
    let response = match answer {
        Ok(response) => response,
        Err(error) => return Verdict::Failed(error.to_string()),
    };
    let envelope = envelope(&response);
    let fault = envelope.as_ref().and_then(ReceivedFault::read);
    if fault.as_ref().is_some_and(|fault| fault.kind == Some(FaultKind::DeliveryRefused)) {
        return Verdict::Refused;
    }
    if !(200..300).contains(&response.status) {
        return Verdict::Failed(format!("the sink answered HTTP status {}", response.status));
    }
    match (expected, envelope) {
        (None, _) => Verdict::Delivered,
        (Some(id), Some(envelope)) if is_ack(&envelope, id) => Verdict::Delivered,
        (Some(_), _) => Verdict::Failed("the sink did not acknowledge the message".to_owned()),
    }
}

fn envelope(response: &Response) -> Option<Envelope> {
    if response.body.is_empty() {
        return None;
    }
    let charset = response.content_type.as_deref().and_then(charset);
    let encoding = Encoding::detect(&response.body, charset).ok()?;
    Envelope::read(&encoding.decode(&response.body).ok()?, &Limits::default()).ok()
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
    use crate::store::subscriptions::Progress;
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
            assert_eq!(verdict(answer(status, ""), None), Verdict::Delivered);
        }
        for status in [307, 400, 401, 404, 500, 503] {
            assert!(matches!(verdict(answer(status, "no"), None), Verdict::Failed(_)));
        }
        assert!(matches!(verdict(Err(ClientError::TimedOut), None), Verdict::Failed(_)));
        assert_eq!(verdict(answer(500, &fault("w:DeliveryRefused")), None), Verdict::Refused);
        assert_eq!(verdict(answer(200, &fault("w:DeliveryRefused")), None), Verdict::Refused);
        assert!(matches!(verdict(answer(500, &fault("w:InternalError")), None), Verdict::Failed(_)));
    }

    #[test]
    fn a_message_id_is_of_one_message_of_one_subscription() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let parcel = |first, last| Parcel { span: (first, last), ..Parcel::default() };
        assert_eq!(message_id(one, &parcel(7, 9)), message_id(one, &Parcel { dropped: 3, ..parcel(7, 9) }));
        assert_ne!(message_id(one, &parcel(7, 9)), message_id(one, &parcel(7, 8)));
        assert_ne!(message_id(one, &parcel(7, 9)), message_id(two, &parcel(7, 9)));
        let loss = |dropped| Parcel::of_loss(&Progress { cursor: 7, dropped, ..Progress::default() });
        assert_ne!(message_id(one, &loss(1)), message_id(one, &loss(2)));
        assert_ne!(message_id(one, &loss(1)), message_id(one, &parcel(7, 7)));
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
