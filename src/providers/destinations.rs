//! Where events go (DSP1054): a destination for each subscription, as WS-Management has it (DSP0227 10.5).

use std::sync::Arc;
use std::time::Duration;

use super::eventing::{DESTINATION, Eventing};
use crate::access::Caller;
use crate::broker::{Instances, Provider};
use crate::cim::{CimError, Class, Instance, ObjectPath};
use crate::events::{Delivery, Mode, Subscription};
use crate::soap::EndpointReference;

/// Serves the destinations in root/interop.
#[derive(Clone, Debug)]
pub(super) struct Listeners(Arc<Eventing>);

/// What is told of a destination.
struct Shown<'a> {
    name: Arc<str>,
    element_name: String,
    address: &'a str,
    end_to: Option<&'a str>,
    delivery: &'a Delivery,
    /// 2 Permanent, 3 Transient
    persistence: u16,
}

impl Listeners {
    pub(super) fn new(eventing: Arc<Eventing>) -> Self {
        Self(eventing)
    }

    /// The destination that belongs to a subscription.
    fn own(&self, class: &Arc<Class>, subscription: &Subscription) -> Result<Instance, CimError> {
        // What is pulled goes the way of the request for it.
        let anonymous = EndpointReference::anonymous();
        let address = subscription.notify_to.as_ref().unwrap_or(&anonymous);
        self.instance(
            class,
            &Shown {
                name: super::eventing::own_name(subscription.id),
                element_name: format!("Destination of subscription {}", subscription.id),
                address: &address.address,
                end_to: subscription.end_to.as_ref().map(|end_to| end_to.address.as_str()),
                delivery: &subscription.delivery,
                persistence: 3,
            },
        )
    }

    fn instance(&self, class: &Arc<Class>, shown: &Shown<'_>) -> Result<Instance, CimError> {
        let delivery = shown.delivery;
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs().max(1));
        let mut instance = Instance::new(class.clone());
        self.0.name(&mut instance, DESTINATION, shown.name.clone())?;
        instance
            .set("ElementName", shown.element_name.as_str())?
            .set("PersistenceType", shown.persistence)?
            // 4 WS-Management
            .set("Protocol", 4u16)?
            .set("Destination", shown.address)?
            .set("DestinationEndTo", shown.end_to)?
            .set("Locale", delivery.locale.as_deref())?
            .set("ContentEncoding", if delivery.utf16 { "UTF-16" } else { "UTF-8" })?
            .set("DeliveryMode", number(delivery.mode))?
            .set("Heartbeat", seconds(delivery.heartbeat))?
            .set("SendBookmark", delivery.bookmarks)?
            .set("MaxTime", seconds(delivery.max_time))?
            // 2 IncludeSubclassProperties
            .set("PolyMorphismMode", 2u16)?;
        Ok(instance)
    }
}

impl Provider for Listeners {
    fn classes(&self) -> Vec<Arc<str>> {
        vec![DESTINATION.into()]
    }

    fn lives_in_interop(&self, _: &Class) -> bool {
        true
    }

    fn is_shown(&self, caller: &Caller, instance: &Instance) -> bool {
        self.0.shows_instance(caller, instance)
    }

    fn get(&self, class: &Arc<Class>, path: &ObjectPath) -> Result<Instance, CimError> {
        let name = path.key_str("Name").unwrap_or_default();
        let missing = || CimError::not_found(format!("There is no listener destination {name:?} of this system."));
        if !path.same_keys(&self.0.path(DESTINATION, name.into())) {
            return Err(missing());
        }
        self.own(class, &self.0.owning(name).ok_or_else(missing)?)
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let (listeners, class) = (self.clone(), class.clone());
        let own = move |subscription| listeners.own(&class, &subscription);
        Ok(Box::new(self.0.events.subscriptions().into_iter().map(own)))
    }
}

/// DeliveryMode.
fn number(mode: Mode) -> u16 {
    match mode {
        Mode::Push => 2,
        Mode::PushWithAck => 3,
        Mode::Events => 4,
        Mode::Pull => 5,
    }
}
