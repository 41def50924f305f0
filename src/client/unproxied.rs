//! Hosts that are reached without the proxy.

use std::net::IpAddr;
use std::str::FromStr;

use super::address::{Network, host_name};

/// A host, all hosts of a domain, or a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproxied(Hosts);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    /// The host of this name.
    Named(String),
    /// The hosts whose names end so, from the dot on.
    Below(String),
    /// Those that are named by an address of this network; names are not looked up for it.
    Of(Network),
}

/// A text that names no hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a host, a domain such as .example.com, an address nor a network such as 10.0.0.0/8")]
pub struct UnproxiedError(String);

impl FromStr for Unproxied {
    type Err = UnproxiedError;

    fn from_str(text: &str) -> Result<Self, UnproxiedError> {
        let named = |name| host_name(name).ok_or_else(|| UnproxiedError(text.to_owned()));
        Ok(Self(match (text.parse(), text.strip_prefix('.')) {
            (Ok(network), _) => Hosts::Of(network),
            (_, Some(domain)) => Hosts::Below(format!(".{}", named(domain)?)),
            _ => Hosts::Named(named(text)?),
        }))
    }
}

impl Unproxied {
    /// Whether this host is meant, which is named without brackets.
    pub(super) fn means(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        match &self.0 {
            Hosts::Named(name) => *name == host,
            Hosts::Below(domain) => host.ends_with(domain),
            Hosts::Of(network) => host.parse::<IpAddr>().is_ok_and(|address| network.contains(address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_named_alone_by_their_domain_or_by_their_network() {
        let means = |entry: &str, host: &str| entry.parse::<Unproxied>().unwrap().means(host);
        assert!(means("Depot.example.com", "depot.EXAMPLE.com") && means("depot", "depot."));
        assert!(!means("depot.example.com", "a.depot.example.com") && !means("depot.example.com", "depot"));
        assert!(means(".example.com", "depot.example.com") && means(".example.com", "a.b.Example.com."));
        assert!(!means(".example.com", "example.com") && !means(".example.com", "badexample.com"));
        assert!(means("10.0.0.0/8", "10.1.2.3") && means("192.0.2.7", "192.0.2.7") && means("fd00::/8", "fd00::1"));
        assert!(!means("10.0.0.0/8", "11.1.2.3") && !means("10.0.0.0/8", "ten.example.com"));
    }

    #[test]
    fn what_names_no_hosts_is_told() {
        for text in ["", ".", "*", "http://a", "10.0.0.0/33", "..example.com", "a b", "*.example.com"] {
            let error = text.parse::<Unproxied>().unwrap_err();
            assert!(error.to_string().contains("is neither a host"), "{text}");
        }
    }
}
