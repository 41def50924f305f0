//! The files of installed packages, as rpm's database knows them.
//!
//! What of a file is judged is what `rpm --verify` judges: the package may exempt attributes (`%verify`), contents of
//! `%ghost` files mean nothing, and of files whose place another package or architecture took only little is rpm's.

use std::path::Path;
use std::time::Duration;

use super::Rpm;
use super::query::complaint;
use crate::software::accounts::Accounts;
use crate::software::root::Root;
use crate::software::tool::{ask, command};
use crate::software::{ChecksumKind, FailedCheck, FileKind, FileRecord, ManagerError, Nevra};

/// The fields of a file end with a unit separator and files with a record separator; before them come the package's
/// name parts and a group separator, after them a file separator. The path is last, for it may hold anything.
const FORMAT: &str = "%{NAME}\x1f%{EPOCHNUM}\x1f%{VERSION}\x1f%{RELEASE}\x1f%{ARCH}\x1d\
    [%{LONGFILESIZES}\x1f%{FILEMODES}\x1f%{FILEUSERNAME}\x1f%{FILEGROUPNAME}\x1f%{FILEDIGESTS}\x1f\
    %{=FILEDIGESTALGO}\x1f%{FILELINKTOS}\x1f%{FILEMTIMES}\x1f%{FILERDEVS}\x1f%{FILEFLAGS}\x1f\
    %{FILEVERIFYFLAGS}\x1f%{FILESTATES}\x1f%{FILENAMES}\x1e]\x1c";

/// How many bytes of answer are accepted: a million files.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;

/// How long rpm may take; it waits for nobody.
const LONGEST_QUERY: Duration = Duration::from_secs(120);

/// Bits of `FILEFLAGS` (rpm's `rpmfileAttrs`).
const CONFIG: u32 = 1;
const MISSING_OK: u32 = 1 << 3;
const GHOST: u32 = 1 << 6;

/// Bits of `FILEVERIFYFLAGS` (rpm's `rpmVerifyAttrs`).
const VERIFY_FLAGS: [(FailedCheck, u32); 8] = [
    (FailedCheck::Checksum, 1),
    (FailedCheck::Size, 1 << 1),
    (FailedCheck::LinkTarget, 1 << 2),
    (FailedCheck::User, 1 << 3),
    (FailedCheck::Group, 1 << 4),
    (FailedCheck::Modified, 1 << 5),
    (FailedCheck::Mode, 1 << 6),
    (FailedCheck::Device, 1 << 7),
];

/// Values of `FILESTATES` (rpm's `rpmfileState`): where the file of this package is not what is on disk.
const REPLACED: &str = "1";
const NOT_INSTALLED: &str = "2";
const NET_SHARED: &str = "3";
const WRONG_COLOR: &str = "4";

/// The files of an installed package, in rpm's order; none if exactly this build is not installed.
pub(super) fn read(rpm: &Rpm, nevra: &Nevra) -> Result<Vec<FileRecord>, ManagerError> {
    let cannot = |source| ManagerError::Read { path: rpm.root.clone(), source };
    let accounts = Root::open(&rpm.root).and_then(|root| Accounts::read(&root)).map_err(cannot)?;
    let answer = query(&rpm.root.join(rpm.dbpath.trim_start_matches('/')), &nevra.name)?;
    let builds = answer.split(|b| *b == b'\x1c').filter_map(|build| split_once(build, b'\x1d'));
    let files = builds.filter(|(head, _)| is_build(head, nevra)).map(|(_, files)| files).next().unwrap_or_default();
    Ok(files.split(|b| *b == b'\x1e').filter(|file| !file.is_empty()).filter_map(|f| told(f, &accounts)).collect())
}

