//! Forms that bring a file (RFC 7578), taken apart while they arrive.
//!
//! What a part holds is given away in pieces and never kept here, so that nothing but a part's head takes memory.

use memchr::memmem;

/// The longest boundary (RFC 2046 5.1.1) and the longest head of a part, in octets.
const LONGEST_BOUNDARY: usize = 70;
const LONGEST_HEAD: usize = 4096;
/// How many parts a form may have.
const MOST_PARTS: usize = 16;

/// What comes of a form, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A part begins: a field of this name, and whether it is a file.
    Field { name: String, is_file: bool },
    /// Some of what the part holds.
    Content(Vec<u8>),
    /// The form is whole.
    End,
}

/// The form is none that a browser sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A form that arrives.
#[derive(Debug)]
pub(super) struct Form {
    /// What stands between parts, with the line end before it.
    delimiter: Vec<u8>,
    state: State,
    /// What arrived and was not judged yet: a head at most, or what may be the begin of a delimiter.
    waiting: Vec<u8>,
    parts: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first part.
    Before,
    /// Behind a delimiter.
    Delimited,
    Head,
    Content,
    /// Behind the last part.
    After,
}

impl Form {
    /// One with this Content-Type; `None` if that is none of such a form.
    pub(super) fn of(content_type: &str) -> Option<Self> {
        let (kind, parameters) = content_type.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return None;
        }
        let mut parameters = parameters.split(';').filter_map(|parameter| parameter.trim().split_once('='));
        let (_, boundary) = parameters.find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
        let boundary = boundary.trim_matches('"');
        let is_right =
            (1..=LONGEST_BOUNDARY).contains(&boundary.len()) && boundary.bytes().all(|b| b.is_ascii_graphic());
        is_right.then(|| Self {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            state: State::Before,
            // The first delimiter may stand at the very begin.
            waiting: b"\r\n".to_vec(),
            parts: 0,
        })
    }

    /// Takes what arrived, and gives what comes of it.
    pub(super) fn feed(&mut self, arrived: &[u8]) -> Result<Vec<Piece>, Malformed> {
        self.waiting.extend_from_slice(arrived);
        let mut pieces = Vec::new();
        while self.step(&mut pieces)? {}
        Ok(pieces)
    }

    /// One step; `false` if more must arrive first.
    fn step(&mut self, pieces: &mut Vec<Piece>) -> Result<bool, Malformed> {
        match self.state {
            State::Before | State::Content => Ok(self.pass_content(pieces)),
            State::Delimited => self.pass_delimiter(pieces),
            State::Head => self.read_head(pieces),
            State::After => {
                self.waiting.clear();
                Ok(false)
            }
        }
    }

    /// Gives what stands before the next delimiter, as far as it cannot be part of one.
    fn pass_content(&mut self, pieces: &mut Vec<Piece>) -> bool {
        let found = memmem::find(&self.waiting, &self.delimiter);
        let end = found.unwrap_or_else(|| self.waiting.len().saturating_sub(self.delimiter.len() - 1));
        let content: Vec<u8> = self.waiting.drain(..end).collect();
        if self.state == State::Content && !content.is_empty() {
            pieces.push(Piece::Content(content));
        }
        if found.is_some() {
            self.waiting.drain(..self.delimiter.len());
            self.state = State::Delimited;
        }
        found.is_some()
    }

    fn pass_delimiter(&mut self, pieces: &mut Vec<Piece>) -> Result<bool, Malformed> {
        match self.waiting.first_chunk::<2>() {
            None => return Ok(false),
            Some(b"--") => {
                pieces.push(Piece::End);
                self.state = State::After;
            }
            // What follows is the head, which this line end belongs to: it may have no line at all.
            Some(b"\r\n") if self.parts < MOST_PARTS => (self.state, self.parts) = (State::Head, self.parts + 1),
            Some(_) => return Err(Malformed),
        }
        Ok(true)
    }

    fn read_head(&mut self, pieces: &mut Vec<Piece>) -> Result<bool, Malformed> {
        let Some(end) = memmem::find(&self.waiting, b"\r\n\r\n") else {
            return if self.waiting.len() > LONGEST_HEAD { Err(Malformed) } else { Ok(false) };
        };
        if end > LONGEST_HEAD {
            return Err(Malformed);
        }
        let head: Vec<u8> = self.waiting.drain(..end + 4).collect();
        pieces.push(field(&head).ok_or(Malformed)?);
        self.state = State::Content;
        Ok(true)
    }
}

/// What the head of a part says.
fn field(head: &[u8]) -> Option<Piece> {
    let head = std::str::from_utf8(head).ok()?;
    let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let mut named = lines.filter(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"));
    let (_, value) = named.next()?;
    let rest = value.trim().strip_prefix("form-data")?;
    let parameters: Vec<(&str, &str)> = parameters(rest)?;
    let of =
        |wanted: &str| parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value);
    Some(Piece::Field { name: of("name")?.to_owned(), is_file: of("filename").is_some() })
}

