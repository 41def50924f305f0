//! Negotiate (RFC 4559) and Kerberos, as Windows calls the same without SPNEGO around it: a ticket for this service in every
//! request, in one token or in several that follow each other on a connection.
//!
//! A connection is nobody's: what was sent on it before says nothing of who sends the next request. Only a token that goes on with
//! an exchange belongs to its connection.

#[cfg_attr(not(feature = "kerberos"), path = "no_acceptor.rs")]
mod acceptor;
mod channel;
mod turns;
mod unfinished;

use std::ffi::OsString;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::x509::X509Ref;

use self::acceptor::{Acceptor, Context};
pub(in super::super) use self::channel::Channel;
use self::turns::Turns;
use self::unfinished::Unfinished;
use crate::access::{Principal, private_file};
use crate::client::server_end_point;

/// The longest token that is read, in characters of base64. Windows' tickets tell all groups of their user.
const LONGEST_TOKEN: usize = 64 * 1024;
/// The services that clients ask a ticket for: HTTP, as RFC 4559 has it, what Windows calls this protocol, and what stands there for
/// all services of a host.
const SERVICES: [&str; 3] = ["HTTP", "WSMAN", "host"];

/// How tickets are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kerberos {
    /// The file with the service's keys, which the environment of this process names too.
    pub keytab: PathBuf,
    /// The realms whose principals are the users of the same names.
    pub realms: Vec<String>,
    /// Whether a token must say that it was made for the connection that it comes over.
    pub must_be_bound: bool,
}

impl Kerberos {
    /// Says whether callers could do what these settings demand of them where this certificate is presented.
    pub(in super::super) fn suits(&self, presented: Option<&X509Ref>) -> Result<(), KerberosError> {
        if self.must_be_bound && presented.and_then(server_end_point).is_none() {
            return Err(KerberosError::NoBindings);
        }
        Ok(())
    }
}

/// The environment variable by which Kerberos is told where the service's keys lie, and what it must be for this file.
pub fn keytab_variable(keytab: &Path) -> (&'static str, OsString) {
    let mut value = OsString::from("FILE:");
    value.push(keytab);
    ("KRB5_KTNAME", value)
}

/// Tickets cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum KerberosError {
    /// The keytab cannot be read.
    #[error("[auth] kerberos_keytab: cannot read {file}: {source}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others could take the keys, or put others in their place.
    #[error(
        "[auth] kerberos_keytab: {file} must belong to root or to the user of this service, nobody else may write it, and \
         nobody but its group may read it: `chmod 640 {file}`"
    )]
    Exposed {
        /// The file.
        file: PathBuf,
    },
    /// Nobody could say over which server's TLS a token comes.
    #[error(
        "[auth] kerberos_channel_bindings: the signature of the server's certificate has no single hash, so that there are no \
         channel bindings (RFC 5929 4.1) and everybody would be refused: take a certificate that is signed with ECDSA or RSA \
         (PKCS #1), or say \"checked\""
    )]
    NoBindings,
    /// There is no key in it that can be used.
    #[error("[auth] kerberos_keytab: {file} cannot be used: {reason}")]
    Keys {
        /// The file.
        file: PathBuf,
        /// Kerberos' words.
        reason: String,
    },
}

/// What a token stands behind in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Negotiate,
    Kerberos,
}

/// What offers tokens to be taken, in this order.
pub(super) const CHALLENGES: [Word; 2] = [Word::Negotiate, Word::Kerberos];

impl Word {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Negotiate => "Negotiate",
            Self::Kerberos => "Kerberos",
        }
    }

    fn with(self, token: &[u8]) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("{} {}", self.as_str(), STANDARD.encode(token))).ok()
    }
}

/// What came of a token.
pub(super) enum Outcome {
    /// The caller is this principal; `answer`, a header's value, proves to it that this is the service that it meant.
    Proven { principal: Principal, answer: Option<HeaderValue> },
    /// The caller is to go on with this answer.
    Further(HeaderValue),
    /// It proves nothing, for this reason.
    Wrong(String),
    /// Too many tokens wait.
    Busy,
}

/// What a response is to tell in `WWW-Authenticate`, beside or in place of what is offered.
#[derive(Debug)]
pub(super) struct Answer(pub(super) HeaderValue);

/// Takes tokens.
#[derive(Debug)]
pub(in super::super) struct Negotiate {
    acceptor: Arc<Acceptor>,
    unfinished: Unfinished<Context>,
    turns: Turns,
    realms: Vec<String>,
    must_be_bound: bool,
}

