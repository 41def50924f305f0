//! What a Subscribe asks for of its delivery, as terms that `events` keeps; what cannot be kept is refused with the fault
//! that DSP0226 names for it, and not by silence later.

use std::time::Duration;

use crate::cim::Interval;
use crate::events::{Bookmark, BookmarkError, Delivery, EnvelopeLimit, Mode, Oversize, Retry};
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::wire::eventing::{self, DeliveryMode, Subscribe};
use crate::xml::XMLNode;

/// The modes that are served, all of DSP0226's.
const MODES: [DeliveryMode; 4] =
    [DeliveryMode::Push, DeliveryMode::PushWithAck, DeliveryMode::Events, DeliveryMode::Pull];
/// The shortest interval of heartbeats: a subscriber is no reason to be busy.
const SHORTEST_HEARTBEAT: Duration = Duration::from_secs(1);
/// The smallest message that a subscriber may ask for, as it is for replies (DSP0226 R6.2-4).
const SMALLEST_ENVELOPE: u64 = 8192;

/// The delivery that is asked for; `has_tokens` tells whether credentials came with the request.
pub(super) fn delivery(request: &Subscribe, has_tokens: bool) -> Result<Delivery, Fault> {
    let asked = &request.delivery;
    let mode = mode(&asked.mode)?;
    refuse_mismatch(request, mode, has_tokens)?;
    Ok(Delivery {
        mode,
        utf16: asked.content_encoding.as_deref().is_some_and(is_utf16),
        locale: asked.locale.clone(),
        heartbeat: asked.heartbeats.map(heartbeat).transpose()?,
        retry: asked.connection_retry.map(|retry| Retry {
            interval: duration(retry.interval),
            total: u32::try_from(retry.total).unwrap_or(u32::MAX),
        }),
        bookmarks: request.send_bookmarks,
        max_elements: asked.max_elements.map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
        max_time: asked.max_time.map(duration),
        envelope: asked.max_envelope_size.as_ref().map(envelope).transpose()?,
    })
}

/// Where the subscriber wants to go on.
pub(super) fn bookmark(request: &Subscribe) -> Result<Option<Bookmark>, Fault> {
    let Some(nodes) = &request.bookmark else { return Ok(None) };
    let text: String = nodes.iter().filter_map(XMLNode::as_text).collect();
    let is_text = nodes.iter().all(|node| node.as_element().is_none());
    let bookmark = if is_text { text.parse() } else { Err(BookmarkError::Format) };
    bookmark.map(Some).map_err(bookmark_fault)
}

/// `wsman:InvalidBookmark` (R10.2.6-6).
pub(super) fn bookmark_fault(error: BookmarkError) -> Fault {
    let detail = match error {
        BookmarkError::Format => FaultDetail::InvalidFormat,
        BookmarkError::Expired => FaultDetail::Expired,
    };
    Fault::detailed(FaultKind::InvalidBookmark, detail, error.to_string())
}

fn mode(asked: &DeliveryMode) -> Result<Mode, Fault> {
    match asked {
        DeliveryMode::Push => Ok(Mode::Push),
        DeliveryMode::PushWithAck => Ok(Mode::PushWithAck),
        DeliveryMode::Events => Ok(Mode::Events),
        DeliveryMode::Pull => Ok(Mode::Pull),
        other => Err(other.unavailable(&MODES)),
    }
}

