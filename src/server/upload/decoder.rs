//! Base64 that comes in pieces.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Decodes four characters at a time.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    pending: Vec<u8>,
    /// Whether padding was seen, which only the end has.
    is_over: bool,
}

impl Decoder {
    /// Takes all characters out of `text` and adds the octets that are complete. The error is a sentence of its own.
    pub(super) fn feed(&mut self, text: &mut Vec<u8>, octets: &mut Vec<u8>) -> Result<(), String> {
        if self.is_over && !text.is_empty() {
            return Err("it is not base64: it goes on after its padding".to_owned());
        }
        self.pending.append(text);
        let rest = self.pending.split_off(self.pending.len() - self.pending.len() % 4);
        let whole = std::mem::replace(&mut self.pending, rest);
        STANDARD.decode_vec(&whole, octets).map_err(|error| format!("it is not base64: {error}"))?;
        self.is_over |= whole.ends_with(b"=");
        if self.is_over && !self.pending.is_empty() {
            return Err("it is not base64: it goes on after its padding".to_owned());
        }
        Ok(())
    }

    /// Whether the text may end here.
    pub(super) fn finish(&self) -> Result<(), String> {
        if self.pending.is_empty() { Ok(()) } else { Err("it is not base64: its end is missing".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(pieces: &[&[u8]]) -> Result<Vec<u8>, String> {
        let (mut decoder, mut octets) = (Decoder::default(), Vec::new());
        for piece in pieces {
            decoder.feed(&mut piece.to_vec(), &mut octets)?;
        }
        decoder.finish().map(|()| octets)
    }

    #[test]
    fn what_is_no_base64_is_told() {
        assert_eq!(decode(&[b"AQ", b"ID", b"BA=="]), Ok(vec![1, 2, 3, 4]));
        for wrong in
            [&[&b"AQI"[..]][..], &[b"AQ==", b"AQID"], &[b"AQ==A"], &[b"AQ*D"], &[b"A==="], &[b"AQ", b"=="], &[b"AR=="]]
        {
            let is_right = wrong == [&b"AQ"[..], b"=="];
            assert_eq!(decode(wrong).is_ok(), is_right, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn octets_survive_in_any_pieces(octets: Vec<u8>, piece in 1..20usize) {
            let text = STANDARD.encode(&octets);
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(piece).collect();
            prop_assert_eq!(decode(&pieces), Ok(octets));
        }
    }
}
