//! Reads the files that configure dnf, by the rules of libdnf's own reader (`iniparser.cpp`), and tells where each value
//! stands.

use std::ops::Range;

/// A file that dnf would not read either, and so leaves out as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub(in crate::software::rpm) struct Malformed {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: &'static str,
}

/// The sections of a file, in its order. A name may come several times; then all together are one section.
#[derive(Debug, Default)]
pub(in crate::software::rpm) struct Ini(Vec<Section>);

#[derive(Debug)]
struct Section {
    name: String,
    entries: Vec<Entry>,
    /// Where the line after its header, or after its last entry, begins.
    end: usize,
}

/// A key with its value.
#[derive(Debug)]
struct Entry {
    key: String,
    /// The value, its lines joined by line feeds.
    value: String,
    /// Where the value stands, from its first line to its last.
    place: Range<usize>,
}

impl Ini {
    /// Reads a file of any bytes.
    pub(in crate::software::rpm) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut ini = Self::default();
        let mut goes_on = false;
        let mut at = 0;
        for (number, whole) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
            let begin = if number == 0 && whole.starts_with(b"\xef\xbb\xbf") { at + 3 } else { at };
            at += whole.len();
            let end = at - usize::from(whole.ends_with(b"\n"));
            let line = Line { bytes: bytes.get(begin..end).unwrap_or_default(), begin, next: at };
            goes_on = ini.take(&line, goes_on).map_err(|message| Malformed { line: number + 1, message })?;
        }
        Ok(ini)
    }

    /// The names of the sections, each once.
    pub(in crate::software::rpm) fn sections(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for section in &self.0 {
            if !names.contains(&&*section.name) {
                names.push(&section.name);
            }
        }
        names
    }

    /// The value of a key in a section; the last one where there are several.
    pub(in crate::software::rpm) fn value(&self, section: &str, key: &str) -> Option<&str> {
        self.entry(section, key).map(|entry| unquoted(&entry.value))
    }

    /// Where the value of a key stands in the file, without quotation marks.
    pub(in crate::software::rpm) fn place(&self, section: &str, key: &str) -> Option<Range<usize>> {
        let entry = self.entry(section, key)?;
        let quotes = usize::from(unquoted(&entry.value).len() < entry.value.len());
        Some(entry.place.start + quotes..entry.place.end - quotes)
    }

    /// Where a further line of the section has its place.
    pub(in crate::software::rpm) fn end(&self, section: &str) -> Option<usize> {
        self.0.iter().rfind(|s| s.name == section).map(|section| section.end)
    }

    fn entry(&self, section: &str, key: &str) -> Option<&Entry> {
        let of_name = self.0.iter().filter(|s| s.name == section);
        of_name.flat_map(|s| &s.entries).rfind(|entry| entry.key == key)
    }

    /// Takes a line; `goes_on` tells whether it may continue an entry, and the answer whether the next one may.
    fn take(&mut self, line: &Line<'_>, goes_on: bool) -> Result<bool, &'static str> {
        if matches!(line.bytes.first(), None | Some(b'#' | b';')) {
            return Ok(false);
        }
        let is_blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r');
        let Some(start) = line.bytes.iter().position(|b| !is_blank(b)) else { return Ok(goes_on) };
        let end = line.bytes.iter().rposition(|b| !is_blank(b)).map_or(start, |last| last + 1);
        if line.bytes.get(start) == Some(&b'[') {
            self.0.push(Section { name: line.header(start, end)?, entries: Vec::new(), end: line.next });
            return Ok(false);
        }
        let section = self.0.last_mut().ok_or("an entry comes before the first section")?;
        if start == 0 {
            section.entries.push(line.entry(end)?);
        } else {
            let entry = section.entries.last_mut().filter(|_| goes_on).ok_or("an indented line continues nothing")?;
            entry.value.push('\n');
            entry.value.push_str(&line.text(start..end));
            entry.place.end = line.begin + end;
        }
        section.end = line.next;
        Ok(true)
    }
}

/// A line without its end.
struct Line<'a> {
    bytes: &'a [u8],
    begin: usize,
    /// Where the next line begins.
    next: usize,
}

