//! Files with entries in several lines, as `deb822(5)` has them.

use std::ops::Range;

use super::source::truth;
use super::{Damage, Parsed, Source, Written};

/// Fields that are options in the one-line style too, and their names there.
const OPTIONS: &[(&str, &str)] = &[
    ("Architectures", "arch"),
    ("Architectures-Add", "arch+"),
    ("Architectures-Remove", "arch-"),
    ("Trusted", "trusted"),
    ("Allow-Insecure", "allow-insecure"),
];

/// Reads the entries of binary packages, those that are disabled as well.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    for stanza in stanzas(bytes) {
        match stanza.entry() {
            Ok(Some((enabled, source))) => parsed.written.push(Written { place: stanza.place(), enabled, source }),
            Ok(None) => {}
            Err(why) => parsed.damages.push(Damage { line: stanza.line, why }),
        }
    }
    parsed
}

/// The file with the stanza at this place enabled or disabled: in its field, which becomes the last one if it is missing.
pub(super) fn switched(bytes: &[u8], place: &Range<usize>, enabled: bool) -> Vec<u8> {
    let word: &[u8] = if enabled { b"yes" } else { b"no" };
    let stanza = stanzas(bytes).into_iter().find(|stanza| stanza.place() == *place);
    let written = stanza.as_ref().and_then(|stanza| stanza.field("Enabled")).map(|field| field.value.clone());
    let (range, text) = match written {
        Some(value) => (value, [b" ", word].concat()),
        None => (place.end..place.end, added_line(bytes.get(place.clone()).unwrap_or_default(), word)),
    };
    let (head, tail) = (bytes.get(..range.start).unwrap_or_default(), bytes.get(range.end..).unwrap_or_default());
    [head, &text, tail].concat()
}

/// The field as a line after this stanza, whose last line may have no end.
fn added_line(stanza: &[u8], word: &[u8]) -> Vec<u8> {
    let end: &[u8] = if stanza.windows(2).any(|pair| pair == b"\r\n") { b"\r\n" } else { b"\n" };
    let before = if stanza.ends_with(b"\n") { b"" } else { end };
    [before, b"Enabled: ", word, end].concat()
}

/// A stanza, which has at least one field or damage.
#[derive(Debug, Default)]
struct Stanza {
    /// Of its first field, counted from 1.
    line: usize,
    fields: Vec<Field>,
    damage: Option<&'static str>,
}

#[derive(Debug)]
struct Field {
    name: String,
    /// All lines that are no comments, joined by line feeds.
    text: String,
    /// The bytes of all lines.
    lines: Range<usize>,
    /// The bytes after the colon, without the end of the last line.
    value: Range<usize>,
}

/// A line with its end, which may be missing after the last.
struct Line<'a> {
    place: Range<usize>,
    /// Without the end.
    text: &'a [u8],
}

/// Takes a file apart. As apt has it, only a line of nothing ends a stanza, and comments are as if they were not there.
fn stanzas(bytes: &[u8]) -> Vec<Stanza> {
    let mut stanzas = Vec::new();
    let mut stanza: Option<Stanza> = None;
    for (number, line) in lines(bytes).enumerate() {
        if line.text.is_empty() {
            stanzas.extend(stanza.take());
        } else if line.text.first() != Some(&b'#') {
            stanza.get_or_insert_with(|| Stanza { line: number + 1, ..Stanza::default() }).take_line(&line);
        }
    }
    stanzas.extend(stanza);
    stanzas
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    bytes.split_inclusive(|b| *b == b'\n').map(move |line| {
        let place = at..at + line.len();
        at = place.end;
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        Line { place, text: text.strip_suffix(b"\r").unwrap_or(text) }
    })
}

impl Stanza {
    fn take_line(&mut self, line: &Line<'_>) {
        let end = line.place.start + line.text.len();
        if matches!(line.text.first(), Some(b' ' | b'\t')) {
            let Some(field) = self.fields.last_mut() else {
                self.damage = Some("it begins with a blank");
                return;
            };
            field.text.push('\n');
            field.text.push_str(&String::from_utf8_lossy(line.text));
            (field.lines.end, field.value.end) = (line.place.end, end);
            return;
        }
        let Some(colon) = line.text.iter().position(|b| *b == b':') else {
            self.damage = Some("a line has no colon");
            return;
        };
        let (name, value) = line.text.split_at(colon);
        let name = String::from_utf8_lossy(name).into_owned();
        if self.field(&name).is_some() {
            self.damage = Some("a field is there twice");
        }
        self.fields.push(Field {
            name,
            text: String::from_utf8_lossy(value.get(1..).unwrap_or_default()).into_owned(),
            lines: line.place.clone(),
            value: line.place.start + colon + 1..end,
        });
    }

