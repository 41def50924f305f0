//! Cuts the Image of InstallFromByteStream out of an envelope while it arrives (DSP1025; base64 by DSP0230).
//!
//! What is left is an envelope with an empty Image, which is read like any other. The cutter judges nothing: what it does
//! not know it leaves where it is, for the strict reader.

use memchr::memchr2;

/// The element of the method's parameters, and of the octets in it.
const INPUT: &[u8] = b"InstallFromByteStream_INPUT";
const IMAGE: &[u8] = b"Image";
/// Longer texts are base64; up to this, in characters, they are octets one by one, as arrays of numbers are written.
const LONGEST_NUMBER: usize = 3;
/// The longest reference to a character that is blank: `&#x0000D;` and the like.
const MAX_REFERENCE: usize = 16;

/// Takes an envelope in UTF-8 apart.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    /// The envelope without what was cut out.
    kept: Vec<u8>,
    state: State,
    /// Whether the reading is between the start and the end of the method's parameters.
    in_input: bool,
    /// Whether the start of the body was seen.
    in_body: bool,
    /// What the body is, once that is known.
    is_call: Option<bool>,
    has_cut: bool,
    is_damaged: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Text,
    /// Inside of `<…>` that began there in what is kept; with the quote that is open.
    Tag { start: usize, quote: Option<u8> },
    /// Inside of a comment, a CDATA section or a processing instruction that began there; they end so.
    Until { start: usize, end: &'static [u8] },
    /// At the start of an Image, whose text began there in what is kept, with so many characters that are not blank.
    Start { text: usize, characters: usize },
    /// In the text that is cut out.
    Image,
    /// In a reference to a character in that text.
    Reference(Vec<u8>),
}

impl Cutter {
    /// Takes what arrived. Characters of the Image that are not blank go to `image`.
    pub(super) fn feed(&mut self, mut arrived: &[u8], image: &mut Vec<u8>) {
        while let Some((&octet, rest)) = arrived.split_first() {
            if !matches!(self.state, State::Image) {
                self.step(octet, image);
                arrived = rest;
                continue;
            }
            let end = memchr2(b'<', b'&', arrived).unwrap_or(arrived.len());
            let (text, rest) = arrived.split_at(end);
            image.extend(text.iter().filter(|octet| !octet.is_ascii_whitespace()));
            let Some((&mark, rest)) = rest.split_first() else { return };
            arrived = rest;
            if mark == b'<' {
                self.open_tag();
            } else {
                self.state = State::Reference(Vec::new());
            }
        }
    }

    /// The envelope without what was cut out, as far as it arrived.
    pub(super) fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// The same at the end.
    pub(super) fn into_kept(self) -> Vec<u8> {
        self.kept
    }

    /// Whether an Image is being cut out, or was.
    pub(super) fn has_cut(&self) -> bool {
        self.has_cut
    }

    /// Whether the text that is cut out holds references to characters that base64 does not have.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// Whether the body is a call of the method; `None` as long as that is not known.
    pub(super) fn is_call(&self) -> Option<bool> {
        self.is_call
    }

    fn step(&mut self, octet: u8, image: &mut Vec<u8>) {
        match &mut self.state {
            State::Text if octet == b'<' => self.open_tag(),
            State::Text => self.kept.push(octet),
            State::Tag { start, quote } => {
                let start = *start;
                self.kept.push(octet);
                match (*quote, octet) {
                    (Some(open), _) if open == octet => *quote = None,
                    (Some(_), _) => {}
                    (None, b'"' | b'\'') => *quote = Some(octet),
                    (None, b'>') => self.close_tag(start),
                    (None, _) => self.look_for_section(start),
                }
            }
            State::Until { start, end } => {
                self.kept.push(octet);
                // The first octets are the section's own: `<!-->` does not end a comment.
                let content = self.kept.get(*start..).unwrap_or_default();
                if content.ends_with(end) {
                    self.state = State::Text;
                }
            }
            State::Start { .. } if octet == b'<' => self.open_tag(),
            State::Start { text, characters } => {
                self.kept.push(octet);
                *characters += usize::from(!octet.is_ascii_whitespace());
                if *characters > LONGEST_NUMBER {
                    let began = self.kept.split_off(*text);
                    (self.state, self.has_cut) = (State::Image, true);
                    self.feed(&began, image);
                }
            }
            State::Reference(name) if octet == b';' => {
                self.is_damaged |= !is_blank(name);
                self.state = State::Image;
            }
            State::Reference(name) if octet != b'<' && name.len() < MAX_REFERENCE => name.push(octet),
            State::Reference(_) => {
                (self.is_damaged, self.state) = (true, State::Image);
                self.feed(&[octet], image);
            }
            State::Image => {}
        }
    }

