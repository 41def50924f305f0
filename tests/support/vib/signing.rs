//! Authorities, signers and signatures, all made on the spot.

use std::sync::{Arc, OnceLock};

use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::hash::MessageDigest;
use openssl::pkcs7::{Pkcs7, Pkcs7Flags};
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::extension::{AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SubjectKeyIdentifier};
use openssl::x509::{X509, X509CrlBuilder, X509Extension, X509Name, X509RevokedBuilder};

use super::payload::gzip;

/// From when to when everything is valid, unless something else is said: 2010 to 2040.
const VALID: (&str, &str) = ("20100101000000Z", "20400101000000Z");

/// An authority: a root, or one below another.
#[derive(Debug)]
pub struct Authority {
    key: PKey<Private>,
    certificate: X509,
    /// The authorities above it without the root, the next one first; itself too, if it is no root.
    chain: Vec<X509>,
}

impl Authority {
    /// A root of this name.
    pub fn root(name: &str) -> Self {
        let (key, certificate) = certified(name, None, true, VALID, 1);
        Self { key, certificate, chain: Vec::new() }
    }

    /// An authority below this one.
    pub fn below(&self, name: &str, serial: u32) -> Self {
        let (key, certificate) = certified(name, Some(self), true, VALID, serial);
        let chain = [vec![certificate.clone()], self.chain.clone()].concat();
        Self { key, certificate, chain }
    }

    /// Somebody who signs VIBs.
    pub fn signer(&self, name: &str, serial: u32) -> Signer {
        self.signer_valid(name, serial, VALID.0, VALID.1)
    }

    /// The same with a certificate that is valid from and until these times (`20140101000000Z`).
    pub fn signer_valid(&self, name: &str, serial: u32, from: &str, until: &str) -> Signer {
        let (key, certificate) = certified(name, Some(self), false, (from, until), serial);
        Signer { key, certificate, chain: self.chain.clone() }
    }

    /// Somebody whose certificate nobody should rely on.
    pub fn weak_signer(&self, name: &str, serial: u32, weakness: Weakness) -> Signer {
        let usage = match weakness {
            Weakness::Md5 => KeyUsage::new().digital_signature().build(),
            Weakness::KeyEncipherment => KeyUsage::new().key_encipherment().build(),
        };
        let digest = if weakness == Weakness::Md5 { MessageDigest::md5() } else { MessageDigest::sha256() };
        let (key, certificate) = certified_as(name, Some(self), [None, Some(usage.unwrap())], digest, VALID, serial);
        Signer { key, certificate, chain: self.chain.clone() }
    }

    /// Its certificate in PEM.
    pub fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    /// A list in PEM that revokes the certificates of these serial numbers.
    pub fn revocations(&self, serials: &[u32]) -> Vec<u8> {
        let mut list = X509CrlBuilder::new().unwrap();
        list.set_issuer_name(self.certificate.subject_name()).unwrap();
        list.set_last_update(&time("20140101000000Z")).unwrap();
        list.set_next_update(&time(VALID.1)).unwrap();
        let any = X509::builder().unwrap();
        let context = any.x509v3_context(Some(&self.certificate), None);
        list.append_extension(AuthorityKeyIdentifier::new().keyid(true).build(&context).unwrap()).unwrap();
        list.append_extension(list_number()).unwrap();
        for serial in serials {
            let mut revoked = X509RevokedBuilder::new().unwrap();
            revoked.set_serial_number(&number(*serial)).unwrap();
            revoked.set_revocation_date(&time("20140101000000Z")).unwrap();
            list.add_revoked(revoked.build()).unwrap();
        }
        list.sort().unwrap();
        list.sign(&self.key, MessageDigest::sha256()).unwrap();
        list.build().unwrap().to_pem().unwrap()
    }
}

/// What is weak about the certificate of a signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It was signed with MD5.
    Md5,
    /// Its key is for encipherment only.
    KeyEncipherment,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureForm {
    /// PKCS#7 in PEM.
    #[default]
    Pem,
    /// PKCS#7 in DER.
    Der,
    /// Gzip of PEM.
    GzippedPem,
    /// Gzip of DER.
    GzippedDer,
    /// CMS in PEM, with `CMS` in its first line.
    CmsPem,
}

impl SignatureForm {
    /// All.
    pub const ALL: [Self; 5] = [Self::Pem, Self::Der, Self::GzippedPem, Self::GzippedDer, Self::CmsPem];
}

/// Somebody who signs VIBs.
#[derive(Debug)]
pub struct Signer {
    key: PKey<Private>,
    certificate: X509,
    chain: Vec<X509>,
}

impl Signer {
    /// A detached signature of these octets as CMS in DER, with options such as `USE_KEYID`.
    pub fn sign_with(&self, octets: &[u8], options: CMSOptions) -> Vec<u8> {
        let options = options | CMSOptions::DETACHED | CMSOptions::BINARY;
        let mut chain = Stack::new().unwrap();
        self.chain.iter().for_each(|certificate| chain.push(certificate.clone()).unwrap());
        let signed =
            CmsContentInfo::sign(Some(&self.certificate), Some(&self.key), Some(&chain), Some(octets), options);
        signed.unwrap().to_der().unwrap()
    }

    /// Its certificate and its key in PEM.
    pub fn pem(&self) -> Vec<u8> {
        [self.certificate.to_pem().unwrap(), self.key.private_key_to_pem_pkcs8().unwrap()].concat()
    }

