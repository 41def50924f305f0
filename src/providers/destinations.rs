//! Where events go (DSP1054): a destination for each subscription that brought its own, as WS-Management has it (DSP0227
//! 10.5), and those that clients make.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::eventing::{DESTINATION, Eventing, check_given, is_reserved};
use crate::access::Caller;
use crate::broker::{Action, Change, Creation, Deletion, Instances, Provider};
use crate::cim::{CimError, CimStatus, Class, Instance, ObjectPath, Value};
use crate::events::{Delivery, DestinationError, ListenerDestination, Mode, Subscription};

/// What a client may give of a destination; the rest is the service's.
const GIVEN: [&str; 13] = [
    "SystemCreationClassName",
    "SystemName",
    "CreationClassName",
    "Name",
    "ElementName",
    "Destination",
    "DestinationEndTo",
    "Locale",
    "ContentEncoding",
    "DeliveryMode",
    "Heartbeat",
    "SendBookmark",
    "MaxTime",
];
/// What it may give if it is so.
const FIXED: [(&str, &[u16]); 3] = [
    // CIM's default is 2 (CIM-XML), whatever the class.
    ("Protocol", &[2, 4]),
    ("PersistenceType", &[2]),
    ("PolyMorphismMode", &[2]),
];

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
    auth: Option<&'a str>,
    /// 2 Permanent, 3 Transient
    persistence: u16,
}

impl Listeners {
    pub(super) fn new(eventing: Arc<Eventing>) -> Self {
        Self(eventing)
    }

    /// The destination that belongs to a subscription.
    fn own(&self, class: &Arc<Class>, subscription: &Subscription) -> Result<Instance, CimError> {
        self.instance(
            class,
            &Shown {
                name: super::eventing::own_name(subscription.id),
                element_name: format!("Destination of subscription {}", subscription.id),
                address: &subscription.address(),
                end_to: subscription.end_to.as_ref().map(|end_to| end_to.address.as_str()),
                delivery: &subscription.delivery,
                auth: subscription.auth.map(|profile| profile.uri()),
                persistence: 3,
            },
        )
    }

    /// One that a client made.
    fn made(&self, class: &Arc<Class>, destination: &ListenerDestination) -> Result<Instance, CimError> {
        let mut instance = self.instance(
            class,
            &Shown {
                name: destination.name.clone(),
                element_name: String::new(),
                address: &destination.address,
                end_to: destination.end_to.as_deref(),
                delivery: &destination.delivery,
                auth: None,
                persistence: 2,
            },
        )?;
        instance.set("ElementName", destination.element_name.clone())?;
        Ok(instance)
    }

