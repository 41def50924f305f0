//! The craft of images: an image store, and the bundles that it is changed from.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::craft::{Craft, Task};
use super::patching::{PatchTask, Patching};
use super::protocol::{Refusal, Reply, Request, Work};
use super::readable::{Readable, again, open, why};
use super::work::internal;
use crate::software::vib::{
    Bundle, BundleIdentity, BundleIdentityError, ImageError, ImageErrorClass, ImageManager, ImageOperation,
    ImageOutcome, SeenBundles,
};
use crate::software::{ApplyError, CancelToken, Outcome, Progress};

/// What an image is changed with.
#[derive(Debug)]
pub(super) struct Images {
    pub(super) manager: Arc<dyn ImageManager>,
    readable: Readable,
    pub(super) patching: Patching,
}

impl Images {
    pub(super) fn new(
        manager: Arc<dyn ImageManager>,
        readable_folders: Option<&[PathBuf]>,
        patching: Patching,
    ) -> Self {
        Self { manager, readable: Readable::new(readable_folders), patching }
    }

    /// Opens a bundle: a file, or a folder. It lies where the settings allow, or where the job put what it fetched.
    fn open_bundle(&self, path: &Path, fetched: Option<&Path>) -> Result<File, Refusal> {
        let not_readable = |message: &str| Refusal::NotReadable { message: message.to_owned() };
        // A slash at the end of a folder's path would have a link followed.
        let path: PathBuf = path.components().collect();
        let bundle = open(&path).map_err(|error| not_readable(why(&error)))?;
        let kind = bundle.metadata().map_err(internal)?.file_type();
        if !kind.is_file() && !kind.is_dir() {
            return Err(not_readable("it is neither a plain file nor a folder"));
        }
        let is_allowed = match fetched {
            Some(own) => self.readable.allows_also(&bundle, own),
            None => self.readable.allows(&bundle),
        };
        if is_allowed.map_err(internal)? { Ok(bundle) } else { Err(Refusal::NotAllowed) }
    }

    /// The operation on bundles that are open, so that they stay the ones that were judged, whatever is put in their places.
    /// One that was seen before must be the one that was seen. `fetched` is the folder of what the job fetched itself, which
    /// no setting has to allow.
    pub(super) fn opened(
        &self,
        operation: &ImageOperation,
        seen: &SeenBundles,
        fetched: Option<&Path>,
    ) -> Result<Opened, ImageError> {
        let ImageOperation::Install { bundles, bulletins } = operation else {
            return Ok(Opened { operation: operation.clone(), bundles: Vec::new() });
        };
        let open = |path: &PathBuf| {
            let bundle = self.open_bundle(path, fetched).map_err(|refusal| cannot_be_read(path, &refusal))?;
            if let Some(seen) = seen.get(path) {
                check_same(&bundle, path, seen)?;
            }
            Ok((bundle, path.clone()))
        };
        let opened = bundles.iter().map(open).collect::<Result<Vec<_>, ImageError>>()?;
        let bundles = opened.iter().map(|(bundle, _)| again(bundle)).collect();
        Ok(Opened { operation: ImageOperation::Install { bundles, bulletins: bulletins.clone() }, bundles: opened })
    }
}

impl Images {
    /// Changes the image. Bundles are told by the names that they were given.
    pub(super) fn apply(
        &self,
        operation: &ImageOperation,
        seen: &SeenBundles,
        fetched: Option<&Path>,
        progress: &mut dyn Progress,
        cancel: &CancelToken,
    ) -> Result<ImageOutcome, ApplyError> {
        let opened = self.opened(operation, seen, fetched).map_err(ApplyError::Image)?;
        self.manager.apply(&opened.operation, progress, cancel).map_err(|error| match error {
            ApplyError::Image(error) => ApplyError::Image(opened.named(error)),
            error => error,
        })
    }
}

impl Craft for Images {
    fn task(self: Arc<Self>, work: Work, folder: &Path) -> Result<Box<dyn Task>, Refusal> {
        match work {
            Work::Image { operation, seen } => Ok(Box::new(ImageTask { images: self, operation, seen })),
            Work::Patch(operation) => Ok(Box::new(PatchTask::new(self, operation, folder))),
            // Packages have a worker of their own.
            Work::InstallStaged { .. } | Work::InstallRemote { .. } | Work::Change(_) => Err(Refusal::Malformed),
        }
    }

    fn answer(&self, request: Request, _: Option<File>, _: &CancelToken) -> Result<Reply, Refusal> {
        match request {
            Request::CheckBundle { path, .. } => check(&self.open_bundle(&path, None)?).map(Reply::Readable),
            // What is in the spool is there while a job fetches it; bundles are read where they are.
            Request::Discard { .. } => Ok(Reply::Discarded),
            Request::Sweep { keep, older_than_seconds, .. } => self.patching.sweep(&keep, older_than_seconds),
            _ => Err(Refusal::Malformed),
        }
    }
}

