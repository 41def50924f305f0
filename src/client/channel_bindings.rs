//! What both ends of a TLS connection can say of it, and nobody in between (RFC 5929).

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::x509::X509Ref;

/// The channel bindings `tls-server-end-point` of a connection whose server has this certificate: its hash by what it was signed
/// with, and by SHA-256 where that is MD5 or SHA-1 (RFC 5929 4.1). Where a signature has no single hash, such as those of Ed25519,
/// there are none.
pub fn server_end_point(certificate: &X509Ref) -> Option<Box<[u8]>> {
    let signature = certificate.signature_algorithm().object().nid();
    let digest = match signature.signature_algorithms()?.digest {
        Nid::UNDEF => return None,
        Nid::MD5 | Nid::SHA1 => MessageDigest::sha256(),
        other => MessageDigest::from_nid(other)?,
    };
    let digest = certificate.digest(digest).ok()?;
    Some([b"tls-server-end-point:", &*digest].concat().into())
}

#[cfg(test)]
mod tests {
    use openssl::ec::{EcGroup, EcKey};
    use openssl::pkey::{PKey, Private};
    use openssl::x509::X509;

    use super::*;

    fn octets(key: &PKey<Private>, digest: MessageDigest) -> Option<usize> {
        let mut builder = X509::builder().unwrap();
        builder.set_pubkey(key).unwrap();
        builder.sign(key, digest).unwrap();
        let bindings = server_end_point(&builder.build())?;
        Some(bindings.strip_prefix(b"tls-server-end-point:").unwrap().len())
    }

    #[test]
    fn the_certificate_is_hashed_as_it_was_signed() {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        assert_eq!(octets(&key, MessageDigest::sha256()), Some(32));
        assert_eq!(octets(&key, MessageDigest::sha384()), Some(48));
        assert_eq!(octets(&key, MessageDigest::sha1()), Some(32));
        assert_eq!(octets(&PKey::generate_ed25519().unwrap(), MessageDigest::null()), None);
    }
}
