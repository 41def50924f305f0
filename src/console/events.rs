//! What happens on a host, told as it happens: subscriptions that are pulled, which need no way back to us, and such that are
//! delivered to a [`super::Listener`].

use std::time::Duration;

use tokio::time::Instant;

use super::session::Asked;
use super::{ConsoleError, Inlet, Listener, Resource, Session};
use crate::cim::Interval;
use crate::soap::{EndpointReference, FaultKind};
use crate::wire::enumeration::{Pull, ReceivedPage};
use crate::wire::eventing::{Delivery, DeliveryMode, Subscribe, SubscribeResponse, write_lifetime};
use crate::wire::names::action;
use crate::wire::{CertificateThumbprint, Delivered, Expires, Filter, SinkSecurity};
use crate::xml::Element;

/// How long a subscription lives that nobody prolongs.
const LIFETIME: Duration = Duration::from_secs(600);
/// When it is prolonged.
pub const RENEWAL: Duration = Duration::from_secs(240);
/// How many events come at once at most.
const PAGE: u64 = 1000;
/// Indications of all classes.
const ALL_CLASSES: &str = "*";

/// A subscription of ours. One that is dropped without [`Session::unsubscribe`] ends by itself after some minutes.
#[derive(Debug)]
pub struct Subscription {
    manager: EndpointReference,
    /// Where the next events are; only if they are pulled.
    context: Option<String>,
    renewed: Instant,
}

impl Subscription {
    /// Whether it is to be prolonged. One that is pulled is prolonged by itself.
    pub fn is_to_be_renewed(&self) -> bool {
        self.renewed.elapsed() >= RENEWAL
    }
}

impl Session {
    /// Subscribes to the indications that a query selects, to pull them.
    pub async fn subscribe(&self, filter: Filter) -> Result<Subscription, ConsoleError> {
        let delivery = Delivery { mode: DeliveryMode::Pull, ..Delivery::default() };
        let subscription = self.subscribe_by(filter, delivery, None).await?;
        match subscription.context {
            Some(_) => Ok(subscription),
            None => Err(ConsoleError::Reply("the host tells no place where its events can be pulled from".to_owned())),
        }
    }

    /// Subscribes to the indications that a query selects, to have them delivered to a listener of ours.
    pub async fn subscribe_at(
        &self,
        listener: &Listener,
        filter: Filter,
    ) -> Result<(Subscription, Inlet), ConsoleError> {
        let inlet = listener.inlet();
        let sink = EndpointReference::new(listener.url(self.own_address().await?, inlet.path()));
        let named = listener.named().and_then(|named| CertificateThumbprint::new(&named.to_string()));
        let security = SinkSecurity { sink_certificate: named, ..SinkSecurity::default() };
        let tokens = security.issued_tokens(&sink);
        let delivery = Delivery { mode: DeliveryMode::Push, notify_to: Some(sink), ..Delivery::default() };
        Ok((self.subscribe_by(filter, delivery, tokens).await?, inlet))
    }

    async fn subscribe_by(
        &self,
        filter: Filter,
        delivery: Delivery,
        issued_tokens: Option<Element>,
    ) -> Result<Subscription, ConsoleError> {
        let end_to = delivery.notify_to.clone();
        let expires = Some(Expires::In(interval(LIFETIME)));
        let body = Subscribe { end_to, delivery, expires, filter: Some(filter), ..Subscribe::default() };
        let mut asked = Asked::about(&Resource::known(ALL_CLASSES), action::SUBSCRIBE);
        asked.headers.issued_tokens = issued_tokens;
        let reply = self.ask(asked, |w| body.write(w)).await?;
        let response = SubscribeResponse::read(&reply).map_err(|fault| ConsoleError::unreadable(&fault))?;
        Ok(Subscription { manager: response.manager, context: response.context, renewed: Instant::now() })
    }

    /// Waits for the events of a subscription that is pulled; after some time there may be none.
    pub async fn events(
        &self,
        subscription: &mut Subscription,
        wait: Duration,
    ) -> Result<Vec<Delivered>, ConsoleError> {
        if subscription.is_to_be_renewed() {
            self.renew(subscription).await?;
        }
        let context = subscription.context.clone().unwrap_or_default();
        let body = Pull { context, max_elements: Some(PAGE), max_time: Some(interval(wait)), ..Pull::default() };
        let asked = Asked::about(&Resource::known(ALL_CLASSES), action::PULL);
        let reply = match self.ask(asked, |w| body.write(w)).await {
            // Some have this for an answer where there is nothing to tell (DSP0226 R8.4-6).
            Err(ConsoleError::Fault(fault)) if fault.kind == Some(FaultKind::TimedOut) => return Ok(Vec::new()),
            reply => reply?,
        };
        let page = ReceivedPage::read(reply).map_err(|fault| ConsoleError::unreadable(&fault))?;
        let ended = || ConsoleError::Reply("the host has ended the subscription".to_owned());
        subscription.context = Some(page.context.ok_or_else(ended)?);
        let told: Result<_, _> = page.items.iter().map(Delivered::read).collect();
        told.map_err(|fault| ConsoleError::unreadable(&fault))
    }

    /// Prolongs a subscription. One that is pulled is prolonged by itself.
    pub async fn renew(&self, subscription: &mut Subscription) -> Result<(), ConsoleError> {
        let expires = Some(Expires::In(interval(LIFETIME)));
        self.manage(subscription, action::RENEW, "wse:Renew", expires).await?;
        subscription.renewed = Instant::now();
        Ok(())
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
