//! The options of one section, read as libdnf reads them.

use tracing::warn;

use super::ini::Ini;
use super::variables::Variables;

/// The options of one section, or of several of which the former count more.
#[derive(Debug)]
pub(super) struct Options<'a> {
    sections: Vec<(&'a Ini, &'a str)>,
    variables: &'a Variables,
}

impl<'a> Options<'a> {
    /// The options of a section; none if the file has no such section.
    pub(super) fn new(ini: &'a Ini, section: &'a str, variables: &'a Variables) -> Self {
        Self { sections: vec![(ini, section)], variables }
    }

    /// The same where these sections count more, the first of them most.
    pub(super) fn below(mut self, sections: impl IntoIterator<Item = (&'a Ini, &'a str)>) -> Self {
        self.sections.splice(0..0, sections);
        self
    }

    /// A text; `None` if it is empty or not there.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.substituted(self.written(key).next()?)
    }

    /// A list, its items parted by blanks, commas and line ends.
    pub(super) fn list(&self, key: &str) -> Vec<String> {
        let value = self.text(key).unwrap_or_default();
        value.split([' ', ',', '\n']).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// A word for yes or no; `None`, as for dnf, if it is another word.
    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        self.parsed(key, boolean)
    }

    /// A number; `None`, as for dnf, if it is none.
    pub(super) fn number(&self, key: &str) -> Option<i32> {
        self.parsed(key, |value| value.parse().ok())
    }

    /// Whether a value is written with a variable.
    pub(super) fn has_variables(&self, key: &str) -> bool {
        self.written(key).next().is_some_and(|value| value.contains('$'))
    }

    /// The value in each section that has one.
    fn written<'s>(&'s self, key: &'s str) -> impl Iterator<Item = &'a str> + 's {
        self.sections.iter().filter_map(move |(ini, section)| ini.value(section, key))
    }

    fn substituted(&self, value: &str) -> Option<String> {
        let value = self.variables.substitute(value);
        (!value.is_empty() && value != "None").then_some(value)
    }

    fn parsed<T>(&self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.written(key).filter_map(|value| self.substituted(value)).find_map(|value| {
            let parsed = parse(&value);
            if parsed.is_none() {
                warn!(key, value, "an option of dnf has a value that it cannot have; it is passed over");
            }
            parsed
        })
    }
}

/// Reads dnf's words for yes and no.
pub(in crate::software::rpm) fn boolean(word: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 4]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is_one_of(["1", "yes", "true", "on"]) {
        Some(true)
    } else {
        is_one_of(["0", "no", "false", "off"]).then_some(false)
    }
}
