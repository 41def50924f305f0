//! Pull of a subscription's events: waits until there are some (DSP0226 10.2.9.5).

use std::time::Duration;

use tokio::time::Instant;

use super::Service;
use super::exchange::Exchange;
use crate::events::{PullContext, PullError, Pulled};
use crate::soap::{Fault, FaultKind};
use crate::wire::enumeration::Pull;
use crate::wire::names::{EVENTING_PREFIXES, action};
use crate::wire::{Page, Told};
use crate::xml::Written;

/// The most events of one reply, whatever a client asks for.
const MOST: usize = 1000;
/// Room for what comes behind the headers, besides the events: a bookmark, the context, the ends of elements.
const AROUND: usize = 1024;
/// The reply leaves so long before the client stops waiting, or a tenth of its time.
const MARGIN: Duration = Duration::from_millis(500);

/// The next events, or no items if there are none in time; clients read `wsman:TimedOut` as an error.
pub(super) async fn pull(
    service: &Service,
    exchange: &Exchange<'_>,
    request: &Pull,
    context: PullContext,
    deadline: Instant,
) -> Result<Written, Fault> {
    let most = request.max_elements.map_or(1, |most| usize::try_from(most).unwrap_or(MOST)).min(MOST);
    let time = deadline.saturating_duration_since(exchange.begun);
    let until = deadline - MARGIN.min(time / 10);
    let pulled = service.events.pull(context, exchange.caller, most, until).await.map_err(pull_fault)?;
    let mut message = exchange.reply(action::PULL_RESPONSE, EVENTING_PREFIXES);
    // What the client has returned in the headers takes room as well.
    let told = fitting(&pulled, message.header().remaining().saturating_sub(AROUND));
    let dropped = told.iter().rev().find_map(|told| if let Told::Dropped(total) = told { Some(*total) } else { None });
    let taken = told.len() - usize::from(pulled.lost.is_some());
    let next = pulled.context_after(taken, dropped.unwrap_or(pulled.context.dropped));
    if let Some(bookmark) = pulled.bookmark(next) {
        message.header().leaf("wsman:Bookmark", &bookmark.to_string());
    }
    let w = message.body();
    let mut page = Page::pull(w);
    for told in told {
        page.item(w, |w| told.write(w));
    }
    page.close(w, Some(&next.to_string()), None);
    exchange.finish(message)
}

/// What goes into the reply: what was lost, and as many events as have room. One that is too large for any reply that the
/// client takes is dropped, and told so in its place (R10.9-2).
fn fitting(pulled: &Pulled, room: usize) -> Vec<Told<'_>> {
    let mut told: Vec<Told<'_>> = pulled.lost.map(Told::Dropped).into_iter().collect();
    let mut left = room;
    for event in &pulled.events {
        let item = Told::Event(event.xml());
        if let Some(rest) = left.checked_sub(item.octets()) {
            left = rest;
            told.push(item);
            continue;
        }
        if told.is_empty() {
            told.push(Told::Dropped(pulled.context.dropped.saturating_add(1)));
        }
        break;
    }
    told
}

fn pull_fault(error: PullError) -> Fault {
    let kind = match error {
        PullError::NotFound | PullError::Stale => FaultKind::InvalidEnumerationContext,
        PullError::NotYours => FaultKind::AccessDenied,
    };
    Fault::new(kind, error.to_string())
}
