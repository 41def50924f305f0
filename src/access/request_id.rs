//! What a request is called: in its reply, in the log, and in the audit log.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a request is called. The service gives the name; whatever a client calls it is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId {
    /// Drawn when the process started, so that requests of different processes are told apart.
    process: u32,
    number: u64,
}

impl RequestId {
    /// The next request's.
    pub fn next() -> Self {
        static PROCESS: LazyLock<u32> = LazyLock::new(|| {
            let mut octets = [0; 4];
            // Without random numbers the process cannot serve TLS either.
            openssl::rand::rand_bytes(&mut octets).map_or_else(|_| std::process::id(), |()| u32::from_be_bytes(octets))
        });
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { process: *PROCESS, number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.process, self.number)
    }
}

impl FromStr for RequestId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (process, number) = text.split_once('-').unwrap_or((text, ""));
        Ok(Self { process: u32::from_str_radix(process, 16)?, number: number.parse()? })
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_requests_are_called_the_same_and_names_are_read_back() {
        let (one, two) = (RequestId::next(), RequestId::next());
        assert_ne!(one, two);
        assert_eq!(one.process, two.process);
        assert_eq!(serde_json::from_str::<RequestId>(&serde_json::to_string(&one).unwrap()).unwrap(), one);
        for text in ["", "1", "-1", "g-1", "1-", "1-x"] {
            assert!(text.parse::<RequestId>().is_err(), "{text}");
        }
    }
}
