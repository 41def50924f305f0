//! Digest (RFC 7616) with qop `auth`: a digest of the password in every request, of which nobody learns the password.

use actix_web::http::header::HeaderValue;

use crate::access::{DigestAlgorithm, DigestClaim, REALM};
use crate::client::header::challenges;
use crate::hexadecimal;

/// The longest header that is read, in octets.
const LONGEST_HEADER: usize = 4096;

/// What offers it.
pub(super) fn challenge(algorithm: DigestAlgorithm, nonce: &str, is_stale: bool) -> Option<HeaderValue> {
    let name = match algorithm {
        DigestAlgorithm::Sha256 => ", algorithm=SHA-256",
        // Those that need it know no algorithms by name.
        DigestAlgorithm::Md5 => "",
    };
    let stale = if is_stale { ", stale=true" } else { "" };
    HeaderValue::try_from(format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\", qop=\"auth\"{stale}{name}")).ok()
}

/// Reads a header; `None` if it is no answer to a challenge that was made here for a request to this target.
pub(super) fn claim(header: &str, method: &str, target: &str) -> Option<DigestClaim> {
    if header.len() > LONGEST_HEADER {
        return None;
    }
    let [(_, parameters)] = <[_; 1]>::try_from(challenges(header)).ok()?;
    let find = |name: &str| {
        let mut found = parameters.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        // What is said twice could be read in two ways.
        found.next().filter(|_| found.next().is_none())
    };
    let is = |name: &str, expected: &str| find(name).is_some_and(|value| value == expected);
    let algorithm = match find("algorithm").map(|name| name.to_ascii_uppercase()).as_deref() {
        None | Some("MD5") => DigestAlgorithm::Md5,
        Some("SHA-256") => DigestAlgorithm::Sha256,
        Some(_) => return None,
    };
    let count = find("nc").filter(|count| count.len() == 8 && count.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let response = find("response")?;
    let response = match algorithm {
        DigestAlgorithm::Md5 => hexadecimal::read::<16>(response)?.to_vec(),
        DigestAlgorithm::Sha256 => hexadecimal::read::<32>(response)?.to_vec(),
    };
    (is("realm", REALM) && is("qop", "auth") && is("uri", target)).then_some(())?;
    Some(DigestClaim {
        name: find("username")?.clone(),
        algorithm,
        nonce: find("nonce")?.clone(),
        count: count.clone(),
        client_nonce: find("cnonce")?.clone(),
        request: format!("{method}:{target}"),
        response,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Digest username=\"ann\", realm=\"quartermaster\", nonce=\"n\", uri=\"/wsman\", cnonce=\"c\", \
        nc=0000000a, qop=auth, response=\"000102030405060708090a0b0c0d0eFF\"";

    fn read(header: &str) -> Option<DigestClaim> {
        claim(header, "POST", "/wsman")
    }

    #[test]
    fn an_answer_is_read() {
        let claim = read(HEADER).unwrap();
        assert_eq!((&*claim.name, &*claim.nonce, &*claim.count, &*claim.client_nonce), ("ann", "n", "0000000a", "c"));
        assert_eq!((claim.algorithm, claim.request.as_str()), (DigestAlgorithm::Md5, "POST:/wsman"));
        assert_eq!(claim.response, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        // Some clients quote everything.
        assert!(read(&HEADER.replace("0000000a", "\"0000000a\"").replace("qop=auth", "qop=\"auth\"")).is_some());
        let long = HEADER.replace("000102030405060708090a0b0c0d0eFF", &"00".repeat(32));
        assert_eq!(read(&format!("{long}, algorithm=SHA-256")).unwrap().algorithm, DigestAlgorithm::Sha256);
    }

    #[test]
    fn what_is_missing_said_twice_or_for_something_else_is_no_answer() {
        for part in [
            "username=\"ann\", ",
            "realm=\"quartermaster\", ",
            "nonce=\"n\", ",
            "uri=\"/wsman\", ",
            "cnonce=\"c\", ",
            "nc=0000000a, ",
            "qop=auth, ",
        ] {
            assert!(read(&HEADER.replace(part, "")).is_none(), "{part}");
            assert!(read(&HEADER.replace(part, &part.repeat(2))).is_none(), "{part}");
        }
        for (right, wrong) in [
            ("/wsman", "/other"),
            ("quartermaster", "other"),
            ("qop=auth", "qop=auth-int"),
            ("nc=0000000a", "nc=0a"),
            ("0eFF", "0e"),
            ("0eFF", "0eFG"),
            ("Digest username", "Digest algorithm=MD5-sess, username"),
        ] {
            assert!(read(&HEADER.replace(right, wrong)).is_none(), "{wrong}");
        }
        assert!(read(&format!("{HEADER}, {HEADER}")).is_none() && read("Digest").is_none());
        assert!(read(&HEADER.replace("\"ann\"", &format!("\"{}\"", "x".repeat(5000)))).is_none());
    }

    #[test]
    fn a_challenge_for_old_clients_names_no_algorithm() {
        let text = |algorithm, is_stale| challenge(algorithm, "n", is_stale).unwrap().to_str().unwrap().to_owned();
        assert_eq!(text(DigestAlgorithm::Md5, false), "Digest realm=\"quartermaster\", nonce=\"n\", qop=\"auth\"");
        let sha = "Digest realm=\"quartermaster\", nonce=\"n\", qop=\"auth\", stale=true, algorithm=SHA-256";
        assert_eq!(text(DigestAlgorithm::Sha256, true), sha);
    }
}
