//! Subscriptions to events, and how much each of them still has to be told.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::Page;
use super::failure::Failure;
use super::frame::Frame;
use super::reading::{self, Moment, Reading};
use super::reply::Answer;
use super::visit::{self, Visit};
use crate::access::Role;
use crate::broker::INTEROP_NAMESPACE;
use crate::cim::Instance;
use crate::events::Queue;

const SUBSCRIPTION: &str = "CIM_IndicationSubscription";

#[derive(Debug, Template)]
#[template(path = "subscriptions.html")]
struct SubscriptionsPage {
    frame: Frame,
    subscriptions: Vec<Subscription>,
    /// How many of them are not delivered now.
    failing: usize,
    /// Whether those of all users are shown.
    sees_all: bool,
}

#[derive(Debug)]
struct Subscription {
    id: String,
    query: String,
    destination: String,
    mode: String,
    since: Moment,
    /// How long it still lasts; empty if for ever.
    remaining: String,
    queue: Option<Queue>,
    failing_since: Moment,
    /// Why the last attempt failed; empty if that is not known.
    failure: String,
    /// When the next attempt is made, from now.
    next_attempt: String,
    /// Whose it is; only told to those who see all.
    owner: String,
}

/// Those that the caller may see: the own ones, or all.
pub(super) async fn list(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, made).await
}

/// Ends one.
pub(super) async fn end(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, ended).await
}

/// How many of those that the caller may see are not delivered now. Answers from memory.
pub(super) fn undelivered(visit: &Visit) -> usize {
    let caller = visit.objects.caller();
    let is_shown = |owner: &str| caller.role == Role::Admin || *owner == *caller.name;
    let failing = |id: Uuid| visit.events.queue(id).is_some_and(|queue| queue.failures > 0);
    let known = visit.events.subscriptions().into_iter();
    known.filter(|known| is_shown(&known.owner.name) && failing(known.id)).count()
}

fn made(visit: &Visit) -> Result<SubscriptionsPage, Failure> {
    let all = visit.objects.all(INTEROP_NAMESPACE, SUBSCRIPTION)?;
    let sees_all = visit.objects.caller().role == Role::Admin;
    let owners: HashMap<Uuid, Arc<str>> = if sees_all {
        visit.events.subscriptions().into_iter().map(|known| (known.id, known.owner.name)).collect()
    } else {
        HashMap::new()
    };
    let subscriptions: Vec<Subscription> =
        all.iter().map(|link| Subscription::of(visit, link, &owners)).collect::<Result<_, _>>()?;
    let is_failing = |subscription: &&Subscription| subscription.queue.as_ref().is_some_and(|queue| queue.failures > 0);
    let failing = subscriptions.iter().filter(is_failing).count();
    Ok(SubscriptionsPage { frame: visit.frame("Subscriptions", "/subscriptions")?, subscriptions, failing, sees_all })
}

fn ended(visit: &Visit) -> Result<Answer, Failure> {
    let id = visit.fields.text("id");
    let all = visit.objects.all(INTEROP_NAMESPACE, SUBSCRIPTION)?;
    let wanted = all.iter().find(|link| link.text("SubscriptionInfo") == id);
    let wanted = wanted.ok_or_else(|| Failure::not_found("There is no such subscription any more."))?;
    visit.objects.delete(wanted)?;
    Ok(Answer::Go("/subscriptions".to_owned()))
}

impl Subscription {
    fn of(visit: &Visit, link: &Instance, owners: &HashMap<Uuid, Arc<str>>) -> Result<Self, Failure> {
        let end = |name: &str| match link.reference(name) {
            Some(path) => visit.objects.find(&path),
            None => Ok(None),
        };
        let (filter, handler) = (end("Filter")?, end("Handler")?);
        let id = link.text("SubscriptionInfo");
        let number = id.parse::<Uuid>().ok();
        let queue = number.and_then(|id| visit.events.queue(id));
        let state = queue.as_ref();
        let wait = state.and_then(|queue| queue.next_attempt).map(|next| (next - visit.now).num_seconds());
        Ok(Self {
            query: filter.map(|filter| filter.text("Query")).unwrap_or_default(),
            destination: handler.as_ref().map(|handler| handler.text("Destination")).unwrap_or_default(),
            mode: handler.map(|handler| handler.word("DeliveryMode")).unwrap_or_default(),
            since: link.moment("SubscriptionStartTime"),
            remaining: link.number("SubscriptionTimeRemaining").map(reading::length).unwrap_or_default(),
            failing_since: state.and_then(|queue| queue.failing_since).map(Moment::new).unwrap_or_default(),
            failure: state.and_then(|queue| queue.failure.as_deref()).unwrap_or_default().to_owned(),
            next_attempt: wait.map(in_seconds).unwrap_or_default(),
            owner: number.and_then(|id| owners.get(&id)).map(|name| (**name).to_owned()).unwrap_or_default(),
            queue,
            id,
        })
    }
}

fn in_seconds(seconds: i64) -> String {
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => format!("in {}", reading::length(seconds)),
        _ => "now".to_owned(),
    }
}
