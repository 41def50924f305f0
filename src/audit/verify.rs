//! Whether the chain is whole.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use openssl::sha::Sha256;

use super::chain::{Hash, Line, Link};
use super::entry::{Event, TornOctets};
use super::read::{RawLine, RawLines, Source, open, sources};
use crate::hexadecimal;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The first line that there is.
    pub first: Option<Link>,
    /// The last line that belongs to the chain.
    pub last: Option<Link>,
    /// How many lines belong to it.
    pub lines: u64,
    /// Lines, by number, that tell of something half-written before them.
    pub torn: Vec<u64>,
    /// Lines, by number, that tell how many lines could not be written, and how many.
    pub lost: Vec<(u64, u64)>,
    /// Where the chain is not whole.
    pub broken: Option<Broken>,
    /// Whether the line that was asked for is in the chain; `None` if none was.
    pub has_known: Option<bool>,
}

/// The first place that does not belong to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub file: PathBuf,
    /// The line in it, counted from 1.
    pub line: u64,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.file.display(), self.line, self.why)
    }
}

/// The log cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the audit log cannot be read: {0}")]
pub struct Unverifiable(#[from] io::Error);

/// Looks at the whole log that is written to `file`, and whether the line `known`, a number and the first digits of its hash,
/// is in it.
pub fn verify(file: &Path, known: Option<&(u64, String)>) -> Result<Report, Unverifiable> {
    let mut walk = Walk { known, is_whole_log: true, ..Walk::default() };
    sources(file)?.into_iter().try_for_each(|source| walk.file(source))?;
    Ok(walk.end())
}

/// The same of these files alone, in this order.
pub fn verify_files(files: &[PathBuf], known: Option<&(u64, String)>) -> Result<Report, Unverifiable> {
    let mut walk = Walk { known, ..Walk::default() };
    for file in files {
        walk.file(open(file.clone())?)?;
    }
    Ok(walk.end())
}

/// A place in a file.
#[derive(Clone, Debug)]
struct At {
    file: PathBuf,
    line: u64,
}

/// Octets that are no line, until a line tells of them.
struct Unknown {
    at: At,
    why: String,
    octets: u64,
    hash: Sha256,
    is_ended: bool,
}

#[derive(Default)]
struct Walk<'a> {
    known: Option<&'a (u64, String)>,
    is_whole_log: bool,
    first: Option<(Link, At)>,
    last: Option<Link>,
    lines: u64,
    torn: Vec<u64>,
    lost: Vec<(u64, u64)>,
    removed_through: Option<u64>,
    has_known: bool,
    unknown: Option<Unknown>,
    broken: Option<Broken>,
}

impl Walk<'_> {
    /// Looks at one file, up to the first place that does not belong to the chain.
    fn file(&mut self, Source { path, file }: Source) -> io::Result<()> {
        let mut lines = RawLines::new(file);
        let mut at = At { file: path, line: 0 };
        while self.broken.is_none()
            && let Some(raw) = lines.next_line()?
        {
            at.line += 1;
            match Line::read(&raw.octets) {
                Ok(line) => self.line(&line, &at),
                Err(error) => self.no_line(&raw, &error.to_string(), &at),
            }
        }
        self.check_told(None);
        Ok(())
    }

    fn line(&mut self, line: &Line, at: &At) {
        self.check_told(Some(line));
        let wrong = match self.last {
            Some(last) => wrong_after(last, line),
            None => wrong_first(line),
        };
        if let Some(why) = wrong {
            self.break_at(at.clone(), why);
        }
        if self.broken.is_some() {
            return;
        }
        let link = line.link;
        match line.entry.event {
            Event::Torn => self.torn.push(link.sequence),
            Event::Lost => self.lost.push((link.sequence, line.entry.count.unwrap_or(0))),
            Event::Damaged => {
                let details = line.entry.details.as_deref().unwrap_or_default();
                let why = format!("the service found when it wrote line {} that {details}", link.sequence);
                return self.break_at(at.clone(), why);
            }
            _ => {}
        }
        self.first.get_or_insert_with(|| (link, at.clone()));
        self.last = Some(link);
        self.lines += 1;
        self.removed_through = line.entry.removed_through.or(self.removed_through);
        self.has_known |=
            self.known.is_some_and(|(sequence, digits)| *sequence == link.sequence && link.hash.begins_with(digits));
    }

    fn no_line(&mut self, raw: &RawLine, why: &str, at: &At) {
        let why = match self.last {
            Some(last) => format!("line {} of the chain follows; {why}", last.sequence + 1),
            None => why.to_owned(),
        };
        let new = || Unknown { at: at.clone(), why, octets: 0, hash: Sha256::new(), is_ended: true };
        let unknown = self.unknown.get_or_insert_with(new);
        unknown.add(raw);
    }

    /// Octets that are no line are a break, unless the line behind them tells that a crash left them so.
    fn check_told(&mut self, next: Option<&Line>) {
        let Some(unknown) = self.unknown.take() else { return };
        let told = next.filter(|line| line.entry.event == Event::Torn).and_then(|line| line.entry.torn.as_ref());
        let is_ended = unknown.is_ended;
        let (at, why, found) = unknown.finish();
        match told {
            Some(told) if *told == found => {}
            _ if is_ended => self.break_at(at, why),
            _ => self.break_at(at, format!("{why}; it has no line end, as if it had been cut off")),
        }
    }

    fn break_at(&mut self, At { file, line }: At, why: String) {
        self.broken.get_or_insert(Broken { file, line, why });
    }

    fn end(mut self) -> Report {
        // Older files go when they are too many; the line that begins a file says so.
        if let Some((first, at)) = self.first.clone().filter(|_| self.is_whole_log && self.broken.is_none())
            && first.sequence > 1
            && self.removed_through != Some(first.sequence - 1)
        {
            let why =
                format!("lines 1 to {} are missing, and no line tells that they were removed", first.sequence - 1);
            self.break_at(at, why);
        }
        Report {
            first: self.first.map(|(link, _)| link),
            last: self.last,
            lines: self.lines,
            torn: self.torn,
            lost: self.lost,
            broken: self.broken,
            has_known: self.known.map(|_| self.has_known),
        }
    }
}

impl Unknown {
    fn add(&mut self, raw: &RawLine) {
        if self.octets > 0 {
            self.hash.update(b"\n");
            self.octets += 1;
        }
        self.hash.update(&raw.octets);
        self.octets += raw.octets.len() as u64;
        self.is_ended = raw.is_ended;
    }

    fn finish(self) -> (At, String, TornOctets) {
        let sha256 = hexadecimal::written(&self.hash.finish());
        (self.at, self.why, TornOctets { octets: self.octets, sha256 })
    }
}

/// What is wrong with the first line that there is.
fn wrong_first(line: &Line) -> Option<String> {
    let Link { sequence, .. } = line.link;
    ((sequence == 1) != (line.previous == Hash::NONE))
        .then(|| format!("line {sequence} cannot be the first of a chain"))
}

/// What is wrong with a line that comes after this one.
fn wrong_after(last: Link, line: &Line) -> Option<String> {
    let (wanted, found) = (last.sequence + 1, line.link.sequence);
    if found > wanted + 1 {
        return Some(format!("lines {wanted} to {} are missing before line {found}", found - 1));
    }
    if found == wanted + 1 {
        return Some(format!("line {wanted} is missing before line {found}"));
    }
    if found < wanted {
        return Some(format!("line {found} stands where line {wanted} should"));
    }
    (line.previous != last.hash).then(|| format!("line {found} was not written after line {}", last.sequence))
}
