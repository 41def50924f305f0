//! The text format of OpenMetrics 1.0.

use std::fmt::Write;

/// The content type of the text (OpenMetrics 1.0, "Protocol Negotiation").
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a family of figures is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows; its samples' names end with `_total`.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It is always 1; its labels tell something. Its samples' names end with `_info`.
    Info,
    /// How often something was below each of some limits.
    Histogram,
}

/// The text that is being written, family after family.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    family: &'static str,
    suffix: &'static str,
}

impl Exposition {
    /// Begins a family. A name that ends with a unit, such as `_seconds` or `_bytes`, has that unit.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> &mut Self {
        let (word, suffix) = match kind {
            Kind::Counter => ("counter", "_total"),
            Kind::Gauge => ("gauge", ""),
            Kind::Info => ("info", "_info"),
            Kind::Histogram => ("histogram", ""),
        };
        (self.family, self.suffix) = (name, suffix);
        self.line(format_args!("# TYPE {name} {word}\n"));
        if let Some(unit) = ["seconds", "bytes"].into_iter().find(|unit| name.ends_with(&format!("_{unit}"))) {
            self.line(format_args!("# UNIT {name} {unit}\n"));
        }
        self.line(format_args!("# HELP {name} {}\n", escaped(help)));
        self
    }

    /// A sample of the family that was begun last.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Into<Number>) -> &mut Self {
        self.sample_named(self.suffix, labels, value)
    }

    /// A sample whose name is the family's with this at its end.
    pub(super) fn sample_named(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        value: impl Into<Number>,
    ) -> &mut Self {
        let family = self.family;
        self.line(format_args!("{family}{suffix}"));
        for (at, (name, value)) in labels.iter().enumerate() {
            self.line(format_args!("{}{name}=\"{}\"", if at == 0 { '{' } else { ',' }, escaped(value)));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        match value.into() {
            Number::Whole(value) => self.line(format_args!("{end} {value}\n")),
            Number::Real(value) => self.line(format_args!("{end} {value:?}\n")),
        }
        self
    }

    /// The whole text.
    pub fn finish(mut self) -> String {
        self.text.push_str("# EOF\n");
        self.text
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing into a string does not fail.
        let _ = self.text.write_fmt(text);
    }
}

/// The value of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Whole(i128),
    /// Another one; it is finite.
    Real(f64),
}

macro_rules! whole {
    ($($from:ty),*) => {$(
        impl From<$from> for Number {
            fn from(value: $from) -> Self {
                Self::Whole(value as i128)
            }
        }
    )*};
}

whole!(u32, u64, usize, i64, bool);

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_written_as_openmetrics_has_them() {
        let mut exposition = Exposition::default();
        exposition.family("app_requests", Kind::Counter, "Requests.").sample(&[("path", "a\"b\\c\nd")], 3_u64);
        exposition.family("app_start_time_seconds", Kind::Gauge, "Start.").sample(&[], 1.5);
        exposition.family("app_build", Kind::Info, "Build.").sample(&[("version", "1"), ("os", "x")], 1_u64);
        let text = "# TYPE app_requests counter\n# HELP app_requests Requests.\n\
                    app_requests_total{path=\"a\\\"b\\\\c\\nd\"} 3\n\
                    # TYPE app_start_time_seconds gauge\n# UNIT app_start_time_seconds seconds\n\
                    # HELP app_start_time_seconds Start.\napp_start_time_seconds 1.5\n\
                    # TYPE app_build info\n# HELP app_build Build.\napp_build_info{version=\"1\",os=\"x\"} 1\n# EOF\n";
        assert_eq!(exposition.finish(), text);
    }
}
