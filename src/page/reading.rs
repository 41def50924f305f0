//! Reads what instances hold, for people.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::cim::{self, Instance, ObjectPath, Property, Value, ValueMapEntry};

/// A point in time, for people and for programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    /// As people read it, in UTC; empty if it is not known.
    pub(super) shown: String,
    /// As programs read it (ISO 8601).
    pub(super) exact: String,
}

impl Moment {
    pub(super) fn new(at: DateTime<Utc>) -> Self {
        let exact = at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        Self { shown: at.format("%Y-%m-%d %H:%M").to_string(), exact }
    }

    pub(super) fn is_known(&self) -> bool {
        !self.shown.is_empty()
    }
}

/// What an instance says. What it does not say is empty.
pub(super) trait Reading {
    /// A text.
    fn text(&self, name: &str) -> String;
    /// A number.
    fn number(&self, name: &str) -> Option<u64>;
    /// Whether something is true, as far as it is known.
    fn truth(&self, name: &str) -> Option<bool>;
    /// A point in time.
    fn moment(&self, name: &str) -> Moment;
    /// A length of time, in seconds.
    fn seconds(&self, name: &str) -> Option<u64>;
    /// Several texts.
    fn texts(&self, name: &str) -> Vec<String>;
    /// Several numbers.
    fn numbers(&self, name: &str) -> Vec<u64>;
    /// What the schema calls the value of a number.
    fn word(&self, name: &str) -> String;
    /// What a reference names.
    fn reference(&self, name: &str) -> Option<Arc<ObjectPath>>;
}

impl Reading for Instance {
    fn text(&self, name: &str) -> String {
        self.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(Value::as_u64)
    }

    fn truth(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    fn moment(&self, name: &str) -> Moment {
        match self.get(name) {
            Some(Value::Datetime(cim::DateTime::Timestamp(at))) => Moment::new(at.with_timezone(&Utc)),
            _ => Moment::default(),
        }
    }

    fn seconds(&self, name: &str) -> Option<u64> {
        match self.get(name) {
            Some(Value::Datetime(cim::DateTime::Interval(time))) => Some(time.seconds()),
            _ => None,
        }
    }

    fn texts(&self, name: &str) -> Vec<String> {
        elements(self, name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn numbers(&self, name: &str) -> Vec<u64> {
        elements(self, name).iter().filter_map(Value::as_u64).collect()
    }

    fn word(&self, name: &str) -> String {
        let value = self.get(name).filter(|value| !value.is_null());
        let Some((value, property)) = value.zip(self.class().property(name)) else { return String::new() };
        word(property, value).map_or_else(|| value.as_integer().unwrap_or_default().to_string(), str::to_owned)
    }

    fn reference(&self, name: &str) -> Option<Arc<ObjectPath>> {
        self.get(name).and_then(Value::as_reference).cloned()
    }
}

fn elements<'a>(instance: &'a Instance, name: &str) -> &'a [Value] {
    instance.get(name).and_then(Value::as_array).unwrap_or_default()
}

fn word<'a>(property: &'a Property, value: &Value) -> Option<&'a str> {
    let map = property.qualifiers.value_map(property.shape.cim_type)?;
    let place = map.iter().position(|entry: &ValueMapEntry<'_>| entry.holds(value))?;
    property.qualifiers.get("Values")?.as_array()?.get(place)?.as_str()
}

/// The version of software as people write it: without an epoch that is none, and without the architecture.
pub(super) fn version(software: &Instance) -> String {
    let parts = (software.text("Version"), software.text("Release"));
    let (version, release) = match parts {
        (version, _) if version.is_empty() => return software.text("VersionString"),
        parts => parts,
    };
    let epoch = software.get("Epoch").and_then(Value::as_integer).filter(|&epoch| epoch != 0);
    let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
    let release = if release.is_empty() { release } else { format!("-{release}") };
    format!("{epoch}{version}{release}")
}

/// A package's build as people name it, out of `name-epoch:version-release.architecture`. Other names stay as they are.
pub(super) fn build(nevra: &str) -> String {
    let parts = || {
        let (head, tail) = nevra.split_once(':')?;
        let ((name, epoch), (version, architecture)) = (head.rsplit_once('-')?, tail.rsplit_once('.')?);
        let epoch = match epoch.parse::<u32>().ok()? {
            0 => String::new(),
            epoch => format!("{epoch}:"),
        };
        Some(format!("{name} {epoch}{version} ({architecture})"))
    };
    parts().unwrap_or_else(|| nevra.to_owned())
}

/// The paragraphs of a description: Debian's have a dot where a line is empty, and a blank before each line.
pub(super) fn paragraphs(text: &str) -> String {
    let line = |line: &str| if line.trim() == "." { String::new() } else { line.trim_end().to_owned() };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A number of octets, for people.
pub(super) fn octets(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = (number.max(1).ilog2() / 10).min(4);
    if power == 0 {
        return format!("{number} B");
    }
    let unit = usize::try_from(power).ok().and_then(|power| UNITS.get(power)).unwrap_or(&"B");
    format!("{:.1} {unit}", number as f64 / 1024_f64.powi(power as i32))
}

/// A length of time in seconds, for people.
pub(super) fn length(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cim::Schema;

    #[test]
    fn numbers_are_called_as_the_schema_calls_them() {
        let schema = Schema::builtin().unwrap();
        let mut job = Instance::new(schema.class("LMI_SoftwareInstallationJob").unwrap().clone());
        assert_eq!(job.word("JobState"), "");
        job.set("JobState", 7u16).unwrap();
        assert_eq!((job.word("JobState"), job.number("JobState")), ("Completed".to_owned(), Some(7)));
        assert_eq!((job.text("Name"), job.word("Nothing")), (String::new(), String::new()));
    }

    #[test]
    fn builds_are_named_as_people_name_them() {
        let named = ["curl-0:7.88.1-12.amd64", "vim-2:9.0-1.fc40.x86_64", "tzdata-0:2024a.all"].map(build);
        assert_eq!(named, ["curl 7.88.1-12 (amd64)", "vim 2:9.0-1.fc40 (x86_64)", "tzdata 2024a (all)"]);
        for other in
            ["VMware_bootbank_esx-base_5.5.0-1.15.1623387", "file:///srv/a-1.0.deb", "https://h:5986/x-1.zip", ""]
        {
            assert_eq!(build(other), other);
        }
    }

    #[test]
    fn sizes_and_times_are_written_for_people() {
        let sizes = [0, 1023, 1024, 1_500_000, 3 << 30, u64::MAX].map(octets);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.4 MiB", "3.0 GiB", "16777216.0 TiB"]);
        assert_eq!([5, 65, 3700, 90_000].map(length), ["5 s", "1 min 5 s", "1 h 1 min", "1 d 1 h"]);
    }
}
