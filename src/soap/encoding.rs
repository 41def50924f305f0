//! UTF-8 and UTF-16, in and out (DSP0226 R13.1-4 to R13.1-8).

use std::borrow::Cow;

use super::{Fault, FaultDetail, FaultKind};
use crate::xml::Written;

/// How a message is written in octets. A reply is written as its request was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-8; a byte order mark is taken and not sent.
    #[default]
    Utf8,
    /// UTF-16, the lower octet first; sent with a byte order mark.
    Utf16Le,
    /// UTF-16, the higher octet first; sent with a byte order mark.
    Utf16Be,
}

/// Octets that are no text in a known encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// The Content-Type names an encoding that is not served: a fault.
    #[error("the character set {0:?} is not supported; send UTF-8 or UTF-16")]
    Unsupported(String),
    /// The Content-Type names one encoding and the octets show another: HTTP status 400 (R13.1-8).
    #[error("the Content-Type names another character set than the body is written in")]
    Contradiction,
    /// The octets are not what their encoding allows: HTTP status 400.
    #[error("the body is not well-formed in its character set")]
    Malformed,
}

impl EncodingError {
    /// The fault for the peer; `None` where DSP0226 wants the HTTP status 400 alone.
    pub fn fault(&self) -> Option<Fault> {
        matches!(self, Self::Unsupported(_))
            .then(|| Fault::detailed(FaultKind::EncodingLimit, FaultDetail::CharacterSet, self.to_string()))
    }
}

impl Encoding {
    /// The encoding of a body, from the charset parameter of its Content-Type and from its first octets.
    pub fn detect(body: &[u8], charset: Option<&str>) -> Result<Self, EncodingError> {
        let seen = match body {
            [0xEF, 0xBB, 0xBF, ..] => Some(Self::Utf8),
            [0xFF, 0xFE, ..] | [b'<', 0, ..] => Some(Self::Utf16Le),
            [0xFE, 0xFF, ..] | [0, b'<', ..] => Some(Self::Utf16Be),
            [b'<', ..] => Some(Self::Utf8),
            _ => None,
        };
        let Some(charset) = charset.map(|c| c.trim().trim_matches(['"', '\'']).to_ascii_lowercase()) else {
            return Ok(seen.unwrap_or_default());
        };
        let (named, exact) = match charset.as_str() {
            "utf-8" | "utf8" | "us-ascii" | "" => (Self::Utf8, true),
            "utf-16le" => (Self::Utf16Le, true),
            "utf-16be" => (Self::Utf16Be, true),
            // Without a mark Windows means the lower octet first.
            "utf-16" | "utf16" => (Self::Utf16Le, false),
            _ => return Err(EncodingError::Unsupported(charset.chars().take(40).collect())),
        };
        match seen {
            None => Ok(named),
            Some(seen) if seen == named || (!exact && seen != Self::Utf8) => Ok(seen),
            Some(_) => Err(EncodingError::Contradiction),
        }
    }

    /// The text of a body, without its byte order mark.
    pub fn decode(self, body: &[u8]) -> Result<Cow<'_, str>, EncodingError> {
        let combine: fn([u8; 2]) -> u16 = match self {
            Self::Utf8 => {
                let body = body.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(body);
                return std::str::from_utf8(body).map(Cow::Borrowed).map_err(|_| EncodingError::Malformed);
            }
            Self::Utf16Le => u16::from_le_bytes,
            Self::Utf16Be => u16::from_be_bytes,
        };
        let (pairs, rest) = body.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(EncodingError::Malformed);
        }
        let units = pairs.iter().map(|pair| combine(*pair));
        let mut text = String::with_capacity(pairs.len());
        for c in char::decode_utf16(units) {
            text.push(c.map_err(|_| EncodingError::Malformed)?);
        }
        if text.starts_with('\u{FEFF}') {
            text.remove(0);
        }
        Ok(Cow::Owned(text))
    }

    /// The octets of a message that was written as UTF-8.
    pub fn encode(self, message: Vec<u8>) -> Vec<u8> {
        self.encode_pieces(message.into()).join()
    }

    /// The same in the pieces that it was written in.
    pub fn encode_pieces(self, message: Written) -> Written {
        let mut mark = Some(0xFEFF);
        match self {
            Self::Utf8 => message,
            Self::Utf16Le => message.map(|piece| utf16(&piece, mark.take(), u16::to_le_bytes)),
            Self::Utf16Be => message.map(|piece| utf16(&piece, mark.take(), u16::to_be_bytes)),
        }
    }

    /// How many octets of UTF-8 surely fit into so many octets of this encoding.
    pub fn utf8_budget(self, octets: usize) -> usize {
        match self {
            Self::Utf8 => octets,
            // No character takes more than twice its octets in UTF-8; the mark takes two.
            Self::Utf16Le | Self::Utf16Be => octets.saturating_sub(2) / 2,
        }
    }

    /// The Content-Type of a message in this encoding.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Utf8 => "application/soap+xml;charset=UTF-8",
            Self::Utf16Le | Self::Utf16Be => "application/soap+xml;charset=UTF-16",
        }
    }
}

