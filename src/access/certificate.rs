//! The certificate of a caller: what it says of who that is.

use std::fmt;

use chrono::{DateTime, TimeZone, Utc};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::x509::X509Ref;

use super::der::{self, CONTEXT_0, CONTEXT_3, Elements, OBJECT_IDENTIFIER, SEQUENCE};
use super::distinguished_name;
use super::{Identity, IdentityKind};
use crate::hexadecimal;

/// How many alternative names are looked at.
const MAX_NAMES: usize = 64;
/// The subject's alternative names (RFC 5280 4.2.1.6).
const SUBJECT_ALT_NAME: &str = "2.5.29.17";
/// Windows' user principal name among them.
const USER_PRINCIPAL_NAME: &str = "1.3.6.1.4.1.311.20.2.3";

/// A certificate whose owner, who has its key, is at the other end of a connection.
#[derive(Debug)]
pub struct PeerCertificate {
    /// Its thumbprints, SHA-256 first.
    thumbprints: [Identity; 2],
    /// What counts only where somebody vouches for it: its subject and its alternative names.
    names: Vec<Identity>,
    is_vouched_for: bool,
    valid_from: DateTime<Utc>,
    valid_until: DateTime<Utc>,
}

impl PeerCertificate {
    /// Reads a certificate; `is_vouched_for` tells whether an authority that is trusted with clients issued it.
    pub fn new(certificate: &X509Ref, is_vouched_for: bool) -> Result<Self, ErrorStack> {
        Ok(Self {
            thumbprints: [
                thumbprint(certificate, MessageDigest::sha256())?,
                thumbprint(certificate, MessageDigest::sha1())?,
            ],
            names: names(&certificate.to_der()?),
            is_vouched_for,
            valid_from: time(certificate.not_before())?,
            valid_until: time(certificate.not_after())?,
        })
    }

    /// Its SHA-256, by which it is told from all others.
    pub fn thumbprint(&self) -> &Identity {
        let [sha256, _] = &self.thumbprints;
        sha256
    }

    /// Whether an authority that is trusted with clients issued it.
    pub fn is_vouched_for(&self) -> bool {
        self.is_vouched_for
    }

    /// Whether it holds at that time.
    pub fn holds_at(&self, now: DateTime<Utc>) -> bool {
        (self.valid_from..=self.valid_until).contains(&now)
    }

    /// All that it says, whoever vouches for it.
    pub fn says(&self) -> impl Iterator<Item = &Identity> {
        self.thumbprints.iter().chain(&self.names)
    }

    /// What of it may mean a user: names only if somebody vouches for them, since anybody can write any into a certificate.
    pub fn proves(&self) -> impl Iterator<Item = &Identity> {
        self.thumbprints.iter().chain(self.names.iter().filter(|_| self.is_vouched_for))
    }
}

/// For those who are to find its owner: what it says of itself.
impl fmt::Display for PeerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.thumbprint())?;
        self.names.iter().try_for_each(|name| write!(f, ", {name}"))
    }
}

fn thumbprint(certificate: &X509Ref, digest: MessageDigest) -> Result<Identity, ErrorStack> {
    let digits = hexadecimal::written(&certificate.digest(digest)?);
    // Digits of a digest are always a thumbprint; the error stack is empty.
    Identity::new(IdentityKind::Thumbprint, &digits).map_err(|_| ErrorStack::get())
}

fn time(time: &Asn1TimeRef) -> Result<DateTime<Utc>, ErrorStack> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    Ok(Utc.timestamp_opt(seconds, 0).single().unwrap_or(DateTime::UNIX_EPOCH))
}

/// The subject and the alternative names. What is no identity, such as an empty subject, is left out.
fn names(certificate: &[u8]) -> Vec<Identity> {
    let Some(body) = body(certificate) else { return Vec::new() };
    let subject = subject(body).and_then(distinguished_name::text);
    let subject = subject.and_then(|text| Identity::new(IdentityKind::Subject, &text).ok());
    subject.into_iter().chain(alternative_names(body).into_iter().flatten()).collect()
}

/// The part that is signed (RFC 5280 4.1).
fn body(certificate: &[u8]) -> Option<&[u8]> {
    Elements(Elements(certificate).next()?.of(SEQUENCE)?).next()?.of(SEQUENCE)
}

/// Version, serial number, algorithm, issuer and validity stand before the subject; the first may be left out.
fn subject(body: &[u8]) -> Option<&[u8]> {
    Some(Elements(body).skip_while(|element| element.tag == CONTEXT_0).nth(4)?.whole)
}

