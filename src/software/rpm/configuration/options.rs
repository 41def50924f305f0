//! The options of one section, read as libdnf reads them.

use tracing::warn;

use super::ini::Ini;
use super::variables::Variables;

/// The options of one section.
#[derive(Debug)]
pub(super) struct Options<'a> {
    ini: &'a Ini,
    section: &'a str,
    variables: &'a Variables,
}

impl<'a> Options<'a> {
    /// The options of a section; none if the file has no such section.
    pub(super) fn new(ini: &'a Ini, section: &'a str, variables: &'a Variables) -> Self {
        Self { ini, section, variables }
    }

    /// A text; `None` if it is empty or not there.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        let value = self.ini.value(self.section, key)?;
        let value = self.variables.substitute(value);
        (!value.is_empty() && value != "None").then_some(value)
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
        self.ini.value(self.section, key).is_some_and(|value| value.contains('$'))
    }

    fn parsed<T>(&self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.text(key)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            warn!(
                section = self.section,
                key, value, "an option of dnf has a value that it cannot have; it is passed over"
            );
        }
        parsed
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
