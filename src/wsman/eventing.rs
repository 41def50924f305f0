//! WS-Eventing: subscriptions to indications (DSP0226 clause 10, DSP0227 clause 10).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use super::exchange::Exchange;
use super::items::language;
use super::{Service, subscribing};
use crate::broker::INTEROP_NAMESPACE;
use crate::cim::query::Language;
use crate::cim::{CimStatus, Interval, ObjectPath, Value};
use crate::events::{Events, Expiry, ManageError, NewSubscription, SubscribeError};
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::wire::eventing::{self, Subscribe, SubscribeResponse, dialect_fault, write_lifetime};
use crate::wire::names::{EVENTING_PREFIXES, action, dialect};
use crate::wire::{Expires, Filter, ResourceUri, SinkSecurity, cim_error, cim_fault};
use crate::xml::Written;

/// The class of filters that are there already.
const FILTER_CLASS: &str = "CIM_IndicationFilter";
const DIALECTS: [&str; 3] = [dialect::CQL, dialect::WQL, dialect::WQL_DMTF];

/// Subscribe.
pub(super) async fn subscribe(service: &Service, exchange: &Exchange<'_>) -> Result<Written, Fault> {
    let request = Subscribe::read(exchange.envelope)?;
    let new = new_subscription(service, exchange, &request)?;
    let (deadline, caller) = (exchange.deadline, exchange.caller.clone());
    let made = beside(service, exchange, move |events| {
        let made = events.subscribe(new);
        // Nobody learns the name of what was made too late, so nobody could end it.
        if let Ok(late) = made.as_ref()
            && Instant::now() >= deadline
        {
            let _ = events.unsubscribe(late.id, &caller);
        }
        made
    });
    let subscription = made.await?.map_err(subscribe_fault)?;
    let response = SubscribeResponse {
        expires: granted(request.expires, subscription.expires, service.clock.now()),
        context: service.events.first_context(subscription.id).map(|context| context.to_string()),
        manager: subscription.manager,
    };
    let mut message = exchange.reply(action::SUBSCRIBE_RESPONSE, EVENTING_PREFIXES);
    response.write(message.body());
    exchange.finish_change(message)
}

/// Renew.
pub(super) async fn renew(service: &Service, exchange: &Exchange<'_>) -> Result<Written, Fault> {
    let asked = eventing::read_renew(exchange.envelope)?;
    let (id, caller) = (identifier(exchange)?, exchange.caller.clone());
    let end = beside(service, exchange, move |events| events.renew(id, &caller, asked.map(Expiry::from))).await?;
    let end = end.map_err(|error| manage_fault(error, FaultKind::UnableToRenew))?;
    let mut message = exchange.reply(action::RENEW_RESPONSE, EVENTING_PREFIXES);
    write_lifetime(message.body(), "wse:RenewResponse", granted(asked, end, service.clock.now()));
    exchange.finish_change(message)
}

/// GetStatus.
pub(super) async fn status(service: &Service, exchange: &Exchange<'_>) -> Result<Written, Fault> {
    eventing::read_get_status(exchange.envelope)?;
    let (id, caller) = (identifier(exchange)?, exchange.caller.clone());
    let subscription = beside(service, exchange, move |events| events.status(id, &caller)).await?;
    let subscription = subscription.map_err(|error| manage_fault(error, FaultKind::DestinationUnreachable))?;
    let mut message = exchange.reply(action::GET_STATUS_RESPONSE, EVENTING_PREFIXES);
    let expires = granted(None, subscription.expires, service.clock.now());
    write_lifetime(message.body(), "wse:GetStatusResponse", expires);
    exchange.finish(message)
}

/// Unsubscribe.
pub(super) async fn unsubscribe(service: &Service, exchange: &Exchange<'_>) -> Result<Written, Fault> {
    eventing::read_unsubscribe(exchange.envelope)?;
    let (id, caller) = (identifier(exchange)?, exchange.caller.clone());
    let ended = beside(service, exchange, move |events| events.unsubscribe(id, &caller)).await?;
    ended.map_err(|error| manage_fault(error, FaultKind::DestinationUnreachable))?;
    exchange.finish_change(exchange.reply(action::UNSUBSCRIBE_RESPONSE, EVENTING_PREFIXES))
}

