//! What the audit log tells of subscriptions. What stands behind the port of a sink's address may be a secret of the sink's.

use uuid::Uuid;

use super::{NewSubscription, Subscription};
use crate::access::{Change, Made};
use crate::client::Url;

pub(super) fn subscribes(new: &NewSubscription) -> Change {
    let change = Change::by("Subscribe");
    match new.notify_to.as_ref().map(|sink| Url::parse(&sink.address)) {
        Some(Ok(url)) => change.with(format!("events go to {}, port {}", url.host(), url.port())),
        Some(Err(_)) => change,
        None => change.with("events are fetched"),
    }
}

pub(super) fn made(subscription: &Subscription) -> Made {
    Made { object: Some(named(subscription.id)), ..Made::default() }
}

/// Another operation on a subscription.
pub(super) fn change_of(id: Uuid, operation: &str) -> Change {
    Change::new(operation, named(id))
}

fn named(id: Uuid) -> String {
    format!("subscription {id}")
}
