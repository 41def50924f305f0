//! Certificates of clients: asked for in the handshake, and what they say goes with the connection.
//!
//! A handshake does not fail for want of one. Whoever shows a certificate that means nobody is asked for other credentials.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_tls::accept::openssl::TlsStream;
use actix_web::dev::Extensions;
use openssl::error::ErrorStack;
use openssl::ssl::{SslAcceptorBuilder, SslFiletype, SslRef, SslVerifyMode};
use openssl::stack::Stack;
use openssl::x509::store::{X509Lookup, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509StoreContextRef, X509VerifyResult};

use super::super::tls::TlsError;
use crate::access::{Audit, PeerCertificate};

/// DSP0226's name for this scheme. Windows and its relatives send it as an Authorization header.
pub(super) const PROFILE: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";

/// Whom the server trusts to issue certificates of clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCertificates {
    /// A PEM file with the authorities. Without one, a certificate is known by its thumbprint alone.
    pub authorities: Option<PathBuf>,
    /// A PEM file with the authorities' lists of revoked certificates.
    pub revocations: Option<PathBuf>,
}

impl ClientCertificates {
    /// Has certificates of clients judged by these authorities.
    pub(in super::super) fn judge(&self, builder: &mut SslAcceptorBuilder) -> Result<(), TlsError> {
        let mut store = X509StoreBuilder::new()?;
        if let Some(file) = &self.authorities {
            let authorities = authorities(file)?;
            let mut names = Stack::new()?;
            for authority in authorities {
                names.push(authority.subject_name().to_owned()?)?;
                store.add_cert(authority)?;
            }
            // What clients choose a certificate by.
            builder.set_client_ca_list(names);
        }
        // The authorities are trusted themselves, also where others stand above them.
        let mut flags = X509VerifyFlags::PARTIAL_CHAIN;
        if let Some(file) = &self.revocations {
            revocations(&mut store, file)?;
            flags |= X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL;
        }
        store.set_flags(flags)?;
        builder.set_verify_cert_store(store.build())?;
        Ok(())
    }
}

/// Asks the client of this connection for a certificate; the log is told of one that was taken back.
pub(in super::super) fn ask_on(connection: &mut SslRef, audit: Audit) {
    connection.set_verify_callback(SslVerifyMode::PEER, move |_, context| may_go_on(context, &audit));
}

fn authorities(file: &Path) -> Result<Vec<X509>, TlsError> {
    let unusable = |reason: String| TlsError::ClientAuthorities { file: file.to_owned(), reason };
    let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
    let certificates = X509::stack_from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() { Err(unusable("it holds none".to_owned())) } else { Ok(certificates) }
}

fn revocations(store: &mut X509StoreBuilder, file: &Path) -> Result<(), TlsError> {
    let unusable = |reason: String| TlsError::ClientRevocations { file: file.to_owned(), reason };
    let Some(path) = file.to_str().filter(|path| !path.contains('\0')) else {
        return Err(unusable("its path is not in UTF-8".to_owned()));
    };
    let lookup = store.add_lookup(X509Lookup::file())?;
    match lookup.load_crl_file(path, SslFiletype::PEM) {
        Ok(lists) if lists > 0 => Ok(()),
        Ok(_) => Err(unusable("it holds none".to_owned())),
        Err(error) => Err(unusable(error.to_string())),
    }
}

/// Asked about the flaws of a client's certificate. Only one that its authority took back ends the handshake; any other flaw
/// stays in the session as the result of the verification, and the certificate's names then prove nothing.
fn may_go_on(context: &X509StoreContextRef, audit: &Audit) -> bool {
    if context.error().as_raw() != REVOKED {
        return true;
    }
    // Its connection has no address here.
    match context.current_cert().map(|certificate| PeerCertificate::new(certificate, false)) {
        Some(Ok(certificate)) => audit.wrong_certificate(None, certificate, "its authority took it back"),
        _ => tracing::warn!("a client showed a certificate that was taken back"),
    }
    false
}

/// X509_V_ERR_CERT_REVOKED.
const REVOKED: std::ffi::c_int = 23;

/// The certificate that the client of a connection showed.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) certificate: Arc<PeerCertificate>,
    /// Whether the audit log was told that it lets nobody in.
    is_told: AtomicBool,
}

impl Shown {
    /// Whether this is the first time that somebody asks.
    pub(super) fn is_to_be_told(&self) -> bool {
        !self.is_told.swap(true, Ordering::Relaxed)
    }
}

/// Takes the certificate that a client showed, in this handshake or in the one that this one resumes, and gives it to the
/// connection's requests.
pub(in super::super) fn shown(stream: &dyn Any, data: &mut Extensions) {
    let Some(stream) = stream.downcast_ref::<TlsStream<actix_web::rt::net::TcpStream>>() else { return };
    let Some(certificate) = stream.ssl().peer_certificate() else { return };
    let is_vouched_for = stream.ssl().verify_result() == X509VerifyResult::OK;
    match PeerCertificate::new(&certificate, is_vouched_for) {
        Ok(certificate) => {
            drop(data.insert(Shown { certificate: Arc::new(certificate), is_told: AtomicBool::new(false) }))
        }
        Err(error) => unreadable(&error),
    }
}

fn unreadable(error: &ErrorStack) {
    tracing::warn!(%error, "a client's certificate cannot be read");
}
