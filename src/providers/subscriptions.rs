//! Subscriptions as instances (DSP1054): the links between filters and destinations. To make a link is to subscribe, to
//! delete it is to end the subscription.

use std::sync::Arc;

use chrono::TimeDelta;

use super::eventing::{DESTINATION, Eventing, FILTER, check_given, own_id};
use super::static_filters;
use crate::access::Caller;
use crate::broker::{Action, Change, Creation, Deletion, Instances, Provider};
use crate::cim::query::Language;
use crate::cim::{CimError, CimStatus, Class, DateTime, Instance, Interval, ObjectPath, Value};
use crate::events::{ListenerDestination, MadeOf, ManageError, Mode, NamedFilter, SubscribeError, Subscription};

const SUBSCRIPTION: &str = "CIM_IndicationSubscription";

const ENDS: [&str; 2] = ["Filter", "Handler"];
/// What a client may give of a subscription; the rest is the service's.
const GIVEN: [&str; 3] = ["Filter", "Handler", "SubscriptionDuration"];
/// What it may give if it is so: 4 Remove, 2 Enabled, 2 None.
const FIXED: [(&str, &[u16]); 3] =
    [("OnFatalErrorPolicy", &[4]), ("SubscriptionState", &[2]), ("RepeatNotificationPolicy", &[2])];

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
        let Some(name) = end.key_str("Name") else { return Vec::new() };
        match own_id(name) {
            Some(id) => self.0.events.subscription(id).into_iter().collect(),
            None => self.0.made_of(|made_of| &*made_of.filter == name || &*made_of.destination == name),
        }
    }

    /// The filter that a new subscription is to have.
    fn filter(&self, path: &ObjectPath) -> Result<NamedFilter, CimError> {
        let name: Arc<str> = path.key_str("Name").unwrap_or_default().into();
        self.check_end("Filter", FILTER, path, &name)?;
        let (language, query) = match (self.0.systems.static_filter(&name), self.0.filters.find(&name)) {
            (Some(filter), _) => (static_filters::LANGUAGE.into(), filter.query),
            (None, Some(filter)) => (filter.language.clone(), filter.query.to_string()),
            (None, None) => return Err(CimError::not_found(format!("Filter: there is no filter {name:?}."))),
        };
        let language = Language::named(&language)
            .ok_or_else(|| CimError::invalid_parameter("The filter's QueryLanguage is not one of this service."))?;
        Ok(NamedFilter { name, language, query })
    }

    /// The destination that a new subscription is to have.
    fn destination(&self, caller: &Caller, path: &ObjectPath) -> Result<Arc<ListenerDestination>, CimError> {
        let name = path.key_str("Name").unwrap_or_default();
        self.check_end("Handler", DESTINATION, path, name)?;
        let found = self.0.destinations.find(name).filter(|_| self.0.shows_path(caller, path));
        found.ok_or_else(|| CimError::not_found(format!("Handler: there is no listener destination {name:?}.")))
    }

    /// Whether a path names what it is to name, and nothing that goes with another subscription.
    fn check_end(&self, end: &str, class: &'static str, path: &ObjectPath, name: &str) -> Result<(), CimError> {
        if !path.same_keys(&self.0.path(class, name.into())) {
            return Err(CimError::invalid_parameter(format!("{end} is no reference to a {class} of this system.")));
        }
        if own_id(name).is_some() {
            let why = format!("{end} belongs to another subscription and goes with it; make a {class} of your own.");
            return Err(CimError::invalid_parameter(why));
        }
        Ok(())
    }

    fn instance(&self, class: &Arc<Class>, subscription: &Subscription) -> Result<Instance, CimError> {
        let now = self.0.system.clock().now();
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

    fn allows(&self, _: &Class, change: Change) -> bool {
        matches!(change, Change::Create | Change::Delete)
    }

    /// Who may read may subscribe.
    fn action_of_change(&self, _: &Class, _: Change) -> Action {
        Action::Read
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

    /// Subscribes.
    fn create(&self, creation: &Creation<'_>) -> Result<Instance, CimError> {
        let Creation { caller, wanted, class, .. } = creation;
        check_given(wanted, &GIVEN, &FIXED)?;
        let end = |name: &str| {
            let path = wanted.get(name).and_then(Value::as_reference);
            path.ok_or_else(|| {
                CimError::invalid_parameter(format!("{name} is missing: a subscription needs both ends."))
            })
        };
        let _changing = self.0.hold();
        let filter = self.filter(end("Filter")?)?;
        let destination = self.destination(caller, end("Handler")?)?;
        let made_of = MadeOf { filter: filter.name.clone(), destination: destination.name.clone() };
        if let Some(known) = self.0.made_of(|known| *known == made_of).first() {
            let why = format!("Subscription {} has this filter and this destination already.", known.id);
            return Err(CimError::new(CimStatus::AlreadyExists, why));
        }
        let lasting = wanted.get("SubscriptionDuration").and_then(Value::as_integer);
        let lasting = lasting.map(|seconds| Interval::from_seconds(u64::try_from(seconds).unwrap_or_default()));
        let granted = self.0.events.subscribe_with(caller, filter, &destination, lasting).map_err(not_made)?;
        self.instance(class, &granted)
    }

    /// Unsubscribes.
    fn delete(&self, deletion: &Deletion<'_>) -> Result<(), CimError> {
        let subscription = self.find(deletion.path)?;
        self.0.events.unsubscribe(subscription.id, deletion.caller).map_err(not_ended)
    }
}

fn not_made(error: SubscribeError) -> CimError {
    match error {
        SubscribeError::Quota { .. } => CimError::new(CimStatus::ServerLimitsExceeded, error.to_string()),
        SubscribeError::Store(error) => {
            CimError::internal("The subscription could not be recorded; the operator's log says why.", error)
        }
        SubscribeError::Unrecorded(error) => error.into(),
        wrong => CimError::invalid_parameter(wrong.to_string()),
    }
}

fn not_ended(error: ManageError) -> CimError {
    match error {
        ManageError::NotFound => CimError::not_found(error.to_string()),
        ManageError::NotYours => CimError::access_denied(error.to_string()),
        ManageError::InvalidExpirationTime => CimError::invalid_parameter(error.to_string()),
        ManageError::Store(error) => {
            CimError::internal("The end could not be recorded; the operator's log says why.", error)
        }
        ManageError::Unrecorded(error) => error.into(),
    }
}

/// Full seconds, the ones that have begun among them.
fn seconds(length: TimeDelta) -> u64 {
    u64::try_from(length.num_milliseconds()).unwrap_or_default().div_ceil(1000)
}
