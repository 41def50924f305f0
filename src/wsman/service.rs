//! The way of a request: read, judged, handed to the operation it names, answered.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::beside::Places;
use super::contexts::Contexts;
use super::exchange::{Exchange, after};
use super::rest::Rest;
use super::{
    FaultStatus, Operation, Reply, Request, Settings, enumeration, eventing, fragment, identify, invoke, transfer,
};
use crate::broker::Broker;
use crate::clock::SharedClock;
use crate::config::Live;
use crate::events::Events;
use crate::soap::{Addressing, Encoding, EncodingError, Envelope, EnvelopeError, Fault, FaultKind};
use crate::wire::identify::is_identify;
use crate::wire::names::{action, option};
use crate::wire::{ControlHeaders, ResourceUri};
use crate::xml::Limits;
use crate::xml::Written;

/// The options that are observed where instances are asked for; another one with MustComply is refused (R6.4-6).
const OF_INSTANCES: [&str; 4] =
    [option::EXCLUDE_NIL, option::SHOW_EXTENSIONS, option::PRECISE_ARRAYS, option::MODIFIED];

/// The options that are observed where classes are asked for.
const OF_CLASSES: [&str; 7] = [
    option::INCLUDE_QUALIFIERS,
    option::INCLUDE_CLASS_ORIGIN,
    option::INCLUDE_INHERITED_ELEMENTS,
    option::INCLUDE_INHERITANCE_HIERARCHY,
    option::INCLUDE_SUBCLASSES,
    option::INCLUDE_PATH,
    option::EXCLUDE_CLASS_SPECIFICATION,
];

/// The WS-Management service: everything behind the transport.
#[derive(Debug)]
pub struct Service {
    pub(super) broker: Arc<Broker>,
    pub(super) events: Arc<Events>,
    pub(super) contexts: Arc<Contexts<Box<dyn Rest>>>,
    pub(super) clock: SharedClock,
    settings: Live<Settings>,
    /// How callers may authenticate: the last parts of DSP0226's names (A.2).
    security_profiles: Live<Vec<&'static str>>,
    /// For methods and for changes of instances: staging a large file takes minutes.
    pub(super) changes: Places,
    /// For making and deleting instances, which may wait for a job. Whoever waits must not keep others from cancelling it.
    pub(super) waits: Places,
    /// For subscriptions: looking up a sink's name takes seconds.
    pub(super) subscriptions: Places,
    /// For filters: each looks at every instance, however few it lets through.
    pub(super) searches: Places,
}

/// Of the 24 threads that each worker of the server has, these and the page leave some to the checking of passwords.
const CHANGES: usize = 5;
const WAITS: usize = 3;
const SUBSCRIPTIONS: usize = 2;
const SEARCHES: usize = 3;

impl Service {
    /// A service of these objects and events.
    pub fn new(broker: Arc<Broker>, events: Arc<Events>, clock: SharedClock, settings: Settings) -> Self {
        let contexts = Arc::new(Contexts::new(settings.contexts, clock.clone()));
        Self {
            broker,
            events,
            contexts,
            clock,
            settings: Live::new(settings),
            security_profiles: Live::new(vec!["https/basic"]),
            changes: Places::new(CHANGES, CHANGES - 2),
            waits: Places::new(WAITS, WAITS - 1),
            subscriptions: Places::new(SUBSCRIPTIONS, SUBSCRIPTIONS - 1),
            searches: Places::new(SEARCHES, SEARCHES - 1),
        }
    }

    /// Has it tell from now on that callers may authenticate so: `https/basic` and its like, the last parts of DSP0226's names
    /// (A.2).
    pub fn tell_security_profiles(&self, security_profiles: Vec<&'static str>) {
        self.security_profiles.replace(security_profiles);
    }

    /// Has these settings hold from now on; enumerations that are open go on.
    pub fn take(&self, settings: Settings) {
        self.contexts.limit(settings.contexts);
        self.settings.replace(settings);
    }

    /// The settings that hold now.
    pub(super) fn settings(&self) -> Settings {
        *self.settings.get()
    }

    /// Answers a request. Every failure is a fault in the reply; nothing a peer sends makes this panic.
    pub async fn handle(&self, request: Request) -> Reply {
        let read = Encoding::detect(&request.body, request.charset.as_deref())
            .and_then(|encoding| Ok((encoding, encoding.decode(&request.body)?)));
        let (encoding, text) = match read {
            Ok(read) => read,
            Err(error) => return self.not_decoded(&error),
        };
        let envelope = match Envelope::read(&text, &Limits::default()) {
            Ok(envelope) => envelope,
            Err(EnvelopeError::Xml(error)) => return bad_request(&error.to_string()),
            Err(EnvelopeError::Fault { fault, message_id }) => {
                let addressing = Addressing { message_id, ..Addressing::default() };
                return self.fault(&fault, &addressing, encoding);
            }
        };
        let reply = match self.answer(&envelope, &request, encoding).await {
            Ok(message) => reply(200, encoding, message),
            Err(fault) => self.fault(&fault, &envelope.addressing, encoding),
        };
        Reply { operation: operation(&envelope), ..reply }
    }

