//! Reads `deb822(5)` stanzas one at a time, under limits, keeping only the fields that are asked for.

use std::io::{self, BufRead, Read};
use std::ops::Range;

/// The longest line that is accepted; dependency fields of real packages reach some ten thousand bytes.
const LONGEST_LINE: u64 = 1024 * 1024;

/// How many bytes of one stanza's kept fields are accepted.
const LARGEST_STANZA: usize = 4 * 1024 * 1024;

/// The kept fields of one stanza, in the order of the reader's list.
#[derive(Debug)]
pub(super) struct Stanza {
    names: &'static [&'static str],
    /// The values one behind the other: lists have many thousand stanzas, and a text for each value takes time.
    text: String,
    values: Vec<Option<Range<usize>>>,
    /// The line of its first field, counted from 1.
    pub line: usize,
}

impl Stanza {
    fn new(names: &'static [&'static str], line: usize) -> Self {
        Self { names, text: String::new(), values: vec![None; names.len()], line }
    }

    /// The value of a field, continuation lines joined by line feeds with their leading blank kept.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let at = self.names.iter().position(|n| n.eq_ignore_ascii_case(name))?;
        self.text.get(self.values.get(at)?.clone()?)
    }
}

/// What the reader met.
#[derive(Debug)]
pub(super) enum Met {
    /// A whole stanza.
    Stanza(Stanza),
    /// A damaged stanza, skipped to its end: the line of the damage and what is wrong.
    Damaged(usize, &'static str),
}

/// A reader over a file of stanzas.
#[derive(Debug)]
pub(super) struct Stanzas<R> {
    input: R,
    names: &'static [&'static str],
    line: usize,
    buffer: Vec<u8>,
}

impl<R: BufRead> Stanzas<R> {
    /// A reader that keeps the fields called `names`.
    pub(super) fn new(input: R, names: &'static [&'static str]) -> Self {
        Self { input, names, line: 0, buffer: Vec::new() }
    }

    /// The next stanza, whole or damaged; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Met>> {
        let mut stanza: Option<Stanza> = None;
        let mut damage: Option<(usize, &'static str)> = None;
        let mut current: Option<usize> = None;
        while self.read_line()? {
            let Self { names, line, buffer, .. } = self;
            if buffer.iter().all(u8::is_ascii_whitespace) {
                if stanza.is_some() || damage.is_some() {
                    break;
                }
                continue;
            }
            let stanza = stanza.get_or_insert_with(|| Stanza::new(names, *line));
            if damage.is_none()
                && let Err(why) = take_line(stanza, &mut current, buffer)
            {
                damage = Some((*line, why));
            }
        }
        Ok(match (damage, stanza) {
            (Some((line, why)), _) => Some(Met::Damaged(line, why)),
            (None, Some(stanza)) => Some(Met::Stanza(stanza)),
            (None, None) => None,
        })
    }

    /// Reads a line into the buffer, without its end; false at the end of the file. Of a line that is too long only
    /// the beginning stays, which the caller sees by its length.
    fn read_line(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        if self.input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(false);
        }
        self.line += 1;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if self.buffer.len() as u64 == LONGEST_LINE {
            self.input.skip_until(b'\n')?;
        }
        Ok(true)
    }
}

/// Takes one line of a stanza: a field's beginning, or its continuation.
fn take_line(stanza: &mut Stanza, current: &mut Option<usize>, line: &[u8]) -> Result<(), &'static str> {
    if line.len() as u64 >= LONGEST_LINE {
        return Err("the line is too long");
    }
    let value = if matches!(line.first(), Some(b' ' | b'\t')) {
        line
    } else {
        let colon = line.iter().position(|b| *b == b':').ok_or("the line has no colon")?;
        let (name, value) = line.split_at(colon);
        if name.is_empty() || !name.iter().all(|b| b.is_ascii_graphic()) {
            return Err("the field has no proper name");
        }
        *current = stanza.names.iter().position(|n| n.as_bytes().eq_ignore_ascii_case(name));
        if current.and_then(|at| stanza.values.get(at)).is_some_and(Option::is_some) {
            return Err("the field is there twice");
        }
        value.get(1..).unwrap_or_default().trim_ascii()
    };
    let Some(slot) = current.and_then(|at| stanza.values.get_mut(at)) else { return Ok(()) };
    if stanza.text.len() + value.len() > LARGEST_STANZA {
        return Err("the stanza is too large");
    }
    let start = match slot {
        None => stanza.text.len(),
        Some(range) => {
            stanza.text.push('\n');
            range.start
        }
    };
    stanza.text.push_str(&String::from_utf8_lossy(value));
    *slot = Some(start..stanza.text.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mut stanzas = Stanzas::new(text.as_bytes(), &["Package", "Description"]);
        let mut seen = Vec::new();
        while let Some(met) = stanzas.next().unwrap() {
            seen.push(match met {
                Met::Stanza(s) => format!("{}: {:?} {:?}", s.line, s.get("package"), s.get("Description")),
                Met::Damaged(line, why) => format!("{line}: {why}"),
            });
        }
        seen
    }

    #[test]
    fn reads_fields_and_continuations() {
        assert_eq!(
            read("\n\nPackage: a\nOther: x\n y\ndescription: one\n two\n .\n three\n\n \nPackage:b"),
            [r#"3: Some("a") Some("one\n two\n .\n three")"#, r#"12: Some("b") None"#]
        );
        assert!(read("").is_empty());
    }

    #[test]
    fn a_damaged_stanza_costs_only_itself() {
        assert_eq!(
            read("Package: a\nnonsense\nmore\n\nPackage: b\n\nPackage: c\nPackage: d\n\n: e\n"),
            [
                "2: the line has no colon",
                r#"5: Some("b") None"#,
                "8: the field is there twice",
                "10: the field has no proper name"
            ]
        );
        let long = "x".repeat(3 * 1024 * 1024);
        assert_eq!(
            read(&format!("Package: {long}\n\nPackage: b\n")),
            ["1: the line is too long", r#"3: Some("b") None"#]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut stanzas = Stanzas::new(bytes.as_slice(), &["Package"]);
            while stanzas.next().unwrap().is_some() {}
        }
    }
}
