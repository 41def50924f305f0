//! Whose signatures are taken: VMware's for all levels, those of VMware's partners for their own.

use std::fmt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{
    CrlStatus, X509, X509Crl, X509KeyUsage, X509NameRef, X509PurposeId, X509Ref, X509StoreContext, X509VerifyResult,
};

use super::descriptor::VibId;
use super::error::{ImageError, ImageErrorClass};
use super::level::AcceptanceLevel;
use super::signature::{Signature, SignatureProblem};

/// OpenSSL's results for certificates that are not valid yet or not anymore (`X509_V_ERR_CERT_NOT_YET_VALID`,
/// `X509_V_ERR_CERT_HAS_EXPIRED`).
const OUT_OF_TIME: [i32; 2] = [9, 10];

/// OpenSSL's level of what keys and digests a chain may have: none that can be forged, as with MD5, SHA-1 and short keys.
const AUTHENTICATION_LEVEL: i32 = 1;

/// What the key of who signs may be for, if its certificate tells.
const SIGNING: X509KeyUsage = X509KeyUsage::DIGITAL_SIGNATURE.union(X509KeyUsage::NON_REPUDIATION);

/// The roots that signatures may come from, and what was revoked.
///
/// A list of revocations counts for all certificates of the authority that made it, also when a newer list was due.
#[derive(Default)]
pub struct TrustStore {
    vmware: Vec<X509>,
    partners: Vec<X509>,
    revocations: Vec<X509Crl>,
}

impl fmt::Debug for TrustStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vmware, partners, revocations } = self;
        write!(f, "TrustStore({} + {} roots, {} lists)", vmware.len(), partners.len(), revocations.len())
    }
}

/// A trust file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", file.display())]
pub struct TrustFileError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong and what to do.
    pub why: String,
}

/// What a signature is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureVerdict {
    /// Somebody made it who may vouch for the level.
    Valid,
    /// There is none.
    Missing,
    /// It is not written as it should be; why.
    Format(String),
    /// It is of another descriptor.
    Digest,
    /// Its key is not the one of its certificate.
    Wrong,
    /// Its digest is weaker than SHA-256.
    Weak,
    /// Nobody who may vouch for the level stands behind it.
    Untrusted,
    /// A certificate was revoked; whose.
    Revoked(String),
    /// A certificate is not valid now; whose.
    Expired(String),
}

impl TrustStore {
    /// Reads the trust files that there are: VMware's roots, those of its partners, and lists of revocations, each any number
    /// in PEM. Without any file nobody is trusted, and only VIBs of the level community can be installed.
    ///
    /// # Errors
    /// A file that cannot be read or holds nothing of its kind.
    pub fn read(
        vmware: Option<&Path>,
        partners: Option<&Path>,
        revocations: Option<&Path>,
    ) -> Result<Self, TrustFileError> {
        let read = Self {
            vmware: vmware.map_or(Ok(Vec::new()), |file| read_file(file, certificates))?,
            partners: partners.map_or(Ok(Vec::new()), |file| read_file(file, certificates))?,
            revocations: revocations.map_or(Ok(Vec::new()), |file| read_file(file, lists))?,
        };
        if let Some((file, why)) = revocations.zip(read.forged()) {
            return Err(TrustFileError { file: file.to_owned(), why });
        }
        Ok(read)
    }

    /// What is wrong with a list of revocations that names a root which did not make it, and so would count for nothing.
    fn forged(&self) -> Option<String> {
        let roots = || self.vmware.iter().chain(&self.partners);
        for list in &self.revocations {
            let mut named = roots().filter(|root| names(list, root)).peekable();
            if named.peek().is_some() && !named.any(|root| is_by(list, root)) {
                let by = common_name(list.issuer_name());
                return Some(format!(
                    "the list of revocations of {by} was not signed with the key of that root; get it again"
                ));
            }
        }
        None
    }

