//! Copies a payload and checks it on the way.

use std::collections::HashSet;
use std::io::{self, BufReader, Read, Write};

use flate2::bufread::MultiGzDecoder;

use super::descriptor::{Checksummed, Descriptor, Payload, VibId};
use super::descriptor_xml::DescriptorProblem;
use super::digest::{Digests, Mismatch};
use super::error::{ImageError, ImageErrorClass};
use super::level::AcceptanceLevel;
use super::visor::{self, ContentProblem};

/// How many octets are read at a time.
const CHUNK: usize = 128 * 1024;

/// How much a VIB may be, beside its descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VibLimits {
    /// How long the signature may be, in octets.
    pub signature: u64,
    /// How many payloads it may have.
    pub payloads: usize,
    /// How long a payload may be once it is unpacked, in octets.
    pub unpacked: u64,
    /// How long all payloads together may be once they are unpacked, in octets.
    pub unpacked_in_all: u64,
    /// How many files, folders and links one payload may have.
    pub entries: usize,
}

impl Default for VibLimits {
    /// Some times what the largest VIBs of VMware have.
    fn default() -> Self {
        Self {
            signature: 256 * 1024,
            payloads: 1_000,
            unpacked: 4 * 1024 * 1024 * 1024,
            unpacked_in_all: 8 * 1024 * 1024 * 1024,
            entries: 200_000,
        }
    }
}

/// What the payloads of a VIB may still bring.
#[derive(Debug)]
pub(super) struct Allowance {
    limits: VibLimits,
    /// How long all payloads may still become.
    left: u64,
    /// The files that they may have, if their VIB is held to the list that it gives. By that list is seen which VIBs bring
    /// the same file; VMware's own may leave files out.
    files: Option<HashSet<Box<str>>>,
}

impl Allowance {
    /// That of a VIB under these limits.
    pub(super) fn of(vib: &Descriptor, limits: VibLimits) -> Self {
        let is_held = vib.acceptance_level <= AcceptanceLevel::Partner;
        let files = is_held.then(|| vib.files.iter().cloned().collect());
        Self { limits, left: limits.unpacked_in_all, files }
    }

    /// How long the next payload may become.
    fn most(&self) -> u64 {
        self.limits.unpacked.min(self.left)
    }

    fn is_listed(&self, path: &[u8]) -> bool {
        let listed = |files: &HashSet<Box<str>>| str::from_utf8(path).is_ok_and(|path| files.contains(path));
        self.files.as_ref().is_none_or(listed)
    }
}

/// Why a payload was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The VIB is at fault, or cannot be read.
    #[error("{0}")]
    Vib(#[from] ImageError),
    /// It cannot be written to where it was copied; the error as it came from there.
    #[error("{0}")]
    Write(io::Error),
}

/// What is wrong with a payload on the way.
enum Problem {
    Write(io::Error),
    Read(io::Error),
    /// Its stored octets, or what gunzip makes of them, have another digest.
    Digest(Mismatch),
    /// It becomes longer than is allowed.
    Grows(u64),
    /// Its content is not as it should be.
    Content(String),
    /// It has this file, which the descriptor does not list.
    Unlisted(String),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// Copies a payload from its member and checks every digest, what gunzip makes of it and what stands in that. What it takes
/// is taken off what is allowed.
pub(super) fn copy(
    vib: &VibId,
    payload: &Payload,
    member: &mut impl Read,
    to: &mut impl Write,
    allowed: &mut Allowance,
) -> Result<(), CopyError> {
    let outcome = Stored::new(payload, member, to).map_err(Problem::from).and_then(|stored| {
        if is_gzip(payload)? { copy_gzip(payload, stored, allowed) } else { copy_plain(payload, stored, allowed) }
    });
    outcome.map_err(|problem| match problem {
        Problem::Write(error) => CopyError::Write(error),
        other => CopyError::Vib(told(vib, payload, other)),
    })
}

/// Whether it is gzip: by what it is, or since it has a digest of what gunzip makes of it.
fn is_gzip(payload: &Payload) -> io::Result<bool> {
    let is_archive = matches!(&*payload.payload_type, "vgz" | "tgz");
    Ok(is_archive || !Digests::of(&payload.checksums, Checksummed::Gunzipped)?.is_empty())
}

fn copy_plain(
    payload: &Payload,
    mut stored: Stored<'_, impl Read, impl Write>,
    allowed: &mut Allowance,
) -> Result<(), Problem> {
    let most = allowed.most();
    if payload.size > most {
        return Err(Problem::Grows(most));
    }
    allowed.left = allowed.left.saturating_sub(payload.size);
    let copied = drain(&mut stored);
    stored.finish(copied.map_err(Problem::from))
}

fn copy_gzip(
    payload: &Payload,
    mut stored: Stored<'_, impl Read, impl Write>,
    allowed: &mut Allowance,
) -> Result<(), Problem> {
    let most = allowed.most();
    let mut plain = Plain {
        decoder: MultiGzDecoder::new(BufReader::with_capacity(CHUNK, &mut stored)),
        digests: Digests::of(&payload.checksums, Checksummed::Gunzipped)?,
        left: most,
        grows: false,
    };
    let checked = look_inside(payload, &mut plain, allowed);
    let (grows, left) = (plain.grows, plain.left);
    allowed.left = allowed.left.saturating_sub(most - left);
    if grows {
        return Err(Problem::Grows(most));
    }
    let judged = checked.and_then(|()| plain.digests.mismatch()?.map_or(Ok(()), |wrong| Err(Problem::Digest(wrong))));
    stored.finish(judged)
}

/// Reads all of what gunzip makes of a payload, and checks it if it is a tar.
fn look_inside(payload: &Payload, plain: &mut Plain<'_, impl io::BufRead>, allowed: &Allowance) -> Result<(), Problem> {
    let seen = match &*payload.payload_type {
        "vgz" | "tgz" => visor::check(plain, allowed.limits.entries, &|path| allowed.is_listed(path)),
        _ => Ok(()),
    };
    match seen {
        Err(ContentProblem::Read(error)) => Err(unpacking(error)),
        seen => {
            drain(plain).map_err(unpacking)?;
            seen.map_err(|problem| match problem {
                ContentProblem::Wrong(why) => Problem::Content(why),
                ContentProblem::Unlisted(file) => Problem::Unlisted(file),
                ContentProblem::Read(error) => Problem::Read(error),
            })
        }
    }
}

/// What gunzip stumbles over is the payload's fault.
fn unpacking(error: io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Problem::Content("is no whole gzip".to_owned()),
        io::ErrorKind::UnexpectedEof => Problem::Content("is no whole gzip".to_owned()),
        _ => Problem::Read(error),
    }
}

