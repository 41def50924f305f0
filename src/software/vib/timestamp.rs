//! Times as VIBs and metadata write them: ISO 8601, mostly with microseconds and an offset.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, SubsecRound, Utc};

/// Reads a time. One without an offset is in UTC, as VMware's tools write it; a date alone is its midnight. `None` for what
/// is no time, or is not in the years 1 to 9999.
pub(super) fn read(text: &str) -> Option<DateTime<Utc>> {
    let naive = || {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f"))
            .or_else(|_| NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|date| date.and_time(NaiveTime::MIN)))
    };
    let time = match DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.to_utc(),
        Err(_) => naive().ok()?.and_utc(),
    };
    (1..=9999).contains(&time.year()).then(|| time.trunc_subsecs(6))
}

/// Writes a time as VMware's tools do: microseconds only where there are some, and the offset of UTC.
pub(super) fn write(time: DateTime<Utc>) -> String {
    let digits = if time.timestamp_subsec_micros() == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
    time.to_rfc3339_opts(digits, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_that_occurs_and_written_in_one() {
        for (text, written) in [
            ("2017-08-14T09:59:45.872917+00:00", "2017-08-14T09:59:45.872917+00:00"),
            ("2014-04-19T00:00:00+00:00", "2014-04-19T00:00:00+00:00"),
            ("2014-04-19T02:00:00.5+02:00", "2014-04-19T00:00:00.500000+00:00"),
            ("2014-04-19T00:00:00Z", "2014-04-19T00:00:00+00:00"),
            ("2020-10-23T11:44:39.406919", "2020-10-23T11:44:39.406919+00:00"),
            ("2020-10-23 11:44:39", "2020-10-23T11:44:39+00:00"),
            ("2020-10-23", "2020-10-23T00:00:00+00:00"),
        ] {
            assert_eq!(read(text).map(write).as_deref(), Some(written), "{text}");
        }
        for text in ["", "today", "2020-13-01", "2020-10-23T25:00:00", "0000-01-01", "9999-12-31T23:59:59-01:00"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
