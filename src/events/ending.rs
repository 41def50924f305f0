//! How subscriptions end without their owner's doing, and how the subscriber is told (DSP0226 10.6).

use std::sync::Arc;

use actix_web::web::Bytes;
use tokio::time::sleep;

use super::hub::Hub;
use super::{Mode, Subscription, message};
use crate::client::{Post, SinkCredentials, Url};
use crate::wire::eventing::EndStatus;

/// Why a subscription ended without its owner's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its time is over.
    Expired,
    /// The sink answered `wsman:DeliveryRefused` (DSP0226 R10.8-1).
    Refused,
    /// The sink failed for too long.
    GivenUp,
    /// Records it waited for had to be removed.
    FellBehind,
    /// An event was larger than the subscriber takes, who wants the subscription to end then.
    TooLarge,
    /// Its owner may not read any more.
    NotAllowed,
    /// An administrator ended it.
    Cancelled,
    /// It was stored, and cannot be served any more.
    CannotBeServed,
}

impl Ending {
    /// What the subscriber is told; `None` where it knows: it agreed on the time, or refused the events itself.
    fn told(self) -> Option<(EndStatus, &'static str)> {
        Some(match self {
            Self::Expired | Self::Refused => return None,
            Self::GivenUp => (EndStatus::DeliveryFailure, "events could not be delivered for too long"),
            Self::FellBehind => (
                EndStatus::DeliveryFailure,
                "so many events waited that some had to be removed; subscribe anew and look at all instances",
            ),
            Self::TooLarge => (
                EndStatus::SourceCancelling,
                "an event is larger than wsman:MaxEnvelopeSize, and its policy is CancelSubscription",
            ),
            Self::NotAllowed => {
                (EndStatus::SourceCancelling, "the user who made the subscription may not read any more")
            }
            Self::CannotBeServed => {
                (EndStatus::SourceCancelling, "the service cannot serve the subscription any more; subscribe anew")
            }
            Self::Cancelled => (EndStatus::SourceCancelling, "an administrator ended the subscription"),
        })
    }
}

/// How often the end is told, if it does not arrive.
const ATTEMPTS: u32 = 3;

/// Tells the end of a subscription to its EndTo, if it has one. The subscription is gone already; what does not arrive
/// after a few attempts is not told.
pub(super) async fn tell(
    hub: Arc<Hub>,
    subscription: Subscription,
    credentials: Option<Arc<SinkCredentials>>,
    why: Ending,
) {
    let (Some(end_to), Some((status, reason))) = (&subscription.end_to, why.told()) else { return };
    // R10.6-2.
    if subscription.delivery.mode == Mode::Pull {
        return;
    }
    let Ok(url) = Url::parse(&end_to.address) else { return };
    let credentials = credentials.filter(|credentials| credentials.are_for(&url));
    let encoding = subscription.delivery.encoding();
    let body = Bytes::from(encoding.encode(message::end(&subscription, end_to, status, reason)));
    for attempt in 1..=ATTEMPTS {
        let post = Post { url: url.clone(), content_type: encoding.content_type().to_owned(), body: body.clone() };
        match hub.client.get().post_as(post, credentials.clone()).await {
            Ok(answer) if (200..300).contains(&answer.status) => return,
            Ok(answer) => {
                tracing::warn!(status = answer.status, subscription = %subscription.id, "the end of a subscription was not taken")
            }
            Err(error) => {
                tracing::warn!(%error, subscription = %subscription.id, "the end of a subscription was not told")
            }
        }
        sleep(hub.settings.get().retry_after(attempt)).await;
    }
}
