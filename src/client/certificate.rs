//! Certificates by which the two ends of a connection know each other: the thumbprint of a peer's, and our own.

use std::fmt;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::{DateTime, Utc};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslAcceptorBuilder, SslContextBuilder, SslMethod};
use openssl::x509::{X509, X509Ref, X509VerifyResult};

use zeroize::Zeroizing;

use super::{TlsError, self_signed};
use crate::hexadecimal;

/// How long a certificate holds that is made for a while.
const DAYS: i64 = 365;

/// The digest of a whole certificate, by which one certificate is meant and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Thumbprint {
    /// SHA-1, as DSP0226 R12.3-2 and Windows have it.
    Sha1([u8; 20]),
    /// SHA-256.
    Sha256([u8; 32]),
}

/// A text that is no thumbprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a certificate's thumbprint is its SHA-1 as 40 or its SHA-256 as 64 hexadecimal digits")]
pub struct ThumbprintError;

impl Thumbprint {
    /// The SHA-256 of the first certificate of a file (PEM), by which clients may know its holder.
    pub fn of_file(file: &Path) -> Result<Self, TlsError> {
        let pem = fs::read(file).map_err(|error| TlsError::CertificateUnreadable(file.to_owned(), error))?;
        let thumbprint = X509::from_pem(&pem).and_then(|certificate| Self::sha256(&certificate));
        thumbprint.map_err(|error| TlsError::Certificate(file.to_owned(), Some(error)))
    }

    /// The SHA-256 of a certificate.
    pub(super) fn sha256(certificate: &X509Ref) -> Result<Self, ErrorStack> {
        let digest = certificate.digest(MessageDigest::sha256())?;
        let mut octets = [0; 32];
        octets.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
        Ok(Self::Sha256(octets))
    }

    /// Whether it is the thumbprint of this certificate.
    pub(super) fn is_of(&self, certificate: &X509Ref) -> bool {
        let (digest, own): (_, &[u8]) = match self {
            Self::Sha1(own) => (MessageDigest::sha1(), own),
            Self::Sha256(own) => (MessageDigest::sha256(), own),
        };
        certificate.digest(digest).is_ok_and(|found| *found == *own)
    }
}

impl FromStr for Thumbprint {
    type Err = ThumbprintError;

    fn from_str(text: &str) -> Result<Self, ThumbprintError> {
        let sha256 = || hexadecimal::read(text).map(Self::Sha256);
        hexadecimal::read(text).map(Self::Sha1).or_else(sha256).ok_or(ThumbprintError)
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets: &[u8] = match self {
            Self::Sha1(octets) => octets,
            Self::Sha256(octets) => octets,
        };
        f.write_str(&hexadecimal::written(octets))
    }
}

/// Where the certificate lies by which this service shows peers who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFiles {
    /// The certificate in PEM form, and behind it those of the authorities that vouch for it, nearest first.
    pub certificate: PathBuf,
    /// Its private key in PEM form, without a password.
    pub key: PathBuf,
}

/// The certificate by which this service shows peers who it is.
pub struct Identity {
    certificate: X509,
    authorities: Vec<X509>,
    key: PKey<Private>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate.subject_name()).finish_non_exhaustive()
    }
}

impl Identity {
    /// One that is made here and now for a server that nobody looks for by a name: its peers are told the thumbprint.
    pub fn made(now: DateTime<Utc>) -> Result<Self, ErrorStack> {
        let (certificate, key) = self_signed("localhost", Ipv4Addr::LOCALHOST.into(), now, DAYS)?;
        Ok(Self { certificate, authorities: Vec::new(), key })
    }

    /// Reads it from its files.
    pub fn load(files: &IdentityFiles) -> Result<Self, TlsError> {
        let IdentityFiles { certificate: file, key: key_file } = files;
        let pem = fs::read(file).map_err(|error| TlsError::CertificateUnreadable(file.clone(), error))?;
        let unusable = |error| TlsError::Certificate(file.clone(), error);
        let mut certificates = X509::stack_from_pem(&pem).map_err(|error| unusable(Some(error)))?.into_iter();
        let certificate = certificates.next().ok_or_else(|| unusable(None))?;
        let pem = fs::read(key_file).map_err(|error| TlsError::KeyUnreadable(key_file.clone(), error))?;
        // With a password given, OpenSSL asks nobody for one.
        let key = PKey::private_key_from_pem_passphrase(&Zeroizing::new(pem), b"");
        let key = key.map_err(|error| TlsError::Key(key_file.clone(), error))?;
        let matches = certificate.public_key().is_ok_and(|public| public.public_eq(&key));
        if !matches {
            return Err(TlsError::KeyOfAnother { certificate: file.clone(), key: key_file.clone() });
        }
        Ok(Self { certificate, authorities: certificates.collect(), key })
    }

    /// The SHA-256 of the certificate.
    pub fn thumbprint(&self) -> Result<Thumbprint, ErrorStack> {
        Thumbprint::sha256(&self.certificate)
    }

    /// What accepts connections as this identity: TLS 1.2 or later.
    pub fn acceptor(&self) -> Result<SslAcceptorBuilder, ErrorStack> {
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        self.show(&mut builder)?;
        Ok(builder)
    }

    /// Whether the certificate is the one with this thumbprint.
    pub fn is(&self, thumbprint: &Thumbprint) -> bool {
        thumbprint.is_of(&self.certificate)
    }

    /// Whether the authority with this thumbprint vouches for the certificate, as far as the certificate's file tells.
    pub fn is_issued_by(&self, thumbprint: &Thumbprint) -> bool {
        let is_its_own_issuer = self.certificate.issued(&self.certificate) == X509VerifyResult::OK;
        self.authorities.iter().any(|authority| thumbprint.is_of(authority)) || is_its_own_issuer && self.is(thumbprint)
    }

    /// Lets connections show the certificate to their peers; as a client, to those that ask for one.
    pub(super) fn show(&self, builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        builder.set_certificate(&self.certificate)?;
        builder.set_private_key(&self.key)?;
        for authority in &self.authorities {
            builder.add_extra_chain_cert(authority.clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_read_and_shown() {
        for text in ["8e5255328d03543a6aa6ea9cf7977ec9b4d7fdb3", &"0aF9".repeat(16)] {
            assert_eq!(text.parse::<Thumbprint>().unwrap().to_string(), text.to_lowercase());
        }
        for wrong in ["", "8e52", &"g".repeat(40), &"0".repeat(41), &"ä".repeat(20)] {
            assert_eq!(wrong.parse::<Thumbprint>(), Err(ThumbprintError), "{wrong}");
        }
    }
}