impl Negotiate {
    /// Opens the keytab, for a server that presents this certificate. Blocks.
    pub(in super::super) fn open(settings: &Kerberos, presented: Option<&X509Ref>) -> Result<Self, KerberosError> {
        settings.suits(presented)?;
        let file = &settings.keytab;
        let unreadable = |source| KerberosError::Unreadable { file: file.clone(), source };
        if !private_file::is_for_its_group(file).map_err(unreadable)? {
            return Err(KerberosError::Exposed { file: file.clone() });
        }
        let acceptor = Acceptor::open(file).map_err(|reason| KerberosError::Keys { file: file.clone(), reason })?;
        Ok(Self {
            acceptor: Arc::new(acceptor),
            unfinished: Unfinished::default(),
            turns: Turns::new(),
            realms: settings.realms.clone(),
            must_be_bound: settings.must_be_bound,
        })
    }

    /// The user that this principal is, if no other was said to be.
    pub(super) fn namesake(&self, principal: &Principal) -> Option<String> {
        principal.name_in(&self.realms).map(str::to_owned)
    }

    /// Takes a token that came over this channel.
    pub(super) async fn take(&self, peer: IpAddr, word: Word, token: &[u8], channel: Option<&Channel>) -> Outcome {
        let token = token.trim_ascii();
        let Some(token) = (token.len() <= LONGEST_TOKEN).then(|| STANDARD.decode(token).ok()).flatten() else {
            return Outcome::Wrong("what is sent as a token is none".to_owned());
        };
        if token.starts_with(b"NTLMSSP\0") {
            return Outcome::Wrong("NTLM is not taken: the caller has no Kerberos ticket for this service".to_owned());
        }
        let Some(channel) = channel else { return Outcome::Wrong("the connection is not known".to_owned()) };
        let begun = match self.begun(channel, &token) {
            Ok(begun) => begun,
            Err(reason) => return Outcome::Wrong(reason),
        };
        let (acceptor, bindings) = (self.acceptor.clone(), channel.bindings().map(<[u8]>::to_vec));
        let work = move || acceptor.accept(begun, &token, bindings.as_deref());
        match self.turns.run(peer, work).await {
            None => Outcome::Busy,
            Some(accepted) => self.judge(peer, word, channel, accepted),
        }
    }

    /// Who began an exchange of several tokens and did not finish it, since this was asked last; once for each exchange.
    pub(super) fn given_up(&self) -> Vec<IpAddr> {
        self.unfinished.given_up(Instant::now())
    }

    /// The exchange that this token goes on with; `None` if it begins one.
    fn begun(&self, channel: &Channel, token: &[u8]) -> Result<Option<Context>, String> {
        if is_first(token) {
            // It begins anew, whatever was under way (RFC 2743 3.1).
            self.unfinished.give_up(channel.number());
            return Ok(None);
        }
        let begun = self.unfinished.take(channel.number(), Instant::now());
        begun.map(Some).ok_or_else(|| "the token goes on with an exchange that is not under way here".to_owned())
    }

    fn judge(&self, peer: IpAddr, word: Word, channel: &Channel, accepted: Result<Accepted, String>) -> Outcome {
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(reason) => return Outcome::Wrong(reason),
        };
        let (proof, answer) = match accepted {
            Accepted::Finished { proof, answer } => (proof, answer),
            Accepted::Further { context, answer } => {
                self.unfinished.put(peer, channel.number(), context, Instant::now());
                return word
                    .with(&answer)
                    .map_or_else(|| Outcome::Wrong("the answer is none".to_owned()), Outcome::Further);
            }
        };
        let service = proof.service.split(['/', '@']).next().unwrap_or_default();
        if !SERVICES.iter().any(|known| known.eq_ignore_ascii_case(service)) {
            return Outcome::Wrong(format!("the ticket is for {}, which is another service", proof.service));
        }
        if self.must_be_bound && !proof.is_bound {
            return Outcome::Wrong(format!("the token of {} is not bound to its TLS connection", proof.principal));
        }
        match Principal::new(&proof.principal) {
            Ok(principal) => Outcome::Proven { principal, answer: answer.and_then(|answer| word.with(&answer)) },
            Err(error) => Outcome::Wrong(error.to_string()),
        }
    }
}

/// Whether a token begins an exchange: only those have a frame that tells the mechanism (RFC 2743 3.1).
fn is_first(token: &[u8]) -> bool {
    token.first() == Some(&0x60)
}

/// What a token led to.
#[cfg_attr(not(feature = "kerberos"), expect(dead_code, reason = "there is no acceptor that makes any"))]
enum Accepted {
    Finished { proof: Proof, answer: Option<Vec<u8>> },
    Further { context: Context, answer: Vec<u8> },
}

/// What a whole exchange proves.
struct Proof {
    /// Who the caller is.
    principal: String,
    /// Which service the ticket is for.
    service: String,
    /// Whether the caller said that it was made for this TLS channel.
    is_bound: bool,
}
