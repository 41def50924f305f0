//! Walks through XML of any size, one tag or text at a time, under limits. Metadata of repositories is too large for a
//! tree, and has come from outside.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// The longest tag or piece of text that is accepted, in octets; real descriptions have some ten thousand.
const LONGEST_PIECE: u64 = 1024 * 1024;

/// How deeply elements may nest; those of real metadata do so four times.
const DEEPEST: usize = 32;

/// A walk through a document.
pub(super) struct Elements<R> {
    reader: Reader<Bounded<R>>,
    buffer: Vec<u8>,
    depth: usize,
    takes_document_type: bool,
}

/// What is met on the way.
pub(super) enum Met<'a> {
    /// An element begins; one without content ends at once.
    Start(BytesStart<'a>),
    /// An element ends.
    End,
    /// A piece of an element's text; the next one belongs to it.
    Text(Cow<'a, str>),
    /// Something of no meaning.
    Nothing,
    /// The document is at its end.
    Finished,
}

impl<R: BufRead> Elements<R> {
    /// A walk through a document of at most `most` octets.
    pub(super) fn new(input: R, most: u64) -> Self {
        let mut reader = Reader::from_reader(Bounded { input, of_piece: LONGEST_PIECE, of_all: most });
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), depth: 0, takes_document_type: false }
    }

    /// The same where a document type may be written. Nothing of it is looked at: it defines no texts.
    pub(super) fn with_document_type(self) -> Self {
        Self { takes_document_type: true, ..self }
    }

    /// How many elements are open; one that begins counts, one that ends does not.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The next piece. After an error there is none.
    pub(super) fn next(&mut self) -> io::Result<Met<'_>> {
        self.buffer.clear();
        self.reader.get_mut().of_piece = LONGEST_PIECE;
        Ok(match self.reader.read_event_into(&mut self.buffer).map_err(failure)? {
            Event::Start(_) | Event::Empty(_) if self.depth >= DEEPEST => {
                return Err(damaged("elements nest too deeply"));
            }
            Event::Start(tag) => {
                self.depth += 1;
                Met::Start(tag)
            }
            Event::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Met::End
            }
            Event::Text(text) => Met::Text(text.xml10_content()),
            Event::CData(text) => Met::Text(text.xml10_content()),
            Event::GeneralRef(reference) => Met::Text(Cow::Owned(referred(&reference)?)),
            Event::DocType(_) if self.takes_document_type => Met::Nothing,
            Event::DocType(_) => return Err(damaged("it has a document type, which metadata has not")),
            Event::Eof if self.depth > 0 => return Err(damaged("it ends in the middle")),
            Event::Eof => Met::Finished,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Met::Nothing,
        })
    }
}

/// The value of an attribute; `None` if it is not there.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> io::Result<Option<String>> {
    let attribute = tag.try_get_attribute(name).map_err(|error| failure(error.into()))?;
    let value = attribute.map(|attribute| attribute.normalized_value(XmlVersion::Implicit1_0)).transpose();
    Ok(value.map_err(failure)?.map(Cow::into_owned))
}

/// Adds a piece to a text that may have so many octets; the rest is cut off.
pub(super) fn append(text: &mut String, piece: &str, most: usize) {
    let room = most.saturating_sub(text.len());
    text.push_str(piece.get(..piece.floor_char_boundary(room)).unwrap_or_default());
}

/// The text of a reference, by its name or number.
fn referred(reference: &BytesRef<'_>) -> io::Result<String> {
    if let Some(character) = reference.resolve_char_ref().map_err(failure)? {
        return Ok(character.to_string());
    }
    resolve_predefined_entity(reference).map(str::to_owned).ok_or_else(|| damaged("it refers to an unknown text"))
}

fn failure(error: quick_xml::Error) -> io::Error {
    match error {
        quick_xml::Error::Io(error) => io::Error::new(error.kind(), error.to_string()),
        other => damaged(&other.to_string()),
    }
}

pub(super) fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Gives only so much in one piece, and only so much in all; more is an error.
struct Bounded<R> {
    input: R,
    of_piece: u64,
    of_all: u64,
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let bytes = self.input.fill_buf()?;
        let most = self.of_piece.min(self.of_all);
        if most == 0 && !bytes.is_empty() {
            return Err(damaged("it is larger than any metadata"));
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes.get(..most).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.of_piece = self.of_piece.saturating_sub(amount as u64);
        self.of_all = self.of_all.saturating_sub(amount as u64);
        self.input.consume(amount);
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn walk(text: &[u8], most: u64) -> io::Result<String> {
        let mut elements = Elements::new(text, most);
        let mut seen = String::new();
        loop {
            match elements.next()? {
                Met::Start(tag) => seen.push_str(&format!("<{}", tag.local_name().as_ref())),
                Met::End => seen.push('>'),
                Met::Text(text) => seen.push_str(&text),
                Met::Nothing => {}
                Met::Finished => return Ok(seen),
            }
        }
    }

    fn refused(text: &[u8]) -> String {
        walk(text, u64::MAX).unwrap_err().to_string()
    }

    #[test]
    fn meets_tags_and_texts() {
        let text = "<?xml version=\"1.0\"?><a x='1'><!-- c --><r:b/>t&amp;&#x41;<![CDATA[<]]>\r\n</a>";
        assert_eq!(walk(text.as_bytes(), 1000).unwrap(), "<a<b>t&A<\n>");
    }

    #[test]
    fn damage_and_excess_are_errors() {
        assert_eq!(refused(b"<a><b></b>"), "it ends in the middle");
        assert_eq!(refused(b"<!DOCTYPE a><a/>"), "it has a document type, which metadata has not");
        assert_eq!(refused(b"<a>&x;</a>"), "it refers to an unknown text");
        assert_eq!(refused("<a>".repeat(33).as_bytes()), "elements nest too deeply");
        assert_eq!(refused(format!("<a>{}</a>", "x".repeat(2_000_000)).as_bytes()), "it is larger than any metadata");
        assert_eq!(walk(b"<a>12345</a>", 8).unwrap_err().to_string(), "it is larger than any metadata");
        assert!(walk(b"<a>12345</a>", 12).is_ok());
        assert!(walk(b"<a></b>", 100).is_err());
        let document = b"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>";
        let mut elements = Elements::new(document.as_slice(), 100).with_document_type();
        assert!(matches!(elements.next(), Ok(Met::Nothing)));
        assert!(matches!(elements.next(), Ok(Met::Start(_))));
        assert!(elements.next().is_err(), "a document type defined a text");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = walk(&bytes, 150);
        }

        #[test]
        fn any_markup_is_read_to_its_end(text in "(</?[ab]( x=\"1\"| )?/?>|<!--|-->|<\\?|<!\\[CDATA\\[|\\]\\]>|&|#1;|amp;|[<>a\"]){0,30}") {
            let _ = walk(text.as_bytes(), 1000);
        }
    }
}
