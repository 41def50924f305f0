//! The hosts that a person at a console gives names to, and groups of them: `hosts.toml`.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ConfigError, invalid};

/// How deeply groups may hold groups.
const DEEPEST: usize = 8;
/// How many hosts one word may stand for.
const MOST: usize = 10_000;

/// The hosts that have names, the groups, and what holds for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NamedHosts {
    /// What holds for every host that says nothing else.
    #[serde(rename = "default")]
    pub common: HostSettings,
    /// The hosts by their names.
    pub hosts: BTreeMap<String, HostSettings>,
    /// Groups by their names: hosts, addresses and other groups.
    pub groups: BTreeMap<String, Vec<String>>,
    /// Where hosts deliver what happens, if they can reach this machine.
    pub listener: Option<ListenerSettings>,
}

/// Where and how this machine listens to what hosts tell.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerSettings {
    /// The address and the port; port 0 is a free one.
    pub address: SocketAddr,
    /// What hosts call this machine, a host with or without a port; an address that they can reach if it is not given.
    pub name: Option<String>,
    /// A certificate (PEM) that the hosts trust; one is made if it is not given.
    pub certificate: Option<PathBuf>,
    /// Its key (PEM).
    pub key: Option<PathBuf>,
    /// Whether deliveries come without encryption.
    #[serde(default)]
    pub unencrypted: bool,
}

impl ListenerSettings {
    /// An address, and everything else as it is by default.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, name: None, certificate: None, key: None, unencrypted: false }
    }
}

/// How one host is talked to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostSettings {
    /// `HOST`, `HOST:PORT` or a URL; the name itself if it is not given.
    pub address: Option<String>,
    /// Who one is to the host.
    pub user: Option<String>,
    /// The file that holds the password in its first line.
    pub password_file: Option<PathBuf>,
    /// Whether digests are sent in place of the password.
    pub digest: Option<bool>,
    /// Whether Kerberos tickets are shown in place of a name and a password.
    pub negotiate: Option<bool>,
    /// One's certificate (PEM).
    pub certificate: Option<PathBuf>,
    /// Its key (PEM).
    pub key: Option<PathBuf>,
    /// The certificate authorities (PEM) that vouch for the host.
    pub cacert: Option<PathBuf>,
    /// The SHA-256 of the host's certificate.
    pub fingerprint: Option<String>,
}

/// What a word cannot stand for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// Groups hold each other in a circle, or too deeply.
    #[error("the group {0:?} holds groups that hold groups and so on, more than {DEEPEST} deep")]
    TooDeep(String),
    /// The group stands for too many.
    #[error("the group {0:?} stands for more than {MOST} hosts")]
    TooMany(String),
}

impl NamedHosts {
    /// Reads the file, which need not be there.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(&text, file),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read { file: file.to_owned(), source }),
        }
    }

    /// Reads it from a text; `file` is what errors call it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| invalid(&error, text, file))
    }

    /// The hosts that a word stands for: those of a group, or the word itself. Nobody is there twice.
    pub fn meant<'a>(&'a self, word: &'a str) -> Result<Vec<&'a str>, GroupError> {
        let mut found = Vec::new();
        self.collect(word, 0, &mut found)?;
        Ok(found)
    }

    /// How a host is talked to, by its name or by its address.
    pub fn settings(&self, host: &str) -> HostSettings {
        let own = self.hosts.get(host).cloned().unwrap_or_default();
        let common = &self.common;
        // A certificate and its key, and the ways to know a host, belong together.
        let identity = if own.certificate.is_some() || own.key.is_some() { &own } else { common };
        let trust = if own.cacert.is_some() || own.fingerprint.is_some() { &own } else { common };
        HostSettings {
            certificate: identity.certificate.clone(),
            key: identity.key.clone(),
            cacert: trust.cacert.clone(),
            fingerprint: trust.fingerprint.clone(),
            user: own.user.clone().or_else(|| common.user.clone()),
            password_file: own.password_file.clone().or_else(|| common.password_file.clone()),
            digest: own.digest.or(common.digest),
            negotiate: own.negotiate.or(common.negotiate),
            address: own.address,
        }
    }

    fn collect<'a>(&'a self, word: &'a str, depth: usize, found: &mut Vec<&'a str>) -> Result<(), GroupError> {
        let Some(members) = self.groups.get(word).filter(|_| !self.hosts.contains_key(word)) else {
            if !found.contains(&word) {
                found.push(word);
            }
            return if found.len() > MOST { Err(GroupError::TooMany(word.to_owned())) } else { Ok(()) };
        };
        if depth >= DEEPEST {
            return Err(GroupError::TooDeep(word.to_owned()));
        }
        members.iter().try_for_each(|member| self.collect(member, depth + 1, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [default]
        user = "ann"
        cacert = "/ca.pem"

        [hosts.web1]
        address = "web1.example.com:8443"
        user = "ops"

        [hosts.db]
        fingerprint = "ab"
        digest = true

        [listener]
        address = "[::]:0"
        name = "desk.example.com"

        [groups]
        web = ["web1", "web2", "10.0.0.7"]
        all = ["web", "db", "web1"]
        round = ["round"]
        web1 = ["somebody else"]
    "#;

    fn named() -> NamedHosts {
        NamedHosts::parse(TEXT, Path::new("hosts.toml")).unwrap()
    }

    #[test]
    fn a_word_stands_for_a_group_or_for_itself() {
        let named = named();
        assert_eq!(named.meant("all").unwrap(), ["web1", "web2", "10.0.0.7", "db"]);
        let listener = ListenerSettings::at("[::]:0".parse().unwrap());
        assert_eq!(named.listener, Some(ListenerSettings { name: Some("desk.example.com".to_owned()), ..listener }));
        assert_eq!(named.meant("web1").unwrap(), ["web1"], "a host goes before a group of its name");
        assert_eq!(named.meant("elsewhere").unwrap(), ["elsewhere"]);
        assert_eq!(named.meant("round"), Err(GroupError::TooDeep("round".to_owned())));
    }

    #[test]
    fn what_a_host_does_not_say_holds_for_all() {
        let named = named();
        let web1 = named.settings("web1");
        assert_eq!((web1.user.as_deref(), web1.cacert.as_deref()), (Some("ops"), Some(Path::new("/ca.pem"))));
        assert_eq!(web1.address.as_deref(), Some("web1.example.com:8443"));
        let db = named.settings("db");
        assert_eq!((db.user.as_deref(), db.cacert, db.fingerprint.as_deref()), (Some("ann"), None, Some("ab")));
        assert_eq!(named.settings("elsewhere").user.as_deref(), Some("ann"));
    }

    #[test]
    fn what_nobody_knows_is_an_error_with_its_line() {
        let wrong = NamedHosts::parse("[hosts.a]\nport = 1\n", Path::new("hosts.toml")).unwrap_err().to_string();
        assert!(wrong.starts_with("hosts.toml, line 2:") && wrong.contains("port"), "{wrong}");
        assert_eq!(NamedHosts::load(Path::new("/no/such/file")).unwrap(), NamedHosts::default());
    }
}
