//! The depot: metadata that hosts were compared with, kept by its SHA-256. At each scan its server is asked whether it is
//! still the same; what follows the scan uses the very octets that were scanned.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::download::{Downloads, Fetched, Wanted, fetch};
use super::durable;
use super::spool::{Incoming, Spool, digest};
use crate::client::{Place, Validators};
use crate::clock::SharedClock;
use crate::software::patch::MetadataSource;
use crate::software::vib::{ImageError, ImageErrorClass};
use crate::software::{ApplyError, CancelToken, Progress};

/// How many files are kept: what a scan may name, and as much of the scans before, since one that fails leaves the last
/// assessment, which is deployed by what it was made with.
const MOST_FILES: usize = 128;
/// The list of what is kept.
const LIST: &str = "list.json";

/// The depot of one folder.
#[derive(Debug)]
pub(super) struct Depot {
    folder: PathBuf,
    /// How many octets one file may have.
    max_octets: u64,
    known: Mutex<Vec<Known>>,
}

/// A file that is kept, and where it came from last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    uri: String,
    sha256: String,
    octets: u64,
    validators: Validators,
    used_at: DateTime<Utc>,
}

/// Metadata that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// What it is.
    pub(super) source: MetadataSource,
    /// Where it lies.
    pub(super) path: PathBuf,
}

/// With what files are fetched.
#[derive(Debug)]
pub(super) struct Means<'a> {
    pub(super) downloads: &'a Downloads,
    pub(super) spool: &'a Spool,
    pub(super) clock: &'a SharedClock,
}

