//! Where a form that was sent stood: only our own pages may change something.

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};

/// Whether the request comes from one of our own pages, as far as the browser tells. What is no browser tells nothing; the
/// token of its session must do then.
pub(super) fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("not readable"));
    let same_site = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let Some(origin) = text(ORIGIN.as_str()) else { return same_site };
    let host = text(HOST.as_str()).unwrap_or_default();
    same_site && origin.strip_prefix("https://").is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn ours(pairs: &[(&str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("localhost:5986"));
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        is_ours(&headers)
    }

    #[test]
    fn other_sites_and_other_ports_are_not_ours() {
        assert!(ours(&[]));
        assert!(ours(&[("origin", "https://localhost:5986"), ("sec-fetch-site", "same-origin")]));
        for other in ["null", "http://localhost:5986", "https://localhost:5987", "https://evil.example", "", "\u{e9}"] {
            assert!(!ours(&[("origin", other)]), "{other}");
        }
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!ours(&[("origin", "https://localhost:5986"), ("sec-fetch-site", site)]), "{site}");
        }
    }
}
