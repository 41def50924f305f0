//! Basic (RFC 7617): a name and a password in every request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest `name:password` that is looked at, in octets; no user's is longer.
const MAX_LENGTH: usize = 256;

/// What offers it.
pub(super) const CHALLENGE: &str = "Basic realm=\"quartermaster\"";

/// A name and a password as a client claims them.
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

/// Reads what stands behind `Basic`.
pub(super) fn credentials<'a>(token: &[u8], buffer: &'a mut [u8; MAX_LENGTH]) -> Option<Credentials<'a>> {
    let length = STANDARD.decode_slice(token.trim_ascii(), buffer).ok()?;
    let decoded = buffer.get(..length)?;
    let colon = decoded.iter().position(|&b| b == b':')?;
    let (name, password) = decoded.split_at_checked(colon)?;
    Some(Credentials { name: std::str::from_utf8(name).ok()?, password: password.get(1..)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(token: &str) -> Option<(String, Vec<u8>)> {
        let mut buffer = Credentials::buffer();
        let found = credentials(token.as_bytes(), &mut buffer)?;
        Some((found.name.to_owned(), found.password.to_owned()))
    }

    #[test]
    fn the_first_colon_ends_the_name() {
        let expected = Some(("Aladdin".to_owned(), b"open sesame".to_vec()));
        assert_eq!(read("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), expected);
        assert_eq!(read("  QWxhZGRpbjpvcGVuIHNlc2FtZQ== "), expected);
        assert_eq!(read(&STANDARD.encode("a:b:c")), Some(("a".to_owned(), b"b:c".to_vec())));
    }

    #[test]
    fn anything_else_is_no_credentials() {
        let long = STANDARD.encode("a:".to_owned() + &"x".repeat(400));
        for token in ["", "!!!!", "YQ==", "/zo=", "QWxhZGRpbjpvcGVuIHNlc2FtZQ", &long] {
            assert_eq!(read(token), None, "{token}");
        }
    }
}
