//! Bookmarks: places in the log that a subscriber may come back with (DSP0226 10.2.6).

use std::fmt;
use std::str::FromStr;

use rusqlite::Connection;
use uuid::Uuid;

use crate::store::{StoreError, changes};

/// The bookmark of DSP0226 for the oldest event there is (R10.2.6-7).
const EARLIEST: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/bookmark/earliest";

/// Where a subscriber wants to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bookmark {
    /// At the oldest event that is kept.
    Earliest,
    /// Behind an event of a log.
    After(Place),
}

/// A place in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The log's name: sequence numbers of another store mean nothing here.
    pub log: Uuid,
    /// The sequence number of the last event that was dealt with.
    pub sequence: i64,
}

/// A bookmark that leads nowhere: `wsman:InvalidBookmark` (R10.2.6-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookmarkError {
    /// It is no bookmark of this service.
    #[error("the bookmark is not one of this service: subscribe without one, or with {EARLIEST}")]
    Format,
    /// Events behind it are not kept any more.
    #[error(
        "events since the bookmark are not kept any more: subscribe without it, or with {EARLIEST}, and look at all instances anew"
    )]
    Expired,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.log.simple(), self.sequence)
    }
}

impl FromStr for Place {
    type Err = BookmarkError;

    fn from_str(text: &str) -> Result<Self, BookmarkError> {
        let (log, sequence) = text.split_once('/').ok_or(BookmarkError::Format)?;
        let log = Uuid::try_parse(log).map_err(|_| BookmarkError::Format)?;
        let sequence = sequence.parse().ok().filter(|sequence| *sequence >= 0).ok_or(BookmarkError::Format)?;
        Ok(Self { log, sequence })
    }
}

impl FromStr for Bookmark {
    type Err = BookmarkError;

    fn from_str(text: &str) -> Result<Self, BookmarkError> {
        match text.trim() {
            EARLIEST => Ok(Self::Earliest),
            place => place.parse().map(Self::After),
        }
    }
}

impl Bookmark {
    /// The cursor of a subscription that goes on here; nothing that it would have heard of is missing.
    pub(super) fn cursor(self, connection: &Connection) -> Result<Result<i64, BookmarkError>, StoreError> {
        let latest = changes::latest(connection)?;
        let before_oldest = changes::oldest(connection)?.map_or(latest, |oldest| oldest.saturating_sub(1));
        Ok(match self {
            Self::Earliest => Ok(before_oldest),
            Self::After(place) if place.log != changes::log_id(connection)? => Err(BookmarkError::Format),
            Self::After(place) if place.sequence > latest => Err(BookmarkError::Format),
            Self::After(place) if place.sequence < before_oldest => Err(BookmarkError::Expired),
            Self::After(place) => Ok(place.sequence),
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::store::Store;

    proptest! {
        #[test]
        fn a_place_is_read_as_it_was_written(log: u128, sequence: u32) {
            let place = Place { log: Uuid::from_u128(log), sequence: sequence.into() };
            prop_assert_eq!(place.to_string().parse(), Ok(place));
            prop_assert_eq!(format!(" {place}\n").parse(), Ok(Bookmark::After(place)));
        }

        #[test]
        fn anything_else_is_refused(text in ".*") {
            prop_assume!(!text.contains('/'));
            prop_assert_eq!(text.parse::<Bookmark>(), Err(BookmarkError::Format));
        }
    }

    #[test]
    fn a_place_behind_which_nothing_is_missing_is_good() {
        let store = Store::in_memory().unwrap();
        let append = || store.write(|t| changes::append(t, DateTime::UNIX_EPOCH, "job", None, None)).unwrap();
        let (log, last) = (store.read(changes::log_id).unwrap(), (0..5).map(|_| append()).max().unwrap());
        let cursor = |sequence| store.read(|c| Bookmark::After(Place { log, sequence }).cursor(c)).unwrap();
        assert_eq!(cursor(0), Ok(0));
        assert_eq!(cursor(last), Ok(last));
        assert_eq!(cursor(last + 1), Err(BookmarkError::Format), "a place in a future that may become another");
        store.write(|t| changes::remove_through(t, 2)).unwrap();
        assert_eq!(cursor(2), Ok(2));
        assert_eq!(cursor(1), Err(BookmarkError::Expired), "record 2 would be missing");
        assert_eq!(store.read(|c| Bookmark::Earliest.cursor(c)).unwrap(), Ok(2));
        store.write(|t| changes::remove_through(t, last)).unwrap();
        assert_eq!(cursor(last), Ok(last));
        assert_eq!(cursor(last - 1), Err(BookmarkError::Expired));
        assert_eq!(store.read(|c| Bookmark::Earliest.cursor(c)).unwrap(), Ok(last));
        let elsewhere = Bookmark::After(Place { log: Uuid::from_u128(9), sequence: last });
        assert_eq!(store.read(|c| elsewhere.cursor(c)).unwrap(), Err(BookmarkError::Format));
    }
}
