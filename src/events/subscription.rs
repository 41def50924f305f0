//! Subscriptions: what is asked for, what is granted, and how it is stored.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Bookmark, Delivery, MadeOf, Mode, Settings, message};
use crate::access::Caller;
use crate::cim::Interval;
use crate::cim::query::Language;
use crate::client::{Url, UrlError};
use crate::soap::EndpointReference;
use crate::store::StoreError;
use crate::store::subscriptions::{Progress, SubscriptionRow};
use crate::wire::{Expires, SecurityProfile, SinkSecurity};

/// What a subscriber asks for.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// Who asks; events are delivered as far as this user may read them.
    pub owner: Caller,
    /// The indication class of the ResourceURI; `None` for the all-classes URI.
    pub class: Option<Arc<str>>,
    /// The filter.
    pub filter: Option<(Language, String)>,
    /// How events are delivered.
    pub delivery: Delivery,
    /// Where events go; `None` only in Pull mode.
    pub notify_to: Option<EndpointReference>,
    /// How deliveries authenticate at the sink.
    pub security: SinkSecurity,
    /// Where the end of the subscription is told.
    pub end_to: Option<EndpointReference>,
    /// When it ends.
    pub expires: Option<Expiry>,
    /// Where to go on; `None` for at the next event.
    pub bookmark: Option<Bookmark>,
    /// The service's address and the ResourceURI as the subscriber wrote them; its manager's endpoint is made of them.
    pub asked_at: (String, String),
}

/// When a subscription ends, as a subscriber says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// So long after now.
    After(Interval),
    /// At that time.
    At(DateTime<Utc>),
}

impl From<Expires> for Expiry {
    fn from(expires: Expires) -> Self {
        match expires {
            Expires::In(length) => Self::After(length),
            Expires::At(time) => Self::At(time.to_utc()),
        }
    }
}

/// A subscription as it was granted.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Its identity: the `wse:Identifier` of its manager's endpoint reference.
    pub id: Uuid,
    /// Who made it.
    pub owner: Caller,
    /// The indication class; `None` for all classes.
    pub class: Option<Arc<str>>,
    /// The filter.
    pub filter: Option<(Language, String)>,
    /// How events are delivered.
    pub delivery: Delivery,
    /// Where events go; `None` only in Pull mode.
    pub notify_to: Option<EndpointReference>,
    /// Where the end is told.
    pub end_to: Option<EndpointReference>,
    /// By which endpoint it is renewed and ended.
    pub manager: EndpointReference,
    /// By which profile deliveries authenticate at the sink; what they show there is kept sealed and never told.
    pub auth: Option<SecurityProfile>,
    /// What it was made of; `None` if it brought its own filter and destination.
    pub made_of: Option<MadeOf>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it ends; `None` for never.
    pub expires: Option<DateTime<Utc>>,
}

impl Settings {
    /// The end of a subscription that asks for `wanted` now; `None` in the result is never, `None` in error is the past.
    pub(super) fn grant(&self, wanted: Option<Expiry>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, InThePast> {
        let after = |length: TimeDelta| now.checked_add_signed(length).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let longest = self.max_expiry.map(|d| after(TimeDelta::from_std(d).unwrap_or(TimeDelta::MAX)));
        let end = match wanted {
            Some(Expiry::After(length)) => after(length.to_delta()),
            Some(Expiry::At(time)) => time,
            None => match self.default_expiry {
                Some(length) => after(TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX)),
                None => return Ok(None),
            },
        };
        if end <= now {
            return Err(InThePast);
        }
        Ok(Some(longest.map_or(end, |longest| end.min(longest))))
    }
}

/// An expiration time that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InThePast;

impl Subscription {
    pub(super) fn to_row(&self, cursor: i64) -> SubscriptionRow {
        SubscriptionRow {
            id: self.id,
            owner: self.owner.name.to_string(),
            owner_role: word(&self.owner.role),
            class: self.class.as_deref().map(str::to_owned),
            filter: self.filter.as_ref().map(|(language, text)| (language_word(*language).to_owned(), text.clone())),
            notify_to: self.notify_to.as_ref().map(message::store_reference).unwrap_or_default(),
            end_to: self.end_to.as_ref().map(message::store_reference),
            delivery: word(&self.delivery),
            security: None,
            manager: message::store_reference(&self.manager),
            made_of: self.made_of.as_ref().map(word),
            created: self.created,
            expires: self.expires,
            progress: Progress { cursor, ..Progress::default() },
        }
    }

