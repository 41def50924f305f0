//! Subscriptions as instances (DSP1054): the links between filters and destinations.

use std::sync::Arc;

use chrono::TimeDelta;

use super::eventing::{Eventing, own_id};
use crate::access::Caller;
use crate::broker::{Instances, Provider};
use crate::cim::{CimError, Class, DateTime, Instance, ObjectPath, Value};
use crate::events::{Mode, Subscription};

pub(super) const SUBSCRIPTION: &str = "CIM_IndicationSubscription";

const ENDS: [&str; 2] = ["Filter", "Handler"];

/// Serves the subscriptions in root/interop.
#[derive(Clone, Debug)]
pub(super) struct Subscriptions(Arc<Eventing>);

impl Subscriptions {
    pub(super) fn new(eventing: Arc<Eventing>) -> Self {
        Self(eventing)
    }

    /// The subscription of the filter and the destination that a path names.
    fn find(&self, path: &ObjectPath) -> Result<Subscription, CimError> {
        let ends = ENDS.map(|end| path.key(end).and_then(Value::as_reference));
        let missing = || CimError::not_found("There is no subscription of this filter and this destination.");
        let [Some(filter), Some(handler)] = ends else { return Err(missing()) };
        let all = self.of(handler).into_iter();
        let mut named = all.filter(|subscription| {
            let [own_filter, own_handler] = self.0.ends_of(subscription);
            filter.same_keys(&own_filter) && handler.same_keys(&own_handler)
        });
        named.next().ok_or_else(missing)
    }

    /// The subscriptions that a filter or a destination may take part in: at least all that it does.
    fn of(&self, end: &ObjectPath) -> Vec<Subscription> {
        let own = end.key_str("Name").and_then(own_id);
        own.and_then(|id| self.0.events.subscription(id)).into_iter().collect()
    }

    fn instance(&self, class: &Arc<Class>, subscription: &Subscription) -> Result<Instance, CimError> {
        let now = self.0.model.clock.now();
        let until = |from: chrono::DateTime<chrono::Utc>| subscription.expires.map(|end| seconds(end - from));
        let mut instance = Instance::new(class.clone());
        for (end, path) in ENDS.into_iter().zip(self.0.ends_of(subscription)) {
            instance.set(end, path)?;
        }
        instance
            // 4 Remove
            .set("OnFatalErrorPolicy", 4u16)?
            .set("FailureTriggerTimeInterval", self.gives_up_after(subscription))?
            // 2 Enabled
            .set("SubscriptionState", 2u16)?
            .set("TimeOfLastStateChange", DateTime::utc(subscription.created))?
            .set("SubscriptionStartTime", DateTime::utc(subscription.created))?
            .set("SubscriptionDuration", until(subscription.created))?
            .set("SubscriptionTimeRemaining", until(now))?
            // 2 None
            .set("RepeatNotificationPolicy", 2u16)?
            .set("SubscriptionInfo", subscription.id.hyphenated().to_string())?;
        Ok(instance)
    }

    /// How long deliveries may fail before the subscription ends; `None` where nothing is delivered.
    fn gives_up_after(&self, subscription: &Subscription) -> Option<u64> {
        let delivery = &subscription.delivery;
        match delivery.retry {
            _ if delivery.mode == Mode::Pull => None,
            Some(retry) => Some(retry.interval.as_secs().saturating_mul(retry.total.into())),
            None => Some(self.0.events.settings().give_up_after.as_secs()),
        }
    }
}

impl Provider for Subscriptions {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![SUBSCRIPTION.into()]
    }

    fn lives_in_interop(&self, _: &Class) -> bool {
        true
    }

    fn is_shown(&self, caller: &Caller, instance: &Instance) -> bool {
        let id = instance.get("SubscriptionInfo").and_then(Value::as_str).and_then(|id| id.parse().ok());
        id.is_some_and(|id| self.0.shows(caller, id))
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        self.instance(class, &self.find(path)?)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let (subscriptions, class) = (self.clone(), class.clone());
        let instance = move |subscription| subscriptions.instance(&class, &subscription);
        Ok(Box::new(self.0.events.subscriptions().into_iter().map(instance)))
    }

    fn references(&self, class: &Arc<Class>, source: &ObjectPath, role: Option<&str>) -> Result<Instances, CimError> {
        let plays = ENDS.map(|end| role.is_none_or(|role| role.eq_ignore_ascii_case(end)));
        let (subscriptions, class, source) = (self.clone(), class.clone(), source.clone());
        let all = self.of(&source).into_iter();
        Ok(Box::new(all.filter_map(move |subscription| {
            let ends = subscriptions.0.ends_of(&subscription).into_iter().zip(plays);
            let takes_part = ends.into_iter().any(|(end, plays)| plays && end.same_keys(&source));
            takes_part.then(|| subscriptions.instance(&class, &subscription))
        })))
    }
}

/// Full seconds, the ones that have begun among them.
fn seconds(length: TimeDelta) -> u64 {
    u64::try_from(length.num_milliseconds()).unwrap_or_default().div_ceil(1000)
}
