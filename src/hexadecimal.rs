//! Octets as hexadecimal digits (base16, RFC 4648, section 8), as digests and thumbprints are shown.

/// Two digits in small letters for each octet.
pub fn written(octets: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let halves = octets.iter().flat_map(|octet| [octet >> 4, octet & 15]);
    halves.filter_map(|half| DIGITS.get(usize::from(half))).collect()
}

/// The octets that exactly two digits each are, in small or in capital letters.
pub fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut octets = [0; N];
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != N {
        return None;
    }
    for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let octets: [u8; 256] = std::array::from_fn(|number| number as u8);
        let text = written(&octets);
        assert!(text.starts_with("000102") && text.ends_with("fdfeff"), "{text}");
        assert_eq!(read(&text), Some(octets));
        assert_eq!(read(&text.to_uppercase()), Some(octets));
        assert_eq!((written(&[]), read("")), (String::new(), Some([])));
    }

    #[test]
    fn other_texts_are_not_read() {
        for text in ["", "0", "00", "00000", "0g00", "é0", "+1ff"] {
            assert_eq!(read::<2>(text), None, "{text}");
        }
    }
}
