//! Failures of the file system, in esximage's words.

use std::io;
use std::path::Path;

use crate::software::vib::{ImageError, ImageErrorClass, VibId};

/// A failure as Python's tools print it: `[Errno 28] No space left on device`.
pub(super) fn errno(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            format!("[Errno {number}] {text}")
        }
        None => error.to_string(),
    }
}

/// Something that cannot be done with the store's files.
pub(super) fn cannot(what: &str, error: &io::Error) -> ImageError {
    let class = ImageErrorClass::FileIOError;
    ImageError::new(class, format!("Cannot {what}: {}. {}", errno(error), class.advice()))
}

/// What is told of a change that was not made.
const UNCHANGED: &str = "The image is as it was.";

/// The same where the bank that the change was put together in has lost what it had.
const LOST: &str = "The image that runs is as it was, and the other boot bank is empty now.";

/// An installation that a failure of the file system ended; nothing was changed.
pub(super) fn not_installed(error: &io::Error, vibs: impl IntoIterator<Item = VibId>) -> ImageError {
    let class = ImageErrorClass::InstallationError;
    let advice = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "Make room for the image and submit the job again."
        }
        _ => class.advice(),
    };
    ImageError::new(class, format!("{}. {UNCHANGED} {advice}", errno(error))).of(vibs)
}

/// The failure of a change for which the other bank lost its image.
pub(super) fn with_loss(error: ImageError) -> ImageError {
    error.map_text(|text| match text {
        text if text.contains(LOST) => text,
        text if text.contains(UNCHANGED) => text.replace(UNCHANGED, LOST),
        text => format!("{text} {LOST}"),
    })
}

/// A part of the store that cannot be read. For the operator: it names the file.
pub(super) fn unreadable(file: &Path, error: &io::Error) -> ImageError {
    let class = ImageErrorClass::DatabaseIOError;
    ImageError::new(class, format!("Cannot read {}: {}. {}", file.display(), errno(error), class.advice()))
}

/// A part of the store that is not written as it should be. For the operator: it names the file.
pub(super) fn malformed(file: &Path, what: impl std::fmt::Display) -> ImageError {
    let class = ImageErrorClass::DatabaseFormatError;
    ImageError::new(class, format!("{}: {what}. {}", file.display(), class.advice()))
}
