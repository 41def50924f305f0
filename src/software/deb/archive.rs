//! Looks into a `.deb` file (`deb(5)`): an `ar` archive of `debian-binary`, a control and a data archive.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use super::database::{FIELDS, package};
use super::stanza::{Met, Stanzas};
use crate::software::intern::Interner;
use crate::software::tool::{ask, command};
use crate::software::{InspectError, Package, PackageState};

/// How many bytes of control fields are accepted.
const LARGEST_CONTROL: usize = 4 * 1024 * 1024;

/// How long dpkg-deb may take to unpack the control archive.
const LONGEST_INSPECTION: Duration = Duration::from_secs(60);

/// How many members are looked at; a package has three, and may have some of its maker's before the last.
const MOST_MEMBERS: usize = 32;

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;

/// Reads the control fields of a package file, after its archive was found whole.
pub(super) fn inspect(file: &Path) -> Result<Package, InspectError> {
    // Asked before opening: opening a pipe would wait for its writer.
    if !std::fs::metadata(file)?.is_file() {
        return Err(not_a_package("it is no regular file"));
    }
    inspect_opened(File::open(file)?)
}

/// The same of a package file that is open already. dpkg-deb reads it by its own descriptor from the beginning.
pub(super) fn inspect_opened(mut file: File) -> Result<Package, InspectError> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_a_package("it is no regular file"));
    }
    check_members(&mut file, metadata.len())?;
    let mut dpkg_deb = command("dpkg-deb");
    dpkg_deb.args(["--field", "--", "/proc/self/fd/0"]).stdin(file);
    let answer = ask(&mut dpkg_deb, LARGEST_CONTROL, LONGEST_INSPECTION)?;
    if !answer.status.success() {
        return Err(not_a_package("its control archive cannot be read"));
    }
    match Stanzas::new(answer.stdout.as_slice(), FIELDS).next()? {
        Some(Met::Stanza(stanza)) => package(&stanza, PackageState::NotInstalled, &mut Interner::default())
            .map_err(|why| InspectError::NotAPackage(format!("in its control file {why}"))),
        Some(Met::Damaged(line, why)) => {
            Err(InspectError::NotAPackage(format!("in line {line} of its control file {why}")))
        }
        None => Err(not_a_package("its control file is empty")),
    }
}

fn not_a_package(why: &str) -> InspectError {
    InspectError::NotAPackage(why.to_owned())
}

/// Checks that the file is an archive with the members of a Debian package, each within the file.
fn check_members(file: &mut (impl Read + Seek), length: u64) -> Result<(), InspectError> {
    let mut magic = [0; MAGIC.len()];
    let got = read_up_to(file, &mut magic)?;
    if magic.get(..4) == Some(&[0xed, 0xab, 0xee, 0xdb]) {
        return Err(not_a_package("it is an RPM package, and this system has Debian packages"));
    }
    if got != MAGIC.len() || magic != MAGIC {
        return Err(not_a_package("it is no Debian archive"));
    }
    let mut at = MAGIC.len() as u64;
    let (mut has_control, mut has_data) = (false, false);
    for number in 0..MOST_MEMBERS {
        let mut header = [0; HEADER];
        match read_up_to(file, &mut header)? {
            0 => break,
            HEADER => {}
            _ => return Err(not_a_package("it is cut off")),
        }
        let (name, size) = member(&header).ok_or_else(|| not_a_package("a member of its archive is damaged"))?;
        at += HEADER as u64;
        if size > length.saturating_sub(at) {
            return Err(not_a_package("it is cut off"));
        }
        if number == 0 {
            check_format(file, name, size)?;
        }
        has_control |= is_tar(name, "control.tar");
        has_data |= is_tar(name, "data.tar");
        // Members begin at even offsets.
        at += size + size % 2;
        file.seek(SeekFrom::Start(at))?;
    }
    if has_control && has_data { Ok(()) } else { Err(not_a_package("its control or data archive is missing")) }
}

/// The first member tells the format's version, which is 2 with any minor number.
fn check_format(file: &mut impl Read, name: &str, size: u64) -> Result<(), InspectError> {
    let mut version = [0; 2];
    if name != "debian-binary" || size < 4 || read_up_to(file, &mut version)? != 2 {
        return Err(not_a_package("it is an archive, but not of a Debian package"));
    }
    if &version != b"2." {
        return Err(not_a_package("its format is newer than 2.0"));
    }
    Ok(())
}

/// Name and size of a member; every number in a header is decimal text.
fn member(header: &[u8; HEADER]) -> Option<(&str, u64)> {
    if header.get(58..60)? != b"`\n" {
        return None;
    }
    let name = std::str::from_utf8(header.get(..16)?).ok()?.trim_end().trim_end_matches('/');
    let size = std::str::from_utf8(header.get(48..58)?).ok()?.trim_end();
    size.bytes().all(|b| b.is_ascii_digit()).then(|| size.parse().ok().map(|size| (name, size)))?
}

fn is_tar(name: &str, stem: &str) -> bool {
    name.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while let Some(free) = buffer.get_mut(got..).filter(|free| !free.is_empty()) {
        match file.read(free)? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn archive(members: &[(&str, &str, usize)]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (name, content, size) in members {
            bytes.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 100_644).as_bytes());
            bytes.extend(content.as_bytes());
            if content.len() % 2 == 1 {
                bytes.push(b'\n');
            }
        }
        bytes
    }

    fn check(bytes: &[u8]) -> String {
        match check_members(&mut Cursor::new(bytes), bytes.len() as u64) {
            Ok(()) => "fine".to_owned(),
            Err(InspectError::NotAPackage(why)) => why,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn sizes_are_never_trusted() {
        let good = archive(&[("debian-binary", "2.0\n", 4), ("control.tar.xz", "odd", 3), ("data.tar", "d", 1)]);
        assert_eq!(check(&good), "fine");
        assert_eq!(check(&good[..good.len() - 30]), "it is cut off");
        let huge = archive(&[("debian-binary", "2.0\n", 4), ("control.tar", "c", 9_999_999_999)]);
        assert_eq!(check(&huge), "it is cut off");
        let other = archive(&[("debian-binary", "3.0\n", 4)]);
        assert_eq!(check(&other), "its format is newer than 2.0");
        assert_eq!(check(&archive(&[("x.o", "abcd", 4)])), "it is an archive, but not of a Debian package");
        assert_eq!(check(b"!<arch>\n"), "its control or data archive is missing");
        assert_eq!(check(b"hello"), "it is no Debian archive");
        assert_eq!(check(b"\xed\xab\xee\xdbxxxxxx"), "it is an RPM package, and this system has Debian packages");
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let all = [MAGIC, &bytes].concat();
            prop_assert!(check_members(&mut Cursor::new(&all), all.len() as u64).is_err());
        }
    }
}