/// `; name="value"` and so on. Browsers write a quote in a value as `%22`, so that none stands there.
fn parameters(mut rest: &str) -> Option<Vec<(&str, &str)>> {
    let mut found = Vec::new();
    while let Some(next) = rest.trim_start().strip_prefix(';') {
        let (name, value) = next.split_once("=\"")?;
        let (value, after) = value.split_once('"')?;
        found.push((name.trim(), value));
        rest = after;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=----WebKitFormBoundaryx";

    /// Names, whether they are files, and what they hold.
    type Fields = Vec<(String, bool, Vec<u8>)>;

    /// The fields and what they hold, and whether the form is whole, however it is cut into pieces.
    fn read(body: &[u8], piece: usize) -> Result<(Fields, bool), Malformed> {
        let (mut form, mut fields, mut is_whole) = (Form::of(TYPE).unwrap(), Vec::new(), false);
        for piece in body.chunks(piece) {
            for piece in form.feed(piece)? {
                match piece {
                    Piece::Field { name, is_file } => fields.push((name, is_file, Vec::new())),
                    Piece::Content(octets) => fields.last_mut().unwrap().2.extend(octets),
                    Piece::End => is_whole = true,
                }
            }
        }
        Ok((fields, is_whole))
    }

    fn body(token: &str, file: &[u8]) -> Vec<u8> {
        let head = format!(
            "------WebKitFormBoundaryx\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n\
             ------WebKitFormBoundaryx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a;b=%22.deb\"\r\n\
             Content-Type: application/vnd.debian.binary-package\r\n\r\n"
        );
        [head.as_bytes(), file, b"\r\n------WebKitFormBoundaryx--\r\n"].concat()
    }

    proptest! {
        #[test]
        fn every_form_is_read_however_it_arrives(
            file in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), any::<u8>()], 0..200),
            piece in 1..80_usize,
        ) {
            let (fields, is_whole) = read(&body("t", &file), piece).unwrap();
            prop_assert!(is_whole);
            prop_assert_eq!(fields, vec![("token".to_owned(), false, b"t".to_vec()), ("file".to_owned(), true, file)]);
        }
    }

    proptest! {
        /// Whatever comes, nothing of it is lost or made up, and it is read the same in any pieces.
        #[test]
        fn anything_is_read_the_same_in_any_pieces(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just(b"\r\n------WebKitFormBoundaryx".to_vec()),
                    Just(b"\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n".to_vec()),
                    Just(b"--".to_vec()),
                    Just(b"\r\n".to_vec()),
                    proptest::collection::vec(any::<u8>(), 0..9),
                ],
                0..12,
            ),
            piece in 1..40_usize,
        ) {
            let text = parts.concat();
            prop_assert_eq!(read(&text, piece), read(&text, text.len().max(1)));
        }
    }

    #[test]
    fn what_looks_like_a_delimiter_is_content() {
        let file = b"\r\n------WebKitFormBoundary\r\n--\r\n\r\n----";
        for piece in 1..60 {
            let (fields, is_whole) = read(&body("", file), piece).unwrap();
            assert!(is_whole, "{piece}");
            assert_eq!((fields[0].2.as_slice(), fields[1].2.as_slice()), (&b""[..], &file[..]), "{piece}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused_and_what_breaks_off_is_not_whole() {
        for other in
            ["text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=a"]
        {
            assert!(Form::of(other).is_none(), "{other}");
        }
        assert!(Form::of(&format!("multipart/form-data; boundary={}", "a".repeat(71))).is_none());
        assert!(Form::of("Multipart/Form-Data; charset=x; boundary=\"a b\"").is_none());
        assert!(Form::of("Multipart/Form-Data; charset=x; boundary=\"ab\"").is_some());
        let whole = body("t", b"content");
        assert!(!read(&whole[..whole.len() - 6], 7).unwrap().1);
        assert_eq!(read(b"no form at all", 3).unwrap(), (Vec::new(), false));
        let nameless = b"------WebKitFormBoundaryx\r\nContent-Type: text/plain\r\n\r\nx\r\n------WebKitFormBoundaryx--";
        assert_eq!(read(nameless, 100), Err(Malformed));
        let long = [b"------WebKitFormBoundaryx\r\nA: ".as_slice(), &[b'a'; LONGEST_HEAD * 2]].concat();
        assert_eq!(read(&long, 100), Err(Malformed));
        let part = "------WebKitFormBoundaryx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n";
        assert_eq!(read(part.repeat(MOST_PARTS + 1).as_bytes(), 100), Err(Malformed));
    }
}
