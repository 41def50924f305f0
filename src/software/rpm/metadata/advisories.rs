//! Reads `updateinfo.xml`, the advisories of a repository.

use std::io::{self, BufRead};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use quick_xml::events::BytesStart;

use super::elements::{Elements, Met, append, attribute};
use super::modules::Modules;
use crate::software::{AdvisoryKind, Bundle, BundleKind, Nevra, Part, Severity};

/// The largest list that is read, in octets once it is decompressed; that of a distribution of many years has some hundred
/// million.
const LARGEST: u64 = 1024 * 1024 * 1024;

/// How many advisories of one list are read.
const MOST_ADVISORIES: usize = 100_000;

/// How many octets of a text are kept.
const LONGEST_TEXT: usize = 64 * 1024;

/// How many references of one advisory are read.
const MOST_REFERENCES: usize = 2000;

/// The element whose text is being read.
#[derive(Clone, Copy)]
enum Field {
    Id,
    Title,
    Severity,
    Description,
    Solution,
    Reboot,
}

/// Adds the advisories of a list, without the packages of streams of modules that are not active, and without advisories that
/// have no others. What is read before damage is found stays.
pub(super) fn read(input: impl BufRead, modules: &Modules, bundles: &mut Vec<Bundle>) -> io::Result<()> {
    let mut elements = Elements::new(input, LARGEST);
    let mut advisory: Option<Bundle> = None;
    let mut of_stream = OfStream::default();
    let mut field = None;
    let mut text = String::new();
    let mut advisories = 0;
    loop {
        let depth = elements.depth();
        match elements.next()? {
            Met::Start(tag) => {
                text.clear();
                if depth == 1 {
                    advisory = begin(&tag)?;
                    of_stream = OfStream::default();
                }
                field = match &mut advisory {
                    Some(_) if of_stream.hides(depth, &tag, modules)? => None,
                    Some(advisory) => start(advisory, depth, &tag)?,
                    None => None,
                };
            }
            Met::Text(piece) if field.is_some() => append(&mut text, &piece, LONGEST_TEXT),
            Met::End if depth == 2 => {
                advisories += 1;
                if advisories > MOST_ADVISORIES {
                    let why = "it has more advisories than any repository";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
                let is_hidden = |advisory: &Bundle| of_stream.has_hidden && advisory.parts.is_empty();
                bundles.extend(advisory.take().filter(|advisory| !is_hidden(advisory)));
            }
            Met::End => {
                if let (Some(advisory), Some(field)) = (&mut advisory, field.take()) {
                    end(advisory, field, text.trim());
                }
            }
            Met::Text(_) | Met::Nothing => {}
            Met::Finished => return Ok(()),
        }
    }
}

/// What is left out of an advisory because it belongs to a stream that is not active.
#[derive(Default)]
struct OfStream {
    /// Whether the collection that is being read does.
    is_inactive: bool,
    /// Whether a package was left out.
    has_hidden: bool,
}

impl OfStream {
    /// Whether an element is a package that is left out, or something of one.
    fn hides(&mut self, depth: usize, tag: &BytesStart<'_>, modules: &Modules) -> io::Result<bool> {
        match (depth, tag.local_name().as_ref()) {
            (3, "collection") => self.is_inactive = false,
            (4, "module") => {
                let (name, stream) = (attribute(tag, "name")?, attribute(tag, "stream")?);
                let context = attribute(tag, "context")?;
                let inactive = |name: String, stream: String| modules.is_inactive(&name, &stream, context.as_deref());
                self.is_inactive = name.zip(stream).is_some_and(|(name, stream)| inactive(name, stream));
            }
            (4, "package") if self.is_inactive => {
                self.has_hidden = true;
                return Ok(true);
            }
            (5, _) if self.is_inactive => return Ok(true),
            _ => {}
        }
        Ok(false)
    }
}

fn begin(tag: &BytesStart<'_>) -> io::Result<Option<Bundle>> {
    if tag.local_name().as_ref() != "update" {
        return Ok(None);
    }
    let mut advisory = Bundle::new(BundleKind::Advisory, "");
    advisory.version = attribute(tag, "version")?.filter(|version| !version.is_empty());
    advisory.advisory = Some(match attribute(tag, "type")?.as_deref() {
        Some("security") => AdvisoryKind::Security,
        Some("bugfix" | "recommended") => AdvisoryKind::BugFix,
        Some("enhancement" | "optional" | "feature") => AdvisoryKind::Enhancement,
        Some("newpackage") => AdvisoryKind::NewPackage,
        _ => AdvisoryKind::Other,
    });
    Ok(Some(advisory))
}

/// Takes the beginning of an element of an advisory.
fn start(advisory: &mut Bundle, depth: usize, tag: &BytesStart<'_>) -> io::Result<Option<Field>> {
    Ok(match (depth, tag.local_name().as_ref()) {
        (2, "id") => Some(Field::Id),
        (2, "title") => Some(Field::Title),
        (2, "severity") => Some(Field::Severity),
        (2, "description") => Some(Field::Description),
        (2, "solution") => Some(Field::Solution),
        // Of the advisory, or of one of its packages.
        (2 | 5, "reboot_suggested") => Some(Field::Reboot),
        (2, "issued") => {
            advisory.released_at = attribute(tag, "date")?.as_deref().and_then(date);
            None
        }
        (3, "reference") => {
            refer(advisory, tag)?;
            None
        }
        (4, "package") => {
            if let Some(nevra) = nevra(tag)? {
                advisory.add(Part::Build(nevra));
            }
            None
        }
        _ => None,
    })
}

fn end(advisory: &mut Bundle, field: Field, text: &str) {
    match field {
        Field::Id => advisory.id = text.into(),
        Field::Title => advisory.name = text.to_owned(),
        Field::Severity => advisory.severity = severity(text),
        // That it is there says it; some makers write True into it.
        Field::Reboot => advisory.needs_reboot |= !matches!(text.to_ascii_lowercase().as_str(), "false" | "no" | "0"),
        Field::Description | Field::Solution if text.is_empty() => {}
        Field::Description | Field::Solution => {
            if !advisory.description.is_empty() {
                advisory.description.push_str("\n\n");
            }
            advisory.description.push_str(text);
        }
    }
}

fn refer(advisory: &mut Bundle, tag: &BytesStart<'_>) -> io::Result<()> {
    let get = |name| attribute(tag, name).map(Option::unwrap_or_default);
    let add = |list: &mut Vec<String>, text: String| {
        if !text.is_empty() && !list.contains(&text) && list.len() < MOST_REFERENCES {
            list.push(text);
        }
    };
    let (kind, href) = (get("type")?, get("href")?);
    if kind == "cve" {
        add(&mut advisory.cves, get("id")?);
    }
    let is_own = kind == "self" && !href.is_empty();
    if is_own {
        // The advisory's own page is where people begin to read.
        advisory.references.retain(|other| *other != href);
        advisory.references.insert(0, href);
        advisory.references.truncate(MOST_REFERENCES);
    } else {
        add(&mut advisory.references, href);
    }
    Ok(())
}

/// The build that a package element names; `None` for sources, and for what names none.
fn nevra(tag: &BytesStart<'_>) -> io::Result<Option<Nevra>> {
    let get = |name| attribute(tag, name).map(Option::unwrap_or_default);
    let (epoch, architecture) = (get("epoch")?, get("arch")?);
    let epoch = if epoch.is_empty() { "0" } else { &epoch };
    let text = format!("{}-{epoch}:{}-{}.{architecture}", get("name")?, get("version")?, get("release")?);
    Ok(text.parse().ok().filter(|_| !matches!(&*architecture, "src" | "nosrc")))
}

fn severity(text: &str) -> Option<Severity> {
    Some(match text.to_ascii_lowercase().as_str() {
        "low" => Severity::Low,
        "moderate" | "medium" => Severity::Moderate,
        "important" | "high" => Severity::Important,
        "critical" | "urgent" => Severity::Critical,
        _ => return None,
    })
}

/// A date as makers write it: with or without the time, which is UTC, or as seconds since 1970.
fn date(text: &str) -> Option<DateTime<Utc>> {
    let start = |length: usize| text.get(..length).unwrap_or_default();
    let with_time = NaiveDateTime::parse_from_str(&start(19).replace('T', " "), "%Y-%m-%d %H:%M:%S").ok();
    let day = || NaiveDate::parse_from_str(start(10), "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    let written = with_time.or_else(day).map(|time| time.and_utc());
    written.or_else(|| DateTime::from_timestamp(text.parse().ok()?, 0))
}

#[cfg(test)]
mod tests;
