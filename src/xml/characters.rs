//! Which characters XML 1.0 has and which of them make names.

/// Whether XML 1.0 can hold the character at all (production 2).
pub fn is_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Where the first character stands that XML 1.0 cannot hold.
pub(super) fn first_illegal(text: &str) -> Option<usize> {
    let suspect = |b: u8| (b < b' ') & (b != b'\t') & (b != b'\n') & (b != b'\r') | (b == 0xEF);
    // Without early exit the pass is vectorised; nearly every document is clean.
    if !text.bytes().fold(false, |found, b| found | suspect(b)) {
        return None;
    }
    text.char_indices().find(|(_, c)| !is_character(*c)).map(|(at, _)| at)
}

/// Whether the byte is XML white space.
pub(super) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether the character is XML white space.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Whether the text is a name without a colon (Namespaces in XML, production 4).
pub(super) fn is_ncname(name: &str) -> bool {
    let Some(first) = name.bytes().next() else { return false };
    if name.is_ascii() {
        return (first.is_ascii_alphabetic() || first == b'_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    }
    let mut characters = name.chars();
    characters.next().is_some_and(starts_name) && characters.all(continues_name)
}

/// Whether a name without a colon may begin with the character.
pub(super) fn starts_name(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// Whether a name without a colon may go on with the character.
pub(super) fn continues_name(c: char) -> bool {
    starts_name(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_grammar_says() {
        for good in ["a", "_x", "CIM_SoftwareIdentity", "a-b.c1", "größe", "名"] {
            assert!(is_ncname(good), "{good}");
        }
        for bad in ["", "1a", "-a", "a b", "a:b", "a/b", "a<b", "\u{B7}x", "x\u{D7}"] {
            assert!(!is_ncname(bad), "{bad}");
        }
    }

    #[test]
    fn illegal_characters_are_found_where_they_stand() {
        assert_eq!(first_illegal("plain\ttext\r\n \u{FFFD} ﬁ"), None);
        assert_eq!(first_illegal("ab\u{1}"), Some(2));
        assert_eq!(first_illegal("ä\u{FFFE}"), Some(2));
    }
}
