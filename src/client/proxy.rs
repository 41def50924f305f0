//! HTTP proxies: a tunnel for what is encrypted (RFC 9110 9.3.6), the whole address in the request for what is not
//! (RFC 9112 3.2.2).

use std::fmt;
use std::str::FromStr;

use awc::http::Uri;
use awc::http::header::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::{Login, Unproxied, Url, UrlError};

/// The longest answer to the wish for a tunnel, in octets.
const MAX_ANSWER: usize = 16 * 1024;

/// A proxy, reached without encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    url: Url,
    login: Option<Login>,
    unproxied: Vec<Unproxied>,
}

/// A text that names no proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// It is no URL that could be one.
    #[error("a proxy is named like http://proxy.example.com:3128: {0}")]
    Url(#[from] UrlError),
    /// It is reached by TLS.
    #[error("a proxy is named like http://proxy.example.com:3128: https is not spoken with proxies")]
    Tls,
    /// It has more than a host and a port.
    #[error("a proxy is named like http://proxy.example.com:3128: nothing follows the port")]
    Path,
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let url = Url::parse(text)?;
        match url.target() {
            _ if url.is_tls() => Err(ProxyError::Tls),
            "/" => Ok(Self { url, login: None, unproxied: Vec::new() }),
            _ => Err(ProxyError::Path),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl Proxy {
    /// The same with a user name and password, which it is told as they are (RFC 9110 11.7.2).
    #[must_use]
    pub fn with_login(self, login: Login) -> Self {
        Self { login: Some(login), ..self }
    }

    /// The same, but not for these hosts.
    #[must_use]
    pub fn except(self, unproxied: Vec<Unproxied>) -> Self {
        Self { unproxied, ..self }
    }

    pub(super) fn host(&self) -> &str {
        self.url.host()
    }

    pub(super) fn port(&self) -> u16 {
        self.url.port()
    }

    /// Whether this host, which is named without brackets, is reached through it.
    pub(super) fn serves(&self, host: &str) -> bool {
        !self.unproxied.iter().any(|unproxied| unproxied.means(host))
    }

    /// What it is told of who asks, if there is something to tell.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::try_from(self.login.as_ref()?.basic()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Why it lets nobody through that it answers 407; the rest of a sentence about it.
    pub(super) fn refusal(&self) -> &'static str {
        match self.login {
            Some(_) => "does not take the user name and the password that it was told",
            None => "wants a user name and a password, and none is set",
        }
    }
}

/// The URI of a request: to a proxy its path is the whole address, unless a tunnel leads to the server itself.
pub(super) fn request_uri(url: &Url, proxy: Option<&Proxy>) -> Uri {
    let uri = url.uri();
    if proxy.is_none() || url.is_tls() {
        return uri;
    }
    let mut parts = uri.clone().into_parts();
    let authority = parts.authority.as_ref().map_or("", |authority| authority.as_str());
    let Ok(whole) = format!("http://{authority}{}", url.target()).parse() else { return uri };
    parts.path_and_query = Some(whole);
    Uri::from_parts(parts).unwrap_or(uri)
}

/// Asks the proxy at the other end for a tunnel to the host; the rest of the sentence that says why there is none.
pub(super) async fn tunnel(stream: &mut TcpStream, proxy: &Proxy, host: &str, port: u16) -> Result<(), String> {
    let broken = |error: std::io::Error| format!("broke the connection off: {error}");
    let mut request = Zeroizing::new(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes());
    if let Some(authorization) = proxy.authorization() {
        request.extend([b"Proxy-Authorization: ", authorization.as_bytes(), b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    stream.write_all(&request).await.map_err(broken)?;
    let mut answer = Vec::new();
    // The server says nothing before it is greeted, so nothing of it is read here.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= MAX_ANSWER {
            return Err("does not answer as a proxy does".to_owned());
        }
        answer.push(stream.read_u8().await.map_err(broken)?);
    }
    match status(&answer) {
        Some(200..=299) => Ok(()),
        Some(407) => Err(proxy.refusal().to_owned()),
        Some(status) => Err(format!("answered {status}")),
        None => Err("does not answer as a proxy does".to_owned()),
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(answer.split(|&octet| octet == b'\r').next()?).ok()?;
    let mut words = line.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_and_what_is_none_is_told() {
        let proxy: Proxy = "http://proxy.example.com:3128".parse().unwrap();
        assert_eq!((proxy.host(), proxy.port()), ("proxy.example.com", 3128));
        assert_eq!("https://proxy:3128".parse::<Proxy>(), Err(ProxyError::Tls));
        assert_eq!("http://proxy:3128/way".parse::<Proxy>(), Err(ProxyError::Path));
        for text in ["proxy:3128", "socks5://proxy", "http://a:b@proxy:3128", ""] {
            assert!(matches!(text.parse::<Proxy>(), Err(ProxyError::Url(_))), "{text}");
        }
    }

    #[test]
    fn a_request_to_a_proxy_has_the_whole_address() {
        let proxy: Proxy = "http://proxy:3128".parse().unwrap();
        let target = |text: &str, proxy: Option<&Proxy>| {
            let uri = request_uri(&Url::parse(text).unwrap(), proxy);
            (uri.authority().unwrap().to_string(), uri.path_and_query().unwrap().as_str().to_owned())
        };
        assert_eq!(
            target("http://h:8080/a/b?c=d", Some(&proxy)),
            ("h:8080".to_owned(), "http://h:8080/a/b?c=d".to_owned())
        );
        assert_eq!(target("http://h", Some(&proxy)), ("h".to_owned(), "http://h/".to_owned()));
        assert_eq!(target("https://h/a", Some(&proxy)), ("h:443".to_owned(), "/a".to_owned()));
        assert_eq!(target("http://h/a", None), ("h".to_owned(), "/a".to_owned()));
    }

    #[test]
    fn the_answer_of_a_proxy_is_read() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 No\r\nA: b\r\n\r\n"), Some(407));
        assert_eq!(status(b"SSH-2.0-x\r\n\r\n"), None);
    }
}
