//! TLS as a client: 1.2 or later, certificates verified.

use std::io;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslConnectorBuilder, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509StoreContextRef, X509VerifyResult};

use super::{Identity, Thumbprint};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The trust file cannot be read.
    #[error("the trust file cannot be read")]
    TrustFileUnreadable(#[source] io::Error),
    /// The trust file holds something else.
    #[error("the trust file must hold certificates in PEM form")]
    TrustFile(#[source] Option<ErrorStack>),
    /// The file of the client's certificate cannot be read.
    #[error("the file of the client's certificate cannot be read")]
    CertificateUnreadable(#[source] io::Error),
    /// The file of the client's certificate holds something else.
    #[error("the file of the client's certificate must hold certificates in PEM form, the client's own first")]
    Certificate(#[source] Option<ErrorStack>),
    /// The file of the client's key cannot be read.
    #[error("the file of the client's key cannot be read")]
    KeyUnreadable(#[source] io::Error),
    /// The file of the client's key holds something else.
    #[error("the file of the client's key must hold a private key in PEM form without a password")]
    Key(#[source] ErrorStack),
    /// The key is not that of the certificate.
    #[error("the client's key is not that of the client's certificate")]
    KeyOfAnother,
}

/// The certificates of a trust file.
pub(super) fn trusted(file: Option<&Path>) -> Result<Vec<X509>, TlsError> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let pem = std::fs::read(file).map_err(TlsError::TrustFileUnreadable)?;
    let certificates = X509::stack_from_pem(&pem).map_err(|e| TlsError::TrustFile(Some(e)))?;
    if certificates.is_empty() { Err(TlsError::TrustFile(None)) } else { Ok(certificates) }
}

/// A connector that trusts these certificates, and the system's if it is to, and shows the identity to peers that ask.
pub(super) fn connector(
    system: bool,
    trusted: &[X509],
    identity: Option<&Identity>,
) -> Result<SslConnector, ErrorStack> {
    let mut builder = builder(identity)?;
    if !system {
        builder.set_cert_store(X509StoreBuilder::new()?.build());
    }
    for certificate in trusted {
        builder.cert_store_mut().add_cert(certificate.clone())?;
    }
    Ok(builder.build())
}

/// A connector that trusts one certificate, whoever vouches for it, whatever names it is for and until when: it was
/// given by whoever named the peer (as DANE-EE does it, RFC 7671 5.1).
pub(super) fn pinned(pin: Thumbprint, identity: Option<&Identity>) -> Result<SslConnector, ErrorStack> {
    let mut builder = builder(identity)?;
    // Nobody else's word counts, and the system's roots take up memory.
    builder.set_cert_store(X509StoreBuilder::new()?.build());
    builder.set_verify_callback(SslVerifyMode::PEER, move |_, context| is_pinned(&pin, context));
    Ok(builder.build())
}

/// Asked about every certificate that the peer sent and every flaw of one; each time about the peer's own.
fn is_pinned(pin: &Thumbprint, context: &mut X509StoreContextRef) -> bool {
    let is = context.chain().and_then(|chain| chain.get(0)).is_some_and(|own| pin.is_of(own));
    context.set_error(if is { X509VerifyResult::OK } else { X509VerifyResult::APPLICATION_VERIFICATION });
    is
}

fn builder(identity: Option<&Identity>) -> Result<SslConnectorBuilder, ErrorStack> {
    // The builder verifies certificates and host names and loads the system's roots.
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_alpn_protos(b"\x08http/1.1")?;
    if let Some(identity) = identity {
        identity.show(&mut builder)?;
    }
    Ok(builder)
}
