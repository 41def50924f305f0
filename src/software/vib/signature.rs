//! Signatures of VIBs: detached PKCS#7 of `descriptor.xml`, in one of the ways in which they are written.

mod signers;

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::X509;

use signers::Signers;

/// How long a signature may be once it is unpacked, in octets.
const LONGEST: u64 = 1024 * 1024;

/// The number of OpenSSL's library for CMS, which is what PKCS#7 is called since its version 1.6 (`ERR_LIB_CMS`).
const CMS_LIBRARY: i32 = 46;

/// OpenSSL's reason for content that is not the signed one (`CMS_R_CONTENT_VERIFY_ERROR`).
const CONTENT_FAILURE: i32 = 109;

/// OpenSSL's reason for a signature that its key did not make (`CMS_R_VERIFICATION_FAILURE`); beside the other one if no
/// attributes were signed, since then a signature of other octets cannot be told from one of another key.
const SIGNATURE_FAILURE: i32 = 158;

/// Why a signature is none of a descriptor, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SignatureProblem {
    /// It is not written as it should be; why.
    Format(String),
    /// It is of other octets.
    Digest,
    /// It was not made with the key of the certificate that it has.
    Wrong,
    /// Its digest is one that others can be made to have.
    Weak,
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
        let mut signed = cms(octets)?;
        // Without lengths that are left open, whatever it was written with.
        let der = signed.to_der().map_err(format)?;
        let Signers { signers, certificates } =
            Signers::read(&der).ok_or_else(|| SignatureProblem::Format("it is no signed data".to_owned()))?;
        let flags = CMSOptions::BINARY | CMSOptions::NO_SIGNER_CERT_VERIFY;
        signed.verify(None, None, Some(descriptor), None, flags).map_err(of_verification)?;
        if signers.iter().any(|signer| !signer.is_strong()) {
            return Err(SignatureProblem::Weak);
        }
        let of = |signer: &signers::SignerInfo<'_>| {
            certificates.iter().find(|certificate| signer.is_of(certificate)).cloned()
        };
        let found: Option<Vec<X509>> = signers.iter().map(of).collect();
        let signers = found.filter(|signers| !signers.is_empty());
        let signers = signers.ok_or_else(|| SignatureProblem::Format("it lacks who signed".to_owned()))?;
        let mut stack = Stack::new().map_err(format)?;
        certificates.into_iter().try_for_each(|certificate| stack.push(certificate)).map_err(format)?;
        Ok(Self { signers, certificates: stack })
    }
}

fn of_verification(error: ErrorStack) -> SignatureProblem {
    let cms = error.errors().iter().filter(|error| error.library_code() == CMS_LIBRARY);
    let reasons: Vec<i32> = cms.map(openssl::error::Error::reason_code).collect();
    if reasons.contains(&CONTENT_FAILURE) {
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

/// The CMS in a signature: PEM or DER, perhaps in gzip.
fn cms(octets: &[u8]) -> Result<CmsContentInfo, SignatureProblem> {
    let mut unpacked = Vec::new();
    let octets = if octets.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = MultiGzDecoder::new(octets).take(LONGEST);
        decoder.read_to_end(&mut unpacked).map_err(|error| SignatureProblem::Format(error.to_string()))?;
        &unpacked
    } else {
        octets
    };
    if octets.first() == Some(&0x30) {
        return CmsContentInfo::from_der(octets).map_err(format);
    }
    let text = std::str::from_utf8(octets).ok().filter(|text| text.trim_start().starts_with("-----BEGIN "));
    let Some(text) = text else { return Err(SignatureProblem::Format("it is neither PEM nor DER".to_owned())) };
    // What older tools call it.
    CmsContentInfo::from_pem(text.replace(" PKCS #7 SIGNED DATA-----", " PKCS7-----").as_bytes()).map_err(format)
}