fn new_subscription(service: &Service, exchange: &Exchange<'_>, request: &Subscribe) -> Result<NewSubscription, Fault> {
    let Source { class, filter } = source(service, exchange, request)?;
    Ok(NewSubscription {
        owner: exchange.caller.clone(),
        class,
        filter,
        delivery: subscribing::delivery(request, exchange.control.issued_tokens.is_some())?,
        notify_to: request.delivery.notify_to.clone(),
        security: SinkSecurity::read(exchange.envelope, exchange.control.issued_tokens.as_ref())?,
        end_to: request.end_to.clone(),
        expires: request.expires.map(Expiry::from),
        bookmark: subscribing::bookmark(request)?,
        asked_at: (
            exchange.address.to_owned(),
            exchange.control.resource_uri.as_deref().unwrap_or_default().to_owned(),
        ),
    })
}

/// What events are asked for: those of a class, those that a query selects, or both.
struct Source {
    class: Option<Arc<str>>,
    filter: Option<(Language, String)>,
}

/// What the request names: a class, all classes, or a filter that is there already (DSP0227 10.2.1).
fn source(service: &Service, exchange: &Exchange<'_>, request: &Subscribe) -> Result<Source, Fault> {
    let resource = exchange.control.resource()?;
    exchange.namespace(&service.broker, &resource)?;
    if let Some(class) = resource.class() {
        service.broker.class_anywhere(class).map_err(cim_fault)?;
    }
    match &resource {
        ResourceUri::Class { class, .. } if class.eq_ignore_ascii_case(FILTER_CLASS) => {
            Ok(Source { class: None, filter: Some(existing_filter(service, exchange, request)?) })
        }
        ResourceUri::Class { .. } | ResourceUri::AllClasses { .. } => Ok(Source {
            class: resource.class().map(Arc::from),
            filter: request.filter.as_ref().map(filter).transpose()?,
        }),
        ResourceUri::Classes(_) => Err(Fault::detailed(
            FaultKind::ActionNotSupported,
            FaultDetail::ActionMismatch,
            "classes do not change; subscribe to the class of an indication or to all classes",
        )),
    }
}

/// The query of the filter that the selectors name; the request brings none of its own then (DSP0227 R10.2.2-2).
fn existing_filter(
    service: &Service,
    exchange: &Exchange<'_>,
    request: &Subscribe,
) -> Result<(Language, String), Fault> {
    if request.filter.is_some() {
        return Err(Fault::new(
            FaultKind::InvalidParameter,
            "the selectors name an indication filter, so leave the filter in the body out",
        ));
    }
    let instance = service.broker.get(exchange.caller, &filter_path(service, exchange)?).map_err(cim_fault)?;
    let text = |name: &str| instance.get(name).and_then(Value::as_str).unwrap_or_default();
    let language = Language::named(text("QueryLanguage")).ok_or_else(|| {
        Fault::new(FaultKind::EventSourceUnableToProcess, "the filter's QueryLanguage is not one of this service")
    })?;
    Ok((language, text("Query").to_owned()))
}

/// wsmancli and OpenPegasus' clients name the filter and leave the rest to the service.
fn filter_path(service: &Service, exchange: &Exchange<'_>) -> Result<ObjectPath, Fault> {
    let resource = exchange.control.resource()?;
    let namespace = exchange.control.namespace(&resource)?;
    let namespace = service.broker.namespace(namespace.as_deref().unwrap_or(INTEROP_NAMESPACE)).map_err(cim_fault)?;
    let class = service.broker.class(&namespace, FILTER_CLASS).map_err(cim_fault)?;
    let keys = exchange.mapping(&service.broker, &namespace).some_keys(class, &exchange.control.selectors)?;
    if !keys.iter().any(|(key, _)| &**key == "Name") {
        return Err(Fault::detailed(
            FaultKind::InvalidSelectors,
            FaultDetail::InsufficientSelectors,
            "the selector Name is missing; it says which filter the events are to pass",
        ));
    }
    Ok(ObjectPath::new(namespace, class.name().clone(), keys))
}

