//! What stands inside of payloads: the visor tar of ESXi, and ordinary tars.
//!
//! A visor tar has all headers first, then a block that begins with 0, then the contents; each header tells where its
//! content is. Nothing is unpacked here: what is looked for is anything that would not stay inside of an image.

use std::io::{self, Read};

use crate::software::ar::read_up_to;

/// How long blocks and headers are.
const BLOCK: usize = 512;

/// How long the name may be that stands in front of a header of its own, or the records of pax.
const LONGEST_NAMES: u64 = 64 * 1024;

/// What xz begins with. The payloads of large VIBs have it within the gzip.
const XZ: &[u8] = b"\xfd7zXZ\0";

/// Why the content of a payload is not taken.
#[derive(Debug)]
pub(super) enum ContentProblem {
    /// It cannot be read.
    Read(io::Error),
    /// It is not written as it should be.
    Wrong(String),
    /// It has this file, which it may not have.
    Unlisted(String),
}

impl From<io::Error> for ContentProblem {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

fn wrong<T>(why: impl Into<String>) -> Result<T, ContentProblem> {
    Err(ContentProblem::Wrong(why.into()))
}

/// Whether a file or link of this path, without `.` and slashes around it, may be there.
type MayHave<'m> = &'m dyn Fn(&[u8]) -> bool;

/// Checks that a tar of either form has at most so many entries, each of which stays inside of the image and may be there.
/// Reads to its end; what is read may stay behind it.
pub(super) fn check(content: &mut impl Read, most_entries: usize, may_have: MayHave<'_>) -> Result<(), ContentProblem> {
    let mut block = [0; BLOCK];
    let got = read_up_to(content, &mut block)?;
    if block.starts_with(XZ) {
        return Ok(());
    }
    if got < BLOCK {
        return wrong("is cut off in its first header");
    }
    if is_visor(&block) {
        check_visor(content, block, most_entries, may_have)
    } else {
        check_tar(content, block, most_entries, may_have)
    }
}

fn is_visor(block: &[u8; BLOCK]) -> bool {
    block.get(257..262) == Some(b"visor")
}

/// All headers, and that their contents lie behind them and within the payload.
fn check_visor(
    content: &mut impl Read,
    mut block: [u8; BLOCK],
    most: usize,
    may_have: MayHave<'_>,
) -> Result<(), ContentProblem> {
    let (mut first, mut last) = (u64::MAX, 0);
    let mut headers = 0;
    while block.first() != Some(&0) {
        if headers == most {
            return wrong(format!("has more than {most} entries"));
        }
        headers += 1;
        if !is_visor(&block) {
            return wrong("has a header that is none of a visor tar");
        }
        let header = Header::read(&block)?;
        header.check(&header.name, &header.link, may_have)?;
        if header.size > 0 && header.kind == Kind::File {
            first = first.min(header.offset);
            last = last.max(header.offset + header.size);
        }
        next_block(content, &mut block)?;
    }
    let end = (headers as u64 + 1) * BLOCK as u64;
    let whole = end + io::copy(content, &mut io::sink())?;
    if first < end || last > whole {
        return wrong("has a file whose content lies outside of it");
    }
    Ok(())
}

/// All headers of an ordinary tar, with the long names of GNU tar and of pax.
fn check_tar(
    content: &mut impl Read,
    mut block: [u8; BLOCK],
    most: usize,
    may_have: MayHave<'_>,
) -> Result<(), ContentProblem> {
    let mut next = Overrides::default();
    for _ in 0..=most {
        if block.iter().all(|octet| *octet == 0) {
            return Ok(());
        }
        let header = Header::read(&block)?;
        match header.kind {
            Kind::LongName => next.name = Some(names(content, header.size)?),
            Kind::LongLink => next.link = Some(names(content, header.size)?),
            Kind::Records => next.take(&names(content, header.size)?)?,
            Kind::GlobalRecords => drop(names(content, header.size)?),
            _ => {
                let Overrides { name, link, size } = std::mem::take(&mut next);
                let (name, link) = (name.as_ref().unwrap_or(&header.name), link.as_ref().unwrap_or(&header.link));
                header.check(name, link, may_have)?;
                if header.kind == Kind::File {
                    pass(content, size.unwrap_or(header.size))?;
                }
            }
        }
        // Who ends a tar without the blocks of noughts is forgiven, as tar does.
        if read_up_to(content, &mut block)? == 0 {
            return Ok(());
        }
    }
    wrong(format!("has more than {most} entries"))
}

/// What stands in front of a header for it.
#[derive(Default)]
struct Overrides {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Overrides {
    /// Takes the records of pax: `LENGTH KEY=VALUE` and a line end, each.
    fn take(&mut self, mut records: &[u8]) -> Result<(), ContentProblem> {
        while !records.is_empty() {
            let Some((key, value, rest)) = record(records) else { return wrong("has damaged pax records") };
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => match std::str::from_utf8(value).ok().and_then(|size| size.parse().ok()) {
                    Some(size) => self.size = Some(size),
                    None => return wrong("has damaged pax records"),
                },
                _ => {}
            }
            records = rest;
        }
        Ok(())
    }
}

/// Key and value of the first record, and the records behind it.
fn record(records: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = records.iter().position(|octet| *octet == b' ')?;
    let length: usize = std::str::from_utf8(records.get(..space)?).ok()?.parse().ok()?;
    let (record, rest) = records.split_at_checked(length)?;
    let text = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|octet| *octet == b'=')?;
    Some((text.get(..equals)?, text.get(equals + 1..)?, rest))
}

