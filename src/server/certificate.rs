//! The certificate that the server signs for itself at its first start.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use openssl::error::ErrorStack;

use crate::access::private_file;
use crate::client::self_signed;

/// How long the certificate holds.
const DAYS: i64 = 3650;

/// The server's certificate and key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, then those that lead to its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The certificate cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// OpenSSL failed.
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] ErrorStack),
    /// A file cannot be written.
    #[error("cannot write {file}: {source}")]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The certificate in this folder; made if it is not there, for the loopback addresses, `name` and `address`.
pub fn ensure(folder: &Path, name: &str, address: IpAddr, now: DateTime<Utc>) -> Result<Identity, CertificateError> {
    let identity = Identity { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
    if identity.certificate.exists() && identity.key.exists() {
        return Ok(identity);
    }
    private_file::make_folder(folder).map_err(|source| write_error(folder, source))?;
    // The certificate last: a crash in between makes both anew, never a pair that does not match.
    match std::fs::remove_file(&identity.certificate) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(write_error(&identity.certificate, source));
        }
        _ => {}
    }
    let (certificate, key) = self_signed(name, address, now, DAYS)?;
    for (file, pem) in
        [(&identity.key, key.private_key_to_pem_pkcs8()?), (&identity.certificate, certificate.to_pem()?)]
    {
        private_file::write(file, &pem).map_err(|source| write_error(file, source))?;
    }
    Ok(identity)
}

fn write_error(file: &Path, source: io::Error) -> CertificateError {
    CertificateError::Write { file: file.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use openssl::x509::X509;

    use super::*;

    fn names(certificate: &X509) -> Vec<String> {
        let names = certificate.subject_alt_names().unwrap();
        let address = |bytes: &[u8]| match bytes.len() {
            4 => IpAddr::from(<[u8; 4]>::try_from(bytes).unwrap()).to_string(),
            _ => IpAddr::from(<[u8; 16]>::try_from(bytes).unwrap()).to_string(),
        };
        names.iter().map(|n| n.dnsname().map_or_else(|| address(n.ipaddress().unwrap()), str::to_owned)).collect()
    }

    #[test]
    fn a_certificate_is_made_once_and_names_this_host() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("tls");
        let now = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000);
        let identity = ensure(&folder, "box.example.org", "192.0.2.1".parse().unwrap(), now).unwrap();
        let pem = fs::read(&identity.certificate).unwrap();
        let certificate = X509::from_pem(&pem).unwrap();
        let expected = ["localhost", "127.0.0.1", "::1", "box.example.org", "box", "192.0.2.1"];
        assert_eq!(names(&certificate), expected);
        assert!(certificate.verify(&certificate.public_key().unwrap()).unwrap());
        assert_eq!(fs::metadata(&identity.key).unwrap().permissions().mode() & 0o777, 0o600);
        super::super::tls::Presented::begin(&identity, None, crate::access::Audit::default()).unwrap();

        assert_eq!(ensure(&folder, "other", "::1".parse().unwrap(), now).unwrap(), identity);
        assert_eq!(fs::read(&identity.certificate).unwrap(), pem);
    }

    #[test]
    fn half_a_pair_is_made_anew_and_a_wrong_pair_is_refused() {
        let state = tempfile::tempdir().unwrap();
        let now = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000);
        let make = |folder: &str| ensure(&state.path().join(folder), "h", "127.0.0.1".parse().unwrap(), now).unwrap();
        let (one, two) = (make("one"), make("two"));
        fs::remove_file(&one.key).unwrap();
        super::super::tls::Presented::begin(&make("one"), None, crate::access::Audit::default()).unwrap();
        fs::copy(&two.key, &one.key).unwrap();
        let error =
            super::super::tls::Presented::begin(&one, None, crate::access::Audit::default()).err().unwrap().to_string();
        assert!(error.contains("is not that of"), "{error}");
        fs::write(&one.key, "no key").unwrap();
        let error =
            super::super::tls::Presented::begin(&one, None, crate::access::Audit::default()).err().unwrap().to_string();
        assert!(error.contains("no private key"), "{error}");
    }
}