impl Line<'_> {
    /// The name of the section that the line opens. What follows the bracket must be a comment; libdnf does not look at
    /// the last character.
    fn header(&self, start: usize, end: usize) -> Result<String, &'static str> {
        let close = self.bytes.iter().position(|b| *b == b']').ok_or("the bracket is not closed")?;
        if close <= start + 1 {
            return Err("the section has no name");
        }
        let behind = self.bytes.get(close + 1..end.saturating_sub(1)).unwrap_or_default().trim_ascii_start();
        if !matches!(behind.first(), None | Some(b'#' | b';')) {
            return Err("there is text behind the section's name");
        }
        Ok(self.text(start + 1..close))
    }

    fn entry(&self, end: usize) -> Result<Entry, &'static str> {
        let equals = self.bytes.iter().position(|b| *b == b'=').ok_or("the line has no equals sign")?;
        let key = self.text(0..equals);
        let key = key.trim_end_matches([' ', '\t']);
        if key.is_empty() {
            return Err("the entry has no name");
        }
        let behind = self.bytes.get(equals + 1..end).unwrap_or_default();
        let start = equals + 1 + behind.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let end = end.max(start);
        Ok(Entry { key: key.to_owned(), value: self.text(start..end), place: self.begin + start..self.begin + end })
    }

    fn text(&self, range: Range<usize>) -> String {
        String::from_utf8_lossy(self.bytes.get(range).unwrap_or_default()).into_owned()
    }
}

/// A value without the quotation marks around it.
fn unquoted(value: &str) -> &str {
    let within = |mark| value.strip_prefix(mark).and_then(|rest: &str| rest.strip_suffix(mark));
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &str) -> Vec<String> {
        let ini = Ini::parse(text.as_bytes()).unwrap();
        ini.0
            .iter()
            .flat_map(|s| s.entries.iter().map(|e| format!("{} {}={:?}", s.name, e.key, unquoted(&e.value))))
            .collect()
    }

    fn refused(text: &str) -> String {
        Ini::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn reads_sections_entries_and_continuations() {
        assert_eq!(
            values(
                "\u{feff}# a comment\n[main] ; more\ngpgcheck = 1 \n\n[one]\r\nname='The One'\r\nbaseurl= http://a/\r\n  \
                 http://b/\r\n \r\n\thttp://c/\n#x\n  [two]\nempty=\nx =y=z#1"
            ),
            [
                "main gpgcheck=\"1\"",
                "one name=\"The One\"",
                "one baseurl=\"http://a/\\nhttp://b/\\nhttp://c/\"",
                "two empty=\"\"",
                "two x=\"y=z#1\""
            ]
        );
        assert_eq!(values(""), Vec::<String>::new());
    }

    #[test]
    fn sections_and_entries_of_one_name_are_one_and_the_last_counts() {
        let ini = Ini::parse(b"[a]\nx=1\n[b]\n[a]\nx=2\nx=\"3\"\n").unwrap();
        assert_eq!(ini.sections(), ["a", "b"]);
        assert_eq!((ini.value("a", "x"), ini.value("b", "x")), (Some("3"), None));
        assert_eq!(ini.place("a", "x"), Some(23..24));
        assert_eq!((ini.end("b"), ini.end("c")), (Some(12), None));
    }

    #[test]
    fn what_dnf_does_not_read_is_refused() {
        assert_eq!(refused("x=1\n[a]\n"), "line 1: an entry comes before the first section");
        assert_eq!(refused("[a]\n\n nonsense\n"), "line 3: an indented line continues nothing");
        assert_eq!(refused("[a]\nx=1\n#\n y\n"), "line 4: an indented line continues nothing");
        assert_eq!(refused("[a\n"), "line 1: the bracket is not closed");
        assert_eq!(refused("[]\n"), "line 1: the section has no name");
        assert_eq!(refused("[a] bc\n"), "line 1: there is text behind the section's name");
        assert_eq!(refused("[a]\nnonsense\n"), "line 2: the line has no equals sign");
        assert_eq!(refused("[a]\n=1\n"), "line 2: the entry has no name");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Ini::parse(&bytes);
        }

        #[test]
        fn places_are_in_the_file(text in "(\\[[ab]\\][ ]?|[xy] ?=|[ \t]|[\"'1]|\r?\n|#){0,40}") {
            if let Ok(ini) = Ini::parse(text.as_bytes()) {
                for section in ini.sections() {
                    for key in ["x", "y"] {
                        let place = ini.place(section, key);
                        prop_assert_eq!(place.is_some(), ini.value(section, key).is_some());
                        if let (Some(place), Some(value)) = (place, ini.value(section, key)) && !value.contains('\n') {
                            prop_assert_eq!(&text[place], value);
                        }
                    }
                    prop_assert!(text.is_char_boundary(ini.end(section).unwrap()));
                }
            }
        }
    }
}