/// A piece of a message in UTF-16, behind the mark if it is the first.
fn utf16(piece: &[u8], mark: Option<u16>, split: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let text = String::from_utf8_lossy(piece);
    let mut out = Vec::with_capacity(2 * piece.len() + 2);
    for unit in mark.into_iter().chain(text.encode_utf16()) {
        out.extend_from_slice(&split(unit));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn charset_and_octets_must_agree() {
        let utf8 = b"<a/>";
        let le = Encoding::Utf16Le.encode(utf8.to_vec());
        let be = Encoding::Utf16Be.encode(utf8.to_vec());
        for (body, charset, found) in [
            (&utf8[..], None, Ok(Encoding::Utf8)),
            (utf8, Some("UTF-8"), Ok(Encoding::Utf8)),
            (utf8, Some("\"utf-8\""), Ok(Encoding::Utf8)),
            (utf8, Some("UTF-16"), Err(EncodingError::Contradiction)),
            (&le, None, Ok(Encoding::Utf16Le)),
            (&le, Some("utf-16"), Ok(Encoding::Utf16Le)),
            (&le, Some("utf-16be"), Err(EncodingError::Contradiction)),
            (&le, Some("utf-8"), Err(EncodingError::Contradiction)),
            (&le[2..], Some("utf-16"), Ok(Encoding::Utf16Le)),
            (&be, Some("utf-16"), Ok(Encoding::Utf16Be)),
            (&be[2..], None, Ok(Encoding::Utf16Be)),
            (b"", Some("utf-16"), Ok(Encoding::Utf16Le)),
            (utf8, Some("ISO-8859-1"), Err(EncodingError::Unsupported("iso-8859-1".into()))),
        ] {
            assert_eq!(Encoding::detect(body, charset), found, "{body:?} {charset:?}");
        }
    }

    #[test]
    fn octets_that_are_no_text_are_refused() {
        assert_eq!(Encoding::Utf8.decode(b"<a>\xFF</a>"), Err(EncodingError::Malformed));
        assert_eq!(Encoding::Utf16Le.decode(b"<\0a"), Err(EncodingError::Malformed));
        assert_eq!(Encoding::Utf16Le.decode(&[0x00, 0xD8, b'a', 0]), Err(EncodingError::Malformed));
    }

    proptest! {
        #[test]
        fn text_survives_every_encoding(text in "\\PC{0,40}") {
            prop_assume!(!text.starts_with('\u{FEFF}'));
            for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
                let octets = encoding.encode(text.clone().into_bytes());
                prop_assert!(text.len() <= encoding.utf8_budget(octets.len()) || encoding != Encoding::Utf8);
                prop_assert_eq!(encoding.decode(&octets).unwrap(), text.as_str());
            }
            let budget = Encoding::Utf16Le.utf8_budget(2 * text.len() + 2);
            prop_assert!(Encoding::Utf16Le.encode(text.into_bytes()).len() <= 2 * budget + 2);
        }
    }

    #[test]
    fn pieces_are_encoded_as_the_whole_is() {
        let mut w = crate::xml::Writer::new(usize::MAX);
        w.start("s:a");
        (0..50).for_each(|_| {
            w.leaf("s:i", &"\u{e4}\u{1f600}".repeat(300));
        });
        w.end("s:a");
        let written = w.finish_in_pieces();
        for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
            let whole = encoding.encode(written.clone().join());
            assert_eq!(encoding.encode_pieces(written.clone()).join(), whole);
            assert_eq!(encoding.decode(&whole).unwrap().as_bytes(), written.clone().join());
        }
    }
}
