//! TLS: 1.2 and 1.3, with session tickets.

use std::path::PathBuf;
use std::time::Duration;

use actix_http::TlsAcceptorConfig;
use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use openssl::ssl::{
    AlpnError, ClientHelloResponse, SslAcceptor, SslAcceptorBuilder, SslContext, SslFiletype, SslMethod, SslMode,
    SslOptions, SslSessionCacheMode, SslVerifyMode,
};

use super::authentication::{ClientCertificates, client_certificate};
use super::certificate::Identity;
use super::{ServerError, Settings};
use crate::access::Audit;
use crate::config::Live;

/// The certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// OpenSSL cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] ErrorStack),
    /// The file is no certificate.
    #[error("{file} holds no certificate in PEM: {reason}")]
    Certificate {
        /// The file.
        file: PathBuf,
        /// OpenSSL's words.
        reason: ErrorStack,
    },
    /// The file is no key.
    #[error("{file} holds no private key in PEM: {reason}")]
    Key {
        /// The file.
        file: PathBuf,
        /// OpenSSL's words.
        reason: ErrorStack,
    },
    /// They do not belong together.
    #[error("the key in {key} is not that of the certificate in {certificate}")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The file of the authorities of clients cannot be used.
    #[error("[tls] client_ca_file: {file} must hold certificates in PEM: {reason}")]
    ClientAuthorities {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file with the revoked certificates of clients cannot be used.
    #[error("[tls] client_revocation_file: {file} must hold certificate revocation lists in PEM: {reason}")]
    ClientRevocations {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What is presented to clients from their next handshake on, and by which authorities their certificates are judged. It can be
/// replaced while connections are open, which go on with what they began with.
#[derive(Clone, Debug)]
pub struct Presented(Live<Presenting>);

/// What new connections begin with.
#[derive(Debug)]
struct Presenting {
    context: SslContext,
    asks_clients: bool,
}

impl Presented {
    /// This identity, and what accepts connections with whatever is presented at that time.
    pub(super) fn begin(
        identity: &Identity,
        clients: Option<&ClientCertificates>,
        audit: Audit,
    ) -> Result<(Self, SslAcceptor), TlsError> {
        let presented = Self(Live::new(Presenting::new(identity, clients)?));
        let mut acceptor = builder(identity, clients)?;
        let current = presented.clone();
        // All else, such as the keys of tickets, stays what it was at the start.
        acceptor.set_client_hello_callback(move |connection, _| {
            let current = current.0.get();
            connection.set_ssl_context(&current.context)?;
            // A connection does not take these over from its context.
            match current.asks_clients {
                true => client_certificate::ask_on(connection, audit.clone()),
                false => connection.set_verify(SslVerifyMode::NONE),
            }
            Ok(ClientHelloResponse::SUCCESS)
        });
        Ok((presented, acceptor.build()))
    }

    /// Presents another identity by these settings; if it, or the authorities of clients, cannot be used, or Kerberos' tokens could
    /// not be bound to it as they must be, all stays as it was.
    pub fn replace(&self, identity: &Identity, settings: &Settings) -> Result<(), ServerError> {
        let presenting = Presenting::new(identity, settings.client_certificates.as_ref())?;
        if let Some(kerberos) = &settings.kerberos {
            kerberos.suits(presenting.context.certificate())?;
        }
        self.0.replace(presenting);
        Ok(())
    }
}

impl Presenting {
    fn new(identity: &Identity, clients: Option<&ClientCertificates>) -> Result<Self, TlsError> {
        let mut builder = builder(identity, clients)?;
        // Whoever showed a certificate to earlier authorities shows it again: a session is resumed only under the same mark.
        let mut mark = [0; 32];
        rand_bytes(&mut mark)?;
        builder.set_session_id_context(&mark)?;
        Ok(Self { context: builder.build().into_context(), asks_clients: clients.is_some() })
    }
}

/// An acceptor for this identity, after Mozilla's intermediate profile (version 5).
fn builder(identity: &Identity, clients: Option<&ClientCertificates>) -> Result<SslAcceptorBuilder, TlsError> {
    let Identity { certificate, key } = identity;
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder
        .set_certificate_chain_file(certificate)
        .map_err(|reason| TlsError::Certificate { file: certificate.clone(), reason })?;
    builder.set_private_key_file(key, SslFiletype::PEM).map_err(|reason| key_error(identity, reason))?;
    builder.check_private_key().map_err(|_| mismatch(identity))?;
    // Clients resume with tickets; a cache of sessions would only hold memory.
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    // A connection that waits for its next request needs no buffers; each has two of 16 KiB otherwise.
    builder.set_mode(SslMode::RELEASE_BUFFERS);
    // Who is at the other end is looked at once, after the handshake.
    builder.set_options(SslOptions::NO_RENEGOTIATION);
    if let Some(clients) = clients {
        clients.judge(&mut builder)?;
    }
    builder.set_alpn_select_callback(|_, offered| select_protocol(offered).ok_or(AlpnError::NOACK));
    Ok(builder)
}

/// HTTP/1.1, if the client offers it (RFC 7301: each name has its length before it).
fn select_protocol(mut offered: &[u8]) -> Option<&[u8]> {
    while let Some((&length, rest)) = offered.split_first() {
        let (name, others) = rest.split_at_checked(usize::from(length))?;
        if name == b"http/1.1" {
            return Some(name);
        }
        offered = others;
    }
    None
}

/// How handshakes are made.
pub(super) fn handshake(time: Duration) -> TlsAcceptorConfig {
    TlsAcceptorConfig::default().handshake_timeout(time)
}

/// OpenSSL compares the key with the certificate as soon as it reads the key.
fn key_error(identity: &Identity, reason: ErrorStack) -> TlsError {
    let mismatched =
        reason.errors().iter().any(|error| error.reason().is_some_and(|reason| reason.contains("mismatch")));
    if mismatched { mismatch(identity) } else { TlsError::Key { file: identity.key.clone(), reason } }
}

fn mismatch(identity: &Identity) -> TlsError {
    TlsError::Mismatch { certificate: identity.certificate.clone(), key: identity.key.clone() }
}
