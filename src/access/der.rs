//! DER (ITU-T X.690), as much of it as the names in certificates need: elements with tags of one octet and definite lengths.

/// The tags that are looked for.
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]` and `[3]`, with elements inside.
pub(super) const CONTEXT_0: u8 = 0xa0;
pub(super) const CONTEXT_3: u8 = 0xa3;

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// Tag, length and content.
    pub(super) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The content, if the element has this tag.
    pub(super) fn of(self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }
}

/// The elements in these octets, one after the other. It ends early at what is no element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        // A tag of more octets.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // No certificate is larger than what three octets tell.
            0x81..=0x83 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                (octets.iter().fold(0, |length, &octet| length << 8 | usize::from(octet)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - rest.len())?;
        self.0 = rest;
        Some(Element { tag, content, whole })
    }
}

/// An object identifier's content as numbers between dots; `None` if it is none.
pub(super) fn dotted(content: &[u8]) -> Option<String> {
    let mut arcs = Vec::new();
    let mut arc: u64 = 0;
    for &octet in content {
        arc = arc.checked_mul(128)?.checked_add(u64::from(octet & 0x7f))?;
        if octet & 0x80 == 0 {
            arcs.push(std::mem::take(&mut arc));
        }
    }
    let (&first, rest) = arcs.split_first()?;
    let root = (first / 40).min(2);
    if content.last()? & 0x80 != 0 {
        return None;
    }
    Some(rest.iter().fold(format!("{root}.{}", first - root * 40), |text, arc| format!("{text}.{arc}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_are_read_with_short_and_long_lengths() {
        let long = [&[0x04, 0x81, 0x80][..], &[7; 0x80]].concat();
        let octets = [&[0x30, 0x03, 0x02, 0x01, 0x05][..], &long].concat();
        let elements: Vec<_> = Elements(&octets).collect();
        assert_eq!(elements[0], Element { tag: SEQUENCE, content: &[2, 1, 5], whole: &octets[..5] });
        assert_eq!((elements[1].content, elements[1].whole), (&[7; 0x80][..], &long[..]));
        assert_eq!(elements.len(), 2);
    }

    #[test]
    fn what_is_cut_off_or_strange_ends_it() {
        for octets in [&[][..], &[0x30], &[0x30, 5, 1], &[0x30, 0x80, 0, 0], &[0x1f, 1, 1, 0], &[4, 0x84, 0, 0, 0, 0]] {
            assert_eq!(Elements(octets).next(), None, "{octets:?}");
        }
    }

    #[test]
    fn object_identifiers_are_written_with_dots() {
        assert_eq!(dotted(&[0x55, 4, 3]).as_deref(), Some("2.5.4.3"));
        assert_eq!(dotted(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3]).as_deref(), Some("1.3.6.1.4.1.311.20.2.3"));
        assert_eq!(dotted(&[0x88, 0x37]).as_deref(), Some("2.999"));
        assert_eq!((dotted(&[]), dotted(&[0x55, 0x84]), dotted(&[0xff; 20])), (None, None, None));
    }

    proptest! {
        #[test]
        fn nothing_is_read_beyond_the_end(octets in prop::collection::vec(any::<u8>(), 0..60)) {
            let read: usize = Elements(&octets).map(|element| element.whole.len()).sum();
            prop_assert!(read <= octets.len());
            let _ = dotted(&octets);
        }
    }
}
