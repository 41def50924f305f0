//! What one line tells.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The longest text of a field, in octets; what is longer is cut.
const LONGEST_TEXT: usize = 1024;

/// What a line tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Event {
    /// A change is about to be made.
    Asked,
    /// It was made, or a job was.
    Done,
    /// It was not made.
    Refused,
    /// A job was put into the queue.
    Queued,
    /// A job ended.
    Ended,
    /// A name and a password, or another proof of who asks, were wrong.
    WrongLogin,
    /// The log was opened by a process.
    Opened,
    /// The chain goes on in a new file.
    Rotated,
    /// The end of the file before this line was only half written when the process or the host broke down.
    Torn,
    /// The end of the file is not what was written there.
    Damaged,
    /// Lines were to be written and could not be.
    Lost,
}

/// What one line tells. It holds no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The role that they had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Where they asked from; `None` if they came over no network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// How they proved who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// The request, as its reply and the log call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The method or the operation that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What was to be changed by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// With what, or what else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The job that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<u64>,
    /// How many there were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Of the octets before this line that are no line: how many, and their SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<TornOctets>,
    /// The lines up to this one were in files that are not kept any longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_through: Option<u64>,
}

/// Octets that are no line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TornOctets {
    /// How many.
    pub octets: u64,
    /// Their SHA-256 in hexadecimal digits.
    pub sha256: String,
}

impl Entry {
    /// An entry that says no more than what happened.
    pub fn new(event: Event) -> Self {
        Self {
            event,
            user: None,
            role: None,
            address: None,
            scheme: None,
            request: None,
            method: None,
            object: None,
            details: None,
            result: None,
            job: None,
            count: None,
            torn: None,
            removed_through: None,
        }
    }

    /// The same with long texts cut, so that every line has a bounded length.
    pub(super) fn bounded(mut self) -> Self {
        let texts = [
            &mut self.user,
            &mut self.role,
            &mut self.scheme,
            &mut self.request,
            &mut self.method,
            &mut self.object,
            &mut self.details,
            &mut self.result,
        ];
        for text in texts.into_iter().flatten().filter(|text| text.len() > LONGEST_TEXT) {
            text.truncate(text.floor_char_boundary(LONGEST_TEXT));
            text.push('…');
        }
        self
    }
}

/// For people: what was asked for and what came of it, on one line; not by whom.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.event.words())?;
        if let Some(method) = &self.method {
            write!(f, ": {}", one_line(method))?;
        }
        if let Some(object) = &self.object {
            write!(f, " of {}", one_line(object))?;
        }
        if let Some(details) = &self.details {
            write!(f, " ({})", one_line(details))?;
        }
        if let Some(result) = &self.result {
            write!(f, ": {}", one_line(result))?;
        }
        if let Some(count) = self.count {
            write!(f, ", {count} of them")?;
        }
        Ok(())
    }
}

impl Event {
    fn words(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Queued => "queued",
            Self::Ended => "ended",
            Self::WrongLogin => "wrong login",
            Self::Opened => "the log was opened",
            Self::Rotated => "a new file begins",
            Self::Torn => "the end of the file was torn off",
            Self::Damaged => "the file was damaged",
            Self::Lost => "lines were lost",
        }
    }
}

/// A text with each character escaped that ends a line, steers a terminal or is not shown, such as those that turn the
/// direction of writing.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => line.push(c),
            other => line.extend(other.escape_debug()),
        }
    }
    line
}

/// A text; of an address without what may be a secret: a password, and what stands behind `?`.
pub fn without_secrets(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (place, query) = rest.split_once(['?', '#']).map_or((rest, ""), |(place, _)| (place, "?…"));
    let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let host = authority.rsplit_once('@').map_or_else(|| authority.to_owned(), |(_, host)| format!("…@{host}"));
    format!("{scheme}://{host}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_audit_log_is_one_line() {
        let forged = "a\n2026-01-01 INFO audit: user=admin\u{1b}[2J\u{202e}\u{85}";
        assert_eq!(one_line(forged), r"a\n2026-01-01 INFO audit: user=admin\u{1b}[2J\u{202e}\u{85}");
        let path = r#"CIM_IndicationFilter.Name="über \"x\"","#;
        assert_eq!(one_line(path), path);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let entry = Entry { details: Some("ä".repeat(1000)), ..Entry::new(Event::Asked) }.bounded();
        let details = entry.details.unwrap();
        assert!(details.len() <= LONGEST_TEXT + '…'.len_utf8() && details.ends_with("ä…"), "{details}");
    }
}
