//! `[auth]`: how callers prove who they are.

use std::path::PathBuf;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::values::{number, seconds};

/// `[auth]`: authentication.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// How long a right password is remembered after its last use; 0 hashes it at every request.
    #[serde(rename = "cache_seconds", deserialize_with = "seconds::<_, 0, 3600>")]
    pub cache: Duration,
    /// The memory that the hash of a password takes, in MiB.
    #[serde(deserialize_with = "number::<_, _, 1, 1024>")]
    pub hash_mebibytes: u32,
    /// The algorithms that digests of passwords are offered with, in this order; none offers no digests.
    pub digest: Vec<DigestAlgorithm>,
    /// The file with the keys of the services of this host in its Kerberos realm; `None` takes no tickets.
    #[serde(deserialize_with = "keytab")]
    pub kerberos_keytab: Option<PathBuf>,
    /// The realms whose principals are the users of the same names.
    #[serde(deserialize_with = "realms")]
    pub kerberos_realms: Vec<String>,
    /// What is asked of tickets that come over TLS.
    pub kerberos_channel_bindings: ChannelBindings,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            cache: Duration::from_secs(60),
            hash_mebibytes: 19,
            digest: Vec::new(),
            kerberos_keytab: None,
            kerberos_realms: Vec::new(),
            kerberos_channel_bindings: ChannelBindings::Checked,
        }
    }
}

/// How a digest of a password is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum DigestAlgorithm {
    /// SHA-256.
    #[serde(rename = "SHA-256")]
    Sha256,
    /// MD5, for clients that know no other.
    #[serde(rename = "MD5")]
    Md5,
}

/// What a Kerberos ticket must say of the TLS connection that it comes over (RFC 5929 `tls-server-end-point`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelBindings {
    /// It may say nothing; what it says must be right.
    Checked,
    /// It must say it.
    Required,
}

/// The path of a keytab, in a program that can use one.
fn keytab<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let file = PathBuf::deserialize(deserializer)?;
    if !cfg!(feature = "kerberos") {
        return Err(Error::custom("this program was built without Kerberos: build it with the feature kerberos"));
    }
    if file.is_absolute() { Ok(Some(file)) } else { Err(Error::custom(format!("{file:?} is no absolute path"))) }
}

/// Names of Kerberos realms. They differ in upper and lower case.
fn realms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let realms = Vec::<String>::deserialize(deserializer)?;
    let is_realm = |realm: &str| {
        let is_sign = |b: u8| b.is_ascii_graphic() && !matches!(b, b'/' | b':' | b'@' | b'\\');
        (1..=255).contains(&realm.len()) && realm.bytes().all(is_sign)
    };
    match realms.iter().find(|realm| !is_realm(realm)) {
        None => Ok(realms),
        Some(realm) => Err(Error::custom(format!("{realm:?} is no Kerberos realm such as \"EXAMPLE.ORG\""))),
    }
}