    /// Judges the signature of a descriptor that claims this level. Community is not judged here: its signature says nothing.
    pub fn judge(
        &self,
        descriptor: &[u8],
        signature: &[u8],
        level: AcceptanceLevel,
        now: DateTime<Utc>,
    ) -> SignatureVerdict {
        if signature.is_empty() {
            return SignatureVerdict::Missing;
        }
        let signature = match Signature::read(signature, descriptor) {
            Ok(signature) => signature,
            Err(SignatureProblem::Format(why)) => return SignatureVerdict::Format(why),
            Err(SignatureProblem::Digest) => return SignatureVerdict::Digest,
            Err(SignatureProblem::Wrong) => return SignatureVerdict::Wrong,
            Err(SignatureProblem::Weak) => return SignatureVerdict::Weak,
        };
        // Everybody who signed must be trusted, and nobody is not enough.
        let mut judged = SignatureVerdict::Untrusted;
        for signer in &signature.signers {
            judged = self.trust(signer, &signature.certificates, level, now).unwrap_or(SignatureVerdict::Untrusted);
            if judged != SignatureVerdict::Valid {
                break;
            }
        }
        judged
    }

    /// Sees that the signature of a VIB is one that its level asks for. The level community asks for none.
    ///
    /// # Errors
    /// `VibSigMissingError`, `VibSigFormatError`, `VibSigDigestError`, `VibSigInvalidError`.
    pub fn verify(
        &self,
        vib: &VibId,
        descriptor: &[u8],
        signature: &[u8],
        level: AcceptanceLevel,
        now: DateTime<Utc>,
    ) -> Result<(), ImageError> {
        if level == AcceptanceLevel::Community {
            return Ok(());
        }
        let verdict = self.judge(descriptor, signature, level, now);
        verdict.error(level).map_or(Ok(()), |(class, text)| {
            let text = format!("('{vib}', '{text}') {}", class.advice());
            Err(ImageError::new(class, text).of([vib.clone()]))
        })
    }

    /// Judges who signed.
    fn trust(
        &self,
        signer: &X509Ref,
        certificates: &Stack<X509>,
        level: AcceptanceLevel,
        now: DateTime<Utc>,
    ) -> Result<SignatureVerdict, ErrorStack> {
        if signer.key_usage().is_some_and(|usage| !usage.intersects(SIGNING)) {
            return Ok(SignatureVerdict::Untrusted);
        }
        let store = self.store(level, now)?;
        let (result, at_fault, chain) = X509StoreContext::new()?.init(&store, signer, certificates, |context| {
            context.verify_cert()?;
            let chain = context.chain().into_iter().flatten().map(ToOwned::to_owned).collect::<Vec<X509>>();
            Ok((context.error(), context.current_cert().map(name), chain))
        })?;
        Ok(match result {
            X509VerifyResult::OK => match self.revoked(&chain) {
                Some(whose) => SignatureVerdict::Revoked(whose),
                None => SignatureVerdict::Valid,
            },
            other if OUT_OF_TIME.contains(&other.as_raw()) => {
                SignatureVerdict::Expired(at_fault.unwrap_or_else(|| name(signer)))
            }
            _ => SignatureVerdict::Untrusted,
        })
    }

    /// The roots that may vouch for a level, at this time.
    fn store(&self, level: AcceptanceLevel, now: DateTime<Utc>) -> Result<X509Store, ErrorStack> {
        let mut parameters = X509VerifyParam::new()?;
        parameters.set_time(now.timestamp());
        parameters.set_purpose(X509PurposeId::ANY)?;
        parameters.set_auth_level(AUTHENTICATION_LEVEL);
        let mut store = X509StoreBuilder::new()?;
        store.set_param(&parameters)?;
        let partners = self.partners.iter().filter(|_| level <= AcceptanceLevel::Partner);
        for root in self.vmware.iter().chain(partners) {
            store.add_cert(root.clone())?;
        }
        Ok(store.build())
    }

    /// Whose certificate in a chain was revoked by who issued it.
    fn revoked(&self, chain: &[X509]) -> Option<String> {
        let issued = chain.array_windows().find(|[certificate, issuer]| {
            let theirs = self.revocations.iter().filter(|list| is_by(list, issuer));
            theirs.into_iter().any(|list| matches!(list.get_by_cert(certificate), CrlStatus::Revoked(_)))
        });
        issued.map(|[certificate, _]| name(certificate))
    }
}

