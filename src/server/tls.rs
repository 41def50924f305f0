//! TLS: 1.2 and 1.3, with session tickets.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use openssl::error::ErrorStack;
use openssl::ssl::{
    AlpnError, ClientHelloResponse, SslAcceptor, SslAcceptorBuilder, SslContext, SslFiletype, SslMethod, SslMode,
    SslSessionCacheMode, select_next_proto,
};

use super::certificate::Identity;

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
}

/// What is presented to clients from their next handshake on. It can be replaced while connections are open, which go on with what
/// they began with.
#[derive(Clone, Debug)]
pub struct Presented(Arc<RwLock<SslContext>>);

impl Presented {
    /// This identity, and what accepts connections with whatever is presented at that time.
    pub(super) fn begin(identity: &Identity) -> Result<(Self, SslAcceptorBuilder), TlsError> {
        let presented = Self(Arc::new(RwLock::new(context(identity)?)));
        let mut acceptor = builder(identity)?;
        let current = presented.clone();
        // All else, such as the keys of tickets, stays what it was at the start, so that sessions are resumed.
        acceptor.set_client_hello_callback(move |connection, _| {
            connection.set_ssl_context(&current.0.read().unwrap_or_else(PoisonError::into_inner))?;
            Ok(ClientHelloResponse::SUCCESS)
        });
        Ok((presented, acceptor))
    }

    /// Presents another identity; if it cannot be used, what was presented before stays.
    pub fn replace(&self, identity: &Identity) -> Result<(), TlsError> {
        let context = context(identity)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = context;
        Ok(())
    }
}

/// What a connection goes on with after its first message.
fn context(identity: &Identity) -> Result<SslContext, TlsError> {
    let mut builder = builder(identity)?;
    // The protocols that actix-web would choose for its own.
    builder.set_alpn_select_callback(|_, offered| {
        select_next_proto(b"\x02h2\x08http/1.1", offered).ok_or(AlpnError::NOACK)
    });
    Ok(builder.build().into_context())
}

/// An acceptor for this identity, after Mozilla's intermediate profile (version 5).
fn builder(identity: &Identity) -> Result<SslAcceptorBuilder, TlsError> {
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
    builder.set_session_id_context(b"quartermaster")?;
    Ok(builder)
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
