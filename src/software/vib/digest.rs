//! Digests that are calculated while octets pass by.

use std::io::{self, Read};

use openssl::error::ErrorStack;
use openssl::hash::{Hasher, MessageDigest};

use super::descriptor::{Checksum, ChecksumAlgorithm, Checksummed};
use crate::hexadecimal;

/// One digest that is calculated, and what it should be.
struct Expected<'c> {
    checksum: &'c Checksum,
    hasher: Hasher,
}

/// All digests of one kind of octets.
pub(super) struct Digests<'c>(Vec<Expected<'c>>);

/// A digest that is another than it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// What was calculated, in hexadecimal.
    pub(super) calculated: String,
    /// What should have been.
    pub(super) expected: String,
}

impl<'c> Digests<'c> {
    /// Those of these octets.
    pub(super) fn of(checksums: &'c [Checksum], of: Checksummed) -> io::Result<Self> {
        let theirs = checksums.iter().filter(|checksum| checksum.of == of);
        theirs
            .map(|checksum| Ok(Expected { checksum, hasher: hasher(checksum.algorithm)? }))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next octets.
    pub(super) fn update(&mut self, octets: &[u8]) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|digest| Ok(digest.hasher.update(octets)?))
    }

    /// The first one that is wrong, after the last octets.
    pub(super) fn mismatch(&mut self) -> io::Result<Option<Mismatch>> {
        for digest in &mut self.0 {
            let calculated = hexadecimal::written(&digest.hasher.finish()?);
            if *calculated != *digest.checksum.digest {
                return Ok(Some(Mismatch { calculated, expected: digest.checksum.digest.to_string() }));
            }
        }
        Ok(None)
    }
}

fn hasher(algorithm: ChecksumAlgorithm) -> Result<Hasher, ErrorStack> {
    Hasher::new(match algorithm {
        ChecksumAlgorithm::Md5 => MessageDigest::md5(),
        ChecksumAlgorithm::Sha1 => MessageDigest::sha1(),
        ChecksumAlgorithm::Sha256 => MessageDigest::sha256(),
    })
}

/// An input whose SHA-256 is calculated while it is read.
pub(super) struct Digested<R> {
    input: R,
    hasher: Hasher,
    size: u64,
}

impl<R: Read> Digested<R> {
    pub(super) fn new(input: R) -> io::Result<Self> {
        Ok(Self { input, hasher: hasher(ChecksumAlgorithm::Sha256)?, size: 0 })
    }

    /// Reads the rest and tells how long the input was, and its SHA-256 in hexadecimal.
    pub(super) fn finish(mut self) -> io::Result<(u64, String)> {
        io::copy(&mut self, &mut io::sink())?;
        Ok((self.size, hexadecimal::written(&self.hasher.finish()?)))
    }
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.input.read(buffer)?;
        self.hasher.update(buffer.get(..got).unwrap_or_default())?;
        self.size += got as u64;
        Ok(got)
    }
}
