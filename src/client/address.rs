//! Which addresses may be connected to.
//!
//! Subscribers name the sinks, so the rules keep them from using this service to reach what only it can reach.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What may be connected to. Ask about resolved addresses only; a name says nothing.
#[derive(Clone, Debug)]
pub struct AddressRules {
    loopback: bool,
    networks: Vec<Network>,
    hosts: Vec<String>,
}

/// An address that the rules forbid. Its message goes to the peer who named the host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address of {host} is {kind}, which this service does not connect to unless its operator allows it")]
pub struct Forbidden {
    /// The host as it was named.
    pub host: String,
    /// What kind of address it is.
    pub kind: AddressKind,
}

/// A kind of address that is forbidden unless it is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressKind {
    /// This host.
    Loopback,
    /// No address at all.
    Unspecified,
    /// Reached without a router, where metadata services live.
    LinkLocal,
    /// Where cloud providers serve credentials.
    Metadata,
    /// A group of hosts.
    Multicast,
    /// All hosts, or an address that is reserved.
    Reserved,
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::Unspecified => "unspecified",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the address of a metadata service",
            Self::Multicast => "a multicast address",
            Self::Reserved => "a reserved or broadcast address",
        })
    }
}

/// An entry of the allow list that is neither host nor network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a host, an address nor a network such as 10.0.0.0/8")]
pub struct AddressRuleError(pub String);

impl AddressRules {
    /// The default rules; `loopback` is allowed while this service itself listens on loopback only.
    pub fn new(loopback: bool) -> Self {
        Self { loopback, networks: Vec::new(), hosts: Vec::new() }
    }

    /// No rules: for whoever names the peers himself and runs this with rights of his own.
    pub fn anywhere() -> Self {
        let networks = [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()];
        let networks = networks.into_iter().map(|base| Network { base, prefix: 0 }).collect();
        Self { loopback: true, networks, hosts: Vec::new() }
    }

    /// Allows what an operator lists: a network (`169.254.7.0/24`), an address, or a host by name, whatever its addresses.
    pub fn allow(mut self, entry: &str) -> Result<Self, AddressRuleError> {
        if let Ok(network) = entry.parse() {
            self.networks.push(network);
            return Ok(self);
        }
        self.hosts.push(host_name(entry).ok_or_else(|| AddressRuleError(entry.to_owned()))?);
        Ok(self)
    }

    /// Whether `address`, which `host` has now, may be connected to.
    pub fn check(&self, host: &str, address: IpAddr) -> Result<(), Forbidden> {
        let address = embedded_ipv4(address).map_or(address, IpAddr::V4);
        let Some(kind) = forbidden_kind(address) else { return Ok(()) };
        let allowed = (self.loopback && kind == AddressKind::Loopback)
            || self.networks.iter().any(|n| n.contains(address))
            || self.hosts.iter().any(|h| h.eq_ignore_ascii_case(host.trim_end_matches('.')));
        if allowed { Ok(()) } else { Err(Forbidden { host: host.to_owned(), kind }) }
    }
}

/// A host's name as it is compared; `None` if it can be none.
pub(super) fn host_name(text: &str) -> Option<String> {
    let is_name = text.len() <= 253
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    is_name.then(|| text.trim_end_matches('.').to_ascii_lowercase())
}

fn forbidden_kind(address: IpAddr) -> Option<AddressKind> {
    match address {
        IpAddr::V4(v4) => forbidden_ipv4(v4),
        IpAddr::V6(v6) => forbidden_ipv6(v6),
    }
}

/// Metadata services outside the link-local networks: Alibaba, Azure, Oracle.
const METADATA_IPV4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
/// Amazon's and Google's metadata services over IPv6.
const METADATA_IPV6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

fn forbidden_ipv4(address: Ipv4Addr) -> Option<AddressKind> {
    let [first, ..] = address.octets();
    match first {
        0 => Some(AddressKind::Unspecified),
        127 => Some(AddressKind::Loopback),
        240.. => Some(AddressKind::Reserved),
        _ if address.is_multicast() => Some(AddressKind::Multicast),
        _ if address == Ipv4Addr::new(169, 254, 169, 254) || METADATA_IPV4.contains(&address) => {
            Some(AddressKind::Metadata)
        }
        _ if address.is_link_local() => Some(AddressKind::LinkLocal),
        _ => None,
    }
}

fn forbidden_ipv6(address: Ipv6Addr) -> Option<AddressKind> {
    let [first, ..] = address.segments();
    match first {
        _ if address.is_unspecified() => Some(AddressKind::Unspecified),
        _ if address.is_loopback() => Some(AddressKind::Loopback),
        _ if METADATA_IPV6.contains(&address) => Some(AddressKind::Metadata),
        0xfe80..=0xfeff => Some(AddressKind::LinkLocal),
        0xff00.. => Some(AddressKind::Multicast),
        _ => None,
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64 (RFC 6052) or 6to4 (RFC 3056).
fn embedded_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let joined = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(joined(high, low)),
        [0x2002, high, low, ..] => Some(joined(high, low)),
        _ => None,
    }
}

