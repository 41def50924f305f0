//! Where a browser says that a request comes from (`Sec-Fetch-Site` of Fetch Metadata, `Origin` of RFC 6454).
//!
//! A browser sends certificates, cookies and remembered passwords along with whatever any page asks it for. What is no browser
//! sends none of these headers.

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};

/// Who had a browser send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing is said of it.
    NotTold,
    /// A person, with the address bar or a bookmark.
    Person,
    /// A page of this service.
    OwnPage,
    /// Anything else.
    Elsewhere,
}

impl Origin {
    /// Who had this request sent.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("not readable"));
        let by_site = match text("sec-fetch-site") {
            None => Self::NotTold,
            Some("none") => Self::Person,
            Some("same-origin") => Self::OwnPage,
            Some(_) => return Self::Elsewhere,
        };
        let Some(origin) = text(ORIGIN.as_str()) else { return by_site };
        let host = text(HOST.as_str()).unwrap_or_default();
        let is_own = origin.strip_prefix("https://").is_some_and(|origin| origin.eq_ignore_ascii_case(host));
        match (is_own, by_site) {
            (false, _) => Self::Elsewhere,
            (true, Self::NotTold) => Self::OwnPage,
            (true, told) => told,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn of(pairs: &[(&'static str, &[u8])]) -> Origin {
        let pairs = pairs.iter().map(|(name, value)| (*name, *value)).chain([("host", &b"localhost:5986"[..])]);
        let headers =
            pairs.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap()));
        Origin::of(&headers.collect())
    }

    #[test]
    fn our_pages_are_told_from_others_and_from_people() {
        assert_eq!(of(&[]), Origin::NotTold);
        assert_eq!(of(&[("sec-fetch-site", b"none")]), Origin::Person);
        for own in [
            &[("origin", &b"https://localhost:5986"[..])][..],
            &[("origin", b"https://LOCALHOST:5986"), ("sec-fetch-site", b"same-origin")],
            &[("sec-fetch-site", b"same-origin")],
        ] {
            assert_eq!(of(own), Origin::OwnPage, "{own:?}");
        }
        for origin in [
            &b"null"[..],
            b"",
            b"http://localhost:5986",
            b"https://localhost",
            b"https://localhost:5987",
            b"https://localhost:5986.evil.example",
            b"https://evil.example",
            b"\xff",
        ] {
            assert_eq!(of(&[("origin", origin)]), Origin::Elsewhere);
            assert_eq!(of(&[("origin", origin), ("sec-fetch-site", b"same-origin")]), Origin::Elsewhere);
        }
        for site in [&b"same-site"[..], b"cross-site", b"\xff"] {
            assert_eq!(of(&[("sec-fetch-site", site)]), Origin::Elsewhere);
            assert_eq!(of(&[("origin", b"https://localhost:5986"), ("sec-fetch-site", site)]), Origin::Elsewhere);
        }
    }
}
