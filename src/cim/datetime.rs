//! The CIM datetime (DSP0004 5.2.4): a timestamp with an offset, or an interval, both to the microsecond.

use std::fmt;

use chrono::{Datelike, FixedOffset, NaiveDate, TimeDelta, TimeZone, Timelike, Utc};

/// A CIM datetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateTime {
    /// A point in time.
    Timestamp(Timestamp),
    /// A length of time.
    Interval(Interval),
}

/// A point in time with the offset from UTC that it was written with; offsets count in minutes.
pub type Timestamp = chrono::DateTime<FixedOffset>;

/// A length of time in microseconds, at most 99,999,999 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval(u64);

/// A text that is no CIM datetime, `xs:dateTime` or `xs:duration`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a date and time: {why}")]
pub struct DateTimeError {
    /// The text, cut to a length that can be shown.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

const MICROSECONDS_PER_SECOND: u64 = 1_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
/// The furthest offset of `xs:dateTime`, 14 hours, in seconds.
const FURTHEST_OFFSET: i32 = 14 * 3600;
/// The furthest offset that three digits of minutes can tell, in seconds.
const FURTHEST_CIM_OFFSET: i32 = 999 * 60;
/// The years that four digits can tell.
const YEARS: std::ops::RangeInclusive<i32> = 0..=9999;
const LONGEST: u64 = 100_000_000 * SECONDS_PER_DAY * MICROSECONDS_PER_SECOND - 1;

impl Interval {
    /// An interval of whole seconds; what is longer than CIM can write is cut to the longest it can.
    pub fn from_seconds(seconds: u64) -> Self {
        Self::from_microseconds(seconds.saturating_mul(MICROSECONDS_PER_SECOND))
    }

    /// An interval of microseconds; what is longer than CIM can write is cut to the longest it can.
    pub fn from_microseconds(microseconds: u64) -> Self {
        Self(microseconds.min(LONGEST))
    }

    /// The time between two instants; a negative one counts as none.
    pub fn from_delta(delta: TimeDelta) -> Self {
        Self::from_microseconds(delta.num_microseconds().and_then(|us| u64::try_from(us).ok()).unwrap_or(0))
    }

    /// Its length in microseconds.
    pub fn microseconds(self) -> u64 {
        self.0
    }

    /// Its length in whole seconds, the rest cut off.
    pub fn seconds(self) -> u64 {
        self.0 / MICROSECONDS_PER_SECOND
    }

    /// Its length for arithmetic with instants.
    pub fn to_delta(self) -> TimeDelta {
        TimeDelta::microseconds(i64::try_from(self.0).unwrap_or(i64::MAX))
    }

    /// Reads `xs:duration` in days, hours, minutes and seconds. Years and months have no fixed length;
    /// they count as 365 and 30 days, as other implementations of WS-Management do. Weeks (`P1W`) are taken too.
    pub fn parse_duration(text: &str) -> Result<Self, DateTimeError> {
        let fail = |why| DateTimeError::new(text, why);
        let body = text.strip_prefix('P').ok_or_else(|| fail("a duration starts with P"))?;
        let (date, time) = match body.split_once('T') {
            Some((date, time)) if !time.is_empty() => (date, time),
            Some(_) => return Err(fail("nothing follows the T")),
            None => (body, ""),
        };
        if date.is_empty() && time.is_empty() {
            return Err(fail("nothing follows the P"));
        }
        let mut total: u64 = 0;
        let parts = [
            (
                date,
                &[
                    ('Y', 365 * SECONDS_PER_DAY),
                    ('M', 30 * SECONDS_PER_DAY),
                    ('W', 7 * SECONDS_PER_DAY),
                    ('D', SECONDS_PER_DAY),
                ][..],
            ),
            (time, &[('H', 3600), ('M', 60), ('S', 1)][..]),
        ];
        for (part, units) in parts {
            total = add_duration_part(text, part, units, total)?;
        }
        Ok(Self::from_microseconds(total))
    }

