//! Reads a VIB in one pass: its descriptor, its signature, and then its payloads in turn.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::descriptor::{Descriptor, Payload, VibId};
use super::descriptor_xml::DESCRIPTOR_LIMIT;
use super::digest::Digested;
use super::error::{ImageError, ImageErrorClass};
use super::payload::{self, Allowance, CopyError, VibLimits, unreadable};
use super::trust::TrustStore;
use crate::software::ar::{ArError, ArMember, ArReader};

/// The members of a VIB before its payloads.
const HEAD: [&str; 2] = ["descriptor.xml", "sig.pkcs7"];

/// How long a whole VIB file is, and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VibSum {
    /// Its length in octets.
    pub size: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// A VIB that is being read from a file, from an entry of a bundle, or from anywhere.
///
/// First [`descriptor`](Self::descriptor) and [`signature`](Self::signature) are there; then each
/// [`next_payload`](Self::next_payload) is copied or passed over; [`finish`](Self::finish) tells what the whole file was.
/// Nothing of it may be trusted before `finish` has succeeded.
pub struct VibReader<R> {
    archive: ArReader<Digested<R>>,
    descriptor: Arc<Descriptor>,
    id: VibId,
    descriptor_octets: Vec<u8>,
    signature: Vec<u8>,
    /// Which payloads were met.
    met: Vec<bool>,
    /// The payload whose octets come next.
    current: Option<usize>,
    /// What the payloads may still bring.
    allowed: Allowance,
}

impl<R> fmt::Debug for VibReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VibReader").field("id", &self.id).field("met", &self.met).finish_non_exhaustive()
    }
}

impl<R: Read> VibReader<R> {
    /// Begins to read a VIB under the usual limits.
    ///
    /// # Errors
    /// `VibFormatError` for what is no VIB 2.0, `VibValidationError` for a descriptor that breaks a rule, `VibIOError`.
    pub fn open(input: R) -> Result<Self, ImageError> {
        Self::open_with(input, VibLimits::default())
    }

    /// The same under these limits.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(input: R, limits: VibLimits) -> Result<Self, ImageError> {
        let input = Digested::new(input).map_err(|error| unreadable(&error))?;
        let mut archive = ArReader::open(input, limits.payloads.saturating_add(HEAD.len() + 1)).map_err(of_archive)?;
        let descriptor_octets = head(&mut archive, HEAD[0], DESCRIPTOR_LIMIT as u64)?;
        let text = std::str::from_utf8(&descriptor_octets)
            .map_err(|_| not_a_vib("The VIB's descriptor.xml is not written in UTF-8."))?;
        let descriptor = Descriptor::from_xml(text)?;
        let id = descriptor.id();
        let signature = head(&mut archive, HEAD[1], limits.signature).map_err(|error| error.of([id.clone()]))?;
        let met = vec![false; descriptor.payloads.len()];
        Ok(Self {
            archive,
            allowed: Allowance::of(&descriptor, limits),
            id,
            descriptor: Arc::new(descriptor),
            descriptor_octets,
            signature,
            met,
            current: None,
        })
    }

    /// What it says of itself.
    pub fn descriptor(&self) -> &Arc<Descriptor> {
        &self.descriptor
    }

    /// The descriptor as it stands in the file: what is signed.
    pub fn descriptor_octets(&self) -> &[u8] {
        &self.descriptor_octets
    }

    /// The signature; empty if it is not signed.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Sees that the signature is one that the VIB's acceptance level asks for.
    ///
    /// # Errors
    /// As [`TrustStore::verify`].
    pub fn verify_signature(&self, trust: &TrustStore, now: DateTime<Utc>) -> Result<(), ImageError> {
        let level = self.descriptor.acceptance_level;
        trust.verify(&self.id, &self.descriptor_octets, &self.signature, level, now)
    }

    /// The next payload, in the order of the file; `None` after the last one. One that was not copied is checked all the
    /// same.
    ///
    /// # Errors
    /// `VibFormatError` for a member that is no payload of the VIB or of another length, and for a payload that is missing;
    /// and what [`copy_payload`](Self::copy_payload) fails with.
    pub fn next_payload(&mut self) -> Result<Option<&Payload>, ImageError> {
        self.pass()?;
        let id = self.id.clone();
        let next = self.archive.next_member().map_err(|error| of_archive(error).of([id.clone()]))?;
        let Some(member) = next else { return self.check_all_met().map(|()| None) };
        let descriptor = &*self.descriptor;
        let (at, payload) = expected(descriptor, &member).map_err(|error| error.of([id.clone()]))?;
        match self.met.get_mut(at) {
            Some(met) if !*met => *met = true,
            _ => return Err(not_a_vib(&format!("Payload {} is there twice.", payload.name)).of([id])),
        }
        self.current = Some(at);
        Ok(Some(payload))
    }

    /// Copies the payload that [`next_payload`](Self::next_payload) told; after that it is not there anymore. Its size, all
    /// its digests, and that its files stay inside of an image, are checked on the way: what was written is worth nothing if
    /// this fails.
    ///
    /// # Errors
    /// [`CopyError::Write`] with the error of `to`; `InstallationError` for a digest that is wrong, `VibFormatError` for
    /// content that is not as it should be, `VibValidationError` for a file that a VIB of the levels community and partner
    /// does not list, `VibIOError`.
    pub fn copy_payload(&mut self, to: &mut impl Write) -> Result<(), CopyError> {
        let payload = self.current.take().and_then(|at| self.descriptor.payloads.get(at));
        let Some(payload) = payload else { return Ok(()) };
        payload::copy(&self.id, payload, &mut self.archive, to, &mut self.allowed)
    }

    /// Checks what was not copied, and tells length and digest of the whole file.
    ///
    /// # Errors
    /// As [`next_payload`](Self::next_payload).
    pub fn finish(mut self) -> Result<VibSum, ImageError> {
        while self.next_payload()?.is_some() {}
        let Self { archive, id, .. } = self;
        let (size, sha256) = archive.into_input().finish().map_err(|error| unreadable(&error).of([id]))?;
        Ok(VibSum { size, sha256 })
    }

    /// Checks the payload that was not copied.
    fn pass(&mut self) -> Result<(), ImageError> {
        self.copy_payload(&mut io::sink()).map_err(|error| match error {
            CopyError::Vib(error) => error,
            CopyError::Write(error) => unreadable(&error),
        })
    }

    fn check_all_met(&self) -> Result<(), ImageError> {
        let missing = self.met.iter().position(|met| !met).and_then(|at| self.descriptor.payloads.get(at));
        match missing {
            Some(payload) => {
                Err(not_a_vib(&format!("The VIB lacks its payload {}.", payload.name)).of([self.id.clone()]))
            }
            None => Ok(()),
        }
    }
}

