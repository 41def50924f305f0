//! Certificates that their holder signs, for peers that know one certificate and ask nobody about it.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

/// A certificate for a server with a new key: of the loopback addresses, this name and this address, from now on for so many days.
pub fn self_signed(
    name: &str,
    address: IpAddr,
    now: DateTime<Utc>,
    days: i64,
) -> Result<(X509, PKey<Private>), ErrorStack> {
    let key = new_key()?;
    Ok((sign(&key, name, address, now, days)?, key))
}

fn new_key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

fn sign(key: &PKey<Private>, name: &str, address: IpAddr, now: DateTime<Utc>, days: i64) -> Result<X509, ErrorStack> {
    let mut subject = X509NameBuilder::new()?;
    // A common name has at most 64 characters.
    let common_name: String = name.chars().take(64).collect();
    subject.append_entry_by_nid(Nid::COMMONNAME, &common_name)?;
    let subject = subject.build();
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;

    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    builder.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(&subject)?;
    builder.set_pubkey(key)?;
    // A client's clock may be a little behind.
    builder.set_not_before(Asn1Time::from_unix(now.timestamp() - 3600)?.as_ref())?;
    builder.set_not_after(Asn1Time::from_unix(now.timestamp() + days * 86_400)?.as_ref())?;
    extend(&mut builder, name, address)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

fn extend(builder: &mut X509Builder, name: &str, address: IpAddr) -> Result<(), ErrorStack> {
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    let key_id = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(key_id)?;
    let authority = AuthorityKeyIdentifier::new().keyid(false).build(&builder.x509v3_context(None, None))?;
    builder.append_extension(authority)?;

    let mut names = SubjectAlternativeName::new();
    names.dns("localhost").ip("127.0.0.1").ip("::1");
    let short = name.split('.').next().unwrap_or_default();
    for name in [name, short] {
        if name != "localhost" && is_dns_name(name) {
            names.dns(name);
        }
    }
    if !address.is_loopback() && !address.is_unspecified() {
        names.ip(&address.to_string());
    }
    let names = names.build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names)
}

/// OpenSSL reads the names from a text of its own grammar: only what is surely a name goes in.
fn is_dns_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}
