//! Package files inside of requests: cut out of the envelope while it arrives and written to disk, never held in memory.

mod cutter;
mod decoder;

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use self::cutter::Cutter;
use self::decoder::Decoder;
use super::refusal::Refusal;
use crate::access::{Caller, Role, private_file};
use crate::broker::Upload;
use crate::worker;

/// Where package files go, and how large they may be.
#[derive(Clone, Debug)]
pub struct UploadSettings {
    /// The folder. What an earlier server left there is deleted.
    pub folder: PathBuf,
    /// The longest base64 text, in characters.
    pub max_characters: usize,
}

/// All uploads of a server: one for each user at a time.
#[derive(Debug)]
pub(super) struct Uploads {
    settings: UploadSettings,
    users: Mutex<HashSet<Arc<str>>>,
}

impl Uploads {
    pub(super) fn open(settings: UploadSettings) -> io::Result<Self> {
        private_file::make_folder(&settings.folder)?;
        for entry in std::fs::read_dir(&settings.folder)? {
            std::fs::remove_file(entry?.path())?;
        }
        Ok(Self { settings, users: Mutex::default() })
    }

    /// Begins to read a request that may hold a package file; `None` for callers who may not install.
    pub(super) fn receive(self: &Arc<Self>, caller: &Caller, kept_limit: usize) -> Option<Receiving> {
        let allowed = caller.role >= Role::Operator;
        allowed.then(|| Receiving {
            uploads: Arc::clone(self),
            user: Arc::clone(&caller.name),
            kept_limit,
            cutter: Cutter::default(),
            decoder: Decoder::default(),
            image: Vec::new(),
            characters: 0,
            damage: None,
            file: None,
        })
    }

    /// The largest package file, in octets: as much as its base64 may hold.
    pub(super) fn longest_file(&self) -> u64 {
        (self.settings.max_characters / 4 * 3) as u64
    }

    /// The longest body that can be right, in octets.
    pub(super) fn longest_body(&self, kept_limit: usize) -> usize {
        // Line ends in base64 are some 3 percent of it, or 8 where they are written as references.
        self.settings.max_characters.saturating_add(self.settings.max_characters / 8).saturating_add(kept_limit)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Arc<str>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to one upload of a user.
#[derive(Debug)]
pub struct Claim {
    uploads: Arc<Uploads>,
    user: Arc<str>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.uploads.lock().remove(&self.user);
    }
}

/// A request that is being read.
pub(super) struct Receiving {
    uploads: Arc<Uploads>,
    user: Arc<str>,
    kept_limit: usize,
    cutter: Cutter,
    decoder: Decoder,
    image: Vec<u8>,
    characters: usize,
    /// Why the Image is of no use; the rest of it is read to nowhere.
    damage: Option<String>,
    file: Option<Spooled>,
}

/// A package file that is being written to disk.
#[derive(Debug)]
pub struct Spooled {
    uploads: Arc<Uploads>,
    file: File,
    path: TempPath,
    claim: Claim,
    written: u64,
}

/// A package file is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpoolError {
    /// The user sends another one.
    #[error("you are sending another package file: one at a time is taken")]
    Uploading,
    /// It is larger than the settings allow.
    #[error("it is larger than the {limit} octets that are allowed")]
    TooLarge {
        /// The largest size, in octets.
        limit: u64,
    },
    /// It would fill the disk.
    #[error("there is not enough room on the service's disk")]
    NoRoom,
    /// It cannot be written; the log says why.
    #[error("it cannot be stored; the operator's log says why")]
    NotStored,
}

/// A request that was read: its envelope, and the package file that was in it.
pub(super) struct Received {
    pub(super) body: Vec<u8>,
    pub(super) upload: Option<Upload>,
    pub(super) _claim: Option<Claim>,
}

impl Received {
    /// A request without a package file.
    pub(super) fn plain(body: Vec<u8>) -> Self {
        Self { body, upload: None, _claim: None }
    }
}

