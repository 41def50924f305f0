//! Checksums of files.

use std::io::{self, Read};
use std::ops::ControlFlow;

use openssl::hash::{Hasher, MessageDigest};
use serde::{Deserialize, Serialize};

use crate::hexadecimal;

/// How much is read at one time: fewer, larger reads keep the disk busy.
pub(in crate::software) const BLOCK: usize = 512 * 1024;

/// How a checksum is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChecksumKind {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The kinds with their numbers in RFC 4880, section 9.4, which rpm and CIM use too.
const NUMBERS: [(ChecksumKind, u16); 6] = [
    (ChecksumKind::Md5, 1),
    (ChecksumKind::Sha1, 2),
    (ChecksumKind::Sha256, 8),
    (ChecksumKind::Sha384, 9),
    (ChecksumKind::Sha512, 10),
    (ChecksumKind::Sha224, 11),
];

impl ChecksumKind {
    /// The kind with this number in RFC 4880, section 9.4; `None` for those that no package manager uses.
    pub fn from_number(number: u16) -> Option<Self> {
        NUMBERS.into_iter().find(|(_, n)| *n == number).map(|(kind, _)| kind)
    }

    /// Its number in RFC 4880, section 9.4.
    pub fn number(self) -> u16 {
        NUMBERS.into_iter().find(|(kind, _)| *kind == self).map_or(0, |(_, number)| number)
    }

    fn digest(self) -> MessageDigest {
        match self {
            Self::Md5 => MessageDigest::md5(),
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha224 => MessageDigest::sha224(),
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }
}

/// The checksum of what a reader gives to its end, in lower-case hexadecimal; `block` is read into. After each block
/// `heard` is told its size and may stop the reading, and then there is none.
pub(in crate::software) fn checksum(
    kind: ChecksumKind,
    mut reader: impl Read,
    block: &mut [u8],
    heard: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> io::Result<Option<String>> {
    let mut hasher = Hasher::new(kind.digest())?;
    loop {
        let n = match reader.read(block) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(block.get(..n).unwrap_or_default())?;
        if heard(n as u64).is_break() {
            return Ok(None);
        }
    }
    Ok(Some(hexadecimal::written(&hasher.finish()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksums() {
        let of = |kind| checksum(kind, b"abc".as_slice(), &mut [0; 2], &mut |_| ControlFlow::Continue(()));
        for (kind, start) in [
            (ChecksumKind::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (ChecksumKind::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (ChecksumKind::Sha224, "23097d223405d8228642a477bda255b3"),
            (ChecksumKind::Sha256, "ba7816bf8f01cfea414140de5dae2223"),
            (ChecksumKind::Sha384, "cb00753f45a35e8bb5a03d699ac65007"),
            (ChecksumKind::Sha512, "ddaf35a193617abacc417349ae204131"),
        ] {
            assert!(of(kind).unwrap().unwrap().starts_with(start), "{kind:?}");
            assert_eq!(ChecksumKind::from_number(kind.number()), Some(kind));
        }
        assert_eq!(ChecksumKind::from_number(3), None);
    }

    #[test]
    fn it_stops_between_blocks() {
        let mut octets = 0;
        let mut heard = |n| {
            octets += n;
            ControlFlow::Break(())
        };
        let sum = checksum(ChecksumKind::Md5, io::repeat(0), &mut [0; 16], &mut heard).unwrap();
        assert_eq!((sum, octets), (None, 16));
    }
}