/// The payload that a member is, and which one.
fn expected<'d>(descriptor: &'d Descriptor, member: &ArMember) -> Result<(usize, &'d Payload), ImageError> {
    let ArMember { name, size } = member;
    let found = descriptor.payloads.iter().enumerate().find(|(_, payload)| *payload.name == **name);
    let Some((at, payload)) = found else {
        return Err(not_a_vib(&format!("The VIB has a member {name:?}, which its descriptor does not tell of.")));
    };
    if payload.size != *size {
        return Err(not_a_vib(&format!(
            "Payload {name} has {size} octets, and {} by the VIB's descriptor.",
            payload.size
        )));
    }
    Ok((at, payload))
}

/// The next member, which must be this one.
fn head(archive: &mut ArReader<impl Read>, name: &str, most: u64) -> Result<Vec<u8>, ImageError> {
    let member = archive.next_member().map_err(of_archive)?;
    match member {
        Some(member) if member.name == name && member.size <= most => {
            let mut octets = Vec::new();
            archive.read_to_end(&mut octets).map_err(|error| unreadable(&error))?;
            Ok(octets)
        }
        Some(member) if member.name == name => {
            Err(not_a_vib(&format!("The VIB's {name} has {} octets, more than {most}.", member.size)))
        }
        Some(member) if member.name == "debian-binary" => Err(not_a_vib("This is a Debian package, and no VIB.")),
        Some(member) => Err(not_a_vib(&format!("The VIB has {:?} where {name} should be.", member.name))),
        None => Err(not_a_vib(&format!("The VIB has no {name}."))),
    }
}

/// The failure of a file that is no VIB as it should be.
fn not_a_vib(why: &str) -> ImageError {
    let class = ImageErrorClass::VibFormatError;
    ImageError::new(class, format!("{why} {}", class.advice()))
}

fn of_archive(error: ArError) -> ImageError {
    match error {
        ArError::Magic(_) => not_a_vib("Bad VIB archive header."),
        ArError::CutOff => not_a_vib("The VIB is cut off."),
        ArError::Damaged => not_a_vib("A member of the VIB's archive is damaged."),
        ArError::TooMany => not_a_vib("The VIB has too many payloads."),
        ArError::Io(error) => unreadable(&error),
    }
}

#[cfg(test)]
mod tests;
