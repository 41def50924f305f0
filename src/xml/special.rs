//! Which bytes of a text or a value cannot be shown as they are, and where the first of them stands.

/// Bytes that text cannot show as they are; 0xEF may begin U+FFFE and U+FFFF.
pub(super) const TEXT: [bool; 256] = special(b"&<>\r");
/// Bytes that an attribute's value cannot show as they are.
pub(super) const ATTRIBUTE: [bool; 256] = special(b"&<>\r\"\t\n");

#[expect(clippy::indexing_slicing, reason = "evaluated while compiling; a wrong index does not compile")]
const fn special(named: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut i = 0;
    while i < 0x20 {
        table[i] = i != 0x09 && i != 0x0A;
        i += 1;
    }
    table[0xEF] = true;
    let mut i = 0;
    while i < named.len() {
        table[named[i] as usize] = true;
        i += 1;
    }
    table
}

/// Where the first byte stands that cannot be shown as it is.
pub(super) fn first_special(bytes: &[u8], special: &[bool; 256]) -> Option<usize> {
    let is_special = |b: &u8| special.get(usize::from(*b)).copied().unwrap_or(true);
    let lines_are_special = is_special(&b'\n');
    let (words, rest) = bytes.as_chunks();
    let mut before = 0;
    for word in words {
        // Most words are plain, and that is told without looking at each byte in turn.
        if may_be_special(u64::from_ne_bytes(*word), lines_are_special)
            && let Some(at) = word.iter().position(is_special)
        {
            return Some(before + at);
        }
        before += word.len();
    }
    rest.iter().position(is_special).map(|at| before + at)
}

/// Whether one of eight bytes may be special, in a text or in an attribute.
const fn may_be_special(word: u64, lines_are_special: bool) -> bool {
    let lines = if lines_are_special { 0 } else { zeros(word ^ each(b'\n')) };
    // `"` and `&` differ in one bit, and so do `<` and `>`.
    let ampersands = zeros((word | each(0x04)) ^ each(b'&'));
    let brackets = zeros((word | each(0x02)) ^ each(b'>'));
    (controls(word) & !lines) | ampersands | brackets | zeros(word ^ each(0xEF)) != 0
}

/// The same byte eight times.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The highest bit of every byte that is zero.
const fn zeros(word: u64) -> u64 {
    !(((word & each(0x7F)) + each(0x7F)) | word | each(0x7F))
}

/// The highest bit of every byte below 0x20.
const fn controls(word: u64) -> u64 {
    !(((word & each(0x7F)) + each(0x60)) | word) & each(0x80)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_special_byte_is_found_wherever_it_is(text in "[a-z \n\t\r&<>\"\u{1}\u{FFFE}é]{0,9}[a-z\n]{0,80}[a-z &\n\t]{0,40}") {
            for table in [&TEXT, &ATTRIBUTE] {
                let expected = text.bytes().position(|b| table[usize::from(b)]);
                prop_assert_eq!(first_special(text.as_bytes(), table), expected);
            }
        }
    }

    #[test]
    fn every_byte_is_judged_alike_in_every_place_of_a_word() {
        for table in [&TEXT, &ATTRIBUTE] {
            for (byte, place) in (0..=u8::MAX).flat_map(|byte| (0..8).map(move |place| (byte, place))) {
                let mut bytes = *b"plain~\x7f\x80";
                bytes[place] = byte;
                let expected = bytes.iter().position(|b| table[usize::from(*b)]);
                assert_eq!(first_special(&bytes, table), expected, "{byte:#x} in place {place}");
            }
        }
    }
}
