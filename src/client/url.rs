//! The URL of a peer: what can be posted to and fetched, parsed once.

use std::fmt;

use awc::http::Uri;
use awc::http::uri::Scheme;

/// An `http` or `https` URL with a host and without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    uri: Uri,
    tls: bool,
}

/// A text that is no URL to post to or to fetch. Its message goes to the peer who named the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is too long.
    #[error("the address is longer than {MAX_URL} characters")]
    TooLong,
    /// It does not follow RFC 3986.
    #[error("the address is no URL")]
    Malformed,
    /// It is neither HTTP nor HTTPS.
    #[error("the address must start with http:// or https://")]
    Scheme,
    /// It names no host or no usable port.
    #[error("the address must name a host, and a port that is not 0 if it names one")]
    Authority,
    /// It holds a name or password.
    #[error("the address must hold neither user name nor password")]
    Credentials,
}

const MAX_URL: usize = 2048;
/// The longest name that DNS and TLS can carry.
const MAX_HOST: usize = 253;

impl Url {
    /// Reads a URL; white space around it is ignored.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if text.len() > MAX_URL {
            return Err(UrlError::TooLong);
        }
        let uri: Uri = text.parse().map_err(|_| UrlError::Malformed)?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(_) => return Err(UrlError::Scheme),
            None => return Err(UrlError::Malformed),
        };
        let authority = uri.authority().ok_or(UrlError::Authority)?;
        if authority.as_str().contains('@') {
            return Err(UrlError::Credentials);
        }
        let host = authority.host();
        // A port that is no number is not there for `port_u16`, and the rest of the client would use the default one.
        let port_is_plain = authority.port_u16().is_some_and(|p| p != 0) || authority.as_str() == host;
        if host.is_empty() || host.len() > MAX_HOST || !port_is_plain {
            return Err(UrlError::Authority);
        }
        Ok(Self { uri, tls })
    }

    /// Where a redirect from here leads.
    pub(super) fn join(&self, location: &str) -> Result<Self, UrlError> {
        if location.len() > MAX_URL {
            return Err(UrlError::TooLong);
        }
        let here = ::url::Url::parse(&self.to_string()).map_err(|_| UrlError::Malformed)?;
        Self::parse(here.join(location).map_err(|_| UrlError::Malformed)?.as_str())
    }

    /// Whether the way there is encrypted.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        bare_host(&self.uri)
    }

    /// The port; 80 or 443 if the URL names none.
    pub fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.tls { 443 } else { 80 })
    }

    /// Whether both lead to the same scheme, host and port.
    pub(super) fn is_same_peer(&self, other: &Self) -> bool {
        self.tls == other.tls && self.port() == other.port() && self.host().eq_ignore_ascii_case(other.host())
    }

    /// Path and query, as a request line holds them.
    pub(super) fn target(&self) -> &str {
        self.uri.path_and_query().map_or("/", |both| both.as_str())
    }

    /// What the HTTP client is told. Its connections are encrypted before it gets them: to it the scheme is always http, and
    /// the port is there wherever it would take another one.
    pub(super) fn uri(&self) -> Uri {
        if !self.tls {
            return self.uri.clone();
        }
        let mut parts = self.uri.clone().into_parts();
        let host = self.uri.host().unwrap_or_default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = format!("{host}:{}", self.port()).parse().ok();
        // As it was it would be refused.
        Uri::from_parts(parts).unwrap_or_else(|_| self.uri.clone())
    }
}

/// A URI's host without the brackets of an IPv6 address.
pub(super) fn bare_host(uri: &Uri) -> &str {
    let host = uri.host().unwrap_or_default();
    host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host)
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_urls_are_taken_apart() {
        let plain = Url::parse(" http://sink.example/events?x=1 ").unwrap();
        assert_eq!((plain.host(), plain.port(), plain.is_tls()), ("sink.example", 80, false));
        let tls = Url::parse("HTTPS://10.0.0.1:8443/").unwrap();
        assert_eq!((tls.host(), tls.port(), tls.is_tls()), ("10.0.0.1", 8443, true));
        for (text, port) in [("http://[fd00::1]:8080/", 8080), ("https://[fd00::1]", 443)] {
            let six = Url::parse(text).unwrap();
            assert_eq!((six.host(), six.port()), ("fd00::1", port));
        }
    }

    #[test]
    fn the_http_client_is_told_nothing_of_encryption() {
        let told = |text: &str| Url::parse(text).unwrap().uri().to_string();
        assert_eq!(told("https://sink.example/events?x=1"), "http://sink.example:443/events?x=1");
        assert_eq!(told("https://10.0.0.1:8443"), "http://10.0.0.1:8443/");
        assert_eq!(told("http://[fd00::1]/a"), "http://[fd00::1]/a");
        assert_eq!(told("https://[fd00::1]/a"), "http://[fd00::1]:443/a");
    }

    #[test]
    fn redirects_lead_to_whole_and_to_relative_addresses() {
        let from = Url::parse("https://pool.example:8443/a/b.deb?x=1").unwrap();
        let to = |location: &str| from.join(location).map(|url| url.to_string());
        assert_eq!(to("c.deb").unwrap(), "https://pool.example:8443/a/c.deb");
        assert_eq!(to("/c.deb#part").unwrap(), "https://pool.example:8443/c.deb");
        assert_eq!(to("//mirror.example/c.deb").unwrap(), "https://mirror.example/c.deb");
        assert_eq!(to("http://169.254.169.254/").unwrap(), "http://169.254.169.254/");
        assert_eq!(to("ftp://mirror.example/c.deb"), Err(UrlError::Scheme));
        assert!(to("file:///etc/shadow").is_err());
        assert_eq!(to("https://a:b@mirror.example/"), Err(UrlError::Credentials));
        assert_eq!(to("http://["), Err(UrlError::Malformed));
        assert_eq!(to(&"a".repeat(3000)), Err(UrlError::TooLong));
    }

    #[test]
    fn bad_urls_are_told_apart() {
        let cases = [
            ("", UrlError::Malformed),
            ("/only/a/path", UrlError::Malformed),
            ("http:///nobody", UrlError::Malformed),
            ("ftp://sink/", UrlError::Scheme),
            ("http://user:secret@sink/", UrlError::Credentials),
            ("http://sink:0/", UrlError::Authority),
            ("http://sink:/", UrlError::Authority),
            ("http://sink:99999/", UrlError::Authority),
        ];
        for (text, wanted) in cases {
            assert_eq!(Url::parse(text), Err(wanted), "{text}");
        }
        assert_eq!(Url::parse(&format!("http://{}/", "a".repeat(300))), Err(UrlError::Authority));
        assert_eq!(Url::parse(&format!("http://a/{}", "a".repeat(3000))), Err(UrlError::TooLong));
    }
}