    pub(super) fn from_row(row: &SubscriptionRow) -> Result<Self, StoreError> {
        let reference = |text: &str| message::stored_reference(text).ok_or_else(|| damaged("an endpoint reference"));
        let filter = match &row.filter {
            Some((language, text)) => Some((language_of(language)?, text.clone())),
            None => None,
        };
        Ok(Self {
            id: row.id,
            owner: Caller::new(row.owner.as_str(), read_word(&row.owner_role)?),
            class: row.class.as_deref().map(Into::into),
            filter,
            delivery: read_word(&row.delivery)?,
            notify_to: Some(row.notify_to.as_str()).filter(|text| !text.is_empty()).map(reference).transpose()?,
            end_to: row.end_to.as_deref().map(reference).transpose()?,
            // Earlier versions did not keep it.
            manager: reference(&row.manager).unwrap_or_default(),
            // It is sealed with the credentials.
            auth: None,
            made_of: row.made_of.as_deref().map(read_word).transpose()?,
            created: row.created,
            expires: row.expires,
        })
    }

    /// The address that events go to; the anonymous one, which is that of the request's sender, if they are fetched.
    pub fn address(&self) -> String {
        let fetched = || EndpointReference::anonymous().address;
        self.notify_to.as_ref().map_or_else(fetched, |to| to.address.clone())
    }

    /// Where events are sent; `None` if the subscriber fetches them.
    pub(super) fn url(&self) -> Result<Option<Url>, UrlError> {
        match &self.notify_to {
            Some(to) if self.delivery.mode != Mode::Pull => Url::parse(&to.address).map(Some),
            _ => Ok(None),
        }
    }
}

fn language_word(language: Language) -> &'static str {
    match language {
        Language::Cql => "cql",
        Language::Wql => "wql",
    }
}

fn language_of(word: &str) -> Result<Language, StoreError> {
    match word {
        "cql" => Ok(Language::Cql),
        "wql" => Ok(Language::Wql),
        other => Err(damaged(other)),
    }
}

fn word(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn read_word<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| damaged(&e))
}

fn damaged(what: &(impl fmt::Display + ?Sized)) -> StoreError {
    StoreError::damaged("subscription", what)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn grant(settings: &Settings, wanted: Option<Expiry>) -> Result<Option<i64>, InThePast> {
        let now = DateTime::from_timestamp(1000, 0).unwrap();
        settings.grant(wanted, now).map(|end| end.map(|end| end.timestamp()))
    }

    fn at(second: i64) -> Option<Expiry> {
        Some(Expiry::At(DateTime::from_timestamp(second, 0).unwrap()))
    }

    fn after(duration: &str) -> Option<Expiry> {
        Some(Expiry::After(Interval::parse_duration(duration).unwrap()))
    }

    #[test]
    fn times_are_granted_up_to_the_longest() {
        let settings = Settings { max_expiry: Some(Duration::from_secs(3600)), ..Settings::default() };
        assert_eq!(grant(&settings, None), Ok(None));
        assert_eq!(grant(&settings, after("PT1M")), Ok(Some(1060)));
        assert_eq!(grant(&settings, at(1001)), Ok(Some(1001)));
        for long in ["PT3759670629.777S", "PT3960732748.184S", "P99999999D"] {
            assert_eq!(grant(&settings, after(long)), Ok(Some(4600)), "{long}");
        }
        assert_eq!(grant(&settings, at(9_000_000_000)), Ok(Some(4600)));
    }

    #[test]
    fn the_past_is_refused() {
        let settings = Settings::default();
        for past in [after("PT0S"), at(1000), at(-5)] {
            assert_eq!(grant(&settings, past), Err(InThePast), "{past:?}");
        }
    }

    #[test]
    fn without_bounds_the_longest_time_does_not_overflow() {
        let settings =
            Settings { max_expiry: None, default_expiry: Some(Duration::from_secs(60)), ..Settings::default() };
        assert_eq!(grant(&settings, None), Ok(Some(1060)));
        assert!(grant(&settings, after("P99999999D")).unwrap() > Some(8_000_000_000));
        let endless = Settings { default_expiry: Some(Duration::MAX), ..settings };
        assert!(grant(&endless, None).unwrap().is_some());
    }
}