/// What means nothing in the mode that was asked for.
fn refuse_mismatch(request: &Subscribe, mode: Mode, has_tokens: bool) -> Result<(), Fault> {
    let eventing::Delivery { max_elements, max_time, max_envelope_size, connection_retry, .. } = &request.delivery;
    let (is_pull, is_batched) = (mode == Mode::Pull, mode == Mode::Events);
    let mismatch = |detail| if is_pull { FaultDetail::FormatMismatch } else { detail };
    let refused = [
        (max_elements.is_some() && !is_batched, FaultDetail::MaxElements, "wsman:MaxElements"),
        (max_time.is_some() && !is_batched, FaultDetail::MaxTime, "wsman:MaxTime"),
        (max_envelope_size.is_some() && is_pull, FaultDetail::MaxEnvelopeSize, "wsman:MaxEnvelopeSize"),
        (connection_retry.is_some() && is_pull, FaultDetail::DeliveryRetries, "wsman:ConnectionRetry"),
        (request.end_to.is_some() && is_pull, FaultDetail::AddressingMode, "wse:EndTo"),
        (request.delivery.auth_profile.is_some() && is_pull, FaultDetail::FormatMismatch, "wsman:Auth"),
        (has_tokens && is_pull, FaultDetail::FormatMismatch, "wst:IssuedTokens"),
    ];
    let Some((_, detail, what)) = refused.into_iter().find(|(is_refused, ..)| *is_refused) else { return Ok(()) };
    let reason = format!("{what} means nothing in the delivery mode {}; leave it out", request.delivery.mode.uri());
    Err(Fault::detailed(FaultKind::UnsupportedFeature, mismatch(detail), reason))
}

fn heartbeat(interval: Interval) -> Result<Duration, Fault> {
    let interval = duration(interval);
    if interval >= SHORTEST_HEARTBEAT {
        return Ok(interval);
    }
    Err(Fault::detailed(
        FaultKind::UnsupportedFeature,
        FaultDetail::Heartbeats,
        "wsman:Heartbeats are sent once a second at most: ask for PT1S or more",
    ))
}

fn envelope(asked: &eventing::DeliveryEnvelope) -> Result<EnvelopeLimit, Fault> {
    if asked.octets < SMALLEST_ENVELOPE {
        return Err(Fault::detailed(
            FaultKind::EncodingLimit,
            FaultDetail::MinimumEnvelopeLimit,
            format!("wsman:MaxEnvelopeSize in wse:Delivery must be {SMALLEST_ENVELOPE} octets or more"),
        ));
    }
    let policy = match asked.policy.as_deref() {
        Some("CancelSubscription") => Oversize::CancelSubscription,
        Some("Skip") => Oversize::Skip,
        _ => Oversize::Notify,
    };
    Ok(EnvelopeLimit { octets: usize::try_from(asked.octets).unwrap_or(usize::MAX), policy })
}

/// Other encodings than these two are a hint that is not followed (R10.2.1-7).
fn is_utf16(encoding: &str) -> bool {
    let encoding = encoding.to_ascii_lowercase();
    matches!(encoding.as_str(), "utf-16" | "utf16" | "utf-16le")
}

fn duration(interval: Interval) -> Duration {
    Duration::from_micros(interval.microseconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(mode: DeliveryMode) -> Subscribe {
        Subscribe { delivery: eventing::Delivery { mode, ..eventing::Delivery::default() }, ..Subscribe::default() }
    }

    fn refused(request: &Subscribe, has_tokens: bool) -> &'static str {
        let fault = delivery(request, has_tokens).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::UnsupportedFeature);
        fault.detail().unwrap().name()
    }

    #[test]
    fn what_means_nothing_in_a_mode_is_refused_by_its_name() {
        let mut pull = asked(DeliveryMode::Pull);
        assert!(delivery(&pull, false).is_ok());
        assert_eq!(refused(&pull, true), "FormatMismatch");
        pull.delivery.auth_profile = Some("http/basic".to_owned());
        assert_eq!(refused(&pull, false), "FormatMismatch");

        let mut push = asked(DeliveryMode::Push);
        assert!(delivery(&push, true).is_ok());
        push.delivery.max_elements = Some(3);
        assert_eq!(refused(&push, false), "MaxElements");
        push.delivery.mode = DeliveryMode::Events;
        assert_eq!(delivery(&push, false).unwrap().max_elements, Some(3));
        push.delivery.mode = DeliveryMode::Pull;
        assert_eq!(refused(&push, false), "FormatMismatch");
    }

    #[test]
    fn heartbeats_are_no_reason_to_be_busy() {
        let mut request = asked(DeliveryMode::Push);
        request.delivery.heartbeats = Some(Interval::from_seconds(1));
        assert!(delivery(&request, false).is_ok());
        request.delivery.heartbeats = Some(Interval::from_seconds(0));
        assert_eq!(refused(&request, false), "Heartbeats");
    }
}
