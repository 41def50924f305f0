//! What the end of a ZIP says of its directory, looked at before the directory itself is read.
//!
//! Readers of ZIPs differ in which end they take where there are several, and in how much they trust it. Here there is one:
//! the last, with nothing behind it and the directory right before it. So nobody else finds other files in it.

use std::io::{Read, Seek, SeekFrom};

use super::ContainerProblem;

/// How long the fixed part of the end is.
const END: u64 = 22;
/// How long its comment may be.
const LONGEST_COMMENT: u64 = 0xFFFF;
/// How long the locator of ZIP64's end is, which stands right before the other end.
const LOCATOR: u64 = 20;
/// How long ZIP64's end is without data that nobody defined.
const END_64: u64 = 56;

/// How many files a ZIP may have. The largest depots have some thousand.
const MOST_FILES: u64 = 65_535;
/// How long a directory may be.
const LONGEST_DIRECTORY: u64 = 16 * 1024 * 1024;

/// Where the directory is.
struct Directory {
    files: u64,
    length: u64,
    at: u64,
    end: u64,
}

/// Refuses a ZIP whose end is not as it should be, or that has more files than are taken.
pub(super) fn check(reader: &mut (impl Read + Seek)) -> Result<(), ContainerProblem> {
    let directory = find(reader)?;
    let Directory { files, length, .. } = directory;
    if files > MOST_FILES {
        let why = format!("It has {files} files, more than the {MOST_FILES} that are allowed");
        return Err(ContainerProblem::Refused(why));
    }
    if length > LONGEST_DIRECTORY {
        let why = format!("Its directory has {length} octets, more than the {LONGEST_DIRECTORY} that are allowed");
        return Err(ContainerProblem::Refused(why));
    }
    if directory.at.checked_add(directory.length) != Some(directory.end) {
        return Err(not_zip("its directory is not where its end says"));
    }
    Ok(())
}

fn not_zip(why: &str) -> ContainerProblem {
    ContainerProblem::NotZip(why.to_owned())
}

fn find(reader: &mut (impl Read + Seek)) -> Result<Directory, ContainerProblem> {
    let length = reader.seek(SeekFrom::End(0))?;
    let from = length.saturating_sub(END + LONGEST_COMMENT);
    let tail = read_at(reader, from, length - from)?;
    let at = memchr::memmem::rfind(&tail, b"PK\x05\x06").ok_or_else(|| not_zip("it has no directory at its end"))?;
    let end = tail.get(at..).unwrap_or_default();
    let short = |from| field(end, from, 2);
    let comment = short(20).ok_or_else(|| not_zip("it breaks off in its end"))?;
    if END + comment != end.len() as u64 {
        return Err(not_zip("something stands behind its end"));
    }
    let at = from + at as u64;
    let (files, here, bytes, offset) = (short(10), short(8), field(end, 12, 4), field(end, 16, 4));
    if [files, here].contains(&Some(0xFFFF)) || [bytes, offset].contains(&Some(0xFFFF_FFFF)) {
        return find_64(reader, at);
    }
    match (files, bytes, offset) {
        (Some(files), Some(length), Some(offset)) if here == Some(files) && field(end, 4, 4) == Some(0) => {
            Ok(Directory { files, length, at: offset, end: at })
        }
        _ => Err(not_zip("it is a part of several")),
    }
}

/// The directory of a ZIP64, given where the other end is.
fn find_64(reader: &mut (impl Read + Seek), end: u64) -> Result<Directory, ContainerProblem> {
    let wrong = || not_zip("its ZIP64 directory is not where its end says");
    let at = end.checked_sub(LOCATOR + END_64).ok_or_else(wrong)?;
    let found = read_at(reader, at, LOCATOR + END_64)?;
    let (record, locator) = found.split_at_checked(usize::try_from(END_64).unwrap_or(0)).ok_or_else(wrong)?;
    let is_record = record.starts_with(b"PK\x06\x06") && field(record, 4, 8) == Some(END_64 - 12);
    let is_locator = locator.starts_with(b"PK\x06\x07") && field(locator, 8, 8) == Some(at);
    let alone = field(record, 16, 8) == Some(0) && field(record, 24, 8) == field(record, 32, 8);
    match (field(record, 32, 8), field(record, 40, 8), field(record, 48, 8)) {
        (Some(files), Some(length), Some(offset)) if is_record && is_locator && alone => {
            Ok(Directory { files, length, at: offset, end: at })
        }
        _ => Err(wrong()),
    }
}

fn read_at(reader: &mut (impl Read + Seek), at: u64, length: u64) -> Result<Vec<u8>, ContainerProblem> {
    reader.seek(SeekFrom::Start(at))?;
    let mut octets = Vec::new();
    reader.take(length).read_to_end(&mut octets)?;
    Ok(octets)
}

/// A number of so many octets, the lowest first.
fn field(record: &[u8], at: usize, octets: usize) -> Option<u64> {
    let bytes = record.get(at..at.checked_add(octets)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
