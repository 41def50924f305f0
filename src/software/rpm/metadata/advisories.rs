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
    /// Whether an element is a package that is left out.
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
    if get("type")? == "cve" {
        add(&mut advisory.cves, get("id")?);
    }
    add(&mut advisory.references, get("href")?);
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = "<update from=\"x\" status=\"final\" type=\"security\" version=\"2\"><id>T-2024:1</id><title>A fix</title>\n\
        <issued date=\"2024-01-02 03:04:05\"/><updated date=\"2024-02-01\"/><severity>Important</severity>\n\
        <description>What &amp; why.</description><solution>Do it.</solution><references>\n\
        <reference href=\"https://x/1\" id=\"CVE-2024-1\" type=\"cve\" title=\"t\"/>\n\
        <reference href=\"https://x/1\" id=\"CVE-2024-2\" type=\"cve\"/><reference href=\"https://b\" id=\"7\" type=\"bugzilla\"/>\n\
        </references><pkglist><collection short=\"c\"><name>c</name><module name=\"m\"/>\n\
        <package name=\"a\" version=\"1\" release=\"2.el9\" epoch=\"3\" arch=\"noarch\" src=\"a.src.rpm\"><filename>f</filename></package>\n\
        <package name=\"b-c\" version=\"1\" release=\"2\" arch=\"x86_64\"/><package name=\"b\" version=\"1\" release=\"2\" arch=\"src\"/>\n\
        <package name=\"odd\"/></collection></pkglist></update>";

    fn told(text: &[u8]) -> (io::Result<()>, Vec<Bundle>) {
        let mut bundles = Vec::new();
        (read(text, &Modules::default(), &mut bundles), bundles)
    }

    #[test]
    fn an_advisory_is_read() {
        let (result, bundles) = told(format!("<updates>{ONE}<update/><other/></updates>").as_bytes());
        result.unwrap();
        let [one, empty] = bundles.as_slice() else { panic!("{bundles:?}") };
        let builds = ["a-3:1-2.el9.noarch", "b-c-0:1-2.x86_64"].map(|text| Part::Build(text.parse().unwrap()));
        assert_eq!((&*one.id, one.name.as_str(), one.parts.as_slice()), ("T-2024:1", "A fix", builds.as_slice()));
        assert_eq!(one.description, "What & why.\n\nDo it.");
        assert_eq!((one.advisory, one.severity), (Some(AdvisoryKind::Security), Some(Severity::Important)));
        assert_eq!(
            (one.cves.as_slice(), one.references.len()),
            (["CVE-2024-1", "CVE-2024-2"].map(String::from).as_slice(), 2)
        );
        assert_eq!(one.released_at.unwrap().to_rfc3339(), "2024-01-02T03:04:05+00:00");
        assert_eq!((one.version.as_deref(), empty.advisory), (Some("2"), Some(AdvisoryKind::Other)));
        let (result, bundles) = told(format!("<updates>{ONE}<update>").as_bytes());
        assert!(result.is_err() && bundles.len() == 1);
    }

    #[test]
    fn packages_of_streams_that_are_not_active_are_left_out() {
        let build =
            |name: &str| format!("<package name=\"{name}\" version=\"1\" release=\"1\" epoch=\"0\" arch=\"noarch\"/>");
        let module =
            |stream: &str, context: &str| format!("<module name=\"m\" stream=\"{stream}\" context=\"{context}\"/>");
        let of = |inner: &str| format!("<collection>{inner}</collection>");
        let advisory = |id: &str, lists: &str| {
            format!("<update type=\"security\"><id>{id}</id><pkglist>{lists}</pkglist></update>")
        };
        let text = [
            advisory("both", &(of(&(module("2", "c") + &build("a"))) + &of(&build("b")))),
            advisory("none", &of(&(module("1", "other") + &build("a")))),
            advisory("all", &of(&(module("1", "c") + &build("a")))),
            advisory("empty", ""),
        ];
        let text = format!("<updates>{}</updates>", text.concat());
        let told = |modules: &Modules| {
            let mut bundles = Vec::new();
            read(text.as_bytes(), modules, &mut bundles).unwrap();
            bundles.iter().map(|bundle| (bundle.id.to_string(), bundle.parts.len())).collect::<Vec<_>>()
        };
        let counted =
            |counts: &[(&str, usize)]| counts.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect::<Vec<_>>();
        let active = Modules::with_active(["m", "1", "c"]);
        assert_eq!(told(&active), counted(&[("both", 1), ("all", 1), ("empty", 0)]));
        assert_eq!(told(&Modules::default()), counted(&[("both", 2), ("none", 1), ("all", 1), ("empty", 0)]));
    }

    #[test]
    fn dates_are_read_as_makers_write_them() {
        let read = |text| date(text).map(|date| date.to_rfc3339());
        for text in
            ["2024-01-02 00:00:00", "2024-01-02", "2024-01-02T00:00:00Z", "2024-01-02 00:00:00 UTC", "1704153600"]
        {
            assert_eq!(read(text).as_deref(), Some("2024-01-02T00:00:00+00:00"), "{text}");
        }
        for text in ["", "yesterday", "2024-13-02", "99999999999999999999"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = told(&bytes);
        }

        #[test]
        fn any_list_is_read_to_its_end(
            at in 0..ONE.len(),
            bytes in proptest::collection::vec(any::<u8>(), 0..3),
            text in "(</?(updates|update|id|references|reference|pkglist|collection)>|<package( (name|epoch|arch)=\"\\PC{0,2}\")*/>|\
                     <issued date=\"[0-9 :-]{0,20}\"/>|[a-c\n]){0,30}",
        ) {
            let _ = told(text.as_bytes());
            let mut damaged = ONE.as_bytes().to_vec();
            damaged.splice(at..(at + bytes.len()).min(ONE.len()), bytes);
            let _ = told(&damaged);
        }
    }
}
