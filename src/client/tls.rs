//! TLS as a client: 1.2 or later, certificates verified.

use std::io;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslMethod, SslVersion};
use openssl::x509::X509;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The trust file cannot be read.
    #[error("the trust file cannot be read")]
    TrustFileUnreadable(#[source] io::Error),
    /// The trust file holds something else.
    #[error("the trust file must hold certificates in PEM form")]
    TrustFile(#[source] Option<ErrorStack>),
}

/// The certificates of a trust file.
pub(super) fn trusted(file: Option<&Path>) -> Result<Vec<X509>, TlsError> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let pem = std::fs::read(file).map_err(TlsError::TrustFileUnreadable)?;
    let certificates = X509::stack_from_pem(&pem).map_err(|e| TlsError::TrustFile(Some(e)))?;
    if certificates.is_empty() { Err(TlsError::TrustFile(None)) } else { Ok(certificates) }
}

/// A connector that trusts the system's certificates and these.
pub(super) fn connector(trusted: &[X509]) -> Result<SslConnector, ErrorStack> {
    // The builder verifies certificates and host names and loads the system's roots.
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_alpn_protos(b"\x08http/1.1")?;
    for certificate in trusted {
        builder.cert_store_mut().add_cert(certificate.clone())?;
    }
    Ok(builder.build())
}
