//! Subscriptions to events, and how much each of them still has to be told.

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
use crate::broker::INTEROP_NAMESPACE;
use crate::cim::Instance;
use crate::events::Queue;

const SUBSCRIPTION: &str = "CIM_IndicationSubscription";

#[derive(Debug, Template)]
#[template(path = "subscriptions.html")]
struct SubscriptionsPage {
    frame: Frame,
    subscriptions: Vec<Subscription>,
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
    next_attempt: Moment,
}

/// Those that the caller may see: the own ones, or all.
pub(super) async fn list(page: Data<Page>, request: HttpRequest) -> HttpResponse {
    visit::show(page, request, made).await
}

/// Ends one.
pub(super) async fn end(page: Data<Page>, request: HttpRequest, body: Payload) -> HttpResponse {
    visit::act(page, request, body, ended).await
}

fn made(visit: &Visit) -> Result<SubscriptionsPage, Failure> {
    let all = visit.objects.all(INTEROP_NAMESPACE, SUBSCRIPTION)?;
    let subscriptions = all.iter().map(|link| Subscription::of(visit, link)).collect::<Result<_, _>>()?;
    Ok(SubscriptionsPage { frame: visit.frame("Subscriptions", "/subscriptions")?, subscriptions })
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
    fn of(visit: &Visit, link: &Instance) -> Result<Self, Failure> {
        let end = |name: &str| match link.reference(name) {
            Some(path) => visit.objects.find(&path),
            None => Ok(None),
        };
        let (filter, handler) = (end("Filter")?, end("Handler")?);
        let id = link.text("SubscriptionInfo");
        let queue = id.parse::<Uuid>().ok().and_then(|id| visit.events.queue(id));
        let moment = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(Moment::new).unwrap_or_default();
        Ok(Self {
            query: filter.map(|filter| filter.text("Query")).unwrap_or_default(),
            destination: handler.as_ref().map(|handler| handler.text("Destination")).unwrap_or_default(),
            mode: handler.map(|handler| handler.word("DeliveryMode")).unwrap_or_default(),
            since: link.moment("SubscriptionStartTime"),
            remaining: link.number("SubscriptionTimeRemaining").map(reading::length).unwrap_or_default(),
            failing_since: moment(queue.and_then(|queue| queue.failing_since)),
            next_attempt: moment(queue.and_then(|queue| queue.next_attempt)),
            queue,
            id,
        })
    }
}
