//! What happens on a host, told as it happens: subscriptions that are pulled, which need no way back to us.

use std::time::Duration;

use tokio::time::Instant;

use super::session::Asked;
use super::{ConsoleError, Resource, Session};
use crate::cim::Interval;
use crate::soap::{EndpointReference, FaultKind};
use crate::wire::enumeration::{Pull, ReceivedPage};
use crate::wire::eventing::{Delivery, DeliveryMode, Subscribe, SubscribeResponse, write_lifetime};
use crate::wire::names::{WSMAN, action};
use crate::wire::{Expires, Filter, PlainInstance};
use crate::xml::ElementExt;

/// How long a subscription lives that nobody prolongs.
const LIFETIME: Duration = Duration::from_secs(600);
/// When it is prolonged.
const RENEWAL: Duration = Duration::from_secs(240);
/// How many events come at once at most.
const PAGE: u64 = 1000;
/// Indications of all classes.
const ALL_CLASSES: &str = "*";

/// A subscription of ours. One that is dropped without [`Session::unsubscribe`] ends by itself after some minutes.
#[derive(Debug)]
pub struct Subscription {
    resource: Resource,
    manager: EndpointReference,
    context: String,
    renewed: Instant,
}

/// Something that a host tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// An indication.
    Event(Box<PlainInstance>),
    /// Events were dropped that could not be told; so many since the subscription began.
    Dropped(u64),
}

impl Session {
    /// Subscribes to the indications that a query selects.
    pub async fn subscribe(&self, filter: Filter) -> Result<Subscription, ConsoleError> {
        let resource = Resource::known(ALL_CLASSES);
        let delivery = Delivery { mode: DeliveryMode::Pull, ..Delivery::default() };
        let expires = Some(Expires::In(interval(LIFETIME)));
        let body = Subscribe { delivery, expires, filter: Some(filter), ..Subscribe::default() };
        let reply = self.ask(Asked::about(&resource, action::SUBSCRIBE), |w| body.write(w)).await?;
        let response = SubscribeResponse::read(&reply).map_err(|fault| ConsoleError::unreadable(&fault))?;
        let none = || ConsoleError::Reply("the host tells no place where its events can be pulled from".to_owned());
        let context = response.context.ok_or_else(none)?;
        Ok(Subscription { resource, manager: response.manager, context, renewed: Instant::now() })
    }

    /// Waits for events; after some time there may be none.
    pub async fn events(&self, subscription: &mut Subscription, wait: Duration) -> Result<Vec<Told>, ConsoleError> {
        if subscription.renewed.elapsed() >= RENEWAL {
            let expires = Some(Expires::In(interval(LIFETIME)));
            self.manage(subscription, action::RENEW, "wse:Renew", expires).await?;
            subscription.renewed = Instant::now();
        }
        let context = subscription.context.clone();
        let body = Pull { context, max_elements: Some(PAGE), max_time: Some(interval(wait)), ..Pull::default() };
        let asked = Asked::about(&subscription.resource, action::PULL);
        let reply = match self.ask(asked, |w| body.write(w)).await {
            // Some have this for an answer where there is nothing to tell (DSP0226 R8.4-6).
            Err(ConsoleError::Fault(fault)) if fault.kind == Some(FaultKind::TimedOut) => return Ok(Vec::new()),
            reply => reply?,
        };
        let page = ReceivedPage::read(&reply).map_err(|fault| ConsoleError::unreadable(&fault))?;
        if let Some(context) = page.context {
            subscription.context = context;
        } else {
            return Err(ConsoleError::Reply("the host has ended the subscription".to_owned()));
        }
        let told = page.items.iter().map(|item| {
            if item.is(WSMAN, "DroppedEvents") {
                return Ok(Told::Dropped(item.text().parse().unwrap_or(0)));
            }
            Ok(Told::Event(Box::new(PlainInstance::read(item)?)))
        });
        told.collect::<Result<_, _>>().map_err(|fault| ConsoleError::unreadable(&fault))
    }

    /// Ends a subscription.
    pub async fn unsubscribe(&self, subscription: Subscription) -> Result<(), ConsoleError> {
        self.manage(&subscription, action::UNSUBSCRIBE, "wse:Unsubscribe", None).await
    }

    async fn manage(
        &self,
        subscription: &Subscription,
        action: &str,
        tag: &str,
        expires: Option<Expires>,
    ) -> Result<(), ConsoleError> {
        // Behind a proxy a host knows itself by another address than we do.
        let manager = EndpointReference { address: self.address().to_owned(), ..subscription.manager.clone() };
        self.ask_at(&manager, Asked::at(action), |w| write_lifetime(w, tag, expires)).await.map(drop)
    }
}

fn interval(time: Duration) -> Interval {
    Interval::from_seconds(time.as_secs())
}
