//! HTTP Digest authentication (RFC 7616) as a client: MD5 and SHA-256 with qop `auth`.
//!
//! What has no qop (RFC 2069) is not answered: without a value of our own in the digest, a peer that chooses its nonces
//! can look the password up.

use awc::http::header::HeaderValue;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::rand::rand_bytes;

use super::ClientError;
use super::credentials::Login;
use crate::hexadecimal;

/// The longest `WWW-Authenticate` header that is read, in octets.
const LONGEST_HEADER: usize = 8192;

/// What a peer asks, and how often it was answered.
#[derive(Debug)]
pub(super) struct Challenge {
    algorithm: Algorithm,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    answers: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    /// Not named, so that it is not named in the answer: some peers know no algorithms by name.
    UnnamedMd5,
    Md5,
    Sha256,
}

/// What the headers of a response offer.
#[derive(Debug)]
pub(super) enum Offered {
    /// A digest that can be answered.
    Challenge(Challenge),
    /// Digests of other kinds.
    Unusable,
    /// No digest.
    None,
}

/// The strongest digest that the `WWW-Authenticate` headers offer.
pub(super) fn offered<'h>(headers: impl Iterator<Item = &'h HeaderValue>) -> Offered {
    let mut best = Offered::None;
    for header in headers.filter_map(|header| std::str::from_utf8(header.as_bytes()).ok()) {
        if header.len() > LONGEST_HEADER {
            continue;
        }
        for (scheme, parameters) in challenges(header) {
            if !scheme.eq_ignore_ascii_case("Digest") {
                continue;
            }
            best = match (best, Challenge::of(&parameters)) {
                (Offered::Challenge(best), Some(new)) if best.algorithm >= new.algorithm => Offered::Challenge(best),
                (_, Some(new)) => Offered::Challenge(new),
                (Offered::None, None) => Offered::Unusable,
                (best, None) => best,
            };
        }
    }
    best
}

impl Challenge {
    fn of(parameters: &[(&str, String)]) -> Option<Self> {
        let find =
            |name: &str| parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let algorithm = match find("algorithm") {
            None => Algorithm::UnnamedMd5,
            Some(name) if name.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let auth = find("qop")?.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth"));
        auth.then_some(())?;
        Some(Self {
            algorithm,
            realm: find("realm")?.to_owned(),
            nonce: find("nonce")?.to_owned(),
            opaque: find("opaque").map(str::to_owned),
            answers: 0,
        })
    }

    /// The `Authorization` header of the next POST to that path and query.
    pub(super) fn answer(&mut self, login: &Login, target: &str) -> Result<String, ClientError> {
        let mut random = [0; 16];
        let failed = |e| ClientError::Unauthorized(format!("OpenSSL makes no digest: {e}"));
        rand_bytes(&mut random).map_err(failed)?;
        self.answers = self.answers.saturating_add(1);
        self.written(login, "POST", target, &hexadecimal::written(&random)).map_err(failed)
    }

    fn written(&self, login: &Login, method: &str, target: &str, ours: &str) -> Result<String, ErrorStack> {
        let digest = |parts: &[&str]| self.algorithm.digest(&parts.join(":"));
        let count = format!("{:08x}", self.answers);
        let secret = digest(&[login.user(), &self.realm, login.password()])?;
        let request = digest(&[method, target])?;
        let response = digest(&[&secret, &self.nonce, &count, ours, "auth", &request])?;
        let mut text = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\", qop=auth, nc={count}, \
             cnonce=\"{ours}\"",
            quoted(login.user()),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(target),
        );
        if let Some(name) = self.algorithm.name() {
            text.push_str(&[", algorithm=", name].concat());
        }
        if let Some(opaque) = &self.opaque {
            text.push_str(&[", opaque=", &quoted(opaque)].concat());
        }
        Ok(text)
    }
}

impl Algorithm {
    fn name(self) -> Option<&'static str> {
        match self {
            Self::UnnamedMd5 => None,
            Self::Md5 => Some("MD5"),
            Self::Sha256 => Some("SHA-256"),
        }
    }

    fn digest(self, text: &str) -> Result<String, ErrorStack> {
        let kind = if self == Self::Sha256 { MessageDigest::sha256() } else { MessageDigest::md5() };
        hash(kind, text.as_bytes()).map(|octets| hexadecimal::written(&octets))
    }
}

fn quoted(text: &str) -> String {
    ["\"", &text.replace('\\', "\\\\").replace('"', "\\\""), "\""].concat()
}