fn filter(filter: &Filter) -> Result<(Language, String), Fault> {
    let requested = match filter {
        Filter::Query { dialect, text } => match language(dialect) {
            Some(language) => return Ok((language, text.clone())),
            None => dialect.as_str(),
        },
        Filter::Association(_) => dialect::ASSOCIATION,
        Filter::Selectors(_) => dialect::SELECTOR,
    };
    Err(dialect_fault(requested, &DIALECTS))
}

const HALF_A_SECOND: TimeDelta = TimeDelta::milliseconds(500);

/// What was granted, written as the client wrote what it asked for.
fn granted(asked: Option<Expires>, end: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Expires> {
    let end = end?;
    Some(match asked {
        Some(Expires::At(_)) => Expires::At(end.fixed_offset()),
        // The second that passes while we answer is not taken off what was asked for.
        Some(Expires::In(length)) if (end - now - length.to_delta()).num_seconds().abs() <= 1 => Expires::In(length),
        _ => Expires::In(Interval::from_seconds(Interval::from_delta(end - now + HALF_A_SECOND).seconds())),
    })
}

/// A subscription is known by its identifier alone: clients return reference parameters as they please.
fn identifier(exchange: &Exchange<'_>) -> Result<Uuid, Fault> {
    let text = exchange.control.identifier.as_deref().ok_or_else(|| {
        Fault::new(
            FaultKind::MessageInformationHeaderRequired,
            "send the reference parameters of the SubscriptionManager back as headers; wse:Identifier is missing",
        )
    })?;
    let unknown = |_| Fault::new(FaultKind::DestinationUnreachable, ManageError::NotFound.to_string());
    Uuid::parse_str(text.strip_prefix("uuid:").unwrap_or(text)).map_err(unknown)
}

/// Events are kept in the store, which blocks.
async fn beside<T: Send + 'static>(
    service: &Service,
    exchange: &Exchange<'_>,
    work: impl FnOnce(&Events) -> T + Send + 'static,
) -> Result<T, Fault> {
    let events = service.events.clone();
    service.subscriptions.run_until(&exchange.caller.name, exchange.deadline, move || work(&events)).await
}

fn subscribe_fault(error: SubscribeError) -> Fault {
    let kind = match error {
        SubscribeError::FilterMissing => FaultKind::InvalidMessage,
        SubscribeError::NoIndication(_) | SubscribeError::ClassesDiffer { .. } => FaultKind::EventSourceUnableToProcess,
        SubscribeError::Filter { .. } => {
            let reason = error.to_string();
            let shown = cim_error(CimStatus::InvalidQuery, &reason);
            return Fault::new(FaultKind::CannotProcessFilter, reason).with_element(shown);
        }
        SubscribeError::NotifyTo(_) | SubscribeError::EndTo(_) => FaultKind::EventDeliverToUnusable,
        SubscribeError::Bookmark(error) => return subscribing::bookmark_fault(error),
        SubscribeError::InvalidExpirationTime => FaultKind::EventingInvalidExpirationTime,
        SubscribeError::Quota { .. } => FaultKind::QuotaLimit,
        SubscribeError::Security(error) => return Fault::internal(error),
        SubscribeError::Store(error) => return Fault::internal(error),
        SubscribeError::Unrecorded(error) => return cim_fault(error.into()),
    };
    Fault::new(kind, error.to_string())
}

fn manage_fault(error: ManageError, unknown: FaultKind) -> Fault {
    let kind = match error {
        ManageError::NotFound => unknown,
        ManageError::NotYours => FaultKind::AccessDenied,
        ManageError::InvalidExpirationTime => FaultKind::EventingInvalidExpirationTime,
        ManageError::Store(error) => return Fault::internal(error),
        ManageError::Unrecorded(error) => return cim_fault(error.into()),
    };
    Fault::new(kind, error.to_string())
}