fn drain(input: &mut impl Read) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match input.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The stored octets of a payload: whoever reads them copies them.
struct Stored<'c, R, W> {
    member: R,
    to: W,
    digests: Digests<'c>,
    /// Why reading or writing ended; it comes first, whatever others made of it.
    failed: Option<Problem>,
}

impl<'c, R: Read, W: Write> Stored<'c, R, W> {
    fn new(payload: &'c Payload, member: R, to: W) -> io::Result<Self> {
        Ok(Self { member, to, digests: Digests::of(&payload.checksums, Checksummed::Stored)?, failed: None })
    }

    /// Copies the rest and tells the first problem: one of reading or writing, a wrong digest, and then what was found
    /// in the payload, which nobody can expect to be right if its digest is not.
    fn finish(mut self, found: Result<(), Problem>) -> Result<(), Problem> {
        if self.failed.is_none() {
            // What it stumbles over is kept in it.
            let _ = drain(&mut self);
        }
        match self.failed.take() {
            Some(problem) => Err(problem),
            None => match self.digests.mismatch()? {
                Some(wrong) => Err(Problem::Digest(wrong)),
                None => found,
            },
        }
    }

    fn fail(&mut self, problem: Problem) -> io::Error {
        self.failed.get_or_insert(problem);
        io::Error::other("a payload was not copied")
    }
}

impl<R: Read, W: Write> Read for Stored<'_, R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = match self.member.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            read => read.map_err(|error| self.fail(Problem::Read(error)))?,
        };
        let octets = buffer.get(..got).unwrap_or_default();
        self.digests.update(octets)?;
        self.to.write_all(octets).map_err(|error| self.fail(Problem::Write(error)))?;
        Ok(got)
    }
}

/// What gunzip makes of a payload.
struct Plain<'c, R> {
    decoder: MultiGzDecoder<R>,
    digests: Digests<'c>,
    /// How much may follow.
    left: u64,
    /// Whether more came.
    grows: bool,
}

impl<R: io::BufRead> Read for Plain<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.decoder.read(buffer)?;
        let Some(left) = self.left.checked_sub(got as u64) else {
            self.grows = true;
            return Err(io::Error::other("a payload becomes too long"));
        };
        self.left = left;
        self.digests.update(buffer.get(..got).unwrap_or_default())?;
        Ok(got)
    }
}

/// The failure of a VIB whose payload is not right, in esximage's words where it has some.
fn told(vib: &VibId, payload: &Payload, problem: Problem) -> ImageError {
    let name = &payload.name;
    let (class, text) = match problem {
        Problem::Write(error) | Problem::Read(error) => return unreadable(&error).of([vib.clone()]),
        Problem::Digest(Mismatch { calculated, expected }) => {
            let class = ImageErrorClass::InstallationError;
            let text = format!(
                "Calculated digest at EOF does not match expected result: {calculated} calculated, {expected} expected. \
                 Payload {name} is not what the VIB's descriptor says. {}",
                ImageErrorClass::VibFormatError.advice()
            );
            return ImageError::new(class, text).of([vib.clone()]);
        }
        Problem::Grows(most) => {
            (ImageErrorClass::VibFormatError, format!("Payload {name} unpacks to more than {most} octets."))
        }
        Problem::Unlisted(file) => {
            let rule = format!("Payload {name} has the file {file}, which the file-list does not have");
            return DescriptorProblem::Rule { id: vib.clone(), rule }.of_vib();
        }
        Problem::Content(why) => (ImageErrorClass::VibFormatError, format!("Payload {name} {why}.")),
    };
    ImageError::new(class, format!("{text} {}", class.advice())).of([vib.clone()])
}

/// The failure of a VIB that cannot be read: it ends too early, its bundle is damaged, or the disk does not give it.
pub(super) fn unreadable(error: &io::Error) -> ImageError {
    let (class, text) = match error.kind() {
        io::ErrorKind::UnexpectedEof => (ImageErrorClass::VibFormatError, "The VIB is cut off.".to_owned()),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            (ImageErrorClass::VibFormatError, format!("The VIB is damaged: {error}."))
        }
        _ => (ImageErrorClass::VibIOError, format!("The VIB cannot be read: {error}.")),
    };
    ImageError::new(class, format!("{text} {}", class.advice()))
}