/// What rpm tells of all builds of a name. It is asked by the name alone, since it takes a version for a pattern.
fn query(dbpath: &Path, name: &str) -> Result<Vec<u8>, ManagerError> {
    let failed = |message: String| ManagerError::Tool { tool: "rpm", message };
    let mut rpm = command("rpm");
    rpm.arg("--dbpath").arg(dbpath).args(["-q", "--nosignature", "--nodigest", "--qf", FORMAT, "--", name]);
    let answer = ask(&mut rpm, LARGEST_ANSWER, LONGEST_QUERY).map_err(|e| failed(e.to_string()))?;
    if answer.stderr.contains("error:") {
        return Err(failed(complaint(&answer)));
    }
    // rpm ends with 1 where nothing has the name, and says so where the answer would be.
    if answer.status.success() || answer.stdout.ends_with(b" is not installed\n") {
        return Ok(answer.stdout);
    }
    Err(failed(complaint(&answer)))
}

fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|b| *b == separator)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

fn is_build(head: &[u8], nevra: &Nevra) -> bool {
    let release = nevra.release.as_deref().unwrap_or_default();
    let wanted =
        format!("{}\x1f{}\x1f{}\x1f{release}\x1f{}", nevra.name, nevra.epoch, nevra.version, nevra.architecture);
    head == wanted.as_bytes()
}

/// A file that rpm told of; one that it told of otherwise than asked, or whose path is no text, is left out.
fn told(file: &[u8], accounts: &Accounts) -> Option<FileRecord> {
    let record = std::str::from_utf8(file).ok().and_then(|text| record(text, accounts));
    if record.is_none() {
        let file = String::from_utf8_lossy(file).replace('\x1f', " ");
        tracing::warn!(file, "left out a file of the package database that cannot be read");
    }
    record
}

fn record(text: &str, accounts: &Accounts) -> Option<FileRecord> {
    let fields: Vec<&str> = text.splitn(13, '\x1f').collect();
    let [size, mode, user, group, digest, algorithm, target, modified, device, flags, verified, state, path] = *fields
    else {
        return None;
    };
    let mode: u32 = mode.parse().ok()?;
    let flags: u32 = flags.parse().ok()?;
    let kind = FileKind::of_mode(mode);
    let is_regular = kind == FileKind::Regular;
    let known = FileRecord {
        path: path.starts_with('/').then(|| path.to_owned())?,
        kind: Some(kind),
        size: size.parse().ok().filter(|_| is_regular),
        mode: Some(mode & 0o7777),
        user: accounts.user(user),
        group: accounts.group(group),
        link_target: (kind == FileKind::Link).then(|| target.to_owned()),
        checksum: checksum(algorithm, digest).filter(|_| is_regular),
        modified: modified.parse().ok(),
        device: device.parse().ok().filter(|_| kind.is_device()).map(|device: u32| (device >> 8 & 0xff, device & 0xff)),
        is_configuration: flags & CONFIG != 0,
        exempt: exempt(verified, flags, state),
    };
    Some(if flags & GHOST == 0 { known } else { ghost(known) })
}

/// A package that names no algorithm is from before there were others than MD5.
fn checksum(algorithm: &str, digest: &str) -> Option<(ChecksumKind, String)> {
    let kind = match algorithm.parse() {
        Ok(number) => ChecksumKind::from_number(number)?,
        Err(_) => ChecksumKind::Md5,
    };
    (!digest.is_empty() && digest.bytes().all(|b| b.is_ascii_hexdigit())).then(|| (kind, digest.to_ascii_lowercase()))
}

fn exempt(verified: &str, flags: u32, state: &str) -> Vec<FailedCheck> {
    let all = || FailedCheck::ALL.into_iter();
    match state {
        NOT_INSTALLED | NET_SHARED => return all().collect(),
        REPLACED => return all().filter(|check| *check != FailedCheck::Existence).collect(),
        _ => {}
    }
    let verified = verified.parse().unwrap_or(u32::MAX);
    let is_exempt = |check: FailedCheck| match check {
        FailedCheck::Existence => flags & (MISSING_OK | GHOST) != 0,
        FailedCheck::Checksum | FailedCheck::Size | FailedCheck::Modified | FailedCheck::Device
            if state == WRONG_COLOR =>
        {
            true
        }
        _ => VERIFY_FLAGS.iter().any(|(c, bit)| *c == check && verified & bit == 0),
    };
    all().filter(|check| is_exempt(*check)).collect()
}

