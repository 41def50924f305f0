//! The bodies of WS-Eventing (DSP0226 clause 10).

use super::Expires;
use super::fields::{count, duration, duration_of, filled, positive};
use super::filter::{Filter, FilterFaults};
use super::names::{MS_WSMAN, WSE, WSEN, WSMAN};
use super::resource::shown;
use crate::cim::Interval;
use crate::soap::{EndpointReference, Envelope, Fault, FaultDetail, FaultKind};
use crate::xml::{Element, ElementExt, Writer, XML_NAMESPACE, XMLNode, element};

const FILTER_FAULTS: FilterFaults =
    FilterFaults { namespace: WSE, both: FaultKind::InvalidMessage, content: FaultKind::EventSourceUnableToProcess };

/// How events reach their sink.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum DeliveryMode {
    /// One event per message, and the HTTP status is all the answer.
    #[default]
    Push,
    /// One event per message, each acknowledged before the next.
    PushWithAck,
    /// Several events per message, acknowledged.
    Events,
    /// The subscriber asks for them.
    Pull,
    /// A mode that DSP0226 does not have.
    Other(String),
}

impl DeliveryMode {
    const KNOWN: [(Self, &'static str); 4] = [
        (Self::Push, "http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push"),
        (Self::PushWithAck, "http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck"),
        (Self::Events, "http://schemas.dmtf.org/wbem/wsman/1/wsman/Events"),
        (Self::Pull, "http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull"),
    ];

    /// Its URI.
    pub fn uri(&self) -> &str {
        match self {
            Self::Other(uri) => uri,
            known => Self::KNOWN.iter().find(|(mode, _)| mode == known).map_or("", |(_, uri)| uri),
        }
    }

    fn of(uri: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|(_, known)| *known == uri);
        known.map_or_else(|| Self::Other(uri.to_owned()), |(mode, _)| mode)
    }

    /// `wse:DeliveryModeRequestedUnavailable` with the modes that are served (R10.2.7-1).
    pub fn unavailable(&self, supported: &[Self]) -> Fault {
        let reason = format!("the delivery mode {:?} is not supported", shown(self.uri()));
        supported.iter().fold(Fault::new(FaultKind::DeliveryModeRequestedUnavailable, reason), |fault, mode| {
            fault.with_element(element(WSE, "SupportedDeliveryMode").with_text(mode.uri()))
        })
    }
}

/// How often and how long a delivery is tried again (DSP0226 10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionRetry {
    /// The time between two tries.
    pub interval: Interval,
    /// How many tries there are.
    pub total: u64,
}

/// What a sink takes at most (DSP0226 10.2.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryEnvelope {
    /// Octets of one message.
    pub octets: u64,
    /// What becomes of an event that is larger: `CancelSubscription`, `Skip` or `Notify`.
    pub policy: Option<String>,
}

/// `wse:Delivery`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Delivery {
    /// How events reach their sink.
    pub mode: DeliveryMode,
    /// The sink; there is one in every mode of DSP0226 but Pull.
    pub notify_to: Option<EndpointReference>,
    /// A sign of life at least this often.
    pub heartbeats: Option<Interval>,
    /// When to try again.
    pub connection_retry: Option<ConnectionRetry>,
    /// How many events one message may hold.
    pub max_elements: Option<u64>,
    /// How long an event may wait for others.
    pub max_time: Option<Interval>,
    /// How large one message may be.
    pub max_envelope_size: Option<DeliveryEnvelope>,
    /// The character set for the messages.
    pub content_encoding: Option<String>,
    /// The language of texts in events.
    pub locale: Option<String>,
    /// How to authenticate at the sink.
    pub auth_profile: Option<String>,
}

/// `wse:Subscribe`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Subscribe {
    /// Where to tell that the subscription ends.
    pub end_to: Option<EndpointReference>,
    /// How events reach their sink.
    pub delivery: Delivery,
    /// How long the subscription lives; without end if the client does not say.
    pub expires: Option<Expires>,
    /// Which events are wanted.
    pub filter: Option<Filter>,
    /// Where to go on, as an earlier subscription gave it.
    pub bookmark: Option<Vec<XMLNode>>,
    /// Whether each delivery is to carry a bookmark.
    pub send_bookmarks: bool,
}