/// A network in CIDR notation; an address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    base: IpAddr,
    prefix: u32,
}

impl Network {
    pub(super) fn contains(self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let rest = u32::from(base) ^ u32::from(address);
                rest.leading_zeros() >= self.prefix
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let rest = u128::from(base) ^ u128::from(address);
                rest.leading_zeros() >= self.prefix
            }
            _ => false,
        }
    }
}

impl std::str::FromStr for Network {
    type Err = AddressRuleError;

    fn from_str(text: &str) -> Result<Self, AddressRuleError> {
        let refuse = || AddressRuleError(text.to_owned());
        let (base, prefix) = text.split_once('/').map_or((text, None), |(base, prefix)| (base, Some(prefix)));
        let base: IpAddr = base.parse().map_err(|_| refuse())?;
        let longest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse).map_err(|_| refuse())?;
        if prefix > longest { Err(refuse()) } else { Ok(Self { base, prefix }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(rules: &AddressRules, address: &str) -> Result<(), AddressKind> {
        rules.check("sink.example", address.parse().unwrap()).map_err(|f| f.kind)
    }

    #[test]
    fn ordinary_and_private_addresses_are_allowed() {
        let rules = AddressRules::new(false);
        for address in ["10.1.2.3", "192.168.0.9", "172.16.4.4", "93.184.216.34", "2001:db8::1", "fd00::5"] {
            assert_eq!(verdict(&rules, address), Ok(()), "{address}");
        }
    }

    #[test]
    fn dangerous_addresses_are_forbidden_in_every_notation() {
        let rules = AddressRules::new(false);
        let cases = [
            ("127.0.0.1", AddressKind::Loopback),
            ("127.9.9.9", AddressKind::Loopback),
            ("::1", AddressKind::Loopback),
            ("::ffff:127.0.0.1", AddressKind::Loopback),
            ("64:ff9b::7f00:1", AddressKind::Loopback),
            ("2002:7f00:1::", AddressKind::Loopback),
            ("::127.0.0.1", AddressKind::Loopback),
            ("0.0.0.0", AddressKind::Unspecified),
            ("::", AddressKind::Unspecified),
            ("169.254.1.1", AddressKind::LinkLocal),
            ("fe80::1", AddressKind::LinkLocal),
            ("febf::1", AddressKind::LinkLocal),
            ("169.254.169.254", AddressKind::Metadata),
            ("::ffff:169.254.169.254", AddressKind::Metadata),
            ("fd00:ec2::254", AddressKind::Metadata),
            ("100.100.100.200", AddressKind::Metadata),
            ("224.0.0.1", AddressKind::Multicast),
            ("ff02::1", AddressKind::Multicast),
            ("255.255.255.255", AddressKind::Reserved),
            ("240.0.0.1", AddressKind::Reserved),
        ];
        for (address, kind) in cases {
            assert_eq!(verdict(&rules, address), Err(kind), "{address}");
        }
    }

    #[test]
    fn loopback_and_the_allow_list_widen_and_nothing_more() {
        let rules = AddressRules::new(true).allow("169.254.7.0/24").unwrap().allow("Meta.Example.").unwrap();
        assert_eq!(verdict(&rules, "127.0.0.1"), Ok(()));
        assert_eq!(verdict(&rules, "::1"), Ok(()));
        assert_eq!(verdict(&rules, "169.254.7.9"), Ok(()));
        assert_eq!(verdict(&rules, "169.254.8.9"), Err(AddressKind::LinkLocal));
        assert!(rules.check("meta.example", "169.254.169.254".parse().unwrap()).is_ok());
        assert!(rules.check("other.example", "169.254.169.254".parse().unwrap()).is_err());
        let everything = AddressRules::new(false).allow("0.0.0.0/0").unwrap();
        assert_eq!(verdict(&everything, "127.0.0.1"), Ok(()));
        assert_eq!(verdict(&everything, "::1"), Err(AddressKind::Loopback));
    }

    #[test]
    fn without_rules_everything_may_be_connected_to() {
        let rules = AddressRules::anywhere();
        for address in ["127.0.0.1", "::1", "169.254.169.254", "fe80::1", "10.0.0.1", "2001:db8::1"] {
            assert_eq!(verdict(&rules, address), Ok(()), "{address}");
        }
    }

    #[test]
    fn a_bad_entry_is_refused() {
        for entry in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "a b", "10.0.0.0/x", "1234"] {
            assert!(AddressRules::new(false).allow(entry).is_err(), "{entry}");
        }
    }
}
