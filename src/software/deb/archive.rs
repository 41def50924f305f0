//! Looks into a `.deb` file (`deb(5)`): an `ar` archive of `debian-binary`, a control and a data archive.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek};
use std::path::Path;
use std::time::Duration;

use super::database::{FIELDS, package};
use super::stanza::{Met, Stanzas};
use crate::software::ar::{ArError, ArMember, ArReader, read_up_to};
use crate::software::intern::Interner;
use crate::software::tool::{ask, command};
use crate::software::{InspectError, Package, PackageState};

/// How many bytes of control fields are accepted.
const LARGEST_CONTROL: usize = 4 * 1024 * 1024;

/// How long dpkg-deb may take to unpack the control archive.
const LONGEST_INSPECTION: Duration = Duration::from_secs(60);

/// How many members are looked at; a package has three, and may have some of its maker's before the last.
const MOST_MEMBERS: usize = 32;

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
    let mut archive = ArReader::open(file, MOST_MEMBERS).map_err(of_archive)?;
    let (mut is_first, mut has_control, mut has_data) = (true, false, false);
    while let Some(member) = archive.next_member().map_err(of_archive)? {
        if std::mem::take(&mut is_first) {
            check_format(&mut archive, &member)?;
        }
        has_control |= is_tar(&member.name, "control.tar");
        has_data |= is_tar(&member.name, "data.tar");
        archive.pass().map_err(of_archive)?;
        // The octet that fills up the last member may be missing.
        if archive.input_mut().stream_position()? > length + member.size % 2 {
            return Err(not_a_package("it is cut off"));
        }
    }
    if has_control && has_data { Ok(()) } else { Err(not_a_package("its control or data archive is missing")) }
}

fn of_archive(error: ArError) -> InspectError {
    match error {
        ArError::Magic([0xed, 0xab, 0xee, 0xdb, ..]) => {
            not_a_package("it is an RPM package, and this system has Debian packages")
        }
        ArError::Magic(_) => not_a_package("it is no Debian archive"),
        ArError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => not_a_package("it is cut off"),
        ArError::Io(error) => error.into(),
        wrong => not_a_package(&wrong.to_string()),
    }
}

/// The first member tells the format's version, which is 2 with any minor number.
fn check_format(archive: &mut impl Read, member: &ArMember) -> Result<(), InspectError> {
    let mut version = [0; 2];
    if member.name != "debian-binary" || member.size < 4 {
        return Err(not_a_package("it is an archive, but not of a Debian package"));
    }
    if read_up_to(archive, &mut version).map_err(|error| of_archive(error.into()))? != version.len() {
        return Err(not_a_package("it is cut off"));
    }
    if &version != b"2." {
        return Err(not_a_package("its format is newer than 2.0"));
    }
    Ok(())
}

fn is_tar(name: &str, stem: &str) -> bool {
    name.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    const MAGIC: &[u8] = b"!<arch>\n";

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