/// The challenges of a header (RFC 9110 11.6.1): schemes with their parameters. What is no challenge is passed over.
fn challenges(header: &str) -> Vec<(&str, Vec<(&str, String)>)> {
    let mut found: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return found;
        }
        let (name, behind) = token(rest);
        if name.is_empty() {
            // No challenge goes on like this; the next one may stand behind the next comma.
            rest = behind.split_once(',').map_or("", |(_, behind)| behind);
            continue;
        }
        match behind.trim_start_matches([' ', '\t']).strip_prefix('=') {
            None => {
                found.push((name, Vec::new()));
                rest = behind;
            }
            Some(behind) => {
                let (value, behind) = value(behind.trim_start_matches([' ', '\t']));
                if let Some((_, parameters)) = found.last_mut() {
                    parameters.push((name, value));
                }
                rest = behind;
            }
        }
    }
}

/// A token at the beginning of the text, and what follows it.
fn token(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// A token or a quoted string at the beginning of the text, without its quotes, and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(inner) = text.strip_prefix('"') else {
        let (value, rest) = token(text);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => value.extend(characters.next()),
            c => value.push(c),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Scheme;
    use super::*;

    fn login(user: &str, password: &str) -> Login {
        Login::new(Scheme::Digest, user, password.to_owned()).unwrap()
    }

    fn offers(headers: &[&str]) -> Offered {
        let headers: Vec<_> = headers.iter().map(|text| HeaderValue::from_bytes(text.as_bytes()).unwrap()).collect();
        offered(headers.iter())
    }

    fn challenge(headers: &[&str]) -> Challenge {
        match offers(headers) {
            Offered::Challenge(challenge) => challenge,
            other => panic!("{other:?}"),
        }
    }

    /// The example of RFC 7616 3.9.1.
    #[test]
    fn the_standards_example_is_answered_as_it_says() {
        const MD5: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, \
            nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let sha256 = MD5.replace("algorithm=MD5", "algorithm=SHA-256");
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (header, response) in [
            (MD5, "8ca523f5e9506fed4657c9700eebdbec"),
            (&sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let mut challenge = challenge(&[header]);
            challenge.answers = 1;
            let answer =
                challenge.written(&login("Mufasa", "Circle of Life"), "GET", "/dir/index.html", cnonce).unwrap();
            for part in [
                &format!("response=\"{response}\""),
                "username=\"Mufasa\"",
                "uri=\"/dir/index.html\"",
                "nc=00000001",
                "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
            ] {
                assert!(answer.contains(part), "{answer}");
            }
        }
    }

    #[test]
    fn the_strongest_challenge_is_taken_wherever_it_stands() {
        let md5 = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
        let sha = "Digest realm=\"r\", nonce=\"s\", qop=auth, algorithm=SHA-256";
        assert_eq!(challenge(&[md5, sha]).nonce, "s");
        assert_eq!(challenge(&[sha, md5]).nonce, "s");
        assert_eq!(
            challenge(&[&format!("Negotiate YWJj==, Basic realm=\"a, Digest b\", {sha}, Bearer"), md5]).nonce,
            "s"
        );
        let unnamed = challenge(&[md5]).written(&login("u", "p"), "POST", "/", "c").unwrap();
        assert!(!unnamed.contains("algorithm"), "{unnamed}");
    }

    #[test]
    fn what_cannot_be_answered_is_told_from_what_is_not_offered() {
        for header in [
            "Digest realm=\"r\", nonce=\"n\"",
            "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"",
            "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=MD5-sess",
            "Digest realm=\"r\", qop=\"auth\"",
            "Digest",
        ] {
            assert!(matches!(offers(&[header]), Offered::Unusable), "{header}");
        }
        for header in ["", "Basic realm=\"Digest realm\"", "realm=\"x\"", "\u{e9}"] {
            assert!(matches!(offers(&[header]), Offered::None), "{header}");
        }
    }

    #[test]
    fn each_answer_counts_on() {
        let mut challenge = challenge(&["Digest realm=\"r\", nonce=\"n\", qop=\"auth\""]);
        let user = login("u", "p");
        let answers = [challenge.answer(&user, "/").unwrap(), challenge.answer(&user, "/").unwrap()];
        assert!(answers[0].contains("nc=00000001") && answers[1].contains("nc=00000002"), "{answers:?}");
    }

    proptest! {
        #[test]
        fn whatever_is_quoted_is_read(realm in "[ -~]{0,30}", nonce in "[ -~]{1,30}") {
            let header = format!("Digest realm={},nonce = {}, qop=\"auth\"", quoted(&realm), quoted(&nonce));
            let challenge = challenge(&[&header]);
            prop_assert_eq!((challenge.realm, challenge.nonce), (realm, nonce));
        }

        #[test]
        fn no_header_is_too_strange(header in "[a-zA-Z ,=\"\\\\]{0,60}|\\PC{0,60}") {
            for (scheme, parameters) in challenges(&header) {
                prop_assert!(!scheme.is_empty() && parameters.iter().all(|(name, _)| !name.is_empty()));
            }
        }
    }
}
