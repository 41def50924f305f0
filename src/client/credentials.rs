//! How this service shows one peer who it is, and by what it knows that peer.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use awc::http::header::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::digest::{Challenge, Offered, offered};
use super::ticket::Ticket;
use super::{ClientError, PeerCertificate, Thumbprint, Url};

/// The longest user name, in octets.
const LONGEST_USER: usize = 256;
/// The longest password, in octets.
const LONGEST_PASSWORD: usize = 1024;

/// How a user name and a password are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// As they are (RFC 7617), with every request.
    Basic,
    /// As digests over what the peer asks (RFC 7616).
    Digest,
}

/// A user name and its password. The password is never shown, and wiped from memory when this is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    scheme: Scheme,
    user: String,
    password: Zeroizing<String>,
}

/// What can be no user name or password. Its message goes to the peer who named them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The user name.
    #[error("the user name must have 1 to {LONGEST_USER} octets and hold no control characters")]
    User,
    /// The user name, as Basic has no way to write it.
    #[error("with Basic authentication the user name can hold no colon")]
    Colon,
    /// The password.
    #[error("the password must have at most {LONGEST_PASSWORD} octets and hold no control characters")]
    Password,
}

impl Login {
    /// Checks and takes a user name and its password.
    pub fn new(
        scheme: Scheme,
        user: impl Into<String>,
        password: impl Into<Zeroizing<String>>,
    ) -> Result<Self, LoginError> {
        let (user, password) = (user.into(), password.into());
        if user.is_empty() || user.len() > LONGEST_USER || user.contains(char::is_control) {
            return Err(LoginError::User);
        }
        if scheme == Scheme::Basic && user.contains(':') {
            return Err(LoginError::Colon);
        }
        if password.len() > LONGEST_PASSWORD || password.contains(char::is_control) {
            return Err(LoginError::Password);
        }
        Ok(Self { scheme, user, password })
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }

    /// What a header says of it by Basic (RFC 7617).
    pub(super) fn basic(&self) -> String {
        let both = Zeroizing::new([&self.user, ":", &self.password].concat());
        ["Basic ", &STANDARD.encode(both.as_bytes())].concat()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("scheme", &self.scheme).field("user", &self.user).finish_non_exhaustive()
    }
}

/// How a connection is secured beyond what every one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Security {
    /// This service's own certificate is shown to the peer.
    pub(super) certificate: bool,
    /// The peer's certificate is this one.
    pub(super) pinned: Option<Thumbprint>,
}

/// What this service shows to one peer, and what it knows that peer by. Good for that peer's scheme, host and port only.
///
/// Share it between requests to the peer: a challenge that was answered once is answered beforehand from then on.
#[derive(Debug)]
pub struct SinkCredentials {
    peer: Url,
    login: Option<Login>,
    ticket: Option<Ticket>,
    security: Security,
    challenge: Mutex<Option<Challenge>>,
}

impl SinkCredentials {
    /// Nothing yet, for the peer of this URL.
    pub fn new(peer: Url) -> Self {
        Self { peer, login: None, ticket: None, security: Security::default(), challenge: Mutex::new(None) }
    }

