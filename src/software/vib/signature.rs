//! Signatures of VIBs: detached PKCS#7 of `descriptor.xml`, in one of the ways in which they are written.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use openssl::error::ErrorStack;
use openssl::pkcs7::{Pkcs7, Pkcs7Flags};
use openssl::stack::Stack;
use openssl::x509::X509;

/// How long a signature may be once it is unpacked, in octets.
const LONGEST: u64 = 1024 * 1024;

/// The number of OpenSSL's library for PKCS#7 (`ERR_LIB_PKCS7`).
const PKCS7_LIBRARY: i32 = 33;

/// OpenSSL's reason for a digest that is another than the signed one (`PKCS7_R_DIGEST_FAILURE`).
const DIGEST_FAILURE: i32 = 101;

/// OpenSSL's reason for a signature that its key did not make (`PKCS7_R_SIGNATURE_FAILURE`).
const SIGNATURE_FAILURE: i32 = 105;

/// Why a signature is none of a descriptor, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SignatureProblem {
    /// It is not written as it should be; why.
    Format(String),
    /// It is of other octets.
    Digest,
    /// It was not made with the key of the certificate that it has.
    Wrong,
}

/// A signature that belongs to a descriptor. Who made it is not judged.
pub(super) struct Signature {
    /// Whose it is; at least one.
    pub(super) signers: Vec<X509>,
    /// The certificates that came with it.
    pub(super) certificates: Stack<X509>,
}

impl Signature {
    /// Reads a signature and sees that it is of these octets.
    pub(super) fn read(octets: &[u8], descriptor: &[u8]) -> Result<Self, SignatureProblem> {
        let pkcs7 = pkcs7(octets)?;
        let mut certificates = Stack::new().map_err(format)?;
        for certificate in pkcs7.signed().and_then(|signed| signed.certificates()).into_iter().flatten() {
            certificates.push(certificate.to_owned()).map_err(format)?;
        }
        let store = openssl::x509::store::X509StoreBuilder::new().map_err(format)?.build();
        let flags = Pkcs7Flags::BINARY | Pkcs7Flags::NOVERIFY;
        pkcs7.verify(&certificates, &store, Some(descriptor), None, flags).map_err(of_verification)?;
        let signers = pkcs7.signers(&certificates, Pkcs7Flags::empty()).map_err(format)?;
        Ok(Self { signers: signers.iter().map(|signer| signer.to_owned()).collect(), certificates })
    }
}

fn of_verification(error: ErrorStack) -> SignatureProblem {
    let pkcs7 = error.errors().iter().filter(|error| error.library_code() == PKCS7_LIBRARY);
    let reasons: Vec<i32> = pkcs7.map(openssl::error::Error::reason_code).collect();
    if reasons.contains(&DIGEST_FAILURE) {
        SignatureProblem::Digest
    } else if reasons.contains(&SIGNATURE_FAILURE) {
        SignatureProblem::Wrong
    } else {
        format(error)
    }
}

/// What OpenSSL says first is what matters; the rest follows from it.
fn format(error: ErrorStack) -> SignatureProblem {
    let reason = error.errors().iter().find_map(openssl::error::Error::reason);
    SignatureProblem::Format(reason.map_or_else(|| "it is damaged".to_owned(), str::to_owned))
}

/// The PKCS#7 in a signature: PEM or DER, perhaps in gzip.
fn pkcs7(octets: &[u8]) -> Result<Pkcs7, SignatureProblem> {
    let mut unpacked = Vec::new();
    let octets = if octets.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = MultiGzDecoder::new(octets).take(LONGEST);
        decoder.read_to_end(&mut unpacked).map_err(|error| SignatureProblem::Format(error.to_string()))?;
        &unpacked
    } else {
        octets
    };
    if octets.first() == Some(&0x30) {
        return Pkcs7::from_der(octets).map_err(format);
    }
    let text = std::str::from_utf8(octets).ok().filter(|text| text.trim_start().starts_with("-----BEGIN "));
    let Some(text) = text else { return Err(SignatureProblem::Format("it is neither PEM nor DER".to_owned())) };
    // CMS is what PKCS#7 is called since its version 1.6.
    Pkcs7::from_pem(text.replace(" CMS-----", " PKCS7-----").as_bytes()).map_err(format)
}
