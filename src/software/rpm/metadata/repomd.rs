//! Reads `repomd.xml`, the index of a repository's metadata.

use std::io::{self, BufRead};
use std::path::{Component, Path, PathBuf};

use chrono::{DateTime, Utc};

use super::elements::{Elements, Met, attribute};

/// The largest index that is read, in octets; real ones have some thousand.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The kinds among the metadata: the list of packages, that of groups, that of advisories, and that of modules. Some makers write the list of
/// groups twice, the second time compressed; dnf fetches that one.
const PRIMARY: &str = "primary";
const GROUPS: &str = "group";
const COMPRESSED_GROUPS: &str = "group_gz";
const ADVISORIES: &str = "updateinfo";
const MODULES: &str = "modules";

/// What an index says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Repomd {
    /// The number of this state, where the repository counts by numbers.
    pub revision: Option<u64>,
    /// When the newest part was made.
    pub updated_at: Option<DateTime<Utc>>,
    /// The list of packages.
    pub primary: Option<List>,
    /// The lists of groups: the same one in different forms, of which one or the other is there.
    pub groups: Vec<List>,
    /// The list of advisories.
    pub advisories: Option<List>,
    /// The list of modules.
    pub modules: Option<List>,
}

/// Where a list is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct List {
    /// The file, below the folder of the repository.
    pub location: PathBuf,
    /// The checksum of the file.
    pub checksum: Option<Checksum>,
}

/// A checksum as metadata has it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Checksum {
    /// By which rule: `sha256`.
    pub kind: String,
    /// The sum, in hexadecimal digits.
    pub sum: String,
}

/// The element below `data`, or `revision`, whose text is being read.
enum Field {
    Revision,
    Checksum,
    Timestamp,
}

impl Repomd {
    /// Reads an index.
    pub(super) fn read(input: impl BufRead) -> io::Result<Self> {
        let mut elements = Elements::new(input, LARGEST);
        let mut repomd = Self::default();
        let mut part = Part::default();
        let mut field = None;
        let mut text = String::new();
        loop {
            let depth = elements.depth();
            match elements.next()? {
                Met::Start(tag) => {
                    text.clear();
                    field = match (depth, tag.local_name().as_ref()) {
                        (1, "revision") => Some(Field::Revision),
                        (2, "checksum") => {
                            part.checksum.kind = attribute(&tag, "type")?.unwrap_or_default();
                            Some(Field::Checksum)
                        }
                        (2, "timestamp") => Some(Field::Timestamp),
                        _ => None,
                    };
                    match (depth, tag.local_name().as_ref()) {
                        (1, "data") => part = Part { kind: attribute(&tag, "type")?, ..Part::default() },
                        (2, "location") => part.location = attribute(&tag, "href")?,
                        _ => {}
                    }
                }
                Met::Text(piece) if field.is_some() => text.push_str(&piece),
                Met::End => match field.take() {
                    Some(Field::Revision) => repomd.revision = text.trim().parse().ok(),
                    Some(Field::Checksum) => part.checksum.sum = text.trim().to_owned(),
                    Some(Field::Timestamp) => part.made_at = time(text.trim()),
                    None if depth == 2 => repomd.take(std::mem::take(&mut part)),
                    None => {}
                },
                Met::Text(_) | Met::Nothing => {}
                Met::Finished => return Ok(repomd),
            }
        }
    }

    fn take(&mut self, part: Part) {
        self.updated_at = self.updated_at.max(part.made_at);
        let checksum = (!part.checksum.sum.is_empty()).then_some(part.checksum);
        let location = part.location.map(PathBuf::from).filter(|location| is_inside(location));
        let Some(list) = location.map(|location| List { location, checksum }) else { return };
        match part.kind.as_deref() {
            Some(PRIMARY) if self.primary.is_none() => self.primary = Some(list),
            Some(ADVISORIES) if self.advisories.is_none() => self.advisories = Some(list),
            Some(MODULES) if self.modules.is_none() => self.modules = Some(list),
            Some(GROUPS | COMPRESSED_GROUPS) if self.groups.len() < 2 => self.groups.push(list),
            _ => {}
        }
    }
}

/// One `data` element.
#[derive(Default)]
struct Part {
    kind: Option<String>,
    location: Option<String>,
    checksum: Checksum,
    made_at: Option<DateTime<Utc>>,
}

/// Seconds since 1970; some makers write a fraction too.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let seconds = text.split('.').next()?.parse().ok()?;
    DateTime::from_timestamp(seconds, 0)
}

/// Whether a path from outside stays below the folder that it is meant for.
fn is_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_))) && path.components().next().is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(content: &str) -> io::Result<Repomd> {
        let text = format!("<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\n{content}\n</repomd>");
        Repomd::read(text.as_bytes())
    }

    #[test]
    fn an_index_tells_its_state_and_where_the_packages_are() {
        let repomd = read(
            "<revision>1700000000</revision>\n<tags/>\n<data type=\"primary\">\n<checksum type=\"sha256\">ab</checksum>\n\
             <open-checksum type=\"sha256\">cd</open-checksum>\n<location href=\"repodata/ab-primary.xml.gz\"/>\n\
             <timestamp>1700000001</timestamp><size>7</size></data>\
             <data type=\"other\"><location href=\"x\"/><timestamp>1700000009.25</timestamp></data>\
             <data type=\"group\"><timestamp>never</timestamp></data><data type=\"group_gz\"><location href=\"c.gz\"/></data>\
             <data type=\"updateinfo\"><location href=\"u.gz\"/></data>\
             <data type=\"modules\"><location href=\"m.gz\"/></data>",
        );
        let checksum = Some(Checksum { kind: "sha256".to_owned(), sum: "ab".to_owned() });
        let expected = Repomd {
            revision: Some(1_700_000_000),
            updated_at: DateTime::from_timestamp(1_700_000_009, 0),
            primary: Some(List { location: "repodata/ab-primary.xml.gz".into(), checksum }),
            groups: vec![List { location: "c.gz".into(), checksum: None }],
            advisories: Some(List { location: "u.gz".into(), checksum: None }),
            modules: Some(List { location: "m.gz".into(), checksum: None }),
        };
        assert_eq!(repomd.unwrap(), expected);
        assert_eq!(read("<revision>5.2</revision>").unwrap(), Repomd::default());
    }

    #[test]
    fn a_location_outside_of_the_folder_is_none() {
        for location in ["../x", "/etc/passwd", "a/../b", "", "./.."] {
            let repomd = read(&format!("<data type=\"primary\"><location href=\"{location}\"/></data>")).unwrap();
            assert_eq!(repomd.primary, None, "{location}");
        }
        assert!(read("<data>").is_err());
    }

    proptest! {
        #[test]
        fn any_index_is_read_to_its_end(
            text in "(</?(data|location|checksum|timestamp|revision)( type=\"primary\"| href=\"a\")?/?>|[0-9.a]{0,3}){0,30}",
        ) {
            let _ = read(&text);
            let _ = Repomd::read(text.as_bytes());
        }
    }
}
