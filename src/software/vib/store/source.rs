//! Where the content of VIBs comes from.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use super::disk::{Disk, NewFile};
use super::names;
use crate::software::CancelToken;
use crate::software::vib::{CopyError, Descriptor, ProfileVib};

/// Gives the content of VIBs.
pub(super) trait Source: Sync {
    /// Copies every payload of a VIB into its file, and fails unless all of the VIB is as it should be. Gives the descriptor
    /// that the VIB has itself: what is planned from is metadata, which nobody signs.
    fn copy(&self, vib: &Descriptor, files: &PayloadFiles<'_>) -> Result<Arc<Descriptor>, CopyError>;
}

/// There is no VIB to copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoSource;

impl Source for NoSource {
    fn copy(&self, _: &Descriptor, _: &PayloadFiles<'_>) -> Result<Arc<Descriptor>, CopyError> {
        Err(CopyError::Write(io::ErrorKind::NotFound.into()))
    }
}

/// What one who copies hears from the others and tells them.
#[derive(Debug)]
pub(super) struct Course<'a> {
    /// Whether the whole should stop.
    pub cancel: &'a CancelToken,
    /// Whether one failed, so that the others need not go on.
    pub has_failed: &'a AtomicBool,
    /// Hears how many octets were copied since it heard last.
    pub octets: Sender<u64>,
}

impl Course<'_> {
    /// Whether there is a reason to go on no longer.
    pub(super) fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || self.has_failed.load(Ordering::Relaxed)
    }
}

/// The files that the payloads of one VIB go to.
#[derive(Debug)]
pub(super) struct PayloadFiles<'a> {
    pub(super) disk: &'a Disk,
    /// The folder of the bank.
    pub(super) folder: &'a Path,
    /// The VIB.
    pub(super) vib: &'a Descriptor,
    /// Its payloads' names.
    pub(super) names: &'a ProfileVib,
    pub(super) course: &'a Course<'a>,
}

impl<'a> PayloadFiles<'a> {
    /// Makes the file of a payload.
    pub(super) fn create(&self, payload: &str) -> io::Result<PayloadFile<'a>> {
        let named = self.names.payloads.iter().find(|(name, _)| **name == *payload);
        let path = named.and_then(|(_, file)| names::path(self.vib, file));
        let path = path.ok_or_else(|| io::Error::other(format!("payload {payload} has no file")))?;
        Ok(PayloadFile { file: self.disk.create_file(&self.folder.join(path))?, course: self.course })
    }
}

/// The file of a payload while it is copied.
#[derive(Debug)]
pub(super) struct PayloadFile<'a> {
    file: NewFile,
    course: &'a Course<'a>,
}

impl PayloadFile<'_> {
    /// Has it written to the medium.
    pub(super) fn finish(self) -> io::Result<()> {
        self.file.sync()
    }
}

impl Write for PayloadFile<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.course.is_over() {
            return Err(io::Error::other("stopped"));
        }
        let written = self.file.write(octets)?;
        // Whoever waits for the end waits for this too.
        let _ = self.course.octets.send(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