fn alternative_names(body: &[u8]) -> Option<Vec<Identity>> {
    let extensions = Elements(body).find_map(|element| element.of(CONTEXT_3))?;
    let found = Elements(Elements(extensions).next()?.of(SEQUENCE)?).find_map(|extension| {
        let extension = extension.of(SEQUENCE)?;
        let name = der::dotted(Elements(extension).next()?.of(OBJECT_IDENTIFIER)?)?;
        // Whether it is critical may stand before the value.
        (name == SUBJECT_ALT_NAME).then(|| Elements(extension).last())?
    })?;
    let names = Elements(Elements(found.content).next()?.of(SEQUENCE)?);
    Some(names.take(MAX_NAMES).filter_map(alternative_name).collect())
}

fn alternative_name(name: der::Element<'_>) -> Option<Identity> {
    const EMAIL: u8 = 0x81;
    const DNS: u8 = 0x82;
    let (kind, text) = match name.tag {
        EMAIL => (IdentityKind::Email, name.content),
        DNS => (IdentityKind::Dns, name.content),
        CONTEXT_0 => (IdentityKind::Upn, user_principal_name(name.content)?),
        _ => return None,
    };
    Identity::new(kind, std::str::from_utf8(text).ok()?).ok()
}

fn user_principal_name(other_name: &[u8]) -> Option<&[u8]> {
    const UTF8_STRING: u8 = 0x0c;
    let mut elements = Elements(other_name);
    let kind = der::dotted(elements.next()?.of(OBJECT_IDENTIFIER)?)?;
    let value = elements.next()?.of(CONTEXT_0)?;
    if kind == USER_PRINCIPAL_NAME { Elements(value).next()?.of(UTF8_STRING) } else { None }
}

#[cfg(test)]
mod tests {
    use openssl::pkey::PKey;
    use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
    use openssl::x509::{X509, X509NameBuilder};

    use super::*;

    /// A UPN's text in DER, as it lies in the alternative name.
    fn utf8(text: &str) -> Vec<u8> {
        [&[0x0c, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
    }

    fn certificate() -> X509 {
        let key = PKey::generate_ed25519().unwrap();
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_text("O", "Example").unwrap();
        subject.append_entry_by_text("CN", "ann").unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&subject.build()).unwrap();
        builder.set_not_before(&Asn1Time::from_unix(1_000_000).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::from_unix(5_000_000_000).unwrap()).unwrap();
        builder.set_pubkey(&key).unwrap();
        let upn = openssl::asn1::Asn1Object::from_str(USER_PRINCIPAL_NAME).unwrap();
        let mut names = SubjectAlternativeName::new();
        names
            .critical()
            .dns("Ann.example.org")
            .email("ann@Example.org")
            .ip("192.0.2.1")
            .other_name2(upn, &utf8("Ann@CORP"));
        let names = names.build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(BasicConstraints::new().build().unwrap()).unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&key, MessageDigest::null()).unwrap();
        builder.build()
    }

    #[test]
    fn a_certificate_says_its_thumbprints_its_subject_and_its_names() {
        let read = PeerCertificate::new(&certificate(), true).unwrap();
        let said: Vec<_> = read.says().skip(2).map(ToString::to_string).collect();
        let expected = ["subject:CN=ann,O=Example", "dns:ann.example.org", "email:ann@example.org", "upn:ann@corp"];
        assert_eq!(said, expected);
        assert_eq!(read.proves().count(), read.says().count());
        let lengths: Vec<_> = read.says().take(2).map(|thumbprint| thumbprint.value().len()).collect();
        assert_eq!(lengths, [64, 40]);
    }

    #[test]
    fn names_that_nobody_vouches_for_prove_nothing() {
        let read = PeerCertificate::new(&certificate(), false).unwrap();
        assert!(read.proves().all(|identity| identity.kind() == IdentityKind::Thumbprint) && read.says().count() == 6);
    }

    #[test]
    fn a_certificate_holds_from_and_until_what_it_says() {
        let read = PeerCertificate::new(&certificate(), true).unwrap();
        let at = |seconds| read.holds_at(Utc.timestamp_opt(seconds, 0).unwrap());
        assert_eq!([999_999, 1_000_000, 5_000_000_000, 5_000_000_001].map(at), [false, true, true, false]);
    }

    #[test]
    fn what_is_cut_off_has_no_names() {
        let der = certificate().to_der().unwrap();
        for length in 0..der.len() {
            let _ = names(&der[..length]);
        }
        assert!(names(&[]).is_empty());
    }
}