    fn place(&self) -> Range<usize> {
        let start = self.fields.first().map_or(0, |field| field.lines.start);
        start..self.fields.last().map_or(0, |field| field.lines.end)
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    fn words(&self, name: &str) -> Vec<String> {
        let text = self.field(name).map_or("", |field| &field.text);
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    /// Whether it is enabled, and what it says; `None` if it offers source packages only.
    fn entry(&self) -> Result<Option<(bool, Source)>, &'static str> {
        if let Some(damage) = self.damage {
            return Err(damage);
        }
        let types = self.words("Types");
        if types.is_empty() {
            return Err("the field Types is missing");
        }
        if types.iter().any(|t| t != "deb" && t != "deb-src") {
            return Err("its type is neither deb nor deb-src");
        }
        if !types.iter().any(|t| t == "deb") {
            return Ok(None);
        }
        let mut source = Source::new(self.words("URIs"), self.words("Suites"), self.words("Components"))?;
        for (field, option) in OPTIONS {
            if let Some(field) = self.field(field) {
                source.take_option(option, &field.text);
            }
        }
        let enabled = self.field("Enabled").and_then(|field| truth(&field.text));
        Ok(Some((enabled != Some(false), source)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::lines;
    use super::*;

    fn told(text: &str) -> Vec<String> {
        lines(&parse(text.as_bytes()))
    }

    #[test]
    fn entries_are_read_as_apt_reads_them() {
        assert_eq!(
            told(
                "# words\n\n\
                 Types: deb deb-src\n# http://old.example\nURIs: http://a.example\n http://b.example\nSuites: x x-updates\n\
                 Components: main\tcontrib\nSigned-By:\n -----BEGIN\n .\n -----END\n\n\n\
                 types: deb\nURIs: file:/x\n \nSUITES: ./\nTrusted: yes\nEnabled: No\n\n\
                 Types: deb-src\nURIs: http://s.example\nSuites: x\nComponents: y\n\n\
                 Types: deb\r\nURIs: http://c.example\r\nSuites: x\r\nComponents: y\r\nEnabled: sometimes"
            ),
            [
                "true true deb http://a.example http://b.example x x-updates main contrib",
                "false false deb file:/x ./",
                "true true deb http://c.example x y",
            ]
        );
    }

    #[test]
    fn what_is_no_entry_is_told_with_its_line() {
        assert_eq!(
            told(
                "URIs: http://x\n\nTypes: deb\nURIs: http://x\nSuites: y\n\nTypes: rpm\n\n x\n\nwords\n\n\
                 Types: deb\nTypes: deb\n\nTypes: deb\nSuites: y\n"
            ),
            [
                "1: the field Types is missing",
                "3: a suite needs components, and one that ends with a slash has none",
                "7: its type is neither deb nor deb-src",
                "9: it begins with a blank",
                "11: a line has no colon",
                "13: a field is there twice",
                "16: it has no URI",
            ]
        );
    }

    fn switch(text: &str, enabled: bool) -> String {
        let place = parse(text.as_bytes()).written.swap_remove(0).place;
        String::from_utf8(switched(text.as_bytes(), &place, enabled)).unwrap()
    }

    #[test]
    fn the_field_is_set_or_added() {
        let stanza = "Types: deb\nURIs: http://x\nSuites: ./\n";
        let off = format!("# words\n\n{stanza}Enabled: no\n# more\n\nTypes: deb-src\n");
        assert_eq!(switch(&format!("# words\n\n{stanza}# more\n\nTypes: deb-src\n"), false), off);
        assert_eq!(switch(&off, true), off.replace("Enabled: no", "Enabled: yes"));
        assert_eq!(switch(&format!("enabled:\n  no\n{stanza}"), true), format!("enabled: yes\n{stanza}"));
        assert_eq!(switch(stanza.trim_end(), false), format!("{stanza}Enabled: no\n"));
        let dos = stanza.replace('\n', "\r\n");
        assert_eq!(switch(&dos, false), format!("{dos}Enabled: no\r\n"));
        assert_eq!(switch(&format!("{dos}Enabled: no\r\n\r\n"), true), format!("{dos}Enabled: yes\r\n\r\n"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            parse(&bytes);
            parse(&[b"Types: deb\nURIs: http://x\nSuites: ./\n", bytes.as_slice()].concat());
        }

        #[test]
        fn switching_changes_the_one_stanza_only(
            before in "(#[ a-z]{0,9}\n|\n|Types: deb\nURIs: http://o\nSuites: a/\n( \n|Trusted: yes\n|#\n)?\n){0,3}",
            field in "(Enabled: yes\n|Enabled:  on\n)?",
            end in "(|#[ a-z]{0,9}\n?|\r?\n[ -~]{0,9}\n?)",
        ) {
            let own = format!("Types: deb\nURIs: http://x\n{field}Suites: a/\n");
            let before = if before.is_empty() { before } else { before + "\n" };
            let text = format!("{before}{own}{end}");
            let count = before.matches("Types").count();
            let at = |text: &str| {
                let written = parse(text.as_bytes()).written.swap_remove(count);
                (written.enabled, written.place)
            };
            let switch = |text: &str, enabled| {
                String::from_utf8(switched(text.as_bytes(), &at(text).1, enabled)).unwrap()
            };
            prop_assert!(at(&text).0);
            let off = switch(&text, false);
            prop_assert!(!at(&off).0);
            prop_assert!(off.starts_with(&before) && off.ends_with(&end));
            let on = switch(&off, true);
            prop_assert!(at(&on).0);
            prop_assert_eq!(switch(&on, false), off.clone());
            let without = |text: &str| {
                text.lines().filter(|line| !line.starts_with("Enabled:")).map(str::to_owned).collect::<Vec<_>>()
            };
            prop_assert_eq!(without(&text), without(&off));
        }
    }
}
