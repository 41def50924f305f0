//! Distinguished names as text (RFC 2253), as `openssl x509 -subject -nameopt RFC2253` shows them.

use std::fmt::Write as _;

use openssl::asn1::Asn1Object;
use openssl::nid::Nid;

use super::der::{self, Elements, OBJECT_IDENTIFIER, SEQUENCE, SET};

/// The text of a name in DER, its last part first; `None` if it is no name.
pub(super) fn text(name: &[u8]) -> Option<String> {
    let parts = Elements(Elements(name).next()?.of(SEQUENCE)?);
    let mut parts = parts.map(|part| relative(part.of(SET)?)).collect::<Option<Vec<_>>>()?;
    parts.reverse();
    Some(parts.join(","))
}

/// One part; it may have several attributes.
fn relative(set: &[u8]) -> Option<String> {
    let attributes = Elements(set).map(|attribute| {
        let mut elements = Elements(attribute.of(SEQUENCE)?);
        let name = der::dotted(elements.next()?.of(OBJECT_IDENTIFIER)?)?;
        let value = elements.next()?;
        let known = Asn1Object::from_str(&name).ok().map(|object| object.nid()).filter(|&nid| nid != Nid::UNDEF);
        Some(match known.and_then(|nid| nid.short_name().ok()) {
            Some(short) => [short, "=", &string(value).unwrap_or_else(|| hexadecimal(value.whole))].concat(),
            None => [&name, "=", &*hexadecimal(value.whole)].concat(),
        })
    });
    // OpenSSL shows the attributes of a part in reverse order too.
    let mut attributes = attributes.collect::<Option<Vec<_>>>()?;
    attributes.reverse();
    Some(attributes.join("+"))
}

/// A value of a string type, with everything escaped that means something in a name or is not printable ASCII.
fn string(value: der::Element<'_>) -> Option<String> {
    const UTF8: u8 = 12;
    const BMP: u8 = 30;
    const UNIVERSAL: u8 = 28;
    let text: String = match value.tag {
        UTF8 => std::str::from_utf8(value.content).ok()?.to_owned(),
        // Numeric, Printable, Teletex (which OpenSSL takes for Latin-1), IA5, Visible.
        18 | 19 | 20 | 22 | 26 => value.content.iter().copied().map(char::from).collect(),
        BMP => {
            let (units, []) = value.content.as_chunks() else { return None };
            units.iter().map(|&unit| char::from_u32(u32::from(u16::from_be_bytes(unit)))).collect::<Option<_>>()?
        }
        UNIVERSAL => {
            let (units, []) = value.content.as_chunks() else { return None };
            units.iter().map(|&unit| char::from_u32(u32::from_be_bytes(unit))).collect::<Option<_>>()?
        }
        _ => return None,
    };
    Some(escaped(&text))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (place, octet) in text.bytes().enumerate() {
        let is_first = place == 0;
        let is_last = place + 1 == text.len();
        match octet {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' => escaped.extend(['\\', char::from(octet)]),
            b'#' if is_first => escaped.push_str("\\#"),
            b' ' if is_first || is_last => escaped.push_str("\\ "),
            b' '..=b'~' => escaped.push(char::from(octet)),
            // Writing into a string does not fail.
            _ => drop(write!(escaped, "\\{octet:02X}")),
        }
    }
    escaped
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold("#".to_owned(), |mut text, octet| {
        let _ = write!(text, "{octet:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use openssl::asn1::{Asn1Time, Asn1Type};
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::x509::{X509, X509Name, X509NameBuilder};
    use proptest::prelude::*;

    use super::*;

    fn name(entries: &[(&str, &str)]) -> X509Name {
        let mut name = X509NameBuilder::new().unwrap();
        for (field, value) in entries {
            name.append_entry_by_text(field, value).unwrap();
        }
        name.build()
    }

    /// What OpenSSL's own tool says of a certificate with this subject.
    fn of_openssl(subject: &X509Name) -> String {
        let key = PKey::generate_ed25519().unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_subject_name(subject).unwrap();
        builder.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::from_unix(1).unwrap()).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.sign(&key, MessageDigest::null()).unwrap();
        let mut tool = Command::new("openssl");
        tool.args(["x509", "-noout", "-subject", "-nameopt", "RFC2253"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = tool.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&builder.build().to_pem().unwrap()).unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').strip_prefix("subject=").unwrap().to_owned()
    }

    #[test]
    fn the_text_is_that_of_openssl() {
        let mut names = vec![
            name(&[("C", "DE"), ("O", "Example, Inc."), ("OU", "A+B <x>; \"y\" \\ z"), ("CN", " ann ")]),
            name(&[("CN", "#ann#"), ("emailAddress", "ann@example.org")]),
            name(&[("DC", "org"), ("DC", "example"), ("UID", "ann"), ("CN", "Zoë Ångström 木")]),
            name(&[("serialNumber", "7"), ("GN", "Ann"), ("SN", "Lee"), ("title", "x"), ("street", "S 1")]),
            name(&[]),
        ];
        let mut typed = X509NameBuilder::new().unwrap();
        typed.append_entry_by_text_with_type("CN", "\0a\u{1}n", Asn1Type::BMPSTRING).unwrap();
        typed.append_entry_by_text_with_type("O", "caf\u{e9}", Asn1Type::T61STRING).unwrap();
        typed.append_entry_by_text("1.3.6.1.4.1.55555.1", "ours").unwrap();
        names.push(typed.build());
        for name in names {
            assert_eq!(text(&name.to_der().unwrap()).unwrap(), of_openssl(&name));
        }
    }

    #[test]
    fn a_part_of_several_attributes_has_a_plus() {
        // SET { CN=ann, UID=7 }, as `-multivalue-rdn` makes it.
        let attribute = |oid: &[u8], value: &str| {
            let value = [&[12, u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
            let oid = [&[6, u8::try_from(oid.len()).unwrap()], oid].concat();
            [&[0x30, u8::try_from(oid.len() + value.len()).unwrap()][..], &oid, &value].concat()
        };
        let uid = attribute(&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "7");
        let set = [attribute(&[0x55, 4, 3], "ann"), uid].concat();
        let set = [&[0x31, u8::try_from(set.len()).unwrap()][..], &set].concat();
        let name = [&[0x30, u8::try_from(set.len()).unwrap()][..], &set].concat();
        assert_eq!(text(&name).unwrap(), "UID=7+CN=ann");
    }

    proptest! {
        #[test]
        fn no_octets_are_too_strange(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = text(&octets);
        }

        #[test]
        fn nothing_ends_the_line_or_looks_like_another_part(value in "\\PC{1,20}|[ ,+=#\\\\\u{0}\n]{1,9}") {
            let text = escaped(&value);
            prop_assert!(text.bytes().all(|octet| (b' '..=b'~').contains(&octet)));
            let bare = text.replace("\\\\", "").replace("\\,", "").replace("\\+", "");
            prop_assert!(!bare.contains([',', '+']));
        }
    }
}
