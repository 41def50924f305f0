//! What can go wrong, by whose fault it is. Messages of [`SubscribeError`] and [`ManageError`] go to the peer.

use std::sync::Arc;

use super::bookmark::BookmarkError;
use crate::audit::Unrecorded;
use crate::cim::query::{Place, QueryError};
use crate::store::StoreError;

/// Why there is no new subscription. Each kind is a fault of DSP0226 clause 14 or WS-Eventing.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// `wse:InvalidMessage`: all classes and no filter.
    #[error("a subscription to all classes needs a filter: give one, or name an indication class in the ResourceURI")]
    FilterMissing,
    /// `wse:EventSourceUnableToProcess`: the class is not known or is no indication.
    #[error("{0} is no indication class of this service")]
    NoIndication(Arc<str>),
    /// `wse:EventSourceUnableToProcess` (DSP0227 R8.1-9).
    #[error(
        "the ResourceURI names {resource}, the filter {filter}: name the same class in both, or the all-classes URI"
    )]
    ClassesDiffer {
        /// The class of the ResourceURI.
        resource: Arc<str>,
        /// The class after FROM.
        filter: Arc<str>,
    },
    /// `wsman:CannotProcessFilter`: the filter is no sentence of its language, or asks for what the class has not.
    #[error("the filter cannot be used: {message}")]
    Filter {
        /// What is wrong and where.
        message: String,
        /// Where in the filter, if it is at one place.
        position: Option<Place>,
    },
    /// `wsman:EventDeliverToUnusable`: events cannot be sent there.
    #[error("events cannot be delivered to NotifyTo: {0}")]
    NotifyTo(String),
    /// `wsman:EventDeliverToUnusable`: the end of the subscription cannot be told there.
    #[error("EndTo cannot be used: {0}")]
    EndTo(String),
    /// `wse:InvalidExpirationTime`.
    #[error("the expiration time has passed already: give a later one, or none")]
    InvalidExpirationTime,
    /// `wsman:InvalidBookmark` (DSP0226 R10.2.6-6).
    #[error(transparent)]
    Bookmark(#[from] BookmarkError),
    /// `wsman:QuotaLimit`.
    #[error("there are {limit} subscriptions{whose} already, and no more are allowed: end one that is not needed")]
    Quota {
        /// The limit that was reached.
        limit: u32,
        /// Of this user or in all.
        whose: QuotaOf,
    },
    /// `wsman:InternalError`: the credentials of the sink cannot be sealed.
    #[error("the credentials of the sink cannot be kept")]
    Security(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// `wsman:InternalError`: our own failure.
    #[error("the subscription cannot be stored")]
    Store(#[from] StoreError),
    /// `wsman:InternalError`: nothing was done.
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
}

impl SubscribeError {
    pub(super) fn filter(error: QueryError) -> Self {
        Self::Filter { message: error.to_string(), position: Some(error.at) }
    }
}

/// Whose subscriptions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaOf {
    /// The caller's.
    Owner,
    /// Everybody's.
    All,
}

impl std::fmt::Display for QuotaOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Owner => " of this user",
            Self::All => "",
        })
    }
}

/// Why a subscription is not renewed or ended.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// There is no such subscription, or not any more.
    #[error("there is no such subscription; it may have expired")]
    NotFound,
    /// It is somebody else's, and the caller is no admin.
    #[error("the subscription belongs to another user")]
    NotYours,
    /// `wse:InvalidExpirationTime`.
    #[error("the expiration time has passed already: give a later one, or none")]
    InvalidExpirationTime,
    /// `wsman:InternalError`: our own failure.
    #[error("the subscription cannot be stored")]
    Store(#[from] StoreError),
    /// `wsman:InternalError`: nothing was done.
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
}

/// Why no events can be fetched.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// `wsen:InvalidEnumerationContext`: there is no such subscription, or its events are delivered.
    #[error("there is no subscription to fetch events of by this context; it may have ended")]
    NotFound,
    /// `wsen:InvalidEnumerationContext`: a later context was used already.
    #[error("the context is an old one: go on with the context of the last reply")]
    Stale,
    /// `wsman:AccessDenied`: it is somebody else's, and the caller is no admin.
    #[error("the subscription belongs to another user")]
    NotYours,
}

/// Why the room cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system gives no thread or no event loop.
    #[error("the thread for delivering events cannot be started")]
    Thread(#[from] std::io::Error),
}