impl Subscribe {
    /// Reads the body of a request. Children come in any order; unknown ones pass by.
    pub fn read(message: &Envelope) -> Result<Self, Fault> {
        let body = expect(message, "Subscribe")?;
        let delivery = body.child(WSE, "Delivery").ok_or_else(|| invalid("wse:Subscribe holds no wse:Delivery"))?;
        Ok(Self {
            end_to: body.child(WSE, "EndTo").map(EndpointReference::read).transpose()?,
            delivery: Delivery::read(delivery)?,
            expires: Expires::child(body, WSE, FaultKind::EventingInvalidExpirationTime)?,
            filter: Filter::child(body, FILTER_FAULTS)?,
            bookmark: body.child(WSMAN, "Bookmark").map(|b| b.children.clone()).filter(|b| !b.is_empty()),
            send_bookmarks: body.child(WSMAN, "SendBookmarks").is_some(),
        })
    }

    /// Writes the body of a request. The prefixes of [`super::names::REQUEST_PREFIXES`] must be declared.
    pub fn write(&self, w: &mut Writer) {
        w.start("wse:Subscribe");
        if let Some(end_to) = &self.end_to {
            w.start("wse:EndTo");
            end_to.write(w);
            w.end("wse:EndTo");
        }
        self.delivery.write(w);
        if let Some(expires) = self.expires {
            w.leaf("wse:Expires", &expires.to_xml());
        }
        if let Some(filter) = &self.filter {
            filter.write(w);
        }
        if let Some(bookmark) = &self.bookmark {
            let mut holder = element(WSMAN, "Bookmark");
            holder.children.clone_from(bookmark);
            w.element(&holder);
        }
        if self.send_bookmarks {
            w.empty("wsman:SendBookmarks");
        }
        w.end("wse:Subscribe");
    }
}