impl SignatureVerdict {
    /// The failure that it is for a VIB of this level, in esximage's words where it has some; `None` if it is valid.
    fn error(&self, level: AcceptanceLevel) -> Option<(ImageErrorClass, String)> {
        use ImageErrorClass::{VibSigDigestError, VibSigFormatError, VibSigInvalidError, VibSigMissingError};
        Some(match self {
            Self::Valid => return None,
            Self::Missing => (
                VibSigMissingError,
                format!("Signature Not Available: a VIB of the acceptance level {level} must be signed."),
            ),
            Self::Format(why) => (VibSigFormatError, format!("The signature is no PKCS#7: {why}.")),
            Self::Digest => (VibSigDigestError, "The signature is not of this descriptor.xml.".to_owned()),
            Self::Wrong => {
                (VibSigInvalidError, "The signature was not made with the key of its certificate.".to_owned())
            }
            Self::Weak => (VibSigInvalidError, "The signature's digest is weaker than SHA-256.".to_owned()),
            Self::Untrusted => (VibSigInvalidError, "Could not find a trusted signer.".to_owned()),
            Self::Revoked(whose) => (VibSigInvalidError, format!("The certificate of {whose} was revoked.")),
            Self::Expired(whose) => {
                (VibSigInvalidError, format!("The certificate of {whose} has expired or is not valid yet."))
            }
        })
    }
}

/// Whether a list of revocations says that it was made by who has this certificate.
fn names(list: &X509Crl, issuer: &X509) -> bool {
    list.issuer_name().try_cmp(issuer.subject_name()).is_ok_and(std::cmp::Ordering::is_eq)
}

/// Whether a list of revocations was made by who has this certificate.
fn is_by(list: &X509Crl, issuer: &X509) -> bool {
    names(list, issuer) && issuer.public_key().and_then(|key| list.verify(&key)).unwrap_or(false)
}

/// The common name of a certificate, or another name of it.
fn name(certificate: &X509Ref) -> String {
    common_name(certificate.subject_name())
}

fn common_name(name: &X509NameRef) -> String {
    let common = name.entries_by_nid(openssl::nid::Nid::COMMONNAME).next().or_else(|| name.entries().next());
    let text = common.and_then(|entry| entry.data().to_string().ok());
    text.map_or_else(|| "somebody without a name".to_owned(), |text| text.chars().filter(|c| !c.is_control()).collect())
}

fn read_file<T>(file: &Path, read: impl FnOnce(&[u8]) -> Result<Vec<T>, String>) -> Result<Vec<T>, TrustFileError> {
    let octets = std::fs::read(file).map_err(|error| error.to_string());
    octets.and_then(|octets| read(&octets)).map_err(|why| TrustFileError { file: file.to_owned(), why })
}

fn certificates(pem: &[u8]) -> Result<Vec<X509>, String> {
    let all = X509::stack_from_pem(pem).map_err(|error| format!("it holds a damaged certificate ({error})"))?;
    if all.is_empty() {
        return Err(
            "there is no certificate in it; put the roots there in PEM (-----BEGIN CERTIFICATE-----)".to_owned()
        );
    }
    Ok(all)
}

fn lists(pem: &[u8]) -> Result<Vec<X509Crl>, String> {
    const END: &str = "-----END X509 CRL-----";
    let text = String::from_utf8_lossy(pem);
    let mut blocks: Vec<&str> = text.split_inclusive(END).collect();
    blocks.retain(|block| block.ends_with(END));
    if blocks.is_empty() {
        return Err(
            "there is no list of revocations in it; put them there in PEM (-----BEGIN X509 CRL-----)".to_owned()
        );
    }
    let list = |block: &&str| {
        X509Crl::from_pem(block.as_bytes()).map_err(|error| format!("it holds a damaged list of revocations ({error})"))
    };
    blocks.iter().map(list).collect()
}

#[cfg(test)]
mod tests;