impl Depot {
    /// Opens the depot, which is made if it is not there. What a worker that died left in it unfinished goes.
    pub(super) fn open(worker_dir: &Path, max_octets: u64) -> io::Result<Self> {
        let folder = worker_dir.join("depot");
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let known: Vec<Known> = match fs::read(folder.join(LIST)) {
            // A list that cannot be read is of another version: what it named is fetched anew.
            Ok(octets) => serde_json::from_slice(&octets).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let depot = Self { folder, max_octets, known: Mutex::new(known) };
        depot.sweep(&depot.lock())?;
        Ok(depot)
    }

    /// The metadata at a URI as it is now: asked for, and fetched unless what is here is the same still.
    pub(super) fn obtain(
        &self,
        uri: &str,
        means: &Means<'_>,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Kept, ApplyError> {
        let place = Place::of(uri).ok_or_else(|| not_had(uri, "the address is malformed"))?;
        let here = self.of_uri(uri);
        let known = here.as_ref().map(|known| &known.validators);
        let (incoming, validators) = match &place {
            Place::Local(file) => (
                means.spool.take_in(file, Some(self.max_octets), cancel).map_err(|error| of(uri, error))?,
                Validators::default(),
            ),
            Place::Remote(url) => {
                let wanted = Wanted { url, limit: Some(self.max_octets), known };
                match fetch(means.downloads, wanted, means.spool, progress, cancel).map_err(|error| of(uri, error))? {
                    Fetched::File(file, validators) => (file, validators),
                    Fetched::Unchanged => {
                        let known = here.ok_or_else(|| not_had(uri, "the server sends nothing"))?;
                        return self
                            .note(Known { used_at: means.clock.now(), ..known })
                            .map_err(|error| unkept(uri, &error));
                    }
                }
            }
        };
        self.keep(uri, incoming, validators, means.clock.now()).map_err(|error| unkept(uri, &error))
    }

    /// Metadata of an earlier scan, octet by octet as it was then.
    pub(super) fn find(&self, source: &MetadataSource) -> Result<Kept, ApplyError> {
        let path = self.file(&source.sha256);
        let gone = || {
            let text = "The metadata of the scan is not here any more. Scan the host again.";
            ApplyError::Image(ImageError::new(ImageErrorClass::MetadataDownloadError, text).at(&source.uri))
        };
        if !is_digest(&source.sha256) || !self.is_intact(&source.sha256, source.octets) {
            return Err(gone());
        }
        self.used(source);
        Ok(Kept { source: source.clone(), path })
    }

    /// Puts what is used behind what may go before it.
    fn used(&self, source: &MetadataSource) {
        let mut all = self.lock();
        let is_it = |known: &Known| known.uri == source.uri && known.sha256 == source.sha256;
        if let Some(place) = all.iter().position(is_it) {
            let known = all.remove(place);
            all.push(known);
        }
    }

    /// What was used last of a URI, if it is still what it was.
    fn of_uri(&self, uri: &str) -> Option<Known> {
        let known = self.lock().iter().rfind(|known| known.uri == uri).cloned()?;
        self.is_intact(&known.sha256, known.octets).then_some(known)
    }

    fn is_intact(&self, sha256: &str, octets: u64) -> bool {
        let file = File::open(self.file(sha256)).map_err(|_| ());
        let found = file.and_then(|file| digest(file, octets).map_err(|_| ()));
        found.is_ok_and(|(size, found)| size == octets && found == sha256)
    }

    fn file(&self, sha256: &str) -> PathBuf {
        self.folder.join(format!("{sha256}.zip"))
    }

    /// Gives a file that came its place, durably.
    fn keep(&self, uri: &str, incoming: Incoming<'_>, validators: Validators, now: DateTime<Utc>) -> io::Result<Kept> {
        let (octets, sha256) = digest(File::open(incoming.path())?, self.max_octets)
            .map_err(|refusal| io::Error::other(refusal.to_string()))?;
        if !self.is_intact(&sha256, octets) {
            incoming.keep_as(&self.file(&sha256))?;
            durable::sync_folder(&self.folder)?;
        }
        self.note(Known { uri: uri.to_owned(), sha256, octets, validators, used_at: now })
    }

    /// Writes down what is kept, and lets go of what was used least recently.
    fn note(&self, known: Known) -> io::Result<Kept> {
        let kept = Kept {
            source: MetadataSource {
                uri: known.uri.clone(),
                sha256: known.sha256.clone(),
                octets: known.octets,
                checked_at: known.used_at,
            },
            path: self.file(&known.sha256),
        };
        let mut all = self.lock();
        all.retain(|other| other.uri != known.uri || other.sha256 != known.sha256);
        all.push(known);
        let too_many = all.len().saturating_sub(MOST_FILES);
        all.drain(..too_many);
        durable::write(&self.folder.join(LIST), &serde_json::to_vec(&*all)?)?;
        self.sweep(&all)?;
        Ok(kept)
    }

    /// Deletes what is not in the list.
    fn sweep(&self, known: &[Known]) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_known = name == LIST || known.iter().any(|known| *name == *format!("{}.zip", known.sha256));
            if !is_known {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a text could be a SHA-256, and so is no path.
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|octet| octet.is_ascii_hexdigit())
}

/// Metadata that cannot be had, in esximage's words.
fn not_had(uri: &str, why: &str) -> ApplyError {
    let class = ImageErrorClass::MetadataDownloadError;
    let text = format!("Failed to download metadata: {why}. {}", class.advice());
    ApplyError::Image(ImageError::new(class, text).at(uri))
}

fn of(uri: &str, error: ApplyError) -> ApplyError {
    match error {
        ApplyError::Unreachable(why) | ApplyError::Failed(why) => not_had(uri, &why),
        error => error,
    }
}

fn unkept(uri: &str, error: &io::Error) -> ApplyError {
    tracing::error!(%error, uri, "metadata cannot be kept");
    match error.kind() {
        io::ErrorKind::StorageFull => ApplyError::NoSpace("there is no room for metadata beside the store".to_owned()),
        kind => ApplyError::Failed(format!("metadata cannot be kept beside the store: {kind}")),
    }
}

#[cfg(test)]
mod tests;