/// The content of a header that belongs to the next one.
fn names(content: &mut impl Read, size: u64) -> Result<Vec<u8>, ContentProblem> {
    if size > LONGEST_NAMES {
        return wrong("has a name that is too long");
    }
    let mut octets = Vec::new();
    content.by_ref().take(size).read_to_end(&mut octets)?;
    skip(content, size.next_multiple_of(BLOCK as u64) - size)?;
    Ok(octets.into_iter().take_while(|octet| *octet != 0).collect())
}

/// Passes over a content up to the next header.
fn pass(content: &mut impl Read, size: u64) -> Result<(), ContentProblem> {
    match size.checked_next_multiple_of(BLOCK as u64) {
        Some(size) => skip(content, size),
        None => wrong("has a file that is too long"),
    }
}

fn skip(content: &mut impl Read, octets: u64) -> Result<(), ContentProblem> {
    if io::copy(&mut content.take(octets), &mut io::sink())? < octets { wrong("is cut off") } else { Ok(()) }
}

fn next_block(content: &mut impl Read, block: &mut [u8; BLOCK]) -> Result<(), ContentProblem> {
    if read_up_to(content, block)? < BLOCK { wrong("is cut off between its headers") } else { Ok(()) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Link,
    HardLink,
    LongName,
    LongLink,
    Records,
    GlobalRecords,
}

/// A header of either form.
#[derive(Debug)]
struct Header {
    name: Vec<u8>,
    link: Vec<u8>,
    kind: Kind,
    size: u64,
    /// Where the content stands; only in visor tars.
    offset: u64,
}

impl Header {
    fn read(block: &[u8; BLOCK]) -> Result<Self, ContentProblem> {
        if octal(field(block, 148, 8)) != Some(checksum(block)) {
            return wrong("has a header with a wrong checksum");
        }
        let mut name = field(block, 0, 100).to_vec();
        // In tars of old GNU tar something else stands there.
        let prefix = match block.get(257..263) {
            Some(b"ustar ") => &[],
            Some(b"visor ") => field(block, 345, 151),
            _ => field(block, 345, 155),
        };
        if !prefix.is_empty() {
            name = [prefix, b"/", &name].concat();
        }
        let Some(kind) = kind(block.get(156).copied().unwrap_or_default()) else {
            return wrong(format!("has {}, which is no file, folder or link", shown(&name)));
        };
        let Some(size) = octal(field(block, 124, 12)) else {
            return wrong(format!("has {} with a damaged size", shown(&name)));
        };
        let offset = block.get(496..500).and_then(|octets| octets.try_into().ok()).map_or(0, u32::from_le_bytes);
        Ok(Self { name, link: field(block, 157, 100).to_vec(), kind, size, offset: offset.into() })
    }

    /// Whether it stays inside of the image and may be there.
    fn check(&self, name: &[u8], link: &[u8], may_have: MayHave<'_>) -> Result<(), ContentProblem> {
        let leaves = || wrong(format!("has {}, which leaves the image", shown(name)));
        if name.starts_with(b"/") || name.iter().any(u8::is_ascii_control) || parts(name).any(|part| part == b"..") {
            return leaves();
        }
        match self.kind {
            // An absolute target begins at the root of the image.
            Kind::Link if link.starts_with(b"/") && climbs(0, link) => leaves(),
            Kind::Link if !link.starts_with(b"/") && climbs(parts(name).count().saturating_sub(1), link) => leaves(),
            Kind::HardLink if climbs(0, link) => leaves(),
            Kind::File | Kind::Link | Kind::HardLink if !may_have(&parts(name).collect::<Vec<_>>().join(&b'/')) => {
                Err(ContentProblem::Unlisted(shown(name)))
            }
            _ => Ok(()),
        }
    }
}

fn kind(flag: u8) -> Option<Kind> {
    Some(match flag {
        b'0' | b'7' | 0 => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Link,
        b'5' => Kind::Folder,
        b'L' => Kind::LongName,
        b'K' => Kind::LongLink,
        b'x' => Kind::Records,
        b'g' => Kind::GlobalRecords,
        _ => return None,
    })
}

/// Whether a path climbs above the root from a folder so deep.
fn climbs(mut depth: usize, path: &[u8]) -> bool {
    for part in parts(path) {
        match part {
            b".." if depth == 0 => return true,
            b".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// The parts of a path, without those that mean nothing.
fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|octet| *octet == b'/').filter(|part| !part.is_empty() && *part != b".")
}

fn shown(name: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(name))
}

/// A field up to its first 0.
fn field(block: &[u8; BLOCK], at: usize, length: usize) -> &[u8] {
    let field = block.get(at..at + length).unwrap_or_default();
    field.split(|octet| *octet == 0).next().unwrap_or_default()
}

/// An octal number, with spaces around it; nothing is 0.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii();
    digits.iter().try_fold(0, |number: u64, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        number.checked_mul(8)?.checked_add(digit.into())
    })
}

/// The sum of a header's octets, with spaces where it stands itself.
fn checksum(block: &[u8; BLOCK]) -> u64 {
    let octet = |(at, octet): (usize, &u8)| u64::from(if (148..156).contains(&at) { b' ' } else { *octet });
    block.iter().enumerate().map(octet).sum()
}

#[cfg(test)]
mod tests;
