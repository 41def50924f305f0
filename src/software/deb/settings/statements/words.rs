//! The words of a statement of apt's configuration.

/// apt refuses longer words, in octets.
const LONGEST_WORD: usize = 1023;

/// What is a blank to apt.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

/// The first word and what follows it; `None` if there is none or it is damaged. Blanks may stand inside of quotation marks
/// and brackets; quotation marks are no part of the word, and `%3a` stands for a colon.
pub(super) fn word(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches(' ');
    let (word, rest) = text.split_at_checked(end_of_word(text)?)?;
    let word = decoded(word);
    (!text.is_empty() && word.len() <= LONGEST_WORD).then(|| (word, rest.trim_start_matches(is_blank)))
}

fn end_of_word(text: &str) -> Option<usize> {
    let mut closing = None;
    for (at, c) in text.char_indices() {
        match (closing, c) {
            (Some(end), c) if c == end => closing = None,
            (Some(_), _) => {}
            (None, c) if is_blank(c) => return Some(at),
            (None, '"') => closing = Some('"'),
            (None, '[') => closing = Some(']'),
            (None, _) => {}
        }
    }
    closing.is_none().then_some(text.len())
}

fn decoded(word: &str) -> String {
    let mut decoded = String::new();
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let digits = rest.get(1..3).filter(|digits| c == '%' && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => decoded.push(char::from(byte)),
            None if c == '"' => {}
            None => decoded.push(c),
        }
        rest = rest.get(if digits.is_some() { 3 } else { c.len_utf8() }..).unwrap_or_default();
    }
    decoded
}

/// A value of nothing but quoted texts, which are put together; `None` if it is another. Blanks between them are one.
pub(super) fn quoted(text: &str) -> Option<String> {
    let text = text.trim_start_matches(' ');
    if text.is_empty() || text.len() > LONGEST_WORD {
        return None;
    }
    let (mut value, mut is_quoted, mut last) = (String::new(), false, '"');
    for c in text.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => value.push(c),
            _ if !is_blank(c) => return None,
            _ if is_blank(last) => {}
            _ => value.push(' '),
        }
        last = c;
    }
    (!is_quoted).then_some(value)
}
