//! WS-Enumeration: page by page (DSP0226 clause 8, DSP0227 clauses 8 and 9).

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use super::contexts::{ContextError, Resource};
use super::exchange::{Exchange, after};
use super::items;
use super::rest::{Bounds, Rest};
use super::{Service, event_pull};
use crate::cim::Interval;
use crate::events::PullContext;
use crate::soap::{Fault, FaultKind, Message};
use crate::wire::control::write_total_items;
use crate::wire::enumeration::{Enumerate, Pull, context_fault, read_release};
use crate::wire::names::{ENUMERATION_PREFIXES, action};
use crate::wire::{Expires, Page};
use crate::xml::Written;

/// Begins an enumeration; an optimized one answers with its first items.
pub(super) async fn enumerate(service: &Service, exchange: &Exchange<'_>) -> Result<Written, Fault> {
    let request = Enumerate::read(exchange.envelope)?;
    let granted = request.expires.map(|expires| grant(expires, service.clock.now())).transpose()?;
    let mut rest = items::select(service, exchange, &request).await?;
    let mut message = exchange.reply(action::ENUMERATE_RESPONSE, ENUMERATION_PREFIXES);
    if exchange.control.request_total {
        write_total_items(message.header(), rest.total());
    }
    let optimize = request.optimize;
    let bounds = Bounds::new(exchange, request.max_elements, None, deadline(service, exchange, None));
    let is_long = optimize && (rest.searches() || bounds.are_large());
    let (mut message, page, rest, at_end) = in_place(service, exchange, is_long, move || {
        let mut page = Page::enumerate(message.body(), optimize);
        let at_end = optimize && rest.fill(message.body(), &mut page, bounds)?;
        Ok((message, page, rest, at_end))
    })
    .await?;
    let context =
        if at_end { None } else { Some(open(service, exchange, granted.map(|(_, end)| end), rest)?.to_string()) };
    let expires = granted.map(|(expires, _)| expires.to_xml()).filter(|_| context.is_some());
    page.close(message.body(), context.as_deref(), expires.as_deref());
    exchange.finish(message)
}

/// The next page. A failed Pull does not end the enumeration (R8.4-3), nor does one whose client has gone.
pub(super) async fn pull(service: &Service, exchange: &Exchange<'_>) -> Result<Written, Fault> {
    let request = Pull::read(exchange.envelope)?;
    if let Ok(context) = request.context.parse::<PullContext>() {
        let deadline = deadline(service, exchange, request.max_time);
        return event_pull::pull(service, exchange, &request, context, deadline).await;
    }
    let id = context_id(&request.context)?;
    let mut taken = service.contexts.take(id, &exchange.caller.name, &resource(service, exchange)?)?;
    let mut message = exchange.reply(action::PULL_RESPONSE, ENUMERATION_PREFIXES);
    let known = taken.cursor().map(|rest| (rest.total(), rest.searches()));
    let (total, searches) = known.ok_or(ContextError::Unknown)?;
    if exchange.control.request_total {
        write_total_items(message.header(), total);
    }
    let deadline = deadline(service, exchange, request.max_time);
    let bounds = Bounds::new(exchange, request.max_elements, request.max_characters, deadline);
    let message = in_place(service, exchange, searches || bounds.are_large(), move || {
        let rest = taken.cursor().ok_or(ContextError::Unknown)?;
        if next_page(&mut message, rest.as_mut(), &request.context, bounds)? {
            taken.end();
        }
        Ok(message)
    })
    .await?;
    exchange.finish(message)
}

/// Fills a page here, or beside the event loop if that takes long: a filter looks at every instance, however few it lets
/// through.
async fn in_place<T: Send + 'static>(
    service: &Service,
    exchange: &Exchange<'_>,
    is_long: bool,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    if is_long {
        service.searches.take(&exchange.caller.name, exchange.deadline).await?.run(work).await?
    } else {
        work()
    }
}

/// When a page must be answered; MaxTime is another word for OperationTimeout, which goes before it (R8.4-4). Whoever gives
/// more time than the service would take gets what was found by then, since others wait for the place (R8.4-6).
fn deadline(service: &Service, exchange: &Exchange<'_>, max_time: Option<Interval>) -> Instant {
    let asked = match (exchange.control.operation_timeout, max_time) {
        (None, Some(time)) => exchange.deadline_after(time),
        _ => exchange.deadline,
    };
    asked.min(after(exchange.begun, service.settings().operation_timeout))
}

/// Ends an enumeration before its end.
pub(super) fn release(service: &Service, exchange: &Exchange<'_>) -> Result<Written, Fault> {
    let context = read_release(exchange.envelope)?;
    if context.parse::<PullContext>().is_ok() {
        let why = "the context is a subscription's, which Unsubscribe ends";
        return Err(Fault::new(FaultKind::InvalidEnumerationContext, why));
    }
    let id = context_id(&context)?;
    service.contexts.release(id, &exchange.caller.name, &resource(service, exchange)?)?;
    exchange.finish(exchange.reply(action::RELEASE_RESPONSE, ENUMERATION_PREFIXES))
}

fn next_page(message: &mut Message, rest: &mut dyn Rest, context: &str, bounds: Bounds) -> Result<bool, Fault> {
    let mut page = Page::pull(message.body());
    let at_end = rest.fill(message.body(), &mut page, bounds)?;
    page.close(message.body(), (!at_end).then_some(context), None);
    Ok(at_end)
}

fn open(
    service: &Service,
    exchange: &Exchange<'_>,
    ends: Option<DateTime<Utc>>,
    rest: Box<dyn Rest>,
) -> Result<Uuid, Fault> {
    let namespace = exchange.namespace(&service.broker, &exchange.control.resource()?)?;
    let resource = Resource { namespace: Some(namespace), ..resource(service, exchange)? };
    Ok(service.contexts.open(&exchange.caller.name, resource, ends, rest)?)
}

/// What every Pull and Release must repeat (R8.4-5).
fn resource(service: &Service, exchange: &Exchange<'_>) -> Result<Resource, Fault> {
    let control = &exchange.control;
    let uri = control.resource_uri.as_deref().ok_or(ContextError::OtherResource)?;
    let namespace = control.selectors.namespace().map(|name| service.broker.namespace(&name)).transpose();
    Ok(Resource {
        uri: uri.into(),
        namespace: namespace.map_err(|_| ContextError::OtherResource)?,
        selectors: control.selectors.clone(),
    })
}

fn context_id(text: &str) -> Result<Uuid, Fault> {
    Uuid::parse_str(text.strip_prefix("uuid:").unwrap_or(text)).map_err(|_| context_fault())
}

/// How long a context lives that was asked to live so long, and until when; longer than a day is a day.
fn grant(asked: Expires, now: DateTime<Utc>) -> Result<(Expires, DateTime<Utc>), Fault> {
    let longest = now + TimeDelta::days(1);
    let end = match asked {
        Expires::In(length) => now.checked_add_signed(length.to_delta()).unwrap_or(DateTime::<Utc>::MAX_UTC),
        Expires::At(time) => time.to_utc(),
    };
    if end <= now {
        let why = "wsen:Expires has passed already; give a later time";
        return Err(Fault::new(FaultKind::EnumerationInvalidExpirationTime, why));
    }
    Ok(match asked {
        _ if end <= longest => (asked, end),
        Expires::In(_) => (Expires::In(Interval::from_delta(longest - now)), longest),
        Expires::At(_) => (Expires::At(longest.fixed_offset()), longest),
    })
}
