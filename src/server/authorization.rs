//! The Authorization header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest `name:password` that is looked at, in octets; no user's is longer.
const MAX_LENGTH: usize = 256;

/// A name and a password as a client claims them (RFC 7617).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Credentials<'a> {
    pub(super) name: &'a str,
    pub(super) password: &'a [u8],
}

impl Credentials<'_> {
    pub(super) fn buffer() -> [u8; MAX_LENGTH] {
        [0; MAX_LENGTH]
    }
}

/// Reads `Basic …`. `None` for anything else, such as the security profile of client certificates
/// (`http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual`): no other scheme is offered.
pub(super) fn credentials<'a>(header: &[u8], buffer: &'a mut [u8; MAX_LENGTH]) -> Option<Credentials<'a>> {
    let (scheme, token) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let length = STANDARD.decode_slice(token.trim_ascii(), buffer).ok()?;
    let decoded = buffer.get(..length)?;
    let colon = decoded.iter().position(|&b| b == b':')?;
    let (name, password) = decoded.split_at_checked(colon)?;
    Some(Credentials { name: std::str::from_utf8(name).ok()?, password: password.get(1..)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Option<(String, Vec<u8>)> {
        let mut buffer = Credentials::buffer();
        let found = credentials(header.as_bytes(), &mut buffer)?;
        Some((found.name.to_owned(), found.password.to_owned()))
    }

    #[test]
    fn basic_is_read_whatever_its_case() {
        let expected = Some(("Aladdin".to_owned(), b"open sesame".to_vec()));
        assert_eq!(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), expected);
        assert_eq!(read("BASIC   QWxhZGRpbjpvcGVuIHNlc2FtZQ== "), expected);
        let colons = format!("basic {}", STANDARD.encode("a:b:c"));
        assert_eq!(read(&colons), Some(("a".to_owned(), b"b:c".to_vec())));
    }

    #[test]
    fn anything_else_is_no_credentials() {
        let long = format!("Basic {}", STANDARD.encode("a:".to_owned() + &"x".repeat(400)));
        for header in [
            "",
            "Basic",
            "Basic ",
            "Basic !!!!",
            "Basic YQ==",
            "Basic /zo=",
            "Negotiate YTpi",
            "Bearer x",
            "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual",
            &long,
        ] {
            assert_eq!(read(header), None, "{header}");
        }
    }
}
