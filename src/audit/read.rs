//! Lines read back, one after the other, out of one file or all of them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::fs::OFlags;

use super::chain::{LONGEST_LINE, Line};
use super::entry::Entry;
use super::files::Files;

/// How often the files are listed anew because one was rotated meanwhile.
const ATTEMPTS: usize = 5;

/// One line as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its number.
    pub sequence: u64,
    /// When it was written.
    pub time: DateTime<Utc>,
    /// What it tells.
    pub entry: Entry,
}

/// Hands every line of the log that is written to `file` to `show`, from the oldest on, and tells how many there are that
/// are no lines; [`verify`](super::verify()) says what is wrong with them. Ends when `show` is false.
pub fn show(file: &Path, mut show: impl FnMut(Shown) -> bool) -> io::Result<u64> {
    let mut unread = 0;
    for Source { file, .. } in sources(file)? {
        let mut lines = RawLines::new(file);
        while let Some(raw) = lines.next_line()? {
            match Line::read(&raw.octets) {
                Ok(Line { link, time, entry, .. }) => {
                    if !show(Shown { sequence: link.sequence, time, entry }) {
                        return Ok(unread);
                    }
                }
                Err(_) => unread += 1,
            }
        }
    }
    Ok(unread)
}

/// A file of the log, opened.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

/// All files of the log that is written to `file`, oldest first, opened at a moment when none was being rotated.
pub(super) fn sources(file: &Path) -> io::Result<Vec<Source>> {
    let files = Files::new(file)?;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let before = files.rotated()?;
        let opened: io::Result<Vec<Source>> =
            before.iter().map(|rotated| rotated.path.clone()).chain([files.current()]).map(open).collect();
        if attempts == ATTEMPTS || files.rotated()? == before {
            return opened;
        }
    }
}

/// Opens a plain file: no link, and nothing that would have its reader wait.
pub(super) fn open(path: PathBuf) -> io::Result<Source> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(&path).and_then(|file| {
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no plain file")) }
    });
    match opened {
        Ok(file) => Ok(Source { path, file }),
        Err(error) => Err(io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))),
    }
}

/// What lies between two line ends.
#[derive(Debug)]
pub(super) struct RawLine {
    /// Without the line end.
    pub(super) octets: Vec<u8>,
    /// Whether there is a line end.
    pub(super) is_ended: bool,
}

/// The lines of a file, none longer than a line of the log can be: a longer one comes in pieces.
pub(super) struct RawLines(BufReader<File>);

impl RawLines {
    pub(super) fn new(file: File) -> Self {
        Self(BufReader::new(file))
    }

    pub(super) fn next_line(&mut self) -> io::Result<Option<RawLine>> {
        let mut octets = Vec::new();
        (&mut self.0).take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut octets)?;
        if octets.is_empty() {
            return Ok(None);
        }
        let is_ended = octets.last() == Some(&b'\n');
        if is_ended {
            octets.pop();
        }
        Ok(Some(RawLine { octets, is_ended }))
    }
}
