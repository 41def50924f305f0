//! How callers prove who they are, one file per scheme. A scheme reads what a request says or its connection has proven;
//! who that is says `access`.
//!
//! Credentials in a request go before the connection's: whoever sends a name and a password is that user or nobody.

mod basic;
pub(super) mod client_certificate;
mod digest;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::uri::PathAndQuery;

use self::basic::Credentials;
pub use self::client_certificate::ClientCertificates;
use self::client_certificate::Shown;
use super::refusal::Refusal;
use super::{Settings, let_in};
use crate::access::{Caller, Scheme, StaleNonce, Users, Verdict};
use crate::config::Live;

/// Knows callers.
pub(super) struct Authentication {
    users: Arc<Users>,
    settings: Live<Settings>,
}

/// What an Authorization header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim<'a> {
    /// `Basic`, with what stands behind it.
    Basic(&'a [u8]),
    /// `Digest`, the whole header.
    Digest(&'a str),
    /// The caller is who its certificate says.
    Certificate,
    /// Another scheme.
    Unknown,
}

impl Authentication {
    pub(super) fn new(users: Arc<Users>, settings: Live<Settings>) -> Self {
        Self { users, settings }
    }

    /// Who sends this request.
    pub(super) async fn caller(&self, peer: IpAddr, request: &HttpRequest) -> Result<Caller, Refusal> {
        if comes_from_another_site(request.headers()) {
            return Err(Refusal::AnotherSite);
        }
        let claim = request.headers().get(header::AUTHORIZATION).map(|value| Claim::read(value.as_bytes()));
        let (scheme, verdict) = match claim {
            Some(Claim::Basic(token)) => (Scheme::Basic, self.by_password(peer, token).await),
            Some(Claim::Digest(header)) => (Scheme::Digest, self.by_digest(peer, header, request).await?),
            Some(Claim::Certificate) | None => (Scheme::Certificate, self.by_certificate(peer, request).await),
            Some(Claim::Unknown) => return Err(Refusal::Unauthorized),
        };
        match verdict {
            Verdict::Known(caller) => {
                Ok(Caller { address: Some(peer), scheme: Some(scheme), request: let_in(request), ..caller })
            }
            Verdict::Wrong => Err(Refusal::Unauthorized),
            Verdict::Later(wait) => Err(Refusal::Later(wait)),
            Verdict::Busy => Err(Refusal::Busy),
            Verdict::Failed => Err(Refusal::Failed),
        }
    }

    /// Says in the headers of a response with status 401 which schemes there are. Each has a header of its own, as several
    /// clients read no lists; digests come first, as clients that know digests may look at the first one alone.
    pub(super) fn challenge(&self, headers: &mut HeaderMap, is_stale: bool) {
        for &algorithm in &self.settings.get().digest {
            if let Some(challenge) = digest::challenge(algorithm, &self.users.nonce(), is_stale) {
                headers.append(header::WWW_AUTHENTICATE, challenge);
            }
        }
        headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(basic::CHALLENGE));
    }

    async fn by_password(&self, peer: IpAddr, token: &[u8]) -> Verdict {
        let mut buffer = Credentials::buffer();
        match basic::credentials(token, &mut buffer) {
            Some(Credentials { name, password }) => self.users.authenticate(peer, name, password).await,
            None => Verdict::Wrong,
        }
    }

    async fn by_digest(&self, peer: IpAddr, header: &str, request: &HttpRequest) -> Result<Verdict, Refusal> {
        let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let claim = digest::claim(header, request.method().as_str(), target);
        match claim.filter(|claim| self.settings.get().digest.contains(&claim.algorithm)) {
            Some(claim) => self.users.authenticate_by_digest(peer, claim).await.map_err(|StaleNonce| Refusal::Stale),
            None => Ok(Verdict::Wrong),
        }
    }

    async fn by_certificate(&self, peer: IpAddr, request: &HttpRequest) -> Verdict {
        let Some(shown) = request.conn_data::<Shown>() else { return Verdict::Wrong };
        let verdict = self.users.recognise(&shown.certificate).await;
        if verdict == Verdict::Wrong && shown.is_to_be_told() {
            self.users.wrong_certificate(peer, &shown.certificate);
        }
        verdict
    }
}

impl<'a> Claim<'a> {
    fn read(header: &'a [u8]) -> Self {
        let header = header.trim_ascii();
        let end = header.iter().position(|&octet| octet == b' ').unwrap_or(header.len());
        let (scheme, rest) = header.split_at_checked(end).unwrap_or((header, &[]));
        if scheme.eq_ignore_ascii_case(b"Basic") {
            Self::Basic(rest)
        } else if scheme.eq_ignore_ascii_case(b"Digest") {
            std::str::from_utf8(header).map_or(Self::Unknown, Self::Digest)
        } else if header.eq_ignore_ascii_case(client_certificate::PROFILE.as_bytes()) {
            Self::Certificate
        } else {
            Self::Unknown
        }
    }
}

/// Whether a browser says that a page of another site sends this. It would send certificates and remembered passwords along
/// whoever asks for it; what is no browser sends none of these headers.
fn comes_from_another_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return true;
    }
    let Some(origin) = text("origin") else { return false };
    let own = text("host").unwrap_or_default();
    !origin.strip_prefix("https://").is_some_and(|host| host.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_read_whatever_their_case() {
        assert_eq!(Claim::read(b"Basic YTpi"), Claim::Basic(b" YTpi"));
        assert_eq!(Claim::read(b"BASIC   YTpi "), Claim::Basic(b"   YTpi"));
        assert_eq!(Claim::read(b"digest a=b"), Claim::Digest("digest a=b"));
        assert_eq!(Claim::read(b"Digest a=\xff"), Claim::Unknown);
        let profile = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";
        assert_eq!(Claim::read(profile.as_bytes()), Claim::Certificate);
        for other in ["", "Basics YTpi", "Bearer x", "Negotiate YTpi", &format!("{profile}/basic")] {
            assert_eq!(Claim::read(other.as_bytes()), Claim::Unknown, "{other}");
        }
    }

    #[test]
    fn what_another_sites_page_sends_is_told_from_what_a_program_sends() {
        let from_elsewhere = |lines: &[(&'static str, &'static str)]| {
            let headers = lines
                .iter()
                .map(|&(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)));
            comes_from_another_site(&headers.collect())
        };
        assert!(!from_elsewhere(&[("host", "a:5986")]));
        assert!(!from_elsewhere(&[
            ("host", "a:5986"),
            ("origin", "https://A:5986"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(!from_elsewhere(&[("host", "a:5986"), ("sec-fetch-site", "none")]));
        for origin in ["null", "https://a", "http://a:5986", "https://a:5986.evil", "https://b:5986"] {
            assert!(from_elsewhere(&[("host", "a:5986"), ("origin", origin)]), "{origin}");
        }
        assert!(from_elsewhere(&[("host", "a:5986"), ("sec-fetch-site", "cross-site")]));
    }
}
