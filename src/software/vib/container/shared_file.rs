//! A file that many read at once, each at a place of its own.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A reader of an open file. Its clones have the same file and places of their own.
#[derive(Clone, Debug)]
pub(in super::super) struct SharedFile {
    file: Arc<File>,
    length: u64,
    at: u64,
}

impl SharedFile {
    /// A reader of the file as long as it is now.
    pub(in super::super) fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), length, at: 0 })
    }

    /// How long the file was when it was opened.
    pub(in super::super) fn length(&self) -> u64 {
        self.length
    }
}

impl Read for SharedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at =
            at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the file's beginning"))?;
        Ok(self.at)
    }
}
