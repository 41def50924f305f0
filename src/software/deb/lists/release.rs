//! What an archive says of itself: its `Release` file.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::path::Path;

use chrono::{DateTime, Utc};

use super::unpack;

const FIELDS: &[&str] = &["Origin", "Label", "Suite", "Codename", "Date"];

/// How much of a file is read; the checksums of its lists are most of it.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The longest value that is taken; of others the beginning is.
const LONGEST_VALUE: usize = 100;

/// What ends a signed file's own text, without an empty line before it.
const SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";

/// Who makes the archive, what it is called, and when it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::software::deb) struct Release {
    maker: Option<String>,
    suite: Option<String>,
    /// When this state was made.
    pub(super) date: Option<DateTime<Utc>>,
}

impl Release {
    /// Reads an `InRelease` or a `Release` file. Whether its signature is good was apt's to judge.
    pub(super) fn read(file: &Path) -> io::Result<Self> {
        let mut fields = HashMap::new();
        for line in unpack::open(file)?.take(LARGEST).split(b'\n') {
            let line = line?;
            if line.starts_with(SIGNATURE) || fields.len() == FIELDS.len() {
                break;
            }
            if let Some((name, value)) = field(&line) {
                fields.entry(name).or_insert(value);
            }
        }
        let mut take = |name| fields.remove(name);
        Ok(Self {
            maker: take("Label").or_else(|| take("Origin")),
            suite: take("Codename").or_else(|| take("Suite")),
            date: take("Date").and_then(|text| date(&text)),
        })
    }

    /// A name for a person, such as `Debian bookworm`.
    pub(in crate::software::deb) fn title(&self) -> Option<String> {
        let words: Vec<&str> = [&self.maker, &self.suite].into_iter().flatten().map(String::as_str).collect();
        (!words.is_empty()).then(|| words.join(" "))
    }
}

/// One of the fields that are read, if it is in this line and has a value.
fn field(line: &[u8]) -> Option<(&'static str, String)> {
    let colon = line.iter().position(|b| *b == b':')?;
    let (name, value) = line.split_at(colon);
    let name = FIELDS.iter().find(|field| field.as_bytes().eq_ignore_ascii_case(name))?;
    let value = String::from_utf8_lossy(value.get(1..)?);
    let value: String = value.trim().chars().filter(|c| !c.is_control()).take(LONGEST_VALUE).collect();
    (!value.is_empty()).then_some((name, value))
}

/// As in mails, always in universal time.
fn date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.strip_suffix("UTC").map_or_else(|| text.to_owned(), |text| format!("{text}+0000"));
    DateTime::parse_from_rfc2822(&text).ok().map(DateTime::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Release {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x_InRelease");
        std::fs::write(&file, text).unwrap();
        Release::read(&file).unwrap()
    }

    #[test]
    fn signed_and_plain_files_are_read() {
        let plain = "Origin: Debian\nLabel: Debian-Security\nSuite: oldstable-security\nCodename: bookworm-security\n\
                     Date: Sat, 17 May 2025 09:11:56 UTC\nSHA256:\n 00 1 main/binary-amd64/Packages\n";
        let signed = format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{plain}-----BEGIN PGP SIGNATURE-----\n\niQ=\n=x\n\
             -----END PGP SIGNATURE-----\n"
        );
        for text in [plain, &signed] {
            let release = read(text.as_bytes());
            assert_eq!(release.title().as_deref(), Some("Debian-Security bookworm-security"));
            assert_eq!(release.date.unwrap().to_rfc3339(), "2025-05-17T09:11:56+00:00");
        }
        assert_eq!(read(b"Date: Thu, 1 Jan 1970 01:00:00 +0100\nSuite: s\n").date.unwrap().timestamp(), 0);
        assert_eq!(read(b"Date: yesterday\n"), Release::default());
        assert_eq!(read(b""), Release::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&bytes);
        }
    }
}
