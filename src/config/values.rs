//! Values with rules of their own. What breaks a rule is refused while the file is read, so the error knows its line.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use tracing_subscriber::EnvFilter;

/// Directives of `tracing-subscriber`'s `EnvFilter`.
pub(super) fn log_directives<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let directives = String::deserialize(deserializer)?;
    match EnvFilter::try_new(&directives) {
        Ok(_) => Ok(directives),
        Err(error) => Err(D::Error::custom(format!("{directives:?} does not say what is logged: {error}"))),
    }
}

/// The package engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The one whose database the root holds.
    Auto,
    /// dpkg and apt.
    Deb,
    /// rpm and dnf.
    Rpm,
    /// No managed host.
    None,
}

impl Engine {
    /// The word of settings and the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::None => "none",
        }
    }
}

/// How far whoever made a VIB must vouch for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum AcceptanceLevel {
    /// Not at all.
    Community,
    /// A partner signed it.
    Partner,
    /// A partner tested it, VMware accepted and signed it.
    Accepted,
    /// VMware certified and signed it.
    Certified,
}

impl AcceptanceLevel {
    /// The word of settings and the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Community => "community",
            Self::Partner => "partner",
            Self::Accepted => "accepted",
            Self::Certified => "certified",
        }
    }
}

/// The HTTP status of SOAP faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultStatus {
    /// 500 for every fault, as most clients expect.
    Always500,
    /// 400 for faults of the sender, 500 for those of the receiver (DSP0226 RC.2-9).
    Dsp0226,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// As a JSON object.
    Json,
}

/// A destination that is allowed besides those that are allowed anyway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// All addresses whose first `prefix` bits are those of `address`.
    Network {
        /// The address.
        address: IpAddr,
        /// How many bits count.
        prefix: u8,
    },
    /// A host by its name.
    Host(String),
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        if let Ok(address) = address.parse::<IpAddr>() {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            let prefix = prefix.map_or(Ok(bits), str::parse).ok().filter(|&prefix| prefix <= bits);
            return match prefix {
                Some(prefix) => Ok(Self::Network { address, prefix }),
                None => Err(format!("{text:?} is no network: the number after the slash goes from 0 to {bits}")),
            };
        }
        let label = |label: &str| {
            !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if text.len() <= 253 && text.split('.').all(label) {
            return Ok(Self::Host(text.to_ascii_lowercase()));
        }
        Err(format!("{text:?} is neither an address, nor a network such as 10.0.0.0/8, nor a host name"))
    }
}

impl<'de> Deserialize<'de> for Allowed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Error::custom)
    }
}

/// A whole number from `LOW` to `HIGH`.
pub(super) fn number<'de, D, T, const LOW: u64, const HIGH: u64>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let value = i64::deserialize(deserializer)?;
    u64::try_from(value)
        .ok()
        .filter(|value| (LOW..=HIGH).contains(value))
        .and_then(|value| T::try_from(value).ok())
        .ok_or_else(|| Error::custom(format!("{value} is out of range: it goes from {LOW} to {HIGH}")))
}

/// A number of seconds from `LOW` to `HIGH`.
pub(super) fn seconds<'de, D, const LOW: u64, const HIGH: u64>(deserializer: D) -> Result<Duration, D::Error>
where
    D: Deserializer<'de>,
{
    number::<D, u64, LOW, HIGH>(deserializer).map(Duration::from_secs)
}

/// A proxy: `http://`, a host, and perhaps a port.
pub(super) fn proxy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let authority = text.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let (host, port) = authority.map_or(("", ""), |authority| authority.rsplit_once(':').unwrap_or((authority, "80")));
    let is_host = !host.is_empty() && matches!(host.parse(), Ok(Allowed::Host(_) | Allowed::Network { .. }));
    if is_host && !host.contains('/') && port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Ok(Some(text));
    }
    if authority.is_some_and(|authority| authority.contains('@')) {
        let text = "a proxy is named without user name and password: give them by proxy_user and proxy_password_file";
        return Err(Error::custom(text));
    }
    Err(Error::custom(format!("{text:?} is no proxy such as \"http://proxy.example.com:3128\"")))
}

/// Hosts that are reached without a proxy, each as [`Allowed`] has them, or a domain behind a dot.
pub(super) fn unproxied<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let entries = Vec::<String>::deserialize(deserializer)?;
    let is_known = |entry: &String| match entry.strip_prefix('.') {
        Some(domain) => matches!(domain.parse(), Ok(Allowed::Host(_))),
        None => entry.parse::<Allowed>().is_ok(),
    };
    match entries.iter().find(|entry| !is_known(entry)) {
        None => Ok(entries),
        Some(entry) => Err(Error::custom(format!(
            "{entry:?} is neither a host name, a domain such as \".example.com\", an address nor a network such as 10.0.0.0/8"
        ))),
    }
}

/// A name of a CIM class: schema, underscore, name.
pub(super) fn class_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let fits = name.len() <= 256
        && name.split_once('_').is_some_and(|(schema, rest)| word(schema) && word(rest))
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if fits { Ok(name) } else { Err(Error::custom(format!("{name:?} is no class name such as \"PG_ComputerSystem\""))) }
}
