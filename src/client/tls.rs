//! TLS as a client: 1.2 or later, certificates verified.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslVerifyMode, SslVersion};
use openssl::x509::verify::X509CheckFlags;
use openssl::x509::{X509, X509StoreContextRef, X509VerifyResult};

use super::{Identity, Thumbprint};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The trust file cannot be read.
    #[error("the trust file {} cannot be read: {}", .0.display(), .1)]
    TrustFileUnreadable(PathBuf, io::Error),
    /// The trust file holds something else.
    #[error("the trust file {} must hold certificates in PEM form", .0.display())]
    TrustFile(PathBuf, #[source] Option<ErrorStack>),
    /// The file of the client's certificate cannot be read.
    #[error("the file of the certificate {} cannot be read: {}", .0.display(), .1)]
    CertificateUnreadable(PathBuf, io::Error),
    /// The file of the client's certificate holds something else.
    #[error("the file {} must hold certificates in PEM form, the one that is to be shown first", .0.display())]
    Certificate(PathBuf, #[source] Option<ErrorStack>),
    /// The file of the client's key cannot be read.
    #[error("the file of the key {} cannot be read: {}", .0.display(), .1)]
    KeyUnreadable(PathBuf, io::Error),
    /// The file of the client's key holds something else.
    #[error("the file {} must hold a private key in PEM form without a password", .0.display())]
    Key(PathBuf, #[source] ErrorStack),
    /// The key is not that of the certificate.
    #[error("the key in {} is not that of the certificate in {}", .key.display(), .certificate.display())]
    KeyOfAnother {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
}

/// The certificates of a trust file.
pub(super) fn trusted(file: Option<&Path>) -> Result<Vec<X509>, TlsError> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let pem = std::fs::read(file).map_err(|error| TlsError::TrustFileUnreadable(file.to_owned(), error))?;
    let unusable = |error| TlsError::TrustFile(file.to_owned(), error);
    let certificates = X509::stack_from_pem(&pem).map_err(|error| unusable(Some(error)))?;
    if certificates.is_empty() { Err(unusable(None)) } else { Ok(certificates) }
}

/// How connections are encrypted, and whom they may lead to.
#[derive(Clone)]
pub(super) struct Tls {
    context: SslContext,
    /// Whether the certificate must be of the host that is called.
    verifies_host: bool,
}

impl Tls {
    /// Trusts these certificates, and the system's if it is to, and shows the identity to peers that ask.
    pub(super) fn vouched(system: bool, trusted: &[X509], identity: Option<&Identity>) -> Result<Self, ErrorStack> {
        let mut builder = builder(identity)?;
        builder.set_verify(SslVerifyMode::PEER);
        // To load them takes longer than most requests do.
        if system {
            builder.set_default_verify_paths()?;
        }
        for certificate in trusted {
            builder.cert_store_mut().add_cert(certificate.clone())?;
        }
        Ok(Self { context: builder.build(), verifies_host: true })
    }

    /// Trusts one certificate, whoever vouches for it, whatever names it is for and until when: it was given by whoever named
    /// the peer (as DANE-EE does it, RFC 7671 5.1).
    pub(super) fn pinned(pin: Thumbprint, identity: Option<&Identity>) -> Result<Self, ErrorStack> {
        let mut builder = builder(identity)?;
        builder.set_verify_callback(SslVerifyMode::PEER, move |_, context| is_pinned(&pin, context));
        Ok(Self { context: builder.build(), verifies_host: false })
    }

    /// Trusts anybody: for a look at a certificate, before anything is told to its holder.
    pub(super) fn of_anybody() -> Result<Self, ErrorStack> {
        let mut builder = builder(None)?;
        builder.set_verify(SslVerifyMode::NONE);
        Ok(Self { context: builder.build(), verifies_host: false })
    }

    /// One connection to this host, which is named without brackets.
    pub(super) fn with(&self, host: &str) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        let address: Option<IpAddr> = host.parse().ok();
        // The name of a server is no address (RFC 6066 3).
        if address.is_none() {
            ssl.set_hostname(host)?;
        }
        if self.verifies_host {
            let wanted = ssl.param_mut();
            wanted.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
            match address {
                Some(address) => wanted.set_ip(address)?,
                None => wanted.set_host(host)?,
            }
        }
        Ok(ssl)
    }
}

/// Asked about every certificate that the peer sent and every flaw of one; each time about the peer's own.
fn is_pinned(pin: &Thumbprint, context: &mut X509StoreContextRef) -> bool {
    let is = context.chain().and_then(|chain| chain.get(0)).is_some_and(|own| pin.is_of(own));
    context.set_error(if is { X509VerifyResult::OK } else { X509VerifyResult::APPLICATION_VERIFICATION });
    is
}

/// What holds for every connection.
fn builder(identity: Option<&Identity>) -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContext::builder(SslMethod::tls_client())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_alpn_protos(b"\x08http/1.1")?;
    // What is to be sent may have moved in memory by the time the socket takes it.
    builder.set_mode(SslMode::ACCEPT_MOVING_WRITE_BUFFER | SslMode::ENABLE_PARTIAL_WRITE | SslMode::RELEASE_BUFFERS);
    if let Some(identity) = identity {
        identity.show(&mut builder)?;
    }
    Ok(builder)
}
