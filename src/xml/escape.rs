//! Escaping and its reverse.

use super::characters::is_character;
use super::error::XmlErrorKind;
use super::special::{ATTRIBUTE, TEXT, first_special};

/// Appends text so that a reader gets it back; what XML cannot hold becomes U+FFFD.
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    push(out, text, &TEXT);
}

/// Appends an attribute's value for double quotes.
pub(super) fn push_attribute(out: &mut Vec<u8>, value: &str) {
    push(out, value, &ATTRIBUTE);
}

/// As much of a text as takes so many octets once it is written.
pub fn cut_escaped(text: &str, octets: usize) -> &str {
    let mut room = octets;
    let mut written = Vec::with_capacity(8);
    for (at, c) in text.char_indices() {
        written.clear();
        push(&mut written, c.encode_utf8(&mut [0; 4]), &TEXT);
        if written.len() > room {
            return text.get(..at).unwrap_or_default();
        }
        room -= written.len();
    }
    text
}

fn push(out: &mut Vec<u8>, text: &str, special: &[bool; 256]) {
    let mut rest = text;
    while let Some(at) = first_special(rest.as_bytes(), special) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let mut characters = tail.chars();
        let Some(c) = characters.next() else { return };
        push_character(out, c);
        rest = characters.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
}

fn push_character(out: &mut Vec<u8>, c: char) {
    let escaped: &[u8] = match c {
        '&' => b"&amp;",
        '<' => b"&lt;",
        '>' => b"&gt;",
        '"' => b"&quot;",
        '\r' => b"&#13;",
        '\t' => b"&#9;",
        '\n' => b"&#10;",
        c if is_character(c) => return out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        _ => "\u{FFFD}".as_bytes(),
    };
    out.extend_from_slice(escaped);
}

/// The character of a reference, given what stands between `&` and `;`.
pub(super) fn resolve(reference: &str) -> Result<char, XmlErrorKind> {
    let Some(number) = reference.strip_prefix('#') else {
        return match reference {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            "" => Err(XmlErrorKind::BadReference),
            _ => Err(XmlErrorKind::UnknownEntity),
        };
    };
    let (radix, digits) = number.strip_prefix('x').map_or((10, number), |hex| (16, hex));
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(XmlErrorKind::BadReference);
    }
    // A number too long for u32 is no character either.
    let code = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    code.filter(|c| is_character(*c)).ok_or(XmlErrorKind::IllegalCharacter)
}

/// An attribute's value with references resolved and white space normalised (XML 1.0, 3.3.3).
pub(super) fn attribute_value(raw: &str) -> Result<String, XmlErrorKind> {
    if !raw.bytes().any(|b| matches!(b, b'&' | b'<' | b'\t' | b'\n' | b'\r')) {
        return Ok(raw.to_owned());
    }
    if raw.contains('<') {
        return Err(XmlErrorKind::LessThanInAttribute);
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
        let (plain, tail) = rest.split_at(at);
        value.push_str(plain);
        rest = if let Some(reference) = tail.strip_prefix('&') {
            let (reference, behind) = reference.split_once(';').ok_or(XmlErrorKind::BadReference)?;
            value.push(resolve(reference)?);
            behind
        } else {
            value.push(' ');
            // A line end is one white space, however it is written.
            tail.strip_prefix("\r\n").unwrap_or_else(|| tail.get(1..).unwrap_or_default())
        };
    }
    value.push_str(rest);
    Ok(value)
}
