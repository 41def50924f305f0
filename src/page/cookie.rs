//! The cookie that names a session (RFC 6265).

use actix_web::http::header::{COOKIE, HOST, HeaderMap};

/// The secret that the request's cookie holds.
pub(super) fn secret(headers: &HeaderMap) -> Option<String> {
    let name = name(headers);
    let pairs = headers.get_all(COOKIE).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(key, _)| *key == name);
    named.next().map(|(_, secret)| secret.to_owned())
}

/// The header that gives a browser the secret. It goes when the browser is closed.
pub(super) fn set(headers: &HeaderMap, secret: &str) -> String {
    format!("{}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict", name(headers))
}

/// The header that takes it back.
pub(super) fn forget(headers: &HeaderMap) -> String {
    format!("{}; Max-Age=0", set(headers, ""))
}

/// The cookie's name. Browsers do not tell the ports of a host apart, so the port stands in the name: several services may be
/// reached through one host's tunnels.
fn name(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let port = host.rsplit_once(':').map(|(_, port)| port).filter(|port| port.parse::<u16>().is_ok()).unwrap_or("443");
    format!("__Host-quartermaster-{port}")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(host: &str, cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        headers.insert(COOKIE, HeaderValue::from_str(cookie).unwrap());
        headers
    }

    #[test]
    fn the_cookie_is_found_among_others_and_by_its_port() {
        let cookie = "a=b; __Host-quartermaster-5986=one;__Host-quartermaster-5987=two";
        assert_eq!(secret(&headers("localhost:5986", cookie)).as_deref(), Some("one"));
        assert_eq!(secret(&headers("[::1]:5987", cookie)).as_deref(), Some("two"));
        assert_eq!(secret(&headers("localhost", cookie)), None);
        assert_eq!(secret(&headers("localhost", "__Host-quartermaster-443=x")).as_deref(), Some("x"));
    }

    #[test]
    fn nobody_but_this_host_over_tls_gets_it() {
        let set = set(&headers("h:1", ""), "s");
        assert_eq!(set, "__Host-quartermaster-1=s; Path=/; Secure; HttpOnly; SameSite=Strict");
        assert!(forget(&headers("h:1", "")).ends_with("; Max-Age=0"));
    }
}
