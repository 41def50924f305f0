//! Which lines of the audit log are shown.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use clap::Args;

use crate::audit::{Event, Shown};

/// The lines that all of these say.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Selection {
    /// Only lines from this time on: 2026-11-29, "2026-11-29 18:30" (UTC), 2026-11-29T18:30:00+01:00, or so long ago: 90s, 15m, 2h,
    /// 7d, 4w.
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Only lines from before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Only lines about this user; may be given several times.
    #[arg(long, value_name = "NAME")]
    user: Vec<String>,
    /// Only changes by this method or operation, or jobs whose name begins so; may be given several times.
    #[arg(long, visible_alias = "action", value_name = "METHOD")]
    method: Vec<String>,
    /// Only lines of this kind; may be given several times.
    #[arg(long, value_name = "EVENT", value_enum)]
    event: Vec<Event>,
    /// Only lines whose result holds this text, whatever its case.
    #[arg(long, value_name = "TEXT")]
    result: Option<String>,
    /// Only lines about this job.
    #[arg(long, value_name = "NUMBER")]
    job: Option<u64>,
}

/// A time, or how long ago it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    At(DateTime<Utc>),
    Ago(TimeDelta),
}

impl Moment {
    fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(time) => time,
            Self::Ago(ago) => now.checked_sub_signed(ago).unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let of_day = |format: &str| NaiveDateTime::parse_from_str(text, format).ok();
        let written = DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc));
        let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|date| date.and_time(NaiveTime::MIN));
        let in_utc = || of_day("%Y-%m-%d %H:%M:%S").or_else(|| of_day("%Y-%m-%d %H:%M")).or_else(date);
        let ago = || so_long(text).map(Self::Ago);
        let at = written.or_else(|| in_utc().map(|time| time.and_utc())).map(Self::At);
        at.or_else(ago)
            .ok_or("it is a time such as 2026-11-29, \"2026-11-29 18:30\" or 2026-11-29T18:30:00Z, or 15m, 2h, 7d ago")
    }
}

fn so_long(text: &str) -> Option<TimeDelta> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    TimeDelta::try_seconds(i64::from(number.parse::<u32>().ok()?).checked_mul(seconds)?)
}

impl Selection {
    /// Whether a line is one of them.
    pub(crate) fn has(&self, line: &Shown, now: DateTime<Utc>) -> bool {
        let Shown { time, entry, .. } = line;
        let is_any = |wanted: &[String], is: &dyn Fn(&str) -> bool| wanted.is_empty() || wanted.iter().any(|w| is(w));
        let method = entry.method.as_deref().unwrap_or_default();
        let is_method = |wanted: &str| {
            let begins = method.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted));
            begins && (entry.job.is_some() || method.len() == wanted.len())
        };
        let has_text = |text: &String| {
            entry.result.as_ref().is_some_and(|result| result.to_lowercase().contains(&text.to_lowercase()))
        };
        self.since.is_none_or(|since| *time >= since.at(now))
            && self.until.is_none_or(|until| *time < until.at(now))
            && is_any(&self.user, &|wanted| entry.user.as_deref() == Some(wanted))
            && is_any(&self.method, &is_method)
            && (self.event.is_empty() || self.event.contains(&entry.event))
            && self.result.as_ref().is_none_or(has_text)
            && self.job.is_none_or(|job| entry.job == Some(job))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Entry;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = time("2026-11-29T12:00:00Z");
        for (text, expected) in [
            ("2026-11-28", "2026-11-28T00:00:00Z"),
            ("2026-11-28 18:30", "2026-11-28T18:30:00Z"),
            ("2026-11-28 18:30:05", "2026-11-28T18:30:05Z"),
            ("2026-11-28T18:30:00+01:00", "2026-11-28T17:30:00Z"),
            ("90s", "2026-11-29T11:58:30Z"),
            ("2h", "2026-11-29T10:00:00Z"),
            ("1w", "2026-11-22T12:00:00Z"),
        ] {
            assert_eq!(text.parse::<Moment>().unwrap().at(now), time(expected), "{text}");
        }
        for text in ["", "h", "2", "-2h", "2y", "yesterday", "2026-13-01", "é"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
        assert_eq!("4294967295w".parse::<Moment>().unwrap().at(now), DateTime::<Utc>::MIN_UTC);
    }

    #[test]
    fn a_line_is_shown_that_all_filters_let_through() {
        let now = time("2026-11-29T12:00:00Z");
        let entry = Entry {
            user: Some("ann".to_owned()),
            method: Some("InstallPackage-4".to_owned()),
            result: Some("Failed: no room".to_owned()),
            job: Some(4),
            ..Entry::new(Event::Ended)
        };
        let line = Shown { sequence: 1, time: time("2026-11-29T10:00:00Z"), entry };
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let none = Selection::default;
        assert!(none().has(&line, now));
        for (selection, is_shown) in [
            (Selection { since: "2h".parse().ok(), ..none() }, true),
            (Selection { since: "1h".parse().ok(), ..none() }, false),
            (Selection { until: "2h".parse().ok(), ..none() }, false),
            (Selection { until: "2026-11-30".parse().ok(), ..none() }, true),
            (Selection { user: texts(&["bob", "ann"]), ..none() }, true),
            (Selection { user: texts(&["Ann"]), ..none() }, false),
            (Selection { method: texts(&["installpackage"]), ..none() }, true),
            (Selection { method: texts(&["Remove"]), ..none() }, false),
            (Selection { event: vec![Event::Ended], ..none() }, true),
            (Selection { event: vec![Event::Done], ..none() }, false),
            (Selection { result: Some("FAILED".to_owned()), ..none() }, true),
            (Selection { result: Some("completed".to_owned()), ..none() }, false),
            (Selection { job: Some(4), ..none() }, true),
            (Selection { job: Some(5), ..none() }, false),
        ] {
            assert_eq!(selection.has(&line, now), is_shown, "{selection:?}");
        }
        let by_method = Entry { method: Some("PutX".to_owned()), ..Entry::new(Event::Asked) };
        let line = Shown { entry: by_method, ..line };
        let put = Selection { method: texts(&["Put"]), ..none() };
        assert!(!put.has(&line, now), "only a job's name goes on");
    }
}