    /// The same with a user name and password. Whoever calls decides whether Basic may go unencrypted.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        self.login = Some(login);
        self
    }

    /// The same with Kerberos tickets of whoever has logged in to the realm of this process, in place of a name and a password.
    /// They are bound to connections to a server of this certificate, if there is one.
    #[must_use]
    pub fn with_tickets(mut self, certificate: Option<&PeerCertificate>) -> Self {
        let bindings = certificate.and_then(|certificate| certificate.end_point.clone());
        self.ticket = Some(Ticket::new(self.peer.host(), bindings));
        self
    }

    /// The same with this service's own certificate, [`super::Settings::identity`]. Without TLS it is not shown.
    #[must_use]
    pub fn with_identity(mut self) -> Self {
        self.security.certificate = true;
        self
    }

    /// The same with the thumbprint of the peer's certificate, which then is all that is verified of the certificate:
    /// neither who vouches for it nor its names nor how long it is valid. Without TLS there is none.
    #[must_use]
    pub fn with_peer_certificate(mut self, thumbprint: Thumbprint) -> Self {
        self.security.pinned = Some(thumbprint);
        self
    }

    /// The certificate that the peer must have, if one was named.
    pub fn peer_certificate(&self) -> Option<Thumbprint> {
        self.security.pinned
    }

    /// Whether they may be used for that URL.
    pub fn are_for(&self, url: &Url) -> bool {
        self.peer.is_same_peer(url)
    }

    /// How a connection to the peer is secured.
    pub(super) fn security(&self) -> Security {
        if self.peer.is_tls() { self.security } else { Security::default() }
    }

    /// What is shown with each request in place of a name and a password.
    pub(super) fn ticket(&self) -> Option<&Ticket> {
        self.ticket.as_ref()
    }

    /// What goes with a request at first.
    pub(super) fn authorization(&self, target: &str) -> Result<Option<HeaderValue>, ClientError> {
        let text = match &self.login {
            Some(login) if login.scheme == Scheme::Basic => Some(login.basic()),
            Some(login) => match &mut *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(challenge) => Some(challenge.answer(login, target)?),
                None => self.hint("/digest"),
            },
            None => self.hint(""),
        };
        text.map(secret_header).transpose()
    }

    /// DSP0226 C.3.5 and C.3.7: a peer that needs telling is told that our certificate is there.
    fn hint(&self, more: &str) -> Option<String> {
        const MUTUAL: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";
        self.security().certificate.then(|| [MUTUAL, more].concat())
    }

    /// What goes with the request when the peer has answered 401 with these `WWW-Authenticate` headers.
    pub(super) fn answer<'h>(
        &self,
        headers: impl Iterator<Item = &'h HeaderValue>,
        target: &str,
    ) -> Result<HeaderValue, ClientError> {
        let refused = |why: &str| Err(ClientError::Unauthorized(why.to_owned()));
        let Some(login) = &self.login else {
            return refused("it wants a user name and a password (HTTP 401), and there are none for it");
        };
        if login.scheme == Scheme::Basic {
            return refused("it does not accept the user name and password (HTTP 401)");
        }
        let mut challenge = match offered(headers) {
            Offered::Challenge(challenge) => challenge,
            Offered::Unusable => {
                return refused(
                    "its Digest authentication is of no kind that is known here: MD5 or SHA-256 with qop auth",
                );
            }
            Offered::None => return refused("it offers no Digest authentication (HTTP 401)"),
        };
        let answer = challenge.answer(login, target)?;
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
        secret_header(answer)
    }

    /// The peer has answered 401 to the answer to its own challenge.
    pub(super) fn refused(&self) -> ClientError {
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = None;
        ClientError::Unauthorized("it does not accept the user name and password (HTTP 401)".to_owned())
    }
}

/// A header that is not shown where headers are shown.
pub(super) fn secret_header(text: String) -> Result<HeaderValue, ClientError> {
    let unwritable = |_| ClientError::Unauthorized("it cannot be written in an HTTP header who we are".to_owned());
    let mut header = HeaderValue::try_from(text).map_err(unwritable)?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(scheme: Scheme, user: &str, password: &str) -> Result<Login, LoginError> {
        Login::new(scheme, user, password.to_owned())
    }

    #[test]
    fn what_cannot_be_sent_is_refused_at_once() {
        assert_eq!(login(Scheme::Basic, "a:b", "p"), Err(LoginError::Colon));
        assert!(login(Scheme::Digest, "a:b", "").is_ok());
        for user in ["", "a\nb", &"a".repeat(257)] {
            assert_eq!(login(Scheme::Basic, user, "p"), Err(LoginError::User), "{user:?}");
        }
        for password in ["a\0b", &"a".repeat(1025)] {
            assert_eq!(login(Scheme::Digest, "u", password), Err(LoginError::Password), "{password:?}");
        }
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let url = Url::parse("https://sink.example/").unwrap();
        let credentials = SinkCredentials::new(url).with_login(login(Scheme::Basic, "ann", "hidden").unwrap());
        let header = credentials.authorization("/").unwrap().unwrap();
        let shown = format!("{credentials:?} {header:?}");
        assert!(shown.contains("ann") && !shown.contains("hidden") && !shown.contains(&STANDARD.encode("ann:hidden")));
        assert_eq!(header.to_str().unwrap(), ["Basic ", &STANDARD.encode("ann:hidden")].concat());
    }

    #[test]
    fn credentials_are_good_for_one_scheme_host_and_port() {
        let credentials = SinkCredentials::new(Url::parse("https://Sink.example/a").unwrap());
        for (url, good) in [
            ("https://sink.example:443/b?c", true),
            ("http://sink.example:443/a", false),
            ("https://sink.example:8443/a", false),
            ("https://other.example/a", false),
        ] {
            assert_eq!(credentials.are_for(&Url::parse(url).unwrap()), good, "{url}");
        }
    }
}