    /// What a client wants, if events can be sent there so.
    fn wanted(&self, creation: &Creation<'_>) -> Result<ListenerDestination, CimError> {
        let given = creation.wanted;
        if !given.get("DeliveryAuth").is_none_or(Value::is_null) {
            let why =
                "Credentials for a sink come with wse:Subscribe alone; leave DeliveryAuth out, or subscribe by that.";
            return Err(CimError::invalid_parameter(why));
        }
        check_given(given, &GIVEN, &FIXED)?;
        self.0.check_keys(given, DESTINATION)?;
        let text = |name: &str| given.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = text("Name").map_or_else(|| format!("Quartermaster:{}", Uuid::new_v4()).into(), Arc::from);
        if is_reserved(&name) {
            let why = format!("Names like {name:?} are for the destinations of subscriptions; give another, or none.");
            return Err(CimError::invalid_parameter(why));
        }
        let address = text("Destination").ok_or_else(|| {
            CimError::invalid_parameter("Destination is missing: give the URL that events are to be sent to.")
        })?;
        let destination = ListenerDestination {
            name,
            owner: creation.caller.clone(),
            address: address.to_owned(),
            end_to: text("DestinationEndTo").map(str::to_owned),
            delivery: delivery(given)?,
            element_name: text("ElementName").map(Arc::from),
        };
        for (name, url) in
            [("Destination", Some(&destination.address)), ("DestinationEndTo", destination.end_to.as_ref())]
        {
            let Some(url) = url else { continue };
            let unusable = |why| CimError::invalid_parameter(format!("{name} cannot be used: {why}."));
            self.0.events.check_address(url).map_err(unusable)?;
        }
        Ok(destination)
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
            .set("DeliveryAuth", shown.auth)?
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

    fn allows(&self, _: &Class, change: Change) -> bool {
        matches!(change, Change::Create | Change::Delete)
    }

    /// Who may read may subscribe, and a destination is for nothing else.
    fn action_of_change(&self, _: &Class, _: Change) -> Action {
        Action::Read
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
        match self.0.destinations.find(name) {
            Some(destination) => self.made(class, &destination),
            None => self.own(class, &self.0.owning(name).ok_or_else(missing)?),
        }
    }

    fn enumerate(&self, class: &Arc<Class>) -> Result<Instances, CimError> {
        let subscriptions = self.0.events.subscriptions().into_iter().filter(|one| one.made_of.is_none());
        let own = subscriptions.map({
            let (listeners, class) = (self.clone(), class.clone());
            move |subscription| listeners.own(&class, &subscription)
        });
        let (listeners, class) = (self.clone(), class.clone());
        let made = self.0.destinations.all().into_iter().map(move |known| listeners.made(&class, &known));
        Ok(Box::new(made.chain(own)))
    }

    fn create(&self, creation: &Creation<'_>) -> Result<Instance, CimError> {
        let destination = self.wanted(creation)?;
        self.0.destinations.add(destination.clone()).map_err(refused)?;
        self.made(creation.class, &destination)
    }

    fn delete(&self, deletion: &Deletion<'_>) -> Result<(), CimError> {
        let name = deletion.path.key_str("Name").unwrap_or_default();
        if let Some(subscription) = self.0.owning(name) {
            return Err(CimError::in_use(format!(
                "The destination belongs to subscription {}, and goes when that ends.",
                subscription.id
            )));
        }
        let _changing = self.0.hold();
        self.0.check_unused(deletion.caller, "destination", |made_of| &*made_of.destination == name)?;
        self.0.destinations.remove(name, deletion.caller).map_err(refused)
    }
}

/// How events are to be delivered.
fn delivery(given: &Instance) -> Result<Delivery, CimError> {
    let wrong = |why: &'static str| Err(CimError::invalid_parameter(why));
    let number = |name: &str| given.get(name).and_then(Value::as_integer);
    let time = |name: &str| number(name).map(|n| Duration::from_secs(u64::try_from(n).unwrap_or_default()));
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let mode = match number("DeliveryMode") {
        None | Some(2) => Mode::Push,
        Some(3) => Mode::PushWithAck,
        Some(4) => Mode::Events,
        Some(5) => {
            return wrong("DeliveryMode 5 (Pull) needs the context that only wse:Subscribe gives; subscribe by that.");
        }
        Some(_) => return wrong("DeliveryMode is 2 (Push), 3 (PushWithAck) or 4 (Events)."),
    };
    let utf16 = match text("ContentEncoding").map(str::to_ascii_lowercase).as_deref() {
        None | Some("utf-8") => false,
        Some("utf-16") => true,
        Some(_) => return wrong("ContentEncoding is UTF-8 or UTF-16."),
    };
    let (heartbeat, max_time) = (time("Heartbeat"), time("MaxTime"));
    if heartbeat.is_some_and(|heartbeat| heartbeat.is_zero()) {
        return wrong("Heartbeat is a number of seconds, 1 or more.");
    }
    if max_time.is_some() && mode != Mode::Events {
        return wrong("MaxTime means something with DeliveryMode 4 (Events) alone; leave it out.");
    }
    Ok(Delivery {
        utf16,
        locale: text("Locale").map(str::to_owned),
        heartbeat,
        bookmarks: given.get("SendBookmark") == Some(&Value::Boolean(true)),
        max_time,
        ..Delivery::in_mode(mode)
    })
}

fn refused(error: DestinationError) -> CimError {
    let status = match error {
        DestinationError::Name | DestinationError::TooLong => CimStatus::InvalidParameter,
        DestinationError::Exists(_) => CimStatus::AlreadyExists,
        DestinationError::NotFound => CimStatus::NotFound,
        DestinationError::NotYours => CimStatus::AccessDenied,
        DestinationError::TooMany | DestinationError::TooManyOfOne => CimStatus::ServerLimitsExceeded,
        DestinationError::Store(error) => {
            return CimError::internal("The destination could not be recorded; the operator's log says why.", error);
        }
    };
    CimError::new(status, error.to_string())
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
