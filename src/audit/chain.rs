//! How a line is made, and how one is known.
//!
//! A line is a JSON object whose last two members are `previous`, the hash of the line before, and `hash`. The hash is the
//! SHA-256 of the line's own text before `,"hash":`, and so of the line before as well. Nothing but `sed` and `sha256sum` is
//! needed to see whether a line is as it was written.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use openssl::sha::sha256;
use serde::{Deserialize, Serialize};

use super::entry::Entry;
use crate::hexadecimal;

/// The longest line, in octets. An entry's texts are bounded, and each octet takes six at most in JSON.
pub(super) const LONGEST_LINE: usize = 64 * 1024;

const BEFORE_HASH: &str = ",\"hash\":\"";
const AFTER_HASH: &str = "\"}";

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

/// The place of a line in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The line's number, from 1.
    pub sequence: u64,
    /// Its hash.
    pub hash: Hash,
}

/// A line that is as it was written.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) link: Link,
    pub(super) previous: Hash,
    pub(super) time: DateTime<Utc>,
    pub(super) entry: Entry,
}

/// Why some octets are no line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoLine {
    #[error("it is no line of this log")]
    Form,
    #[error("it is not as it was written: its hash is another")]
    Hash,
}

impl Hash {
    /// What the first line of all has in place of the hash of one before.
    pub(super) const NONE: Self = Self([0; 32]);

    pub(super) fn of(octets: &[u8]) -> Self {
        Self(sha256(octets))
    }

    /// Whether the hexadecimal digits of the hash begin so.
    pub fn begins_with(&self, digits: &str) -> bool {
        self.to_string().starts_with(digits)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal::written(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // Only as it is written: two texts must not mean the same hash.
        let octets = hexadecimal::read(text).filter(|_| !text.bytes().any(|b| b.is_ascii_uppercase())).ok_or(())?;
        Ok(Self(octets))
    }
}

impl Link {
    /// What the first line of all follows.
    pub(super) const START: Self = Self { sequence: 0, hash: Hash::NONE };

    /// Appends the line that follows this one, with its line end, and gives its place.
    pub(super) fn append(self, time: DateTime<Utc>, entry: &Entry, text: &mut Vec<u8>) -> serde_json::Result<Self> {
        let sequence = self.sequence + 1;
        let body = Body {
            sequence,
            time: time.to_rfc3339_opts(SecondsFormat::Micros, true),
            entry,
            previous: self.hash.to_string(),
        };
        let mut line = serde_json::to_vec(&body)?;
        line.pop();
        let hash = Hash::of(&line);
        text.extend_from_slice(&line);
        text.extend_from_slice(format!("{BEFORE_HASH}{hash}{AFTER_HASH}\n").as_bytes());
        Ok(Self { sequence, hash })
    }
}

impl Line {
    /// Reads a line without its line end.
    pub(super) fn read(octets: &[u8]) -> Result<Self, NoLine> {
        let text = octets.strip_suffix(AFTER_HASH.as_bytes()).ok_or(NoLine::Form)?;
        let (rest, digits) = text.split_at_checked(text.len().wrapping_sub(64)).ok_or(NoLine::Form)?;
        let body = rest.strip_suffix(BEFORE_HASH.as_bytes()).ok_or(NoLine::Form)?;
        let hash: Hash = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(NoLine::Form)?;
        if Hash::of(body) != hash {
            return Err(NoLine::Hash);
        }
        let ReadBody { sequence, time, previous, entry } =
            serde_json::from_slice(&[body, b"}"].concat()).map_err(|_| NoLine::Form)?;
        let previous = previous.parse().map_err(|()| NoLine::Form)?;
        Ok(Self { link: Link { sequence, hash }, previous, time, entry })
    }
}

#[derive(Serialize)]
struct Body<'a> {
    sequence: u64,
    time: String,
    #[serde(flatten)]
    entry: &'a Entry,
    previous: String,
}

#[derive(Deserialize)]
struct ReadBody {
    sequence: u64,
    time: DateTime<Utc>,
    previous: String,
    #[serde(flatten)]
    entry: Entry,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::Event;

    fn entry(details: String) -> Entry {
        Entry { details: Some(details), ..Entry::new(Event::Asked) }.bounded()
    }

    fn line(details: &str) -> Vec<u8> {
        let mut text = Vec::new();
        Link::START.append(DateTime::UNIX_EPOCH, &entry(details.to_owned()), &mut text).unwrap();
        text.pop();
        text
    }

    #[test]
    fn a_line_is_json_and_its_hash_is_that_of_the_text_before_it() {
        let line = String::from_utf8(line("x")).unwrap();
        let (body, hash) = line.split_once(",\"hash\":").unwrap();
        assert_eq!(hash, format!("\"{}\"}}", Hash::of(body.as_bytes())));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["sequence"], 1);
        assert_eq!(value["time"], "1970-01-01T00:00:00.000000Z");
        assert_eq!(value["previous"], "0".repeat(64));
    }

    #[test]
    fn what_is_no_line_is_told() {
        for text in ["", "{}", "\"}", "x", &format!(",\"hash\":\"{}\"}}", "0".repeat(64))] {
            assert!(Line::read(text.as_bytes()).is_err(), "{text}");
        }
        let upper = String::from_utf8(line("x")).unwrap();
        let at = upper.len() - 66;
        let upper = format!("{}{}", &upper[..at], upper[at..].to_uppercase());
        assert_eq!(Line::read(upper.as_bytes()).unwrap_err(), NoLine::Form);
    }

    proptest! {
        #[test]
        fn a_line_is_read_as_it_was_written(details in "\\PC{0,2000}", control in "[\\x00-\\x1f\u{202e}]{0,20}") {
            let wanted = entry(details + &control);
            let mut text = Vec::new();
            let link = Link::START.append(DateTime::UNIX_EPOCH, &wanted, &mut text).unwrap();
            prop_assert!(text.len() <= LONGEST_LINE);
            prop_assert_eq!(text.iter().filter(|&&b| b == b'\n').count(), 1);
            let line = Line::read(&text[..text.len() - 1]).unwrap();
            prop_assert_eq!(line.entry, wanted);
            prop_assert_eq!(line.link, link);
        }

        #[test]
        fn a_line_with_one_octet_changed_is_none(details in "\\PC{0,50}", at in any::<prop::sample::Index>(), flip in 1..=255u8) {
            let mut octets = line(&details);
            let at = at.index(octets.len());
            octets[at] ^= flip;
            prop_assert!(Line::read(&octets).is_err());
        }
    }
}
