//! The Content-Type header.

use actix_web::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

use super::refusal::Refusal;

/// The charset of a SOAP request, if it says one. Refuses what is no SOAP (DSP0226 RC.2-14); some clients say nothing at all.
pub(super) fn charset(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let plain = |value: &[u8]| value.trim_ascii().is_empty() || value.trim_ascii().eq_ignore_ascii_case(b"identity");
    if headers.get(CONTENT_ENCODING).is_some_and(|value| !plain(value.as_bytes())) {
        return Err(Refusal::MediaType);
    }
    let Some(value) = headers.get(CONTENT_TYPE).filter(|value| !value.as_bytes().trim_ascii().is_empty()) else {
        return Ok(None);
    };
    parse(value.to_str().map_err(|_| Refusal::MediaType)?).ok_or(Refusal::MediaType)
}

/// Whether the client of a refused request can be expected to read SOAP: it sends it, or something like it, or says so.
pub(super) fn reads_soap(headers: &HeaderMap) -> bool {
    let says = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_ascii_lowercase);
    says(CONTENT_TYPE).is_none_or(|sent| sent.contains("xml"))
        || says(ACCEPT).is_some_and(|accepted| accepted.contains("application/soap+xml"))
}

fn parse(value: &str) -> Option<Option<String>> {
    let mut parts = value.split(';');
    let media_type = parts.next()?.trim();
    if !["application/soap+xml", "text/xml"].iter().any(|known| media_type.eq_ignore_ascii_case(known)) {
        return None;
    }
    let charset = parts
        .filter_map(|part| part.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, charset)| charset.trim().trim_matches(['"', '\'']).to_owned());
    Some(charset.filter(|charset| !charset.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soap_is_known_by_both_its_types_and_any_spelling_of_the_charset() {
        let utf16 = Some(Some("UTF-16".to_owned()));
        for value in [
            "application/soap+xml;charset=UTF-16",
            "Application/SOAP+XML ; Charset = \"UTF-16\"",
            "text/xml; action=\"a\"; charset='UTF-16'",
        ] {
            assert_eq!(parse(value), utf16, "{value}");
        }
        assert_eq!(parse("application/soap+xml"), Some(None));
        assert_eq!(parse("text/xml;charset="), Some(None));
    }

    #[test]
    fn what_is_no_soap_is_refused() {
        for value in [
            "",
            "application/xml",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";boundary=\"x\"",
            "application/soap+xmlx",
        ] {
            assert_eq!(parse(value), None, "{value}");
        }
    }
}