    /// Writes `xs:duration`; no time at all is `PT0S`.
    pub fn to_duration(self) -> String {
        let seconds = self.seconds();
        let (days, rest) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
        let (hours, minutes, whole) = (rest / 3600, rest / 60 % 60, rest % 60);
        let micro = self.0 % MICROSECONDS_PER_SECOND;
        let mut text = String::from("P");
        let push = |text: &mut String, n: u64, unit: char| {
            if n > 0 {
                text.push_str(&n.to_string());
                text.push(unit);
            }
        };
        push(&mut text, days, 'D');
        if rest > 0 || micro > 0 || days == 0 {
            text.push('T');
            push(&mut text, hours, 'H');
            push(&mut text, minutes, 'M');
            if micro > 0 {
                text.push_str(format!("{whole}.{micro:06}").trim_end_matches('0'));
                text.push('S');
            } else if whole > 0 || (hours == 0 && minutes == 0) {
                text.push_str(&format!("{whole}S"));
            }
        }
        text
    }
}

fn add_duration_part(text: &str, mut part: &str, units: &[(char, u64)], mut total: u64) -> Result<u64, DateTimeError> {
    let fail = |why| DateTimeError::new(text, why);
    let mut units = units.iter();
    while !part.is_empty() {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(|| fail("a number has no unit"))?;
        let (number, rest) = part.split_at(end);
        let unit = rest.chars().next().unwrap_or_default();
        let &(_, seconds) =
            units.find(|(name, _)| *name == unit).ok_or_else(|| fail("a unit is unknown or out of order"))?;
        total = total.saturating_add(scaled(number, unit, seconds).ok_or_else(|| fail("a number is not one"))?);
        part = rest.get(1..).unwrap_or_default();
    }
    Ok(total)
}

fn scaled(number: &str, unit: char, seconds: u64) -> Option<u64> {
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if unit == 'S' && !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (number, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    // A number too long for u64 is longer than any interval can be.
    let whole: u64 = whole.parse().unwrap_or(u64::MAX);
    let micro: u64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    Some(whole.saturating_mul(seconds).saturating_mul(MICROSECONDS_PER_SECOND).saturating_add(micro))
}

impl DateTimeError {
    fn new(text: &str, why: &'static str) -> Self {
        Self { text: text.chars().take(64).collect(), why }
    }
}

impl DateTime {
    /// Reads the 25 characters of DSP0004 (`20261121093000.000000+060`, `00000001000000.000000:000`),
    /// `xs:dateTime` (without a zone: UTC) or `xs:duration`.
    pub fn parse(text: &str) -> Result<Self, DateTimeError> {
        let fail = |why| DateTimeError::new(text, why);
        if text.starts_with('P') {
            return Interval::parse_duration(text).map(Self::Interval);
        }
        if text.len() == 25 && text.is_ascii() && text.as_bytes().get(14) == Some(&b'.') {
            return parse_cim(text);
        }
        let instant = match chrono::DateTime::parse_from_rfc3339(text) {
            Ok(instant) => instant,
            Err(_) => {
                let naive: chrono::NaiveDateTime = text
                    .parse()
                    .map_err(|_| fail("write it as 2026-11-21T09:30:00Z, PT5M or 20261121093000.000000+000"))?;
                naive.and_utc().fixed_offset()
            }
        };
        if instant.offset().local_minus_utc().abs() > FURTHEST_OFFSET {
            return Err(fail("the offset is more than 14 hours"));
        }
        if !YEARS.contains(&instant.year()) {
            return Err(fail("the year has four digits"));
        }
        Ok(Self::Timestamp(to_microseconds(instant)))
    }

    /// Now, or any other instant, in UTC, to the microsecond.
    pub fn utc(instant: chrono::DateTime<Utc>) -> Self {
        Self::Timestamp(to_microseconds(instant.fixed_offset()))
    }

    /// An interval of whole seconds.
    pub fn seconds(seconds: u64) -> Self {
        Self::Interval(Interval::from_seconds(seconds))
    }

    /// The 25 characters of DSP0004.
    pub fn to_cim(self) -> String {
        match self {
            Self::Timestamp(t) => {
                let t = writable(t, FURTHEST_CIM_OFFSET);
                let minutes = t.offset().local_minus_utc() / 60;
                let sign = if minutes < 0 { '-' } else { '+' };
                format!("{}.{:06}{sign}{:03}", t.format("%Y%m%d%H%M%S"), t.timestamp_subsec_micros(), minutes.abs())
            }
            Self::Interval(i) => {
                let seconds = i.seconds();
                format!(
                    "{:08}{:02}{:02}{:02}.{:06}:000",
                    seconds / SECONDS_PER_DAY,
                    seconds / 3600 % 24,
                    seconds / 60 % 60,
                    seconds % 60,
                    i.microseconds() % MICROSECONDS_PER_SECOND
                )
            }
        }
    }

    /// `xs:dateTime` or `xs:duration`: microseconds only where there are any, a zero offset as `Z` (DSP0230).
    pub fn to_xml(self) -> String {
        match self {
            Self::Timestamp(t) => {
                let t = writable(t, FURTHEST_OFFSET);
                let micro = t.timestamp_subsec_micros();
                let local = t.naive_local();
                let mut text = String::with_capacity(32);
                push_digits(&mut text, local.year().unsigned_abs(), 4);
                for (sign, part) in [
                    ('-', local.month()),
                    ('-', local.day()),
                    ('T', local.hour()),
                    (':', local.minute()),
                    (':', local.second()),
                ] {
                    text.push(sign);
                    push_digits(&mut text, part, 2);
                }
                if micro > 0 {
                    text.push('.');
                    push_digits(&mut text, micro, 6);
                    text.truncate(text.trim_end_matches('0').len());
                }
                let minutes = t.offset().local_minus_utc() / 60;
                if minutes == 0 {
                    text.push('Z');
                } else {
                    text.push(if minutes < 0 { '-' } else { '+' });
                    push_digits(&mut text, minutes.unsigned_abs() / 60, 2);
                    text.push(':');
                    push_digits(&mut text, minutes.unsigned_abs() % 60, 2);
                }
                text
            }
            Self::Interval(i) => i.to_duration(),
        }
    }
}

/// The same instant to the microsecond; a leap second counts as the end of the second before it.
fn to_microseconds(instant: Timestamp) -> Timestamp {
    let nanoseconds = instant.nanosecond().min(999_999_999) / 1000 * 1000;
    instant.with_nanosecond(nanoseconds).unwrap_or(instant)
}

/// The same instant in a form that can be written: in UTC where its offset has seconds or is too far, and within the
/// years that can be written.
fn writable(instant: Timestamp, furthest_offset: i32) -> Timestamp {
    let offset = instant.offset().local_minus_utc();
    let instant =
        if offset % 60 != 0 || offset.abs() > furthest_offset { instant.to_utc().fixed_offset() } else { instant };
    if YEARS.contains(&instant.year()) {
        return to_microseconds(instant);
    }
    let utc = instant.to_utc();
    let year = utc.year().clamp(*YEARS.start(), *YEARS.end());
    // The first of a month exists in every year.
    let within = if year == utc.year() { Some(utc) } else { utc.with_day(1).and_then(|t| t.with_year(year)) };
    to_microseconds(within.unwrap_or_default().fixed_offset())
}

/// Appends a number with leading zeros: a date is written for every instance of an enumeration.
fn push_digits(text: &mut String, number: u32, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10u32.pow(place) % 10;
        text.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

fn parse_cim(text: &str) -> Result<DateTime, DateTimeError> {
    let fail = |why| DateTimeError::new(text, why);
    let number = |from: usize, to: usize| -> Result<u32, DateTimeError> {
        let digits = text.get(from..to).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        digits
            .and_then(|d| d.parse().ok())
            .ok_or_else(|| fail("a digit is missing; parts given as * are not supported"))
    };
    let micro = number(15, 21)?;
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    let zone = number(22, 25)?;
    match text.as_bytes().get(21) {
        Some(b':') => {
            if zone != 0 || hour > 23 || minute > 59 || second > 59 {
                return Err(fail("an interval counts hours to 23, minutes and seconds to 59 and ends with :000"));
            }
            let seconds = u64::from(number(0, 8)?) * SECONDS_PER_DAY + u64::from(hour * 3600 + minute * 60 + second);
            Ok(DateTime::Interval(Interval::from_microseconds(seconds * MICROSECONDS_PER_SECOND + u64::from(micro))))
        }
        Some(sign @ (b'+' | b'-')) => {
            let minutes = i32::try_from(zone).map_err(|_| fail("the offset is too large"))?;
            let seconds_east = if *sign == b'-' { -60 * minutes } else { 60 * minutes };
            let offset = FixedOffset::east_opt(seconds_east).ok_or_else(|| fail("the offset is a day or more"))?;
            let year = i32::try_from(number(0, 4)?).map_err(|_| fail("the year is too large"))?;
            NaiveDate::from_ymd_opt(year, number(4, 6)?, number(6, 8)?)
                .and_then(|date| date.and_hms_micro_opt(hour, minute, second, micro))
                .and_then(|local| offset.from_local_datetime(&local).single())
                .map(DateTime::Timestamp)
                .ok_or_else(|| fail("there is no such date or time of day"))
        }
        _ => Err(fail("its 22nd character is none of + - :")),
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_cim())
    }
}

#[cfg(test)]
mod tests;