impl Receiving {
    /// Takes what arrived.
    pub(super) async fn feed(&mut self, arrived: &[u8]) -> Result<(), Refusal> {
        self.cutter.feed(arrived, &mut self.image);
        if self.cutter.is_damaged() {
            self.damage = Some("it is not base64: it refers to a character that base64 does not have".to_owned());
        }
        self.characters = self.characters.saturating_add(self.image.len());
        let limit = self.uploads.settings.max_characters;
        if self.characters > limit {
            return Err(Refusal::TooLarge { limit });
        }
        if self.cutter.kept().len() > self.kept_limit {
            return Err(Refusal::TooLarge { limit: self.kept_limit });
        }
        self.store().await
    }

    /// Whether the request is one without a package file, as far as that is known.
    pub(super) fn is_other_request(&self) -> bool {
        self.cutter.is_call() == Some(false)
    }

    /// How many characters of the package file came.
    pub(super) fn characters(&self) -> usize {
        self.characters
    }

    /// All of the request arrived.
    pub(super) async fn finish(mut self) -> Result<Received, Refusal> {
        if let (None, true) = (&self.damage, self.cutter.has_cut()) {
            self.damage = self.decoder.finish().err();
        }
        let Some(file) = self.file else {
            return Ok(Received::plain(self.cutter.into_kept()));
        };
        let (path, claim) = file.finish().await?;
        let upload = self.damage.map_or_else(|| Upload::new(path), Upload::damaged);
        Ok(Received { body: self.cutter.into_kept(), upload: Some(upload), _claim: Some(claim) })
    }

    async fn store(&mut self) -> Result<(), Refusal> {
        if !self.cutter.has_cut() {
            return Ok(());
        }
        let mut octets = Vec::with_capacity(self.image.len());
        if self.damage.is_none() {
            self.damage = self.decoder.feed(&mut self.image, &mut octets).err();
        }
        self.image.clear();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(Spooled::begin(&self.uploads, &self.user)?),
        };
        Ok(file.write(&octets).await?)
    }
}

impl Spooled {
    /// Begins a file of a user, who sends no other one meanwhile.
    pub(super) fn begin(uploads: &Arc<Uploads>, user: &Arc<str>) -> Result<Self, SpoolError> {
        if !uploads.lock().insert(Arc::clone(user)) {
            return Err(SpoolError::Uploading);
        }
        let claim = Claim { uploads: Arc::clone(uploads), user: Arc::clone(user) };
        let made = NamedTempFile::new_in(&uploads.settings.folder).map_err(|error| not_stored(&error))?;
        let (file, path) = made.into_parts();
        Ok(Self { uploads: Arc::clone(uploads), file: File::from_std(file), path, claim, written: 0 })
    }

    /// The largest file, in octets.
    pub fn limit(&self) -> u64 {
        self.uploads.longest_file()
    }

    /// How many octets came.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Writes what arrived.
    pub async fn write(&mut self, octets: &[u8]) -> Result<(), SpoolError> {
        let (limit, arrived) = (self.limit(), octets.len() as u64);
        if arrived > limit.saturating_sub(self.written) {
            return Err(SpoolError::TooLarge { limit });
        }
        // The worker makes a copy.
        if !worker::leaves_reserve(&self.uploads.settings.folder, 2 * arrived).map_err(|error| not_stored(&error))? {
            return Err(SpoolError::NoRoom);
        }
        self.written += arrived;
        self.file.write_all(octets).await.map_err(|error| not_stored(&error))
    }

    /// All of it arrived. The user may send another one when the claim is dropped.
    pub async fn finish(mut self) -> Result<(TempPath, Claim), SpoolError> {
        self.file.flush().await.map_err(|error| not_stored(&error))?;
        Ok((self.path, self.claim))
    }
}

impl From<SpoolError> for Refusal {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::Uploading => Self::Uploading,
            SpoolError::TooLarge { limit } => Self::TooLarge { limit: usize::try_from(limit).unwrap_or(usize::MAX) },
            SpoolError::NoRoom => Self::NoRoom,
            SpoolError::NotStored => Self::NotStored,
        }
    }
}

fn not_stored(error: &io::Error) -> SpoolError {
    tracing::error!(%error, "a package file cannot be stored");
    if error.kind() == io::ErrorKind::StorageFull { SpoolError::NoRoom } else { SpoolError::NotStored }
}

#[cfg(test)]
mod tests;