    fn open_tag(&mut self) {
        self.state = State::Tag { start: self.kept.len(), quote: None };
        self.kept.push(b'<');
    }

    fn look_for_section(&mut self, start: usize) {
        const SECTIONS: [(&[u8], &[u8]); 3] = [(b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>")];
        let begun = self.kept.get(start..).unwrap_or_default();
        if let Some((open, end)) = SECTIONS.into_iter().find(|(open, _)| *open == begun) {
            self.state = State::Until { start: start + open.len(), end };
        }
    }

    /// A start or an end tag is complete.
    fn close_tag(&mut self, start: usize) {
        self.state = State::Text;
        let tag = self.kept.get(start..).unwrap_or_default();
        let is = |name: &[u8]| local_name(tag).eq_ignore_ascii_case(name);
        let (is_end, is_empty) = (tag.starts_with(b"</"), tag.ends_with(b"/>"));
        let (is_input, is_image, is_body) = (is(INPUT), is(IMAGE), local_name(tag) == b"Body");
        match (is_end, is_input) {
            (true, true) => self.in_input = false,
            (false, true) if self.in_body => self.in_input = !is_empty,
            _ => {}
        }
        if self.in_body && !is_end && self.is_call.is_none() {
            self.is_call = Some(is_input);
        }
        self.in_body |= is_body && !is_end && !is_empty;
        if self.in_input && is_image && !is_end && !is_empty && !self.has_cut {
            self.state = State::Start { text: self.kept.len(), characters: 0 };
        }
    }
}

/// The name in a tag, without its prefix.
fn local_name(tag: &[u8]) -> &[u8] {
    let name = tag.strip_prefix(b"</").or_else(|| tag.strip_prefix(b"<")).unwrap_or_default();
    let is_over = |octet: &u8| octet.is_ascii_whitespace() || matches!(octet, b'/' | b'>');
    let name = name.get(..name.iter().position(is_over).unwrap_or(name.len())).unwrap_or_default();
    name.rsplit(|&octet| octet == b':').next().unwrap_or_default()
}

/// Whether `&name;` is white space: writers of XML keep the line ends of base64 so.
fn is_blank(name: &[u8]) -> bool {
    let number = std::str::from_utf8(name).ok().and_then(|name| {
        let name = name.strip_prefix('#')?;
        name.strip_prefix('x').map_or_else(|| name.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())
    });
    matches!(number, Some(9 | 10 | 13 | 32))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is kept and what is cut out, however the text is cut into pieces.
    fn cut(text: &str, piece: usize) -> (String, String) {
        let (mut cutter, mut image) = (Cutter::default(), Vec::new());
        for piece in text.as_bytes().chunks(piece.max(1)) {
            cutter.feed(piece, &mut image);
        }
        let image = String::from_utf8(image).unwrap();
        assert_eq!(cutter.has_cut(), !image.is_empty());
        (String::from_utf8(cutter.into_kept()).unwrap(), image)
    }

    fn call(input: &str) -> String {
        format!(
            "<s:Envelope><s:Header/><s:Body><p:InstallFromByteStream_INPUT>{input}</p:InstallFromByteStream_INPUT></s:Body></s:Envelope>"
        )
    }

    #[test]
    fn an_image_is_cut_out_in_every_form_that_clients_write() {
        for (image, left) in [
            ("<p:Image>AAAAbb==</p:Image>", "<p:Image></p:Image>"),
            ("<Image>\n  AA AA\r\n\tbb&#xD;&#13;&#xa;==\n</Image>", "<Image></Image>"),
            (
                "<p:image x:type=\"cim:a>b\" y='</'>AAAAbb==</p:image >",
                "<p:image x:type=\"cim:a>b\" y='</'></p:image >",
            ),
            ("<q:Other>Image</q:Other><a:Image\n>AAAAbb==</a:Image>", "<q:Other>Image</q:Other><a:Image\n></a:Image>"),
        ] {
            for piece in [1, 2, 7, 10_000] {
                assert_eq!(cut(&call(image), piece), (call(left), "AAAAbb==".to_owned()), "{image}");
            }
        }
    }

    #[test]
    fn everything_else_stays_where_it_is() {
        for text in [
            call("<p:Image>1</p:Image><p:Image>255</p:Image>"),
            call("<p:Image/><p:Target>AAAAAAAA</p:Target>"),
            call("<p:Image x:nil='true'></p:Image>"),
            call("<p:Image><![CDATA[AAAAAAAA]]></p:Image>"),
            call(
                "<!-- <p:Image>AAAAAAAA</p:Image> --><![CDATA[<Image>AAAAAAAA</Image>]]><?x <Image>AAAAAAAA</Image>?>",
            ),
            call("<!--><p:Image>AAAAAAAA</p:Image>-->"),
            call("").replace("</s:Body>", "<p:Image>AAAAAAAA</p:Image></s:Body>"),
            "<s:Header><InstallFromByteStream_INPUT><Image>AAAAAAAA</Image></InstallFromByteStream_INPUT>".to_owned(),
            "<s:Body><InstallFromURI_INPUT><Image>AAAAAAAA</Image></InstallFromURI_INPUT></s:Body>".to_owned(),
            "no xml at all & < > \u{fffd}".to_owned(),
        ] {
            assert_eq!(cut(&text, 3), (text.clone(), String::new()));
        }
    }

    #[test]
    fn a_second_image_is_left_to_the_reader() {
        let two = call("<Image>AAAAAAAA</Image><Image>BBBBBBBB</Image>");
        let left = call("<Image></Image><Image>BBBBBBBB</Image>");
        assert_eq!(cut(&two, 5), (left, "AAAAAAAA".to_owned()));
    }

    #[test]
    fn what_the_body_is_is_known_with_its_first_element() {
        let known = |text: &str| {
            let mut cutter = Cutter::default();
            cutter.feed(text.as_bytes(), &mut Vec::new());
            cutter.is_call()
        };
        assert_eq!(known("<s:Envelope><s:Header><a:Action/></s:Header><s:Body>"), None);
        assert_eq!(known(&call("")), Some(true));
        assert_eq!(known("<s:Envelope><s:Body> <n:Enumerate>"), Some(false));
    }

    #[test]
    fn other_references_are_no_base64() {
        for reference in ["&amp;", "&#65;", "&#x;", "&;", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "&#10"] {
            let mut cutter = Cutter::default();
            cutter.feed(call(&format!("<Image>AAAA{reference}AAAA</Image>")).as_bytes(), &mut Vec::new());
            assert!(cutter.is_damaged(), "{reference}");
            assert_eq!(cutter.into_kept(), call("<Image></Image>").into_bytes(), "{reference}");
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference_and_nothing_breaks(text in "[<>/:&;'\"! a-cImage\\-?\\[\\]#x1-3\n]{0,200}", piece in 1..9usize) {
            let text = call(&format!("<Image>AA{text}"));
            let run = |piece: usize| {
                let (mut cutter, mut image) = (Cutter::default(), Vec::new());
                text.as_bytes().chunks(piece).for_each(|piece| cutter.feed(piece, &mut image));
                (cutter.is_damaged(), cutter.into_kept(), image)
            };
            prop_assert_eq!(run(piece), run(10_000));
        }

        #[test]
        fn what_is_cut_out_is_what_was_put_in(image in "[A-Za-z0-9+/]{4,300}", piece in 1..50usize) {
            prop_assert_eq!(cut(&call(&format!("<Image>{image}</Image>")), piece), (call("<Image></Image>"), image));
        }
    }
}