impl Delivery {
    fn read(delivery: &Element) -> Result<Self, Fault> {
        let mode = delivery.attribute("", "Mode").map(str::trim).filter(|m| !m.is_empty());
        let mode = mode.map_or(DeliveryMode::Push, DeliveryMode::of);
        let notify_to = delivery.child(WSE, "NotifyTo").map(EndpointReference::read).transpose()?;
        let has_address = notify_to.as_ref().is_some_and(|e| !e.address.is_empty());
        // What a mode of others needs is not known here; the service refuses it by its name.
        let needs_sink = !matches!(mode, DeliveryMode::Pull | DeliveryMode::Other(_));
        if needs_sink && !has_address {
            return Err(invalid("wse:Delivery holds no wse:NotifyTo with a wsa:Address"));
        }
        // One client puts the heartbeats into its wsman:Auth.
        let auth = delivery.child(WSMAN, "Auth");
        let holder = auth.filter(|a| a.child(WSMAN, "Heartbeats").is_some()).unwrap_or(delivery);
        let text = |name| filled(delivery, WSMAN, name).map(str::to_owned);
        let attribute =
            |e: &Element, name| e.attribute("", name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let locale = delivery.child(WSMAN, "Locale").or_else(|| delivery.child(MS_WSMAN, "DataLocale"));
        Ok(Self {
            mode,
            notify_to,
            heartbeats: duration(holder, WSMAN, "Heartbeats")?,
            connection_retry: delivery.child(WSMAN, "ConnectionRetry").map(ConnectionRetry::read).transpose()?,
            max_elements: count(delivery, [WSMAN, WSE], "MaxElements")?,
            max_time: duration(delivery, WSMAN, "MaxTime")?,
            max_envelope_size: delivery.child(WSMAN, "MaxEnvelopeSize").map(DeliveryEnvelope::read).transpose()?,
            content_encoding: text("ContentEncoding"),
            locale: locale.and_then(|l| l.attribute(XML_NAMESPACE, "lang")).map(str::to_owned),
            auth_profile: auth.and_then(|a| attribute(a, "Profile")),
        })
    }

    fn write(&self, w: &mut Writer) {
        w.start("wse:Delivery").attribute("Mode", self.mode.uri());
        if let Some(notify_to) = &self.notify_to {
            w.start("wse:NotifyTo");
            notify_to.write(w);
            w.end("wse:NotifyTo");
        }
        if let Some(locale) = &self.locale {
            w.start("wsman:Locale").attribute("xml:lang", locale).end("wsman:Locale");
        }
        if let Some(encoding) = &self.content_encoding {
            w.leaf("wsman:ContentEncoding", encoding);
        }
        if let Some(retry) = self.connection_retry {
            w.start("wsman:ConnectionRetry").attribute("Total", &retry.total.to_string());
            w.text(&retry.interval.to_duration()).end("wsman:ConnectionRetry");
        }
        if let Some(heartbeats) = self.heartbeats {
            w.leaf("wsman:Heartbeats", &heartbeats.to_duration());
        }
        if let Some(most) = self.max_elements {
            w.start("wsman:MaxElements").unsigned(most).end("wsman:MaxElements");
        }
        if let Some(time) = self.max_time {
            w.leaf("wsman:MaxTime", &time.to_duration());
        }
        if let Some(size) = &self.max_envelope_size {
            w.start("wsman:MaxEnvelopeSize");
            if let Some(policy) = &size.policy {
                w.attribute("Policy", policy);
            }
            w.unsigned(size.octets).end("wsman:MaxEnvelopeSize");
        }
        if let Some(profile) = &self.auth_profile {
            w.start("wsman:Auth").attribute("Profile", profile).end("wsman:Auth");
        }
        w.end("wse:Delivery");
    }
}

impl ConnectionRetry {
    /// Interval and number are both zero or both not; both zero is no retry.
    fn read(retry: &Element) -> Result<Self, Fault> {
        let refuse = |why| Fault::detailed(FaultKind::UnsupportedFeature, FaultDetail::DeliveryRetries, why);
        let interval = duration_of(retry)?;
        let total = retry.attribute("", "Total").map(str::trim).unwrap_or_default();
        let total = if total.trim_matches('0').is_empty() && !total.is_empty() { Some(0) } else { positive(total) };
        let total = total.ok_or_else(|| refuse("wsman:ConnectionRetry must say in Total how many tries there are"))?;
        if (interval.microseconds() == 0) != (total == 0) {
            return Err(refuse("wsman:ConnectionRetry and its Total must both be zero or both not"));
        }
        Ok(Self { interval, total })
    }
}

impl DeliveryEnvelope {
    fn read(size: &Element) -> Result<Self, Fault> {
        let octets =
            positive(size.text()).ok_or_else(|| invalid("wsman:MaxEnvelopeSize must hold a number of octets"))?;
        let policy = size.attribute("", "Policy").map(str::trim).filter(|p| !p.is_empty());
        match policy {
            None | Some("CancelSubscription" | "Skip" | "Notify") => {
                Ok(Self { octets, policy: policy.map(str::to_owned) })
            }
            Some(other) => Err(Fault::detailed(
                FaultKind::UnsupportedFeature,
                FaultDetail::MaxEnvelopePolicy,
                format!(
                    "the Policy of wsman:MaxEnvelopeSize is CancelSubscription, Skip or Notify, not {:?}",
                    shown(other)
                ),
            )),
        }
    }
}

/// `wse:SubscribeResponse`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SubscribeResponse {
    /// Where the subscription is renewed and ended.
    pub manager: EndpointReference,
    /// How long it lives; without end if this is not there (R10.2.4-2).
    pub expires: Option<Expires>,
    /// In Pull mode, where the events are.
    pub context: Option<String>,
}

impl SubscribeResponse {
    /// Writes the body. `wse`, `wsen`, `wsman` and `wsa` must be declared.
    pub fn write(&self, w: &mut Writer) {
        w.start("wse:SubscribeResponse").start("wse:SubscriptionManager");
        self.manager.write(w);
        w.end("wse:SubscriptionManager");
        if let Some(expires) = self.expires {
            w.leaf("wse:Expires", &expires.to_xml());
        }
        if let Some(context) = &self.context {
            w.leaf("wsen:EnumerationContext", context);
        }
        w.end("wse:SubscribeResponse");
    }