/// A file that a package owns and does not bring: where it is there, its owners and its mode are the package's.
fn ghost(known: FileRecord) -> FileRecord {
    FileRecord { kind: None, size: None, link_target: None, checksum: None, modified: None, ..known }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: &str = "4294967295";

    fn read(fields: [&str; 13]) -> Option<FileRecord> {
        record(&fields.join("\x1f"), &Accounts::default())
    }

    fn regular<'a>(flags: &'a str, verified: &'a str, state: &'a str) -> [&'a str; 13] {
        ["3", "33188", "root", "nobody", "AB12", "8", "", "1700000000", "0", flags, verified, state, "/a\x1fb"]
    }

    #[test]
    fn files_are_read() {
        let file = read(regular("17", ALL, "0")).unwrap();
        let expected = FileRecord {
            path: "/a\x1fb".to_owned(),
            kind: Some(FileKind::Regular),
            size: Some(3),
            mode: Some(0o644),
            user: Some(0),
            group: None,
            link_target: None,
            checksum: Some((ChecksumKind::Sha256, "ab12".to_owned())),
            modified: Some(1_700_000_000),
            device: None,
            is_configuration: true,
            exempt: Vec::new(),
        };
        assert_eq!(file, expected);
        let link = read(["4", "41471", "root", "root", "", "8", "data", "1", "0", "0", ALL, "0", "/l"]).unwrap();
        assert_eq!((link.kind, link.link_target, link.size), (Some(FileKind::Link), Some("data".to_owned()), None));
        let device = read(["0", "8576", "root", "root", "", "(none)", "", "1", "1281", "0", ALL, "0", "/d"]).unwrap();
        assert_eq!((device.kind, device.device), (Some(FileKind::CharacterDevice), Some((5, 1))));
        assert_eq!(checksum("(none)", "00"), Some((ChecksumKind::Md5, "00".to_owned())));
        assert_eq!((checksum("3", "00"), checksum("8", "")), (None, None));
        assert_eq!(read(["", "", "", "", "", "", "", "", "", "", "", "", "/x"]), None);
        let relative = ["3", "33188", "root", "root", "", "8", "", "1", "0", "0", ALL, "0", "x"];
        assert_eq!(read(relative), None);
    }

    #[test]
    fn only_what_rpm_judges_is_judged() {
        let exempt = |flags, verified, state| read(regular(flags, verified, state)).unwrap().exempt;
        assert_eq!(exempt("0", "4294967260", "0"), [FailedCheck::Size, FailedCheck::Checksum, FailedCheck::Modified]);
        assert_eq!(exempt("9", ALL, "0"), [FailedCheck::Existence]);
        assert_eq!(exempt("0", ALL, "2"), FailedCheck::ALL);
        assert_eq!(exempt("0", ALL, "3"), FailedCheck::ALL);
        assert_eq!(exempt("0", ALL, "1"), FailedCheck::ALL[1..]);
        let color = [FailedCheck::Size, FailedCheck::Checksum, FailedCheck::Device, FailedCheck::Modified];
        assert_eq!(exempt("0", ALL, "4"), color);
        let ghost = read(regular("64", ALL, "0")).unwrap();
        assert_eq!((ghost.kind, ghost.size, ghost.checksum, ghost.modified), (None, None, None, None));
        assert_eq!((ghost.mode, ghost.exempt), (Some(0o644), vec![FailedCheck::Existence]));
    }

    #[test]
    fn exactly_one_build_is_meant() {
        let nevra: Nevra = "a-1:1^x-2.noarch".parse().unwrap();
        assert!(is_build(b"a\x1f1\x1f1^x\x1f2\x1fnoarch", &nevra));
        assert!(!is_build(b"a\x1f0\x1f1^x\x1f2\x1fnoarch", &nevra));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_left_out(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            told(&bytes, &Accounts::default());
        }

        #[test]
        fn any_fields_are_read_or_left_out(fields in proptest::collection::vec("[0-9/a]{0,4}", 13)) {
            let text = fields.join("\x1f");
            if let Some(file) = told(text.as_bytes(), &Accounts::default()) {
                prop_assert!(file.path.starts_with('/'));
            }
        }
    }
}