/// Tells which bundle it is. Refuses a file that is neither a ZIP file nor a VIB by its first octets, and a folder that has no index
/// or more than one ZIP file, and tells nothing of either; what a bundle has inside is judged by the job.
fn check(bundle: &File) -> Result<BundleIdentity, Refusal> {
    let no_bundle = |message: &str| Refusal::NotAPackage { message: message.to_owned() };
    if bundle.metadata().map_err(internal)?.is_dir() {
        let folder = bundle.try_clone().map_err(internal)?;
        let none = "it is no offline bundle: the folder holds neither an index.xml nor a single ZIP file that does";
        Bundle::check(folder, Path::new("")).map_err(|_| no_bundle(none))?;
        return identity(bundle);
    }
    let mut head = Vec::new();
    bundle.take(8).read_to_end(&mut head).map_err(|error| Refusal::NotReadable { message: why(&error).to_owned() })?;
    if head.starts_with(b"PK") || head == b"!<arch>\n" {
        return identity(bundle);
    }
    Err(no_bundle("it is neither an offline bundle, which is a ZIP file, nor a VIB"))
}

fn identity(bundle: &File) -> Result<BundleIdentity, Refusal> {
    BundleIdentity::of(bundle).map_err(|error| Refusal::NotReadable {
        message: match error {
            BundleIdentityError::Io(error) => why(&error).to_owned(),
            other => other.to_string(),
        },
    })
}

/// Refuses a bundle that is not the one that was seen when the job was asked for.
fn check_same(bundle: &File, path: &Path, seen: &BundleIdentity) -> Result<(), ImageError> {
    let now = identity(bundle).map_err(|refusal| cannot_be_read(path, &refusal))?;
    if now == *seen {
        return Ok(());
    }
    let what = if now.is_same_place(seen) { "was changed" } else { "was exchanged for another one" };
    let text = format!(
        "The bundle {} {what} after the job was asked for. Look at what lies there now, and submit the job again if that is \
         to be installed.",
        path.display()
    );
    Err(ImageError::new(ImageErrorClass::BundleIOError, text))
}

/// An operation and the bundles that it reads.
pub(super) struct Opened {
    pub(super) operation: ImageOperation,
    /// Each with the path that it was named by.
    pub(super) bundles: Vec<(File, PathBuf)>,
}

impl Opened {
    /// An error in the words of whoever named the bundles.
    pub(super) fn named(&self, error: ImageError) -> ImageError {
        self.bundles.iter().fold(error, |error, (bundle, path)| {
            let (own, named) = (again(bundle).display().to_string(), path.display().to_string());
            ImageError {
                text: renamed(&error.text, &own, &named),
                url: error.url.map(|url| renamed(&url, &own, &named)),
                ..error
            }
        })
    }
}

/// The text with another name in the place of a descriptor's path, which begins longer ones too (`…/fd/3`, `…/fd/30`).
fn renamed(text: &str, own: &str, named: &str) -> String {
    let mut parts = text.split(own);
    let mut renamed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        renamed.push_str(if part.starts_with(|next: char| next.is_ascii_digit()) { own } else { named });
        renamed.push_str(part);
    }
    renamed
}

/// A job that changes the image.
struct ImageTask {
    images: Arc<Images>,
    operation: ImageOperation,
    seen: SeenBundles,
}

impl Task for ImageTask {
    fn carry_out(&mut self, progress: &mut dyn Progress, cancel: &CancelToken) -> Result<Outcome, ApplyError> {
        let done = self.images.apply(&self.operation, &self.seen, None, progress, cancel)?;
        Ok(Outcome { needs_reboot: done.needs_reboot, image: Some(done), ..Outcome::default() })
    }

    fn after_a_fault(&self) -> &'static str {
        "The image is whole: it is the one from before the job, or the new one. Look at its VIBs and submit the job again if \
         they are not the ones you want."
    }
}

/// A bundle that cannot be opened, as esximage says it.
fn cannot_be_read(path: &Path, refusal: &Refusal) -> ImageError {
    let text =
        format!("Could not read the bundle {}: {refusal}. {}", path.display(), ImageErrorClass::BundleIOError.advice());
    ImageError::new(ImageErrorClass::BundleIOError, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_not_taken_for_one_whose_number_begins_the_same() {
        let text = "zip:/proc/self/fd/3?index.xml, /proc/self/fd/30 and /proc/self/fd/3";
        let renamed = renamed(text, "/proc/self/fd/3", "/srv/a.zip");
        assert_eq!(renamed, "zip:/srv/a.zip?index.xml, /proc/self/fd/30 and /srv/a.zip");
    }
}