    /// Reads the body.
    pub fn read(message: &Envelope) -> Result<Self, Fault> {
        let body = expect(message, "SubscribeResponse")?;
        let manager = body
            .child(WSE, "SubscriptionManager")
            .ok_or_else(|| invalid("wse:SubscribeResponse holds no wse:SubscriptionManager"))?;
        Ok(Self {
            manager: EndpointReference::read(manager)?,
            expires: Expires::child(body, WSE, FaultKind::EventingInvalidExpirationTime)?,
            context: filled(body, WSEN, "EnumerationContext").map(str::to_owned),
        })
    }
}

/// Reads `wse:Renew`: how long the subscription is to live from now on; without end if the client does not say.
pub fn read_renew(message: &Envelope) -> Result<Option<Expires>, Fault> {
    Expires::child(expect(message, "Renew")?, WSE, FaultKind::EventingInvalidExpirationTime)
}

/// Checks that the body is `wse:GetStatus`.
pub fn read_get_status(message: &Envelope) -> Result<(), Fault> {
    expect(message, "GetStatus").map(drop)
}

/// Checks that the body is `wse:Unsubscribe`.
pub fn read_unsubscribe(message: &Envelope) -> Result<(), Fault> {
    expect(message, "Unsubscribe").map(drop)
}

/// Writes `wse:Renew`, `wse:RenewResponse`, `wse:GetStatus` or `wse:GetStatusResponse`, whichever the tag names.
pub fn write_lifetime(w: &mut Writer, tag: &str, expires: Option<Expires>) {
    w.start(tag);
    if let Some(expires) = expires {
        w.leaf("wse:Expires", &expires.to_xml());
    }
    w.end(tag);
}

/// Reads the lifetime in `wse:RenewResponse` or `wse:GetStatusResponse`.
pub fn read_lifetime(message: &Envelope) -> Result<Option<Expires>, Fault> {
    let body = message.body("wse:RenewResponse or wse:GetStatusResponse")?;
    Expires::child(body, WSE, FaultKind::EventingInvalidExpirationTime)
}

/// Why a service ends a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndStatus {
    /// The sink could not be reached.
    DeliveryFailure,
    /// The service stops.
    SourceShuttingDown,
    /// The service does not want to go on.
    SourceCancelling,
}

/// Writes `wse:SubscriptionEnd`. `wse`, `wsman` and `wsa` must be declared.
pub fn write_subscription_end(w: &mut Writer, manager: &EndpointReference, status: EndStatus, reason: &str) {
    let status = match status {
        EndStatus::DeliveryFailure => "DeliveryFailure",
        EndStatus::SourceShuttingDown => "SourceShuttingDown",
        EndStatus::SourceCancelling => "SourceCancelling",
    };
    w.start("wse:SubscriptionEnd").start("wse:SubscriptionManager");
    manager.write(w);
    w.end("wse:SubscriptionManager");
    w.start("wse:Status").text(WSE).text("/").text(status).end("wse:Status");
    w.start("wse:Reason").attribute("xml:lang", "en-US").text(reason).end("wse:Reason");
    w.end("wse:SubscriptionEnd");
}

/// `wse:FilteringRequestedUnavailable` with the dialects that are served.
pub fn dialect_fault(requested: &str, supported: &[&str]) -> Fault {
    let reason = format!("the filter dialect {:?} is not supported", shown(requested));
    supported.iter().fold(Fault::new(FaultKind::FilteringRequestedUnavailable, reason), |fault, dialect| {
        fault.with_element(element(WSE, "SupportedDialect").with_text(*dialect))
    })
}

pub(super) fn invalid(why: &'static str) -> Fault {
    Fault::new(FaultKind::InvalidMessage, why)
}

pub(super) fn expect<'e>(message: &'e Envelope, name: &str) -> Result<&'e Element, Fault> {
    let refuse = |why: String| Fault::new(FaultKind::InvalidMessage, why);
    match &message.body {
        Some(body) if body.is(WSE, name) => Ok(body),
        Some(body) => Err(refuse(format!("the body must hold wse:{name}, not {}", shown(&body.name)))),
        None => Err(refuse(format!("the body is empty; it must hold wse:{name}"))),
    }
}
