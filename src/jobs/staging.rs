//! How package files come to the worker: it copies them to its spool and tells what they are.

use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::StageError;
use super::link::LinkError;
use super::table::Jobs;
use crate::access::private_file;
use crate::software::vib::BundleIdentity;
use crate::worker::protocol::{Reply, Request};
use crate::worker::{self, Refusal, Staged};

impl Jobs {
    /// Lets the worker copy a local file to its spool and tell what package it is. Blocks, for as long as the copy takes.
    pub fn stage(&self, path: &Path) -> Result<Staged, StageError> {
        if path.to_str().is_none() {
            return Err(StageError::NotReadable("its name is not UTF-8: rename it".to_owned()));
        }
        self.stage_by(&Request::Stage { path: path.to_owned() })
    }

    /// The same with a file in [`worker::uploads_folder`].
    pub fn stage_upload(&self, file: &Path) -> Result<Staged, StageError> {
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| StageError::NotReadable("it has no name".to_owned()))?;
        self.stage_by(&Request::StageUpload { name: name.to_owned() })
    }

    /// The same with octets that are in memory.
    pub fn stage_octets(&self, octets: &[u8]) -> Result<Staged, StageError> {
        let folder = worker::uploads_folder(&self.settings.state_dir);
        let write = || -> io::Result<NamedTempFile> {
            private_file::make_folder(&folder)?;
            let mut file = NamedTempFile::new_in(&folder)?;
            file.write_all(octets)?;
            Ok(file)
        };
        let file = write().map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => StageError::NoRoom,
            _ => StageError::WorkerUnavailable(format!("the package file cannot be stored: {error}")),
        })?;
        self.stage_upload(file.path())
    }

    /// Lets the worker of an image see whether a bundle can be read, a file or a folder, and which it is. Blocks.
    pub fn check_bundle(&self, path: &Path) -> Result<BundleIdentity, StageError> {
        if path.to_str().is_none() {
            return Err(StageError::NotReadable("its name is not UTF-8: rename it".to_owned()));
        }
        match self.link.call(&Request::CheckBundle { path: path.to_owned() }) {
            Ok(Reply::Readable(identity)) => Ok(identity),
            other => Err(other.err().unwrap_or(LinkError::Unexpected).into()),
        }
    }

    fn stage_by(&self, request: &Request) -> Result<Staged, StageError> {
        match self.link.call(request) {
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
