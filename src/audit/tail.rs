//! The end of a file: the last line that is whole, and what comes behind it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::chain::{Hash, LONGEST_LINE, Line, Link};
use super::entry::TornOctets;

/// How far back a whole line is looked for.
const REACH: u64 = 4 * LONGEST_LINE as u64;

/// The end of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// The last whole line; `None` if there is none within reach.
    pub(super) last: Option<Link>,
    /// What is behind it.
    pub(super) rest: Rest,
}

/// What comes behind the last whole line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    /// Only the line end is missing.
    LineEnd,
    /// Something without a line end, as a crash leaves it.
    Torn(TornOctets),
    /// Something else.
    Damaged(TornOctets),
}

impl Tail {
    /// Reads the end of a file of that length.
    pub(super) fn read(file: &File, length: u64) -> io::Result<Self> {
        let start = length.saturating_sub(REACH);
        let mut end = vec![0; usize::try_from(length - start).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut end, start)?;
        Ok(Self::of(&end))
    }

    fn of(end: &[u8]) -> Self {
        let mut behind = end.len();
        // From the last line backwards.
        while behind > 0 {
            let text = end.get(..behind).unwrap_or_default();
            let body = text.strip_suffix(b"\n").unwrap_or(text);
            let start = body.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
            if let Ok(line) = Line::read(body.get(start..).unwrap_or_default()) {
                let rest = end.get(behind..).unwrap_or_default();
                let is_ended = text.len() > body.len();
                return Self { last: Some(line.link), rest: Rest::of(rest, is_ended) };
            }
            behind = start;
        }
        Self { last: None, rest: Rest::of(end, true) }
    }
}

impl Rest {
    fn of(octets: &[u8], is_line_ended: bool) -> Self {
        let torn = || TornOctets { octets: octets.len() as u64, sha256: Hash::of(octets).to_string() };
        match octets {
            [] if is_line_ended => Self::Nothing,
            [] => Self::LineEnd,
            [.., b'\n'] => Self::Damaged(torn()),
            _ => Self::Torn(torn()),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::audit::{Entry, Event};

    fn lines(count: usize) -> (Vec<u8>, Link) {
        let mut text = Vec::new();
        let append = |link: Link, _| link.append(DateTime::UNIX_EPOCH, &Entry::new(Event::Asked), &mut text).unwrap();
        let last = (0..count).fold(Link::START, append);
        (text, last)
    }

    #[test]
    fn the_last_whole_line_is_found_whatever_is_behind_it() {
        let (text, last) = lines(3);
        assert_eq!(Tail::of(&text), Tail { last: Some(last), rest: Rest::Nothing });
        assert_eq!(Tail::of(&text[..text.len() - 1]), Tail { last: Some(last), rest: Rest::LineEnd });
        for (rest, is_torn) in [(&b"{\"sequ"[..], true), (b"\0\0\0", true), (b"a\nb", true), (b"a\nb\n", false)] {
            let found = Tail::of(&[&text, rest].concat());
            assert_eq!(found.last, Some(last));
            assert_eq!(
                matches!(found.rest, Rest::Torn(TornOctets { octets, .. }) if octets == rest.len() as u64),
                is_torn
            );
            assert_eq!(matches!(found.rest, Rest::Damaged(_)), !is_torn);
        }
    }

    #[test]
    fn of_each_prefix_the_whole_lines_are_kept() {
        let (text, _) = lines(4);
        for cut in 0..text.len() {
            let whole = text[..cut].iter().filter(|&&b| b == b'\n').count();
            // A line whose line end alone is missing is whole.
            let whole = whole + usize::from(cut + 1 < text.len() && text[cut] == b'\n' || cut + 1 == text.len());
            let found = Tail::of(&text[..cut]);
            assert_eq!(found.last.map_or(0, |link| link.sequence), whole as u64, "{cut}");
            assert!(!matches!(found.rest, Rest::Damaged(_)), "{cut}");
        }
    }
}
