//! Where a host's service is, as a person names it.

use std::fmt;
use std::net::Ipv6Addr;

use crate::client::{Url, UrlError};

/// The port of WS-Management over TLS (DSP0226 C.2).
const PORT: u16 = 5986;
/// Where services are found that nobody says more of.
const PATH: &str = "/wsman";
/// Where our own service tells strangers what it speaks.
const ANONYMOUS_PATH: &str = "/wsman-anon/identify";

/// A host's service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    name: String,
    url: Url,
}

/// A text that names no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} names no host: {source}; write HOST, HOST:PORT or https://HOST:PORT/wsman")]
pub struct EndpointError {
    text: String,
    source: UrlError,
}

impl Endpoint {
    /// Reads `HOST`, `HOST:PORT` or a URL; without scheme it is `https`, without port 5986, without path `/wsman`.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim();
        let refuse = |source| EndpointError { text: text.chars().take(100).collect(), source };
        let url = Url::parse(&whole(text)).map_err(refuse)?;
        Ok(Self { name: text.to_owned(), url })
    }

    /// The same under the name that a person gave it elsewhere.
    #[must_use]
    pub fn called(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// What the person calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where requests go.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Where a stranger may ask who the service is, if it is one of ours.
    pub(super) fn anonymous_url(&self) -> Result<Url, UrlError> {
        let text = self.url.to_string();
        let host = text.find("://").and_then(|scheme| Some(scheme + 3 + text.get(scheme + 3..)?.find('/')?));
        Url::parse(&[text.get(..host.unwrap_or(text.len())).unwrap_or(&text), ANONYMOUS_PATH].concat())
    }

    /// The host and the port: what a certificate is remembered for.
    pub fn peer(&self) -> String {
        let host = self.url.host().to_ascii_lowercase();
        if host.contains(':') { format!("[{host}]:{}", self.url.port()) } else { format!("{host}:{}", self.url.port()) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn whole(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let (authority, path) = rest.find('/').map_or((rest, PATH), |slash| rest.split_at(slash));
    let path = if path == "/" { PATH } else { path };
    // An address of IPv6 alone has colons that lead to no port.
    let bracketed = authority.parse().map(|address: Ipv6Addr| format!("[{address}]"));
    let authority = bracketed.as_deref().unwrap_or(authority);
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    // Who writes a whole URL means the port of its scheme.
    if has_port || text.contains("://") {
        return format!("{scheme}://{authority}{path}");
    }
    format!("{scheme}://{authority}:{PORT}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_as_usual() {
        for (text, url, peer) in [
            ("web1", "https://web1:5986/wsman", "web1:5986"),
            (" Web1:8443 ", "https://Web1:8443/wsman", "web1:8443"),
            ("10.0.0.1", "https://10.0.0.1:5986/wsman", "10.0.0.1:5986"),
            ("web1/other", "https://web1:5986/other", "web1:5986"),
            ("https://web1", "https://web1/wsman", "web1:443"),
            ("https://web1:8443/", "https://web1:8443/wsman", "web1:8443"),
            ("::1", "https://[::1]:5986/wsman", "[::1]:5986"),
            ("FD00::1", "https://[fd00::1]:5986/wsman", "[fd00::1]:5986"),
            ("[fd00::1]", "https://[fd00::1]:5986/wsman", "[fd00::1]:5986"),
            ("[fd00::1]:8443", "https://[fd00::1]:8443/wsman", "[fd00::1]:8443"),
            ("https://[fd00::1]", "https://[fd00::1]/wsman", "[fd00::1]:443"),
            ("http://[fd00::1]:5985/wsman", "http://[fd00::1]:5985/wsman", "[fd00::1]:5985"),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!((endpoint.url().to_string().as_str(), endpoint.peer().as_str()), (url, peer), "{text}");
            assert_eq!(endpoint.name(), text.trim());
        }
    }

    #[test]
    fn strangers_ask_at_a_place_of_their_own() {
        let anonymous = |text| Endpoint::parse(text).unwrap().anonymous_url().unwrap().to_string();
        assert_eq!(anonymous("web1"), "https://web1:5986/wsman-anon/identify");
        assert_eq!(anonymous("http://web1:5985/a/b"), "http://web1:5985/wsman-anon/identify");
    }

    #[test]
    fn what_names_no_host_is_refused_with_how_to_write_it() {
        for text in ["", "a b", "ftp://web1", "web1:0", "web1:x", "user:secret@web1", "fd00::1:x", "[fd00::1"] {
            let refused = Endpoint::parse(text).unwrap_err().to_string();
            assert!(refused.ends_with("write HOST, HOST:PORT or https://HOST:PORT/wsman"), "{refused}");
        }
    }
}