    /// A detached signature of these octets.
    pub fn sign(&self, octets: &[u8], form: SignatureForm) -> Vec<u8> {
        let mut chain = Stack::new().unwrap();
        for certificate in &self.chain {
            chain.push(certificate.clone()).unwrap();
        }
        if form == SignatureForm::CmsPem {
            let options = CMSOptions::DETACHED | CMSOptions::BINARY;
            let signed =
                CmsContentInfo::sign(Some(&self.certificate), Some(&self.key), Some(&chain), Some(octets), options);
            return signed.unwrap().to_pem().unwrap();
        }
        let flags = Pkcs7Flags::DETACHED | Pkcs7Flags::BINARY;
        let signed = Pkcs7::sign(&self.certificate, &self.key, &chain, octets, flags).unwrap();
        match form {
            SignatureForm::Pem | SignatureForm::CmsPem => signed.to_pem().unwrap(),
            SignatureForm::Der => signed.to_der().unwrap(),
            SignatureForm::GzippedPem => gzip(&signed.to_pem().unwrap(), None),
            SignatureForm::GzippedDer => gzip(&signed.to_der().unwrap(), None),
        }
    }
}

/// The authorities and signers that most tests need, made once.
#[derive(Debug)]
pub struct Signers {
    /// VMware's root.
    pub vmware_root: Authority,
    /// The authority below it that VMware signs with.
    pub vmware_authority: Authority,
    /// Who signs for VMware; its serial number is 10.
    pub vmware: Arc<Signer>,
    /// The root that partners' certificates come from.
    pub partner_root: Authority,
    /// The authority below it that partners' signers come from.
    pub partner_authority: Authority,
    /// A partner; its serial number is 20.
    pub partner: Arc<Signer>,
    /// A partner whose certificate was valid until 2015; its serial number is 21.
    pub lapsed: Arc<Signer>,
    /// Somebody of a root that nobody trusts.
    pub stranger: Arc<Signer>,
}

impl Signers {
    /// The same ones for all tests of a process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Signers> = OnceLock::new();
        SHARED.get_or_init(|| {
            let vmware_root = Authority::root("Test VMware Root");
            let vmware_authority = vmware_root.below("Test VMware Signing Authority", 2);
            let partner_root = Authority::root("Test Partner Root");
            let partner_authority = partner_root.below("Test Partner Authority", 3);
            Self {
                vmware: Arc::new(vmware_authority.signer("Test VMware Signer", 10)),
                partner: Arc::new(partner_authority.signer("Test Partner", 20)),
                lapsed: Arc::new(partner_authority.signer_valid(
                    "Lapsed Partner",
                    21,
                    "20100101000000Z",
                    "20150101000000Z",
                )),
                stranger: Arc::new(Authority::root("Nobody's Root").signer("Stranger", 30)),
                vmware_root,
                vmware_authority,
                partner_root,
                partner_authority,
            }
        })
    }
}

/// A key of RSA-2048 and its certificate, of an issuer or of itself.
fn certified(
    name: &str,
    issuer: Option<&Authority>,
    authority: bool,
    valid: (&str, &str),
    serial: u32,
) -> (PKey<Private>, X509) {
    let usage = match authority {
        true => KeyUsage::new().critical().key_cert_sign().crl_sign().build(),
        false => KeyUsage::new().critical().digital_signature().build(),
    };
    let constraints = authority.then(|| BasicConstraints::new().critical().ca().build().unwrap());
    certified_as(name, issuer, [constraints, Some(usage.unwrap())], MessageDigest::sha256(), valid, serial)
}

/// The same with these extensions, signed with this digest.
fn certified_as(
    name: &str,
    issuer: Option<&Authority>,
    extensions: [Option<X509Extension>; 2],
    digest: MessageDigest,
    valid: (&str, &str),
    serial: u32,
) -> (PKey<Private>, X509) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    certificate.set_serial_number(&number(serial)).unwrap();
    certificate.set_subject_name(&subject).unwrap();
    certificate.set_issuer_name(issuer.map_or(&*subject, |issuer| issuer.certificate.subject_name())).unwrap();
    certificate.set_not_before(&time(valid.0)).unwrap();
    certificate.set_not_after(&time(valid.1)).unwrap();
    certificate.set_pubkey(&key).unwrap();
    for extension in extensions.into_iter().flatten() {
        certificate.append_extension(extension).unwrap();
    }
    let context = certificate.x509v3_context(issuer.map(|issuer| &*issuer.certificate), None);
    let own = SubjectKeyIdentifier::new().build(&context).unwrap();
    certificate.append_extension(own).unwrap();
    if issuer.is_some() {
        let context = certificate.x509v3_context(issuer.map(|issuer| &*issuer.certificate), None);
        let theirs = AuthorityKeyIdentifier::new().keyid(true).build(&context).unwrap();
        certificate.append_extension(theirs).unwrap();
    }
    certificate.sign(issuer.map_or(&key, |issuer| &issuer.key), digest).unwrap();
    (key, certificate.build())
}

/// The extension with the number of a list of revocations, 1.
fn list_number() -> X509Extension {
    let kind = Asn1Object::from_str("2.5.29.20").unwrap();
    X509Extension::new_from_der(&kind, false, &Asn1OctetString::new_from_bytes(&[2, 1, 1]).unwrap()).unwrap()
}

fn time(text: &str) -> Asn1Time {
    Asn1Time::from_str(text).unwrap()
}

fn number(value: u32) -> Asn1Integer {
    Asn1Integer::from_bn(&BigNum::from_u32(value).unwrap()).unwrap()
}
