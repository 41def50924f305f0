//! What a signature says of those who made it, and the certificates that it has: what OpenSSL's own reader does not tell.

use openssl::bn::BigNum;
use openssl::x509::{X509, X509Name, X509Ref};

/// The tags of DER that stand in a signature.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT: u8 = 0x06;
/// The tags of what may be missing or is marked by its place: the first one as a value, and the first one with parts.
const FIRST_VALUE: u8 = 0x80;
const FIRST_PARTS: u8 = 0xA0;

/// The digests that are taken: SHA-256, SHA-384 and SHA-512 (`2.16.840.1.101.3.4.2.1` to `.3`).
const DIGESTS: [&[u8]; 3] = [
    &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
    &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02],
    &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03],
];

/// Who signed, as the signature names its certificates, and the certificates that came with it.
#[derive(Debug)]
pub(super) struct Signers<'d> {
    pub(super) signers: Vec<SignerInfo<'d>>,
    pub(super) certificates: Vec<X509>,
}

/// One who signed.
#[derive(Debug)]
pub(super) struct SignerInfo<'d> {
    of: Identifier<'d>,
    digest: &'d [u8],
}

/// How a certificate is named.
#[derive(Debug)]
enum Identifier<'d> {
    /// By who issued it, and by its serial number.
    Issued { issuer: &'d [u8], serial: &'d [u8] },
    /// By the identifier of its key.
    Key(&'d [u8]),
}

impl<'d> Signers<'d> {
    /// Reads the DER of signed data (RFC 5652, 5.1); `None` if it is something else.
    pub(super) fn read(der: &'d [u8]) -> Option<Self> {
        let mut info = Parts(der).inside(SEQUENCE)?;
        info.value(OBJECT)?;
        let mut signed = info.inside(FIRST_PARTS)?.inside(SEQUENCE)?;
        signed.value(INTEGER)?;
        signed.value(SET)?;
        signed.value(SEQUENCE)?;
        let certificates = signed.inside(FIRST_PARTS).map_or(Some(Vec::new()), Parts::certificates)?;
        // Lists of revocations that a signature brings are not looked at.
        let _ = signed.value(FIRST_PARTS + 1);
        let mut infos = signed.inside(SET)?;
        let mut signers = Vec::new();
        while !infos.0.is_empty() {
            signers.push(infos.inside(SEQUENCE)?.signer()?);
        }
        Some(Self { signers, certificates })
    }
}

impl SignerInfo<'_> {
    /// Whether the digest that was signed is one that nobody finds other octets for.
    pub(super) fn is_strong(&self) -> bool {
        DIGESTS.contains(&self.digest)
    }

    /// Whether this is the certificate of who signed.
    pub(super) fn is_of(&self, certificate: &X509Ref) -> bool {
        match self.of {
            Identifier::Key(key) => certificate.subject_key_id().is_some_and(|own| own.as_slice() == key),
            Identifier::Issued { issuer, serial } => {
                let issuer = X509Name::from_der(issuer);
                let is_issuer =
                    |issuer: X509Name| issuer.try_cmp(certificate.issuer_name()).is_ok_and(|order| order.is_eq());
                let own = certificate.serial_number().to_bn();
                let is_number = |own: BigNum| BigNum::from_slice(serial).is_ok_and(|serial| serial == own);
                issuer.is_ok_and(is_issuer) && own.is_ok_and(is_number)
            }
        }
    }
}

/// The rest of some parts that follow each other.
#[derive(Clone, Copy, Debug)]
struct Parts<'d>(&'d [u8]);

impl<'d> Parts<'d> {
    /// The next part, if it has this tag: the whole of it, and what is in it.
    fn next(&mut self, wanted: u8) -> Option<(&'d [u8], &'d [u8])> {
        let (_, rest) = self.0.split_first().filter(|(tag, _)| **tag == wanted)?;
        let (first, mut rest) = rest.split_first()?;
        let mut length = usize::from(*first);
        if *first >= 0x80 {
            let (digits, content) =
                rest.split_at_checked(usize::from(*first & 0x7F)).filter(|(digits, _)| digits.len() < 5)?;
            length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            rest = content;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - rest.len())?;
        self.0 = rest;
        Some((whole, content))
    }

    /// What is in the next part, if it has this tag.
    fn value(&mut self, tag: u8) -> Option<&'d [u8]> {
        self.next(tag).map(|(_, content)| content)
    }

    /// The parts of the next part, if it has this tag.
    fn inside(&mut self, tag: u8) -> Option<Self> {
        self.value(tag).map(Self)
    }

    /// All of these that are certificates; older kinds stand under other tags.
    fn certificates(mut self) -> Option<Vec<X509>> {
        let mut found = Vec::new();
        while let Some(tag) = self.0.first().copied() {
            let (whole, _) = self.next(tag)?;
            if tag == SEQUENCE {
                found.push(X509::from_der(whole).ok()?);
            }
        }
        Some(found)
    }

    /// The one who signed that these parts are of.
    fn signer(mut self) -> Option<SignerInfo<'d>> {
        self.value(INTEGER)?;
        let of = match self.inside(SEQUENCE) {
            Some(mut issued) => {
                let (issuer, _) = issued.next(SEQUENCE)?;
                Identifier::Issued { issuer, serial: issued.value(INTEGER)? }
            }
            None => Identifier::Key(self.value(FIRST_VALUE)?),
        };
        let digest = self.inside(SEQUENCE)?.value(OBJECT)?;
        Some(SignerInfo { of, digest })
    }
}
