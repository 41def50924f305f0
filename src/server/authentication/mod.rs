//! How callers prove who they are, one file per scheme. A scheme reads what a request says or its connection has proven;
//! who that is says `access`.
//!
//! Credentials in a request go before the connection's: whoever sends a name and a password is that user or nobody.

mod basic;
pub(super) mod client_certificate;
mod digest;
pub(super) mod negotiate;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use self::basic::Credentials;
pub use self::client_certificate::ClientCertificates;
use self::client_certificate::Shown;
use self::negotiate::{Answer, Channel, Negotiate, Outcome, Word};
pub use self::negotiate::{Kerberos, KerberosError, keytab_variable};
use super::origin::Origin;
use super::refusal::Refusal;
use super::{Settings, let_in};
use crate::access::{Caller, PeerCertificate, Scheme, StaleNonce, Users, Verdict};
use crate::config::Live;

/// The certificate that the client of this request's connection showed.
pub(super) fn shown(request: &HttpRequest) -> Option<Arc<PeerCertificate>> {
    request.conn_data::<Shown>().map(|shown| Arc::clone(&shown.certificate))
}

/// Knows callers.
pub(super) struct Authentication {
    users: Arc<Users>,
    settings: Live<Settings>,
    /// What takes tickets, if they are offered to be taken.
    negotiate: Option<Arc<Negotiate>>,
}

/// Tells a client whether its proof holds for further requests on its connection, as Microsoft's servers do. It never does.
const PERSISTENT_AUTH: HeaderName = HeaderName::from_static("persistent-auth");

/// What an Authorization header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim<'a> {
    /// `Basic`, with what stands behind it.
    Basic(&'a [u8]),
    /// `Digest`, the whole header.
    Digest(&'a str),
    /// `Negotiate` or `Kerberos`, with what stands behind it.
    Token(Word, &'a [u8]),
    /// The caller is who its certificate says.
    Certificate,
    /// Another scheme.
    Unknown,
}

impl Authentication {
    pub(super) fn new(users: Arc<Users>, settings: Live<Settings>, negotiate: Option<Arc<Negotiate>>) -> Self {
        Self { users, settings, negotiate }
    }

    /// Who sends this request.
    pub(super) async fn caller(&self, peer: IpAddr, request: &HttpRequest) -> Result<Caller, Refusal> {
        if Origin::of(request.headers()) == Origin::Elsewhere {
            return Err(Refusal::AnotherSite);
        }
        let claim = request.headers().get(header::AUTHORIZATION).map(|value| Claim::read(value.as_bytes()));
        let (scheme, verdict) = match claim {
            Some(Claim::Basic(token)) => (Scheme::Basic, self.by_password(peer, token).await),
            Some(Claim::Digest(header)) => (Scheme::Digest, self.by_digest(peer, header, request).await?),
            Some(Claim::Token(word, token)) => (Scheme::Kerberos, self.by_token(peer, word, token, request).await?),
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

    /// Says in the headers of a response what the schemes have to say. With status 401 that is which of them there are. Each has a
    /// header of its own, as several clients read no lists; digests come first, as clients that know digests may look at the first
    /// one alone.
    pub(super) fn say<B>(&self, request: &HttpRequest, response: &mut HttpResponse<B>, is_stale: bool) {
        let is_refused = response.status() == StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        if let Some(Answer(answer)) = request.extensions_mut().remove::<Answer>() {
            headers.append(header::WWW_AUTHENTICATE, answer);
            headers.insert(PERSISTENT_AUTH, HeaderValue::from_static("false"));
        } else if is_refused {
            self.challenge(headers, is_stale);
        }
    }

    fn challenge(&self, headers: &mut HeaderMap, is_stale: bool) {
        for &algorithm in &self.settings.get().digest {
            if let Some(challenge) = digest::challenge(algorithm, &self.users.nonce(), is_stale) {
                headers.append(header::WWW_AUTHENTICATE, challenge);
            }
        }
        if self.negotiate.is_some() {
            for word in negotiate::CHALLENGES {
                headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(word.as_str()));
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

    async fn by_token(
        &self,
        peer: IpAddr,
        word: Word,
        token: &[u8],
        request: &HttpRequest,
    ) -> Result<Verdict, Refusal> {
        let Some(negotiate) = &self.negotiate else { return Err(Refusal::Unauthorized) };
        if let Some(wait) = self.users.must_wait(peer) {
            return Ok(Verdict::Later(wait));
        }
        let say = |answer| drop(request.extensions_mut().insert(Answer(answer)));
        let outcome = negotiate.take(peer, word, token, request.conn_data::<Channel>()).await;
        self.count_given_up(negotiate);
        match outcome {
            Outcome::Proven { principal, answer } => {
                let namesake = negotiate.namesake(&principal);
                let verdict = self.users.recognise_principal(peer, principal, namesake).await;
                // Whoever is nobody here is told what else there is.
                answer.filter(|_| matches!(verdict, Verdict::Known(_))).into_iter().for_each(say);
                Ok(verdict)
            }
            Outcome::Further(answer) => {
                say(answer);
                Err(Refusal::Unauthorized)
            }
            Outcome::Wrong(why) => Ok(self.users.wrong_proof(peer, Scheme::Kerberos, &why)),
            Outcome::Busy => Ok(Verdict::Busy),
        }
    }

    /// Counts exchanges that were begun and not finished as wrong logins: to begin costs nothing, and takes the place of others.
    fn count_given_up(&self, negotiate: &Negotiate) {
        for sender in negotiate.given_up() {
            self.users.wrong_proof(sender, Scheme::Kerberos, "an exchange of several tokens was not finished");
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
        } else if let Some(word) =
            negotiate::CHALLENGES.into_iter().find(|word| scheme.eq_ignore_ascii_case(word.as_str().as_bytes()))
        {
            Self::Token(word, rest)
        } else if header.eq_ignore_ascii_case(client_certificate::PROFILE.as_bytes()) {
            Self::Certificate
        } else {
            Self::Unknown
        }
    }
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
        assert_eq!(Claim::read(b"negotiate YTpi"), Claim::Token(Word::Negotiate, b" YTpi"));
        assert_eq!(Claim::read(b"Kerberos YTpi"), Claim::Token(Word::Kerberos, b" YTpi"));
        for other in ["", "Basics YTpi", "Bearer x", "NTLM YTpi", &format!("{profile}/basic")] {
            assert_eq!(Claim::read(other.as_bytes()), Claim::Unknown, "{other}");
        }
    }
}
