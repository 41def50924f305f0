//! How package files come to the worker: it copies them to its spool and tells what they are.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::{MemfdFlags, memfd_create};

use super::StageError;
use super::link::LinkError;
use super::table::Jobs;
use crate::access::Caller;
use crate::worker::protocol::{Reply, Request};
use crate::worker::{Refusal, Staged};

impl Jobs {
    /// Lets the worker copy a local file to its spool and tell what package it is. Blocks, for as long as the copy takes.
    pub fn stage(&self, path: &Path, caller: &Caller) -> Result<Staged, StageError> {
        if path.to_str().is_none() {
            return Err(StageError::NotReadable("its name is not UTF-8: rename it".to_owned()));
        }
        self.stage_by(|| self.link.call(&Request::Stage { path: path.to_owned(), caller: caller.clone() }))
    }

    /// The same with a file of this process, which the worker gets open.
    pub fn stage_upload(&self, file: &Path, caller: &Caller) -> Result<Staged, StageError> {
        let file = File::open(file).map_err(|error| not_stored(&error))?;
        self.stage_file(&file, caller)
    }

    /// The same with octets that are in memory.
    pub fn stage_octets(&self, octets: &[u8], caller: &Caller) -> Result<Staged, StageError> {
        let write = || -> io::Result<File> {
            let mut file = File::from(memfd_create("package", MemfdFlags::CLOEXEC)?);
            file.write_all(octets)?;
            Ok(file)
        };
        self.stage_file(&write().map_err(|error| not_stored(&error))?, caller)
    }

    fn stage_file(&self, file: &File, caller: &Caller) -> Result<Staged, StageError> {
        self.stage_by(|| self.link.call_with_file(&Request::StageUpload { caller: caller.clone() }, file))
    }

    /// Lets the worker of an image see whether a bundle can be read: a file, or a folder. Blocks.
    pub fn check_bundle(&self, path: &Path, caller: &Caller) -> Result<(), StageError> {
        if path.to_str().is_none() {
            return Err(StageError::NotReadable("its name is not UTF-8: rename it".to_owned()));
        }
        match self.link.call(&Request::CheckBundle { path: path.to_owned(), caller: caller.clone() }) {
            Ok(Reply::Readable) => Ok(()),
            other => Err(other.err().unwrap_or(LinkError::Unexpected).into()),
        }
    }

    fn stage_by(&self, ask: impl FnOnce() -> Result<Reply, LinkError>) -> Result<Staged, StageError> {
        match ask() {
            Ok(Reply::Staged(staged)) => Ok(staged),
            Err(error @ LinkError::Refused(_)) => Err(error.into()),
            other => {
                // The copy may be there all the same, and nobody knows its name.
                self.lock_spool_work().sweep_at = self.sweep_later();
                Err(other.err().unwrap_or(LinkError::Unexpected).into())
            }
        }
    }
}

fn not_stored(error: &io::Error) -> StageError {
    match error.kind() {
        io::ErrorKind::StorageFull => StageError::NoRoom,
        _ => StageError::WorkerUnavailable(format!("the package file cannot be stored: {error}")),
    }
}

impl From<LinkError> for StageError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Refused(Refusal::NotReadable { message }) => Self::NotReadable(message),
            LinkError::Refused(Refusal::NotAPackage { message }) => Self::NotAPackage(message),
            LinkError::Refused(Refusal::NotAllowed) => Self::NotAllowed,
            LinkError::Refused(Refusal::TooLarge { limit }) => Self::TooLarge { limit },
            LinkError::Refused(Refusal::NoRoom) => Self::NoRoom,
            LinkError::Refused(refusal @ Refusal::SpoolFull) => Self::TooMany(refusal.to_string()),
            LinkError::OtherOrders | LinkError::Refused(Refusal::Retiring) => Self::OtherOrders,
            other => Self::WorkerUnavailable(other.to_string()),
        }
    }
}