    /// How many enumerations are open.
    pub fn open_enumerations(&self) -> usize {
        self.contexts.count()
    }

    async fn answer(&self, envelope: &Envelope, request: &Request, encoding: Encoding) -> Result<Written, Fault> {
        if is_identify(envelope) {
            return Ok(identify::answer(request.caller.is_some(), &self.security_profiles.get()).into());
        }
        let Some(caller) = &request.caller else {
            return Err(Fault::new(FaultKind::AccessDenied, "without credentials only Identify is answered"));
        };
        envelope.addressing.check_request()?;
        let action = envelope.action()?;
        check_soap_action(request, action)?;
        let control = ControlHeaders::read(&envelope.headers)?;
        let of_classes = matches!(control.resource(), Ok(ResourceUri::Classes(_)));
        control.options.check_known(if of_classes { &OF_CLASSES } else { &OF_INSTANCES })?;
        control.options.check_switches(&[option::MODIFIED])?;
        let asked = control.max_envelope_size.and_then(|size| usize::try_from(size).ok());
        let settings = self.settings();
        let octets = asked.map_or(settings.max_envelope_size, |asked| asked.min(settings.largest_envelope));
        let is_own_limit = asked.is_none_or(|asked| asked > octets);
        let begun = Instant::now();
        let asked = control.operation_timeout.map(|time| Duration::from_micros(time.microseconds()));
        let exchange = Exchange {
            envelope,
            control,
            caller,
            address: &request.address,
            upload: request.upload.as_ref(),
            budget: encoding.utf8_budget(octets),
            is_own_limit,
            begun,
            deadline: after(begun, asked.unwrap_or(settings.operation_timeout)),
        };
        self.dispatch(action, &exchange).await
    }

    async fn dispatch(&self, action: &str, exchange: &Exchange<'_>) -> Result<Written, Fault> {
        const TRANSFERS: [&str; 4] = [action::GET, action::PUT, action::CREATE, action::DELETE];
        if let Some(header) = &exchange.control.fragment {
            if !TRANSFERS.contains(&action) {
                return Err(fragment::unsupported("only Get, Put, Create and Delete are about parts of an instance"));
            }
            return fragment::transfer(self, exchange, header, action).await;
        }
        match action {
            action::GET => transfer::get(self, exchange).await,
            action::PUT => transfer::put(self, exchange).await,
            action::CREATE => transfer::create(self, exchange).await,
            action::DELETE => transfer::delete(self, exchange).await,
            action::ENUMERATE => enumeration::enumerate(self, exchange).await,
            action::PULL => enumeration::pull(self, exchange).await,
            action::RELEASE => enumeration::release(self, exchange),
            action::SUBSCRIBE => eventing::subscribe(self, exchange).await,
            action::RENEW => eventing::renew(self, exchange).await,
            action::GET_STATUS => eventing::status(self, exchange).await,
            action::UNSUBSCRIBE => eventing::unsubscribe(self, exchange).await,
            other => invoke::invoke(self, exchange, other).await,
        }
    }

    fn not_decoded(&self, error: &EncodingError) -> Reply {
        match error.fault() {
            Some(fault) => self.fault(&fault, &Addressing::default(), Encoding::Utf8),
            None => bad_request(&error.to_string()),
        }
    }

    fn fault(&self, fault: &Fault, addressing: &Addressing, encoding: Encoding) -> Reply {
        // A peer's mistake is the peer's to read; ours is the operator's.
        if fault.kind() == FaultKind::InternalError {
            tracing::error!(error = std::error::Error::source(fault), "{}", fault.reason());
        } else {
            tracing::debug!(kind = ?fault.kind(), "{}", fault.reason());
        }
        let status = match self.settings().fault_status {
            FaultStatus::Always500 => 500,
            FaultStatus::Dsp0226 => fault.kind().http_status(),
        };
        reply(status, encoding, fault.to_message(addressing).into())
    }
}

fn reply(status: u16, encoding: Encoding, message: Written) -> Reply {
    let content_type = Some(encoding.content_type());
    Reply { status, content_type, body: encoding.encode_pieces(message), operation: Operation::None }
}

fn operation(envelope: &Envelope) -> Operation {
    if is_identify(envelope) {
        return Operation::Identify;
    }
    envelope.action().map_or(Operation::None, Operation::of)
}

/// What is no XML at all gets no SOAP reply either: there is nothing to relate it to.
fn bad_request(why: &str) -> Reply {
    let content_type = Some("text/plain;charset=UTF-8");
    Reply { status: 400, content_type, body: format!("{why}\n").into_bytes().into(), operation: Operation::None }
}

/// A SOAPAction header is not needed, but one that contradicts wsa:Action is a mistake (DSP0226 RC.2-12).
fn check_soap_action(request: &Request, action: &str) -> Result<(), Fault> {
    match request.soap_action.as_deref().map(str::trim) {
        Some(given) if !given.is_empty() && given != action => Err(Fault::new(
            FaultKind::MessageInformationHeaderRequired,
            "the HTTP header SOAPAction differs from wsa:Action; leave it out or send the same",
        )),
        _ => Ok(()),
    }
}
